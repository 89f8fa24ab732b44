from __future__ import annotations

from gammafind.catalogue.io import read_table, write_table
from gammafind.cli.main import main
from tests.plugins.features.helpers import toy_catalogue


def test_classify_writes_the_catalogue_with_classes_and_says_how_pure_they_are(tmp_path, capsys):
    write_table(toy_catalogue(), tmp_path / "given.fits")
    command = ["classify", str(tmp_path / "given.fits"), "-o", str(tmp_path / "found.fits")]
    assert main([*command, "--abstain", "0.5"]) == 0
    found = read_table(tmp_path / "found.fits")
    assert {"CLASS1", "CLASS1_given", "prob_BLL", "class_probability"} <= set(found.colnames)
    assert found.meta["plugins"][0]["name"] == "features"
    printed = capsys.readouterr().out
    assert "expected purity" in printed
    assert "written:" in printed
    assert main(command) == 1
    assert "exists" in capsys.readouterr().err


def test_classify_refuses_a_table_that_is_not_like_4fgl_in_one_line(tmp_path, capsys):
    (tmp_path / "given.csv").write_text("ra,dec\n1,2\n")
    assert main(["classify", str(tmp_path / "given.csv"), "-o", str(tmp_path / "o.ecsv")]) == 1
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 1
    assert "lacks the column PL_Index" in errors[0]
    assert not (tmp_path / "o.ecsv").exists()
