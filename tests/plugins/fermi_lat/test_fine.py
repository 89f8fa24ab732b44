from __future__ import annotations

from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from numpy.testing import assert_allclose

from gammafind.plugins.fermi_lat.fine import divided, fine_counts
from gammafind.plugins.fermi_lat.renderer import FermiLatRenderer
from gammafind.sky.fits.events import EventList

LAT = FermiLatRenderer(
    irf="P8R2_SOURCE_V6",
    event_types=("FRONT+BACK",),
    energies=(50.0, 100.0, 800.0),
    nsides=(64, 64),
    exposure_source="ten-years",
)


def photons(n, *, typed=True):
    rng = np.random.default_rng(1)
    return EventList(
        positions=SkyCoord(rng.uniform(0, 360, n), rng.uniform(-60, 60, n), unit="deg"),
        energies=50e3 * rng.pareto(1.3, n) * u.MeV + 50e3 * u.MeV,
        event_type=np.where(rng.random(n) < 0.6, 1, 2).astype(np.uint32) * typed,
        event_class=np.full(n, 128, dtype=np.uint32),
    )


def test_bands_are_divided_into_parts_that_fill_them():
    edges, parents = divided((50.0, 100.0, 2000.0))
    assert (edges[0], edges[-1]) == (50, 2000)
    assert 100 in edges
    assert len(parents) == len(edges) - 1
    assert [edges[i + 1] <= 100 for i in range(len(parents))] == [p == 0 for p in parents]
    assert np.all(np.diff(edges) > 0)


@pytest.mark.parametrize("typed", [True, False])
def test_each_photon_is_in_one_part_of_its_band(typed):
    events = photons(400, typed=typed)
    fine = fine_counts(LAT, [events])
    energies = events.energies.to_value("GeV")
    low = np.count_nonzero(energies < 100)
    inside = np.count_nonzero(energies < 800) - low
    of_bands = [sum(one.counts.sum() for one in fine if one.parent == i) for i in (0, 1)]
    assert of_bands == [low, inside]
    assert len({one.psf for one in fine}) == len(fine)
    assert all(np.all(np.diff(one.index) > 0) for one in fine)


def test_parts_share_the_exposure_and_the_background_of_their_band():
    fine = fine_counts(LAT, [photons(50)])
    background = sum(one.background for one in fine if one.parent == 0)
    assert_allclose(background, 1, atol=0.02)
    front, back = (one for one in fine if one.edges == fine[0].edges)
    assert_allclose(front.exposure + back.exposure, 1, atol=0.1)


def test_bands_of_many_photons_are_not_divided():
    assert fine_counts(replace(LAT, energies=(0.5, 1.0, 4.0)), [photons(5)]) == ()
    high = fine_counts(replace(LAT, energies=(1.0, 50.0, 800.0)), [photons(50)])
    assert {one.parent for one in high} == {1}


def test_channels_are_divided_apart():
    both = fine_counts(replace(LAT, event_types=("FRONT", "BACK")), [photons(200)])
    assert {one.parent for one in both} == {0, 1, 2, 3}
    alone = fine_counts(LAT, [photons(200)])
    assert sum(one.counts.sum() for one in both) == sum(one.counts.sum() for one in alone)
