"""The sky as the Fermi-LAT sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import ClassVar

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from gammafind.errors import OptionError, TableError
from gammafind.interfaces import SkyRenderer
from gammafind.measure.data import photon_shares
from gammafind.plugins.fermi_lat.catalogues import spectra_of
from gammafind.plugins.fermi_lat.diffuse import (
    interstellar_intensity,
    isotropic_intensity,
    seen_intensity,
)
from gammafind.plugins.fermi_lat.events import select_response
from gammafind.plugins.fermi_lat.exposure import exposure_maps
from gammafind.plugins.fermi_lat.irf import Response, load_response, read_response
from gammafind.plugins.fermi_lat.selection import warn_of_other_photons
from gammafind.sky.areas import pixel_areas
from gammafind.sky.bands import Band, energy_bands
from gammafind.sky.fits.events import EventList
from gammafind.sky.observation import Observation
from gammafind.sky.pixels import HealpixPixels, Pixels
from gammafind.sky.projection import unit_vectors
from gammafind.sky.psf import RadialPsf
from gammafind.sky.skymap import SkyMap
from gammafind.sky.stamps import point_source_map

__all__ = ["FermiLatRenderer"]


@dataclass(frozen=True, kw_only=True)
class FermiLatRenderer(SkyRenderer):
    """Fermi-LAT: PSF, exposure, interstellar and isotropic emission in energy bands.

    Parameters
    ----------
    irf : str
        Instrument response that comes with the package, such as ``"P8R3_ULTRACLEANVETO_V3"``.
    event_type : str
        FRONT, BACK or PSF0 to PSF3, or several joined with ``+``.
    energies : tuple of float
        Edges of the bands in GeV.
    nsides : tuple of int
        HEALPix nside of each band.
    exposure_source : str
        ``"ten-years"``, ``"573-weeks"`` or the path of an exposure file.
    interstellar : str
        ``"embedded"`` (approximate, 0.46 deg) or the path of a gll_iem cube.
    isotropic : str
        ``"embedded"`` or the path of an ``iso_*.txt`` file.
    psf_file, aeff_file : str
        Official CALDB files ``psf_*`` and ``aeff_*`` of a response, instead of ``irf``.
    index : float
        Photon index over which PSF and effective area are averaged in a band.

    Notes
    -----
    Band-averaged PSF and effective area are those of a power law with ``index``; energy
    dispersion is left out.

    References
    ----------
    van den Oetelaar et al. 2021, PoS(ICRC2021), section 2.3.
    """

    name: ClassVar[str] = "fermi-lat"
    presets: ClassVar[tuple[str, ...]] = tuple(
        f"gammafind.plugins.fermi_lat:presets/{name}.toml"
        for name in ("fermi-lat", "fermi-lat-p8r3", "fermi-lat-psf3-2-20")
    )

    irf: str = "P8R2_ULTRACLEANVETO_V6"
    event_type: str = "FRONT"
    energies: tuple[float, ...] = (0.3, 0.5, 1, 2, 7, 20, 500)
    nsides: tuple[int, ...] = (128, 128, 256, 512, 1024, 1024)
    exposure_source: str = "ten-years"
    interstellar: str = "embedded"
    isotropic: str = "embedded"
    psf_file: str = ""
    aeff_file: str = ""
    index: float = 2.3

    def __post_init__(self) -> None:
        edges = np.array(self.energies, dtype=float)
        rising = np.all(edges > 0) and np.all(np.diff(edges) > 0) and np.all(np.isfinite(edges))
        if len(edges) < 2 or not rising:
            raise OptionError(
                f"energies is {tuple(self.energies)}",
                remedy="Give two edges or more in GeV, positive and rising.",
            )
        if len(self.nsides) != len(self.energies) - 1:
            raise OptionError(
                f"{len(self.nsides)} nsides for {len(self.energies)} band edges",
                remedy="Give one nside a band, that is one fewer than edges.",
            )
        if bool(self.psf_file) != bool(self.aeff_file):
            raise OptionError(
                "one of psf_file and aeff_file is missing",
                remedy="Give both files of a response, or neither.",
            )

    @cached_property
    def bands(self) -> tuple[Band, ...]:
        """Bands between `energies`."""
        return energy_bands(np.array(self.energies) * u.GeV)

    @property
    def pixels(self) -> tuple[HealpixPixels, ...]:
        """Galactic HEALPix pixels of `nsides`."""
        return tuple(HealpixPixels(nside) for nside in self.nsides)

    @cached_property
    def response(self) -> Response:
        """PSF and effective area."""
        if self.psf_file:
            return read_response(self.psf_file, self.aeff_file, self.event_type)
        return load_response(self.irf, self.event_type)

    def observe(self, counts: SkyMap) -> Observation:
        """Join counts with background, exposure and PSF; warn of photons of another selection."""
        warn_of_other_photons(
            counts.meta.get("selections", ()),
            irf=self.response.irf,
            event_types=self.response.event_types,
        )
        return super().observe(counts)

    def psfs(self) -> tuple[RadialPsf, ...]:
        """PSF of each band."""
        return tuple(self.response.band_psf(band, index=self.index) for band in self.bands)

    def select_events(self, events: EventList) -> EventList:
        """Photons of the event class and the event types of the response."""
        return select_response(events, self.response.irf, self.response.event_types)

    def _exposure(self, pixels: tuple[Pixels, ...]) -> tuple[np.ndarray, ...]:
        return exposure_maps(
            self.exposure_source, self.response, self.bands, pixels, index=self.index
        )

    def _background(self, pixels: tuple[Pixels, ...]) -> Mapping[str, tuple[np.ndarray, ...]]:
        home, intensity = interstellar_intensity(self.interstellar, self.bands)
        isotropic = isotropic_intensity(self.isotropic, self.response, self.bands)
        scale = [
            exposure * pixel_areas(target).reshape(target.shape)
            for exposure, target in zip(self._exposure(pixels), pixels, strict=True)
        ]
        interstellar = (
            seen_intensity(array, home, psf, target)
            for array, psf, target in zip(intensity, self.psfs(), pixels, strict=True)
        )
        return {
            "interstellar": tuple(i * s for i, s in zip(interstellar, scale, strict=True)),
            "isotropic": tuple(i * s for i, s in zip(isotropic, scale, strict=True)),
        }

    def _render(self, sources: QTable, pixels: tuple[Pixels, ...]) -> tuple[np.ndarray, ...]:
        positions = SkyCoord(sources["ra"], sources["dec"], frame="icrs")
        flux = self._band_fluxes(sources)
        return tuple(
            _render_band(positions, flux[:, i], exposure, psf, target)
            for i, (exposure, psf, target) in enumerate(
                zip(self._exposure(pixels), self.psfs(), pixels, strict=True)
            )
        )

    def _band_fluxes(self, sources: QTable) -> np.ndarray:
        """Photon flux in each band, shape (n, n_bands), in cm-2 s-1.

        From the spectra, where the table has them as a 4FGL catalogue does; otherwise ``flux``
        is shared out among the bands as a power law with `index` says.
        """
        if "SpectrumType" in sources.colnames:
            spectra = spectra_of(sources)
            bands = [spectra.flux(band.low, band.high) for band in self.bands]
            flux = np.stack([band.to_value("cm-2 s-1") for band in bands], axis=1)
        else:
            share = photon_shares(list(pairwise(self.energies)), self.index)
            flux = sources["flux"].to_value("cm-2 s-1")[:, None] * share
        bad = ~np.all(np.isfinite(flux) & (flux >= 0), axis=1)
        if bad.any():
            raise TableError(
                f"{bad.sum()} sources have a flux that is negative or not finite, first "
                f"{sources['name'][bad][0]}",
                remedy="Fluxes are finite and not negative.",
            )
        return flux


def _render_band(
    positions: SkyCoord, flux: np.ndarray, exposure: np.ndarray, psf: RadialPsf, pixels: Pixels
) -> np.ndarray:
    here = positions.transform_to(pixels.frame).spherical
    vectors = unit_vectors(here.lon.deg, here.lat.deg)
    at_source = np.nan_to_num(pixels.interpolate(exposure, positions))
    counts = point_source_map(vectors, flux * at_source, pixels, psf)
    return counts.reshape(pixels.shape).astype(np.float32)
