"""One selection of events in all its energy bands: PSF, exposure and isotropic emission."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.plugins.fermi_lat.catalogues import spectra_of
from gammafind.plugins.fermi_lat.diffuse import isotropic_intensity
from gammafind.plugins.fermi_lat.exposure import exposure_at, exposure_maps
from gammafind.plugins.fermi_lat.irf import Response
from gammafind.plugins.fermi_lat.years import year_shares
from gammafind.sky.bands import Band
from gammafind.sky.pixels import Pixels
from gammafind.sky.psf import RadialPsf


@dataclass(frozen=True, kw_only=True, eq=False)
class Channel:
    """Events of some types, in all energy bands, in some observing time.

    Parameters
    ----------
    response : Response
    bands : tuple of Band
    index : float
        Photon index over which PSF and effective area are averaged in a band.
    exposure_source : str
        As ``source`` of `~gammafind.plugins.fermi_lat.exposure.exposure_maps`.
    max_zenith : Quantity, scalar or shape (n_bands,)
        Zenith cut of the events.
    year : int
        One of the ten years, 1 to 10; 0 is all of them.
    """

    response: Response
    bands: tuple[Band, ...]
    index: float
    exposure_source: str
    max_zenith: Quantity
    year: int = 0

    @cached_property
    def psfs(self) -> tuple[RadialPsf, ...]:
        """PSF of each band."""
        return tuple(self.response.band_psf(band, index=self.index) for band in self.bands)

    def exposure(self, pixels: Sequence[Pixels]) -> tuple[np.ndarray, ...]:
        """Exposure of each band in cm2 s at the centres of its pixels."""
        return exposure_maps(self.exposure_source, self.response, self.bands, pixels, **self._time)

    def exposure_at(self, vectors: np.ndarray) -> np.ndarray:
        """Exposure in cm2 s at Galactic unit vectors, shape (n_bands, n)."""
        return exposure_at(self.exposure_source, self.response, self.bands, vectors, **self._time)

    def source_areas(self, sources: QTable) -> np.ndarray:
        """Ratio of the effective area for each source to that in `exposure`, (n, n_bands)."""
        if "SpectrumType" not in sources.colnames:
            return np.ones((len(sources), len(self.bands)))
        spectra = spectra_of(sources).differential
        ratios = [
            self.response.source_area_ratios(band, spectra, index=self.index) for band in self.bands
        ]
        return np.stack(ratios, axis=1)

    def isotropic(self, source: str) -> np.ndarray:
        """Intensity of the isotropic emission of each band in cm-2 s-1 sr-1, shape (n_bands,)."""
        return isotropic_intensity(source, self.response, self.bands)

    def year_shares(self, positions: SkyCoord, band: int) -> np.ndarray:
        """Share of each year in the exposure of ten years in a band, shape (n, 10)."""
        zenith = np.broadcast_to(self.max_zenith, len(self.bands), subok=True)[band]
        return year_shares(
            self.response, self.bands[band], positions, index=self.index, max_zenith=zenith
        )

    @property
    def _time(self) -> dict[str, object]:
        return {"index": self.index, "year": self.year, "max_zenith": self.max_zenith}
