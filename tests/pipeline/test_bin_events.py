"""Photon lists to count maps, and spacecraft files to exposure, as verbs."""

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits

import gammafind
from gammafind.errors import FileFormatError, OptionError, OutputError
from gammafind.pipeline import binning
from gammafind.sky.fits import read_counts, read_good_times
from gammafind.sky.fits.good_times import mission_seconds
from tests.sky.fits.test_photon_lists import photon_list

START = mission_seconds("2014-08-07")
KIND = {"irf": "P8R3_SOURCE_V3", "event_types": ["FRONT", "BACK"]}


@pytest.fixture
def ft1(tmp_path):
    n = 200
    types = np.where(np.arange(n) % 2, 1, 2)
    path = photon_list(
        tmp_path / "ft1.fits",
        n,
        TIME=("D", "s", START + 10.0 * np.arange(n)),
        EVENT_TYPE=("J", None, types),
        EVENT_CLASS=("J", None, np.full(n, 128)),
    )
    with fits.open(path, mode="append") as file:
        columns = [
            fits.Column("START", "D", array=[START]),
            fits.Column("STOP", "D", array=[START + 2000]),
        ]
        file.append(fits.BinTableHDU.from_columns(columns, name="GTI"))
    with fits.open(path, mode="update") as file:
        file["EVENTS"].header.update(TSTART=START, TSTOP=START + 2000)
    return path


def binned(ft1, **more):
    energies = [1, 2, 10] * u.GeV
    return gammafind.bin_events(ft1, energies=energies, nside=[4, 8], options=KIND, **more)


def test_channels_and_epochs_have_files_that_are_made_once(ft1, tmp_path):
    epochs = [START * u.s, (START + 500) * u.s, (START + 2000) * u.s]
    done = binned(ft1, output=tmp_path / "out", epochs=epochs, max_zenith=49 * u.deg)
    assert done.n_made == 2
    names = [path.relative_to(tmp_path / "out").as_posix() for path in done.files]
    assert names[:2] == ["epoch-1/counts_BACK_nside4.fits", "epoch-1/counts_BACK_nside8.fits"]
    sky = read_counts(done.folders[0] / "counts_FRONT_nside8.fits")
    assert sky.values[0].sum() == 25
    assert "ZENITH_ANGLE = 0:49 deg" in sky.meta["selections"]
    good = read_good_times(done.folders[1] / "counts_FRONT_nside8.fits")
    np.testing.assert_allclose(good, [[START + 500, START + 2000]])
    (tmp_path / "out/epoch-2/made.json").unlink()
    with pytest.raises(OutputError, match=r"without a made\.json"):
        binned(ft1, output=tmp_path / "out", epochs=epochs, max_zenith=49 * u.deg)
    again = binned(
        ft1, output=tmp_path / "out", epochs=epochs, max_zenith=49 * u.deg, overwrite=True
    )
    assert again.files == done.files
    assert binned(ft1, output=tmp_path / "out", epochs=epochs, max_zenith=49 * u.deg).n_made == 0
    with pytest.raises(OutputError, match="was made with other settings"):
        binned(ft1, output=tmp_path / "out", epochs=epochs)


def test_an_interrupted_run_continues_with_its_slices(ft1, tmp_path, monkeypatch):
    whole = binned(ft1)
    monkeypatch.setattr(binning, "_TOGETHER", 60)
    made = []
    sky_of = binning.Binning.sky

    def stopping(self, span):
        made.append(span)
        if len(made) == 3:
            raise KeyboardInterrupt
        return sky_of(self, span)

    monkeypatch.setattr(binning.Binning, "sky", stopping)
    with pytest.raises(KeyboardInterrupt):
        binned(ft1, output=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    done = binned(ft1, output=tmp_path / "out")
    assert len(made) == 5
    assert [path.name for path in tmp_path.iterdir()] in (["ft1.fits", "out"], ["out", "ft1.fits"])
    sky = read_counts([path for path in done.files if "FRONT" in path.name])
    for one, other in zip(sky.values, whole.values[:2], strict=True):
        np.testing.assert_array_equal(one, other)


def test_options_that_contradict_each_other(ft1, tmp_path):
    with pytest.raises(OptionError, match="without nside or image"):
        gammafind.bin_events(ft1, energies=[1, 2] * u.GeV)
    with pytest.raises(OptionError, match="nside and an image"):
        gammafind.bin_events(ft1, nside=4, image="x.fits")
    with pytest.raises(OptionError, match="3 values of nside for 2 bands"):
        gammafind.bin_events(ft1, energies=[1, 2, 3] * u.GeV, nside=[4, 4, 4])
    with pytest.raises(OptionError, match="later ones after"):
        binned(ft1, epochs=["2010-01-01", "2009-01-01"])
    with pytest.raises(FileFormatError, match="no good time intervals"):
        binned(ft1, good_times=photon_list(tmp_path / "other.fits"))


def test_exposure_is_written_for_each_channel(tmp_path):
    done = gammafind.simulate(
        "fermi-lat-psf3-2-20", output=tmp_path, photons=True, duration="2 h", start="2014-08-07"
    )
    folder = done.folders[0]
    found = gammafind.exposure(
        folder / "ft2.fits",
        output=tmp_path / "out",
        energies=[2, 20] * u.GeV,
        good_times=folder / "ft1.fits",
        options=KIND,
    )
    assert [path.name for path in found.files] == ["exposure_BACK.fits", "exposure_FRONT.fits"]
    copied = gammafind.exposure(
        found.files[1], energies=[2, 20] * u.GeV, options={**KIND, "event_types": ["FRONT"]}
    )
    assert copied.kind == "exposure"
    with pytest.raises(OptionError, match="whose time and zenith cut are known"):
        gammafind.exposure(found.files[1], max_zenith=90 * u.deg)
    own = gammafind.detect(
        folder / "ft1.fits",
        preset="fermi-lat-psf3-2-20",
        spacecraft=folder / "ft2.fits",
        localiser="likelihood",
    )
    assert "ft2.fits" in str(own.catalogue.meta)
    with pytest.raises(OptionError, match="Give one"):
        gammafind.detect(
            folder / "ft1.fits",
            preset="fermi-lat-psf3-2-20",
            spacecraft=folder / "ft2.fits",
            exposure=found.files[0],
        )
