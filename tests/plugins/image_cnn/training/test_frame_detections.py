"""Labels of detections in simulated frames, and a training on them as a user types it."""

from __future__ import annotations

import json

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable
from numpy.testing import assert_array_equal

from gammafind.catalogue.io import read_table
from gammafind.cli.main import main
from gammafind.errors import ConfigError, TableError
from gammafind.networks.folder import read_architecture
from gammafind.plugins.image_cnn.architecture import StampArchitecture
from gammafind.plugins.image_cnn.network import CLASSES
from gammafind.plugins.image_cnn.training.frame_detections import KINDS, artefacts_at, frame_labels
from gammafind.simulation.sky import SimulatedSky
from gammafind.training.recipe import read_recipe
from tests.plugins.image_finders.test_finders import NOISE, X, Y, seen

RECIPE = """\
[training]
preset = "meerlicht"
epochs = 1
batch_size = 16

[data]
train = 1
test = 0
folder = "data"

[detections]
min_score = 0.0
random_fakes = 40

[renderer]
shape = [192, 192]
cosmic_rays = 60000.0
hot_pixels = 30000.0
trails = 100.0

[population]
size = "0.03 deg"

[vary.renderer]
seeing = ["2 arcsec", "3 arcsec"]

[vary.population]
density = [36700.0]

[localiser]
name = "daofind"

[classifier]
name = "image-cnn"

[network]
filters = [4, 4]
units = 8
"""


def lines(*rows):
    table = QTable({"kind": np.array([row[0] for row in rows], dtype=str)})
    for place, name in enumerate(("x", "y", "x_end", "y_end"), start=1):
        table[name] = np.array([row[place] for row in rows], dtype=float) * u.pix
    return table


def test_artefacts_are_told_by_their_distance():
    artefacts = lines(
        ("cosmic ray", 10, 10, 20, 10),
        ("trail", 0, 50, 100, 50),
        ("hot pixel", 60, 51, 60, 51),
    )
    x, y = np.array([15, 15, 22, 60, 30, 30.0]), np.array([12, 13, 10, 51, 56, 57.0])
    found = artefacts_at(x, y, artefacts, width=np.full(6, 4.0))
    named = [KINDS[kind] if kind >= 0 else "" for kind in found]
    assert named == ["cosmic ray", "", "cosmic ray", "hot pixel", "trail", ""]
    assert_array_equal(artefacts_at(x, y, artefacts[:0], width=np.full(6, 4.0)), -1)


def test_other_artefacts_are_named():
    with pytest.raises(TableError, match="artefacts of kind aeroplane"):
        artefacts_at(np.zeros(1), np.zeros(1), lines(("aeroplane", 0, 0, 1, 1)), width=np.ones(1))


def test_what_outshines_a_source_is_what_was_found():
    """Three stars; a cosmic ray on the first adds little to its light, one on the second much."""
    sky = seen()
    pixels = sky.counts.pixels[0]
    there = pixels.wcs.pixel_to_world([*X, 20.0], [*Y, 180.0]).icrs
    electrons = np.array([3000.0, 1000.0, 20000.0, 5.0])
    sources = QTable(
        {
            "ra": there.ra,
            "dec": there.dec,
            "class_label": ["star", "star", "galaxy", "star"],
            "electrons": electrons,
        }
    )
    artefacts = lines(*(("cosmic ray", x, y, x + 3, y) for x, y in zip(X[:2], Y[:2], strict=True)))
    found = QTable({"ra": there.ra, "dec": there.dec, "score": np.ones(4)})
    found["x"], found["y"] = [*X, 20.0] * u.pix, [*Y, 180.0] * u.pix
    psf = np.zeros((4, 9, 9))
    psf[:, 3:6, 3:6] = 1 / 9
    arrays = {
        "psf": psf,
        "excess": psf * np.array([3000.0, 6000.0, 20000.0, 5.0])[:, None, None] / NOISE,
        "flags": np.zeros((4, 9, 9)),
        "noise": np.full(4, NOISE),
        "fwhm": np.full(4, 3.0),
    }
    label, source = frame_labels(
        found,
        SimulatedSky(sources, None, sky, artefacts),
        arrays,
        classes=CLASSES,
        fake="nothing",
        radius=1 * u.arcsec,
    )
    assert [CLASSES[one] for one in label] == ["star", "cosmic-ray", "galaxy", "nothing"]
    assert_array_equal(source, [0, -1, 2, -1])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Folder of a training on two small frames."""
    for library in ("torch", "onnx", "onnxruntime"):
        pytest.importorskip(library)
    folder = tmp_path_factory.mktemp("frames")
    (folder / "recipe.toml").write_text(RECIPE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "torch")
        arguments = ["train", "classifier", str(folder / "recipe.toml"), "-o", str(folder / "out")]
        assert main(arguments) == 0
    return folder


def test_detections_of_frames_are_labelled(trained):
    (first, second) = sorted((trained / "data").iterdir())
    with np.load(first / "cutouts.npz") as file:
        assert file["excess"].shape[1:] == (25, 25)
        assert {CLASSES.index(name) for name in ("star", "cosmic-ray", "hot-pixel")} <= set(
            file["label"]
        )
        assert np.isnan(file["score"]).any()
    settings = json.loads((second / "meta.json").read_text())["settings"]
    assert settings["vary"]["renderer"] == {"seeing": ["2 arcsec", "3 arcsec"]}


def test_the_weights_tell_what_they_look_at(trained):
    architecture = read_architecture(trained / "out" / "weights", StampArchitecture)
    assert 2 < architecture.fwhm[0] <= architecture.fwhm[1] < 9
    assert "| detections in the training |" in (trained / "out/weights/card.md").read_text()


def test_a_frame_is_searched_and_classified(trained, tmp_path):
    options = ["--option", "renderer.shape=[160, 160]", "--option", "population.size=0.025deg"]
    made = ["simulate", "--preset", "meerlicht", *options, "-o", str(tmp_path / "frames")]
    assert main(made) == 0
    image = str(tmp_path / "frames" / "catalogue-0000" / "image.fits")
    weights = f"classifier.weights={trained / 'out' / 'weights'}"
    given = ["--preset", "meerlicht", "--classifier", "image-cnn", "--option", weights]
    assert main(["detect", image, *given, "-o", str(tmp_path / "found.ecsv")]) == 0
    table = read_table(tmp_path / "found.ecsv")
    assert {"class_label", "real_probability", "cutout_inside", "cutout_saturated"} <= {
        *table.colnames
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('name = "image-cnn"', 'name = "other"'), "there is no classifier 'other'"),
        (("density = [36700.0]", "density = 36700.0"), r"\[vary.population\] density is 36700"),
        (("[vary.renderer]", "[vary.sky]"), "unknown key .*sky"),
        (('name = "image-cnn"', 'name = "cnn"'), "unknown key vary"),
    ],
)
def test_recipes_that_cannot_be_are_refused(tmp_path, change, message):
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE.replace(*change))
    with pytest.raises(ConfigError, match=message):
        read_recipe(path)[0].prepare(tmp_path)
