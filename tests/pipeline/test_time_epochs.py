"""Photon lists by time, and the exposure of each epoch."""

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits

import gammafind
from gammafind.errors import FileFormatError, NoPhotonsError, OptionError
from gammafind.pipeline.inputs import sorted_input
from gammafind.pipeline.time_epochs import observe_times
from gammafind.sky.fits.good_times import mission_date, mission_seconds
from tests.sky.fits.test_photon_lists import photon_list

START = mission_seconds("2009-08-01")
DAY = 86400.0


def ft1(path, times, gti):
    n = len(times)
    photon_list(
        path,
        n,
        TIME=("D", "s", np.asarray(times)),
        EVENT_TYPE=("J", None, np.where(np.arange(n) % 2, 1, 2)),
        EVENT_CLASS=("J", None, np.full(n, 128)),
    )
    columns = [
        fits.Column(name, "D", array=np.array(gti)[:, i])
        for i, name in enumerate(("START", "STOP"))
    ]
    with fits.open(path, mode="append") as file:
        file.append(fits.BinTableHDU.from_columns(columns, name="GTI"))
    return path


@pytest.fixture
def lat():
    return gammafind.create(
        "renderer",
        "fermi-lat",
        irf="P8R3_SOURCE_V3",
        event_types=["FRONT", "BACK"],
        energies=[0.01, 1, 2000],
        nsides=[4, 8],
    )


@pytest.fixture
def photons(tmp_path):
    """Two stretches of good time of thirty days, with a gap of forty days between."""
    gti = [[START, START + 30 * DAY], [START + 70 * DAY, START + 100 * DAY]]
    times = np.concatenate([np.linspace(*one, 100) for one in gti])
    return ft1(tmp_path / "ft1.fits", times, gti)


def test_each_photon_is_in_one_epoch(lat, photons):
    given = sorted_input(photons)
    whole = lat.bin_events(gammafind.sky.fits.PhotonLists.of([photons]))
    epochs = observe_times(given, lat, 4, pixels=lat.pixels)
    assert len(epochs) == 4
    for band, own in enumerate(epochs.photons):
        np.testing.assert_array_equal(sum(own.map(i) for i in range(4)), whole.values[band])
    assert sum(own.counts.sum() for own in epochs.photons) == 200


def test_the_exposure_follows_the_good_time_and_the_rocking_angle(lat, photons):
    spans = [START, START + 30 * DAY, START + 50 * DAY, START + 100 * DAY] * u.s
    epochs = observe_times(sorted_input(photons), lat, spans, pixels=lat.pixels)
    assert epochs.errors == pytest.approx([0.095, 0.112, 0.04], abs=0.02)
    for share in epochs.shares:
        assert np.ptp(share[0]) > 0.02
        assert share[0].mean() == pytest.approx(0.5, abs=0.03)
        np.testing.assert_array_equal(share[1], 0)
        np.testing.assert_allclose(share.sum(axis=0), 1)


def test_epochs_with_gaps_leave_photons_out(lat, photons, tmp_path):
    path = tmp_path / "gaps.txt"
    path.write_text(f"{START:.0f} {START + 10 * DAY:.0f}\n{START + 80 * DAY} {START + 90 * DAY}\n")
    epochs = observe_times(sorted_input(photons), lat, path, pixels=lat.pixels)
    assert sum(own.counts.sum() for own in epochs.photons) == pytest.approx(67, abs=2)
    assert np.all(sum(epochs.shares[0]) < 0.4)


def test_maps_and_epochs_without_photons_are_refused(lat, photons, tmp_path):
    with pytest.raises(OptionError, match="maps, which have none"):
        observe_times(sorted_input(gammafind.demo_sky()), lat, 3, pixels=lat.pixels)
    gap = [START + 35 * DAY, START + 60 * DAY] * u.s
    with pytest.raises(NoPhotonsError, match="no photon in the epochs"):
        observe_times(sorted_input(photons), lat, gap, pixels=lat.pixels)


def test_photons_without_times_are_refused(lat, tmp_path):
    path = photon_list(tmp_path / "timeless.fits", 20, TIME=("D", "s", None))
    with pytest.raises(FileFormatError, match=r"no times|no column TIME"):
        observe_times(sorted_input(path), lat, 3, pixels=lat.pixels)


def test_dates_come_back_from_seconds():
    assert mission_date(mission_seconds("2010-05-06T07:08:09")) == "2010-05-06T07:08:09"


def test_spacecraft_files_give_the_exposure_of_each_epoch(tmp_path):
    done = gammafind.simulate(
        "fermi-lat-psf3-2-20", output=tmp_path, photons=True, duration="2 h", start="2014-08-07"
    )
    folder = done.folders[0]
    given = sorted_input(folder / "ft1.fits", spacecraft=folder / "ft2.fits")
    lat = gammafind.create("renderer", "fermi-lat", energies=[2, 20], nsides=[16])
    pointed = lat.with_pointing(given.pointing, good_times=[folder / "ft1.fits"])
    edges = np.append(mission_seconds("2014-08-07") + 1800.0 * np.arange(4), 1e9) * u.s
    epochs = observe_times(given, pointed, edges, pixels=pointed.pixels)
    (share,) = epochs.shares
    np.testing.assert_array_equal(epochs.errors, 0)
    seen = pointed.exposure(epochs.share_pixels).values[0] > 0
    np.testing.assert_allclose(share.sum(axis=0)[seen], 1, rtol=1e-3)
    assert share.std(axis=1).min() > 0.05


def test_the_years_of_the_ten_years_are_those_of_4fgl_dr2():
    renderer = gammafind.create("renderer", "fermi-lat", exposure_source="ten-years")
    spans = renderer.epoch_spans
    assert spans.shape == (10, 2)
    assert mission_date(spans[0, 0]).startswith("2008-08-04")
    assert np.all(spans[1:, 0] == spans[:-1, 1])
    one = gammafind.create("renderer", "fermi-lat", exposure_source="ten-years", year=3)
    assert one.epoch_spans.shape == (0, 2)
