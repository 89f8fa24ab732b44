"""Simulated skies: sources drawn or given, what an instrument expects of them, and counts."""
