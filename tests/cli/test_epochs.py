"""``gammafind detect --epochs``: photons by their times."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from gammafind.catalogue.io import read_table, write_table
from gammafind.cli.main import main
from tests.cli.toy import PIXELS, SOURCES, toy_file, toy_truth
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


def test_sources_are_measured_in_one_epoch_which_says_nothing_of_variability(photons, tmp_path):
    write_table(toy_truth(), tmp_path / "truth.ecsv")
    path = tmp_path / "measured.fits"
    arguments = ["--preset", "toy", "--catalogue", str(tmp_path / "truth.ecsv"), "-o", str(path)]
    assert main(["measure", str(photons), *arguments, "--epochs", "1", "-q"]) == 0
    found = read_table(path)
    assert found["Flux_History"].shape == (4, 1)
    assert np.all(found["Flux_History"][:, 0].value > 0)
    assert np.all(np.isnan(found["Variability_Index"]))
    assert np.all(np.isnan(found["Time_Peak"].value))


def test_no_epochs_are_refused(photons, tmp_path, capsys):
    write_table(toy_truth(), tmp_path / "truth.ecsv")
    arguments = ["--catalogue", str(tmp_path / "truth.ecsv"), "-o", str(tmp_path / "none.fits")]
    for epochs, fault in (("0", "0 epochs"), ("", "neither times nor a file"), ("0d", "0 s")):
        given = ["--preset", "toy", "--epochs", epochs, "-q"]
        assert main(["measure", str(photons), *arguments, *given]) != 0
        assert fault in capsys.readouterr().err


def test_maps_and_two_kinds_of_epochs_are_refused(tmp_path, capsys):
    counts = str(toy_file(tmp_path / "counts.fits"))
    out = ["-o", str(tmp_path / "found.ecsv")]
    assert main(["detect", counts, "--epochs", "30d", *out]) != 0
    assert "maps, which have none" in capsys.readouterr().err
    assert main(["detect", counts, "--epochs", "30d", "60d", *out]) != 0
    assert "epochs are 30d, 60d" in capsys.readouterr().err
    assert main(["detect", counts, "--epochs", "3", "--epoch", counts, *out]) != 0
    assert "--epochs and --epoch are given" in capsys.readouterr().err
