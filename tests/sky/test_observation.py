from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest

from gammafind.errors import BandError
from gammafind.sky.bands import energy_bands
from gammafind.sky.observation import Observation
from gammafind.sky.patch_grid import PatchGrid
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


def test_patches_know_where_there_are_no_data():
    pixels = sky(2, "counts").pixels
    masks = tuple(p.vectors[:, 2] < 0.5 for p in pixels)
    exposure = tuple(p.vectors[:, 0] < 0.9 for p in pixels)
    seen = observation(
        counts=sky(2, "counts", valid=masks), exposure=sky(1e10, "exposure", valid=exposure)
    )
    grid = PatchGrid.healpix(2, size=50 * u.deg)
    patches = seen.patches(grid, (16, 32), rng=np.random.default_rng(1))
    for band in range(2):
        good = patches.valid[band]
        north, centre = (
            np.stack([grid.pixel_vectors(i, width)[..., axis] for i in range(len(grid))])
            for width, axis in ((good.shape[1], 2), (good.shape[1], 0))
        )
        assert not good[(north > 0.65) | (centre > 0.98)].any()
        assert good[(north < 0.35) & (centre < 0.8)].all()
        for arrays in (patches.counts, patches.background, patches.exposure):
            assert not arrays[band][~good].any()
        assert patches.counts[band][good].sum() > 0
        np.testing.assert_allclose(patches.exposure[band][good], 1e10, rtol=1e-6)


def test_patches_of_a_whole_sky_are_valid_everywhere():
    grid = PatchGrid.healpix(1, size=50 * u.deg)
    patches = observation().patches(grid, (16, 32), rng=np.random.default_rng(1))
    assert all(good.all() for good in patches.valid)
