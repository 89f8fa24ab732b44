"""Several event types as channels: bands, photons, count files and headers of their own."""

from __future__ import annotations

import dataclasses

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from numpy.testing import assert_allclose, assert_array_equal

from gammafind.errors import (
    EnergyEdgesError,
    InputDataError,
    OptionError,
    SelectionError,
    SelectionWarning,
)
from gammafind.pipeline.detect import detect
from gammafind.pipeline.simulate import simulate
from gammafind.plugins.fermi_lat.renderer import FermiLatRenderer
from gammafind.presets.choose import select_preset, with_plugins
from gammafind.presets.preset import build, load_preset
from gammafind.sky.fits import EventList, read_counts, read_selections, write_counts
from gammafind.sky.fits import write_counts_by_nside as write_set
from gammafind.sky.fits.facts import read_facts
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.skymap import SkyMap

P8R3 = "P8R3_ULTRACLEANVETO_V3"
SIX = (0.3, 0.5, 1, 2, 7, 20, 500)
CLASS = "BIT_MASK(EVENT_CLASS,1024,P8R3) = 1:1"
VETO = 128 + 256 + 512 + 1024


def lat(event_types=("FRONT", "BACK"), **options) -> FermiLatRenderer:
    given = {"irf": P8R3, "energies": (1, 2, 7), "nsides": (4, 8), **options}
    return FermiLatRenderer(event_types=event_types, **given)


def sky_of(renderer: FermiLatRenderer) -> SkyMap:
    """Counts that differ from band to band and from pixel to pixel."""
    rng = np.random.default_rng(7)
    values = [rng.poisson(3.0 + i, each.shape) for i, each in enumerate(renderer.pixels)]
    return SkyMap(renderer.bands, renderer.pixels, values)


def written(renderer: FermiLatRenderer, folder) -> list:
    return list(write_set(sky_of(renderer), folder, selections=renderer.selections))


def photons(types, classes=None, energies=5.0) -> EventList:
    n = len(types)
    return EventList(
        positions=SkyCoord(np.linspace(0, 350, n), np.zeros(n), unit="deg"),
        energies=np.full(n, energies) * u.GeV,
        event_type=np.array(types, dtype=np.uint32),
        event_class=np.full(n, VETO, dtype=np.uint32) if classes is None else np.array(classes),
        meta={"inputs": ({"name": "ft1.fits", "sha256": "0"},)},
    )


def test_each_channel_has_bands_and_a_response_of_its_own():
    both, front, back = lat(), lat(("FRONT",)), lat(("BACK",))
    assert [band.name for band in both.bands] == [
        f"{energy} {types}" for types in ("FRONT", "BACK") for energy in ("1-2 GeV", "2-7 GeV")
    ]
    radii = [psf.containment_radius(0.68).value for psf in both.psfs()]
    alone = [psf.containment_radius(0.68).value for one in (front, back) for psf in one.psfs()]
    assert radii == alone
    assert radii[2] > 1.5 * radii[0]
    exposure = [values for one in (front, back) for values in one.exposure().values]
    for one, other in zip(both.exposure().values, exposure, strict=True):
        assert_array_equal(one, other)


def test_the_channels_of_a_selection_hold_all_its_photons():
    band = {"energies": (2, 7), "nsides": (4,)}
    (whole,) = lat(("FRONT+BACK",), **band).exposure().values
    for types in (("FRONT", "BACK"), ("PSF0", "PSF1", "PSF2", "PSF3")):
        assert_allclose(sum(lat(types, **band).exposure().values), whole, rtol=0.01)


def test_counts_come_back_channel_by_channel(tmp_path):
    renderer = lat()
    paths = written(renderer, tmp_path)
    assert [path.name for path in paths] == [
        f"counts_{types}_nside{nside}.fits" for nside in (4, 8) for types in ("BACK", "FRONT")
    ]
    back = renderer.read_counts(paths[::-1])
    assert back.bands == renderer.bands
    assert back.pixels == renderer.pixels
    for one, other in zip(sky_of(renderer).values, back.values, strict=True):
        assert_array_equal(one, other)
    assert {entry["name"] for entry in back.meta["inputs"]} == {path.name for path in paths}
    assert CLASS in back.meta["selections"]


@pytest.mark.parametrize(
    ("types", "bits"), [("FRONT", 1), ("BACK", 2), ("PSF3", 32), ("PSF2+PSF3", 48)]
)
def test_headers_tell_class_and_type_of_a_single_channel_too(tmp_path, types, bits):
    paths = written(lat((types,)), tmp_path)
    cuts = (CLASS, f"BIT_MASK(EVENT_TYPE,{bits},P8R3) = 1:1")
    assert [read_selections(path) for path in paths] == [cuts] * 2


@pytest.fixture
def files(tmp_path):
    """Maps of a type each, and one whose header does not tell it."""
    found = {}
    for types in ("FRONT", "BACK", "FRONT+BACK", "PSF3"):
        (tmp_path / types).mkdir()
        found[types] = written(lat((types,)), tmp_path / types)
    bare = tmp_path / "bare.fits"
    found["bare"] = [write_counts(sky_of(lat(("FRONT",), energies=(1, 2), nsides=(4,))), bare)]
    return found


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        (["FRONT"], r"counts_nside4\.fits.*: no map is of type BACK\. Give maps of each of FRONT,"),
        (["FRONT", "PSF3"], r"PSF3/counts_nside4\.fits: the photons are of type PSF3\. Give maps"),
        (["FRONT+BACK"], r"counts_nside4\.fits: the photons are of type FRONT\+BACK\. Give"),
        (["FRONT", "bare"], r"bare\.fits: the header does not give the event type .*evtype"),
    ],
)
def test_files_of_no_channel_are_refused_by_name(files, given, fault):
    with pytest.raises(SelectionError, match=fault):
        lat().read_counts([path for name in given for path in files[name]])


def test_a_channel_without_a_band_is_refused_by_name(files):
    with pytest.raises(EnergyEdgesError, match=r"BACK/.*no bins add up to 2-7 GeV"):
        lat().read_counts([*files["FRONT"], files["BACK"][0]])


def test_a_channel_given_twice_is_refused_by_name(files):
    with pytest.raises(EnergyEdgesError, match=r"FRONT/.*: band 1-2 GeV is also in"):
        lat().read_counts([*files["FRONT"], *files["BACK"], files["FRONT"][0]])


def test_photons_of_another_class_are_told(tmp_path):
    renderer = lat()
    cuts = [tuple(cut.replace("1024", "128") for cut in band) for band in renderer.selections]
    paths = write_set(sky_of(renderer), tmp_path, selections=cuts)
    says = "of class SOURCE, but .*V3 {}:"
    with (
        pytest.warns(SelectionWarning, match=says.format("FRONT")),
        pytest.warns(SelectionWarning, match=says.format("BACK")),
    ):
        renderer.read_counts(paths)


def test_each_photon_goes_to_its_channel():
    types = [1 | 32, 2 | 32, 2 | 4, 1 | 8, 2 | 16]
    sky = lat().bin_events(photons(types))
    assert [int(values.sum()) for values in sky.values] == [0, 2, 0, 3]
    quartiles = lat(("PSF0", "PSF1", "PSF2", "PSF3")).bin_events(photons(types))
    assert [int(values.sum()) for values in quartiles.values[1::2]] == [1, 1, 1, 2]
    assert quartiles.meta["inputs"] == ({"name": "ft1.fits", "sha256": "0"},)


def test_photons_of_other_classes_are_in_no_channel():
    sky = lat().bin_events(photons([1, 1, 2], classes=[VETO, 128, VETO]))
    assert sum(int(values.sum()) for values in sky.values) == 2


def test_photons_that_do_not_tell_their_type_are_refused():
    with pytest.raises(SelectionError, match=r"ft1\.fits: 1 of 3 photons have no EVENT_TYPE"):
        lat().bin_events(photons([1, 0, 2]))
    with pytest.raises(InputDataError, match=r"ft1\.fits: none of the 2 photons.*type BACK"):
        lat().bin_events(photons([1, 1]))


def facts_of(paths):
    """What the headers of files say."""
    return [read_facts(path) for path in paths]


def test_headers_choose_between_presets_of_the_same_bands(tmp_path):
    expected = {
        ("P8R2_ULTRACLEANVETO_V6", ("FRONT",)): "fermi-lat",
        (P8R3, ("FRONT",)): "fermi-lat-p8r3",
        (P8R3, ("FRONT", "BACK")): "fermi-lat-front-back",
        (P8R3, ("PSF0", "PSF1", "PSF2", "PSF3")): "fermi-lat-psf-types",
    }
    for number, ((irf, types), name) in enumerate(expected.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        renderer = lat(types, irf=irf, energies=SIX, nsides=(1,) * 6)
        assert select_preset(facts_of(written(renderer, folder))).name == name


@pytest.mark.parametrize("types", ["BACK", "PSF2"])
def test_where_no_selection_fits_a_preset_is_made_from_the_files(tmp_path, types):
    renderer = lat((types,), energies=SIX, nsides=(1,) * 6)
    preset = select_preset(facts_of(written(renderer, tmp_path)))
    assert preset.name == "from-files"
    assert preset.renderer.options["event_types"] == (types,)


def test_maps_that_tell_nothing_need_a_name(tmp_path):
    renderer = lat(("FRONT",), energies=SIX, nsides=(1,) * 6)
    path = write_counts(sky_of(renderer), tmp_path / "counts.fits")
    with pytest.raises(EnergyEdgesError, match=r"several presets fit.*fermi-lat \("):
        select_preset(facts_of([path]))


@pytest.mark.parametrize(
    ("name", "types"),
    [
        ("fermi-lat-front-back", ("FRONT", "BACK")),
        ("fermi-lat-psf-types", ("PSF0", "PSF1", "PSF2", "PSF3")),
    ],
)
def test_presets_of_channels(name, types):
    preset = load_preset(name)
    renderer = build(preset.renderer)
    assert (renderer.irf, renderer.event_types) == (P8R3, types)
    assert len(renderer.bands) == 6 * len(types)
    assert preset.patches.widths(len(renderer.bands)) == (16, 16, 32, 64, 128, 128) * len(types)


@pytest.mark.parametrize(
    "types",
    [
        (),
        ("FRONT", "FRONT"),
        ("FRONT+FRONT",),
        ("FRONT", "FRONT+BACK"),
        ("FRONT", "PSF3"),
        ("PSF3", "EDISP3"),
        ("SIDEWAYS",),
        ("",),
    ],
)
def test_channels_that_share_photons_are_refused(types):
    with pytest.raises(OptionError, match=r"event_types is .*FRONT and BACK, PSF0 to PSF3"):
        lat(types)


@pytest.mark.parametrize("option", ["isotropic", "exposure_source"])
def test_one_file_for_several_channels_is_refused(option):
    with pytest.raises(OptionError, match=rf"{option} is mine\.fits for the 2 channels FRONT, B"):
        lat(**{option: "mine.fits"})


def test_a_file_of_each_channel_takes_its_place(tmp_path):
    for types, level in (("FRONT", 1e-8), ("BACK", 3e-8)):
        lines = [f"{energy} {level / energy**2}" for energy in (100.0, 1e6)]
        (tmp_path / f"iso_{types}.txt").write_text("\n".join(lines))
    renderer = lat(isotropic=str(tmp_path / "iso_{type}.txt"))
    isotropic, exposure = renderer.background()["isotropic"], renderer.exposure()
    intensity = [
        (counts / exposed).mean()
        for counts, exposed in zip(isotropic.values, exposure.values, strict=True)
    ]
    areas = [
        [r.band_effective_area(band).value for r in (response.undispersed, response)]
        for response in renderer.responses
        for band in renderer._energy_bands
    ]
    exact = np.multiply(intensity, [seen / plain for plain, seen in areas])
    assert_allclose(exact[2:], np.multiply(3, exact[:2]), rtol=5e-3)


def test_a_simulated_set_is_searched_as_it_is(tmp_path):
    preset = with_plugins(
        load_preset("fermi-lat-front-back"),
        {},
        {
            "renderer": {"energies": (2, 7, 20), "nsides": (64, 64), "max_zeniths": ()},
            "localiser": {"threshold": 100.0},
        },
    )
    preset = dataclasses.replace(
        preset, patches=dataclasses.replace(preset.patches, n_pixels=(16, 32))
    )
    place = SkyCoord(60, 50, unit="deg", frame="galactic").icrs
    table = QTable(
        {
            "name": ["one"],
            "ra": [place.ra.deg] * u.deg,
            "dec": [place.dec.deg] * u.deg,
            "class_label": ["BLL"],
            "flux": [5e-9] * u.Unit("cm-2 s-1"),
        }
    )
    table.write(tmp_path / "mine.ecsv")
    done = simulate(
        output=tmp_path / "skies", preset=preset, sources=tmp_path / "mine.ecsv", seed=3
    )
    paths = sorted(done.folders[0].glob("counts*.fits"))
    assert [path.name for path in paths] == [
        "counts_BACK_nside64.fits",
        "counts_FRONT_nside64.fits",
    ]
    assert read_counts(paths[0]).pixels[0] == HealpixPixels(64)
    catalogue = detect(paths, preset=preset).catalogue
    assert len(catalogue) == 1
    assert "BIT_MASK(EVENT_TYPE,2,P8R3) = 1:1" in catalogue.meta["selections"]
    found = SkyCoord(catalogue["RAJ2000"], catalogue["DEJ2000"])[0]
    assert found.separation(place) < 0.5 * HealpixPixels(64).pixel_size
    assert_allclose(catalogue["Flux"][0].value, 5e-9, rtol=0.1)
