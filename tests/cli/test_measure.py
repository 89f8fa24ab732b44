"""The command ``gammafind measure``."""

from __future__ import annotations

import numpy as np
import pytest

from gammafind.catalogue.io import read_table, write_table
from gammafind.cli.main import main
from tests.cli.toy import SOURCES, toy_file, toy_truth

pytestmark = pytest.mark.usefixtures("toy")


def test_the_sources_of_a_catalogue_are_measured(tmp_path, capsys):
    write_table(toy_truth(), tmp_path / "truth.ecsv")
    counts, path = str(toy_file(tmp_path / "counts.fits")), tmp_path / "measured.fits"
    arguments = ["--catalogue", str(tmp_path / "truth.ecsv"), "-o", str(path)]
    assert main(["measure", counts, *arguments]) == 0
    out = capsys.readouterr().out
    assert "4 of 4 sources are measured" in out
    found = read_table(path)
    assert np.argmax(np.asarray(found["Npred"])) == 0
    assert found["Npred"][0] > 0.5 * max(SOURCES.values())
    assert found.meta["command"].startswith("gammafind measure")
    assert not (tmp_path / "measured.fits.parts").exists()
