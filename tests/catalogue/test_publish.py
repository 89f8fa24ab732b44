"""Names and columns of the published catalogue."""

from __future__ import annotations

import re

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import Angle, SkyCoord
from astropy.table import QTable
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rayleigh

from gammafind.catalogue.publish import publish, source_names
from gammafind.catalogue.schema import (
    CATALOGUE,
    DETECTIONS,
    SHARED,
    Column,
    empty_table,
    in_flux_unit,
    schema_record,
)
from gammafind.errors import OptionError, TableError
from gammafind.plugins.fermi_lat.renderer import FermiLatRenderer
from gammafind.sky.pixels import PlainPixels


def detections():
    table = QTable({"ra": [83.633, 128.84] * u.deg, "dec": [22.0145, -45.18] * u.deg})
    table["score"] = [7.0, 8.0]
    table["pos_err"] = [0.02, np.nan] * u.deg
    table["ts"] = [625.0, -1.0]
    table["flux"] = [2e-7, 1e-6] * u.Unit("cm-2 s-1")
    table["class_label"] = ["PSR", "PWN+SNR"]
    table["prob_PSR"] = [0.9, 0.2]
    table.meta["seed"] = 4
    return table


def test_columns_of_the_catalogue():
    catalogue = publish(detections())
    assert list(catalogue["Source_Name"]) == ["GF J0534.5+2200", "GF J0835.3-4510"]
    assert catalogue["GLON"][0].value == pytest.approx(184.56, abs=0.01)
    assert catalogue["GLAT"][0].value == pytest.approx(-5.78, abs=0.01)
    assert list(catalogue["Significance"]) == [25.0, 0.0]
    assert catalogue["Conf_68_SemiMajor"][0].value == pytest.approx(0.02)
    assert list(catalogue["Class"]) == ["PSR", "PWN+SNR"]
    assert catalogue["Flux"].unit == u.Unit("cm-2 s-1")
    assert catalogue["prob_PSR"].info.meta == {"ucd": "stat.probability"}
    assert catalogue.meta == {"seed": 4, "schema": schema_record()}
    assert not {"ra", "ts", "pos_err", "class_label"} & set(catalogue.colnames)


def test_an_instrument_names_the_columns_and_chooses_the_units():
    found = detections()
    found["flux"] = [0.2, 0.3] * u.Jy
    own = Column("S1400", "mJy", "phot.flux.density;em.radio", "Flux density", holds="flux")
    catalogue = publish(found, columns=(*SHARED, own))
    np.testing.assert_allclose(catalogue["S1400"].to_value("mJy"), [200, 300])
    assert catalogue["S1400"].unit == u.mJy
    assert catalogue.colnames[:6] == [c.name for c in SHARED if c.quantity not in ("x", "y")][:6]
    assert catalogue.colnames[-4:] == ["S1400", "ts", "class_label", "prob_PSR"]


def test_fluxes_are_in_the_unit_of_the_instrument():
    found = detections()
    found["flux"] = [0.2, 0.3] * u.Jy
    catalogue = publish(found, columns=in_flux_unit(CATALOGUE, u.Jy))
    assert catalogue["Flux"].unit == u.Jy
    assert catalogue["Flux"].info.meta == {"ucd": "phot.flux.density"}
    assert catalogue["Flux"].info.description == "Flux in all bands together"
    with pytest.raises(TableError, match="column Flux does not convert"):
        publish(found)


def test_the_lat_publishes_the_names_of_4fgl():
    catalogue = publish(detections(), columns=FermiLatRenderer().published)
    assert catalogue.colnames == [
        "Source_Name", "RAJ2000", "DEJ2000", "GLON", "GLAT", "Conf_68_SemiMajor",
        "Conf_95_SemiMajor", "Score", "TS", "Signif_Avg", "Flux", "CLASS1", "prob_PSR",
    ]  # fmt: skip


def test_95_percent_error_is_that_of_a_two_dimensional_gaussian():
    catalogue = publish(detections())
    ratio = catalogue["Conf_95_SemiMajor"][0] / catalogue["Conf_68_SemiMajor"][0]
    assert ratio.value == pytest.approx(rayleigh.ppf(0.95) / rayleigh.ppf(0.68), rel=1e-6)


def test_nothing_detected_gives_the_full_schema():
    catalogue = publish(empty_table(DETECTIONS))
    assert len(catalogue) == 0
    assert catalogue.colnames == [column.name for column in CATALOGUE]


@pytest.mark.parametrize(
    ("ra", "dec", "name"),
    [
        ("05h34m31.97s", "22d00m52.1s", "GF J0534.5+2200"),
        ("23h59m59.99s", "-0d00m59s", "GF J2359.9-0000"),
        ("00h00m00s", "90d", "GF J0000.0+9000"),
        ("12h00m00s", "-89d59m59s", "GF J1200.0-8959"),
        ("05h34m30s", "12d", "GF J0534.5+1200"),
    ],
)
def test_names_are_cut_off_not_rounded(ra, dec, name):
    assert list(source_names(SkyCoord([Angle(ra)], [Angle(dec)]))) == [name]


@given(
    ra=st.lists(st.floats(0, 360, exclude_max=True), min_size=1, max_size=5),
    dec=st.floats(-90, 90),
)
@settings(max_examples=60, deadline=None)
def test_names_hold_the_position(ra, dec):
    positions = SkyCoord(ra * u.deg, np.full(len(ra), dec) * u.deg)
    names = source_names(positions)
    assert len(set(names)) == len(ra)
    for name, position in zip(names, positions, strict=True):
        parts = re.fullmatch(r"GF J(\d\d)(\d\d\.\d)([+-])(\d\d)(\d\d)[a-z]?", name).groups()
        tenths = round((int(parts[0]) * 60 + float(parts[1])) * 10)
        minutes = int(parts[3]) * 60 + int(parts[4])
        assert -1e-6 <= position.ra.deg * 40 - tenths <= 1 or tenths == 0
        assert -1e-6 <= abs(position.dec.deg) * 60 - minutes <= 1
        assert (parts[2] == "-") == (position.dec.deg < 0)


def test_names_that_coincide_get_letters_in_the_order_of_the_sky():
    ra = 10 + 1e-4 * np.arange(28)[::-1]
    names = source_names(SkyCoord(ra * u.deg, np.zeros(28) * u.deg))
    assert names[-1] == "GF J0040.0+0000a"
    assert names[2] == "GF J0040.0+0000z"
    assert names[0] == "GF J0040.0+0000ab"


def test_names_are_finer_where_the_pixels_are():
    place = SkyCoord("05h34m31.947s +22d00m52.25s")
    assert source_names(place.reshape(1), fine=True).tolist() == ["GF J053431.94+220052.2"]


def test_an_image_without_coordinates_gives_a_pixel_catalogue():
    pixels = PlainPixels.of((100, 100), 1 * u.arcsec)
    found = empty_table(DETECTIONS)
    assert "RAJ2000" not in publish(found, pixels=pixels).colnames
    row = QTable(
        {"ra": [0.0] * u.deg, "dec": [0.0] * u.deg, "score": [5.0], "x": [3.0] * u.pix,
         "y": [4.25] * u.pix}
    )  # fmt: skip
    catalogue = publish(row, pixels=pixels)
    assert catalogue["Source_Name"].tolist() == ["GF X3.00 Y4.25"]
    assert not {"RAJ2000", "DEJ2000", "GLON", "GLAT"} & set(catalogue.colnames)


def test_names_begin_with_the_prefix_that_is_given():
    assert publish(detections(), prefix="XYZ")["Source_Name"][0] == "XYZ J0534.5+2200"
    for prefix in ("", "A B", "_"):
        with pytest.raises(OptionError, match="prefix of the names"):
            publish(detections(), prefix=prefix)
