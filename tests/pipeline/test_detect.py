from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits

from gammafind.catalogue.schema import CATALOGUE
from gammafind.errors import (
    AssumptionWarning,
    ConfigError,
    EmptySkyWarning,
    EnergyEdgesError,
    FileFormatError,
    InputDataError,
    OptionError,
    UnknownPluginError,
)
from gammafind.pipeline.counterparts import Counterparts
from gammafind.pipeline.detect import detect
from gammafind.presets.choose import with_plugins
from gammafind.presets.preset import PatchLayout, load_preset
from gammafind.roles.localiser import SkyFindings, no_detections
from gammafind.sky.bands import energy_bands
from gammafind.sky.pixels import WcsPixels
from gammafind.sky.skymap import SkyMap
from gammafind.views.image import all_sky_wcs
from tests.cli.fixtures import toy
from tests.cli.toy import (
    BANDS,
    EXPOSURE,
    PIXELS,
    SOURCES,
    Bright,
    Probable,
    Toy,
    bare_file,
    exposure_file,
    toy_counts,
    toy_file,
    toy_truth,
)

__all__ = ["toy"]

pytestmark = pytest.mark.usefixtures("toy")


@pytest.fixture
def counts(tmp_path):
    return toy_file(tmp_path / "counts.fits")


def test_each_source_is_found_where_it_is(counts):
    catalogue = detect([counts]).catalogue
    there = PIXELS.centres()[list(SOURCES)]
    np.testing.assert_allclose(catalogue["GLON"].value, there.l.deg, atol=1e-9)
    np.testing.assert_allclose(catalogue["GLAT"].value, there.b.deg, atol=1e-9)
    np.testing.assert_allclose(catalogue["Flux"].value, np.array([*SOURCES.values()]) / EXPOSURE)


def test_the_preset_follows_from_the_energy_edges(counts):
    result = detect([counts])
    assert result.preset.name == "toy"
    assert result.catalogue.meta["preset"] == "toy"


def test_edges_of_no_preset_are_refused_with_a_list(tmp_path):
    sky = toy_counts()
    other = SkyMap(energy_bands([3, 30] * u.GeV), sky.pixels, sky.values)
    with pytest.raises(EnergyEdgesError, match=r"no preset fits.*toy \(2-20 GeV\)"):
        detect([toy_file(tmp_path / "other.fits", other)])


def test_a_map_without_edges_needs_bands(tmp_path):
    bare = bare_file(tmp_path / "bare.fits")
    with pytest.raises(EnergyEdgesError, match="EBOUNDS"):
        detect([bare])
    assert len(detect([bare], bands=BANDS).catalogue) == len(SOURCES)


def test_bands_that_are_not_those_of_the_preset_are_refused(tmp_path):
    bare = bare_file(tmp_path / "bare.fits")
    with pytest.raises(EnergyEdgesError, match="3-30 GeV are not those of the preset toy"):
        detect([bare], preset="toy", bands=energy_bands([3, 30] * u.GeV))


def test_the_reference_names_the_sources(counts):
    result = detect([counts], reference=toy_truth())
    assert list(result.catalogue["Association"]) == [f"true {pixel}" for pixel in SOURCES]
    assert (result.summary.n_matched, result.summary.n_unmatched) == (len(SOURCES), 0)
    assert result.summary.regions[0].rates.n_sources == len(SOURCES) + 1


def test_the_score_cut_is_that_of_the_preset_or_given(counts):
    assert len(detect([counts]).catalogue) == 3
    assert len(detect([counts], min_score=50).catalogue) == 2
    with pytest.raises(OptionError, match="min_score is nan"):
        detect([counts], min_score=float("nan"))


def test_another_localiser_has_its_own_lowest_score_and_words(counts):
    preset = with_plugins(load_preset("toy"), {"localiser": "probable"})
    result = detect([counts], preset=preset, reference=toy_truth(), measure=False)
    np.testing.assert_allclose(result.catalogue["Score"], [400 / 500, 90 / 190])
    assert result.summary.score_name == result.catalogue.meta["score_name"] == "probability"
    assert result.summary.cut == result.catalogue.meta["min_score"] == 0.4
    assert "Flux" not in result.catalogue.colnames
    assert len(detect([counts], preset=preset, min_score=0.2).catalogue) == 3


def test_all_is_published_where_the_localiser_says_no_lowest_score(counts, monkeypatch):
    monkeypatch.setattr(Probable, "published_score", -np.inf)
    preset = with_plugins(load_preset("toy"), {"localiser": "probable"})
    result = detect([counts], preset=preset)
    assert len(result.catalogue) == 3
    assert result.catalogue.meta["min_score"] is result.summary.cut is None
    json.dumps(result.catalogue.meta, allow_nan=False)


def test_localisers_side_by_side_see_one_sky(counts, monkeypatch):
    observed = []
    real = Toy.observe
    monkeypatch.setattr(Toy, "observe", lambda *args: observed.append(1) or real(*args))
    preset = load_preset("toy")
    other = with_plugins(preset, {"localiser": "probable"})
    result = detect([counts], preset=preset, beside=[other], reference=toy_truth(), min_score=50)
    assert observed == [1]
    assert list(result.catalogue["Score"]) == [400, 90]
    (beside,) = result.beside
    assert beside.catalogue.meta["min_score"] == 0.4
    assert {p["role"]: p["name"] for p in beside.catalogue.meta["plugins"]}[
        "localiser"
    ] == "probable"
    assert [search.localiser for search in result.searches] == ["bright", "probable"]
    assert list(beside.catalogue["Association"]) == ["true 100", "true 1500"]


def test_purity_is_that_of_all_detections_not_of_the_published(counts):
    region = detect([counts], reference=toy_truth(), min_score=100).summary.regions[0]
    assert (region.rates.n_detections, region.pure.n_detections) == (1, 3)
    assert region.pure.cut == 30


def test_localisers_side_by_side_must_differ_and_share_the_renderer(counts):
    preset = load_preset("toy")
    with pytest.raises(OptionError, match="the localiser bright is named twice"):
        detect([counts], preset=preset, beside=[preset])
    other = with_plugins(preset, {"localiser": "probable"}, {"renderer": {"tilt": 1}})
    with pytest.raises(ConfigError, match="next to toy has another renderer"):
        detect([counts], preset=preset, beside=[other])


def test_an_exposure_replaces_that_of_the_renderer_and_scales_the_background(counts, tmp_path):
    path = exposure_file(tmp_path / "exposure.fits", 4 * EXPOSURE)
    own, given = detect([counts]).catalogue, detect([counts], exposure=path).catalogue
    np.testing.assert_allclose(given["Flux"][:2], own["Flux"][:2] / 4)
    np.testing.assert_allclose(given["Score"][:2], own["Score"][:2] / 4)
    assert [entry["name"] for entry in given.meta["inputs"]] == ["counts.fits", "exposure.fits"]


def test_the_exposure_of_the_preset_is_named_where_no_other_is_chosen(counts, tmp_path, caplog):
    path = exposure_file(tmp_path / "exposure.fits", EXPOSURE)
    says = "the exposure is that of the preset toy"
    with caplog.at_level("INFO", logger="gammafind"):
        detect([counts], exposure=path)
        detect([counts], options={"renderer": {"exposure_source": "measured"}})
        assert says not in caplog.text
        detect([counts])
    assert says in caplog.text


@pytest.mark.parametrize(
    ("factor", "says"),
    [(1e-9, "times that of the"), (1e9, "times that of the"), (0, "zero in all")],
)
def test_a_map_that_is_no_exposure_is_refused(counts, tmp_path, factor, says):
    path = exposure_file(tmp_path / "exposure.fits", factor * EXPOSURE)
    with pytest.raises(InputDataError, match=rf"exposure\.fits: the exposure .*{says}"):
        detect([counts], exposure=path)


def test_the_frame_of_an_exposure_may_be_given(counts, tmp_path):
    path = exposure_file(tmp_path / "exposure.fits", EXPOSURE)
    with fits.open(path, mode="update") as file:
        del file[1].header["COORDSYS"]
    with pytest.warns(AssumptionWarning, match=r"exposure\.fits: .*no COORDSYS.*as galactic"):
        assert len(detect([counts], exposure=path).catalogue) == len(SOURCES)
    assert len(detect([counts], exposure=path, frame="galactic").catalogue) == len(SOURCES)


def test_an_image_that_leaves_the_sky_is_searched_where_it_is_sky(tmp_path):
    wcs, shape = all_sky_wcs(36)
    pixels = WcsPixels(wcs, shape)
    path = toy_file(tmp_path / "aitoff.fits", SkyMap(BANDS, (pixels,), (np.ones(shape, int),)))
    assert len(detect([path]).catalogue) == 0


def test_a_negative_seed_is_refused(counts):
    with pytest.raises(OptionError, match="seed is -1"):
        detect([counts], seed=-1)


def test_a_sky_without_counts_gives_an_empty_catalogue_with_all_columns(tmp_path):
    path = toy_file(tmp_path / "empty.fits", toy_counts({}, floor=0))
    with pytest.warns(EmptySkyWarning):
        result = detect([path], reference=toy_truth())
    assert len(result.catalogue) == 0
    assert result.catalogue.colnames[: len(CATALOGUE)] == [column.name for column in CATALOGUE]
    assert result.summary.n_detections == 0


def test_the_catalogue_says_how_it_was_made(counts):
    meta = detect([counts], seed=7, command="gammafind detect").catalogue.meta
    json.dumps(meta)
    assert meta["creator"].startswith("gammafind ")
    assert (meta["seed"], meta["command"]) == (7, "gammafind detect")
    assert meta["inputs"] == [
        {"name": "counts.fits", "sha256": sha256(counts.read_bytes()).hexdigest()}
    ]
    names = {entry["role"]: entry["name"] for entry in meta["plugins"]}
    assert names == {"renderer": "toy", "localiser": "bright"}
    assert meta["plugins"][1]["options"]["threshold"] == 16
    assert meta["date"].endswith("+00:00")


def test_the_clusterer_is_on_the_record(counts):
    preset = with_plugins(load_preset("toy"), {"clusterer": "peaks"})
    plugins = detect([counts], preset=preset).catalogue.meta["plugins"]
    assert [entry["name"] for entry in plugins] == ["toy", "bright", "peaks"]


def test_unknown_plugins_and_options_are_named(counts):
    preset = load_preset("toy")
    with pytest.raises(UnknownPluginError, match=r"no localiser 'brigth'.*'bright'"):
        detect([counts], preset=with_plugins(preset, {"localiser": "brigth"}))
    with pytest.raises(ConfigError, match="no option 'treshold'"):
        detect([counts], preset=with_plugins(preset, {}, {"localiser": {"treshold": 1}}))


def test_photons_and_maps_do_not_mix(counts, tmp_path):
    photons = _photons(tmp_path / "photons.fits", [100] * 40)
    with pytest.raises(FileFormatError, match="photon list among count maps"):
        detect([counts, photons], preset="toy")


def test_photons_are_binned_on_the_pixels_of_the_renderer(tmp_path):
    photons = _photons(tmp_path / "photons.fits", [100] * 40 + [7])
    catalogue = detect([photons], preset="toy").catalogue
    np.testing.assert_allclose(catalogue["GLAT"].value, PIXELS.centres()[[100]].b.deg)
    assert list(catalogue["Score"]) == [40]
    with pytest.raises(EnergyEdgesError, match="no energy bins"):
        detect([photons])


def test_only_photons_that_the_response_is_for_are_binned(tmp_path, monkeypatch):
    def southern(renderer, events):
        return events.select(events.positions.galactic.b.deg < 0, cut="south")

    monkeypatch.setattr(Toy, "select_events", southern)
    photons = _photons(tmp_path / "photons.fits", [100] * 40 + [3000] * 50)
    catalogue = detect([photons], preset="toy").catalogue
    assert list(catalogue["Score"]) == [50]
    assert catalogue.meta["selections"] == ["south"]


def test_patches_are_as_wide_as_the_preset_says(counts, monkeypatch):
    seen = []

    def look(localiser, observation, *, grid, n_pixels, rng):
        seen.append((len(grid), n_pixels))
        return SkyFindings(no_detections())

    monkeypatch.setattr(Bright, "search_sky", look)
    preset = load_preset("toy")
    for n_pixels in ((), (40,)):
        detect([counts], preset=replace(preset, patches=PatchLayout(nside=4, n_pixels=n_pixels)))
    assert seen == [(192, None), (192, (40,))]
    with pytest.raises(ConfigError, match="2 n_pixels of the patches for 1 bands"):
        detect([counts], preset=replace(preset, patches=PatchLayout(n_pixels=(16, 32))))


def _photons(path, pixels):
    from astropy.table import QTable

    sky = PIXELS.centres()[pixels].icrs
    table = QTable({"RA": sky.ra, "DEC": sky.dec, "ENERGY": np.full(len(pixels), 5e3) * u.MeV})
    table.meta["EXTNAME"] = "EVENTS"
    table.write(path, format="fits")
    return path


def test_a_catalogue_names_the_region_that_was_searched(counts):
    catalogue = detect([counts]).catalogue
    assert catalogue.meta["searched"] == "0/0-11"


def test_probabilities_say_how_many_rows_are_expected_to_be_false(counts):
    catalogue = detect([counts], localiser="probable").catalogue
    expected = np.sum(1 - np.asarray(catalogue["Score"]))
    assert catalogue.meta["expected_false"] == pytest.approx(expected, abs=0.01)
    assert "expected_false" not in detect([counts]).catalogue.meta


def test_a_catalogue_says_how_many_rows_are_false_where_the_localiser_knows(counts, monkeypatch):
    search = Bright._localise_sky

    def stating(self, *arguments):
        found = search(self, *arguments)
        found.meta["expected_false_by_score"] = {"1": 8.0, "3": 2.0, "5": 0.5}
        return found

    monkeypatch.setattr(Bright, "_localise_sky", stating)
    result = detect([counts], min_score=2)
    assert result.catalogue.meta["expected_false"] == pytest.approx(4)
    assert result.catalogue.meta["expected_false_by_score"] == {"3": 2.0, "5": 0.5}
    assert "Expected number of false ones: 4." in result.summary.text()


def test_counterparts_take_the_place_of_the_names_of_the_reference(counts):
    candidates = toy_truth()
    candidates["r95"] = np.full(len(candidates), 0.5) * u.deg
    there = Counterparts(table=candidates, label="truth", prior=0.9)
    found = detect([counts], reference=toy_truth(), counterparts=[there]).catalogue
    assert set(found["ASSOC_CATALOGUE"]) == {"truth"}
    assert np.all(found["ASSOC_PROB_BAY"] > 0.8)
    steps = [one["name"] for one in found.meta["steps"]]
    assert steps == ["detect", "associate"]


def test_sources_without_position_errors_are_not_associated(counts, caplog):
    sky = detect([counts], localiser=Probable(), counterparts=[toy_truth()])
    assert "ASSOC_PROB_BAY" not in sky.catalogue.colnames
    assert "sources without position errors are not associated" in caplog.text


def test_the_catalogue_says_how_it_was_made_in_the_terms_of_the_ivoa(counts):
    document = detect([counts]).catalogue.meta["provenance"]
    names = [one["voprov:name"] for one in document["entity"].values()]
    assert "counts.fits" in names
    assert "localiser.threshold" in names
