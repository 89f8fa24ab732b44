"""What the tests of simulations share."""

from __future__ import annotations

from tests.simulation.fixtures import two_years

__all__ = ["two_years"]
