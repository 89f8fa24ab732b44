"""Tables of users are taken in every format, and refused with file, fault and remedy."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable

from gammafind import create
from gammafind.catalogue.io import write_table
from gammafind.errors import FileFormatError, GammafindError, MissingFileError, TableError
from gammafind.simulation.sources import check_sources, read_sources
from tests.simulation.toy_sky import FLUX

LAT = create("renderer", "fermi-lat")


def table(**columns):
    """Three sources, with columns replaced; those that are None are left out."""
    plain = {
        "name": ["one", "two", "three"],
        "ra": [10.0, 20.0, 30.0] * u.deg,
        "dec": [0.0, -45.0, 90.0] * u.deg,
        "class_label": ["A", "B", "A"],
        "flux": [1e-9, 0.0, 3e-9] * FLUX,
    }
    return QTable({k: v for k, v in {**plain, **columns}.items() if v is not None})


@pytest.mark.parametrize("suffix", [".ecsv", ".fits", ".fits.gz", ".vot", ".csv"])
def test_every_format_is_read(tmp_path, suffix):
    path = tmp_path / f"mine{suffix}"
    write_table(table(extra=[1.0, 2.0, 3.0]), path)
    sources = read_sources(path, LAT)
    assert sources.colnames == ["name", "ra", "dec", "class_label", "flux", "extra"]
    assert list(sources["flux"].to_value(FLUX)) == [1e-9, 0, 3e-9]
    assert sources.meta["name"] == path.name
    assert len(sources.meta["sha256"]) == 64


def test_a_plain_csv_has_the_units_of_the_schema(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("name,ra,dec,class_label,flux\none,10,-5,A,1e-9\n")
    sources = read_sources(path, LAT)
    assert (sources["dec"][0], sources["flux"][0]) == (-5 * u.deg, 1e-9 * FLUX)


@pytest.mark.parametrize("column", ["ra", "dec", "flux"])
def test_a_blank_in_a_plain_csv_is_no_zero(tmp_path, column):
    row = {"name": "one", "ra": "10", "dec": "-5", "class_label": "A", "flux": "1e-9"}
    path = tmp_path / "mine.csv"
    lines = [row, row | {"name": "two", column: ""}]
    path.write_text("\n".join(",".join(line) for line in [row, *(x.values() for x in lines)]))
    with pytest.raises(TableError, match=r"1 of 2 sources .* row 2 \(two\)"):
        read_sources(path, LAT)


def test_other_units_are_converted(tmp_path):
    write_table(table(flux=[1.0, 2.0, 3.0] * u.Unit("ph m-2 s-1")), tmp_path / "mine.ecsv")
    assert read_sources(tmp_path / "mine.ecsv", LAT)["flux"][1] == 2e-4 * FLUX


@pytest.mark.parametrize(
    ("columns", "fault"),
    [
        ({"flux": None}, r"lacks the column flux; it has name, ra, dec, class_label\. A table of"),
        ({"ra": None, "dec": None}, "lacks the column ra, dec"),
        ({"name": ["one", "two", "one"]}, r"1 of 3 .* name that occurs twice, .* row 3 \(one\)"),
        ({"name": ["one", "", "three"]}, r"1 of 3 sources have no name, the first in row 2\. Give"),
        ({"flux": [1, np.nan, np.nan] * FLUX}, r"2 of 3 .* negative or not finite, .* \(two\)"),
        ({"flux": [1, 2, -1e-9] * FLUX}, r"1 of 3 .* negative or not finite, .* row 3 \(three\)"),
        ({"flux": [1, 2, np.inf] * FLUX}, "Fluxes must be finite and not negative"),
        ({"dec": [1, 2, 91] * u.deg}, r"no valid position, the first in row 3 \(three\)"),
        ({"ra": [np.nan, 2, 3] * u.deg}, "no valid position"),
        ({"flux": [1, 2, 3] * u.Unit("erg cm-2 s-1")}, "flux does not convert to cm-2 s-1"),
        ({"ra": [1, 2, 3] * u.s}, "ra does not convert to deg"),
        ({"dec": ["a", "b", "c"]}, "dec"),
    ],
)
def test_what_cannot_be_is_refused_by_name(tmp_path, columns, fault):
    path = tmp_path / "mine.ecsv"
    write_table(table(**columns), path)
    with pytest.raises(TableError, match=fault) as error:
        read_sources(path, LAT)
    assert str(error.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("name", "kind"),
    [("none.ecsv", MissingFileError), ("notes.txt", FileFormatError), ("bad.ecsv", GammafindError)],
)
def test_files_that_are_no_tables_are_named(tmp_path, name, kind):
    for written in ("notes.txt", "bad.ecsv"):
        (tmp_path / written).write_text("nothing of the kind")
    with pytest.raises(kind, match=name):
        read_sources(tmp_path / name, LAT)


def test_the_catalogue_of_the_package_has_a_name():
    sources = read_sources("4fgl-dr2", LAT)
    assert len(sources) == 5788
    assert set(sources["class_label"]) >= {"BLL", "FSRQ", "PSR", "PWN+SNR"}
    assert np.all(sources["flux"] > 0)


def test_a_4fgl_catalogue_comes_the_same_from_each_of_its_files(tmp_path, shared):
    from gammafind.plugins.fermi_lat.embedded import load_4fgl_dr2

    official = read_sources(shared / "fermi" / "catalogue" / "gll_psc_v27.fit.gz", LAT)
    write_table(load_4fgl_dr2(), tmp_path / "copy.ecsv")
    copy = read_sources(tmp_path / "copy.ecsv", LAT)
    for name in ("name", "class_label", "ra", "flux", "SpectrumType"):
        assert list(official[name]) == list(copy[name])


def test_fluxes_are_in_the_unit_of_the_instrument():
    jansky = check_sources(table(flux=[100.0, 0.0, 300.0] * u.mJy), flux_unit=u.Jy)
    np.testing.assert_allclose(jansky["flux"].value, [0.1, 0, 0.3])
    assert jansky["flux"].unit == u.Jy
    bare = check_sources(table(flux=[1.0, 2.0, 3.0]), flux_unit=u.Jy)
    assert bare["flux"].unit == u.Jy
    with pytest.raises(TableError, match="column flux does not convert to Jy"):
        check_sources(table(), flux_unit=u.Jy)
