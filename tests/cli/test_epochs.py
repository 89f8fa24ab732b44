"""``gammafind detect --epochs``: photons by their times."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from gammafind.catalogue.io import read_table
from gammafind.cli.main import main
from tests.cli.toy import PIXELS, SOURCES, toy_file
from tests.sky.fits.test_photon_lists import photon_list

pytestmark = pytest.mark.usefixtures("toy")

FIRST, LENGTH = 2.5e8, 4e6


@pytest.fixture
def photons(tmp_path):
    """The photons of the toy sky at even times."""
    with fits.open(toy_file(tmp_path / "counts.fits")) as file:
        counts = np.array(file[1].data.field(0), dtype=int).ravel()
    places = PIXELS.centres()[np.repeat(np.arange(len(counts)), counts)].icrs
    n = len(places)
    times = FIRST + LENGTH * np.random.default_rng(1).uniform(size=n)
    path = photon_list(
        tmp_path / "ft1.fits",
        n,
        RA=("D", "deg", places.ra.deg),
        DEC=("D", "deg", places.dec.deg),
        ENERGY=("E", "MeV", np.full(n, 5000.0)),
        TIME=("D", "s", times),
    )
    with fits.open(path, mode="update") as file:
        file["EVENTS"].header.update(TSTART=FIRST, TSTOP=FIRST + LENGTH)
    return path


def test_sources_get_light_curves(photons, tmp_path):
    path = tmp_path / "found.fits"
    arguments = ["--preset", "toy", "--epochs", "4", "-o", str(path), "-q"]
    assert main(["detect", str(photons), *arguments]) == 0
    found = read_table(path)
    assert len(found) == len(SOURCES)
    assert found["Flux_History"].shape == (3, 4)
    assert found["Unc_Flux_History"].shape == (3, 4, 2)
    assert np.all(found["Variability_Index"] < 25)


def test_maps_and_two_kinds_of_epochs_are_refused(tmp_path, capsys):
    counts = str(toy_file(tmp_path / "counts.fits"))
    out = ["-o", str(tmp_path / "found.ecsv")]
    assert main(["detect", counts, "--epochs", "30d", *out]) != 0
    assert "maps, which have none" in capsys.readouterr().err
    assert main(["detect", counts, "--epochs", "30d", "60d", *out]) != 0
    assert "epochs are 30d, 60d" in capsys.readouterr().err
    assert main(["detect", counts, "--epochs", "3", "--epoch", counts, *out]) != 0
    assert "--epochs and --epoch are given" in capsys.readouterr().err
