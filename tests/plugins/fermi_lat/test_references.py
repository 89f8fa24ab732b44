"""The reference catalogues, by name and from the official files."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.io.votable.ucd import check_ucd

import gammafind
from gammafind.catalogue.columns import fluxes, numbers_of, texts_of
from gammafind.catalogue.positions import sky_positions
from gammafind.plugins.fermi_lat.planes import from_planes, to_planes

FILES = {
    "4fgl-dr1": ("catalogue/gll_psc_v20.fit.gz", 5066, 9.2808e-6, 75),
    "4fgl-dr2": ("catalogue/gll_psc_v27.fit.gz", 5788, 9.4716e-6, 75),
    "4fgl-dr3": ("catalogue/gll_psc_v29.fit.gz", 6659, 9.6786e-6, 78),
    "4fgl-dr4": ("catalogue/gll_psc_v35.fit.gz", 7195, 9.7136e-6, 82),
    "fl16y": ("catalogue/gll_psc_v41.fit.gz", 7224, 9.7014e-6, 83),
    "2fhl": ("2fhl/gll_psch_v09.fit.gz", 360, 1.8972e-8, 25),
    "3fhl": ("highenergy/gll_psch_v13.fit.gz", 1556, 2.3174e-7, 48),
}
"""File, number of sources, sum of the photon fluxes in cm-2 s-1, and number of extended sources."""
BANDS = {"2fhl": "50-2000 GeV", "3fhl": "10-1000 GeV"}


@pytest.mark.parametrize("name", FILES)
def test_numbers_of_sources_and_sums_of_fluxes(name):
    table = gammafind.read_catalogue(name)
    _, n_rows, flux, n_extended = FILES[name]
    assert len(table) == n_rows
    assert fluxes(table).sum().to_value("cm-2 s-1") == pytest.approx(flux, rel=1e-4)
    assert np.sum(table["Extended_Source_Name"] != "") == n_extended
    assert table.meta["release"] == name.upper()
    assert table.meta["flux_band"] == BANDS.get(name, "1-100 GeV")


@pytest.mark.parametrize("name", FILES)
def test_the_official_file_has_the_same_values(name, shared):
    embedded = gammafind.read_catalogue(name)
    official = gammafind.read_catalogue(shared / "fermi" / FILES[name][0])
    assert {k: official.meta[k] for k in embedded.meta} == embedded.meta
    shared_names = [c for c in embedded.colnames if c in official.colnames]
    assert {"Source_Name", "RAJ2000", "Extended_Source_Name", "extension_radius"} <= set(
        shared_names
    )
    for column in shared_names:
        one, other = (
            np.asarray(getattr(t[column], "value", t[column])) for t in (embedded, official)
        )
        if column in ("GLON", "GLAT"):
            np.testing.assert_allclose(one, other, atol=2e-4)
        else:
            np.testing.assert_array_equal(one, other, column)
    assert sky_positions(embedded).separation(sky_positions(official)).max() < 0.01 * u.arcsec


@pytest.mark.parametrize("name", FILES)
def test_what_a_column_holds_is_found(name):
    table = gammafind.read_catalogue(name)
    assert np.isfinite(numbers_of(table, "r95", u.deg)).mean() > 0.95
    assert "psr" in [one.lower() for one in texts_of(table, "class_label")]
    assert np.sum(texts_of(table, "association") != "") > 0.5 * len(table)
    significance = numbers_of(table, "ts" if name == "2fhl" else "significance")
    assert np.isfinite(significance).mean() > 0.99
    for column in table.columns.values():
        ucd = (column.info.meta or {}).get("ucd")
        assert ucd
        assert check_ucd(ucd, check_controlled_vocabulary=True)


def test_names_are_known_in_any_case_and_each_call_gives_a_copy():
    first = gammafind.read_catalogue("FL16Y")
    first["Flux1000"][:] = 0
    assert gammafind.read_catalogue("fl16y")["Flux1000"][0] > 0


def test_a_misspelt_name_is_corrected():
    with pytest.raises(gammafind.GammafindError, match=r"fl16y \(did you mean 'fl16y'\?\)"):
        gammafind.read_catalogue("fl16")


def test_the_shapes_of_2fhl_are_those_of_its_table():
    table = gammafind.read_catalogue("2fhl")
    velas = table[table["Extended_Source_Name"] == "Vela X"]
    assert velas["extension_model"].tolist() == ["disc"]
    assert velas["extension_radius"][0].to_value("deg") == pytest.approx(0.91)


def test_planes_keep_numbers_and_texts():
    columns = [
        fits.Column("a", "E", "deg", array=np.array([1.5, np.nan, -3e-12], dtype="f4")),
        fits.Column("b", "4A", array=np.array(["x", "", "long"])),
    ]
    hdu = fits.BinTableHDU.from_columns(columns)
    packed = to_planes(hdu.columns, hdu.data, name="P")
    assert packed.columns["a"].unit == "deg"
    unpacked = from_planes(packed)
    np.testing.assert_array_equal(unpacked["a"], np.array([1.5, np.nan, -3e-12], dtype="f4"))
    assert unpacked["b"].tolist() == ["x", "", "long"]
