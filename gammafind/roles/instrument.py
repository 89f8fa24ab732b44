"""What an instrument is: its bands, responses, files and the columns that it publishes."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any, ClassVar, Self

import astropy.units as u
import numpy as np
from astropy.table import QTable
from astropy.units import UnitBase

from gammafind.catalogue.schema import CATALOGUE, Column, in_flux_unit
from gammafind.errors import OptionError, ShapeError
from gammafind.roles.base import Plugin, Sees
from gammafind.roles.deprecated import renamed
from gammafind.roles.derivation import Derivation
from gammafind.roles.pointing import Pointed
from gammafind.sky.bands import Band
from gammafind.sky.fine_counts import FineCounts
from gammafind.sky.fits import EventList, bin_events, read_background, read_counts
from gammafind.sky.fits.binning import chosen_by_band, in_parts
from gammafind.sky.fits.facts import FileFacts
from gammafind.sky.observation import Observation
from gammafind.sky.pixels import HealpixPixels, Pixels
from gammafind.sky.psf import RadialPsf
from gammafind.sky.skymap import SkyMap
from gammafind.sky.spectral_response import SpectralResponse
from gammafind.sky.systematics import Systematics
from gammafind.units import FLUX

_EPOCH_NSIDE = 32
"""Of exposures of epochs: shares are taken of them, which change slowly over the sky."""


@dataclass(frozen=True, kw_only=True)
class Instrument(Pointed, Plugin):
    """Knows an instrument: its bands, PSF, exposure and background, and how to read its files.

    A `gammafind.roles.renderer.SkyRenderer` is an instrument that also says what sources look
    like; a plugin is one class of that role.

    Examples
    --------
    >>> import gammafind
    >>> lat = gammafind.create("renderer", "fermi-lat")
    >>> isinstance(lat, gammafind.Instrument)
    True
    >>> lat.flux_unit
    Unit("1 / (s cm2)")
    """

    presets: ClassVar[tuple[str, ...]] = ()
    """TOML files of the presets that use this plugin, as package resources ``package:file``."""

    catalogues: ClassVar[Mapping[str, Callable[[], QTable]]] = {}
    """Published catalogues that come with it, by name: functions that load them."""

    extended_catalogue: ClassVar[str] = ""
    """Name of the one of `catalogues` whose extended sources are in the model of a search; none by
    default."""

    official_files: ClassVar[tuple[str, ...]] = ()
    """TOML lists of files that its team publishes, as package resources ``package:file``: see
    `gammafind.roles.official`."""

    map_files: ClassVar[str] = "counts*.fits"
    """Names of simulated files that `read_counts` takes, as a shell pattern."""

    sees: ClassVar[Sees] = "maps"
    """``"image"`` where it reads out one image in electrons, instead of maps of counts."""

    flux_unit: ClassVar[UnitBase] = FLUX
    """Of the flux of sources and detections; an exposure is in counts for each such unit."""

    exposure_error: ClassVar[float] = 0.0
    """Relative error of the exposure; where it is infinite no flux is published."""

    _old_names: ClassVar = {
        "reads_electrons": renamed(
            "reads_electrons", "sees", lambda electrons: "image" if electrons else "maps"
        ),
        "calibrate": renamed("calibrate", "with_derived"),
    }

    @property
    @abc.abstractmethod
    def bands(self) -> tuple[Band, ...]:
        """Bands of the maps."""

    @property
    @abc.abstractmethod
    def pixels(self) -> tuple[Pixels, ...]:
        """Default pixelisation of each band."""

    @property
    def epochs(self) -> tuple[str, ...]:
        """Names of the parts of the observing time that can be rendered apart; none by default."""
        return ()

    @property
    def selections(self) -> tuple[tuple[str, ...], ...]:
        """Cuts on the photons of each band, as headers state them (`read_selections`)."""
        return ((),) * len(self.bands)

    @property
    def published(self) -> tuple[Column, ...]:
        """Columns of the published catalogue, in order: names, units, UCDs, descriptions.

        They begin with `gammafind.catalogue.schema.SHARED`. What each holds is its ``holds``; see
        `gammafind.catalogue.publish.publish`.
        """
        return in_flux_unit(CATALOGUE, self.flux_unit)

    @property
    def systematics(self) -> Systematics | None:
        """Systematic errors in each band; none by default."""
        return None

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the official files that stand behind what it computes; none by default.

        `gammafind.fetch` lists them. What the package holds of them is enough to work without.
        """
        return ()

    @classmethod
    def describe_catalogue(cls, table: QTable, path: str | PathLike) -> QTable:
        """Add what the instrument knows of a catalogue that was read from a file.

        It is called with every catalogue that is read; a plugin returns all others as they are.

        Parameters
        ----------
        table : QTable
            As read, n rows.
        path : path-like
            The file.

        Returns
        -------
        QTable
            The rows in the same order; as it came in by default.
        """
        return table

    def at_epoch(self, index: int) -> Self:
        """Return the instrument in one of the `epochs` alone; the maps of all add up to the whole.

        Raises
        ------
        OptionError
            If there is no such epoch.
        """
        if not 0 <= index < len(self.epochs):
            raise OptionError(
                f"epoch {index} of {self.name}", remedy=f"It has {len(self.epochs)} epochs."
            )
        return self._at_epoch(index)

    def epoch_exposures(self) -> tuple[SkyMap, ...]:
        """Exposure of each of the `epochs`, on coarse pixels; to be interpolated."""
        frames = (pixels.frame for pixels in self.pixels)
        coarse = tuple(HealpixPixels(_EPOCH_NSIDE, frame) for frame in frames)
        return tuple(self.at_epoch(i).exposure(coarse) for i in range(len(self.epochs)))

    @classmethod
    def derive(
        cls,
        files: Sequence[FileFacts],
        bands: Sequence[Band] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Derivation | None:
        """Options that follow from the headers of files, for files that fill no preset.

        Parameters
        ----------
        files : sequence of FileFacts
            Of counts, photons and exposure.
        bands : sequence of Band, optional
            Of maps whose files do not give them.
        options : mapping, optional
            Options that the user gives.

        Returns
        -------
        Derivation or None
            None where the instrument does not know such files, as by default.
        """
        return None

    def for_files(self, files: Sequence[FileFacts]) -> tuple[Self, str]:
        """Return the instrument at the time of files, and what was changed, for people.

        By default nothing changes, and the text is empty.
        """
        return self, ""

    @abc.abstractmethod
    def psfs(self) -> tuple[RadialPsf, ...]:
        """PSF of each band."""

    def spectral_responses(self) -> tuple[SpectralResponse, ...]:
        """How each band sees spectra; by default energies are exact, and all have one PSF."""
        edges = (band.edges.to_value(u.MeV, u.spectral()) for band in self.bands)
        pairs = zip(edges, self.psfs(), strict=True)
        return tuple(SpectralResponse.exact(*sorted(edge), psf) for edge, psf in pairs)

    def exposure(self, pixels: Sequence[Pixels] | None = None) -> SkyMap:
        """Exposure of each band on ``pixels`` (by default the instrument's own).

        It is in counts that a source of one `flux_unit` gives: cm2 s where that is cm-2 s-1.
        Pixels without any are not valid.
        """
        pixels = self._pixels(pixels)
        values = self._exposure(pixels)
        return SkyMap(self.bands, pixels, values, "exposure", [array > 0 for array in values])

    def seen_exposure(self, exposure: SkyMap) -> SkyMap:
        """Exposure of a file, in the units of `exposure`; as it is by default.

        An instrument overrides this where files leave something out that its own exposure
        contains, such as the energy dispersion.

        Parameters
        ----------
        exposure : SkyMap
            In the bands of the instrument.
        """
        return exposure

    def background(self, pixels: Sequence[Pixels] | None = None) -> dict[str, SkyMap]:
        """Expected counts of each background component in each of ``pixels``.

        Pixels where it is not known, NaN in `_background`, are not valid.
        """
        pixels = self._pixels(pixels)
        return {
            name: SkyMap(
                self.bands, pixels, values, "expected counts", [np.isfinite(v) for v in values]
            )
            for name, values in self._background(pixels).items()
        }

    def observe(self, counts: SkyMap) -> Observation:
        """Join counts with this instrument's background, exposure and PSF on the same pixels.

        An instrument whose sky is not known beforehand overrides this and estimates background
        and noise from the image itself.
        """
        return Observation(
            counts=counts,
            background=self.background(counts.pixels),
            exposure=self.exposure(counts.pixels),
            psfs=self.psfs(),
            flux_unit=self.flux_unit,
        )

    def accepts(self, selections: Sequence[Sequence[str]]) -> bool:
        """Whether files of such cuts can hold what this instrument sees; always by default.

        Parameters
        ----------
        selections : sequence of sequence of str
            Cuts of each file, as `gammafind.sky.fits.read_selections` returns them.
        """
        return True

    def read_counts(self, paths: Sequence[str | PathLike], *, frame: str | None = None) -> SkyMap:
        """Read count maps in the bands of this instrument.

        Parameters
        ----------
        paths : sequence of path-like
        frame : {"galactic", "icrs", "fk5"}, optional
            As for `gammafind.sky.fits.read_counts`.

        Raises
        ------
        InputFileError
            If a file cannot be used; the class names the fault.
        """
        return read_counts(paths, bands=self.bands, frame=frame)

    def read_background(
        self, paths: Sequence[str | PathLike], counts: SkyMap, *, frame: str | None = None
    ) -> dict[str, SkyMap]:
        """Read a user's maps of expected background, which take the place of `background`.

        An instrument overrides this where its community has further files, such as a model of
        the sources.

        Parameters
        ----------
        paths : sequence of path-like
        counts : SkyMap
            On whose pixels the background is wanted.
        frame : {"galactic", "icrs", "fk5"}, optional
            As for `gammafind.sky.fits.read_background`.

        Raises
        ------
        InputFileError
            If a file cannot be used; the class names the fault.
        """
        return read_background(paths, bands=self.bands, pixels=counts.pixels, frame=frame)

    def bin_events(
        self,
        events: EventList | Iterable[EventList],
        pixels: Sequence[Pixels] | None = None,
    ) -> SkyMap:
        """Bin photons of the kind that PSF and exposure are given for.

        Parameters
        ----------
        events : EventList or iterable of EventList
            All photons, or parts of them one after the other, such as
            `gammafind.sky.fits.PhotonLists`.
        pixels : sequence of Pixels, optional
            One pixelisation per band; the instrument's own by default.

        Raises
        ------
        InputDataError
            If there is no such photon.
        """
        chosen = (self.select_events(part) for part in in_parts(events))
        return bin_events(chosen, bands=self.bands, pixels=self._pixels(pixels))

    def events_by_band(self, events: EventList) -> Iterator[EventList]:
        """Yield the photons of each band that `bin_events` counts, wherever they are."""
        kept = self.select_events(events)
        for chosen in chosen_by_band(kept, self.bands):
            yield kept.select(chosen, cut="")

    def fine_counts(self, events: Iterable[EventList]) -> tuple[FineCounts, ...]:
        """Photons on pixels, and in energies, finer than those of `bin_events`; none by default.

        An instrument overrides this where photons are so few that each of them matters.

        Parameters
        ----------
        events : iterable of EventList
            Parts of all photons.
        """
        return ()

    def select_events(self, events: EventList) -> EventList:
        """Photons of the kind that PSF and exposure are given for; all of them by default."""
        return events

    def read_catalogue(self, source: str | PathLike) -> QTable | None:
        """Sources of a published catalogue that the instrument's community knows.

        Parameters
        ----------
        source : path-like
            A file, or the name of a catalogue that comes with the plugin.

        Returns
        -------
        QTable or None
            In the schema SOURCES; None where it is no such catalogue, as by default.
        """
        return None

    def with_derived(self, detections: QTable) -> QTable:
        """Add columns that follow from what was measured, such as magnitudes.

        Parameters
        ----------
        detections : QTable
            Schema DETECTIONS.

        Returns
        -------
        QTable
            As it came in by default.
        """
        return detections

    def _pixels(self, pixels: Sequence[Pixels] | None) -> tuple[Pixels, ...]:
        pixels = self.pixels if pixels is None else tuple(pixels)
        if len(pixels) != len(self.bands):
            raise ShapeError(f"{len(pixels)} pixelisations for {len(self.bands)} bands")
        return pixels

    @abc.abstractmethod
    def _exposure(self, pixels: tuple[Pixels, ...]) -> tuple[np.ndarray, ...]: ...

    @abc.abstractmethod
    def _background(self, pixels: tuple[Pixels, ...]) -> Mapping[str, tuple[np.ndarray, ...]]: ...

    def _at_epoch(self, index: int) -> Self:
        raise NotImplementedError
