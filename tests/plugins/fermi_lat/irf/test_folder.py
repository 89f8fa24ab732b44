"""Responses that do not come with the package are found in a folder of CALDB files."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from gammafind.errors import MissingFileError, OptionError, ResponseError
from gammafind.plugins.fermi_lat.irf import load_response
from gammafind.plugins.fermi_lat.photons.ft1 import TypeBits
from gammafind.plugins.fermi_lat.renderer import FermiLatRenderer
from gammafind.roles.provenance import describe_plugin

OWN = "P8R3_TRANSIENT020_V3"
KINDS = {"psf": ("RPSF", "PSF_SCAL"), "ea": ("EFF",), "edisp": ("ENERGY", "EDISP_SCAL")}
CALDB = "data/glast/lat/bcf"


@pytest.fixture
def caldb(embedded, tmp_path, monkeypatch):
    """Write the files of a response with another name, in the layout of CALDB or in one folder."""
    monkeypatch.delenv("CALDB", raising=False)

    def write(layout=CALDB, kinds=tuple(KINDS), ending=".fits"):
        for kind in kinds:
            folder = tmp_path / "caldb" / layout / (kind if layout == CALDB else "")
            folder.mkdir(parents=True, exist_ok=True)
            with fits.open(embedded) as hdus:
                kept = [h for h in hdus[1:] if h.name.startswith(KINDS[kind])]
                kept = [h for h in kept if h.name.endswith(("FRONT", "BACK"))]
                for hdu in kept:
                    side = hdu.name.rpartition("_")[2]
                    hdu.header["CBD20001"] = f"CLASS({OWN}_{side})"
                prefix = "aeff" if kind == "ea" else kind
                name = f"{prefix}_{OWN}_FB{ending}"
                fits.HDUList([fits.PrimaryHDU(), *kept]).writeto(folder / name)
        return str(tmp_path / "caldb")

    return write


@pytest.mark.parametrize(("layout", "ending"), [(CALDB, ".fits"), ("", ".fits"), ("", ".fits.gz")])
def test_a_response_is_found_in_each_layout(caldb, layout, ending):
    response = load_response(OWN, "FRONT+BACK", caldb=caldb(layout, ending=ending))
    assert response.irf == OWN
    assert response.event_types == ("FRONT", "BACK")
    assert len(response.dispersions) == 2


def test_the_environment_names_the_folder_where_no_option_does(caldb, monkeypatch):
    monkeypatch.setenv("CALDB", caldb())
    renderer = FermiLatRenderer(irf=f"{OWN}::BACK", energies=(1, 2), nsides=(4,))
    assert renderer.event_types == ("BACK",)
    assert renderer.responses[0].irf == OWN


def test_the_option_of_the_renderer_names_the_folder(caldb):
    renderer = FermiLatRenderer(irf=OWN, caldb=caldb(), energies=(1, 2), nsides=(4,))
    assert renderer.responses[0].event_types == ("FRONT",)
    assert renderer.selections == (
        ("BIT_MASK(EVENT_CLASS,16,P8R3) = 1:1", "BIT_MASK(EVENT_TYPE,1,P8R3) = 1:1"),
    )


def test_the_record_of_a_product_names_the_files_of_the_folder(caldb, monkeypatch):
    monkeypatch.setenv("CALDB", caldb())
    renderer = FermiLatRenderer(irf=OWN, event_types=("FRONT", "BACK"))
    assert sorted(describe_plugin("renderer", renderer)["files"]) == [
        f"aeff_{OWN}_FB.fits",
        f"edisp_{OWN}_FB.fits",
        f"psf_{OWN}_FB.fits",
    ]
    assert describe_plugin("renderer", FermiLatRenderer())["files"] == {}


def test_types_of_photons_that_the_folder_does_not_hold_are_left_out(caldb):
    others = TypeBits(OWN, ("FRONT",), caldb())
    photons = np.array([1e3, 1e4]), np.array([1.0, 0.5])
    assert not others.draw(*photons, rng=np.random.default_rng(0)).any()


def test_energy_dispersion_is_unknown_without_a_file(caldb):
    response = load_response(OWN, "FRONT", caldb=caldb(kinds=("psf", "ea")))
    assert response.dispersions == ()


def test_without_a_folder_the_embedded_responses_are_listed(monkeypatch):
    monkeypatch.delenv("CALDB", raising=False)
    with pytest.raises(OptionError, match=r"P8R3_SOURCE_V3: FRONT, BACK, PSF0.*caldb.*\$CALDB"):
        load_response(OWN, "FRONT")
    with pytest.raises(OptionError, match="no response P8R2_SOURCE_V6 PSF3 comes with"):
        load_response("P8R2_SOURCE_V6", "PSF3")


def test_a_folder_without_the_response_is_named_with_those_it_holds(caldb, tmp_path):
    folder = caldb(kinds=("psf",))
    with pytest.raises(ResponseError, match=rf"{folder}: there is no aeff_{OWN}_FB\.fits.*{OWN}"):
        load_response(OWN, "FRONT", caldb=folder)
    with pytest.raises(ResponseError, match=rf"psf_{OWN}_PSF\.fits, aeff_{OWN}_PSF\.fits"):
        load_response(OWN, "PSF3", caldb=folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ResponseError, match=r"holds no psf_\* file"):
        load_response(OWN, "FRONT", caldb=str(tmp_path / "empty"))


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(MissingFileError, match="none: there is no such folder"):
        load_response(OWN, "FRONT", caldb=str(tmp_path / "none"))
