from __future__ import annotations

import gzip

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from gammafind.errors import (
    FileFormatError,
    MissingFileError,
    ResponseError,
    TruncatedFileError,
)
from gammafind.plugins.fermi_lat.irf import read_dispersion, read_effective_area, read_psf
from gammafind.plugins.fermi_lat.irf.caldb import hat_matrix

CENTRES = np.array([1.0, 1.5, 2.5, 4.0])
READERS = [read_psf, read_effective_area, read_dispersion]


def only_areas(name):
    return name.startswith("EFF")


def everything(name):
    return True


@given(st.lists(st.floats(1, 4), min_size=1, max_size=9))
def test_interpolation_is_exact_for_a_line(values):
    weights = hat_matrix(np.array(values), CENTRES)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    np.testing.assert_allclose(weights @ (3 * CENTRES - 1), 3 * np.array(values) - 1)


def test_interpolation_is_constant_beyond_the_centres():
    weights = hat_matrix(np.array([-5.0, 9.0]), CENTRES)
    np.testing.assert_array_equal(weights, [[1, 0, 0, 0], [0, 0, 0, 1]])


def test_effective_area_given_as_psf_is_named(rewritten):
    path = rewritten(only_areas)
    with pytest.raises(ResponseError, match=r"no extension 'RPSF_FRONT'.*psf_\*") as error:
        read_psf(path, "FRONT")
    assert str(path) in str(error.value)


def test_psf_given_as_energy_dispersion_is_named(rewritten):
    path = rewritten(lambda name: "PSF_" in name)
    with pytest.raises(ResponseError, match=r"ENERGY DISPERSION_FRONT.*edisp_\*"):
        read_dispersion(path, "FRONT")


def test_missing_event_type_lists_those_there(rewritten):
    path = rewritten(lambda name: name.endswith(("FRONT", "BACK")))
    with pytest.raises(ResponseError, match=r"no event type 'PSF3'. It has FRONT, BACK"):
        read_psf(path, "PSF3")


def test_missing_column_is_named(rewritten):
    def drop(hdus):
        hdus["RPSF_FRONT"].columns.del_col("STAIL")

    with pytest.raises(ResponseError, match="lacks STAIL"):
        read_psf(rewritten(everything, drop), "FRONT")


def test_values_not_finite_are_refused(rewritten):
    def spoil(hdus):
        hdus["EFFECTIVE AREA_FRONT"].data["EFFAREA"][0, 3, 3] = np.nan

    with pytest.raises(ResponseError, match=r"EFFAREA .* infinite or NaN"):
        read_effective_area(rewritten(everything, spoil), "FRONT")


def test_negative_area_is_refused(rewritten):
    def spoil(hdus):
        hdus["EFFECTIVE AREA_FRONT"].data["EFFAREA"][0, 3, 3] = -1

    with pytest.raises(ResponseError, match="minimum -1 m2"):
        read_effective_area(rewritten(everything, spoil), "FRONT")


def test_king_index_that_defines_no_psf_is_refused(rewritten):
    def spoil(hdus):
        hdus["RPSF_FRONT"].data["GTAIL"][0, 2, 2] = 0.9

    with pytest.raises(ResponseError, match="define no PSF"):
        read_psf(rewritten(everything, spoil), "FRONT")


def test_header_without_response_name_is_refused(rewritten):
    def spoil(hdus):
        hdus["RPSF_FRONT"].header["CBD20001"] = "CLASS(NONE)"

    with pytest.raises(ResponseError, match="CBD20001"):
        read_psf(rewritten(everything, spoil), "FRONT")


@pytest.mark.parametrize("read", READERS)
def test_missing_file_and_directory_are_named(read, tmp_path):
    for path in (tmp_path / "none.fits", tmp_path):
        with pytest.raises(MissingFileError, match=path.name):
            read(path, "FRONT")


@pytest.mark.parametrize("read", READERS)
def test_cut_off_file_is_named(read, embedded, tmp_path):
    whole = gzip.decompress(embedded.read_bytes())
    for name, content in {
        "plain.fits": whole[: len(whole) // 2 + 100],
        "squeezed.fits.gz": embedded.read_bytes()[:20_000],
        "empty.fits": b"",
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(TruncatedFileError, match=name):
            read(tmp_path / name, "FRONT")


@pytest.mark.parametrize("read", READERS)
def test_other_files_are_refused(read, tmp_path):
    (tmp_path / "text.fits").write_text("no FITS file at all\n" * 300)
    with pytest.raises(FileFormatError, match=r"text\.fits"):
        read(tmp_path / "text.fits", "FRONT")
    fits.PrimaryHDU(np.zeros((4, 4))).writeto(tmp_path / "image.fits")
    with pytest.raises(ResponseError, match="its extensions are: none"):
        read(tmp_path / "image.fits", "FRONT")
