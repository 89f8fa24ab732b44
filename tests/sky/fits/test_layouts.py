"""Files of several layouts, and what their headers leave out."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits

from gammafind.errors import (
    AssumptionWarning,
    CoverageWarning,
    EnergyEdgesError,
    ExtrapolationWarning,
    FileFormatError,
    HealpixError,
    InputDataError,
    MaskedPixelsWarning,
    MissingFileError,
    SelectionWarning,
)
from gammafind.sky.bands import energy_bands
from gammafind.sky.fits import read_counts, read_energy_edges, read_exposure, read_layers
from gammafind.sky.pixels import HealpixPixels, WcsPixels
from tests.sky.fits.builders import (
    N_PIXELS,
    counts,
    cube,
    ebounds,
    image_wcs,
    skymap,
    with_keywords,
    write,
)

BANDS = energy_bands([1, 2, 7] * u.GeV)


def bands_table(name, low, high, *, unit="GeV") -> fits.BinTableHDU:
    """Energies as gammapy writes them."""
    columns = [
        fits.Column("CHANNEL", "I", array=np.arange(len(low))),
        fits.Column("ENERGY", "D", unit=unit, array=np.sqrt(np.multiply(low, high))),
        fits.Column("E_MIN", "D", unit=unit, array=low),
        fits.Column("E_MAX", "D", unit=unit, array=high),
    ]
    return fits.BinTableHDU.from_columns(columns, name=name)


def energies(values, unit="MeV") -> fits.BinTableHDU:
    column = fits.Column("Energy", "D", unit=unit, array=values)
    return fits.BinTableHDU.from_columns([column], name="ENERGIES")


def pixel_list(values, index, nside=16, **keywords) -> fits.BinTableHDU:
    columns = [
        fits.Column("PIX", "J", array=index),
        fits.Column("CHANNEL1", "J", array=values),
    ]
    table = fits.BinTableHDU.from_columns(columns, name="SKYMAP")
    return with_keywords(
        table, NSIDE=nside, INDXSCHM="EXPLICIT", FIRSTPIX=None, LASTPIX=None, **keywords
    )


def test_the_table_that_bandshdu_names_holds_the_energies(tmp_path):
    image = cube()
    image.header["BANDSHDU"] = "PRIMARY_BANDS"
    path = write(tmp_path / "gadf.fits", image, bands_table("PRIMARY_BANDS", [1, 2], [2, 7]))
    assert [band.name for band in read_counts(path).bands] == ["1-2 GeV", "2-7 GeV"]
    np.testing.assert_allclose(read_energy_edges(path).to_value("GeV"), [[1, 2], [2, 7]])
    with pytest.raises(EnergyEdgesError, match="no bins add up to 2-20 GeV"):
        read_counts(path, bands=energy_bands([2, 20] * u.GeV))


def test_energies_of_counts_may_be_the_edges(tmp_path):
    path = write(tmp_path / "edges.fits", cube(), energies([1000, 2000, 7000]))
    assert [band.name for band in read_counts(path).bands] == ["1-2 GeV", "2-7 GeV"]


@pytest.mark.parametrize("unit", ["MEV", "mev", "MeV"])
def test_units_of_energies_have_any_case(tmp_path, unit):
    path = write(tmp_path / "unit.fits", cube(), energies([1000, 2000, 7000], unit))
    assert read_counts(path).bands[0].name == "1-2 GeV"


def test_energies_without_a_unit_have_the_one_that_makes_them_gamma_rays(tmp_path):
    path = write(tmp_path / "none.fits", cube(), ebounds(unit=None, scale=1e-6))
    with pytest.warns(AssumptionWarning, match="from 1 to 7, it is taken as GeV"):
        assert read_counts(path).bands[0].name == "1-2 GeV"


def test_bands_with_pixels_of_their_own_are_refused(tmp_path):
    table = bands_table("SKYMAP_BANDS", [1, 2], [2, 7])
    table = fits.BinTableHDU.from_columns(
        [*table.columns, fits.Column("NSIDE", "J", array=[4, 8])], name="SKYMAP_BANDS"
    )
    path = write(tmp_path / "nsides.fits", skymap(counts(), BANDSHDU="SKYMAP_BANDS"), table)
    with pytest.raises(FileFormatError, match="different pixels"):
        read_counts(path)


def test_a_single_map_has_the_energies_of_its_cut(tmp_path):
    image = cube((6, 8))
    image.header.update({"NDSKEYS": 1, "DSTYP1": "ENERGY", "DSUNI1": "MeV", "DSVAL1": "1000:7000"})
    path = write(tmp_path / "cmap.fits", image)
    assert read_counts(path).bands[0].name == "1-7 GeV"
    with pytest.raises(EnergyEdgesError, match="selected in 1-7 GeV, the band is 2-20 GeV"):
        read_counts(path, bands=energy_bands([2, 20] * u.GeV))
    with pytest.warns(SelectionWarning, match="one of 2-7 GeV alone"):
        read_counts(path, bands=energy_bands([2, 7] * u.GeV))


def test_energies_in_the_name_of_a_file_are_suggested(tmp_path):
    path = write(tmp_path / "energy_10_30.fits", cube((6, 8)))
    with pytest.raises(EnergyEdgesError, match=r"may be --band 10-30GeV"):
        read_counts(path)


def test_one_of_several_maps_is_chosen_by_its_name(tmp_path):
    maps = [fits.ImageHDU(cube().data + i, cube().header, name=f"M{i}") for i in range(2)]
    path = write(tmp_path / "several.fits", *maps, ebounds())
    with pytest.raises(FileFormatError, match=r"2 maps: 1 M0, 2 M1.*several\.fits\[M0\]"):
        read_counts(path)
    for chosen in ("M1", "m1", "2"):
        np.testing.assert_array_equal(
            read_counts(f"{path}[{chosen}]").values, read_counts(f"{path}[M0]").values + np.array(1)
        )
    with pytest.raises(FileFormatError, match="no HDU 'M7'"):
        read_counts(f"{path}[M7]")
    with pytest.raises(MissingFileError, match=r"nowhere\.fits"):
        read_counts(tmp_path / "nowhere.fits[M0]")


def test_a_dataset_has_counts_and_exposure(tmp_path):
    header = cube().header
    path = write(
        tmp_path / "dataset[1]",
        fits.ImageHDU(cube().data, header, name="COUNTS"),
        fits.ImageHDU(np.full((2, 6, 8), 1e6), header, name="EXPOSURE"),
        bands_table("COUNTS_BANDS", [1, 2], [2, 7]),
    )
    with fits.open(path, mode="update") as file:
        for name in ("COUNTS", "EXPOSURE"):
            file[name].header["BANDSHDU"] = "COUNTS_BANDS"
        file["EXPOSURE"].header["SPECUNIT"] = "m2 s"
    np.testing.assert_array_equal(read_counts(path).values, cube().data)
    np.testing.assert_allclose(read_exposure(path, bands=BANDS).values, 1e10)


def test_empty_pixels_that_a_list_leaves_out_are_zero(tmp_path):
    sky = np.random.default_rng(1).poisson(1.0, 12 * 16**2)
    index = np.flatnonzero(sky)
    path = write(tmp_path / "list.fits", pixel_list(sky[index], index), ebounds([[1e6, 2e6]]))
    with pytest.warns(AssumptionWarning, match="on the whole sky, are taken as empty"):
        found = read_counts(path)
    assert found.valid[0].all()
    np.testing.assert_array_equal(found.values[0], sky)


def test_empty_pixels_are_those_in_the_circle_of_the_selection(tmp_path):
    sky = np.random.default_rng(1).poisson(1.0, 12 * 16**2)
    disc = HealpixPixels(16).vectors @ [1, 0, 0] > np.cos(np.radians(40))
    index = np.flatnonzero(sky * disc)
    cut = {"NDSKEYS": 1, "DSTYP1": "POS(RA,DEC)", "DSVAL1": "CIRCLE(266.40,-28.94,40)"}
    path = write(
        tmp_path / "list.fits", pixel_list(sky[index], index, **cut), ebounds([[1e6, 2e6]])
    )
    with pytest.warns(AssumptionWarning, match="in the circle of the photon selection"):
        assert abs(read_counts(path).valid[0].sum() - disc.sum()) < 10


def test_a_list_of_all_pixels_of_a_region_covers_that_region_only(tmp_path):
    sky = np.random.default_rng(1).poisson(1.0, 500)
    path = write(tmp_path / "list.fits", pixel_list(sky, np.arange(500)), ebounds([[1e6, 2e6]]))
    assert read_counts(path).valid[0].sum() == 500


def test_bands_that_cover_different_parts_of_the_sky_are_warned_of(tmp_path):
    maps = counts().astype(float)
    maps[1, 50:] = np.nan
    path = write(tmp_path / "half.fits", skymap(maps), ebounds())
    with (
        pytest.warns(CoverageWarning, match="2-7 GeV covers 0.26 of the sky that 1-2 GeV covers"),
        pytest.warns(MaskedPixelsWarning),
    ):
        read_counts(path)


def test_blank_is_no_data_in_unsigned_integers(tmp_path):
    data = np.arange(1, 49, dtype=np.uint16).reshape(6, 8)
    path = write(tmp_path / "blank.fits", fits.PrimaryHDU(data, image_wcs().to_header()))
    content = path.read_bytes()
    card = b"BLANK   = %20d" % (5 - 32768)
    path.write_bytes(content.replace(b"END".ljust(80), card.ljust(80) + b"END".ljust(80), 1)
                     .replace(b" " * 80, b"", 1))  # fmt: skip
    with pytest.warns(MaskedPixelsWarning, match="1 of 48"):
        layers = read_layers(path)
    assert not layers.valid[0].flat[4]
    assert layers.values[0].flat[5] == 6


def test_stray_distortion_is_left_out(tmp_path):
    image = cube((6, 8), projection="TAN")
    image.header.update({"A_ORDER": 2, "A_2_0": 0.01, "B_ORDER": 2, "B_0_2": 0.01})
    path = write(tmp_path / "sip.fits", image)
    with pytest.warns(AssumptionWarning, match="must end with -SIP"):
        pixels = read_layers(path).pixels
    np.testing.assert_allclose(
        pixels.vectors, WcsPixels(image_wcs("TAN"), (6, 8)).vectors, atol=1e-9
    )


@pytest.mark.parametrize(
    ("value", "says"),
    [(2j, "complex128"), (1e300, "1e\\+300 counts"), (0.5, "weights of a likelihood")],
)
def test_values_that_are_no_counts_are_named(tmp_path, value, says):
    maps = np.full(N_PIXELS, value)
    column = fits.Column("CHANNEL1", "M" if maps.dtype.kind == "c" else "D", array=maps)
    table = with_keywords(fits.BinTableHDU.from_columns([column], name="SKYMAP"))
    path = write(tmp_path / "map.fits", table, ebounds([[1e6, 2e6]]))
    with pytest.raises((FileFormatError, InputDataError), match=says):
        read_counts(path)


@pytest.mark.parametrize("channel", [-1, 2**31, 2**62])
def test_impossible_channels_are_refused(tmp_path, channel):
    columns = [
        fits.Column("PIX", "J", array=[1]),
        fits.Column("CHANNEL", "K", array=[channel]),
        fits.Column("VALUE", "E", array=[1.0]),
    ]
    table = with_keywords(fits.BinTableHDU.from_columns(columns, name="SKYMAP"), INDXSCHM="SPARSE")
    with pytest.raises(HealpixError, match=r"CHANNEL|channel"):
        read_layers(write(tmp_path / "map.fits", table))


def test_an_exposure_partly_without_energies_is_warned_of(tmp_path):
    table = skymap(np.full((2, N_PIXELS), 1e10), prefix="ENERGY", name="HPXEXPOSURES")
    path = write(tmp_path / "exp.fits", table, energies([1000, 2000]))
    with pytest.warns(ExtrapolationWarning, match="in the rest of the band 2-7 GeV"):
        read_exposure(path, bands=BANDS)


def test_nothing_is_interpolated_into_pixels_without_exposure(tmp_path):
    half = np.where(np.arange(N_PIXELS) < N_PIXELS // 2, 1e10, 0)
    table = skymap(np.stack([half, half]), prefix="ENERGY", name="HPXEXPOSURES")
    path = write(tmp_path / "exp.fits", table, energies([1000, 7000]))
    sky = read_exposure(path, bands=BANDS, pixels=[HealpixPixels(16)] * 2)
    assert 0.4 < sky.valid[0].mean() < 0.6
    np.testing.assert_allclose(sky.values[0][sky.valid[0]], 1e10)


def test_an_exposure_is_not_taken_for_counts(tmp_path):
    table = skymap(np.full((1, N_PIXELS), 1e10), prefix="ENERGY", name="HPXEXPOSURES")
    path = write(tmp_path / "exp.fits", table, energies([1000]))
    with pytest.raises(FileFormatError, match=r"map of exposures.*--exposure"):
        read_counts(path)
