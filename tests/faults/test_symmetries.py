"""Results do not depend on what must not matter: order, splitting, numbering, units, rotation."""

from __future__ import annotations

import tempfile
from pathlib import Path

import astropy.units as u
import healpy as hp
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import QTable
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.transform import Rotation

from gammafind import evaluate
from gammafind.catalogue.matching import match_one_to_one
from gammafind.evaluation.intervals import binomial_interval
from gammafind.sky.bands import energy_bands
from gammafind.sky.fits import bin_events, read_counts, read_events
from gammafind.sky.pixels import HealpixPixels
from gammafind.utils.streams import streams
from gammafind.utils.workers import run_tasks

SEEDS = st.integers(0, 2**32 - 1)
BANDS = energy_bands([2, 20] * u.GeV)


def places(rng, n):
    return SkyCoord(
        rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n))), unit="deg"
    )


def turned(sky, rotation):
    x, y, z = rotation @ sky.cartesian.xyz.value
    return SkyCoord(np.degrees(np.arctan2(y, x)) % 360, np.degrees(np.arcsin(z)), unit="deg")


@given(SEEDS)
def test_pairs_do_not_depend_on_the_rotation_of_the_sky(seed):
    rng = np.random.default_rng(seed)
    rotation = Rotation.from_quat(rng.normal(size=4)).as_matrix()
    a, b = places(rng, 40), places(rng, 50)
    here = match_one_to_one(a, b, 8 * u.deg)
    there = match_one_to_one(turned(a, rotation), turned(b, rotation), 8 * u.deg)
    assert_array_equal(here.a, there.a)
    assert_array_equal(here.b, there.b)
    assert_allclose(here.separation.value, there.separation.value, atol=1e-6)


@given(SEEDS)
def test_metrics_do_not_depend_on_the_order_of_the_rows(seed):
    rng = np.random.default_rng(seed)
    there = places(rng, 60)
    truth = QTable(
        {"ra": there.ra, "dec": there.dec, "flux": rng.uniform(1, 9, 60) / u.cm**2 / u.s}
    )
    found = QTable(
        {
            "ra": there.ra[:40],
            "dec": there.dec[:40],
            "score": rng.permutation(40).astype(float),
            "pos_err": np.full(40, 0.1) * u.deg,
        }
    )
    first = evaluate(found, truth, radius=1 * u.deg)
    again = evaluate(found[rng.permutation(40)], truth[rng.permutation(60)], radius=60 * u.arcmin)
    assert first["at_cut"] == again["at_cut"]
    assert first["at_purity"] == again["at_purity"]


@given(SEEDS, st.sampled_from(["galactic", "icrs"]))
def test_counts_in_ring_and_nested_order_are_the_same(seed, frame):
    counts = np.random.default_rng(seed).poisson(1, 12 * 4**2)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for ordering in ("RING", "NESTED"):
            values = counts if ordering == "RING" else hp.reorder(counts, r2n=True)
            column = fits.Column("T", "J", array=values)
            table = fits.BinTableHDU.from_columns([column])
            table.header.update(PIXTYPE="HEALPIX", ORDERING=ordering, NSIDE=4)
            path = Path(folder) / f"{ordering}.fits"
            fits.HDUList([fits.PrimaryHDU(), table]).writeto(path)
            found.append(read_counts(path, bands=BANDS, frame=frame).values[0])
    assert_array_equal(*found)
    assert_array_equal(found[0], counts)


def photons(path, rows, whole):
    table = fits.BinTableHDU(whole.data[rows], whole.header, name="EVENTS")
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path)
    return path


@pytest.mark.parametrize("seed", range(3))
def test_photons_in_one_file_in_parts_and_in_any_order_are_the_same_map(corpus, tmp_path, seed):
    order = np.random.default_rng(seed).permutation(60)
    with fits.open(corpus["ft1.fits"]) as file:
        parts = [photons(tmp_path / f"{i}.fits", order[i::3], file["EVENTS"]) for i in range(3)]
    pixels = (HealpixPixels(16),)
    one, many = (
        bin_events(read_events(paths), bands=BANDS, pixels=pixels).values[0]
        for paths in (corpus["ft1.fits"], parts)
    )
    assert_array_equal(one, many)
    assert one.sum() == 60


@given(st.integers(0, 500), st.integers(1, 500))
def test_intervals_of_found_and_missed_mirror_each_other(k, more):
    n = k + more
    low, high = binomial_interval(np.array([k]), np.array([n]))
    other_low, other_high = binomial_interval(np.array([n - k]), np.array([n]))
    assert_allclose([low, high], [1 - other_high, 1 - other_low], atol=1e-9)
    assert low[0] <= k / n <= high[0]


def draw(index):
    return streams(3, index).counts.poisson(5, 20).sum()


def test_what_workers_make_does_not_depend_on_their_number(monkeypatch):
    # Workers import this file by its name.
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
    alone = sorted(run_tasks(draw, range(4)))
    assert sorted(run_tasks(draw, range(4), workers=2)) == alone


@given(st.floats(1e-3, 1e6), st.sampled_from(["keV", "MeV", "GeV", "TeV", "erg", "J"]))
def test_bands_are_the_same_in_any_unit(low, unit):
    edges = [low, 2 * low, 10 * low] * u.GeV
    for one, other in zip(energy_bands(edges), energy_bands(edges.to(unit)), strict=True):
        assert_allclose(one.edges.to_value("GeV"), other.edges.to_value("GeV"), rtol=1e-12)
