"""Simulated skies: drawn or given sources, their expected counts in an instrument, and counts."""

from __future__ import annotations

from gammafind.simulation.run import Simulated, simulate
from gammafind.simulation.sources import read_sources

__all__ = ["Simulated", "read_sources", "simulate"]
