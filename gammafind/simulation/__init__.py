"""Simulated skies: sources drawn or given, what an instrument expects of them, and counts."""

from __future__ import annotations

from gammafind.simulation.run import Simulated, simulate
from gammafind.simulation.sources import read_sources

__all__ = ["Simulated", "read_sources", "simulate"]
