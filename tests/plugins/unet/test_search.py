"""The seven steps of a search, each with what it gives."""

from __future__ import annotations

import logging
from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable

from gammafind.networks.calibration import Calibration
from gammafind.networks.features import FeatureSpec
from gammafind.networks.peaks import PeakFinder
from gammafind.networks.ranking import Ranking
from gammafind.plugins.unet.architecture import Architecture
from gammafind.plugins.unet.patch_network import PatchNetwork
from gammafind.plugins.unet.search import SkySearch
from gammafind.plugins.unet.second_look import HIDDEN
from gammafind.plugins.unet.training.calibrate import KnownSky, calibrate
from gammafind.sky.bands import energy_bands
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.point_sources import sky_counts
from gammafind.sky.projection import vectors_in
from gammafind.sky.stacks import PatchStacks
from tests.fitting.skies import gaussian_psf, observe

PIXELS = HealpixPixels(64)
GRID = PatchGrid.healpix(2, size=40 * u.deg)
PLACES = GRID.centres[[5, 20, 33]].directional_offset_by(60 * u.deg, 14 * u.deg)
COUNTS = np.array([400.0, 600.0, 800.0])
PSF = gaussian_psf(1.0)

ARCHITECTURE = Architecture(
    network="gammafind",
    bands=energy_bands([1, 100] * u.GeV),
    widths=(40,),
    size=40 * u.deg,
    features=FeatureSpec(background=True),
    calibration=Calibration(),
)


def significance(inputs):
    """A network that says of each pixel how significant it is, and that it is sure of the place."""
    seen = inputs[0][..., 0]
    output = np.zeros((*seen.shape, 4), dtype=np.float32)
    output[..., 0] = 4 * (seen - 5)
    return output


def search_with(architecture):
    peaks = PeakFinder(threshold=0.05, separation=2.0)
    return SkySearch(
        network=PatchNetwork(run=significance, architecture=architecture, peaks=peaks, views=1)
    )


@pytest.fixture(scope="module")
def sky():
    """Three sources on a background that is twice what was given."""
    vectors = vectors_in(PIXELS.frame, PLACES)
    nothing = np.full(PIXELS.shape, 3.0)
    shown = 2 * nothing + sky_counts(vectors, COUNTS, PIXELS, PSF)
    observation = observe([shown], [nothing], [PIXELS], [PSF], rng=np.random.default_rng(2))
    return PatchStacks(observation, GRID, (40,), np.random.default_rng(0))


def level(stacks):
    """Mean expected counts of a pixel."""
    return stacks.observation.total_background().values[0].mean()


def test_each_step_can_be_looked_at(sky):
    search = search_with(ARCHITECTURE)
    rough = search.rough(sky)
    assert level(sky) == pytest.approx(3)
    assert level(rough) == pytest.approx(6, rel=0.1)
    seen = search.sightings(rough)
    assert seen.maps.shape == (len(GRID), 40, 40)
    first = search.merged(seen)
    assert len(PLACES) == len(first) < len(seen.table)
    fitted = search.fitted(first, rough, sky)
    assert np.sort(fitted.sure.counts[:, 0]) == pytest.approx(COUNTS, rel=0.35)
    assert level(fitted.stacks) == pytest.approx(6, rel=0.05)
    found = search.with_hidden(search.look(fitted.stacks), fitted)
    assert np.count_nonzero(~found[HIDDEN]) == 3
    evidence = search.evidence(found, fitted, sky)
    assert len(evidence.entries) == len(found)
    assert evidence.fit.ts.max(axis=1)[:3].min() > 100


def test_all_steps_together_give_ranked_detections(sky):
    search = search_with(ARCHITECTURE)
    rough = search.rough(sky)
    fitted = search.fitted(search.look(rough), rough, sky)
    found = search.with_hidden(search.look(fitted.stacks), fitted)
    n = search.evidence(found, fitted, sky).entries.shape[1]
    layers = [(np.eye(n)[:, :1], np.zeros(1))]
    ranking = Ranking(mean=np.zeros(n), scale=np.ones(n), layers=layers, error_scale=2.0)
    ranked = search_with(replace(ARCHITECTURE, ranking=ranking)).find(sky)
    assert np.asarray(ranked["score"]) == pytest.approx(np.asarray(found["score"]), rel=1e-4)
    assert ranked["pos_err"].value == pytest.approx(2 * found["pos_err"].value)
    assert np.sort(ranked["npred"])[-3:] == pytest.approx(COUNTS, rel=0.35)
    assert HIDDEN not in ranked.colnames


def test_calibration_searches_by_the_same_steps_and_writes_nothing(sky, caplog):
    sources = QTable({"ra": PLACES.icrs.ra, "dec": PLACES.icrs.dec, "ts": [900.0] * 3})
    uncalibrated = replace(ARCHITECTURE, calibration=None)
    with caplog.at_level(logging.WARNING, logger="gammafind"):
        learned = calibrate(significance, uncalibrated, [KnownSky(sky, sources, 3 * u.deg)])
    assert learned.calibration.probability(np.array([10.0])) > 0.5
    assert learned.ranking is None
    assert uncalibrated.calibration is None
    assert "too few detections" in caplog.text
