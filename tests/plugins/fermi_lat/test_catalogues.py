"""4FGL catalogues of all releases in one schema."""

from __future__ import annotations

import gzip
import io
import pickle

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.io.votable.ucd import check_ucd
from astropy.table import QTable, vstack
from numpy.testing import assert_allclose

from gammafind.errors import (
    FileFormatError,
    InputDataError,
    MissingFileError,
    TableError,
    TruncatedFileError,
)
from gammafind.plugins.fermi_lat.catalogue_columns import FERMI_CATALOGUE
from gammafind.plugins.fermi_lat.catalogues import class_group, read_fermi_catalogue, spectra_of
from gammafind.plugins.fermi_lat.embedded import load_4fgl_dr2

KINDS = ("PowerLaw", "LogParabola", "PLSuperExpCutoff")
INDEX, A, B, PIVOT = 1.5, 0.01, 0.6, 1000.0
SLOPE = A * B * PIVOT**B


def release(dr: int, **changes: fits.Column | None) -> fits.HDUList:
    """Build a catalogue of three rows with the names and shapes of a release."""
    years, bands = {1: (8, 7), 2: (10, 7), 3: (12, 8), 4: (14, 8)}[dr]
    density, flux = "photon/cm**2/MeV/s", "photon/cm**2/s"
    columns = {
        "Source_Name": ("18A", None, ["4FGL J0000.1+0001", "4FGL J0000.2+0002e", "4FGL J1"]),
        "RAJ2000": ("E", "deg", [0.1, 0.2, 0.3]),
        "DEJ2000": ("E", "deg", [1, 2, 3]),
        "GLON": ("E", "deg", [96, 97, 98]),
        "GLAT": ("E", "deg", [-60, -61, -62]),
        "Conf_95_SemiMajor": ("E", "deg", [0.1, np.nan, 0.2]),
        "Signif_Avg": ("E", None, [5, 6, 7]),
        "Pivot_Energy": ("E", "MeV", [PIVOT] * 3),
        "Flux1000": ("E", flux, [1e-10] * 3),
        "Unc_Flux1000": ("E", flux, [1e-11] * 3),
        "Energy_Flux100": ("E", "erg/cm**2/s", [1e-12] * 3),
        "SpectrumType": ("17A", None, KINDS),
        "PL_Flux_Density": ("E", density, [1e-13] * 3),
        "PL_Index": ("E", None, [2.2] * 3),
        "LP_Flux_Density": ("E", density, [2e-13] * 3),
        "LP_Index": ("E", None, [2.0] * 3),
        "LP_beta": ("E", None, [0.1] * 3),
        "PLEC_Flux_Density": ("E", density, [3e-13] * 3),
        "PLEC_Exp_Index": ("E", None, [B] * 3),
        "Flux_Band": (f"{bands}E", flux, np.ones((3, bands))),
        "Variability_Index": ("E", None, [10, 20, 30]),
        "Flux_History": (f"{years}E", flux, np.ones((3, years))),
        "CLASS1": ("7A", None, ["bll", "FSRQ", "PSR"]),
        "ASSOC1": ("28A", None, ["A  ", "", "B"]),
    }
    if dr <= 2:
        columns["PLEC_Index"] = ("E", None, [INDEX] * 3)
        columns["PLEC_Expfactor"] = ("E", None, [A] * 3)
    else:
        columns["PLEC_IndexS"] = ("E", None, [INDEX + SLOPE] * 3)
        columns["PLEC_ExpfactorS"] = ("E", None, [B * SLOPE] * 3)
        columns["PLEC_EPeak"] = ("E", "MeV", [900.0] * 3)
    if dr >= 2:
        columns["DataRelease"] = ("I", None, [1] * 3)
        columns["Flags"] = ("I", None, [0, 1, 2048])
    columns = {name: value for name, value in (columns | changes).items() if value}
    table = fits.BinTableHDU.from_columns(
        [fits.Column(n, f, unit=unit, array=a) for n, (f, unit, a) in columns.items()],
        name="LAT_Point_Source_Catalog",
    )
    table.header["VERSION"] = {1: "v22", 2: "v27", 3: "v31", 4: "v35"}[dr]
    return fits.HDUList([fits.PrimaryHDU(), table])


def written(path, hdus) -> str:
    hdus.writeto(path)
    return path


@pytest.mark.parametrize("dr", [1, 2, 3, 4])
def test_every_release_gives_one_schema(tmp_path, dr):
    table = read_fermi_catalogue(written(tmp_path / "gll_psc.fit", release(dr)))
    assert table.colnames == [column.name for column in FERMI_CATALOGUE]
    assert table.meta["release"] == f"4FGL-DR{dr}"
    assert list(table["ASSOC1"]) == ["A", "", "B"]
    assert list(table["Source_Name"])[1] == "4FGL J0000.2+0002e"
    assert table["Flux1000"].unit == u.Unit("cm-2 s-1")
    assert table["Flux_Band"].shape == (3, 7 if dr < 3 else 8)
    assert table["Flux_History"].shape == (3, 6 + 2 * dr)
    assert list(table["Flags"]) == ([0, 1, 2048] if dr > 1 else [0, 0, 0])
    assert np.all(np.isnan(table["Frac_Variability"]))


@pytest.mark.parametrize("dr", [1, 2, 3, 4])
def test_both_forms_of_the_cut_off_are_in_every_release(tmp_path, dr):
    table = read_fermi_catalogue(written(tmp_path / "gll_psc.fit", release(dr)))
    assert_allclose(table["PLEC_Index"], INDEX, rtol=1e-5)
    assert_allclose(table["PLEC_Expfactor"], A, rtol=1e-5)
    assert_allclose(table["PLEC_IndexS"], INDEX + SLOPE, rtol=1e-5)
    assert_allclose(table["PLEC_ExpfactorS"], B * SLOPE, rtol=1e-5)


def test_spectra_are_the_same_from_every_release(tmp_path):
    energy = np.geomspace(0.1, 100, 7) * u.GeV
    tables = [
        read_fermi_catalogue(written(tmp_path / f"{dr}.fit", release(dr))) for dr in (1, 2, 3, 4)
    ]
    spectra = [spectra_of(table) for table in tables]
    assert spectra[1].kind[2] == "PLSuperExpCutoff"
    assert spectra[3].kind[2] == "PLSuperExpCutoff4"
    values = [one.differential(energy).value for one in spectra]
    assert_allclose(values[1:], [values[0]] * 3, rtol=1e-4)
    assert_allclose(spectra[0].differential(1 * u.GeV).value, [1e-13, 2e-13, 3e-13], rtol=1e-6)


def test_a_cut_off_without_exponent_stays_what_it_is(tmp_path):
    hdus = release(4, PLEC_Exp_Index=("E", None, [0.0] * 3))
    table = read_fermi_catalogue(written(tmp_path / "dr4.fit", hdus))
    assert np.all(np.isnan(table["PLEC_Expfactor"]))
    assert np.all(np.isfinite(spectra_of(table).flux(1 * u.GeV, 100 * u.GeV).value))


def test_an_early_file_with_class_is_read(tmp_path):
    hdus = release(1, CLASS1=None, CLASS=("7A", None, ["bll", "", "psr"]))
    table = read_fermi_catalogue(written(tmp_path / "early.fit", hdus))
    assert list(table["CLASS1"]) == ["bll", "", "psr"]


def test_gzip_and_the_extension_elsewhere_make_no_difference(tmp_path):
    hdus = release(3)
    plain = read_fermi_catalogue(written(tmp_path / "a.fit", hdus))
    hdus.insert(1, fits.ImageHDU(np.zeros((2, 2))))
    hdus[-1].name = "renamed"
    packed = read_fermi_catalogue(written(tmp_path / "b.fit.gz", hdus))
    assert np.all(plain["Flux1000"] == packed["Flux1000"])


def test_units_and_ucds_are_valid(tmp_path):
    table = read_fermi_catalogue(written(tmp_path / "a.fit", release(2)))
    for name in table.colnames:
        assert check_ucd(table[name].info.meta["ucd"], check_controlled_vocabulary=True), name
        assert table[name].info.description
    back = pickle.loads(pickle.dumps(table))
    assert isinstance(vstack([table, back], metadata_conflicts="silent"), QTable)


@pytest.mark.parametrize("missing", ["CLASS1", "Flux1000", "LP_beta", "GLON", "PLEC_ExpfactorS"])
def test_a_missing_column_is_named(tmp_path, missing):
    path = written(tmp_path / "a.fit", release(3, **{missing: None}))
    with pytest.raises(FileFormatError, match=missing) as caught:
        read_fermi_catalogue(path)
    assert str(path) in str(caught.value)


def test_an_unknown_form_of_spectrum_is_named(tmp_path):
    kinds = ("17A", None, ["PowerLaw", "BrokenPowerLaw", "PowerLaw"])
    path = written(tmp_path / "a.fit", release(3, SpectrumType=kinds))
    with pytest.raises(FileFormatError, match="BrokenPowerLaw"):
        read_fermi_catalogue(path)


def test_a_position_without_value_is_refused(tmp_path):
    path = written(tmp_path / "a.fit", release(3, GLAT=("E", "deg", [1, np.nan, 2])))
    with pytest.raises(InputDataError, match="position"):
        read_fermi_catalogue(path)


def test_other_files_are_named(tmp_path):
    image = written(tmp_path / "image.fits", fits.HDUList([fits.PrimaryHDU(np.zeros((4, 4)))]))
    with pytest.raises(FileFormatError, match="LAT_Point_Source_Catalog"):
        read_fermi_catalogue(image)
    text = tmp_path / "notes.txt"
    text.write_text("no catalogue\n" * 500)
    with pytest.raises(FileFormatError, match=r"not a FITS file"):
        read_fermi_catalogue(text)
    empty = tmp_path / "empty.fit"
    empty.touch()
    with pytest.raises(TruncatedFileError, match="empty"):
        read_fermi_catalogue(empty)
    for path in (tmp_path / "none.fit", tmp_path):
        with pytest.raises(MissingFileError):
            read_fermi_catalogue(path)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("fraction", [0.02, 0.3, 0.6, 0.9, 0.99])
def test_a_truncated_file_is_named(tmp_path, fraction, compressed):
    buffer = io.BytesIO()
    release(3).writeto(buffer)
    content = gzip.compress(buffer.getvalue()) if compressed else buffer.getvalue()
    path = tmp_path / "cut.fit"
    path.write_bytes(content[: int(len(content) * fraction)])
    faults = (TruncatedFileError, FileFormatError)
    with pytest.raises(faults, match=r"cut off|ends in|damaged") as caught:
        read_fermi_catalogue(path)
    assert str(path) in str(caught.value)


def with_extended(*rows: tuple) -> fits.HDUList:
    """Catalogue whose second source is extended, and its table of shapes."""
    hdus = release(2, Extended_Source_Name=("18A", None, ["", "W 44", ""]))
    names = ("Source_Name", "Model_Form", "Model_SemiMajor", "Model_SemiMinor", "Model_PosAng")
    formats = dict(
        zip((*names, "Spatial_Filename"), ("17A", "11A", "E", "E", "E", "24A"), strict=True)
    )
    columns = zip(formats.items(), zip(*rows, strict=True), strict=True)
    shapes = [fits.Column(name, form, array=values) for (name, form), values in columns]
    return fits.HDUList([*hdus, fits.BinTableHDU.from_columns(shapes, name="ExtendedSources")])


@pytest.mark.parametrize(
    ("form", "axes", "expected"),
    [
        ("Disk", (0.5, 0.5, 0), ("disc", 0.5, 1.0, "")),
        ("2D Gaussian", (0.5, 0.25, 30), ("gaussian", 0.5, 0.5, "")),
        ("Ring", (0.5, 0.5, 0), ("ring", 0.5, 1.0, "inner radius of Abdo")),
        ("Map", (0.5, 0.25, 30), ("disc", 0.5, 0.5, "disc in place of the map a.fits")),
        ("Map", (np.nan, np.nan, np.nan), ("", np.nan, np.nan, "point in place of")),
    ],
)
def test_extended_sources_have_their_shapes(tmp_path, form, axes, expected):
    hdus = with_extended(("W 44", form, *axes, "a.fits"))
    table = read_fermi_catalogue(written(tmp_path / "a.fit", hdus))
    model, radius, ratio, note = expected
    assert list(table["extension_model"]) == ["", model, ""]
    assert_allclose(table["extension_radius"][1].to_value("deg"), radius)
    assert_allclose(table["extension_ratio"][1], ratio)
    assert table["extension_note"][1].startswith(note)
    assert not table["extension_note"][0]


def test_a_ring_of_unknown_inner_radius_is_a_disc(tmp_path):
    hdus = with_extended(("W 44", "Ring", 0.5, 0.5, 0, ""), ("other", "Ring", 1, 1, 0, ""))
    hdus[1].data["Extended_Source_Name"][1] = "other"
    table = read_fermi_catalogue(written(tmp_path / "a.fit", hdus))
    assert table["extension_model"][1] == "disc"
    assert "unknown inner radius" in table["extension_note"][1]


def test_the_embedded_dr2_has_75_shapes():
    table = load_4fgl_dr2()
    models = [str(model) for model in table["extension_model"]]
    assert [models.count(m) for m in ("disc", "gaussian", "ring")] == [59, 14, 2]
    assert sum(note.startswith("disc in place") for note in table["extension_note"]) == 15


def test_classes_are_grouped():
    names = ["bll", "BLL", "fsrq", "PSR", "msp", "SNR", "spp", "PWN ", "bcu", "", "unk", "rdg"]
    groups = ["BLL", "BLL", "FSRQ", "PSR", "PSR", *["PWN+SNR"] * 3, "BCU", *["UNASSOCIATED"] * 2]
    assert list(class_group(names)) == [*groups, "OTHER"]


def test_spectra_of_another_table_are_refused():
    with pytest.raises(TableError, match="Pivot_Energy"):
        spectra_of(QTable({"SpectrumType": ["PowerLaw"]}))


def check_fluxes(table: QTable) -> None:
    """Compare the listed fluxes to the integrals of the listed spectra."""
    assert len(table) == 5788
    spectra = spectra_of(table)
    ratio = (spectra.flux(1 * u.GeV, 100 * u.GeV) / table["Flux1000"]).value
    assert abs(np.median(ratio) - 1) < 0.002
    assert np.mean(np.abs(ratio - 1) < 0.02) >= 0.95
    energy_ratio = (spectra.energy_flux(0.1 * u.GeV, 100 * u.GeV) / table["Energy_Flux100"]).value
    assert abs(np.median(energy_ratio) - 1) < 0.002
    assert np.mean(np.abs(energy_ratio - 1) < 0.02) >= 0.95


def test_fluxes_of_the_official_dr2_follow_from_its_spectra(shared):
    check_fluxes(read_fermi_catalogue(shared / "fermi" / "catalogue" / "gll_psc_v27.fit.gz"))


def test_fluxes_of_the_embedded_dr2_follow_from_its_spectra():
    check_fluxes(load_4fgl_dr2())


def test_the_embedded_dr2_is_the_official_one(shared):
    official = read_fermi_catalogue(shared / "fermi" / "catalogue" / "gll_psc_v27.fit.gz")
    embedded = load_4fgl_dr2()
    assert embedded.meta == official.meta
    for name in official.colnames:
        one, other = (np.asarray(getattr(t[name], "value", t[name])) for t in (embedded, official))
        same = (one == other) | ((one != one) & (other != other))
        assert np.all(same), name
