"""Presets: which plugins find the sources of which sky."""
