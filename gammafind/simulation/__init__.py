"""Simulated skies: sources drawn or given, what an instrument expects of them, and counts."""

from __future__ import annotations

from gammafind.simulation.epochs import epoch_maps
from gammafind.simulation.run import Simulated, simulate
from gammafind.simulation.sources import read_sources

__all__ = ["Simulated", "epoch_maps", "read_sources", "simulate"]
