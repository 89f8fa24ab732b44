from __future__ import annotations

import json
from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from numpy.testing import assert_allclose, assert_array_equal

from gammafind.errors import InputDataError, OptionError, ShapeError, WeightsError
from gammafind.networks.folder import read_architecture
from gammafind.plugins.clusterers.peaks import PeaksClusterer
from gammafind.plugins.unet import localiser as shipped
from gammafind.plugins.unet.architecture import Architecture
from gammafind.plugins.unet.localiser import UNet
from gammafind.sky.bands import energy_bands
from gammafind.sky.observation import Observation
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.patches import Patches
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.psf import RadialPsf
from gammafind.sky.skymap import SkyMap
from gammafind.testing import check_localiser, toy_patches
from tests.fitting.skies import gaussian_psf, image, observe
from tests.plugins.unet.helpers import LOG_ERROR, MANY, OFFSET, TOY

PIXEL = 0.1
"""Degrees a pixel of `toy_patches`."""
SOURCE = (38, 27)


def finder(path, **options) -> UNet:
    # The toy tells the same offset however it looks: seen from all sides that would be none.
    return UNet(weights=str(path), **{"views": 1, **options})


def calibrated(path, **calibration):
    """Change the calibration of a folder of weights."""
    file = path / "architecture.json"
    record = json.loads(file.read_text())
    record["calibration"] |= calibration
    file.write_text(json.dumps(record))


def uncalibrated(path):
    """Take the calibration of a folder of weights away."""
    file = path / "architecture.json"
    replace(TOY, calibration=None, checksums=read_architecture(path, Architecture).checksums).write(
        file, overwrite=True
    )


def many_patches(n: int, seed: int = 1) -> Patches:
    """Patches for `MANY`, at random places."""
    rng = np.random.default_rng(seed)
    grid = PatchGrid(rng.uniform(0, 360, n), rng.uniform(-60, 60, n), MANY.size)
    means = tuple(np.full((n, w, w), 3.0) for w in MANY.widths)
    patches = Patches(grid, MANY.bands, means, background=means)
    return patches.poisson(rng=rng)


@pytest.mark.parametrize("backend", ["onnxruntime", "keras"])
def test_the_contract_is_kept(written, backend):
    check_localiser(UNet, weights=str(written / "toy"), backend=backend)


@pytest.mark.parametrize("backend", ["onnxruntime", "keras"])
def test_a_source_is_found_where_the_network_puts_it(written, backend):
    found = finder(written / "toy", backend=backend).localise(toy_patches())
    assert len(found) == 1
    assert_allclose(found["x"].value, SOURCE[0] + OFFSET[0])
    assert_allclose(found["y"].value, SOURCE[1] + OFFSET[1])
    sigma = TOY.calibration.error_scale * np.exp(LOG_ERROR) * PIXEL
    inside = np.random.default_rng(1).normal(0, sigma, (200_000, 2))
    share = np.mean(np.hypot(*inside.T) < found["pos_err"][0].to_value(u.deg))
    assert_allclose(share, 0.68, atol=0.005)


def test_scores_are_probabilities_of_the_table(toy):
    plain = finder(toy).localise(toy_patches())
    raw = np.log(plain["score"][0] / (1 - plain["score"][0]))
    calibrated(toy, logits=[raw - 1, raw + 1], probabilities=[0.25, 0.75])
    found = finder(toy).localise(toy_patches())
    assert_allclose(found["score"], 0.5, atol=1e-3)
    assert len(finder(toy, threshold=0.49).localise(toy_patches())) == 1
    assert len(finder(toy, threshold=0.51).localise(toy_patches())) == 0


def test_scores_of_which_nobody_knows_what_they_mean_are_refused(toy):
    uncalibrated(toy)
    with pytest.raises(WeightsError, match=r"toy: the network has no calibration.*--resume"):
        finder(toy).localise(toy_patches())


def test_batches_change_nothing(written):
    patches = many_patches(7)
    whole = finder(written / "many", batch_size=7).localise(patches)
    parts = finder(written / "many", batch_size=3).localise(patches)
    assert set(whole["patch"]) == set(range(7))
    assert_array_equal(parts["patch"], whole["patch"])
    for name in ("x", "y", "score", "pos_err"):
        assert_allclose(parts[name].value, whole[name].value, rtol=1e-4)


def test_a_clusterer_sees_the_score_map(written):
    found = finder(written / "toy", clusterer=PeaksClusterer(threshold=0.5)).localise(toy_patches())
    assert len(found) == 1
    assert_allclose([found["x"][0].value, found["y"][0].value], SOURCE, atol=0.5)
    assert 0.99 < found["score"][0] <= 1


def test_nothing_is_found_where_there_are_no_data(written):
    patches = toy_patches()
    valid = np.ones((1, 64, 64), dtype=bool)
    valid[0, :, 32:] = False
    assert len(finder(written / "toy").localise(replace(patches, valid=(valid,)))) == 0


def test_the_sky_has_each_source_once(written):
    # Four sources, in patches that overlap by half.
    pixels = HealpixPixels(512)
    places = np.array([[120.0, 45.0], [121.5, 44.0], [123.0, 45.5], [120.5, 46.2]])
    expected = np.full(pixels.shape, 1.0)
    vectors = pixels.vectors
    for lon, lat in places:
        direction = _vector(lon, lat)
        angle = np.degrees(np.arccos(np.clip(vectors @ direction, -1, 1)))
        profile = np.exp(-0.5 * (angle / 0.2) ** 2)
        expected += 400 * profile / profile.sum()
    counts = np.random.default_rng(4).poisson(expected)
    theta = np.linspace(0, np.radians(2), 100)
    observation = Observation(
        counts=SkyMap(TOY.bands, (pixels,), (counts,)),
        background={
            "sky": SkyMap(TOY.bands, (pixels,), (np.ones(pixels.shape),), "expected counts")
        },
        exposure=SkyMap(TOY.bands, (pixels,), (np.ones(pixels.shape),), "exposure"),
        psfs=(RadialPsf(theta, np.exp(-0.5 * (theta / np.radians(0.2)) ** 2)),),
    )
    lon, lat = np.meshgrid([117.0, 119.5, 122.0, 124.5], [42.5, 45.0, 47.5])
    grid = PatchGrid(lon.ravel(), lat.ravel(), TOY.size)
    found, scores = finder(written / "toy", threshold=0.5).search_sky(observation, grid=grid)
    assert len(found) == len(places)
    at = scores.pixels[0].pixel_of(SkyCoord(found["ra"], found["dec"]))
    assert np.all(scores.values[0][at] >= 0.5)
    assert scores.values[0].max() <= 1
    there = np.array([_vector(*place) for place in places])
    here = np.array(
        [_vector(*p) for p in zip(found["glon"].value, found["glat"].value, strict=True)]
    )
    distance = np.degrees(np.arccos(np.clip(here @ there.T, -1, 1)))
    assert np.all(distance.min(axis=0) < 0.15)


def _vector(lon: float, lat: float) -> np.ndarray:
    lon, lat = np.radians([lon, lat])
    return np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def test_weights_of_another_preset_are_named(written):
    patches = toy_patches()
    with pytest.raises(WeightsError, match=r"many.*bands of 0\.5-1\.0 GeV.*not 2-20\.0 GeV"):
        finder(written / "many").localise(patches)
    small = replace(
        patches,
        counts=(patches.counts[0][:, ::2, ::2],),
        background=None,
        exposure=None,
        valid=None,
    )
    with pytest.raises(WeightsError, match=r"toy.*\[64\] pixels wide, not \[32\]"):
        finder(written / "toy").localise(small)
    wide = replace(patches, grid=replace(patches.grid, size=12.8 * u.deg))
    with pytest.raises(WeightsError, match=r"toy.*of 6\.4 deg, not 12\.8 deg"):
        finder(written / "toy").localise(wide)
    other = replace(patches, bands=energy_bands([2, 30] * u.GeV))
    with pytest.raises(WeightsError, match=r"toy.*not 2-30\.0 GeV"):
        finder(written / "toy").localise(other)


def test_features_that_the_patches_lack_are_named(written):
    patches = replace(many_patches(2), background=None)
    with pytest.raises(OptionError, match="need the background"):
        finder(written / "many").localise(patches)


def test_no_patch_holds_nan_or_negative_counts(written):
    patches = toy_patches()
    counts = patches.counts[0].copy()
    counts[0, 3, 4] = np.nan
    with pytest.raises(ShapeError, match="counts of the patches has values that are not finite"):
        replace(patches, counts=(counts,))
    counts[0, 3, 4] = -1
    with pytest.raises(InputDataError, match="counts of the patches"):
        finder(written / "toy").localise(replace(patches, counts=(counts,)))


def test_scores_that_are_not_finite_are_named(written):
    patches = toy_patches()
    counts = np.full_like(patches.counts[0], 3e38)
    counts[0, 20:40] = 0
    huge = replace(patches, counts=(counts.astype(float) ** 2,))
    with np.errstate(over="ignore"), pytest.raises(WeightsError, match="not finite"):
        finder(written / "toy").localise(huge)


def test_where_no_weights_are_shipped_it_is_said(monkeypatch, tmp_path, written):
    monkeypatch.setattr(shipped, "_SHIPPED", tmp_path)
    with pytest.raises(WeightsError, match=r"no weights of the network gammafind.*are none"):
        UNet().localise(toy_patches())
    monkeypatch.setattr(shipped, "_SHIPPED", written)
    with pytest.raises(WeightsError, match=r"network paper.*gammafind \(many\)"):
        UNet(network="paper").localise(toy_patches())


def test_shipped_weights_are_those_of_the_patches(monkeypatch, written):
    monkeypatch.setattr(shipped, "_SHIPPED", written)
    chosen = UNet(views=1).localise(toy_patches())
    assert_array_equal(chosen["score"], finder(written / "toy").localise(toy_patches())["score"])
    assert len(UNet().localise(many_patches(2))) > 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("network", "resnet"),
        ("backend", "theano"),
        ("batch_size", 0),
        ("views", 0),
        ("views", 9),
        ("threshold", 0.0),
        ("threshold", 1.0),
        ("threshold", float("nan")),
        ("separation", 0.5),
        ("separation", float("nan")),
    ],
)
def test_options_out_of_range_are_named(name, value):
    with pytest.raises(OptionError, match=f"{name} is"):
        UNet(**{name: value})


IMAGE = image(16)
ONES = np.ones(IMAGE.shape)


def test_maps_with_a_wcs_are_refused_by_name(written):
    with pytest.raises(OptionError, match="HEALPix maps") as told:
        finder(written / "toy").localise_sky(observe([ONES], [ONES], [IMAGE], [gaussian_psf(1.0)]))
    assert "likelihood" in told.value.remedy
