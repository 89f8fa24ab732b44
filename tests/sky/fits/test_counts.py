"""Bins of files become bands."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord

import gammafind.plugins.fermi_lat
from gammafind.errors import EmptySkyWarning, EnergyEdgesError, InputDataError
from gammafind.sky.bands import Band, energy_bands
from gammafind.sky.fits import read_counts, read_energy_edges
from tests.sky.fits.builders import N_PIXELS, counts, ebounds, gtbin_file, skymap, write

EIGHT = np.geomspace(1e6, 256e6, 9)
"""Edges in keV of eight bins, an octave each."""


def eight_bins(path, maps=None):
    edges = np.stack([EIGHT[:-1], EIGHT[1:]], axis=1)
    return write(path, skymap(counts(8) if maps is None else maps), ebounds(edges))


def test_bins_are_summed_to_bands(tmp_path):
    bands = energy_bands([2, 8, 64] * u.GeV)
    sky = read_counts(eight_bins(tmp_path / "map.fits"), bands=bands)
    maps = counts(8)
    np.testing.assert_array_equal(sky.values[0], maps[1:3].sum(axis=0))
    np.testing.assert_array_equal(sky.values[1], maps[3:6].sum(axis=0))
    assert sky.values[0].dtype.kind == "i"


def test_edges_fit_to_a_part_in_a_thousand_and_no_more(tmp_path):
    path = eight_bins(tmp_path / "map.fits")
    assert read_counts(path, bands=energy_bands([1.9990, 8.004] * u.GeV)).values[0].sum() > 0
    with pytest.raises(EnergyEdgesError):
        read_counts(path, bands=energy_bands([1.99, 8] * u.GeV))


def test_an_edge_that_does_not_fit_lists_both(tmp_path):
    path = eight_bins(tmp_path / "map.fits")
    with pytest.raises(EnergyEdgesError) as caught:
        read_counts(path, bands=energy_bands([1, 2, 7] * u.GeV))
    text = str(caught.value)
    assert "map.fits" in text
    assert "no bins add up to 2-7 GeV" in text
    assert "1-2, 2-4, 4-8, 8-16" in text
    assert "the bands (1-2, 2-7 GeV)" in text


def test_a_gap_between_bins_does_not_fill_a_band(tmp_path):
    path = write(tmp_path / "gap.fits", skymap(counts(2)), ebounds([(1e6, 2e6), (3e6, 7e6)]))
    with pytest.raises(EnergyEdgesError, match="no bins add up to 1-7 GeV"):
        read_counts(path, bands=energy_bands([1, 7] * u.GeV))


def test_several_files_each_hold_some_bands_on_pixels_of_their_own(tmp_path):
    coarse = write(tmp_path / "low.fits", skymap(counts(1)), ebounds([(1e6, 2e6)]))
    fine_map = np.random.default_rng(5).poisson(1.0, 12 * 64)
    fine = write(
        tmp_path / "high.fits",
        skymap(fine_map, NSIDE=8, LASTPIX=12 * 64 - 1),
        ebounds([(2e6, 7e6)]),
    )
    for bands in (None, energy_bands([1, 2, 7] * u.GeV)):
        sky = read_counts([fine, coarse], bands=bands)
        assert [pixels.nside for pixels in sky.pixels] == [4, 8]
        np.testing.assert_array_equal(sky.values[1], fine_map)
    assert [item["name"] for item in sky.meta["inputs"]] == ["high.fits", "low.fits"]
    assert len(sky.meta["inputs"][0]["sha256"]) == 64


def test_a_band_in_two_files_is_refused(tmp_path):
    one, two = gtbin_file(tmp_path / "one.fits"), gtbin_file(tmp_path / "two.fits")
    with pytest.raises(EnergyEdgesError, match="overlap"):
        read_counts([one, two])
    with pytest.raises(EnergyEdgesError, match=r"is also in .*one\.fits"):
        read_counts([one, two], bands=energy_bands([1, 2, 7] * u.GeV))


def test_a_file_that_holds_no_band_is_refused(tmp_path):
    one = gtbin_file(tmp_path / "one.fits")
    other = write(tmp_path / "other.fits", skymap(counts(1)), ebounds([(9e6, 20e6)]))
    with pytest.raises(EnergyEdgesError, match=r"other\.fits: none of the bands"):
        read_counts([one, other], bands=energy_bands([1, 2, 7] * u.GeV))


def test_maps_without_edges_fill_the_bands_in_order(tmp_path):
    path = write(tmp_path / "plain.fits", skymap(counts(2)))
    bands = (Band("g", 500 * u.nm, 600 * u.nm), Band("r", 600 * u.nm, 700 * u.nm))
    sky = read_counts(path, bands=bands)
    assert sky.bands == bands
    np.testing.assert_array_equal(sky.values, counts(2))
    with pytest.raises(EnergyEdgesError, match="2 maps without EBOUNDS"):
        read_counts(path, bands=bands[:1])
    with pytest.raises(EnergyEdgesError, match=r"plain\.fits: there is no EBOUNDS"):
        read_counts(path)


@pytest.mark.parametrize(("unit", "scale"), [(None, 1), ("keV ", 1), ("MeV", 1e-3), ("GeV", 1e-6)])
def test_units_of_the_edges(tmp_path, unit, scale):
    path = write(tmp_path / "map.fits", skymap(counts()), ebounds(unit=unit, scale=scale))
    edges = read_energy_edges(path).to_value(u.GeV)
    np.testing.assert_allclose(edges, [[1, 2], [2, 7]], rtol=1e-6)


def test_energy_edges_of_several_files_are_sorted(tmp_path):
    high = write(tmp_path / "high.fits", skymap(counts(1)), ebounds([(7e6, 20e6)]))
    edges = read_energy_edges([high, gtbin_file(tmp_path / "low.fits")])
    np.testing.assert_allclose(edges.to_value(u.GeV), [[1, 2], [2, 7], [7, 20]], rtol=1e-6)


def test_an_empty_sky_is_a_map_of_zeros_and_a_warning(tmp_path):
    path = gtbin_file(tmp_path / "dark.fits", np.zeros((2, N_PIXELS), dtype=int))
    with pytest.warns(EmptySkyWarning, match=r"dark\.fits: the sky has no counts"):
        sky = read_counts(path)
    assert sky.n_bands == 2


@pytest.mark.filterwarnings("ignore::gammafind.errors.MaskedPixelsWarning")
def test_a_band_without_any_pixel_is_refused(tmp_path):
    maps = counts().astype(float)
    maps[1] = np.nan
    path = gtbin_file(tmp_path / "half.fits", maps)
    with pytest.raises(InputDataError, match="CHANNEL2: no pixel has data"):
        read_counts(path)
    assert read_counts(path, bands=energy_bands([1, 2] * u.GeV)).valid[0].all()


def test_a_pixel_of_a_band_is_valid_where_all_its_bins_are(tmp_path):
    maps = counts().astype(float)
    maps[1, 4] = np.nan
    path = gtbin_file(tmp_path / "hole.fits", maps)
    with pytest.warns(match="1 of 192"):
        sky = read_counts(path, bands=energy_bands([1, 7] * u.GeV))
    assert np.flatnonzero(~sky.valid[0]).tolist() == [4]
    assert sky.values[0][4] == 0


def test_the_embedded_sky():
    folder = gammafind.plugins.fermi_lat.__path__[0]
    sky = read_counts(
        f"{folder}/data/counts_2-20GeV_psf3.fits.gz", bands=energy_bands([2, 20] * u.GeV)
    )
    assert sky.values[0].sum() == 1_988_886
    assert sky.pixels[0].nside == 128


def test_pixels_outside_the_circle_of_the_selection_hold_no_data(tmp_path):
    table = skymap(counts(2))
    table.header.update(NDSKEYS=1, DSTYP1="POS(RA,DEC)", DSVAL1="CIRCLE(83.6,22.0,40)")
    sky = read_counts(write(tmp_path / "map.fits", table, ebounds()))
    centres = sky.pixels[0].centres()
    near = SkyCoord(83.6, 22, unit="deg").separation(centres).deg <= 40
    np.testing.assert_array_equal(sky.valid[1], near)
    assert not sky.values[1][~near].any()
    np.testing.assert_array_equal(sky.values[1][near], counts(2)[1][near])
