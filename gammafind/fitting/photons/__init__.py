"""Fits to counts of photons."""
