"""Fits to images of a camera."""
