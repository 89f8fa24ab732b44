"""What is exported holds the catalogue, and what a format needs and lacks is named."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.io.misc import yaml
from astropy.table import MaskedColumn, QTable
from astropy.wcs import WCS
from numpy.testing import assert_allclose, assert_array_equal

from gammafind.catalogue.export import FORMATS, check_export, format_of, write_catalogue
from gammafind.catalogue.io import read_table
from gammafind.catalogue.measured_columns import ENERGY_EDGES, MEASURED
from gammafind.catalogue.regions import to_regions
from gammafind.catalogue.schema import empty_table, schema_record
from gammafind.errors import OutputError, TableError
from tests.catalogue.measured import SIZES, measured_catalogue

TABLES = (".ecsv", ".fits", ".vot", ".csv")
MODELS = (".model.xml", ".yaml", ".sed")


def written(table, tmp_path, suffix):
    path = tmp_path / f"found{suffix}"
    write_catalogue(table, path)
    return path


@pytest.mark.parametrize("suffix", TABLES)
def test_a_measured_catalogue_goes_through_every_table(suffix, tmp_path):
    table = measured_catalogue()
    again = read_table(written(table, tmp_path, suffix), schema=MEASURED)
    assert again.meta == table.meta
    assert set(again.colnames) == set(table.colnames)
    for name in table.colnames:
        column, other = table[name], again[name]
        assert getattr(other, "unit", None) == getattr(column, "unit", None), name
        assert other.info.meta == column.info.meta or name.startswith("Ext"), name
        if column.dtype.kind == "f":
            assert_array_equal(np.asarray(other), np.asarray(column), err_msg=name)
        else:
            assert list(other) == list(column), name


@pytest.mark.parametrize("suffix", [*TABLES, ".reg", *MODELS])
def test_a_catalogue_without_sources_is_written(suffix, tmp_path):
    table = empty_table(MEASURED, SIZES)
    table["Source_Name"] = np.zeros(0, dtype="U1")
    table.meta = {"schema": schema_record(), ENERGY_EDGES: measured_catalogue().meta[ENERGY_EDGES]}
    path = written(table, tmp_path, suffix)
    assert path.exists()
    if suffix in (".fits", ".vot"):
        assert read_table(path)["Unc_Flux_Band"].shape == (0, 3, 2)
    elif suffix in TABLES:
        assert "Flux1000" in read_table(path).colnames


def test_fits_has_the_layout_of_the_lat(tmp_path):
    with fits.open(written(measured_catalogue(), tmp_path, ".fits")) as hdus:
        names = [hdu.header.get("EXTNAME") for hdu in hdus[1:]]
        assert names == [
            "LAT_Point_Source_Catalog",
            "ExtendedSources",
            "EnergyBounds",
            "Hist_Start",
            "GTI",
            "METADATA",
        ]
        columns = hdus[1].columns
        assert columns["Flux1000"].unit == "ph cm-2 s-1"
        assert columns["PL_Flux_Density"].unit == "ph cm-2 MeV-1 s-1"
        assert columns["Energy_Flux100"].unit == "erg cm-2 s-1"
        assert {"ROI_num", "ASSOC_FGL", "ASSOC_TEV"} <= set(columns.names)
        assert hdus["EnergyBounds"].data["LowerEnergy"].tolist() == [100, 1000, 10000]
        assert len(hdus["Hist_Start"].data) == 3
        (shape,) = hdus["ExtendedSources"].data
        assert (shape["Source_Name"], shape["Model_Form"]) == ("IC 443", "2D Gaussian")
        assert shape["Model_SemiMajor"] == pytest.approx(0.27)


def test_votable_states_the_frame_and_the_columns_of_positions(tmp_path):
    text = written(measured_catalogue(), tmp_path, ".vot").read_text()
    assert '<COOSYS ID="icrs" system="ICRS"/>' in text
    root = ElementTree.fromstring(text)
    fields = {one.get("name"): one for one in root.iter() if one.tag.endswith("FIELD")}
    assert fields["RAJ2000"].get("utype") == "stc:AstroCoords.Position2D.Value2.C1"
    assert fields["DEJ2000"].get("ref") == "icrs"
    assert fields["Unc_Flux_Band"].get("arraysize") == "2x3"


def test_circles_become_ellipses_for_other_readers_only(tmp_path):
    table = measured_catalogue()
    table.remove_columns(["Conf_95_SemiMinor", "Conf_95_PosAng"])
    path = written(table, tmp_path, ".fits")
    with fits.open(path) as hdus:
        data = hdus[1].data
        assert_array_equal(data["Conf_95_SemiMinor"], data["Conf_95_SemiMajor"])
    assert set(read_table(path).colnames) == set(table.colnames)


def test_models_for_the_fermitools(tmp_path):
    library = ElementTree.parse(written(measured_catalogue(), tmp_path, ".model.xml")).getroot()
    sources = {source.get("name"): source for source in library}
    assert list(sources)[-2:] == ["galdiff", "isodiff"]
    types = [source.find("spectrum").get("type") for source in library]
    assert types[:4] == ["PowerLaw", "LogParabola", "PLSuperExpCutoff4", "PowerLaw"]
    values = {
        one.get("name"): float(one.get("value")) * float(one.get("scale"))
        for one in sources["GF J1104.4+3812"].iter("parameter")
    }
    assert values == pytest.approx(
        {"Prefactor": 2e-12, "Index": -1.8, "Scale": 1200, "RA": 166.1, "DEC": 38.2}
    )
    place = sources["GF J0617"].find("spatialModel")
    assert place.get("type") == "RadialGaussian"
    width = {one.get("name"): float(one.get("value")) for one in place}["Sigma"]
    assert width == pytest.approx(0.27 / 1.5096, rel=1e-3)
    for one in library.iter("parameter"):
        low, value, high = (float(one.get(key)) for key in ("min", "value", "max"))
        assert low <= value <= high


def test_the_cut_off_of_early_catalogues_keeps_its_flux(tmp_path):
    table = measured_catalogue()[2:3]
    table.remove_columns(["PLEC_IndexS", "PLEC_ExpfactorS"])
    table["PLEC_Index"], table["PLEC_Expfactor"] = [1.4], [0.005]
    library = ElementTree.parse(written(table, tmp_path, ".model.xml")).getroot()
    values = {
        one.get("name"): float(one.get("value")) * float(one.get("scale"))
        for one in library[0].iter("parameter")
    }
    below = values["Prefactor"] * np.exp(-values["Expfactor"] * 1000 ** values["Index2"])
    assert below == pytest.approx(5e-11)


def test_models_for_gammapy(tmp_path):
    path = written(measured_catalogue(), tmp_path, ".yaml")
    components = yaml.load(path.read_text())["components"]
    spectral = components[2]["spectral"]
    assert spectral["type"] == "SuperExpCutoffPowerLaw4FGLDR3SpectralModel"
    values = {one["name"]: one["value"] for one in spectral["parameters"]}
    assert values == {
        "amplitude": 5e-11,
        "reference": 1000.0,
        "index_1": 1.9,
        "index_2": 0.6,
        "expfactor": 0.5,
    }
    assert components[3]["spatial"]["type"] == "GaussianSpatialModel"


def test_flux_points_have_limits_where_the_source_is_not_seen(tmp_path):
    folder = written(measured_catalogue(), tmp_path, ".sed")
    assert sorted(path.name for path in folder.iterdir()) == [
        "GF_A.fits",
        "GF_J0617.fits",
        "GF_J0835-45.fits",
        "GF_J1104.4+3812.fits",
    ]
    with fits.open(folder / "GF_A.fits") as hdus:
        points = hdus["FLUXPOINTS"].data
        assert points["is_ul"].tolist() == [True, False, False]
        assert np.isfinite(points["flux_ul"]).tolist() == [True, False, False]
        assert hdus["FLUXPOINTS"].header["SED_TYPE"] == "flux"


def test_the_region_is_a_moc(tmp_path):
    path = written(measured_catalogue(), tmp_path, ".moc.fits")
    with fits.open(path) as hdus:
        ranges = hdus[1].data["RANGE"].reshape(-1, 2)
        assert hdus[1].header["MOCORD_S"] == 3
        assert (ranges[:, 1] - ranges[:, 0]).sum() == 101 * 4**26
    mocpy = pytest.importorskip("mocpy")
    assert mocpy.MOC.from_fits(path).sky_fraction == pytest.approx(101 / 768)


def test_provenance_names_files_parameters_and_software(tmp_path):
    path = written(measured_catalogue(), tmp_path, ".prov.json")
    document = json.loads(path.read_text())
    entities = document["entity"].values()
    assert {"voprov:name": "counts.fits", "gf:sha256": "ab" * 32} in entities
    assert any(one.get("voprov:value") == "25.0" for one in entities)
    assert [one["voprov:name"] for one in document["activity"].values()] == ["detect"]
    prov = pytest.importorskip("prov.model")
    assert prov.ProvDocument.deserialize(content=path.read_text()).get_records()


def test_the_longer_axis_of_a_region_has_the_position_angle():
    region = to_regions(measured_catalogue())[0]
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [166.1, 38.2]
    wcs.wcs.cdelt, wcs.wcs.crpix = [-0.001, 0.001], [1, 1]
    ellipse = region.to_pixel(wcs)
    end = region.center.directional_offset_by(30 * u.deg, 0.0195 * u.deg)
    side = region.center.directional_offset_by(120 * u.deg, 0.0195 * u.deg)
    assert ellipse.contains(type(ellipse.center).from_sky(end, wcs))
    assert not ellipse.contains(type(ellipse.center).from_sky(side, wcs))
    assert_allclose(region.width.to_value("deg"), 0.04)


@pytest.mark.parametrize("suffix", MODELS)
def test_names_that_occur_twice_are_named(suffix, tmp_path):
    table = measured_catalogue()
    table["Source_Name"][1] = table["Source_Name"][0]
    with pytest.raises(TableError, match="occur twice: 'GF J1104"):
        written(table, tmp_path, suffix)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("suffix", "fault"),
    [
        (".model.xml", "no spectra"),
        (".yaml", "no spectra"),
        (".sed", "no fluxes of bands"),
        (".moc.fits", "region that was searched"),
        (".prov.json", "how it was made"),
    ],
)
def test_what_a_catalogue_lacks_is_named(suffix, fault, tmp_path):
    table = QTable({"Source_Name": ["A"], "ra": [10.0] * u.deg, "dec": [20.0] * u.deg})
    with pytest.raises(TableError, match=fault) as caught:
        written(table, tmp_path, suffix)
    assert "found" in str(caught.value)


@pytest.mark.parametrize("suffix", [".fits", ".reg"])
def test_a_catalogue_without_errors_and_fluxes_is_written(suffix, tmp_path):
    table = QTable({"Source_Name": ["A"], "RAJ2000": [1.0] * u.deg, "DEJ2000": [2.0] * u.deg})
    table["Signif_Avg"] = [5.0]
    path = written(table, tmp_path, suffix)
    if suffix == ".fits":
        assert read_table(path).colnames == table.colnames


@pytest.mark.parametrize("suffix", [*TABLES, ".reg", *MODELS])
def test_masked_values_are_missing_values(suffix, tmp_path):
    table = measured_catalogue()
    table["Npred"] = MaskedColumn(np.arange(4.0), mask=[True, False, False, False])
    table["LP_beta"] = MaskedColumn(table["LP_beta"], mask=[False, True, False, False])
    path = written(table, tmp_path, suffix)
    if suffix in TABLES:
        assert np.isnan(read_table(path)["Npred"][0])
    if suffix == ".yaml":
        form = yaml.load(path.read_text())["components"][1]["spectral"]["type"]
        assert form == "PowerLawSpectralModel"


@pytest.mark.parametrize("suffix", [".ecsv", ".vot", ".csv", ".reg", ".model.xml", ".yaml"])
def test_names_may_have_marks_of_several_bytes(suffix, tmp_path):
    table = measured_catalogue()
    table["ASSOC1"] = ["Źródło β", "", "日本", "é"]
    table["Source_Name"] = ["α", "β <&>", "γ\n1", "δ"]
    path = written(table, tmp_path, suffix)
    if suffix == ".model.xml":
        names = [source.get("name") for source in ElementTree.parse(path).getroot()]
        assert names[:4] == ["α", "β <&>", "γ1", "δ"]
    if suffix in TABLES:
        assert list(read_table(path)["ASSOC1"]) == list(table["ASSOC1"])


def test_fits_holds_ascii_only(tmp_path):
    table = measured_catalogue()
    table["ASSOC1"] = ["β", "", "", ""]
    with pytest.raises(TableError, match="cannot be written as FITS") as caught:
        written(table, tmp_path, ".fits")
    assert caught.value.path == tmp_path / "found.fits"


def test_the_longest_suffix_says_the_format(tmp_path):
    assert format_of("a.moc.fits").suffix == ".moc.fits"
    assert format_of("A.FITS").suffix == ".fits"
    assert format_of("a.model.xml").suffix == ".model.xml"
    assert len({one.suffix for one in FORMATS}) == len(FORMATS)
    with pytest.raises(OutputError, match=r"'\.txt' is unknown"):
        format_of("a.txt")


def test_what_exists_is_not_replaced(tmp_path):
    folder = tmp_path / "a.sed"
    folder.mkdir()
    with pytest.raises(OutputError, match="exists already"):
        check_export(folder, overwrite=True)
    (tmp_path / "a.yaml").write_text("precious")
    with pytest.raises(OutputError, match="already exists"):
        check_export(tmp_path / "a.yaml")
