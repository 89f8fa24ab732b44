from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from numpy.testing import assert_allclose

from gammafind.errors import InputDataError
from gammafind.fitting.photons.cutouts import make_cutouts
from gammafind.fitting.photons.photometry import measure_photometry
from gammafind.sky.cutouts import CutoutLayout
from gammafind.sky.epochs import Epochs
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.projection import positions_of
from gammafind.sky.psf_stamps import point_source_map
from gammafind.sky.skymap import SkyMap
from tests.fitting.skies import aside, gaussian_psf, observe, spread_out

PIXELS = (HealpixPixels(32), HealpixPixels(64))
PSFS = (gaussian_psf(3.0), gaussian_psf(1.5))
BACKGROUND = (5.0, 0.5)
COUNTS = np.array([600.0, 200.0])
LAYOUT = CutoutLayout(widths=(14.0, 7.0))


def sky_of(vectors, counts, *, rng=None):
    """Sources of ``counts`` (n, 2) on a flat background."""
    background = [np.full(p.shape, b) for p, b in zip(PIXELS, BACKGROUND, strict=True)]
    expected = [
        b + point_source_map(vectors, counts[:, i], p, psf)
        for i, (b, p, psf) in enumerate(zip(background, PIXELS, PSFS, strict=True))
    ]
    return observe(expected, background, PIXELS, PSFS, rng=rng)


def split(observation, shares, *, rng):
    """Epochs of which each photon is in one at random."""
    parts = [rng.multinomial(values.astype(int), shares).T for values in observation.counts.values]
    skies = [
        SkyMap(observation.counts.bands, PIXELS, tuple(part[i] for part in parts))
        for i in range(len(shares))
    ]
    coarse = (HealpixPixels(4),) * 2
    exposure = [
        SkyMap(skies[0].bands, coarse, tuple(np.full(192, 1e11 * s) for _ in coarse), "exposure")
        for s in shares
    ]
    return Epochs(skies, exposure)


@pytest.fixture(scope="module")
def vectors():
    return spread_out(12, 25.0, rng=np.random.default_rng(1))


def test_expected_counts_give_back_the_source(vectors):
    observation = sky_of(vectors, np.tile(COUNTS, (12, 1)))
    here = positions_of(vectors, "galactic")
    for solid in (np.ones(12, dtype=bool), np.zeros(12, dtype=bool)):
        found = measure_photometry(observation, here, solid)
        assert_allclose(found.counts, np.tile(COUNTS, (12, 1)), rtol=0.03)
        assert found.light_curve is None
    assert_allclose(found.background[:, 0], 5 / PIXELS[0].pixel_area.to_value("deg2"))


def test_errors_are_those_of_the_noise(vectors):
    here = positions_of(vectors, "galactic")
    pulls = []
    for seed in range(12):
        observation = sky_of(vectors, np.tile(COUNTS, (12, 1)), rng=np.random.default_rng(seed))
        found = measure_photometry(observation, here, np.ones(12, dtype=bool))
        pulls.append((found.counts - COUNTS) / found.counts_err)
    assert abs(np.mean(pulls)) < 0.3
    assert 0.8 < np.std(pulls) < 1.2


def test_neighbours_are_told_apart(vectors):
    pair = np.stack([vectors[0], aside(vectors[0], 5.0)])
    counts = np.array([[3000.0, 1000.0], [300.0, 100.0]])
    found = measure_photometry(
        sky_of(pair, counts), positions_of(pair, "galactic"), np.ones(2, dtype=bool)
    )
    assert_allclose(found.counts, counts, rtol=0.08)


def test_a_place_without_a_source_may_have_less_than_nothing(vectors):
    observation = sky_of(vectors[:1], COUNTS[None], rng=np.random.default_rng(3))
    found = measure_photometry(
        observation, positions_of(vectors[1:], "galactic"), np.zeros(11, dtype=bool)
    )
    assert np.any(found.counts < 0)
    assert abs(np.mean(found.counts / found.counts_err)) < 0.7


def test_the_light_curve_of_a_steady_source_is_level(vectors):
    observation = sky_of(vectors, np.tile(COUNTS, (12, 1)), rng=np.random.default_rng(4))
    epochs = split(observation, [0.2, 0.3, 0.5], rng=np.random.default_rng(5))
    found = measure_photometry(
        observation, positions_of(vectors, "galactic"), np.ones(12, dtype=bool), epochs=epochs
    )
    assert found.light_curve.shape == (12, 3)
    pull = (found.light_curve - COUNTS.sum()) / found.light_curve_err
    assert abs(pull.mean()) < 0.6
    assert 0.6 < pull.std() < 1.4
    assert np.all(np.diff(found.light_curve_err, axis=1) < 0)  # The epochs get longer.


def detections_at(vectors, **columns):
    here = positions_of(vectors, "galactic").icrs
    from astropy.table import QTable

    return QTable({"ra": here.ra, "dec": here.dec, "score": np.full(len(vectors), 0.9), **columns})


def test_cut_outs_have_all_that_a_classifier_takes(vectors):
    observation = sky_of(vectors, np.tile(COUNTS, (12, 1)), rng=np.random.default_rng(6))
    epochs = split(observation, [0.5, 0.5], rng=np.random.default_rng(7))
    table = detections_at(vectors, pos_err=np.full(12, 0.1) * u.deg)
    made = make_cutouts(observation, table, layout=LAYOUT, epochs=epochs)
    shapes = {name: array.shape[1:] for name, array in made.arrays.items()}
    assert shapes == {
        "counts": (2, 7, 7),
        "background": (2, 7, 7),
        "epoch_counts": (2, 7, 7),
        "epoch_background": (2, 7, 7),
        **dict.fromkeys(("spectrum", "spectrum_err", "exposure", "density"), (2,)),
        **dict.fromkeys(("light_curve", "light_curve_err"), (2,)),
        "position": (2,),
        "score": (),
        "pos_err": (),
    }
    assert all(array.dtype == np.float32 for array in made.arrays.values())
    assert len(made) == 12
    assert made.inside.all()
    sky = SkyCoord(*made.arrays["position"].T, unit="deg", frame="galactic")
    assert sky.separation(positions_of(vectors, "galactic")).max() < 1e-4 * u.deg


def test_scores_that_are_no_probabilities_are_left_out(vectors):
    observation = sky_of(vectors, np.tile(COUNTS, (12, 1)))
    made = make_cutouts(observation, detections_at(vectors), layout=LAYOUT, probabilities=False)
    assert np.all(np.isnan(made.arrays["score"]))
    assert np.all(np.isnan(made.arrays["pos_err"]))
    assert "light_curve" not in made.arrays


def test_epochs_of_another_sky_are_refused(vectors):
    observation = sky_of(vectors, np.tile(COUNTS, (12, 1)), rng=np.random.default_rng(8))
    epochs = split(observation, [0.5, 0.5], rng=np.random.default_rng(9))
    other = sky_of(vectors, np.tile(5 * COUNTS, (12, 1)), rng=np.random.default_rng(8))
    with pytest.raises(InputDataError, match="2 epochs have"):
        make_cutouts(other, detections_at(vectors), layout=LAYOUT, epochs=epochs)
