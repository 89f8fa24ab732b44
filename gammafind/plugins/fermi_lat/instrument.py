"""The LAT as an instrument: options, bands, channels of event types, and the photons in each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, Self

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.catalogue.schema import Column
from gammafind.plugins.fermi_lat.channel import Channel
from gammafind.plugins.fermi_lat.derive import derive_options
from gammafind.plugins.fermi_lat.events import of_response, select_response, split_name
from gammafind.plugins.fermi_lat.exposure import SEPARATOR, holds_livetime
from gammafind.plugins.fermi_lat.fine import fine_counts
from gammafind.plugins.fermi_lat.good_time import GOOD_TIMES, other_time, time_error
from gammafind.plugins.fermi_lat.irf import Response, caldb_files, load_response, read_response
from gammafind.plugins.fermi_lat.irf.livetime import holds_cube
from gammafind.plugins.fermi_lat.option_checks import (
    CHANNEL,
    check_bands,
    check_event_types,
    check_files,
    check_index,
    check_region,
    check_time,
)
from gammafind.plugins.fermi_lat.published import PUBLISHED
from gammafind.plugins.fermi_lat.regions import region_pixels
from gammafind.plugins.fermi_lat.selection import (
    accepts_photons,
    header_cuts,
    warn_of_other_photons,
)
from gammafind.plugins.fermi_lat.sorting import bin_channels, join_channels, read_channels
from gammafind.plugins.fermi_lat.systematics import lat_systematics
from gammafind.plugins.fermi_lat.user_background import user_background
from gammafind.plugins.fermi_lat.weighted import Weight
from gammafind.plugins.fermi_lat.years import MEASURED_ZENITH, N_YEARS
from gammafind.roles.derivation import Derivation
from gammafind.roles.instrument import Instrument
from gammafind.sky.bands import Band, energy_bands
from gammafind.sky.fine_counts import FineCounts
from gammafind.sky.fits.binning import chosen_by_band
from gammafind.sky.fits.events import EventList
from gammafind.sky.fits.facts import FileFacts
from gammafind.sky.fits.selections import Circle
from gammafind.sky.fits.write_exposure import ExposureCube
from gammafind.sky.observation import Observation
from gammafind.sky.pixels import HealpixPixels, Pixels
from gammafind.sky.psf import RadialPsf
from gammafind.sky.skymap import SkyMap
from gammafind.sky.source_psfs import SourcePsfs
from gammafind.sky.spectral_response import SpectralResponse
from gammafind.sky.systematics import Systematics
from gammafind.units import as_value


@dataclass(frozen=True, kw_only=True)
class LatInstrument(Instrument):
    """The LAT with the options that `FermiLatRenderer` describes; it renders nothing yet."""

    irf: str = "P8R2_ULTRACLEANVETO_V6"
    event_types: tuple[str, ...] = ("FRONT",)
    energies: tuple[float, ...] = (0.3, 0.5, 1, 2, 7, 20, 500)
    nsides: tuple[int, ...] = (128, 128, 256, 512, 1024, 1024)
    max_zeniths: tuple[float, ...] = ()
    exposure_source: str = "ten-years"
    good_times: str = ""
    year: int = 0
    interstellar: str = "embedded"
    isotropic: str = "embedded"
    psf_file: str = ""
    aeff_file: str = ""
    edisp_file: str = ""
    caldb: str = ""
    index: float = 2.3
    dispersion: bool = True
    region: tuple[float, ...] = ()
    good_time: float = 0.0
    exposure_error: float = field(default=0.0, metadata={"infinite": True})

    def __post_init__(self) -> None:
        irf, types = split_name(self.irf)
        if types:
            object.__setattr__(self, "irf", irf)
            object.__setattr__(self, "event_types", (types,))
        check_bands(self.energies, self.nsides, self.max_zeniths)
        check_index(self.index)
        check_event_types(self.event_types)
        check_region(self.region)
        check_time(self.good_time, self.exposure_error, source=self.exposure_source)
        check_files(
            self.event_types,
            exposure_source=self.exposure_source,
            isotropic=self.isotropic,
            psf_file=self.psf_file,
            aeff_file=self.aeff_file,
            edisp_file=self.edisp_file,
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
    def pixels(self) -> tuple[Pixels, ...]:
        """Galactic HEALPix pixels of `nsides`, or images of the region with pixels as wide."""
        pixels: tuple[Pixels, ...] = tuple(HealpixPixels(nside) for nside in self.nsides)
        if self.region:
            sizes = [one.pixel_size.to_value(u.deg) for one in pixels]
            pixels = region_pixels(Circle(*self.region), sizes)
        return pixels * len(self.event_types)

    @property
    def selections(self) -> tuple[tuple[str, ...], ...]:
        """Event class and types of each band, as gtselect writes them."""
        return tuple(
            header_cuts(self._irf, types) for types in self.event_types for _ in self._energy_bands
        )

    @property
    def systematics(self) -> Systematics:
        """Those that the team of the LAT states."""
        return lat_systematics(self.bands, dispersion=self.dispersion)

    @property
    def epochs(self) -> tuple[str, ...]:
        """The ten years, where the exposure is that of all of them."""
        if self.exposure_source != "ten-years" or self.year or self.good_time:
            return ()
        return tuple(f"year-{year}" for year in range(1, N_YEARS + 1))

    @property
    def published(self) -> tuple[Column, ...]:
        """Columns of the catalogue, with the names of 4FGL."""
        return PUBLISHED

    @cached_property
    def responses(self) -> tuple[Response, ...]:
        """PSF, effective area and energy dispersion of each entry of `event_types`."""
        found = (self._response(types) for types in self.event_types)
        return tuple(one if self.dispersion else one.undispersed for one in found)

    @property
    def further_files(self) -> tuple[Path, ...]:
        """Files of a response in the folder ``caldb``, or in that of the variable CALDB."""
        if self.psf_file:
            return ()
        return tuple(
            path
            for types in self.event_types
            for path in caldb_files(self.irf, types, caldb=self.caldb)
        )

    @classmethod
    def derive(
        cls,
        files: Sequence[FileFacts],
        bands: Sequence[Band] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Derivation | None:
        """Derive options from the headers of LAT files."""
        return derive_options(files, bands, caldb=str((options or {}).get("caldb", "")))

    def for_files(self, files: Sequence[FileFacts]) -> tuple[Self, str]:
        """Return the instrument with an embedded exposure that is scaled to the time of files."""
        scale = other_time(files, self.exposure_source, year=self.year)
        if scale is None or self.good_time:
            return self, ""
        return replace(self, **scale.options), scale.text

    def observe(self, counts: SkyMap) -> Observation:
        """Join counts with background, exposure and PSF; warn of photons of another selection.

        Those of several channels are checked where they are read.
        """
        if len(self.event_types) == 1:
            self._compare_selection(counts, self.event_types[0])
        return super().observe(counts)

    def seen_exposure(self, exposure: SkyMap) -> SkyMap:
        """Exposure of a file, times the effect of the energy dispersion, which it lacks."""
        factors = np.concatenate([channel.dispersion_factors for channel in self._channels])
        values = zip(exposure.values, factors, strict=True)
        return replace(exposure, values=tuple(array * factor for array, factor in values))

    def holds_pointing(self, path: str | PathLike) -> bool:
        """Whether a file is a spacecraft file (FT2) or a livetime cube."""
        return holds_livetime(str(path))

    def with_pointing(
        self,
        paths: Sequence[str | PathLike],
        *,
        good_times: Sequence[str | PathLike] = (),
        max_zenith: Quantity | None = None,
        span: tuple[float, float] | None = None,
    ) -> Self:
        """Return the LAT with the exposure of spacecraft files or of a livetime cube.

        Of spacecraft files the zenith cut is the smaller one of ``max_zenith`` and `max_zeniths`;
        photons are then cut to it too. A livetime cube has its own cut.
        """
        known = {"year": 0, "good_time": 0.0, "exposure_error": 0.0}
        known |= {"exposure_source": SEPARATOR.join(map(str, paths))}
        if holds_cube(paths[0]):
            return replace(self, good_times="", **known)
        limit = as_value(MEASURED_ZENITH if max_zenith is None else max_zenith, u.deg, name="")
        zeniths = self.max_zeniths or (limit,) * len(self.nsides)
        if max_zenith is not None:
            zeniths = tuple(min(limit, angle) for angle in zeniths)
        spans = [] if span is None else [f"{span[0]!r}:{span[1]!r}"]
        times = SEPARATOR.join([*map(str, good_times), *spans])
        return replace(self, **known, good_times=times, max_zeniths=zeniths)

    def time_shares(
        self, times: np.ndarray, spans: np.ndarray, pixels: Sequence[Pixels]
    ) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
        """Shares by good time and rocking angle, and their errors: the orbit precesses."""
        parts = [channel.time_shares(times, spans, pixels[0]) for channel in self._channels]
        return tuple(share for part in parts for share in part), time_error(np.ptp(spans, axis=1))

    def exposure_cubes(self) -> dict[str, ExposureCube]:
        """Exposure of each channel, by its event types, at some energies of each band."""
        channels = zip(self.event_types, self._channels, strict=True)
        return {types: channel.exposure_cube() for types, channel in channels}

    def accepts(self, selections: Sequence[Sequence[str]]) -> bool:
        """Whether files of such cuts can hold the photons of the response, in all channels."""
        return accepts_photons(selections, irf=self._irf, event_types=self.event_types)

    def read_counts(self, paths: Sequence[str | PathLike], *, frame: str | None = None) -> SkyMap:
        """Read count maps; those of several channels by the event types in their headers."""
        if len(self.event_types) == 1:
            return super().read_counts(paths, frame=frame)
        types, bands = self.event_types, self._energy_bands
        return self._join(read_channels(paths, event_types=types, bands=bands, frame=frame))

    def read_background(
        self, paths: Sequence[str | PathLike], counts: SkyMap, *, frame: str | None = None
    ) -> dict[str, SkyMap]:
        """Read maps of the Fermitools or gammapy, or the diffuse components of a model in XML."""
        return user_background(self, paths, counts.pixels, frame)

    def bin_events(
        self,
        events: EventList | Iterable[EventList],
        pixels: Sequence[Pixels] | None = None,
    ) -> SkyMap:
        """Bin the photons of each channel, within `max_zeniths` where these are given."""
        skies = bin_channels(
            events,
            irf=self._irf,
            event_types=self.event_types,
            bands=self._energy_bands,
            pixels=self._pixels(pixels)[: len(self._energy_bands)],
            max_zenith=self.max_zeniths * u.deg if self.max_zeniths else None,
        )
        return self._join(skies) if len(skies) > 1 else skies[0]

    def events_by_band(self, events: EventList) -> Iterator[EventList]:
        """Photons of each channel in each band, within `max_zeniths` where these are given."""
        limit = self.max_zeniths * u.deg if self.max_zeniths else None
        for types in self.event_types:
            own = of_response(events, self._irf, types.split("+"))
            for chosen in chosen_by_band(own, self._energy_bands, max_zenith=limit):
                yield own.select(chosen, cut="")

    def fine_counts(self, events: Iterable[EventList]) -> tuple[FineCounts, ...]:
        """Photons of high energies in narrow bands, by event type, on fine pixels."""
        return fine_counts(self, events)

    def psfs(self) -> tuple[RadialPsf, ...]:
        """PSF of each band."""
        return tuple(psf for channel in self._channels for psf in channel.psfs)

    def spectral_responses(self) -> tuple[SpectralResponse, ...]:
        """How each band sees spectra, with the energy dispersion and the PSF of each spectrum."""
        return tuple(one for channel in self._channels for one in channel.spectral_responses)

    def select_events(self, events: EventList) -> EventList:
        """Photons of the event class and the event types of the response."""
        return select_response(events, self._irf, self._types)

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
                good_times=self.good_times,
            )
            for response, types in zip(self.responses, self.event_types, strict=True)
        )

    @property
    def _irf(self) -> str:
        return self.responses[0].irf if self.psf_file else self.irf

    @property
    def _types(self) -> tuple[str, ...]:
        return tuple(name for types in self.event_types for name in types.split("+"))

    def _response(self, types: str) -> Response:
        if not self.psf_file:
            return load_response(self.irf, types, caldb=self.caldb)
        edisp_file = self.edisp_file or None
        return read_response(self.psf_file, self.aeff_file, types, edisp_path=edisp_file)

    def _compare_selection(self, counts: SkyMap, types: str) -> None:
        cuts = counts.meta.get("selections", ())
        warn_of_other_photons(cuts, irf=self._irf, event_types=types.split("+"))

    def _join(self, parts: Sequence[SkyMap]) -> SkyMap:
        """One sky of the maps of all channels; warn of photons of another selection."""
        for part, types in zip(parts, self.event_types, strict=True):
            self._compare_selection(part, types)
        return join_channels(parts, self.bands)

    def _at_epoch(self, index: int) -> Self:
        return replace(self, year=index + 1)

    def _exposure(self, pixels: tuple[Pixels, ...]) -> tuple[np.ndarray, ...]:
        each = len(self._energy_bands)
        parts = (pixels[i : i + each] for i in range(0, len(pixels), each))
        return tuple(
            array if self._time_factor == 1 else array * np.float32(self._time_factor)
            for channel, part in zip(self._channels, parts, strict=True)
            for array in channel.exposure(part)
        )

    def _exposure_at(self, vectors: np.ndarray) -> np.ndarray:
        """Exposure at Galactic unit vectors, shape (n_bands, n)."""
        parts = [channel.exposure_at(vectors) for channel in self._channels]
        return np.concatenate(parts) * self._time_factor

    @property
    def _time_factor(self) -> float:
        """Good time over that of the embedded exposure."""
        return self.good_time / GOOD_TIMES[self.exposure_source] if self.good_time else 1.0

    def _isotropic(self) -> np.ndarray:
        """Intensity of the isotropic emission in each band."""
        channels = zip(self._channels, self.event_types, strict=True)
        paths = ((one, self.isotropic.replace(CHANNEL, types)) for one, types in channels)
        return np.concatenate([channel.isotropic(path) for channel, path in paths])

    def _interstellar(self) -> tuple[tuple[RadialPsf, Weight], ...]:
        """PSF of the interstellar emission in each band, and the weight of its integral."""
        return tuple(
            pair
            for channel in self._channels
            for pair in zip(channel.interstellar_psfs, channel.interstellar_weights, strict=True)
        )

    def _source_psfs(self, sources: QTable, band: int) -> SourcePsfs:
        """PSF of each source in a band."""
        channel, energy = divmod(band, len(self._energy_bands))
        return self._channels[channel].source_psfs(sources, energy)

    def _year_shares(self, positions: SkyCoord, band: int) -> np.ndarray:
        """Share of each year in the exposure of a band, shape (10, n)."""
        channel, energy = divmod(band, len(self._energy_bands))
        return self._channels[channel].year_shares(positions, energy).T

    def _alone(self, band: int) -> Self:
        """Return the renderer of one band, with the same data."""
        channel, energy = divmod(band, len(self._energy_bands))
        return replace(
            self,
            event_types=self.event_types[channel : channel + 1],
            energies=self.energies[energy : energy + 2],
            nsides=self.nsides[energy : energy + 1],
            max_zeniths=self.max_zeniths[energy : energy + 1],
        )
