"""A user's background: models in XML, maps of channels, and HDUs in brackets."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from numpy.testing import assert_allclose

from gammafind.errors import MissingFileError, OptionError, SelectionError
from gammafind.plugins.fermi_lat.exposure import exposure_maps
from gammafind.plugins.fermi_lat.model import read_model
from gammafind.plugins.fermi_lat.renderer import FermiLatRenderer
from gammafind.sky.bands import energy_bands
from gammafind.sky.skymap import SkyMap
from tests.fitting.skies import image
from tests.plugins.fermi_lat.test_interstellar import cube
from tests.sky.fits.builders import ebounds, write

PIXELS = image(6, step=1.0)
TYPES = ("FRONT", "BACK")
ISO = "iso_P8R3_SOURCE_V3_{}_v1.txt"


def lat(types=("FRONT+BACK",), **options):
    return FermiLatRenderer(
        irf="P8R3_SOURCE_V3", event_types=types, energies=(2, 20), nsides=(16,), **options
    )


def counts(renderer):
    n = len(renderer.bands)
    return SkyMap(renderer.bands, [PIXELS] * n, [np.ones(PIXELS.shape, dtype=int)] * n)


def isotropic(path, level=1e-6):
    """A spectrum that falls with index 2."""
    energy = np.geomspace(50, 1e6, 20)
    np.savetxt(path, np.stack([energy, level * (energy / 100) ** -2.0, 0 * energy], axis=1))
    return path


def model(path, *, iso, galactic="cube.fits", norm=1.0):
    """A model in XML with both diffuse components and a source."""
    path.write_text(
        f"""<source_library>
        <source name="gal" type="DiffuseSource">
          <spectrum type="PowerLaw"><parameter name="Prefactor" value="{norm}"/>
            <parameter name="Index" value="0"/><parameter name="Scale" value="100"/></spectrum>
          <spatialModel type="MapCubeFunction" file="{galactic}">
            <parameter name="Normalization" value="1"/></spatialModel>
        </source>
        <source name="iso" type="DiffuseSource">
          <spectrum type="FileFunction" file="{iso}">
            <parameter name="Normalization" value="1"/></spectrum>
          <spatialModel type="ConstantValue"><parameter name="Value" value="1"/></spatialModel>
        </source>
        <source name="Crab" type="PointSource">
          <spectrum type="PowerLaw"/><spatialModel type="SkyDirFunction"/>
        </source></source_library>"""
    )
    return path


@pytest.fixture
def folder(tmp_path):
    """Diffuse files, as they lie in a folder of the Fermitools."""
    place = tmp_path / "diffuse"
    place.mkdir()
    cube(str(place / "cube.fits"), first_lon=180.0)
    for types, level in zip(TYPES, (1e-6, 3e-6), strict=True):
        isotropic(place / ISO.format(types), level)
    return place


def test_a_model_alone_gives_its_cube_and_its_isotropic_spectrum(folder):
    renderer = lat()
    path = model(folder / "model.xml", iso=ISO.format("FRONT"), norm=2.0)
    found = renderer.read_background([path], counts(renderer))
    same = lat(
        interstellar=str(folder / "cube.fits"), isotropic=str(folder / ISO.format("FRONT"))
    ).background([PIXELS])
    assert list(found) == ["gal", "iso"]
    assert_allclose(found["gal"].values[0], 2 * same["interstellar"].values[0], rtol=1e-6)
    assert_allclose(found["iso"].values[0], same["isotropic"].values[0], rtol=1e-6)


def test_a_model_serves_several_channels_with_a_spectrum_each(folder):
    renderer = lat(TYPES)
    path = model(folder / "model.xml", iso=ISO.format("FRONT"))
    found = renderer.read_background([path], counts(renderer))
    for i, types in enumerate(TYPES):
        alone = lat((types,))
        own = model(folder / "own.xml", iso=ISO.format(types))
        expected = alone.read_background([own], counts(alone))
        for name, sky in expected.items():
            assert_allclose(found[name].values[i], sky.values[0], rtol=1e-6)
    (folder / ISO.format("BACK")).unlink()
    with pytest.raises(MissingFileError, match=r"spectrum of BACK is not there.*next to iso_"):
        renderer.read_background([path], counts(renderer))
    isotropic(folder / "iso.txt")
    with pytest.raises(OptionError, match=r"iso\.txt is that of all channels FRONT, BACK"):
        renderer.read_background([model(path, iso="iso.txt")], counts(renderer))


def expected_map(path, level, *, bits=None):
    """Expected counts of gtmodel, for photons of a type."""
    header = PIXELS.wcs.to_header()
    if bits:
        header.update(NDSKEYS=1, DSTYP1=f"BIT_MASK(EVENT_TYPE,{bits},P8R3)", DSVAL1="1:1")
    hdu = fits.PrimaryHDU(np.full((1, *PIXELS.shape), level), header)
    return write(path, hdu, ebounds(np.array([2e6, 2e7])))


def test_maps_of_channels_are_sorted_by_their_event_types(tmp_path):
    renderer = lat(TYPES)
    back = expected_map(tmp_path / "model_01.fits", 5.0, bits=2)
    front = expected_map(tmp_path / "model_00.fits", 2.0, bits=1)
    found = renderer.read_background([back, front], counts(renderer))
    assert [values.mean() for values in found["model_00"].values] == [2, 5]
    with pytest.raises(SelectionError, match=r"no map is of type BACK"):
        renderer.read_background([front], counts(renderer))
    bare = expected_map(tmp_path / "bare.fits", 5.0)
    with pytest.raises(SelectionError, match=r"bare\.fits: the header does not give the event"):
        renderer.read_background([front, bare], counts(renderer))
    more = expected_map(tmp_path / "more.fits", 1.0, bits=2)
    with pytest.raises(OptionError, match=r"different components .* model_00; model_01, more"):
        renderer.read_background([front, back, more], counts(renderer))


@pytest.mark.parametrize("variable", ["$(FERMI_DIFFUSE_DIR)", "$FERMI_DIR", "${CALDB}"])
def test_files_of_a_model_are_found_in_the_folders_of_variables(folder, variable, monkeypatch):
    path = folder.parent / "model.xml"
    names = {"galactic": f"{variable}/cube.fits", "iso": f"{variable}/{ISO.format('FRONT')}"}
    model(path, **names)
    with pytest.raises(MissingFileError, match=r"needs the file '\$.*cube\.fits'"):
        read_model(path)
    monkeypatch.setenv(variable.strip("$(){}"), str(folder))
    assert [one.path.parent for one in read_model(path)] == [folder] * 2


@pytest.mark.parametrize("place", ["next to the model", "among the fetched", "FERMI_DIFFUSE_DIR"])
def test_files_of_a_model_are_found_by_their_names(folder, place, monkeypatch):
    path = folder.parent / "model.xml"
    if place == "next to the model":
        path = folder / "model.xml"
    else:
        names = {"among the fetched": "GAMMAFIND_DATA"}
        monkeypatch.setenv(names.get(place, place), str(folder))
    model(path, galactic="$(FERMI_DIR)/refdata/cube.fits", iso=f"/elsewhere/{ISO.format('BACK')}")
    assert [one.path.name for one in read_model(path)] == ["cube.fits", ISO.format("BACK")]


def test_of_official_files_that_are_missing_it_is_said_how_to_fetch_them(tmp_path):
    path = model(tmp_path / "model.xml", galactic="gll_iem_v07.fits", iso="iso.txt")
    with pytest.raises(MissingFileError, match=r"'gammafind fetch gll_iem_v07\.fits --download'"):
        read_model(path)


def test_an_hdu_in_brackets_is_the_cube(folder):
    path = folder / "two.fits"
    with fits.open(folder / "cube.fits") as file:
        other = fits.ImageHDU(3 * file[0].data, file[0].header, name="THICK")
        fits.HDUList([file[0].copy(), other, file["ENERGIES"].copy()]).writeto(path)
    plain, thick = (
        lat(interstellar=name).background([PIXELS])["interstellar"].values[0]
        for name in (str(path), f"{path}[THICK]")
    )
    assert_allclose(thick, 3 * plain, rtol=1e-5)


def test_an_hdu_in_brackets_is_the_exposure_or_the_background(tmp_path):
    header = PIXELS.wcs.to_header()
    images = [
        fits.ImageHDU(np.full((1, *PIXELS.shape), level), header, name=name)
        for name, level in (("FIRST", 1e11), ("SECOND", 4e11))
    ]
    path = write(tmp_path / "maps.fits", *images)
    renderer = lat()
    bands = energy_bands([2, 20] * u.GeV)
    response = renderer.responses[0].undispersed
    (exposure,) = exposure_maps(f"{path}[SECOND]", response, bands, (PIXELS,), index=2.3)
    assert_allclose(exposure, 4e11)
    found = renderer.read_background([f"{path}[FIRST]"], counts(renderer))
    assert_allclose(found["FIRST"].values[0], 1e11)
