"""The sky as the Fermi-LAT sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import ClassVar, Self

import astropy.units as u
import numpy as np
from astropy.table import QTable
from astropy.time import Time
from astropy.units import Quantity

from gammafind.catalogue.extended import Layout, layout_of
from gammafind.plugins.fermi_lat.catalogues import CLASS_GROUPS
from gammafind.plugins.fermi_lat.diffuse import interstellar_at_pixels, interstellar_in_patches
from gammafind.plugins.fermi_lat.fluxes import (
    flux_history,
    galactic_vectors,
    positions,
)
from gammafind.plugins.fermi_lat.instrument import LatInstrument
from gammafind.plugins.fermi_lat.official import background_files
from gammafind.plugins.fermi_lat.photons.make import PhotonMaker
from gammafind.plugins.fermi_lat.photons.pointing import survey_pointing
from gammafind.plugins.fermi_lat.references import REFERENCES, describe_file
from gammafind.plugins.fermi_lat.settings import drawn_fineness, drawn_options, suitable_nsides
from gammafind.plugins.fermi_lat.sources import add_power_laws, read_fermi_sources
from gammafind.plugins.fermi_lat.years import N_YEARS, YEARS
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.areas import pixel_areas
from gammafind.sky.drawn import DrawnPhotons
from gammafind.sky.extended_sources import add_to_patches, profile_stamps
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.patch_points import PatchPoints, on_patches
from gammafind.sky.pixels import HealpixPixels, Pixels
from gammafind.sky.point_sources import patch_counts, sky_counts, sky_counts_of_each
from gammafind.sky.projection import to_frame
from gammafind.sky.psf import RadialPsf
from gammafind.sky.shapes import convolved
from gammafind.sky.source_psfs import SourcePsfs
from gammafind.utils.workers import in_threads

_COARSE = HealpixPixels(256)
"""On which the counts of the background are summed: as many as on finer ones, within 0.1 %."""


@dataclass(frozen=True, kw_only=True)
class FermiLatRenderer(LatInstrument, SkyRenderer):
    """Fermi-LAT: PSF, exposure, interstellar and isotropic emission in energy bands.

    Parameters
    ----------
    irf : str
        Instrument response, such as ``"P8R3_ULTRACLEANVETO_V3"``. A name such as
        ``"P8R3_SOURCE_V3::FRONT+BACK"`` contains the event types, in place of ``event_types``.
    event_types : tuple of str
        FRONT and BACK, PSF0 to PSF3, or EDISP0 to EDISP3. Each is a channel with bands of its
        own; types joined with ``+``, such as ``"FRONT+BACK"``, share theirs.
    energies : tuple of float
        Edges of the energy bands in GeV.
    nsides : tuple of int
        HEALPix nside of each energy band.
    max_zeniths : tuple of float
        Largest zenith angle of the events in degrees, one for each energy band; 90 by default.
    year : int
        One of the ten years from 2008-08-04, 1 to 10; 0 is all of ``exposure_source``.
    exposure_source : str
        ``"ten-years"``, ``"573-weeks"``, ``"98-months"`` or the path of an exposure file, of a
        livetime cube, or of spacecraft files (several with ``;`` between them).
    good_times : str
        Files with the good time intervals of the photons, where ``exposure_source`` is spacecraft
        files; by default all time of these.
    interstellar : str
        ``"embedded"`` (approximate, 0.46 deg) or the path of a gll_iem cube.
    isotropic : str
        ``"embedded"`` or the path of an ``iso_*.txt`` file. In its name and in that of the file
        of ``exposure_source``, ``{type}`` is replaced by the event type of a channel.
    psf_file, aeff_file, edisp_file : str
        Official CALDB files ``psf_*``, ``aeff_*`` and, if wanted, ``edisp_*`` of a response,
        instead of ``irf``.
    caldb : str
        Folder with the CALDB files of responses that do not come with the package; by default
        that of the environment variable CALDB.
    index : float
        Photon index over which PSF and exposure are averaged in a band.
    dispersion : bool
        Whether measured energies differ from true ones, where the response has the dispersion.
    region : tuple of float
        Right ascension, declination and radius in degrees of a part of the sky: photons are binned
        on images of it, with pixels as wide as those of ``nsides``. The whole sky by default.
    good_time : float
        Good time in s to which the embedded exposure is scaled; 0 leaves it as it is.
    exposure_error : float
        Relative error of the exposure, for the record; infinite if no flux can be given.

    Notes
    -----
    Where the table of sources has spectra, the counts of each source in a band are those of its
    own spectrum, with photons from outside the band, and so is its PSF. The exposure and the PSFs
    that an observation contains are those of a power law with ``index``. The energy dispersion
    is applied to sources and interstellar emission; isotropic spectra were fitted without it.

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
            "fermi-lat-10-2000",
        )
    )

    catalogues: ClassVar[Mapping[str, Callable[[], QTable]]] = REFERENCES

    extended_catalogue: ClassVar[str] = "4fgl-dr2"

    official_files: ClassVar[tuple[str, ...]] = (
        "gammafind.plugins.fermi_lat:data/official_files.toml",
    )

    makes_photons: ClassVar[bool] = True

    classes: ClassVar[tuple[str, ...]] = (*dict.fromkeys(CLASS_GROUPS.values()), "OTHER")

    def read_catalogue(self, source: str | PathLike) -> QTable | None:
        """Sources of a 4FGL file, of a copy of it, or of ``"4fgl-dr2"``."""
        return read_fermi_sources(source)

    @property
    def epoch_spans(self) -> np.ndarray:
        """Begin and end of each of the ten years, where they are the epochs."""
        return np.stack([YEARS[:-1], YEARS[1:]], axis=-1)[: len(self.epochs)]

    @property
    def needs(self) -> tuple[str, ...]:
        """Official files of interstellar and isotropic emission."""
        return background_files(self._irf, self.event_types)

    @classmethod
    def describe_catalogue(cls, table: QTable, path: str | PathLike) -> QTable:
        """Add release, energies and shapes to 4FGL, FL16Y, 2FHL or 3FHL, read from a file."""
        return describe_file(table, path)

    def another(self, rng: np.random.Generator) -> Self:
        """Draw 1 to 12 bands anywhere, a response, event types, and 0.1 to 16 years."""
        drawn = drawn_options(rng)
        n_bands = len(drawn["energies"]) - 1
        other = replace(self, **drawn, nsides=(1,) * n_bands)
        sizes = [psf.containment_radius(0.68).to_value(u.deg) for psf in other.psfs()]
        return replace(other, nsides=suitable_nsides(np.array(sizes) / drawn_fineness(rng)))

    def source_counts(self, sources: QTable) -> np.ndarray:
        """Expected counts of each source in each band on the whole sky, shape (n, n_bands)."""
        sources = self._checked(sources)
        return self._source_counts(sources, galactic_vectors(sources))

    def with_power_laws(self, sources: QTable, index: np.ndarray) -> QTable:
        """Add the columns of a 4FGL power law to sources of a flux between all `energies`."""
        return add_power_laws(sources, index, self.energies[0], self.energies[-1])

    def draw_photons(
        self,
        sources: QTable,
        folder: str | PathLike,
        *,
        start: str | Time,
        duration: Quantity,
        rng: np.random.Generator,
    ) -> DrawnPhotons:
        """Draw photons in survey mode; write photon list, spacecraft file and exposure.

        The exposure is that of the simulated pointing, in place of ``exposure_source``.
        """
        sources, folder = self._checked(sources), Path(folder)
        maker = PhotonMaker(self, survey_pointing(start, duration))
        there = replace(self, exposure_source=maker.write_pointing(folder), year=0)
        counts = maker.varied(sources, there.source_counts(sources))
        sky = there.background([_COARSE] * len(self.bands))
        diffuse = {
            name: np.array([values.sum(dtype=float) for values in component.values])
            for name, component in sky.items()
        }
        return maker.write_photons(folder, sources, counts, diffuse, rng=rng)

    def _background(self, pixels: tuple[Pixels, ...]) -> Mapping[str, tuple[np.ndarray, ...]]:
        exposures, galactic, isotropic = (
            self._exposure(pixels),
            self._interstellar(),
            self._isotropic(),
        )

        def of_band(i: int) -> tuple[np.ndarray, np.ndarray]:
            (psf, weight), target = galactic[i], pixels[i]
            areas = pixel_areas(target).reshape(target.shape).astype(np.float32)
            scale = exposures[i] * areas
            intensity = interstellar_at_pixels(
                self.interstellar, self.bands[i], psf, target, weight
            )
            return intensity * scale, np.float32(isotropic[i]) * scale

        # A WCS cannot be used by several threads, and a cube of the user may fill the memory.
        sphere = all(isinstance(target, HealpixPixels) for target in pixels)
        together = in_threads if sphere and self.interstellar == "embedded" else map
        pairs = together(of_band, range(len(self.bands)))
        return dict(zip(("interstellar", "isotropic"), zip(*pairs, strict=True), strict=True))

    def _render(self, sources: QTable, pixels: tuple[Pixels, ...]) -> tuple[np.ndarray, ...]:
        vectors = galactic_vectors(sources)
        counts = self._source_counts(sources, vectors)
        layout = layout_of(sources)
        return tuple(
            _render_band(layout, counts[:, i], self._source_psfs(sources, i), target)
            for i, target in enumerate(pixels)
        )

    def _render_patches(
        self, sources: QTable, grid: PatchGrid, n_pixels: tuple[int, ...]
    ) -> tuple[tuple[np.ndarray, ...], ...]:
        layout = layout_of(sources)
        counts = self._source_counts(sources, galactic_vectors(sources))
        points = {width: PatchPoints(grid, width) for width in set(n_pixels)}
        exposure = on_patches(self._exposure_at, grid, n_pixels)
        isotropic, galactic = self._isotropic(), self._interstellar()
        rendered, background = [], []
        for i, (band, width) in enumerate(zip(self.bands, n_pixels, strict=True)):
            here = points[width]
            psfs = self._source_psfs(sources, i)
            rendered.append(_render_in_patches(layout, counts[:, i], psfs, here))
            psf, weight = galactic[i]
            diffuse = interstellar_in_patches(self.interstellar, band, psf, here, weight)
            diffuse += isotropic[i]
            background.append(diffuse * exposure[i] * here.areas.astype(np.float32))
        return tuple(rendered), tuple(background), exposure

    def _component_epochs(self, sources: QTable, band: int) -> Iterator[tuple[str, np.ndarray]]:
        if not self.epochs:
            yield from super()._component_epochs(sources, band)
            return
        pixels = self.pixels[band]
        shares = self._year_shares(pixels.centres(), band).astype(np.float32)
        for name in np.unique(sources["class_label"]).tolist():
            chosen = sources[np.asarray(sources["class_label"]) == name]
            vectors = galactic_vectors(chosen)
            mean, psfs = (
                self._mean_counts(chosen, vectors)[:, band],
                self._source_psfs(chosen, band),
            )
            layout = layout_of(chosen)
            if np.all(flux_history(chosen) == 1):
                # What does not vary is rendered once: shares hardly change within a PSF.
                yield name, shares * _render_band(layout, mean, psfs, pixels)
                continue
            yearly = mean * self._year_shares(positions(chosen), band) * flux_history(chosen).T
            maps = np.empty((N_YEARS, *pixels.shape), dtype=np.float32)
            for year, values in enumerate(_render_each(layout, yearly, psfs, pixels)):
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
        seen = [channel.source_fluxes(sources) for channel in self._channels]
        return np.concatenate(seen, axis=1) * self._exposure_at(vectors).T


def _render_band(
    layout: Layout, counts: np.ndarray, psfs: SourcePsfs, pixels: Pixels
) -> np.ndarray:
    """Expected counts of sources in a band."""
    (seen,) = _render_each(layout, counts[None], psfs, pixels)
    return seen.reshape(pixels.shape).astype(np.float32)


def _render_each(
    layout: Layout, counts: np.ndarray, psfs: SourcePsfs, pixels: Pixels
) -> Iterator[np.ndarray]:
    """Yield flat maps of the same sources with different counts, shape (n_maps, n)."""
    vectors = to_frame(layout.vectors, pixels.frame)
    of_points, here = counts[:, layout.rows] * layout.shares, psfs[layout.rows]
    shapes = list(layout.round)
    centres, profiles = _round(layout, psfs, pixels.frame)
    stamps = profile_stamps(centres, pixels, profiles)
    if isinstance(pixels, HealpixPixels):
        maps = sky_counts_of_each(vectors, of_points, pixels, here)
    else:
        maps = (sky_counts(vectors, each, pixels, here) for each in of_points)
    for each, total in zip(counts, maps, strict=True):
        for row, stamp in zip(shapes, stamps, strict=True):
            np.add.at(total, stamp.pixel[0], each[row] * stamp.fraction[0])
        yield total


def _render_in_patches(
    layout: Layout, counts: np.ndarray, psfs: SourcePsfs, points: PatchPoints
) -> np.ndarray:
    """Expected counts of sources in a band, in all pixels of patches."""
    frame = points.grid.frame
    of_points = counts[layout.rows] * layout.shares
    vectors = to_frame(layout.vectors, frame)
    patches = patch_counts(vectors, of_points, points, psfs[layout.rows])
    centres, profiles = _round(layout, psfs, frame)
    add_to_patches(patches, centres, counts[list(layout.round)], points, profiles)
    return patches


def _round(layout: Layout, psfs: SourcePsfs, frame: str) -> tuple[np.ndarray, list[RadialPsf]]:
    """Unit vectors in a frame, and profiles, of the sources that are round."""
    vectors = to_frame(layout.centres[list(layout.round)].reshape(-1, 3), frame)
    profiles = [
        convolved(psfs.of_kind(psfs.kind[row]), shape) for row, shape in layout.round.items()
    ]
    return vectors, profiles
