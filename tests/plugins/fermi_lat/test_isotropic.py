"""The text files of the isotropic emission."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose

from gammafind.errors import (
    FileFormatError,
    InputDataError,
    MissingFileError,
    OptionError,
    TruncatedFileError,
)
from gammafind.plugins.fermi_lat.isotropic import read_isotropic

ENERGY = np.geomspace(30, 1e6, 20)


def write(path, *columns):
    np.savetxt(path, np.column_stack(columns))
    return path


def test_a_power_law_integrates_to_the_closed_form(tmp_path):
    path = write(tmp_path / "iso.txt", ENERGY, 3e-3 * ENERGY**-2.0, ENERGY * 0)
    found = read_isotropic(path).band_intensity(1 * u.GeV, 20 * u.GeV)
    assert found.unit == u.Unit("cm-2 s-1 sr-1")
    assert_allclose(found.value, 3e-3 * (1 / 1e3 - 1 / 2e4), rtol=1e-10)


def test_two_columns_and_comments_are_read(tmp_path):
    path = tmp_path / "iso.txt"
    path.write_text("# made for a test\n100 1e-6\n\n1000 1e-8  # the last\n")
    spectrum = read_isotropic(path)
    assert_allclose(
        spectrum.differential([100, 1000**0.5 * 10, 1000] * u.MeV).value, [1e-6, 1e-7, 1e-8]
    )
    assert np.all(spectrum.error == 0)


def test_a_power_law_continues_outside_the_table(tmp_path):
    spectrum = read_isotropic(write(tmp_path / "iso.txt", ENERGY, 3e-3 * ENERGY**-2.0))
    found = spectrum.band_intensity(10 * u.MeV, 4 * u.TeV).value
    assert_allclose(found, 3e-3 * (1 / 10 - 1 / 4e6), rtol=1e-10)
    far = [5, 1e3, 2e7] * u.MeV
    assert_allclose(spectrum.differential(far).value, 3e-3 * far.value**-2.0, rtol=1e-10)


def test_it_continues_with_the_slope_of_the_last_decade_and_of_the_first_energies(tmp_path):
    energy, intensity = [1e2, 2e2, 1e4, 5e4, 1e5], [8.0, 2.0, 1e-3, 1e-8, 1e-5]
    spectrum = read_isotropic(write(tmp_path / "iso.txt", energy, intensity))
    found = spectrum.differential([1e1, 1e6] * u.MeV).value
    assert_allclose(found, [8e2, 1e-7], rtol=1e-10)


def test_energies_that_are_no_band_are_refused(tmp_path):
    spectrum = read_isotropic(write(tmp_path / "iso.txt", ENERGY, ENERGY**-2.0))
    with pytest.raises(OptionError, match="runs from"):
        spectrum.band_intensity(2 * u.GeV, 1 * u.GeV)
    with pytest.raises(OptionError, match="positive and finite"):
        spectrum.band_intensity(0 * u.GeV, 1 * u.GeV)
    with pytest.raises(OptionError, match="positive and finite"):
        spectrum.differential(np.inf * u.GeV)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("", TruncatedFileError, "no numbers"),
        ("# only a comment\n", TruncatedFileError, "no numbers"),
        ("energy flux\n1 2\n", FileFormatError, "energy"),
        ("1 2 3 4\n2 2 3 4\n", FileFormatError, "4 columns"),
        ("1 2\n2 3 4\n", FileFormatError, "2, 3 columns"),
        ("1 2\n", FileFormatError, "1 lines"),
        ("2 1\n1 1\n", InputDataError, "increasing"),
        ("1 1\n2 nan\n", InputDataError, "increasing|positive"),
        ("1 1\n2 0\n", InputDataError, "positive"),
    ],
)
def test_bad_files_are_named(tmp_path, text, error, message):
    path = tmp_path / "bad.txt"
    path.write_text(text)
    with pytest.raises(error, match=message) as caught:
        read_isotropic(path)
    assert str(path) in str(caught.value)


def test_binary_and_missing_files_are_named(tmp_path):
    binary = tmp_path / "binary.txt"
    binary.write_bytes(bytes(range(256)))
    with pytest.raises(FileFormatError, match="not a table"):
        read_isotropic(binary)
    for path in (tmp_path / "none.txt", tmp_path):
        with pytest.raises(MissingFileError):
            read_isotropic(path)


def test_every_official_file_is_read(shared):
    paths = sorted((shared / "fermi" / "diffuse").glob("iso_*.txt"))
    assert len(paths) >= 28
    for path in paths:
        found = read_isotropic(path).band_intensity(1 * u.GeV, 10 * u.GeV).value
        # The isotropic emission above 1 GeV is some 4e-7 ph/cm2/s/sr; PSF and FRONT/BACK
        # classes differ by their residual background.
        assert 1e-7 < found < 2e-6, path.name
