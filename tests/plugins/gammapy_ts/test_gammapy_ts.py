"""The adapter to gammapy; where gammapy is not installed, that it says so."""

from __future__ import annotations

import sys
from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest

from gammafind.errors import MissingBackendError, OptionError
from gammafind.plugins.gammapy_ts.localiser import GammapyTs
from gammafind.roles.localiser import Localiser
from gammafind.sky.bands import energy_bands
from gammafind.sky.patches import Patches
from gammafind.testing import check_localiser, check_plugin, toy_patches


def small(n=32):
    """The middle of the toy patch, with the source at (22, 11)."""
    toy = toy_patches()
    cut = (slice(None), slice(16, 48), slice(16, 48))
    arrays = {name: (getattr(toy, name)[0][cut],) for name in ("counts", "background", "exposure")}
    grid = replace(toy.grid, size=3.2 * u.deg)
    return Patches(grid=grid, bands=toy.bands, psfs=toy.psfs, **arrays)


def two_bands():
    """The small patch with a coarser band of the same source below it."""
    fine = small()
    coarse = [
        a[0].reshape(1, 16, 2, 16, 2).sum(axis=(2, 4)) for a in (fine.counts, fine.background)
    ]
    return Patches(
        grid=fine.grid,
        bands=energy_bands([0.5, 2, 20] * u.GeV),
        counts=(coarse[0], *fine.counts),
        background=(coarse[1], *fine.background),
        exposure=(np.full((1, 16, 16), 1e11), *fine.exposure),
        psfs=fine.psfs * 2,
    )


def test_it_is_a_localiser():
    check_plugin(GammapyTs, Localiser)


def test_without_gammapy_the_extra_is_named(monkeypatch):
    monkeypatch.delitem(sys.modules, "gammafind.plugins.gammapy_ts.maps", raising=False)
    monkeypatch.setitem(sys.modules, "gammapy.datasets", None)
    with pytest.raises(MissingBackendError, match=r"gammafind\[gamma\]"):
        GammapyTs().localise(toy_patches())


@pytest.mark.parametrize(
    "option", [{"threshold": 0.0}, {"index": np.nan}, {"separation": 0.0}, {"containment": 1.0}]
)
def test_options_out_of_range_are_refused(option):
    with pytest.raises(OptionError, match=next(iter(option))):
        GammapyTs(**option)


@pytest.fixture
def gammapy():
    return pytest.importorskip("gammapy")


@pytest.mark.usefixtures("gammapy")
class TestWithGammapy:
    def test_contract(self):
        check_localiser(GammapyTs, patches=small())

    @pytest.mark.parametrize("patches", [small(), two_bands()], ids=["one band", "two"])
    def test_the_source_is_where_it_is(self, patches):
        found = GammapyTs().localise(patches)
        best = found[np.argmax(found["score"])]
        assert np.hypot(best["x"].value - 22, best["y"].value - 11) <= 1
        assert best["score"] > 300

    @pytest.mark.parametrize("name", ["background", "exposure", "psfs"])
    def test_what_the_patches_lack_is_named(self, name):
        with pytest.raises(OptionError, match=f"the patches have no {name}"):
            GammapyTs().localise(replace(small(), **{name: None}))

    def test_bands_with_a_gap_are_refused(self):
        bands = (energy_bands([0.5, 1] * u.GeV)[0], *small().bands)
        with pytest.raises(OptionError, match="are not consecutive"):
            GammapyTs().localise(replace(two_bands(), bands=bands))
