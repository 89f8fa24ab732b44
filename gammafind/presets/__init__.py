"""Presets: the plugins and options for the sky of an instrument."""
