"""Trained networks: weights in folders, inputs, outputs and what they mean."""
