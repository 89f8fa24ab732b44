"""Other programs read what is exported; each is tested where it is installed."""

from __future__ import annotations

import warnings
from xml.etree import ElementTree

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose

from gammafind.catalogue.export import write_catalogue
from tests.catalogue.measured import measured_catalogue

ENERGIES = [0.3, 2.0, 30.0] * u.GeV


@pytest.fixture
def gammapy():
    """Classes of gammapy that read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("gammapy.catalog", exc_type=ImportError)
        from gammapy.catalog import SourceCatalog4FGL
        from gammapy.estimators import FluxPoints
        from gammapy.modeling.models import Models

        yield SourceCatalog4FGL, FluxPoints, Models


@pytest.fixture
def catalogue_file(tmp_path):
    path = tmp_path / "found.fits"
    write_catalogue(measured_catalogue(), path)
    return path


@pytest.fixture
def points_file(tmp_path):
    table, path = measured_catalogue(), tmp_path / "points.fits"
    write_catalogue(table[table["Extended_Source_Name"] == ""][:3], path)
    return path


def test_gammapy_reads_the_catalogue(gammapy, catalogue_file):
    reader, _, _ = gammapy
    table, found = measured_catalogue(), reader(catalogue_file)
    for row, source in enumerate(found):
        assert source.name == table["Source_Name"][row]
        assert str(source)
        assert source.sky_model().spectral_model(ENERGIES).min() > 0
        points, curve = source.flux_points, source.lightcurve()
        assert_allclose(points.flux.quantity.ravel(), table["Flux_Band"][row], rtol=1e-6)
        assert_allclose(curve.flux.quantity.ravel(), table["Flux_History"][row], rtol=1e-6)
    assert found["Mkn 421"].name == "GF J1104.4+3812"
    assert type(found["GF J0617"].spatial_model()).__name__ == "GaussianSpatialModel"


def test_gammapy_reads_a_catalogue_of_points(gammapy, points_file):
    reader, _, _ = gammapy
    found = reader(points_file)
    assert len(found.table) == 3
    assert all(str(source) for source in found)


def test_gammapy_reads_models_of_the_same_spectra(gammapy, catalogue_file, tmp_path):
    reader, _, models = gammapy
    write_catalogue(measured_catalogue(), tmp_path / "found.yaml")
    of_catalogue = reader(catalogue_file)
    read = models.read(tmp_path / "found.yaml")
    assert len(read) == 4
    for model in read:
        other = of_catalogue[model.name].spectral_model()
        assert_allclose(model.spectral_model(ENERGIES), other(ENERGIES), rtol=1e-6)


def test_gammapy_reads_flux_points(gammapy, tmp_path):
    _, reader, _ = gammapy
    table = measured_catalogue()
    write_catalogue(table, tmp_path / "found.sed")
    points = reader.read(tmp_path / "found.sed" / "GF_A.fits", format="gadf-sed")
    assert_allclose(points.flux.quantity.ravel(), table["Flux_Band"][1])
    assert points.is_ul.data.ravel().tolist() == [True, False, False]


def test_gammapy_reads_models_of_an_empty_catalogue(gammapy, tmp_path):
    _, _, models = gammapy
    write_catalogue(measured_catalogue()[:0], tmp_path / "none.yaml")
    assert len(models.read(tmp_path / "none.yaml")) == 0


@pytest.fixture
def fermipy():
    """The class of fermipy that reads catalogues."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield pytest.importorskip("fermipy.catalog", exc_type=ImportError).Catalog


def test_fermipy_reads_the_catalogue(fermipy, catalogue_file):
    found = fermipy.create(str(catalogue_file)).table
    rows = {str(name): row for row, name in enumerate(found["Source_Name"])}
    power_law = found[rows["GF J1104.4+3812"]]
    assert_allclose(power_law["param_values"][:3], [2e-12, -1.8, 1200])
    cut_off = found[rows["GF J0835-45"]]
    assert cut_off["SpectrumType"] == "PLSuperExpCutoff4"
    assert np.isfinite(cut_off["param_values"][:5]).all()
    assert found[rows["GF J0617"]]["Spatial_Function"] == "RadialGaussian"
    assert found["extended"].sum() == 1


def test_fermipy_reads_a_catalogue_of_points(fermipy, points_file):
    found = fermipy.create(str(points_file)).table
    assert len(found) == 3
    assert not found["extended"].any()


def test_fermipy_reads_the_models(fermipy, tmp_path):
    from fermipy.roi_model import Source

    write_catalogue(measured_catalogue(), tmp_path / "found.model.xml")
    library = ElementTree.parse(tmp_path / "found.model.xml").getroot()
    sources = {source.name: source for source in map(Source.create_from_xml, library)}
    assert len(sources) == 6
    assert sources["GF J0835-45"]["SpectrumType"] == "PLSuperExpCutoff4"
    assert sources["GF J0617"]["SpatialModel"] == "RadialGaussian"
