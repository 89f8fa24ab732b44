"""One selection of events in all its energy bands: PSF, exposure and isotropic emission."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.plugins.fermi_lat.catalogues import spectra_of
from gammafind.plugins.fermi_lat.diffuse import interstellar_index, isotropic_intensity
from gammafind.plugins.fermi_lat.exposure import (
    dispersion_factors,
    exposure_at,
    exposure_cube,
    exposure_maps,
)
from gammafind.plugins.fermi_lat.fluxes import band_fluxes
from gammafind.plugins.fermi_lat.irf import (
    BandResponse,
    Response,
    psfs_of_indices,
    psfs_of_photons,
    spectral_response,
)
from gammafind.plugins.fermi_lat.weighted import Weight
from gammafind.plugins.fermi_lat.years import span_shares, year_shares
from gammafind.sky.bands import Band
from gammafind.sky.fits.write_exposure import ExposureCube
from gammafind.sky.pixels import Pixels
from gammafind.sky.psf import RadialPsf
from gammafind.sky.source_psfs import SourcePsfs
from gammafind.sky.spectral_response import SpectralResponse


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
    good_times : str
        As for `~gammafind.plugins.fermi_lat.exposure.exposure_maps`.
    """

    response: Response
    bands: tuple[Band, ...]
    index: float
    exposure_source: str
    max_zenith: Quantity
    year: int = 0
    good_times: str = ""

    @cached_property
    def psfs(self) -> tuple[RadialPsf, ...]:
        """PSF of each band."""
        return tuple(self.response.band_psf(band, index=self.index) for band in self.bands)

    @property
    def interstellar_psfs(self) -> tuple[RadialPsf, ...]:
        """PSF of the photons of the interstellar emission in each band."""
        return tuple(
            here.psf(here.photons(interstellar_index(band)))
            for band, here in zip(self.bands, self._responses, strict=True)
        )

    @property
    def interstellar_weights(self) -> tuple[Weight, ...]:
        """Energies in MeV and weights of each band, with which an intensity is integrated.

        The integral times `exposure` is counts per solid angle.
        """
        return tuple(here.weight(self.index) for here in self._responses)

    @property
    def dispersion_factors(self) -> np.ndarray:
        """Exposure of each band with energy dispersion, over that without, shape (n_bands,)."""
        return dispersion_factors(self.response, self.bands, self.index)

    def exposure(self, pixels: Sequence[Pixels]) -> tuple[np.ndarray, ...]:
        """Exposure of each band in cm2 s at the centres of its pixels; the last is kept."""
        wanted = tuple(pixels)
        known, maps = _last_exposure.get(self, ((), ()))
        if known != wanted:
            maps = exposure_maps(
                self.exposure_source, self.response, self.bands, wanted, **self._time
            )
            _last_exposure[self] = wanted, maps
        return maps

    def exposure_at(self, vectors: np.ndarray) -> np.ndarray:
        """Exposure in cm2 s at Galactic unit vectors, shape (n_bands, n)."""
        return exposure_at(self.exposure_source, self.response, self.bands, vectors, **self._time)

    def exposure_cube(self) -> ExposureCube:
        """Exposure at some energies of each band."""
        return exposure_cube(
            self.exposure_source,
            self.response,
            self.bands,
            max_zenith=self.max_zenith,
            good_times=self.good_times,
        )

    def source_fluxes(self, sources: QTable) -> np.ndarray:
        """Flux of a power law with `index` that has the counts of each source, (n, n_bands).

        In cm-2 s-1; times `exposure` it is the counts. Photons whose true energy is outside the
        band are included.

        Raises
        ------
        TableError
            As for `~gammafind.plugins.fermi_lat.fluxes.band_fluxes`.
        """
        fluxes = band_fluxes(sources, self.bands, self.index)
        if "SpectrumType" not in sources.colnames:
            return fluxes
        spectra = spectra_of(sources)
        seen = [
            here.photons_of(spectra.differential) @ here.area / here.effective_area(self.index)
            for here in self._responses
        ]
        return np.stack(seen, axis=1)

    def source_psfs(self, sources: QTable, band: int) -> SourcePsfs:
        """PSF of each source in a band, of its own spectrum where the table has it."""
        here = self._responses[band]
        if "SpectrumType" not in sources.colnames:
            return psfs_of_indices(here, self.index, len(sources))
        return psfs_of_photons(here, here.photons_of(spectra_of(sources).differential))

    @property
    def spectral_responses(self) -> tuple[SpectralResponse, ...]:
        """How each band sees spectra."""
        return tuple(spectral_response(here, self.index) for here in self._responses)

    def isotropic(self, source: str) -> np.ndarray:
        """Intensity of the isotropic emission in each band, shape (n_bands,).

        In cm-2 s-1 sr-1; times `exposure` it is the counts per solid angle.
        """
        return isotropic_intensity(source, self.response, self.bands, index=self.index)

    def time_shares(self, times: np.ndarray, spans: np.ndarray, pixels: Pixels) -> list[np.ndarray]:
        """Shares of spans of time in the exposure of each band, each of shape (n_spans, n_pixels).

        As for `~gammafind.roles.pointing.Pointed.time_shares`.
        """
        declination = pixels.centres().icrs.dec
        limits = np.broadcast_to(self.max_zenith, len(self.bands), subok=True)
        return [
            span_shares(
                times, spans, self.response, band, declination, index=self.index, max_zenith=limit
            )
            for band, limit in zip(self.bands, limits, strict=True)
        ]

    def year_shares(self, positions: SkyCoord, band: int) -> np.ndarray:
        """Share of each year in the exposure of ten years in a band, shape (n, 10)."""
        zenith = np.broadcast_to(self.max_zenith, len(self.bands), subok=True)[band]
        return year_shares(
            self.response, self.bands[band], positions, index=self.index, max_zenith=zenith
        )

    @property
    def _responses(self) -> tuple[BandResponse, ...]:
        return tuple(self.response.band(band) for band in self.bands)

    @property
    def _time(self) -> dict[str, object]:
        return {
            "index": self.index,
            "year": self.year,
            "max_zenith": self.max_zenith,
            "good_times": self.good_times,
        }


_last_exposure: WeakKeyDictionary[Channel, tuple[tuple[Pixels, ...], tuple[np.ndarray, ...]]]
_last_exposure = WeakKeyDictionary()
"""Pixels and exposure of each channel: those of the exposure are those of the background."""
