"""Numbers of the summary against counts by hand and against the evaluation."""

from __future__ import annotations

from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from gammafind.catalogue.schema import CATALOGUE, empty_table
from gammafind.errors import OptionError
from gammafind.evaluation.against import summarise
from gammafind.evaluation.metrics import evaluate_detections, rates
from gammafind.sky.skymap import SkyMap
from gammafind.views.diagnostics import completeness_figure
from gammafind.views.localisers import Search, localiser_text

from .conftest import RADIUS, with_probabilities


def test_counts_by_hand(catalogue, reference):
    summary = summarise(catalogue, reference, radius=RADIUS)
    everything, off_plane, plane = summary.regions
    assert (summary.n_detections, summary.n_matched, summary.n_unmatched) == (10, 8, 2)
    assert everything.rates.purity == pytest.approx(0.8)
    assert everything.rates.completeness == pytest.approx(8 / 12)
    assert everything.bright.n_sources == 6
    assert everything.bright.completeness == 1.0
    assert (off_plane.rates.n_detections, off_plane.rates.n_matched) == (6, 4)
    assert (plane.rates.n_detections, plane.rates.n_matched) == (4, 4)
    assert (off_plane.rates.n_sources, off_plane.rates.n_found) == (6, 4)
    assert everything.chance == 0.0
    assert summary.median_offset.to_value("deg") == pytest.approx(0.1, abs=1e-6)
    assert summary.score_quantiles[0] == 17
    assert summary.score_quantiles[-1] == pytest.approx(2e4)


def test_same_as_the_evaluation(catalogue, reference):
    ours = summarise(catalogue, reference, radius=RADIUS).regions[0].rates
    theirs = rates(evaluate_detections(catalogue, reference, radius=RADIUS, score="Score"))
    assert ours == theirs


def test_matches_by_chance_follow_the_density_of_the_reference(rng):
    vectors = rng.normal(size=(4000, 3))
    sky = SkyCoord(*vectors.T, representation_type="cartesian").spherical
    table = QTable({"RAJ2000": sky.lon.to(u.deg), "DEJ2000": sky.lat.to(u.deg)})
    table["Score"] = 1.0
    summary = summarise(table[:1000], table[1000:], radius=1 * u.deg)
    expected = 1 - np.exp(-3000 * np.pi / 41253)
    assert summary.regions[0].chance == pytest.approx(expected, abs=0.03)


def test_sources_off_the_map_are_not_missed(catalogue, reference, counts):
    glat = counts.pixels[0].centres().b.deg
    north = SkyMap(
        bands=counts.bands, pixels=counts.pixels, values=counts.values, valid=(glat > 20,)
    )
    summary = summarise(catalogue, reference, radius=RADIUS, counts=north)
    in_plane = summary.regions[2].rates
    assert (in_plane.n_sources, in_plane.n_found) == (4, 4)
    assert summary.regions[1].rates.n_sources == 6


def test_no_reference(catalogue):
    summary = summarise(catalogue, radius=RADIUS)
    assert [region.rates.n_detections for region in summary.regions] == [10, 6, 4]
    assert summary.matches is None
    assert np.isnan(summary.median_offset)
    assert "reference" not in summary.text()


@pytest.mark.parametrize("with_reference", [True, False])
def test_nothing_found(reference, with_reference):
    empty = empty_table(CATALOGUE)
    summary = summarise(empty, reference if with_reference else None, radius=RADIUS)
    assert summary.n_detections == 0
    assert np.isnan(summary.regions[0].rates.purity)
    assert summary.text().startswith("0 sources found.")
    if with_reference:
        assert summary.regions[0].rates.completeness == 0.0


def test_one_source_is_told_as_one(catalogue):
    text = summarise(catalogue[:1], radius=RADIUS).text()
    assert text.startswith(f"1 source found, TS {catalogue['TS'][0]:.4g}.")


def test_scores_are_called_what_the_localiser_calls_them(catalogue):
    summary = summarise(with_probabilities(catalogue), radius=RADIUS)
    assert (summary.score_name, summary.cut) == ("probability", 0.5)
    assert "10 sources found, probability 0.6296 to 0.9995, median" in summary.text()
    catalogue.meta.clear()
    assert summarise(catalogue, radius=RADIUS).score_name == "score"
    assert summarise(catalogue, radius=RADIUS).cut is None


def test_rates_at_one_purity_look_below_the_published_score(catalogue, reference):
    summary = summarise(catalogue, reference, radius=RADIUS)
    assert summary.regions[0].pure is None
    detections = QTable(
        {"ra": catalogue["RAJ2000"], "dec": catalogue["DEJ2000"], "score": catalogue["Score"]}
    )
    published = catalogue[catalogue["Score"] > 500]
    region = summarise(published, reference, radius=RADIUS, detections=detections).regions[0]
    assert region.rates.n_detections == 4
    assert (region.pure.n_detections, region.pure.purity, region.pure.cut) == (8, 1.0, 20)
    assert (region.pure.n_sources, region.pure.n_found) == (12, 8)
    assert region.pure_bright.completeness == 1.0


def test_text_is_aligned(catalogue, reference):
    lines = summarise(catalogue, reference, radius=RADIUS).text().splitlines()
    table = lines[lines.index("") + 1 :]
    assert table[1].startswith("all")
    assert "80.0 %" in table[1]
    assert len({len(line) for line in table}) == 1


def test_radius_needs_a_unit(catalogue, reference):
    with pytest.raises(OptionError, match="radius has no unit"):
        summarise(catalogue, reference, radius=0.5)


def test_bright_sources_stand_apart_where_there_are_some(catalogue, reference, image):
    head = "above 1e-9 cm-2 s-1"
    assert head in summarise(catalogue, reference, radius=RADIUS).text()
    faint = reference.copy()
    faint["Flux1000"] /= 100
    electrons = replace(image, kind="electrons")
    for truth, counts in ((faint, None), (reference, electrons)):
        summary = summarise(catalogue, truth, radius=RADIUS, counts=counts)
        assert summary.bright is None
        assert "above" not in summary.text()
        assert len({len(row) for row in (summary.table()[0], *summary.table()[1])}) == 1
        assert completeness_figure(truth, summary) is not None
        assert head not in localiser_text([Search(localiser="a", summary=summary, seconds=1)])


def test_fluxes_of_another_kind_are_compared_with_no_threshold(catalogue, reference):
    reference["Flux1000"] = reference["Flux1000"].value * 1e9 * u.Jy
    assert summarise(catalogue, reference, radius=RADIUS).bright is None
