"""Positions of tables with the usual column names."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import MaskedColumn, QTable

from gammafind.catalogue.positions import sky_positions
from gammafind.catalogue.sexagesimal import angles_of_texts
from gammafind.errors import TableError

CRAB = SkyCoord(83.6331, 22.0145, unit="deg")


@pytest.mark.parametrize(
    "table",
    [
        QTable({"ra": [CRAB.ra.deg] * u.deg, "dec": [CRAB.dec.deg] * u.deg}),
        QTable({"RA": [CRAB.ra.hourangle] * u.hourangle, "DEC": [CRAB.dec.arcmin] * u.arcmin}),
        QTable({"RAJ2000": [CRAB.ra.deg], "DEJ2000": [CRAB.dec.deg]}),
        QTable({"ra": [CRAB.ra.hourangle] * u.hour, "dec": [CRAB.dec.deg]}),
        QTable({"_RA.icrs": ["05 34 31.944"], "_DE.icrs": ["+22 00 52.2"]}),
        QTable({"RA (J2000)": ["5h34m31.944s"], "Dec. (J2000)": ["22d00m52.2s"]}),
        QTable({"RightAscension": ["83.6331"], "Declination": ["22.0145"]}),
        QTable(
            {"ELON": [CRAB.barycentricmeanecliptic.lon], "ELAT": [CRAB.barycentricmeanecliptic.lat]}
        ),
        QTable(
            {
                "RAh": [5],
                "RAm": [34],
                "RAs": [31.944],
                "DE-": ["+"],
                "DEd": [22],
                "DEm": [0],
                "DEs": [52.2],
            }
        ),
        QTable({"GLON": [CRAB.galactic.l.deg] * u.deg, "GLAT": [CRAB.galactic.b.deg] * u.deg}),
    ],
)
def test_usual_names_and_units(table):
    assert sky_positions(table)[0].separation(CRAB) < 1e-6 * u.arcsec


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        (QTable({"x": [1.0]}), "no positions: its columns are x"),
        (QTable({"ra": [1.0], "dec": [np.nan]}), "column dec has values that are not finite"),
        (QTable({"ra": [1.0], "dec": [91.0]}), "outside -90 to 90"),
        (
            QTable({"ra": MaskedColumn([1, 2], mask=[0, 1]), "dec": [3, 4]}),
            "column ra has values",
        ),
        (QTable({"ra": ["1h"], "dec": [1.0]}), "column ra is not an angle"),
        (QTable({"ra": [1.0] * u.m, "dec": [1.0]}), "column ra is not an angle"),
    ],
)
def test_unusable_positions_are_named(table, fault):
    with pytest.raises(TableError, match=fault):
        sky_positions(table)


def test_the_main_position_is_found_by_its_ucd():
    table = QTable(
        {name: [value] * u.deg for name, value in zip("abcd", (1, 2, 3, 4), strict=True)}
    )
    ucds = ("pos.eq.ra", "pos.eq.dec", "pos.eq.ra;meta.main", "pos.eq.dec;meta.main")
    for name, ucd in zip("abcd", ucds, strict=True):
        table[name].info.meta = {"ucd": ucd}
    assert sky_positions(table)[0].ra.deg == 3


def test_own_columns_go_before_computed_ones():
    table = QTable({"_RAJ2000": [1.0], "_DEJ2000": [2.0], "RAJ2000": [3.0], "DEJ2000": [4.0]})
    assert sky_positions(table)[0].ra.deg == 3


def test_parts_of_a_southern_position_have_one_sign():
    table = QTable({"RAh": [1], "RAm": [0], "DE-": ["-"], "DEd": [0], "DEm": [30]})
    assert sky_positions(table)[0].dec.deg == -0.5
    del table["DE-"]
    table["DEd"] = [-0.0]
    assert sky_positions(table)[0].dec.deg == -0.5


def test_parts_that_are_no_numbers_are_named():
    table = QTable({"RAh": ["one"], "RAm": [0], "DEd": [0], "DEm": [30]})
    with pytest.raises(TableError, match="column RAh is no part of an angle"):
        sky_positions(table)


@pytest.mark.parametrize(
    ("text", "hours", "angle"),
    [
        ("05 34 31.944", True, 83.6331),
        ("05 34 31.944", False, 5 + 34 / 60 + 31.944 / 3600),
        ("83d37m59.16s", True, 83.6331),
        ("83°37′59.16″", True, 83.6331),
        ("5:34.5", True, 83.625),
        ("−0:30:00", False, -0.5),
        ("- 12 23", False, -12 - 23 / 60),
        (" 83.6331° ", True, 83.6331),
        ("1e-3", True, 1e-3),
    ],
)
def test_angles_are_read_from_text(text, hours, angle):
    assert angles_of_texts([text], hours=hours)[0] == pytest.approx(angle, abs=1e-9)


@pytest.mark.parametrize("text", ["", " -- ", "NaN", "null"])
def test_angles_may_be_missing(text):
    assert np.isnan(angles_of_texts([text], hours=True)[0])


@pytest.mark.parametrize("text", ["1h", "12 61 00", "12 00 61", "north", "1 2 3 4"])
def test_other_texts_are_no_angles(text):
    with pytest.raises(ValueError, match=r"."):
        angles_of_texts([text], hours=True)


def test_positions_of_the_fermi_catalogue(shared):
    from gammafind.catalogue.io import read_table

    table = read_table(shared / "fermi" / "catalogue" / "gll_psc_v27.fit.gz")
    crab = sky_positions(table)[table["ASSOC1"] == "Crab Nebula"]
    assert len(table) == 5788
    assert crab[0].separation(CRAB) < 0.02 * u.deg
