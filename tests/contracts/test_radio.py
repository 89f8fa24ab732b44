"""A radio survey, written as the docs say, publishes a catalogue in Jy."""

from __future__ import annotations

from pathlib import Path

import astropy.units as u
import numpy as np
import pytest

from gammafind.catalogue.io import read_table
from gammafind.catalogue.matching import match_one_to_one
from gammafind.catalogue.positions import sky_positions
from tests.contracts.installed import TESTS, install, run_python
from tests.views.conftest import embedded

SIMULATED_AND_SEARCHED = """
from gammafind import get_plugin
from gammafind.cli.main import main
from gammafind.testing import check_population, check_renderer
check_population(get_plugin("population", "quasars"))
check_renderer(get_plugin("renderer", "survey"), any_pixels=True)
sky = "{folder}/sky"
assert main(["simulate", "--preset", "survey", "--seed", "1", "-o", sky]) == 0
counts, truth = (f"{{sky}}/catalogue-0000/{{name}}.fits" for name in ("counts_nside128", "sources"))
products = ["-o", "{folder}/found.fits", "--report", "{folder}/page"]
assert main(["detect", counts, "--preset", "survey", "--reference", truth, *products]) == 0
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    site, folder = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("survey")
    install(TESTS / "example_radio", site)
    code = SIMULATED_AND_SEARCHED.format(folder=folder)
    done = run_python(code, site, GAMMAFIND_PLUGINS="radio", PYTHONWARNINGS="error")
    assert done.returncode == 0, done.stderr
    return folder


def test_the_catalogue_has_fluxes_in_jansky_and_no_names_of_fermi(folder):
    found = read_table(folder / "found.fits")
    assert found["Flux"].unit == found["Unc_Flux"].unit == u.Jy
    assert {"Source_Name", "RAJ2000", "Score", "Counts", "Association"} <= {*found.colnames}
    assert not {"Npred", "Signif_Avg", "CLASS1", "ASSOC1"} & {*found.colnames}
    table = embedded((folder / "page" / "index.html").read_text(encoding="utf-8"))["table"]
    assert {"Flux": "Jy", "Unc_Flux": "Jy"}.items() <= {
        column["key"]: column["unit"] for column in table["columns"]
    }.items()


def test_sources_that_stand_alone_are_found_with_the_flux_that_they_have(folder):
    found = read_table(folder / "found.fits")
    truth = read_table(folder / "sky" / "catalogue-0000" / "sources.fits")
    there = sky_positions(truth)
    alone = there.match_to_catalog_sky(there, nthneighbor=2)[1] > 3 * u.deg
    pairs = match_one_to_one(sky_positions(found), there, 1 * u.deg)
    seen = alone[pairs.b]
    assert np.count_nonzero(seen) == np.count_nonzero(alone) > 100
    flux, error = (found[name][pairs.a][seen] for name in ("Flux", "Unc_Flux"))
    pull = ((flux - truth["flux"][pairs.b][seen]) / error).value
    assert np.abs(pull).max() < 4
    assert 0.8 < pull.std() < 1.2
