from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest

from gammafind.errors import BandError
from gammafind.sky.bands import energy_bands
from gammafind.sky.observation import Observation
from gammafind.sky.patches import PatchGrid
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.psf import RadialPsf
from gammafind.sky.skymap import SkyMap

BANDS = energy_bands([1, 2, 7] * u.GeV)
PSF = RadialPsf(np.linspace(0, 0.1, 50), np.exp(-np.linspace(0, 5, 50)))


def sky(value, kind, *, bands=BANDS, frame="galactic", valid=None) -> SkyMap:
    pixels = (HealpixPixels(8, frame), HealpixPixels(16, frame))
    return SkyMap(bands, pixels, tuple(np.full(p.shape, value) for p in pixels), kind, valid)


def observation(**changed) -> Observation:
    parts = {
        "counts": sky(2, "counts"),
        "background": {"a": sky(1.5, "expected counts"), "b": sky(0.25, "expected counts")},
        "exposure": sky(1e10, "exposure"),
        "psfs": [PSF, PSF],
    }
    return Observation(**{**parts, **changed})


def test_the_background_is_the_sum_of_its_components():
    total = observation().total_background()
    assert total.kind == "expected counts"
    assert np.unique(np.concatenate(total.values)).tolist() == [1.75]


def test_the_background_is_valid_where_all_components_are():
    masks = [np.ones(12 * 64, bool), np.ones(12 * 256, bool)]
    masks[0][5] = False
    part = sky(0.25, "expected counts", valid=tuple(masks))
    total = observation(background={"a": sky(1.5, "expected counts"), "b": part}).total_background()
    assert np.flatnonzero(~total.valid[0]).tolist() == [5]
    assert total.valid[1].all()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"exposure": sky(1, "exposure", frame="icrs")}, "pixels of exposure"),
        (
            {"background": {"a": sky(1, "expected counts", bands=energy_bands([1, 3, 7] * u.GeV))}},
            "bands of a",
        ),
        ({"background": {}}, "no background"),
        ({"psfs": [PSF]}, "1 PSFs for 2 bands"),
    ],
)
def test_parts_that_do_not_belong_together_are_refused(changed, words):
    with pytest.raises(BandError, match=words):
        observation(**changed)


def test_patches_take_counts_background_and_exposure():
    grid = PatchGrid(np.array([10.0, 250.0]), np.array([0.0, 60.0]))
    patches = observation().patches(grid, [8, 16], rng=np.random.default_rng(0))
    assert patches.n_pixels == (8, 16)
    assert len(patches) == 2
    assert patches.psfs == (PSF, PSF)
    np.testing.assert_allclose(patches.exposure[1], 1e10)
    ratio = patches.counts[1].sum() / patches.background[1].sum()
    assert ratio == pytest.approx(2 / 1.75, rel=0.2)
