"""The older paper's own blind test: its patches as skies, and its way to match.

Its patches of 10 x 10 deg show nside 256 maps of expected counts, each pixel of a patch that of the
map around its centre. So the maps can be taken back from the patches. Needs ../shared.

References
----------
Panes et al. 2021, arXiv:2103.11068, and its data, doi:10.5281/zenodo.4587205.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import astropy.units as u
import healpy as hp
import numpy as np
from astropy.table import QTable, Table

from gammafind.catalogue.positions import sky_positions
from gammafind.evaluation.metrics import Evaluation
from gammafind.plugins.fermi_lat.renderer import FermiLatRenderer
from gammafind.sky.observation import Observation
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.projection import unit_vectors
from gammafind.sky.skymap import SkyMap

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "asid_blind"
WIDTH, HALF, NSIDE = 64, 5.0, 256
"""Pixels a side of a patch; degrees from its centre to that of its last pixel; of the maps."""
ENERGIES = (0.5, 1.0, 2.0, 7.0, 20.0, 1000.0)
"""Edges in GeV: their flux above 1 and above 10 GeV and the counts of its sources agree with it."""
BORDER = 4.9609375
"""Longitude and latitude in degrees from the centre of a patch up to which its table of sources
goes and its network can place detections; its maps go on to 5.08 deg, and show sources there."""
RADIUS = 0.3
"""Degrees within which it matches."""
APART = 16.5
"""Degrees between centres of patches that are searched together: no window of 12.8 deg around one
shows another."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Sources or detections with the patch of each.

    Attributes
    ----------
    patch : ndarray of int, shape (n,)
        Number of the patch among the 768.
    vectors : ndarray, shape (n, 3)
        Galactic unit vectors.
    weight : ndarray, shape (n,)
        Flux above 1 GeV in cm-2 s-1 of a source, score of a detection.
    """

    patch: np.ndarray
    vectors: np.ndarray
    weight: np.ndarray

    def __getitem__(self, chosen: np.ndarray) -> Rows:
        return Rows(self.patch[chosen], self.vectors[chosen], self.weight[chosen])

    def __len__(self) -> int:
        return len(self.patch)

    @property
    def latitude(self) -> np.ndarray:
        """Distance from the Galactic plane in degrees."""
        return np.abs(np.degrees(np.arcsin(np.clip(self.vectors[:, 2], -1, 1))))


@dataclass(frozen=True)
class Blind:
    """The patches that are given, and the instrument that they show."""

    @cached_property
    def renderer(self) -> FermiLatRenderer:
        """The instrument; `around_brightest` shows that its PSF is that of FRONT+BACK."""
        return instrument("FRONT+BACK")

    @cached_property
    def index(self) -> np.ndarray:
        """Numbers of the patches among the 768."""
        return self._file["index"]

    @cached_property
    def centres(self) -> np.ndarray:
        """Longitude and latitude of their centres in degrees, shape (192, 2)."""
        return np.stack([self._file["lon_c"], self._file["lat_c"]], axis=1)

    @cached_property
    def groups(self) -> list[np.ndarray]:
        """Rows of patches that are far enough apart to be one sky."""
        vectors = unit_vectors(*self.centres.T)
        near = vectors @ vectors.T > np.cos(np.radians(APART))
        groups: list[list[int]] = []
        for row in range(len(vectors)):
            free = (group for group in groups if not near[row, group].any())
            group = next(free, None)
            if group is None:
                groups.append(group := [])
            group.append(row)
        return [np.array(group) for group in groups]

    def pixels(self, row: int) -> np.ndarray:
        """HEALPix pixel that each pixel of a patch shows, shape (64, 64)."""
        projection = hp.projector.CartesianProj(
            lonra=[-HALF, HALF],
            latra=[-HALF, HALF],
            xsize=WIDTH,
            rot=(*self.centres[row], 0.0),
        )
        numbers = np.arange(hp.nside2npix(NSIDE), dtype=float)
        shown = projection.projmap(numbers, lambda *xyz: hp.vec2pix(NSIDE, *xyz))
        return np.asarray(shown).astype(int)

    def expected(self, name: str, rows: np.ndarray) -> np.ndarray:
        """Expected ``background`` or ``sources`` of patches, NaN elsewhere, shape (5, n_pixels).

        Counts in pixels of the maps, where the patches state those in their own, smaller pixels.
        """
        larger = hp.nside2pixarea(NSIDE) / np.radians(2 * HALF / (WIDTH - 1)) ** 2
        sky = np.full((5, hp.nside2npix(NSIDE)), np.nan)
        for row in rows:
            shown = self._file[name][row].astype(float) * larger
            sky[:, self.pixels(row).ravel()] = shown.reshape(-1, 5).T
        return sky

    def around_brightest(self, radius: float) -> np.ndarray:
        """Share of the photons of the brightest source within a radius, of those within 2 deg.

        Shape (5,); of the sources that are more than 2 deg from the border of a patch.
        """
        sources = truth()
        for i in np.argsort(-sources.weight):
            row = np.flatnonzero(self.index == sources.patch[i])
            if not len(row):
                continue
            discs = [
                hp.query_disc(NSIDE, sources.vectors[i], np.radians(size)) for size in (radius, 2.0)
            ]
            expected = self.expected("sources", row)
            inner, outer = (expected[:, disc].sum(axis=1) for disc in discs)
            if np.all(np.isfinite(outer)):
                return inner / outer
        raise ValueError("no source is far enough from the border")

    def observation(self, group: int, draw: int, *, own: bool = False) -> Observation:
        """Poisson counts of a group of patches.

        Parameters
        ----------
        group, draw : int
        own : bool
            The background is the package's model of it, instead of that of the patches.
        """
        rows = self.groups[group]
        background, sources = (self.expected(name, rows) for name in ("background", "sources"))
        valid = tuple(np.isfinite(background))
        rng = np.random.default_rng([2103, 11068, draw, group])
        counts = rng.poisson(np.nan_to_num(background + sources))
        bands, exposure = self.renderer.bands, self.renderer.exposure()

        def sky(values: Sequence[np.ndarray], kind: str) -> SkyMap:
            return SkyMap(bands, (HealpixPixels(NSIDE),) * 5, tuple(values), kind, valid)

        parts = {"patches": background}
        if own:
            parts = {name: one.values for name, one in self.renderer.background().items()}
        return Observation(
            counts=sky(counts, "counts"),
            background={name: sky(one, "expected counts") for name, one in parts.items()},
            exposure=sky(exposure.values, "exposure"),
            psfs=self.renderer.psfs(),
        )

    def grid(self, group: int) -> PatchGrid:
        """Windows around the patches of a group, of the size that networks see."""
        return PatchGrid(*self.centres[self.groups[group]].T, 12.8 * u.deg)

    def detections(self, table: QTable, group: int) -> Rows:
        """Detections within the border of a patch, with its number; others do not count."""
        rows = self.groups[group]
        where = sky_positions(table).galactic
        vectors = unit_vectors(where.l.deg, where.b.deg)
        nearest = rows[np.argmax(vectors @ unit_vectors(*self.centres[rows].T).T, axis=1)]
        inside = np.zeros(len(table), dtype=bool)
        for row in np.unique(nearest):
            here = nearest == row
            x, y, z = hp.Rotator(rot=(*self.centres[row], 0.0))(vectors[here].T)
            away = np.maximum(np.abs(np.arctan2(y, x)), np.abs(np.arcsin(np.clip(z, -1, 1))))
            inside[here] = away <= np.radians(BORDER)
        found = Rows(self.index[nearest], vectors, np.asarray(table["score"], dtype=float))
        return found[inside]

    @cached_property
    def _file(self) -> dict[str, np.ndarray]:
        with np.load(FOLDER / "F0-B1_patches_every4th.npz") as file:
            return dict(file)


def instrument(event_type: str) -> FermiLatRenderer:
    """UltracleanVeto in 9.5 years, in the bands of the patches."""
    return FermiLatRenderer(
        irf="P8R3_ULTRACLEANVETO_V3",
        event_types=(event_type,),
        energies=ENERGIES,
        nsides=(NSIDE,) * 5,
        max_zeniths=(105.0,) * 5,
        good_time=9.5 * 26.11e6,
    )


def truth() -> Rows:
    """Sources of all 768 patches; those in two patches occur twice, as in its evaluation."""
    table = read("F0-B1_truth.csv.gz")
    number = [int(str(name).split("_")[2].split(".")[0]) for name in table["filename"]]
    vectors = unit_vectors(np.array(table["lon_p"]), np.array(table["lat_p"]))
    return Rows(np.array(number), vectors, np.array(table["flux_1000"]))


def its_predictions() -> Rows:
    """What its network found, in the order of its file, with its probability."""
    table = read("unek_prediction_test_1547e73d.csv.gz")
    vectors = unit_vectors(np.array(table["lon_ps"]), np.array(table["lat_ps"]))
    return Rows(np.array(table["image_nr"]), vectors, np.array(table["probability"]))


def its_codes() -> np.ndarray:
    """Its evaluation: 0 matched, 1 spurious, 2 missed; predictions first, in their order."""
    return np.asarray(read("unek_evaluation_test_112bcdb5.csv.gz")["stat_code"]).astype(int)


def read(name: str) -> Table:
    """One of its files."""
    return Table.read(FOLDER / name, format="ascii.csv")


def matched(found: Rows, sources: Rows) -> np.ndarray:
    """Match as its evaluation does.

    Each detection, in the order given, takes the brightest source of its patch within 0.3 deg that
    no other has taken.

    Returns
    -------
    ndarray of int, shape (n,)
        Source of each detection, or -1.
    """
    of_patch = {patch: np.flatnonzero(sources.patch == patch) for patch in np.unique(found.patch)}
    free = np.ones(len(sources), dtype=bool)
    match = np.full(len(found), -1)
    chord = 2 * np.sin(np.radians(RADIUS) / 2)
    for i in range(len(found)):
        near = of_patch[found.patch[i]]
        near = near[free[near]]
        near = near[np.linalg.norm(sources.vectors[near] - found.vectors[i], axis=1) <= chord]
        if len(near):
            match[i] = near[np.argmax(sources.weight[near])]
            free[match[i]] = False
    return match


def ordered(found: Rows) -> Rows:
    """Detections with the best first, so that none loses its source to a worse one."""
    return found[np.argsort(-found.weight, kind="stable")]


def evaluated(found: Rows, sources: Rows) -> Evaluation:
    """Evaluation of detections that are matched in the order given; regions are the patches."""
    match = matched(found, sources)
    hit = match >= 0
    found_at = np.full(len(sources), -np.inf)
    found_at[match[hit]] = found.weight[hit]
    return Evaluation(
        score=found.weight,
        matched=hit,
        found_at=found_at,
        detection_block=found.patch,
        source_block=sources.patch,
    )
