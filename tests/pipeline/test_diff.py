from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable

import gammafind
from gammafind.catalogue.io import read_table, write_table
from gammafind.cli.main import main
from gammafind.errors import NewerSchemaWarning, OptionError, TableError


def catalogue(lon, *, names=None, flux=None, r95=0.1, prefix="S"):
    """Sources on the equator."""
    n = len(lon)
    return QTable(
        {
            "Source_Name": names or [f"{prefix}{value:g}" for value in lon],
            "RAJ2000": np.asarray(lon, dtype=float) * u.deg,
            "DEJ2000": np.zeros(n) * u.deg,
            "Conf_95_SemiMajor": np.full(n, r95) * u.deg,
            "Flux": np.asarray(flux or [10.0] * n) * 1e-9 * u.Unit("cm-2 s-1"),
            "Unc_Flux": np.full(n, 1e-9) * u.Unit("cm-2 s-1"),
        }
    )


OLD = catalogue([10, 20, 30, 40])
NEW = catalogue([10.01, 20.2, 30, 50], flux=[10, 10, 20, 10], prefix="N")


def status(found):
    return dict(zip(found.catalogue["Source_Name"], found.table["Status"], strict=False))


def test_sources_are_the_same_moved_changed_new_or_gone():
    found = gammafind.diff(OLD, NEW)
    assert list(found.table["Status"]) == ["same", "moved", "changed", "new", "gone"]
    assert found.counts["gone"] == 1
    assert found.table["Name_Old"][4] == "S40"
    assert found.table["Name_New"][4] == ""
    np.testing.assert_allclose(found.table["Flux_Sigma"][2], 10 / np.sqrt(2))
    assert repr(found) == "<Difference: 1 same, 1 moved, 1 changed, 1 new, 1 gone>"


def test_names_are_carried_over():
    found = gammafind.diff(OLD, NEW)
    assert list(found.catalogue["Source_Name"]) == ["S10", "S20", "S30", "N50"]
    assert list(NEW["Source_Name"]) == ["N10.01", "N20.2", "N30", "N50"]


def test_a_new_source_does_not_take_the_name_of_another():
    new = catalogue([30.01, 40.3, 80], names=["A", "S30", "S20"])
    found = gammafind.diff(OLD, new)
    assert list(found.catalogue["Source_Name"]) == ["S30", "S30a", "S20a"]


def test_a_name_goes_to_the_nearest_source():
    old, new = catalogue([10.0, 10.2], r95=0.2), catalogue([9.85, 10.0], r95=0.2)
    found = gammafind.diff(old, new)
    assert found.catalogue["Source_Name"][1] == "S10"


def test_the_radius_may_be_given():
    assert gammafind.diff(OLD, NEW, radius=0.05 * u.deg).counts["new"] == 2
    with pytest.raises(OptionError, match="radius is 0"):
        gammafind.diff(OLD, NEW, radius=0 * u.deg)
    with pytest.raises(OptionError, match="n_sigma is -1"):
        gammafind.diff(OLD, NEW, n_sigma=-1)


def test_catalogues_without_errors_and_fluxes_are_compared_by_place():
    bare = [table["Source_Name", "RAJ2000", "DEJ2000"] for table in (OLD, NEW)]
    found = gammafind.diff(*bare)
    assert list(found.table["Status"]) == ["same", "same", "same", "new", "gone"]
    assert "Flux_Old" not in found.table.colnames


def test_fluxes_of_other_energies_are_not_compared():
    old, new = QTable(OLD, copy=True), QTable(NEW, copy=True)
    old.meta["flux_band"], new.meta["flux_band"] = "1-100 GeV", "10-1000 GeV"
    assert gammafind.diff(old, new).counts["changed"] == 0


def test_what_was_not_searched_is_not_gone():
    new = QTable(NEW, copy=True)
    new.meta["searched"] = "0/5"  # Right ascensions from 45 to 135 deg at the equator.
    found = gammafind.diff(OLD, new)
    assert found.counts["gone"] == 0
    assert found.table["Name_Old"][found.table["Status"] == "not searched"][0] == "S40"


@pytest.mark.parametrize(("old", "new"), [(OLD[:0], NEW), (OLD, NEW[:0]), (OLD[:0], NEW[:0])])
def test_empty_catalogues_are_compared(old, new):
    counts = gammafind.diff(old, new).counts
    assert counts["new"] == len(new)
    assert counts["gone"] == len(old)


def test_the_command_prints_and_writes(tmp_path, capsys):
    for name, table in (("old", OLD), ("new", NEW)):
        write_table(table, tmp_path / f"{name}.ecsv")
    paths = [str(tmp_path / name) for name in ("old.ecsv", "new.ecsv")]
    outputs = ["-o", str(tmp_path / "changes.fits"), "--carry-names", str(tmp_path / "named.ecsv")]
    assert main(["diff", *paths, *outputs]) == 0
    shown = capsys.readouterr().out
    assert "gone: 1\n  S40" in shown
    assert "S30 -> N30, 0.000 deg apart, flux +7.1 sigma" in shown
    assert len(read_table(tmp_path / "changes.fits")) == 5
    assert read_table(tmp_path / "named.ecsv")["Source_Name"][0] == "S10"
    assert main(["diff", *paths, *outputs]) == 1


def test_a_catalogue_of_a_later_version_is_warned_of():
    later = QTable(NEW, copy=True)
    later.meta["schema"] = {"name": "gammafind catalogue", "version": 2}
    with pytest.warns(NewerSchemaWarning, match="version 2 of the schema"):
        gammafind.diff(OLD, later)
    later.meta["schema"] = {"name": "another", "version": 7}
    gammafind.diff(OLD, later)


@pytest.mark.parametrize("column", ["Source_Name", "name", "id", "CLASS1"])
@pytest.mark.parametrize("in_file", [True, False])
def test_several_texts_in_a_row_are_refused(tmp_path, column, in_file):
    odd = catalogue([10, 20])
    odd.remove_column("Source_Name")
    odd[column] = [["a", "b"], ["c", "d"]]
    write_table(odd, tmp_path / "odd.fits")
    given = tmp_path / "odd.fits" if in_file else odd
    for verb in (gammafind.diff, gammafind.associate):
        with pytest.raises(TableError, match=f"odd.fits: {column}" if in_file else f"^{column}"):
            verb(OLD, given)


def test_a_name_with_a_unit_is_refused():
    odd = catalogue([10, 20])
    odd["Source_Name"] = [1, 2] * u.m
    with pytest.raises(TableError, match="Source_Name is in m"):
        gammafind.diff(OLD, odd)
