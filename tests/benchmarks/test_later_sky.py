"""Scores against the later sky, on small tables."""

from __future__ import annotations

import astropy.units as u
import later_sky
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import QTable

RADIUS = 0.5 * u.deg


def sky(ra, *, dec=0.0, classes=None, error=0.1):
    """Sources on a circle of declination."""
    table = QTable({"ra": np.array(ra) * u.deg, "dec": np.full(len(ra), dec) * u.deg})
    table["Conf_95_SemiMajor"] = error * u.deg
    if classes:
        table["CLASS1"] = classes
    return table


def test_extra_detections_are_confirmed_by_the_later_catalogue():
    found = sky([10, 20.05, 30, 40], classes=["PSR", "BLL", "FSRQ", "BLL"])
    earlier = sky([10])
    later = sky([10, 20, 30.4], classes=["PSR", "fsrq", "FSRQ"])
    figures = later_sky.score(found, earlier, later, radius=RADIUS)
    whole = figures["regions"]["all"]
    assert (whole["detections"], whole["in_earlier"]) == (4, 1)
    assert (whole["extra"], whole["extra_confirmed"]) == (3, 2)
    assert whole["purity_earlier"] == 0.25
    assert whole["purity_together"] == 0.75
    assert whole["within_r95"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["classes"] == {
        "compared": 3, "right": 2, "extra_compared": 2, "extra_right": 1
    }  # fmt: skip
    assert later_sky.table(figures["regions"]).splitlines()[0].startswith("|  | all | abs(b) > 20")


def test_matches_by_chance_are_counted_at_shifted_places():
    here = SkyCoord([200], [60], unit="deg", frame="galactic")
    shifted = here.directional_offset_by(90 * u.deg, [-10, -6, 6] * RADIUS)
    assert later_sky.by_chance(here, shifted, RADIUS).tolist() == [0.75]
    assert later_sky.by_chance(here, here, RADIUS).tolist() == [0]


def test_regions_without_detections_have_no_shares():
    figures = later_sky.score(sky([266.4], dec=-29), sky([10]), sky([10]), radius=RADIUS)
    assert figures["regions"]["|b| > 20 deg"]["purity_later"] is None
    assert "-" in later_sky.table(figures["regions"])


def test_runs_are_appended_and_a_commit_is_scored_once(tmp_path, monkeypatch):
    monkeypatch.setattr(later_sky, "KEPT", tmp_path / "later_sky.jsonl")
    monkeypatch.setattr(later_sky, "commit", lambda: "abc")
    monkeypatch.setattr("sys.argv", ["later_sky.py", str(tmp_path)])
    table = sky([10, 20])
    table["score"] = 1.0
    table.write(tmp_path / "catalogue.ecsv")
    later_sky.main()
    (line,) = later_sky.kept(tmp_path / "later_sky.jsonl")
    assert line["commit"] == "abc"
    assert line["radius"] == "0.3 deg"
    assert line["regions"]["all"]["detections"] == 2
    with pytest.raises(SystemExit, match="abc was scored already"):
        later_sky.main()
