"""The sky as the Fermi-LAT sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import ClassVar

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.errors import OptionError, TableError
from gammafind.interfaces import SkyRenderer
from gammafind.measure.data import photon_shares
from gammafind.plugins.fermi_lat.catalogues import CLASS_GROUPS, spectra_of
from gammafind.plugins.fermi_lat.diffuse import (
    interstellar_at_pixels,
    interstellar_in_patches,
    isotropic_intensity,
)
from gammafind.plugins.fermi_lat.events import select_response
from gammafind.plugins.fermi_lat.exposure import exposure_at, exposure_maps
from gammafind.plugins.fermi_lat.irf import Response, load_response, read_response
from gammafind.plugins.fermi_lat.selection import warn_of_other_photons
from gammafind.plugins.fermi_lat.years import N_YEARS, year_shares
from gammafind.sky.areas import pixel_areas
from gammafind.sky.bands import Band, energy_bands
from gammafind.sky.fits.events import EventList
from gammafind.sky.observation import Observation
from gammafind.sky.patch_points import PatchPoints, on_patches
from gammafind.sky.patches import PatchGrid
from gammafind.sky.pixels import HealpixPixels, Pixels
from gammafind.sky.point_sources import patch_counts, sky_counts
from gammafind.sky.projection import to_frame, unit_vectors
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
    event_types : tuple of str
        FRONT, BACK or PSF0 to PSF3. Each has bands of its own; types joined with ``+``, such as
        ``"FRONT+BACK"``, share theirs.
    energies : tuple of float
        Edges of the energy bands in GeV.
    nsides : tuple of int
        HEALPix nside of each energy band.
    max_zeniths : tuple of float
        Largest zenith angle of the events in degrees, one for each energy band; 90 by default.
    year : int
        One of the ten years from 2008-08-04, 1 to 10; 0 is all of ``exposure_source``.
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

    classes: ClassVar[tuple[str, ...]] = (*dict.fromkeys(CLASS_GROUPS.values()), "OTHER")

    irf: str = "P8R2_ULTRACLEANVETO_V6"
    event_types: tuple[str, ...] = ("FRONT",)
    energies: tuple[float, ...] = (0.3, 0.5, 1, 2, 7, 20, 500)
    nsides: tuple[int, ...] = (128, 128, 256, 512, 1024, 1024)
    max_zeniths: tuple[float, ...] = ()
    exposure_source: str = "ten-years"
    year: int = 0
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
        if self.max_zeniths and len(self.max_zeniths) != len(self.nsides):
            raise OptionError(
                f"{len(self.max_zeniths)} max_zeniths for {len(self.nsides)} energy bands",
                remedy="Give one an energy band, or none.",
            )
        named = [name for types in self.event_types for name in types.split("+")]
        if not named or len(set(named)) != len(named):
            raise OptionError(
                f"event_types is {self.event_types}",
                remedy="Give one or several of FRONT, BACK, PSF0 to PSF3, each once.",
            )
        if bool(self.psf_file) != bool(self.aeff_file):
            raise OptionError(
                "one of psf_file and aeff_file is missing",
                remedy="Give both files of a response, or neither.",
            )

    @cached_property
    def bands(self) -> tuple[Band, ...]:
        """Bands between `energies`, of one entry of `event_types` after the other."""
        if len(self.event_types) == 1:
            return self._energy_bands
        return tuple(
            replace(band, name=f"{band.name} {types}")
            for types in self.event_types
            for band in self._energy_bands
        )

    @property
    def pixels(self) -> tuple[HealpixPixels, ...]:
        """Galactic HEALPix pixels of `nsides`."""
        return tuple(HealpixPixels(nside) for nside in self.nsides) * len(self.event_types)

    @property
    def epochs(self) -> tuple[str, ...]:
        """The ten years, where the exposure is that of all of them."""
        if self.exposure_source != "ten-years" or self.year:
            return ()
        return tuple(f"year-{year}" for year in range(1, N_YEARS + 1))

    @cached_property
    def responses(self) -> tuple[Response, ...]:
        """PSF and effective area of each entry of `event_types`."""
        if self.psf_file:
            return tuple(
                read_response(self.psf_file, self.aeff_file, types) for types in self.event_types
            )
        return tuple(load_response(self.irf, types) for types in self.event_types)

    def observe(self, counts: SkyMap) -> Observation:
        """Join counts with background, exposure and PSF; warn of photons of another selection."""
        warn_of_other_photons(
            counts.meta.get("selections", ()), irf=self.responses[0].irf, event_types=self._types
        )
        return super().observe(counts)

    def psfs(self) -> tuple[RadialPsf, ...]:
        """PSF of each band."""
        return self._psfs

    def select_events(self, events: EventList) -> EventList:
        """Photons of the event class and the event types of the response."""
        return select_response(events, self.responses[0].irf, self._types)

    def source_counts(self, sources: QTable) -> np.ndarray:
        """Expected counts of each source on the whole sky, shape (n, n_bands)."""
        sources = self._checked(sources)
        return self._source_counts(sources, _galactic(sources))

    @cached_property
    def _energy_bands(self) -> tuple[Band, ...]:
        return energy_bands(np.array(self.energies) * u.GeV)

    @cached_property
    def _psfs(self) -> tuple[RadialPsf, ...]:
        return tuple(
            response.band_psf(band, index=self.index)
            for response in self.responses
            for band in self._energy_bands
        )

    @property
    def _types(self) -> tuple[str, ...]:
        return tuple(name for types in self.event_types for name in types.split("+"))

    @property
    def _zeniths(self) -> Quantity:
        return (self.max_zeniths or (90.0,) * len(self.nsides)) * u.deg

    def _at_epoch(self, index: int) -> FermiLatRenderer:
        return replace(self, year=index + 1)

    def _exposure(self, pixels: tuple[Pixels, ...]) -> tuple[np.ndarray, ...]:
        n = len(self._energy_bands)
        return tuple(
            array
            for i, response in enumerate(self.responses)
            for array in exposure_maps(
                self.exposure_source,
                response,
                self._energy_bands,
                pixels[i * n : (i + 1) * n],
                index=self.index,
                year=self.year,
                max_zenith=self._zeniths,
            )
        )

    def _exposure_at(self, vectors: np.ndarray) -> np.ndarray:
        """Exposure at Galactic unit vectors, shape (n_bands, n)."""
        return np.concatenate(
            [
                exposure_at(
                    self.exposure_source,
                    response,
                    self._energy_bands,
                    vectors,
                    index=self.index,
                    year=self.year,
                    max_zenith=self._zeniths,
                )
                for response in self.responses
            ]
        )

    def _isotropic(self) -> np.ndarray:
        """Intensity of the isotropic emission in each band."""
        return np.concatenate(
            [isotropic_intensity(self.isotropic, r, self._energy_bands) for r in self.responses]
        )

    def _background(self, pixels: tuple[Pixels, ...]) -> Mapping[str, tuple[np.ndarray, ...]]:
        scale = [
            exposure * pixel_areas(target).reshape(target.shape)
            for exposure, target in zip(self._exposure(pixels), pixels, strict=True)
        ]
        interstellar = (
            interstellar_at_pixels(self.interstellar, band, psf, target)
            for band, psf, target in zip(self.bands, self.psfs(), pixels, strict=True)
        )
        return {
            "interstellar": tuple(i * s for i, s in zip(interstellar, scale, strict=True)),
            "isotropic": tuple(i * s for i, s in zip(self._isotropic(), scale, strict=True)),
        }

    def _render(self, sources: QTable, pixels: tuple[Pixels, ...]) -> tuple[np.ndarray, ...]:
        counts = self._source_counts(sources, _galactic(sources))
        return tuple(
            _render_band(sources, counts[:, i], psf, target)
            for i, (psf, target) in enumerate(zip(self.psfs(), pixels, strict=True))
        )

    def _render_patches(
        self, sources: QTable, grid: PatchGrid, n_pixels: tuple[int, ...]
    ) -> tuple[tuple[np.ndarray, ...], ...]:
        vectors = _galactic(sources)
        counts = self._source_counts(sources, vectors)
        points = {width: PatchPoints(grid, width) for width in set(n_pixels)}
        here = to_frame(vectors, grid.frame)
        rendered = tuple(
            patch_counts(here, counts[:, i], points[width], psf)
            for i, (width, psf) in enumerate(zip(n_pixels, self.psfs(), strict=True))
        )
        exposure = on_patches(self._exposure_at, grid, n_pixels)
        isotropic = self._isotropic()
        background = tuple(
            (interstellar_in_patches(self.interstellar, band, psf, points[width]) + isotropic[i])
            * (exposure[i] * points[width].areas.astype(np.float32))
            for i, (band, psf, width) in enumerate(
                zip(self.bands, self.psfs(), n_pixels, strict=True)
            )
        )
        return rendered, background, exposure

    def _source_counts(self, sources: QTable, vectors: np.ndarray) -> np.ndarray:
        """Expected counts, shape (n, n_bands), of sources at Galactic unit vectors."""
        flux = np.tile(self._band_fluxes(sources), len(self.responses))
        if "flux_history" in sources.colnames and (self.year or self.epochs):
            flux = flux * self._brightness(sources)
        return flux * self._exposure_at(vectors).T

    def _brightness(self, sources: QTable) -> np.ndarray:
        """Flux of the year over the mean flux, or its mean over the exposure of ten years."""
        history = np.asarray(sources["flux_history"], dtype=float)
        if history.shape[1:] != (N_YEARS,):
            raise TableError(
                f"flux_history has the shape {history.shape}",
                remedy=f"It holds {N_YEARS} years for each source.",
            )
        if self.year:
            return history[:, self.year - 1, None]
        positions = SkyCoord(sources["ra"], sources["dec"], frame="icrs")
        shares = (
            year_shares(response, band, positions, index=self.index, max_zenith=zenith)
            for response in self.responses
            for band, zenith in zip(self._energy_bands, self._zeniths, strict=True)
        )
        return np.stack([np.sum(history * share, axis=1) for share in shares], axis=1)

    def _band_fluxes(self, sources: QTable) -> np.ndarray:
        """Photon flux in each energy band, shape (n, n_energy_bands), in cm-2 s-1.

        From the spectra, where the table has them as a 4FGL catalogue does; otherwise ``flux``
        is shared out among the bands as a power law with `index` says.
        """
        if "SpectrumType" in sources.colnames:
            spectra = spectra_of(sources)
            bands = [spectra.flux(band.low, band.high) for band in self._energy_bands]
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


def _galactic(sources: QTable) -> np.ndarray:
    here = SkyCoord(sources["ra"], sources["dec"], frame="icrs").galactic
    return unit_vectors(here.l.deg, here.b.deg).reshape(-1, 3)


def _render_band(sources: QTable, counts: np.ndarray, psf: RadialPsf, pixels: Pixels) -> np.ndarray:
    vectors = to_frame(_galactic(sources), pixels.frame)
    if isinstance(pixels, HealpixPixels):
        seen = sky_counts(vectors, counts, pixels, psf)
    else:
        seen = point_source_map(vectors, counts, pixels, psf)
    return seen.reshape(pixels.shape).astype(np.float32)
