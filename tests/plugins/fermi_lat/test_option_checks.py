"""Options and response files that cannot be meant are refused by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

import gammafind.plugins.fermi_lat
from gammafind.errors import MissingFileError, OptionError, ResponseError
from gammafind.plugins.fermi_lat.renderer import FermiLatRenderer
from gammafind.sky.fits import write_counts
from gammafind.sky.skymap import SkyMap

DATA = Path(gammafind.plugins.fermi_lat.__file__).parent / "data"
P8R2, P8R3 = "P8R2_ULTRACLEANVETO_V6", "P8R3_ULTRACLEANVETO_V3"
FRONT_BACK, QUARTILES = ("FRONT", "BACK"), ("PSF0", "PSF1", "PSF2", "PSF3")


def lat(**options) -> FermiLatRenderer:
    return FermiLatRenderer(**{"energies": (1, 2), "nsides": (4,), **options})


@pytest.fixture
def caldb(tmp_path):
    """Write files as in CALDB: of one kind (psf, aeff), one response and some event types."""

    def write(kind: str, irf: str, types: tuple[str, ...]) -> str:
        prefixes = {"psf": ("RPSF", "PSF_SCAL"), "aeff": ("EFFECTIVE", "EFFICIENCY", "PHI")}[kind]
        path = tmp_path / f"{kind}_{irf}_{types[0]}.fits"
        with fits.open(DATA / f"response_{irf}.fits.gz") as hdus:
            kept = [h for h in hdus[1:] if h.name.startswith(prefixes) and h.name.endswith(types)]
            fits.HDUList([hdus[0], *kept]).writeto(path)
        return str(path)

    return write


def test_official_files_take_the_place_of_the_embedded_response(caldb):
    files = {f"{kind}_file": caldb(kind, P8R3, QUARTILES) for kind in ("psf", "aeff")}
    given = lat(event_types=("PSF3",), **files)
    own = lat(event_types=("PSF3",), irf=P8R3)
    (one,), (other,) = given.psfs(), own.psfs()
    assert one.containment_radius(0.68) == other.containment_radius(0.68)
    assert given.selections == own.selections


def test_a_response_of_other_event_types_is_named(caldb):
    psf, aeff = caldb("psf", P8R3, QUARTILES), caldb("aeff", P8R3, FRONT_BACK)
    with pytest.raises(ResponseError, match=rf"{psf}: .* no event type 'FRONT'.*It has PSF0, PSF1"):
        lat(psf_file=psf, aeff_file=aeff).psfs()
    with pytest.raises(ResponseError, match=rf"{aeff}: .* no event type 'PSF3'.*It has FRONT, B"):
        lat(psf_file=psf, aeff_file=aeff, event_types=("PSF3",)).psfs()


def test_files_of_two_responses_are_named(caldb):
    psf, aeff = caldb("psf", P8R3, FRONT_BACK), caldb("aeff", P8R2, FRONT_BACK)
    with pytest.raises(ResponseError, match=rf"{aeff}: the effective area is of {P8R2}, .*{P8R3}"):
        lat(psf_file=psf, aeff_file=aeff).psfs()


def test_files_of_another_kind_are_named(caldb, tmp_path):
    psf, aeff = caldb("psf", P8R3, FRONT_BACK), caldb("aeff", P8R3, FRONT_BACK)
    with pytest.raises(ResponseError, match=rf"{aeff}: .*no extension 'RPSF_FRONT'.*psf_\*, aeff_"):
        lat(psf_file=aeff, aeff_file=psf).psfs()
    renderer = lat()
    sky = SkyMap(renderer.bands, renderer.pixels, (np.ones(192, dtype=int),))
    counts = str(write_counts(sky, tmp_path / "counts.fits"))
    with pytest.raises(ResponseError, match=rf"{counts}: .*its extensions are: SKYMAP, EBOUNDS"):
        lat(psf_file=counts, aeff_file=aeff).psfs()
    with pytest.raises(MissingFileError, match=r"none\.fits"):
        lat(psf_file=str(tmp_path / "none.fits"), aeff_file=aeff).psfs()


@pytest.mark.parametrize("option", ["psf_file", "aeff_file"])
def test_a_response_has_two_files(option):
    with pytest.raises(OptionError, match="one of psf_file and aeff_file is missing"):
        lat(**{option: "one.fits"})


def test_a_file_of_the_energy_dispersion_needs_the_others():
    with pytest.raises(OptionError, match="edisp_file has no psf_file"):
        lat(edisp_file="one.fits")


def test_a_name_of_the_lat_tools_contains_the_event_types():
    renderer = lat(irf="P8R3_SOURCE_V3::PSF2+PSF3")
    assert (renderer.irf, renderer.event_types) == ("P8R3_SOURCE_V3", ("PSF2+PSF3",))
    assert renderer.selections[0][1] == "BIT_MASK(EVENT_TYPE,48,P8R3) = 1:1"
    with pytest.raises(OptionError, match=r"event_types is \('SIDE',\): there is no type"):
        lat(irf="P8R3_SOURCE_V3::SIDE")


def test_a_sum_of_types_has_the_exposure_and_the_isotropic_counts_of_its_channels():
    types = ("EDISP1", "EDISP2", "EDISP3")
    whole = lat(irf="P8R3_CLEAN_V3", event_types=("+".join(types),))
    parts = lat(irf="P8R3_CLEAN_V3", event_types=types)
    (exposure,) = whole.exposure().values
    np.testing.assert_allclose(exposure, sum(parts.exposure().values), rtol=1e-6)
    # Its intensity is weighted by the exposure of the mean inclination, not of each direction.
    (counts,) = whole.background()["isotropic"].values
    each = parts.background()["isotropic"].values
    np.testing.assert_allclose(counts, sum(each), rtol=5e-3)


@pytest.mark.parametrize("energies", [(1e-4, 1e-3), (3000, 30_000)])
def test_bands_beyond_the_response_are_refused(energies):
    with pytest.raises(OptionError, match=rf"energies run from .* The response {P8R2} covers"):
        lat(energies=energies).psfs()


@pytest.mark.parametrize("energies", [(1, 3, 2), (1, 1), (2, 1), (0, 1), (1, np.inf)])
def test_bands_that_overlap_or_are_none_are_refused(energies):
    with pytest.raises(OptionError, match=r"energies is .*positive and increasing"):
        lat(energies=energies, nsides=(4,) * (len(energies) - 1))


@pytest.mark.parametrize("nside", [0, 3, 100, -4])
def test_an_nside_that_is_no_power_of_two_is_refused(nside):
    with pytest.raises(OptionError, match=f"nside is {nside}"):
        lat(nsides=(nside,))


@pytest.mark.parametrize("max_zeniths", [(0,), (181,), (float("nan"),)])
def test_a_zenith_cut_that_is_no_angle_is_refused(max_zeniths):
    with pytest.raises(OptionError, match=r"max_zeniths is .*between 0 and 180"):
        lat(max_zeniths=max_zeniths)


def test_one_zenith_cut_an_energy_band_is_needed():
    with pytest.raises(OptionError, match="2 max_zeniths for 1 energy bands"):
        lat(max_zeniths=(90, 100))


def test_an_index_that_is_no_number_is_refused():
    with pytest.raises(OptionError, match="index is nan"):
        FermiLatRenderer(index=float("nan"))
