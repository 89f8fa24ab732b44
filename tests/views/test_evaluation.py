"""Figures of an evaluation."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable

from gammafind.evaluation.performance import measure_performance
from gammafind.views.evaluation import (
    completeness_figure,
    curve_figure,
    offset_figure,
    score_figure,
    write_figures,
)


@pytest.fixture(scope="module")
def metrics():
    """Numbers of 300 sources of known TS, of which the upper half is found."""
    rng = np.random.default_rng(1)
    ra, dec = rng.uniform(0, 360, 300), np.degrees(np.arcsin(rng.uniform(-1, 1, 300)))
    ts = np.geomspace(1, 1000, 300)
    truth = QTable({"ra": ra * u.deg, "dec": dec * u.deg, "ts": ts, "flux": ts})
    detections = truth["ra", "dec"][150:]
    detections["dec"] *= 0.999
    detections["score"] = ts[150:]
    detections["pos_err"] = 0.05 * u.deg
    return measure_performance(detections, truth, rng=rng)


def test_the_points_are_the_numbers(metrics):
    (axes,) = completeness_figure(metrics, "by_ts").axes
    region = metrics["at_purity"]["all"]
    drawn = axes.containers[0].lines[0].get_ydata()
    shares = zip(region["by_ts"]["n"], region["by_ts"]["completeness"], strict=True)
    assert list(drawn) == [share for n, share in shares if n >= 5]
    assert f"all: {region['ts50']:.1f}" in [t.get_text() for t in axes.get_legend().get_texts()]


def test_regions_stand_in_every_figure(metrics):
    for figure in (
        completeness_figure(metrics, "by_flux"),
        score_figure(metrics),
        curve_figure(metrics),
    ):
        texts = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
        assert texts == ["all", "|b| > 20 deg", "|b| < 10 deg"]


def test_all_figures_are_written(metrics, tmp_path):
    written = write_figures(tmp_path, metrics)
    assert sorted(written) == sorted(tmp_path.iterdir())
    assert len(written) == 5
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written)


def test_what_is_not_known_is_not_drawn(metrics, tmp_path):
    nothing = QTable({"ra": [] * u.deg, "dec": [] * u.deg, "score": []})
    empty = measure_performance(nothing, nothing["ra", "dec"], rng=np.random.default_rng(2))
    assert write_figures(tmp_path, empty) == []
    assert offset_figure(empty) is None
    assert curve_figure(empty) is None
