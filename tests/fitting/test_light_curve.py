"""Fits of one source in each epoch."""

import numpy as np
import pytest
from scipy.stats import chi2, kstest

from gammafind.fitting.photons.epoch_profile import EpochSky
from gammafind.fitting.photons.light_curve import fit_light_curve
from gammafind.fitting.photons.limits import LocalSky, fit_place

SHARES = np.array([[0.1], [0.2], [0.3], [0.25], [0.15]])


def profile(centre, n=21, width=2.0):
    """Shares of the counts of a source in a row of pixels."""
    share = np.exp(-(((np.arange(n) - centre) / width) ** 2) / 2)
    return share / share.sum()


def drawn(amplitudes, rng, *, level=5.0, neighbour=None, shares=SHARES):
    """Photons of a source at the tenth pixel, and of a neighbour that may vary."""
    templates = profile(10.0)[:, None]
    expected = level + templates[:, 0] * np.asarray(amplitudes, dtype=float)[:, None]
    start = [float(np.mean(amplitudes))]
    if neighbour is not None:
        templates = np.stack([templates[:, 0], profile(13.0)], axis=1)
        expected = expected + profile(13.0) * np.asarray(neighbour, dtype=float)[:, None]
        start.append(float(np.mean(neighbour)))
    counts = rng.poisson(expected * shares)
    epoch, row = np.nonzero(counts)
    return EpochSky(
        epoch=epoch,
        row=row,
        counts=counts[epoch, row],
        fixed=np.full(21, level),
        templates=templates,
        band=np.zeros(21, dtype=int),
        shares=shares,
        start=np.array(start),
    )


def test_the_index_of_a_steady_source_follows_chi_square():
    rng = np.random.default_rng(1)
    index = [fit_light_curve(drawn(np.full(5, 2000.0), rng)).variability for _ in range(300)]
    assert kstest(index, chi2(4).cdf).pvalue > 0.01


def test_errors_hold_the_truth_in_two_thirds_of_the_epochs_and_fluxes_are_not_biased():
    rng = np.random.default_rng(2)
    truth = np.array([500.0, 2000.0, 1000.0, 800.0, 1500.0])
    curves = [fit_light_curve(drawn(truth, rng)) for _ in range(200)]
    flux, low, high = (
        np.array([getattr(one, name) for one in curves]) for name in ("amplitude", "lower", "upper")
    )
    inside = (truth >= flux - np.nan_to_num(low, nan=np.inf)) & (truth <= flux + high)
    assert inside.mean() == pytest.approx(0.683, abs=0.04)
    np.testing.assert_allclose(flux.mean(axis=0), truth, rtol=0.05)


def test_a_neighbour_that_flares_does_not_make_a_steady_source_vary():
    rng = np.random.default_rng(3)
    flaring = [300.0, 300.0, 9000.0, 300.0, 300.0]
    index = [
        fit_light_curve(drawn(np.full(5, 3000.0), rng, neighbour=flaring)).variability
        for _ in range(150)
    ]
    assert kstest(index, chi2(4).cdf).pvalue > 0.01


def test_a_source_that_flares_varies():
    curve = fit_light_curve(drawn([100, 100, 6000, 100, 100], np.random.default_rng(4)))
    assert curve.variability > 500
    assert curve.ts[2] > 300
    assert curve.amplitude.argmax() == 2


def test_systematic_errors_make_the_index_smaller():
    rng = np.random.default_rng(5)
    sky = drawn([1e6, 1.1e6, 1e6, 1e6, 1e6], rng)
    free, bound = (fit_light_curve(sky, systematic=f).variability for f in (0.0, 0.02))
    assert free > 5 * bound > 0


def test_faint_epochs_have_limits_as_single_places_have():
    rng = np.random.default_rng(6)
    sky = drawn(np.full(5, 15.0), rng)
    curve = fit_light_curve(sky)
    faint = np.flatnonzero(curve.ts < 1)
    assert len(faint)
    assert np.isnan(curve.lower[faint]).all()
    np.testing.assert_allclose(curve.upper[faint], (curve.limit - curve.amplitude)[faint] / 2)
    for i in faint:
        here = sky.epoch == i
        counts = np.bincount(sky.row[here], sky.counts[here], minlength=21)
        share = SHARES[i, 0]
        local = LocalSky.alone(counts, share * sky.fixed, share * sky.templates[:, 0])
        assert curve.limit[i] == pytest.approx(fit_place(local).limit, rel=0.02)


def test_epochs_without_exposure_are_unknown_and_without_photons_limited():
    shares = np.array([[0.5], [0.0], [0.5], [1e-6]])
    curve = fit_light_curve(drawn(np.full(4, 400.0), np.random.default_rng(7), shares=shares))
    assert np.isnan(curve.amplitude).tolist() == [False, True, False, False]
    assert curve.amplitude[3] == 0
    assert curve.limit[3] > 1e6
    assert np.isfinite(curve.variability)


def test_one_epoch_does_not_vary():
    curve = fit_light_curve(drawn([400.0], np.random.default_rng(8), shares=np.ones((1, 1))))
    assert curve.ts[0] > 25
    assert np.isnan(curve.variability)
