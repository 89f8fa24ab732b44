"""The weights for images that come with the package."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from numpy.testing import assert_allclose
from scipy.spatial import cKDTree

from gammafind.networks.folder import CARD, read_architecture
from gammafind.plugins import image_unet
from gammafind.plugins.image_unet.architecture import TileArchitecture
from gammafind.plugins.image_unet.localiser import ImageUNet
from gammafind.presets.choose import with_plugins
from gammafind.presets.preset import build, load_preset
from gammafind.roles.registry import create
from gammafind.simulation.sky import simulated_sky

SHIPPED = Path(image_unet.__file__).parent / "weights"


@pytest.fixture(scope="module")
def image():
    """True sources in the pixels of a simulated frame, and the frame."""
    preset = with_plugins(
        load_preset("meerlicht"),
        {},
        {
            "renderer": {"shape": (256, 256), "cosmic_rays": 20000.0, "hot_pixels": 20000.0},
            "population": {"size": "0.05 deg", "density": 30000.0},
        },
    )
    renderer, population = build(preset.renderer), build(preset.population)
    simulated = simulated_sky(renderer, population, seed=5, index=0)
    sources = simulated.sources
    places = simulated.observation.counts.pixels[0].xy(SkyCoord(sources["ra"], sources["dec"]))
    return np.column_stack(places), np.asarray(sources["mag_q"].value), simulated.observation


def test_stars_are_found_in_an_image_and_artefacts_are_not(image):
    places, magnitude, observation = image
    found = create("localiser", "image-unet").localise_sky(observation)
    found = found[found["score"] >= ImageUNet().published_score]
    here = np.column_stack([found["x"].value, found["y"].value])
    inside = np.all((places > 0) & (places < 255), axis=1)
    bright = inside & (magnitude < 20) & (magnitude > 14)
    assert bright.sum() > 25
    apart, _ = cKDTree(here).query(places[bright])
    assert np.mean(apart < 1.5) > 0.9
    apart, _ = cKDTree(places[magnitude < 22]).query(here)
    assert np.mean(apart < 2) > 0.95
    assert np.median(apart) < 0.3


def test_a_card_says_on_what_the_network_for_images_was_trained():
    folder = SHIPPED / "meerlicht"
    card = (folder / CARD).read_text()
    for word in ("meerlicht", "patches seen", "hours", "validation", "seed"):
        assert word in card
    architecture = read_architecture(folder, TileArchitecture)
    assert architecture.ranking is not None
    assert 2 < architecture.fwhm[0] < 3 < 6 < architecture.fwhm[1] < 9
    assert sum(file.stat().st_size for file in folder.iterdir()) < 2.5e6


def test_images_are_scored_alike_by_onnxruntime_and_keras(image):
    if not any(map(find_spec, ("torch", "jax", "tensorflow"))):
        pytest.skip("no backend of keras is installed")
    one, other = (
        create("localiser", "image-unet", views=1, backend=backend).localise_sky(image[2])
        for backend in ("onnxruntime", "keras")
    )
    assert len(one) == len(other)
    assert_allclose(np.sort(one["score"]), np.sort(other["score"]), atol=1e-3)
