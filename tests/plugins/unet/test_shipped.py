"""The weights that come with the package."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from numpy.testing import assert_allclose

from gammafind.networks.features import features
from gammafind.networks.folder import (
    ARCHITECTURE,
    CARD,
    keras_runner,
    onnx_runner,
    read_architecture,
)
from gammafind.networks.logits import sigmoid
from gammafind.plugins.unet import localiser
from gammafind.plugins.unet.architecture import Architecture
from gammafind.plugins.unet.localiser import UNet, shipped_folder, shipped_widths
from gammafind.plugins.unet.search import SkySearch
from gammafind.presets.preset import build, load_preset
from gammafind.roles.localiser import no_detections
from gammafind.simulation.sky import simulated_sky
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.skymap import SkyMap

PRESETS = ("fermi-lat", "fermi-lat-psf3-2-20")


@pytest.fixture(scope="module", params=PRESETS)
def sky(request):
    """True sources, and counts in two patches far from the Galactic plane."""
    preset = load_preset(request.param)
    renderer, population = build(preset.renderer), build(preset.population)
    grid = PatchGrid(np.array([40.0, 200.0]), np.array([60.0, -50.0]), preset.patches.size)
    widths = preset.patches.widths(len(renderer.bands))
    rng = np.random.default_rng(3)
    if len(renderer.bands) == 1:
        simulated = simulated_sky(renderer, population, seed=3, index=0)
        return simulated.sources, simulated.observation.patches(grid, widths, spread=True, rng=rng)
    sources = population.sample(rng=rng)
    return sources, renderer.render_patches(sources, grid, widths).poisson(rng=rng)


def test_bright_sources_are_found_and_next_to_nothing_else(sky):
    sources, patches = sky
    found = UNet(threshold=0.7).localise(patches)
    here = patches.grid.positions(
        found["patch"], found["x"].value, found["y"].value, patches.score_width
    )
    there = SkyCoord(sources["ra"], sources["dec"], frame="icrs")
    _, apart, _ = here.icrs.match_to_catalog_sky(there)
    assert len(found) > 10
    assert np.mean(apart.deg < 0.5) > 0.9
    bright = there[sources["flux"].value > 3e-9].transform_to(patches.grid.frame)
    for patch in range(len(patches)):
        x, y = patches.grid.pixels(patch, patches.score_width).xy(bright)
        inside = (abs(x - patches.score_width / 2) < patches.score_width / 2 - 2) & (
            abs(y - patches.score_width / 2) < patches.score_width / 2 - 2
        )
        if inside.any():
            _, apart, _ = bright[inside].icrs.match_to_catalog_sky(here.icrs)
            assert np.median(apart.deg) < 0.1


def test_shipped_networks_run_without_what_trains_them(sky, monkeypatch):
    for library in ("keras", "torch", "onnx", "sklearn"):
        monkeypatch.setitem(sys.modules, library, None)
    assert len(UNet(threshold=0.7).localise(sky[1])) > 10


def test_scores_are_the_same_by_onnxruntime_and_keras(sky):
    _, patches = sky
    folder = shipped_folder("gammafind", patches)
    architecture = read_architecture(folder, Architecture)
    seen = features(patches.counts, patches.background, None, architecture.features)
    if not any(map(find_spec, ("torch", "jax", "tensorflow"))):
        pytest.skip("no backend of keras is installed")
    scores = [
        sigmoid(run(folder, architecture)(seen)[..., 0]) for run in (onnx_runner, keras_runner)
    ]
    assert_allclose(scores[0], scores[1], atol=1e-4)


def test_a_card_says_on_what_the_network_was_trained(sky):
    folder = shipped_folder("gammafind", sky[1])
    card = (folder / CARD).read_text()
    for word in ("patches seen", "hours", "validation", "seed"):
        assert word in card
    assert read_architecture(folder, Architecture).ranking is not None
    assert sum(file.stat().st_size for file in folder.iterdir()) < 6e6
    assert (folder / ARCHITECTURE).exists()


def test_patches_are_as_wide_as_the_weights_for_their_bands_know_them():
    preset = load_preset("fermi-lat")
    bands = build(preset.renderer).bands
    assert shipped_widths("gammafind", bands) == tuple(preset.patches.widths(len(bands)))
    assert shipped_widths("gammafind", bands[1:]) == ()


@pytest.mark.parametrize(("options", "n_patches"), [({}, 5), ({"fluxes": False}, 768)])
def test_with_fluxes_as_few_patches_as_cover_the_sky_are_looked_at(monkeypatch, options, n_patches):
    preset = load_preset("fermi-lat-psf3-2-20")
    renderer = build(preset.renderer)
    nothing = SkyMap(renderer.bands, renderer.pixels, [np.zeros(renderer.pixels[0].shape, int)])
    seen = []
    for step in ("find", "rough"):
        monkeypatch.setattr(SkySearch, step, lambda self, sky: seen.append(len(sky.grid)))
    for step in ("sightings", "score_map"):
        monkeypatch.setattr(SkySearch, step, lambda *_: None)
    monkeypatch.setattr(SkySearch, "merged", lambda *_: no_detections())
    monkeypatch.setattr(localiser, "covering_patches", lambda *_, **__: np.arange(5))
    grid = PatchGrid.healpix(preset.patches.nside, size=preset.patches.size)
    observation, rng = renderer.observe(nothing), np.random.default_rng(0)
    UNet(**options)._localise_sky(observation, grid, None, rng)
    assert seen == [n_patches]
