"""What the tests of photon lists share."""

from __future__ import annotations

from tests.plugins.fermi_lat.photons.skies import flat_emission, hour

__all__ = ["flat_emission", "hour"]
