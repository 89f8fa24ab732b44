"""The numbers of one evaluation, and the bins and selections behind them."""

from __future__ import annotations

import json

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from gammafind.errors import OptionError, TableError
from gammafind.evaluation.brightness import MinFlux, default_min_fluxes, flux_axis
from gammafind.evaluation.curves import half_found, log_bins, quantile_bins
from gammafind.evaluation.performance import measure_performance

N = 2000
CUT = 25.0


@pytest.fixture(scope="module")
def sky():
    """Sources of known TS, found above 25 but for one in ten; 60 false detections near it."""
    rng = np.random.default_rng(1)
    lat = np.degrees(np.arcsin(rng.uniform(-1, 1, N + 60)))
    places = SkyCoord(rng.uniform(0, 360, N + 60), lat, unit="deg", frame="galactic").icrs
    ts = 10 ** rng.uniform(0, 3, N)
    truth = QTable({"ra": places.ra[:N], "dec": places.dec[:N], "ts": ts})
    truth["energy_flux"] = 1e-14 * ts * u.Unit("erg cm-2 s-1")
    found = np.flatnonzero((ts > CUT) & (rng.random(N) < 0.9))
    sigma = 0.3 / np.sqrt(ts[found])
    moved = places[found].directional_offset_by(
        rng.uniform(0, 360, len(found)) * u.deg, rng.rayleigh(sigma) * u.deg
    )
    detections = QTable(
        {
            "ra": np.concatenate([moved.ra, places.ra[N:]]),
            "dec": np.concatenate([moved.dec, places.dec[N:]]),
            "score": np.concatenate([ts[found], rng.uniform(10, 40, 60)]),
        }
    )
    r68 = np.sqrt(2 * np.log(1 / 0.32)) * sigma
    detections["pos_err"] = np.append(r68, np.full(60, 0.05)) * u.deg
    return detections, truth


@pytest.fixture(scope="module")
def summary(sky):
    return measure_performance(*sky, rng=np.random.default_rng(2), radius=0.5 * u.deg, purity=0.95)


def test_it_is_json(summary):
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_each_region_has_its_own_cut_and_is_that_pure(summary):
    regions = summary["at_purity"]
    assert list(regions) == ["all", "|b| > 20 deg", "|b| < 10 deg"]
    for region in regions.values():
        assert region["purity"] >= 0.95
        low, high = region["completeness_68"]
        assert low < region["completeness"] < high
    n = [region["n_sources"] for region in regions.values()]
    assert n[0] == N > n[1] > n[2]


def test_brighter_sources_have_the_cut_of_the_region(sky, summary):
    _, truth = sky
    region = summary["at_purity"]["all"]
    names = ["energy_flux >= 3.4e-13 erg / (s cm2)", "energy_flux >= 1e-12 erg / (s cm2)"]
    assert list(region["brighter"]) == names
    for name, least in zip(names, (3.4e-13, 1e-12), strict=True):
        entry = region["brighter"][name]
        assert entry["n_sources"] == np.sum(truth["energy_flux"].value >= least)
        assert entry["completeness"] == pytest.approx(0.9, abs=0.04)
        low, high = entry["completeness_68"]
        assert low < entry["completeness"] < high


def test_bins_add_up_and_half_are_found_where_the_cut_is(summary):
    region = summary["at_purity"]["all"]
    for axis in ("by_flux", "by_ts"):
        assert sum(region[axis]["n"]) == region["n_sources"]
        assert sum(region[axis]["n_hits"]) == region["n_found"]
    assert sum(region["by_score"]["n"]) == summary["at_cut"]["n_detections"]
    assert sum(region["by_score"]["n_hits"]) == summary["at_cut"]["n_matched"]
    assert region["by_score"]["purity"][-1] == 1
    assert region["by_score"]["purity"][0] < 0.9
    assert region["ts50"] == pytest.approx(CUT, rel=0.1)
    low, high = region["ts50_68"]
    assert low <= region["ts50"] * 1.01
    assert high >= region["ts50"] * 0.99
    assert region["curve"]["purity"][0] == 1


def test_the_tight_radius_loses_one_in_twenty_of_wide_errors_only(summary):
    wide, tight = summary["at_purity"]["all"], summary["tight"]["all"]
    assert tight["cut"] == wide["cut"]
    assert tight["n_detections"] == wide["n_detections"]
    assert 0.93 * wide["n_matched"] < tight["n_matched"] < wide["n_matched"]


def test_offsets_are_within_their_errors(summary):
    offsets = summary["offsets"]
    assert offsets["all"]["n"] == summary["at_purity"]["all"]["n_matched"]
    assert offsets["ts_above_25"]["within_68"] == pytest.approx(0.68, abs=0.05)
    assert offsets["ts_above_25"]["within_95"] == pytest.approx(0.95, abs=0.03)
    assert sum(offsets["over_error"]["n"]) == offsets["all"]["n"]


def test_a_latitude_leaves_out_both_detections_and_sources(sky, summary):
    off = measure_performance(
        *sky, rng=np.random.default_rng(2), min_latitude=20 * u.deg, purity=0.95
    )
    parts = off["at_purity"]
    for name in ("cut", "n_detections", "n_sources", "n_found"):
        assert parts["all"][name] == summary["at_purity"]["|b| > 20 deg"][name]
    assert parts["|b| < 10 deg"]["n_sources"] == 0
    assert parts["|b| < 10 deg"]["completeness"] is None


def test_what_is_not_known_is_left_out(sky):
    detections, truth = sky
    bare = measure_performance(
        detections["ra", "dec", "score"], truth["ra", "dec"], rng=np.random.default_rng(3)
    )
    region = bare["at_purity"]["all"]
    assert region["brighter"] == {}
    assert not {"by_flux", "by_ts", "ts50"} & set(region)
    assert bare["tight"] is None
    assert bare["flux"] is None
    assert bare["offsets"]["ts_above_25"] is None
    assert bare["offsets"]["all"]["within_68"] is None


def test_an_image_has_rates_without_intervals(sky):
    centre = SkyCoord(45, 20, unit="deg")
    detections, truth = (
        table[SkyCoord(table["ra"], table["dec"]).separation(centre) < 7 * u.deg] for table in sky
    )
    image = measure_performance(detections, truth, rng=np.random.default_rng(5))
    assert len(truth) > 0
    json.dumps(image, allow_nan=False)
    for entry in (image["at_cut"], image["at_purity"]["all"], image["tight"]["all"]):
        assert 0 < entry["completeness"] <= 1
        assert entry["completeness_68"] == entry["purity_68"] == [None, None]
    bins = image["at_purity"]["all"]["by_ts"]
    assert all(ends == [None, None] for ends in bins["completeness_68"])


@pytest.mark.parametrize(
    ("name", "values", "fault"),
    [
        ("pos_err", 1 * u.m, "column pos_err of the detections .* in degrees"),
        ("pos_err", "wide", "column pos_err of the detections .* in degrees"),
        ("ts", 1 * u.m, "column ts of the detections .* without a unit"),
        ("score", "high", "column score of the detections is not a score .* without a unit"),
    ],
)
def test_columns_of_detections_that_are_of_no_use_are_named(sky, name, values, fault):
    detections, truth = sky[0].copy(), sky[1]
    detections[name] = [values] * len(detections)
    with pytest.raises(TableError, match=fault):
        measure_performance(detections, truth, rng=np.random.default_rng(5))


def test_a_cut_is_a_number(sky):
    with pytest.raises(OptionError, match="the score cut is nan"):
        measure_performance(*sky, rng=np.random.default_rng(5), cut=np.nan)


@pytest.mark.parametrize("rows", [(0, None), (None, 0), (0, 0)])
def test_nothing_found_or_nothing_there(sky, rows):
    tables = (table[:n] for table, n in zip(sky, rows, strict=True))
    nothing = measure_performance(*tables, rng=np.random.default_rng(4))
    json.dumps(nothing, allow_nan=False)
    region = nothing["at_purity"]["all"]
    assert region["cut"] is None
    assert region["n_found"] == 0
    assert nothing["offsets"]["all"]["median_deg"] is None


def test_least_fluxes_are_read_from_text():
    one = MinFlux.parse("Flux1000 = 1e-9cm-2 s-1")
    assert (one.column, one.least) == ("Flux1000", 1e-9 * u.Unit("cm-2 s-1"))
    for text in ("1e-9", "flux=", "flux=bright", "flux=nan"):
        with pytest.raises(OptionError):
            MinFlux.parse(text)


def test_least_fluxes_convert_and_missing_fluxes_are_faint():
    truth = QTable({"flux": [1, 3, np.nan] * u.Unit("m-2 s-1"), "bare": [1.0, 3.0, 2.0]})
    assert list(MinFlux.parse("flux=2e-4 cm-2 s-1").mask(truth)) == [False, True, False]
    assert list(MinFlux.parse("bare=2 Jy").mask(truth)) == [False, True, True]
    with pytest.raises(TableError, match="no column other"):
        MinFlux.parse("other=2 Jy").mask(truth)
    with pytest.raises(TableError, match="not such a flux"):
        MinFlux.parse("flux=2 Jy").mask(truth)
    assert default_min_fluxes(truth) == ()
    assert flux_axis(truth)[:2] == ("flux", "1 / (s m2)")
    assert flux_axis(truth, [MinFlux.parse("bare=2 Jy")])[:2] == ("bare", "Jy")
    assert flux_axis(truth["bare",]) is None


def test_half_are_found_at_the_crossing_of_a_smooth_curve():
    rng = np.random.default_rng(5)
    ts = 10 ** rng.uniform(-1, 4, 20_000)
    share = 0.02 + 0.9 / (1 + (30 / ts) ** 2)
    crossing = 30 * (0.48 / 0.9 / (1 - 0.48 / 0.9)) ** 0.5
    found = rng.random(20_000) < share
    assert half_found(ts, found) == pytest.approx(crossing, rel=0.06)
    twice = np.full(20_000, 2)
    assert half_found(ts, found, twice) == half_found(ts, found)


def test_half_found_needs_a_crossing():
    ts = np.array([1.0, 10, 100, np.nan, 0])
    assert np.isnan(half_found(ts, np.ones(5, bool)))
    assert np.isnan(half_found(ts, np.zeros(5, bool)))
    assert np.isnan(half_found(ts[3:], np.ones(2, bool)))
    assert half_found(ts, np.array([0, 0, 1, 1, 1], bool)) == pytest.approx(10**1.5)


def test_bins_hold_their_values():
    values = np.array([0.0, 1, 1.5, 100, np.nan])
    bins = log_bins(values, 0.2)
    inside = bins.index >= 0
    assert list(inside) == [False, True, True, True, False]
    edges = bins.edges
    assert np.all(edges[bins.index[inside]] <= values[inside] * (1 + 1e-12))
    assert np.all(edges[bins.index[inside] + 1] > values[inside])
    assert len(log_bins(values[:1], 0.2)) == 0
    equal = quantile_bins(np.arange(100.0), 10)
    assert list(equal.count(np.ones(100))) == [10] * 10
    assert list(quantile_bins(np.ones(7), 10).count(np.ones(7))) == [7]
    assert len(quantile_bins(np.zeros(0), 10)) == 0
