"""Fits to camera images."""
