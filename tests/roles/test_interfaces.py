"""What the public methods of the roles check and label."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from numpy.testing import assert_array_equal

from gammafind.catalogue.schema import CLUSTERS, PATCH_DETECTIONS, SOURCES, empty_table
from gammafind.errors import OptionError, ShapeError, TableError
from gammafind.roles.classifier import Classifier
from gammafind.roles.clusterer import Clusterer
from gammafind.roles.localiser import SCORE_MAP, Localiser
from gammafind.roles.population import SourcePopulation
from gammafind.sky.bands import energy_bands
from gammafind.sky.observation import Observation
from gammafind.sky.patch_grid import PatchGrid, patch_widths
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.psf import RadialPsf
from gammafind.sky.skymap import SkyMap
from gammafind.testing import toy_patches


@dataclass(frozen=True, kw_only=True)
class Fixed(Clusterer):
    """Return what it is told to."""

    name = "fixed"
    rows: dict

    def _cluster(self, score_map):
        return QTable(self.rows)


def clusters(**columns) -> Fixed:
    rows = {"x": [1.0, 2.0] * u.pix, "y": [3.0, 4.0] * u.pix, "score": [5, 9], "n_pixels": [1, 2]}
    return Fixed(rows={**rows, **columns})


def test_clusters_come_highest_first_with_labels():
    found = clusters().cluster(np.zeros((8, 8)))
    assert list(found["score"]) == [9.0, 5.0]
    assert found["x"].unit == u.pix
    assert found["score"].info.meta["ucd"] == "stat.value"


@pytest.mark.parametrize(
    ("columns", "message"),
    [({"x": [1, 2] * u.deg}, "clusters of fixed: column x"), ({"score": ["a", "b"]}, "score")],
)
def test_a_table_of_wrong_units_is_refused(columns, message):
    with pytest.raises(TableError, match=message):
        clusters(**columns).cluster(np.zeros((8, 8)))


def test_a_table_without_a_column_is_refused():
    with pytest.raises(TableError, match=r"lacks the column y, score, n_pixels\. It has x"):
        Fixed(rows={"x": [1] * u.pix}).cluster(np.zeros((8, 8)))


def test_score_maps_are_checked():
    with pytest.raises(ShapeError, match=r"shape \(3,\)"):
        clusters().cluster(np.zeros(3))
    with pytest.raises(OptionError, match="infinite"):
        clusters().cluster(np.full((3, 3), np.inf))
    nothing = clusters().cluster(np.zeros((0, 4)))
    assert nothing.colnames == [column.name for column in CLUSTERS]
    assert len(nothing) == 0


def test_nan_reaches_a_clusterer_as_zero():
    seen = []

    @dataclass(frozen=True, kw_only=True)
    class Watcher(Clusterer):
        name = "watcher"

        def _cluster(self, score_map):
            seen.append(score_map)
            return empty_table(CLUSTERS)

    given = np.array([[np.nan, 2.0]])
    Watcher().cluster(given)
    np.testing.assert_array_equal(seen[0], [[0, 2]])
    assert np.isnan(given[0, 0])


def test_options_are_frozen_and_keyword_only():
    with pytest.raises(FrozenInstanceError):
        clusters().rows = {}
    with pytest.raises(TypeError):
        Fixed({})


@dataclass(frozen=True, kw_only=True)
class Sky(SourcePopulation):
    """One source."""

    name = "sky"
    provides = ("index",)
    columns: tuple[str, ...] = ("name", "ra", "dec", "class_label", "flux", "index")

    def _sample(self, rng):
        everything = {
            "name": ["a"],
            "ra": [600] * u.arcmin,
            "dec": [-1] * u.deg,
            "class_label": ["PSR"],
            "flux": [1e-5] * u.Unit("m-2 s-1"),
            "index": [rng.normal(2, 0.1)],
        }
        return QTable({name: everything[name] for name in self.columns})


def test_a_catalogue_takes_the_units_of_the_schema():
    sources = Sky().sample(rng=np.random.default_rng(0))
    assert sources.colnames == [*(column.name for column in SOURCES), "index"]
    assert sources["ra"][0] == 10 * u.deg
    assert sources["flux"].unit == u.Unit("cm-2 s-1")
    assert sources["flux"][0].value == pytest.approx(1e-9)


def test_a_catalogue_without_what_it_promises_is_refused():
    with pytest.raises(TableError, match="the catalogue of sky lacks index"):
        Sky(columns=("name", "ra", "dec", "class_label", "flux")).sample(
            rng=np.random.default_rng(0)
        )


@dataclass(frozen=True, kw_only=True)
class Names(Classifier):
    """Return fixed probabilities."""

    name = "names"
    classes = ("BLL", "PSR")
    probability: tuple = ((0.25, 0.75), (0.9, 0.1))

    def _classify(self, cutouts):
        return np.reshape(self.probability, (len(cutouts["maps"]), -1))


def test_the_most_probable_class_is_the_label():
    table = Names().classify({"maps": np.zeros((2, 7, 7))})
    assert table.colnames == ["prob_BLL", "prob_PSR", "class_label"]
    assert list(table["class_label"]) == ["PSR", "BLL"]


@pytest.mark.parametrize(
    ("probability", "error", "message"),
    [
        (((0.5, 0.6), (0.5, 0.5)), OptionError, "do not sum to one"),
        (((-0.5, 1.5), (0.5, 0.5)), OptionError, "between 0 and 1"),
        (((np.nan, 1), (0.5, 0.5)), OptionError, "between 0 and 1"),
        (((0.2, 0.3, 0.5),) * 2, ShapeError, r"shape \(2, 3\) for 2 sources and 2 classes"),
    ],
)
def test_what_are_no_probabilities_is_refused(probability, error, message):
    with pytest.raises(error, match=message):
        Names(probability=probability).classify({"maps": np.zeros((2, 7, 7))})


def test_cut_outs_of_different_numbers_are_refused():
    with pytest.raises(ShapeError, match="'maps': 2, 'position': 3"):
        Names().classify({"maps": np.zeros((2, 7, 7)), "position": np.zeros((3, 2))})


@dataclass(frozen=True, kw_only=True)
class Pointer(Localiser):
    """Point at one pixel."""

    name = "pointer"

    def _localise(self, patches):
        return QTable({"patch": [0], "x": [31.5] * u.pix, "y": [31.5] * u.pix, "score": [7]})


def test_detections_in_patches_take_the_schema():
    found = Pointer().localise(toy_patches())
    required = [column.name for column in PATCH_DETECTIONS if column.required]
    assert found.colnames == required
    assert found["patch"].dtype == int


def sky_of(values: np.ndarray) -> Observation:
    """Counts on HEALPix pixels, with as much background and exposure."""
    bands, pixels = energy_bands([2, 20] * u.GeV), (HealpixPixels(int(np.sqrt(len(values) / 12))),)
    values = (values,)
    theta = np.linspace(0, 0.1, 50)
    return Observation(
        counts=SkyMap(bands, pixels, values),
        background={"sky": SkyMap(bands, pixels, values, "expected counts")},
        exposure=SkyMap(bands, pixels, values, "exposure"),
        psfs=(RadialPsf(theta, np.exp(-((theta / 0.02) ** 2))),),
    )


def test_the_detections_of_patches_come_onto_the_sky():
    observation = sky_of(np.ones(12 * 64**2, dtype=int))
    grid = PatchGrid(np.array([120.0]), np.array([45.0]))
    assert patch_widths(observation.counts.pixels, grid) == (16,)
    for n_pixels, width in ((None, 16), ((64,), 64)):
        found = Pointer().localise_sky(observation, grid=grid, n_pixels=n_pixels)
        assert len(found) == 1
        there = grid.positions([0], [31.5], [31.5], width)
        assert there.separation(SkyCoord(found["ra"], found["dec"]))[0] < 1e-6 * u.deg


@dataclass(frozen=True, kw_only=True)
class Brightest(Localiser):
    """Point at the pixel with the most counts in each patch."""

    name = "brightest"

    def _localise(self, patches):
        counts = patches.counts[0]
        row, column = np.unravel_index(
            counts.reshape(len(counts), -1).argmax(axis=1), counts.shape[1:]
        )
        score = counts.max(axis=(1, 2))
        patch = np.arange(len(counts))
        return QTable({"patch": patch, "x": column * u.pix, "y": row * u.pix, "score": score})


def test_patches_that_are_seen_apart_give_the_same_detections(monkeypatch):
    rng = np.random.default_rng(5)
    observation = sky_of(rng.poisson(np.where(rng.random(12 * 32**2) < 0.01, 50, 1)))
    grid = PatchGrid.healpix(2, size=40 * u.deg)
    whole = Brightest().localise_sky(observation, grid=grid)
    monkeypatch.setattr("gammafind.sky.stacks._AT_ONCE", 7)
    parts = Brightest().localise_sky(observation, grid=grid)
    assert len(whole) > 10
    for name in whole.colnames:
        assert_array_equal(parts[name], whole[name])


@dataclass(frozen=True, kw_only=True)
class Mapper(Brightest):
    """Keep a map of its scores."""

    def _localise_sky(self, observation, grid, n_pixels, rng):
        found = super()._localise_sky(observation, grid, n_pixels, rng)
        found.meta[SCORE_MAP] = observation.counts
        return found


def test_a_localiser_may_keep_a_map_of_its_scores():
    observation = sky_of(np.ones(12 * 16**2, dtype=int))
    grid = PatchGrid.healpix(2, size=40 * u.deg)
    found, scores = Mapper().search_sky(observation, grid=grid)
    assert scores is observation.counts
    assert SCORE_MAP not in found.meta
    assert SCORE_MAP not in Mapper().localise_sky(observation, grid=grid).meta
    assert Brightest().search_sky(observation, grid=grid).scores is None
