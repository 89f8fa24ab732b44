"""The checks for plugin authors pass what is right and fail at each breach."""

from __future__ import annotations

from dataclasses import dataclass, make_dataclass

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from astropy.wcs import WCS

from gammafind.catalogue.schema import PATCH_DETECTIONS, Column, empty_table
from gammafind.errors import ConformanceError, TableError
from gammafind.plugins.clusterers import DiskClusterer, PeaksClusterer
from gammafind.roles.classifier import Classifier
from gammafind.roles.clusterer import Clusterer
from gammafind.roles.localiser import Localiser, no_detections
from gammafind.roles.population import SourcePopulation
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.areas import pixel_areas
from gammafind.sky.bands import energy_bands
from gammafind.sky.pixels import HealpixPixels, WcsPixels
from gammafind.sky.point_sources import sky_counts
from gammafind.sky.projection import vectors_in
from gammafind.sky.psf import RadialPsf
from gammafind.testing import (
    check_classifier,
    check_clusterer,
    check_localiser,
    check_plugin,
    check_population,
    check_renderer,
    one_source,
)


@dataclass(frozen=True, kw_only=True)
class Twins(PeaksClusterer):
    """Find each source twice."""

    name = "twins"

    def _cluster(self, score_map):
        from astropy.table import vstack

        found = super()._cluster(score_map)
        return vstack([found, found]) if len(found) else found


@dataclass(frozen=True, kw_only=True)
class Shifted(DiskClusterer):
    """Find each source elsewhere."""

    name = "shifted"

    def _cluster(self, score_map):
        found = super()._cluster(score_map)
        found["x"] += 2 * u.pix
        return found


@dataclass(frozen=True, kw_only=True)
class Restless(DiskClusterer):
    """Find something else each time."""

    name = "restless"

    def _cluster(self, score_map):
        found = super()._cluster(score_map)
        found["x"] += np.random.default_rng().normal(0, 0.1, len(found)) * u.pix
        return found


@dataclass(frozen=True, kw_only=True)
class Dreamer(DiskClusterer):
    """Find something in nothing."""

    name = "dreamer"

    def _cluster(self, score_map):
        return super()._cluster(score_map + 1)


@pytest.mark.parametrize(
    ("plugin", "breach"),
    [
        (Twins, "3 discs give 6 clusters"),
        (Shifted, "found 2.00 pixels away"),
        (Restless, "one map gives two results"),
        (Dreamer, "a map of zeros gives 1 clusters"),
    ],
)
def test_breaches_of_clusterers(plugin, breach):
    with pytest.raises(ConformanceError, match=breach):
        check_clusterer(plugin)


def test_options_reach_the_plugin():
    check_clusterer(PeaksClusterer, threshold=0.7)
    with pytest.raises(ConformanceError, match="3 discs give 0 clusters"):
        check_clusterer(PeaksClusterer, threshold=2)


@pytest.mark.parametrize(
    ("changes", "breach"),
    [
        ({"name": "Two Words"}, "not a word in kebab-case"),
        ({"__doc__": ""}, "has no docstring"),
    ],
)
def test_breaches_of_any_class(changes, breach):
    plugin = dataclass(frozen=True, kw_only=True)(
        type("Toy", (DiskClusterer,), {"__doc__": "A toy.", "name": "toy", **changes})
    )
    plugin.__doc__ = changes.get("__doc__", "A toy.")
    with pytest.raises(ConformanceError, match=breach):
        check_plugin(plugin, Clusterer)


def test_a_class_must_be_a_frozen_keyword_only_dataclass_of_its_role():
    plain = type("Plain", (DiskClusterer,), {"__doc__": "Plain.", "name": "plain"})
    with pytest.raises(ConformanceError, match="Plain is no frozen dataclass"):
        check_plugin(plain, Clusterer)
    loose = make_dataclass("Loose", ["size"], bases=(DiskClusterer,), frozen=True)
    loose.name, loose.__doc__ = "loose", "Loose."
    with pytest.raises(ConformanceError, match="not keyword-only: size"):
        check_plugin(loose, Clusterer)
    with pytest.raises(ConformanceError, match="DiskClusterer is no Localiser"):
        check_plugin(DiskClusterer, Localiser)


@dataclass(frozen=True, kw_only=True)
class Sky(SourcePopulation):
    """A few sources."""

    name = "sky"
    fault: str = ""

    def _sample(self, rng):
        if self.fault == "seed":
            rng = np.random.default_rng()
        if self.fault == "fixed":
            rng = np.random.default_rng(1)
        top = 400 if self.fault == "ra" else 360
        flux = rng.lognormal(-20, 1, 50) * (-1 if self.fault == "flux" else 1)
        return QTable(
            {
                "name": ["same"] * 50 if self.fault == "name" else [f"s{i}" for i in range(50)],
                "ra": np.linspace(0, top, 50, endpoint=False) * u.deg,
                "dec": rng.uniform(-90, 90, 50) * u.deg,
                "class_label": ["BLL"] * 50,
                "flux": flux * u.Unit("cm-2 s-1"),
            }
        )


def test_a_population_that_keeps_the_contract():
    check_population(Sky)


@pytest.mark.parametrize(
    ("fault", "breach"),
    [
        ("seed", "one seed gives two catalogues"),
        ("fixed", "two seeds give one catalogue"),
        ("ra", "ra is outside"),
        ("flux", "fluxes are negative"),
        ("name", "names are not unique"),
    ],
)
def test_breaches_of_populations(fault, breach):
    with pytest.raises(ConformanceError, match=breach):
        check_population(Sky, fault=fault)


@dataclass(frozen=True, kw_only=True)
class Camera(SkyRenderer):
    """Counts in one pixel."""

    name = "camera"
    fault: str = ""

    @property
    def bands(self):
        """One band."""
        return energy_bands([1, 2] * u.GeV)

    @property
    def pixels(self):
        """The sphere."""
        return (HealpixPixels(256),)

    def psfs(self):
        """A small Gaussian."""
        theta = np.linspace(0, 0.1, 50)
        return (RadialPsf(theta, np.exp(-((theta / 0.02) ** 2))),) * (
            2 if "psf" in self.fault else 1
        )

    def _exposure(self, pixels):
        return (np.full(pixels[0].shape, 1e11),)

    def _background(self, pixels):
        return {} if self.fault == "dark" else {"sky": (np.ones(pixels[0].shape),)}

    def _render(self, sources, pixels):
        values = np.zeros(pixels[0].shape)
        values[0] = np.sum(sources["flux"].value) * 1e11
        if self.fault == "offset":
            values += 1
        if self.fault == "square":
            values **= 2
        if self.fault == "blind":
            values[:] = 0
        if self.fault == "writes" and len(sources):
            sources["flux"] *= 2
        return (values,)


def test_a_renderer_that_keeps_the_contract():
    check_renderer(Camera)


@pytest.mark.parametrize(
    ("fault", "breach"),
    [
        ("psfs", "differ in number"),
        ("dark", "there is no background"),
        ("offset", "no sources give counts"),
        ("blind", "gives no counts"),
        ("square", "each source twice gives 4.0000 times"),
    ],
)
def test_breaches_of_renderers(fault, breach):
    with pytest.raises(ConformanceError, match=breach):
        check_renderer(Camera, fault=fault)


def test_a_renderer_cannot_change_the_source_table():
    check_renderer(Camera, fault="writes")


@dataclass(frozen=True, kw_only=True)
class RadioDish(Camera):
    """Counts of quasars and radio galaxies, the fluxes in Jy, with a PSF on any pixels."""

    name = "radio-dish"
    classes = ("quasar", "radio galaxy")
    flux_unit = u.Jy

    def psfs(self):
        """Wide enough for coarse pixels."""
        theta = np.linspace(0, 0.3, 200)
        return (RadialPsf(theta, np.exp(-0.5 * (theta / 0.06) ** 2)),)

    def _background(self, pixels):
        areas = pixel_areas(pixels[0]).reshape(pixels[0].shape)
        return {"sky": (np.ones(areas.shape) if self.fault == "flat" else 1e4 * areas,)}

    def _render(self, sources, pixels):
        positions = SkyCoord(sources["ra"], sources["dec"])
        counts = sources["flux"].to_value(u.Jy) * 1e11
        if self.fault == "peaks":
            counts = counts / pixels[0].pixel_area.value
        vectors = vectors_in(pixels[0].frame, positions)
        return (sky_counts(vectors, counts, pixels[0], self.psfs()[0]).reshape(pixels[0].shape),)


def test_a_renderer_may_have_classes_and_a_flux_unit_of_its_own():
    check_renderer(RadioDish)
    with pytest.raises(TableError, match=r"column flux does not convert to Jy"):
        RadioDish().render(one_source(SkyCoord("0d 0d"), class_label="quasar"))


def test_totals_may_not_depend_on_the_pixels():
    check_renderer(RadioDish, any_pixels=True)
    with pytest.raises(ConformanceError, match=r"HEALPix maps of smaller pixels .* the background"):
        check_renderer(RadioDish, any_pixels=True, fault="flat")
    with pytest.raises(ConformanceError, match=r"HEALPix maps of smaller pixels .* a source"):
        check_renderer(RadioDish, any_pixels=True, fault="peaks")


@dataclass(frozen=True, kw_only=True)
class Field(RadioDish):
    """An image of a field, whose first pixel sees no source."""

    name = "field"

    @property
    def pixels(self):
        """A gnomonic image."""
        wcs = WCS(naxis=2)
        wcs.wcs.ctype, wcs.wcs.cdelt = ["RA---TAN", "DEC--TAN"], [-1, 1]
        wcs.wcs.crval, wcs.wcs.crpix = [10, 20], [20.5, 15.5]
        return (WcsPixels(wcs, (30, 40)),)

    def _render(self, sources, pixels):
        (seen,) = super()._render(sources, pixels)
        seen[:5], seen[:, :5] = 0, 0
        return (seen,)


def test_the_source_lies_in_the_middle_of_an_image():
    check_renderer(Field)


def test_columns_that_all_catalogues_share_may_not_be_renamed():
    class Foreign(RadioDish):
        """Without the shared columns."""

        name = "foreign"
        published = (Column("S1400", "mJy", "phot.flux.density", "Flux", holds="flux"),)

    foreign = dataclass(frozen=True, kw_only=True)(Foreign)
    with pytest.raises(ConformanceError, match="do not begin with those of SHARED"):
        check_renderer(foreign)


@dataclass(frozen=True, kw_only=True)
class Brightest(Localiser):
    """Find the brightest pixel."""

    name = "brightest"
    fault: str = ""

    @property
    def score_name(self):
        return "" if self.fault == "nameless" else "counts"

    @property
    def published_score(self):
        return np.nan if self.fault == "nowhere" else 10

    def _localise(self, patches):
        counts = patches.counts[0][0]
        if self.fault == "blind" or (counts.max() == 0 and self.fault != "dreams"):
            return empty_table(PATCH_DETECTIONS)
        y, x = np.unravel_index(counts.argmax(), counts.shape)
        if self.fault == "writes":
            patches.counts[0][0, 0, 0] += 1
        shift = 100 if self.fault == "outside" else 0
        return QTable(
            {"patch": [0], "x": [x + shift] * u.pix, "y": [y] * u.pix, "score": [counts.max()]}
        )


@dataclass(frozen=True, kw_only=True)
class BrightestOfImage(Localiser):
    """Find the brightest pixel of an image."""

    name = "brightest-of-image"
    sees = "image"
    scores_are_probabilities = True
    fault: str = ""

    def _localise(self, patches):
        raise NotImplementedError

    def _localise_sky(self, observation, grid, n_pixels, rng):
        excess = (observation.counts.values[0] - observation.total_background().values[0]).copy()
        if self.fault == "writes":
            observation.counts.values[0][0, 0] += 1
        if excess.max() <= 0:
            return no_detections()
        y, x = np.unravel_index(excess.argmax(), excess.shape)
        place = observation.counts.pixels[0].wcs.pixel_to_world([x], [y]).icrs
        score = 2.0 if self.fault == "sure" else 0.9
        return QTable({"ra": place.ra, "dec": place.dec, "score": [score]})


def test_a_localiser_of_images_is_checked_on_an_image():
    check_localiser(BrightestOfImage)
    with pytest.raises(ConformanceError, match="the counts are changed"):
        check_localiser(BrightestOfImage, fault="writes")


def test_probabilities_lie_between_0_and_1():
    with pytest.raises(ConformanceError, match="one is not between 0 and 1"):
        check_localiser(BrightestOfImage, fault="sure")


def test_what_a_plugin_sees_is_one_of_few_words():
    @dataclass(frozen=True, kw_only=True)
    class Mole(BrightestOfImage):
        """Sees nothing."""

        name = "mole"
        sees = "nothing"

    with pytest.raises(ConformanceError, match="it sees 'nothing', not one of maps, image, both"):
        check_localiser(Mole)


def test_a_localiser_that_keeps_the_contract():
    check_localiser(Brightest)


@pytest.mark.parametrize(
    ("fault", "breach"),
    [
        ("blind", "a bright source is not found"),
        ("dreams", "no counts give 1 detections"),
        ("outside", "outside its patch"),
        ("writes", "the counts are changed"),
        ("nameless", "the name of its scores is ''"),
        ("nowhere", "the lowest score published is nan, no number"),
    ],
)
def test_breaches_of_localisers(fault, breach):
    with pytest.raises(ConformanceError, match=breach):
        check_localiser(Brightest, fault=fault)


@dataclass(frozen=True, kw_only=True)
class Guess(Classifier):
    """Guess."""

    name = "guess"
    classes = ("BLL", "PSR")
    fault: str = ""

    def _classify(self, cutouts):
        maps = cutouts["maps"]
        rng = np.random.default_rng(None if self.fault == "restless" else 1)
        first = rng.random(len(maps))
        if self.fault == "writes" and len(maps):
            maps[0] = 1
        return np.stack([first, 1 - first], axis=1)


def test_a_classifier_that_keeps_the_contract():
    check_classifier(Guess, {"maps": np.zeros((4, 7, 7))})


@pytest.mark.parametrize(
    ("fault", "breach"),
    [("restless", "the same cut-outs give two results"), ("writes", "the cut-outs are changed")],
)
def test_breaches_of_classifiers(fault, breach):
    with pytest.raises(ConformanceError, match=breach):
        check_classifier(Guess, {"maps": np.zeros((4, 7, 7))}, fault=fault)


def test_fakes_that_are_no_classes_are_named():
    @dataclass(frozen=True, kw_only=True)
    class Ghosts(Guess):
        """Guess ghosts."""

        fakes = ("ghost",)

    with pytest.raises(ConformanceError, match="the fakes ghost are no classes"):
        check_classifier(Ghosts, {"maps": np.zeros((4, 7, 7))})
