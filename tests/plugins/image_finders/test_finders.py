"""sep and DAOFIND on stars of known places."""

from __future__ import annotations

import numpy as np
import pytest

from gammafind.errors import OptionError
from gammafind.fitting.image.scene import scenes_of_image
from gammafind.plugins.image_finders.daofind import DaoFind
from gammafind.plugins.image_finders.sep import SourceExtractor
from gammafind.roles.localiser import Localiser
from gammafind.roles.registry import create
from gammafind.sky.observation import Observation
from tests.fitting.images import NOISE, stars_on_sky

SHAPE = (200, 240)
X, Y = np.array([50.3, 120.6, 200.0]), np.array([40.2, 150.5, 90.9])
ELECTRONS = np.array([3000.0, 6000.0, 20000.0])


def seen(stars: bool = True, valid: np.ndarray | None = None) -> Observation:
    """Three stars on a sky of 100 electrons."""
    n = len(X) if stars else 0
    return stars_on_sky(X[:n], Y[:n], ELECTRONS[:n], SHAPE, valid=valid)


@pytest.fixture(params=["sep", "daofind"])
def finder(request) -> Localiser:
    if request.param == "sep":
        pytest.importorskip("sep")
    return create("localiser", request.param, threshold=6.0)


def test_stars_are_found_where_they_are(finder):
    found = finder.localise_sky(seen())
    assert len(found) == 3
    order = np.argsort(found["score"])
    assert found["x"].value[order] == pytest.approx(X, abs=0.3)
    assert found["y"].value[order] == pytest.approx(Y, abs=0.3)
    assert found["npred"][order] == pytest.approx(ELECTRONS, rel=0.3)
    assert found["flux"].value == pytest.approx(found["npred"] / 2)


def test_nothing_is_found_in_noise(finder):
    assert len(finder.localise_sky(seen(stars=False))) == 0


def test_pixels_that_are_not_valid_are_not_searched(finder):
    valid = np.ones(SHAPE, dtype=bool)
    valid[:, 180:] = False
    assert sorted(finder.localise_sky(seen(valid=valid))["x"].value) == pytest.approx(
        X[:2], abs=0.3
    )


def test_the_score_of_sep_is_the_ratio_of_the_matched_filter():
    pytest.importorskip("sep")
    found = SourceExtractor(threshold=6.0).localise_sky(seen())
    profile = next(iter(scenes_of_image(seen(), side=2176, margin=64))).profile
    expected = ELECTRONS * np.sqrt(np.sum(profile**2)) / NOISE
    assert np.sort(found["score"]) == pytest.approx(expected, rel=0.1)
    assert np.sort(found["npred"]) == pytest.approx(ELECTRONS, rel=0.1)


def test_the_filter_is_the_psf():
    scene = next(iter(scenes_of_image(seen(), side=2176, margin=64)))
    assert scene.fwhm == pytest.approx(5.0, rel=0.01)
    assert scene.kernel.shape == (15, 15)
    assert scene.kernel.sum() == pytest.approx(1)


@pytest.mark.parametrize("plugin", [SourceExtractor, DaoFind])
def test_thresholds_are_positive(plugin):
    with pytest.raises(OptionError, match="threshold is 0"):
        plugin(threshold=0.0)
