"""Fits of the sources of a catalogue, each with all that is near it."""
