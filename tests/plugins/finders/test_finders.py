"""The classical finders on skies of one patch."""

from __future__ import annotations

import sys
from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest

from gammafind.errors import MissingBackendError, OptionError
from gammafind.plugins.finders.common import levelled
from gammafind.plugins.finders.log import LaplacianOfGaussian
from gammafind.plugins.finders.peaks import PhotutilsPeaks
from gammafind.plugins.finders.significance import (
    matched_kernel,
    signed_ts,
    significance_map,
)
from gammafind.plugins.likelihood.localiser import Likelihood
from gammafind.sky.bands import energy_bands
from gammafind.sky.patches import Patches
from gammafind.testing import check_localiser, toy_patches
from tests.fitting.images import stars_on_sky

FINDERS = [PhotutilsPeaks, LaplacianOfGaussian]


@pytest.fixture(autouse=True)
def scikit_image():
    pytest.importorskip("skimage")


def two_bands():
    """The toy patch, with a coarser band of the same source below it."""
    fine = toy_patches()
    coarse = [
        a[0].reshape(1, 32, 2, 32, 2).sum(axis=(2, 4)) for a in (fine.counts, fine.background)
    ]
    return Patches(
        grid=fine.grid,
        bands=energy_bands([0.5, 2, 20] * u.GeV),
        counts=(coarse[0], *fine.counts),
        background=(coarse[1], *fine.background),
        psfs=fine.psfs * 2,
    )


def noise(n=8, level=2.0):
    """Patches of background counts only."""
    toy = toy_patches()
    grid = toy.grid[np.zeros(n, dtype=int)]
    background = np.full((n, 64, 64), level)
    counts = np.random.default_rng(7).poisson(background).astype(float)
    return Patches(
        grid=grid, bands=toy.bands, counts=(counts,), background=(background,), psfs=toy.psfs
    )


@pytest.mark.parametrize("finder", [*FINDERS, Likelihood])
def test_images_of_a_camera_are_refused(finder):
    with pytest.raises(OptionError, match="image of a camera"):
        finder().localise_sky(stars_on_sky([8], [8], [1e4], (16, 16)))


@pytest.mark.parametrize("finder", FINDERS)
def test_contract(finder):
    check_localiser(finder)
    check_localiser(finder, patches=two_bands())


@pytest.mark.parametrize("finder", FINDERS)
@pytest.mark.parametrize("patches", [toy_patches(), two_bands()], ids=["one band", "two"])
def test_the_source_is_where_it_is(finder, patches):
    found = finder().localise(patches)
    best = found[np.argmax(found["score"])]
    assert np.hypot(best["x"].value - 38, best["y"].value - 27) < 0.5
    assert best["score"] > 10


@pytest.mark.parametrize("finder", FINDERS)
def test_a_higher_threshold_leaves_some_of_the_same_detections(finder):
    low, high = (finder(threshold=t).localise(noise()) for t in (2.5, 3.0))
    assert 0 < len(high) < len(low)
    assert set(high["score"]) <= set(low["score"])
    assert high["score"].min() >= 3.0


def test_the_slope_of_something_wide_is_taken_out():
    y, x = np.mgrid[:64, :64]
    slope = 20 - 0.2 * np.hypot(x - 10, y - 10)
    blob = 8 * np.exp(-((x - 40) ** 2 + (y - 40) ** 2) / (2 * 2.0**2))
    flat = levelled(slope + blob, 16)
    assert np.unravel_index(flat.argmax(), flat.shape) == (40, 40)
    assert flat.max() == pytest.approx(8, abs=1)
    assert np.abs(flat[8:32, 40:56]).max() < 2
    assert levelled(slope, 0) is slope
    assert levelled(blob - 5, 16).min() == pytest.approx(-5)


def test_noise_has_the_spread_of_a_normal_distribution():
    patches = noise()
    maps = np.stack([significance_map(patches, i)[8:-8, 8:-8] for i in range(len(patches))])
    assert maps.std() == pytest.approx(1, abs=0.08)
    assert maps.mean() == pytest.approx(0, abs=0.1)


def test_bands_add_up():
    one, two = toy_patches(), two_bands()
    fine, both = (significance_map(patches, 0) for patches in (one, two))
    assert both[27, 38] == pytest.approx(np.sqrt(2) * fine[27, 38], rel=0.1)


def test_no_detection_where_there_are_no_data():
    toy = toy_patches()
    valid = np.ones((1, 64, 64), dtype=bool)
    valid[0, 20:36, 30:46] = False
    holed = replace(toy, valid=(valid,))
    assert significance_map(holed, 0)[27, 38] == 0
    for finder in FINDERS:
        found = finder().localise(holed)
        rows, columns = (np.rint(found[name].value).astype(int) for name in ("y", "x"))
        assert valid[0, rows, columns].all()


@pytest.mark.parametrize("finder", FINDERS)
@pytest.mark.parametrize("name", ["background", "psfs"])
def test_what_the_patches_lack_is_named(finder, name):
    with pytest.raises(OptionError, match=f"the patches have no {name}"):
        finder().localise(replace(toy_patches(), **{name: None}))


def test_the_kernel_is_worth_its_pixels():
    (psf,) = toy_patches().psfs
    kernel = matched_kernel(psf, 0.1, 64)
    assert kernel.shape[0] % 2 == 1
    assert kernel.sum() == pytest.approx(np.sum(kernel**2))
    assert kernel.sum() == pytest.approx(4 * np.pi * 2**2, rel=0.1)
    assert matched_kernel(psf, 0.1, 4).shape == (3, 3)
    assert matched_kernel(psf, 20.0, 8)[1, 1] == pytest.approx(1, rel=0.1)


def test_signed_ts_is_that_of_poisson():
    assert signed_ts(np.array([10.0]), np.array([4.0])) == pytest.approx(2 * (10 * np.log(2.5) - 6))
    assert signed_ts(np.array([0.0, 2.0]), np.array([3.0, 2.0])) == pytest.approx([-6, 0])
    assert np.isfinite(signed_ts(np.array([1.0]), np.array([0.0]))).all()


@pytest.mark.parametrize(
    ("finder", "option"),
    [
        (PhotutilsPeaks, {"threshold": 0.0}),
        (PhotutilsPeaks, {"separation": 0.5}),
        (PhotutilsPeaks, {"box": -1 * u.deg}),
        (LaplacianOfGaussian, {"threshold": np.nan}),
        (LaplacianOfGaussian, {"min_sigma": 0.0}),
        (LaplacianOfGaussian, {"max_sigma": 0.5}),
        (LaplacianOfGaussian, {"n_sigma": 0}),
        (LaplacianOfGaussian, {"overlap": 1.5}),
    ],
)
def test_options_out_of_range_are_refused(finder, option):
    with pytest.raises(OptionError, match=next(iter(option))):
        finder(**option)


def test_without_scikit_image_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage.feature", None)
    with pytest.raises(MissingBackendError, match=r"gammafind\[finders\]"):
        LaplacianOfGaussian().localise(toy_patches())
