from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from gammafind.errors import InputDataError, OptionError, ShapeError
from gammafind.networks.features import FeatureSpec, feature_shapes, features, significance

WIDTHS = (2, 2, 4, 8, 16, 16)
SPECS = [FeatureSpec(background=b, exposure=e) for b in (False, True) for e in (False, True)]


def stacks(rng: np.random.Generator, mean: float = 3.0, n: int = 5) -> tuple[np.ndarray, ...]:
    return tuple(rng.poisson(mean, (n, w, w)).astype(np.float32) for w in WIDTHS)


@pytest.mark.parametrize("spec", SPECS)
def test_shapes_are_those_foretold_widest_first(spec):
    rng = np.random.default_rng(1)
    made = features(stacks(rng), stacks(rng), stacks(rng), spec)
    told = feature_shapes(WIDTHS, spec)
    assert [array.shape for array in made] == [(5, w, w, c) for w, c in told]
    assert [w for w, _ in told] == [16, 8, 4, 2]
    assert {array.dtype for array in made} == {np.dtype(np.float32)}


def test_the_noise_of_counts_is_one():
    rng = np.random.default_rng(2)
    for mean in (4.0, 30.0, 1000.0):
        (drawn,) = features([rng.poisson(mean, (40, 32, 32))], None, None, FeatureSpec())
        assert_allclose(drawn.std(), 1, atol=0.03)


def test_counts_at_their_background_are_of_no_significance_on_average():
    rng = np.random.default_rng(3)
    mean = 25.0
    spec = FeatureSpec(background=True)
    (made,) = features([rng.poisson(mean, (40, 32, 32))], [np.full((40, 32, 32), mean)], None, spec)
    assert_allclose(made[..., 0].mean(), 0, atol=0.06)
    assert_allclose(made[..., 0].std(), 1, atol=0.05)
    assert_allclose(made[..., 1], np.log(mean), rtol=1e-6)


def test_significances_are_told_as_they_are_while_small_and_rise_slowly_beyond():
    counts = np.array([100.0, 110.0, 200.0, 1e6])
    told = significance(counts, np.full(4, 100.0))
    plain = 2 * (np.sqrt(counts + 0.375) - np.sqrt(100.375))
    assert_allclose(told[:2], plain[:2], rtol=0.02)
    assert told[2] < plain[2]
    assert np.all(np.diff(told) > 0)
    assert told[3] < 30


def test_channels_are_counts_then_backgrounds_then_exposures_in_the_order_of_the_bands():
    values = [(np.full((1, 4, 4), v), np.full((1, 4, 4), 10 * v)) for v in (1.0, 4.0)]
    counts, background = zip(*values, strict=True)
    exposure = [np.full((1, 4, 4), 1e11), np.full((1, 4, 4), np.e * 1e11)]
    (made,) = features(counts, background, exposure, FeatureSpec(background=True, exposure=True))
    told = [significance(1.0, 10.0), significance(4.0, 40.0), np.log(10), np.log(40), 0, 1]
    assert_allclose(made[0, 0, 0], told, rtol=1e-6, atol=1e-6)
    (bare,) = features(counts, None, None, FeatureSpec())
    assert_allclose(bare[0, 0, 0], 2 * np.sqrt(np.array([1, 4]) + 0.375), rtol=1e-6)


def test_no_exposure_is_a_number():
    (made,) = features(
        [np.zeros((1, 4, 4))], None, [np.zeros((1, 4, 4))], FeatureSpec(exposure=True)
    )
    assert np.all(np.isfinite(made))


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0])
@pytest.mark.parametrize("name", ["counts", "background", "exposure"])
def test_values_that_cannot_be_are_named(name, value):
    arrays = {n: [np.ones((2, 4, 4))] for n in ("counts", "background", "exposure")}
    arrays[name] = [np.where(np.indices((2, 4, 4))[0] == 1, value, 1.0)]
    with pytest.raises(InputDataError, match=f"the {name} of the patches"):
        features(**arrays, spec=FeatureSpec(background=True, exposure=True))


@pytest.mark.parametrize("name", ["background", "exposure"])
def test_what_is_asked_for_must_be_given(name):
    with pytest.raises(OptionError, match=f"need the {name}"):
        features([np.ones((1, 4, 4))], None, None, FeatureSpec(**{name: True}))


@pytest.mark.parametrize(
    "counts",
    [
        [],
        [np.ones((4, 4))],
        [np.ones((1, 4, 5))],
        [np.ones((1, 4, 4)), np.ones((2, 4, 4))],
    ],
)
def test_what_is_no_stack_of_patches_is_refused(counts):
    with pytest.raises(ShapeError, match="shapes"):
        features(counts, None, None, FeatureSpec())


def test_backgrounds_of_another_shape_are_refused():
    with pytest.raises(ShapeError, match="background of shapes"):
        features([np.ones((2, 4, 4))], [np.ones((1, 4, 4))], None, FeatureSpec(background=True))
