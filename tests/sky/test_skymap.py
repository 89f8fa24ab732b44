from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest

from gammafind.errors import BandError, OptionError, ShapeError
from gammafind.sky.bands import energy_bands
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.skymap import KINDS, SkyMap

BANDS = energy_bands([1, 2, 7] * u.GeV)
PIXELS = (HealpixPixels(2), HealpixPixels(4))


def sky(value=1, **options) -> SkyMap:
    values = tuple(np.full(pixels.shape, value) for pixels in PIXELS)
    return SkyMap(**{"bands": BANDS, "pixels": PIXELS, "values": values, **options})


def test_each_band_has_pixels_of_its_own():
    assert [values.size for values in sky().values] == [48, 192]
    assert all(valid.all() for valid in sky().valid)
    assert sky().n_bands == 2


@pytest.mark.parametrize("kind", KINDS)
def test_units(kind):
    assert sky(kind=kind).unit == KINDS[kind]


def test_values_that_are_not_valid_are_zero_whatever_they_were():
    values = [np.full(pixels.shape, -5.0) for pixels in PIXELS]
    valid = [np.zeros(pixels.shape, dtype=bool) for pixels in PIXELS]
    values[0][3], valid[0][3] = 2.0, True
    values[1][:] = np.nan
    held = sky(values=values, valid=valid)
    assert held.values[0].sum() == 2
    assert not held.values[1].any()
    assert values[0][4] == -5, "the caller's array is left alone"


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"kind": "magnitude"}, OptionError, "Accepted are counts"),
        ({"pixels": PIXELS[:1]}, BandError, "2 bands, 1 pixelisations"),
        ({"values": (np.ones(48), np.ones(48))}, ShapeError, r"\(48,\).*\(192,\)"),
        ({"valid": (np.ones(48, bool), np.ones(4, bool))}, ShapeError, "mask"),
        ({"value": -1}, OptionError, "48 pixels are negative"),
        ({"value": np.nan}, OptionError, "not finite"),
        ({"value": np.inf, "kind": "score"}, OptionError, "not finite"),
        ({"bands": (BANDS[0], BANDS[0])}, BandError, "not unique"),
    ],
)
def test_what_does_not_fit_is_refused(options, error, words):
    with pytest.raises(error, match=words):
        sky(**options)


def test_scores_may_be_negative():
    assert sky(-1, kind="score").values[0].sum() == -48


def test_bands_are_selected_by_name_in_the_order_asked():
    chosen = sky().select(["2-7 GeV", "1-2 GeV"])
    assert [pixels.nside for pixels in chosen.pixels] == [4, 2]
    assert [valid.size for valid in chosen.valid] == [192, 48]
    with pytest.raises(BandError, match=r"no band 9-10 GeV.*1-2 GeV, 2-7 GeV"):
        sky().select(["9-10 GeV"])


def test_poisson_draws_follow_the_expected_counts():
    expected = sky(400.0, kind="expected counts")
    drawn = expected.poisson(rng=np.random.default_rng(1))
    again = expected.poisson(rng=np.random.default_rng(1))
    assert drawn.kind == "counts"
    np.testing.assert_array_equal(drawn.values[1], again.values[1])
    assert drawn.values[1].mean() == pytest.approx(400, abs=4 * 20 / np.sqrt(192))
    assert drawn.values[1].std() == pytest.approx(20, rel=0.25)
    with pytest.raises(OptionError, match="map of counts"):
        drawn.poisson(rng=np.random.default_rng(1))


def test_more_counts_than_integers_hold_are_refused():
    pixels = HealpixPixels(1)
    sky = SkyMap(energy_bands([1, 2] * u.GeV), [pixels], [np.full(12, 1e20)], "expected counts")
    with pytest.raises(OptionError, match=r"1e\+20 counts are expected in a pixel"):
        sky.poisson(rng=np.random.default_rng(0))
