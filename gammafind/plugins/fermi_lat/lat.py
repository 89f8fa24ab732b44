"""What of the LAT its parts need, without the instrument that is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gammafind.plugins.fermi_lat.irf import Response
from gammafind.sky.bands import Band
from gammafind.sky.pixels import Pixels
from gammafind.sky.psf import RadialPsf
from gammafind.sky.skymap import SkyMap


class Lat(Protocol):
    """Options and maps of the LAT; see `FermiLatRenderer`."""

    event_types: tuple[str, ...]
    energies: tuple[float, ...]
    max_zeniths: tuple[float, ...]
    irf: str
    psf_file: str
    isotropic: str
    exposure_source: str
    responses: tuple[Response, ...]
    bands: tuple[Band, ...]
    pixels: tuple[Pixels, ...]

    def exposure(self, pixels: Sequence[Pixels]) -> SkyMap:
        """Exposure of each band on some pixels."""

    def background(self, pixels: Sequence[Pixels]) -> dict[str, SkyMap]:
        """Expected counts of each background component on some pixels."""

    def psfs(self) -> tuple[RadialPsf, ...]:
        """PSF of each band."""
