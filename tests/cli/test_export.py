"""The commands that write catalogues for others, from the command line."""

from __future__ import annotations

import astropy.units as u
import pytest

from gammafind.catalogue.io import read_table, write_table
from gammafind.cli.main import main
from tests.catalogue.measured import measured_catalogue


@pytest.fixture
def found(tmp_path):
    path = tmp_path / "found.ecsv"
    write_table(measured_catalogue(), path)
    return path


def test_export_writes_every_file_or_none(found, tmp_path, capsys):
    names = ["a.fits", "a.reg", "a.model.xml", "a.yaml", "a.sed", "a.moc.fits", "a.prov.json"]
    files = [str(tmp_path / name) for name in names]
    assert main(["export", str(found), "-o", *files]) == 0
    written = capsys.readouterr().out.splitlines()
    assert written == [f"written: {path}" for path in files]
    assert len(read_table(tmp_path / "a.fits")) == 4
    plain = tmp_path / "plain.csv"
    plain.write_text("name,ra,dec\nA,10,20\n")
    wanted = [tmp_path / "b.reg", tmp_path / "b.yaml"]
    assert main(["export", str(plain), "-o", *map(str, wanted)]) == 1
    assert "b.yaml: the catalogue has no spectra" in capsys.readouterr().err
    assert not any(path.exists() for path in wanted)


def test_export_refuses_its_input_and_a_file_twice(found, capsys):
    assert main(["export", str(found), "-o", str(found), "--overwrite"]) == 1
    assert "both input and output" in capsys.readouterr().err
    twice = str(found.with_suffix(".reg"))
    assert main(["export", str(found), "-o", twice, twice]) == 1
    assert "given twice" in capsys.readouterr().err


def test_export_takes_a_catalogue_that_comes_with_the_package(tmp_path):
    path = tmp_path / "2fhl.reg"
    assert main(["export", "2fhl", "-o", str(path), "-q"]) == 0
    assert path.read_text().count("text={2FHL") == 360


def test_shapes_of_known_extended_sources_are_exported(tmp_path):
    from gammafind.pipeline.export import with_shapes

    table = measured_catalogue()
    table["Extension"] = 0 * u.deg
    table.meta["extended"] = "4fgl-dr2"
    shaped = with_shapes(table)
    assert list(shaped["extension_model"]) == ["", "", "", "gaussian"]
    assert "extension_model" not in table.colnames
    table.meta["extended"] = "gone.fits"
    assert with_shapes(table) is table
