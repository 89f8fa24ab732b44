"""The sky as the Fermi-LAT sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from os import PathLike
from typing import ClassVar

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from gammafind.interfaces import SkyRenderer
from gammafind.plugins.fermi_lat.catalogues import CLASS_GROUPS
from gammafind.plugins.fermi_lat.channel import Channel
from gammafind.plugins.fermi_lat.diffuse import interstellar_at_pixels, interstellar_in_patches
from gammafind.plugins.fermi_lat.events import select_response
from gammafind.plugins.fermi_lat.fluxes import (
    band_fluxes,
    flux_history,
    galactic_vectors,
    positions,
)
from gammafind.plugins.fermi_lat.irf import Response, load_response, read_response
from gammafind.plugins.fermi_lat.option_checks import (
    CHANNEL,
    check_bands,
    check_event_types,
    check_files,
)
from gammafind.plugins.fermi_lat.selection import (
    accepts_photons,
    header_cuts,
    warn_of_other_photons,
)
from gammafind.plugins.fermi_lat.sorting import bin_channels, join_channels, read_channels
from gammafind.plugins.fermi_lat.sources import read_fermi_sources
from gammafind.plugins.fermi_lat.years import N_YEARS
from gammafind.sky.areas import pixel_areas
from gammafind.sky.bands import Band, energy_bands
from gammafind.sky.fits.events import EventList
from gammafind.sky.observation import Observation
from gammafind.sky.patch_points import PatchPoints, on_patches
from gammafind.sky.patches import PatchGrid
from gammafind.sky.pixels import HealpixPixels, Pixels
from gammafind.sky.point_sources import patch_counts, sky_counts, sky_counts_of_each
from gammafind.sky.projection import to_frame
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
        FRONT, BACK or PSF0 to PSF3. Each is a channel with bands of its own; types joined with
        ``+``, such as ``"FRONT+BACK"``, share theirs.
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
        In the names of this file and of that of ``exposure_source``, ``{type}`` stands for the
        event type of a channel.
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
        for name in (
            "fermi-lat",
            "fermi-lat-p8r3",
            "fermi-lat-front-back",
            "fermi-lat-psf-types",
            "fermi-lat-psf3-2-20",
        )
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
        check_bands(self.energies, self.nsides, self.max_zeniths)
        check_event_types(self.event_types)
        check_files(
            self.event_types,
            exposure_source=self.exposure_source,
            isotropic=self.isotropic,
            psf_file=self.psf_file,
            aeff_file=self.aeff_file,
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
    def selections(self) -> tuple[tuple[str, ...], ...]:
        """Event class and types of each band, as gtselect writes them."""
        return tuple(
            header_cuts(self._irf, types) for types in self.event_types for _ in self._energy_bands
        )

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
        """Join counts with background, exposure and PSF; warn of photons of another selection.

        Those of several channels are looked at where they are read.
        """
        if len(self.event_types) == 1:
            self._compare_selection(counts, self.event_types[0])
        return super().observe(counts)

    def accepts(self, selections: Sequence[Sequence[str]]) -> bool:
        """Whether files of such cuts can hold the photons of the response, in all channels."""
        return accepts_photons(selections, irf=self._irf, event_types=self.event_types)

    def read_counts(self, paths: Sequence[str | PathLike], *, frame: str | None = None) -> SkyMap:
        """Read count maps; those of several channels by the event types in their headers."""
        if len(self.event_types) == 1:
            return super().read_counts(paths, frame=frame)
        types, bands = self.event_types, self._energy_bands
        return self._join(read_channels(paths, event_types=types, bands=bands, frame=frame))

    def bin_events(self, events: EventList) -> SkyMap:
        """Bin the photons of each channel on the own pixels."""
        if len(self.event_types) == 1:
            return super().bin_events(events)
        bands = self._energy_bands
        pixels = self.pixels[: len(bands)]
        types = self.event_types
        return self._join(
            bin_channels(events, irf=self._irf, event_types=types, bands=bands, pixels=pixels)
        )

    def read_catalogue(self, source: str | PathLike) -> QTable | None:
        """Sources of a 4FGL file, of a copy of it, or of ``"4fgl-dr2"``."""
        return read_fermi_sources(source)

    def psfs(self) -> tuple[RadialPsf, ...]:
        """PSF of each band."""
        return tuple(psf for channel in self._channels for psf in channel.psfs)

    def select_events(self, events: EventList) -> EventList:
        """Photons of the event class and the event types of the response."""
        return select_response(events, self._irf, self._types)

    def source_counts(self, sources: QTable) -> np.ndarray:
        """Expected counts of each source in each band on the whole sky, shape (n, n_bands)."""
        sources = self._checked(sources)
        return self._source_counts(sources, galactic_vectors(sources))

    @cached_property
    def _energy_bands(self) -> tuple[Band, ...]:
        return energy_bands(np.array(self.energies) * u.GeV)

    @cached_property
    def _channels(self) -> tuple[Channel, ...]:
        return tuple(
            Channel(
                response=response,
                bands=self._energy_bands,
                index=self.index,
                exposure_source=self.exposure_source.replace(CHANNEL, types),
                max_zenith=(self.max_zeniths or (90.0,) * len(self.nsides)) * u.deg,
                year=self.year,
            )
            for response, types in zip(self.responses, self.event_types, strict=True)
        )

    @property
    def _irf(self) -> str:
        return self.responses[0].irf if self.psf_file else self.irf

    @property
    def _types(self) -> tuple[str, ...]:
        return tuple(name for types in self.event_types for name in types.split("+"))

    def _compare_selection(self, counts: SkyMap, types: str) -> None:
        warn_of_other_photons(
            counts.meta.get("selections", ()), irf=self._irf, event_types=types.split("+")
        )

    def _join(self, parts: Sequence[SkyMap]) -> SkyMap:
        """One sky of the maps of all channels; warn of photons of another selection."""
        for part, types in zip(parts, self.event_types, strict=True):
            self._compare_selection(part, types)
        return join_channels(parts, self.bands)

    def _at_epoch(self, index: int) -> FermiLatRenderer:
        return replace(self, year=index + 1)

    def _exposure(self, pixels: tuple[Pixels, ...]) -> tuple[np.ndarray, ...]:
        each = len(self._energy_bands)
        parts = (pixels[i : i + each] for i in range(0, len(pixels), each))
        return tuple(
            array
            for channel, part in zip(self._channels, parts, strict=True)
            for array in channel.exposure(part)
        )

    def _exposure_at(self, vectors: np.ndarray) -> np.ndarray:
        """Exposure at Galactic unit vectors, shape (n_bands, n)."""
        return np.concatenate([channel.exposure_at(vectors) for channel in self._channels])

    def _isotropic(self) -> np.ndarray:
        """Intensity of the isotropic emission in each band."""
        return np.concatenate(
            [
                channel.isotropic(self.isotropic.replace(CHANNEL, types))
                for channel, types in zip(self._channels, self.event_types, strict=True)
            ]
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
        vectors = galactic_vectors(sources)
        counts = self._source_counts(sources, vectors)
        return tuple(
            _render_band(vectors, counts[:, i], psf, target)
            for i, (psf, target) in enumerate(zip(self.psfs(), pixels, strict=True))
        )

    def _render_patches(
        self, sources: QTable, grid: PatchGrid, n_pixels: tuple[int, ...]
    ) -> tuple[tuple[np.ndarray, ...], ...]:
        vectors = galactic_vectors(sources)
        counts = self._source_counts(sources, vectors)
        points = {width: PatchPoints(grid, width) for width in set(n_pixels)}
        exposure = on_patches(self._exposure_at, grid, n_pixels)
        isotropic = self._isotropic()
        rendered, background = [], []
        for i, (band, psf, width) in enumerate(zip(self.bands, self.psfs(), n_pixels, strict=True)):
            here = points[width]
            in_frame = to_frame(vectors, grid.frame)
            rendered.append(patch_counts(in_frame, counts[:, i], here, psf))
            diffuse = interstellar_in_patches(self.interstellar, band, psf, here) + isotropic[i]
            background.append(diffuse * exposure[i] * here.areas.astype(np.float32))
        return tuple(rendered), tuple(background), exposure

    def _component_epochs(self, sources: QTable, band: int) -> Iterator[tuple[str, np.ndarray]]:
        if not self.epochs:
            yield from super()._component_epochs(sources, band)
            return
        pixels, psf = self.pixels[band], self.psfs()[band]
        shares = self._year_shares(pixels.centres(), band).astype(np.float32)
        for name in np.unique(sources["class_label"]).tolist():
            chosen = sources[np.asarray(sources["class_label"]) == name]
            vectors = galactic_vectors(chosen)
            mean = self._mean_counts(chosen, vectors)[:, band]
            if np.all(flux_history(chosen) == 1):
                # What does not vary is rendered once: shares hardly change within a PSF.
                yield name, shares * _render_band(vectors, mean, psf, pixels)
                continue
            yearly = mean * self._year_shares(positions(chosen), band) * flux_history(chosen).T
            maps = np.empty((N_YEARS, *pixels.shape), dtype=np.float32)
            each = sky_counts_of_each(vectors, yearly, pixels, psf)
            for year, values in enumerate(each):
                maps[year] = values
            yield name, maps
        for name, sky in self._alone(band).background().items():
            yield name, shares * sky.values[0].astype(np.float32)

    def _source_counts(self, sources: QTable, vectors: np.ndarray) -> np.ndarray:
        """Expected counts, shape (n, n_bands), of sources at Galactic unit vectors."""
        mean = self._mean_counts(sources, vectors)
        if self.year:
            return mean * flux_history(sources)[:, self.year - 1, None]
        if not self.epochs or "flux_history" not in sources.colnames:
            return mean
        here, history = positions(sources), flux_history(sources).T
        weights = [
            np.sum(self._year_shares(here, i) * history, axis=0) for i in range(len(self.bands))
        ]
        return mean * np.stack(weights, axis=1)

    def _mean_counts(self, sources: QTable, vectors: np.ndarray) -> np.ndarray:
        """Expected counts, shape (n, n_bands), of sources that do not vary."""
        flux = band_fluxes(sources, self._energy_bands, self.index)
        return np.tile(flux, len(self._channels)) * self._exposure_at(vectors).T

    def _year_shares(self, positions: SkyCoord, band: int) -> np.ndarray:
        """Share of each year in the exposure of a band, shape (10, n)."""
        channel, energy = divmod(band, len(self._energy_bands))
        return self._channels[channel].year_shares(positions, energy).T

    def _alone(self, band: int) -> FermiLatRenderer:
        """Return the renderer of one band, with the same data."""
        channel, energy = divmod(band, len(self._energy_bands))
        return replace(
            self,
            event_types=self.event_types[channel : channel + 1],
            energies=self.energies[energy : energy + 2],
            nsides=self.nsides[energy : energy + 1],
            max_zeniths=self.max_zeniths[energy : energy + 1],
        )


def _render_band(
    vectors: np.ndarray, counts: np.ndarray, psf: RadialPsf, pixels: Pixels
) -> np.ndarray:
    """Expected counts in a band of sources at Galactic unit vectors."""
    vectors = to_frame(vectors, pixels.frame)
    if isinstance(pixels, HealpixPixels):
        seen = sky_counts(vectors, counts, pixels, psf)
    else:
        seen = point_source_map(vectors, counts, pixels, psf)
    return seen.reshape(pixels.shape).astype(np.float32)
