from __future__ import annotations

import json
import logging

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose

from gammafind.errors import InputDataError, MissingFileError, OptionError, WeightsError
from gammafind.fitting.image.stamps import make_stamps
from gammafind.networks.folder import read_architecture
from gammafind.networks.layers import build_network
from gammafind.plugins.image_cnn.architecture import StampArchitecture
from gammafind.plugins.image_cnn.classifier import ImageCnn
from gammafind.plugins.image_cnn.network import BOGUS, CLASSES, NETWORKS
from gammafind.plugins.image_cnn.training.frame_detections import frame_labels
from gammafind.plugins.meerlicht.population import MeerlichtField
from gammafind.plugins.meerlicht.renderer import MeerlichtRenderer
from gammafind.roles.registry import create
from gammafind.simulation.sky import simulated_sky
from gammafind.sky.bands import Band, energy_bands
from gammafind.testing import check_classifier
from tests.plugins.image_cnn.helpers import toy_stamps, write

WIDE = {"sharpness": (-2.0, 3.0), "roundness": (-2.0, 2.0)}
"""Options of daofind with which it leaves narrow and long peaks in."""
BANDS = (Band("q", 440 * u.nm, 720 * u.nm),)


class TestShipped:
    """The weights that come with the package, by onnxruntime."""

    @pytest.fixture(autouse=True)
    def _runtime(self):
        pytest.importorskip("onnxruntime")

    def test_it_keeps_the_contract(self):
        check_classifier(ImageCnn, toy_stamps())

    def test_stars_and_hot_pixels_are_what_they_are(self):
        table = ImageCnn().classify(toy_stamps(40))
        assert np.all(table["class_label"][::2] == "star")
        assert np.all(np.isin(table["class_label"][1::2], BOGUS))
        assert (
            table["real_probability"][::2].min() > 0.9 > 0.1 > table["real_probability"][1::2].max()
        )

    def test_a_small_frame_is_told(self):
        camera = {"shape": (320, 320), "cosmic_rays": 1e5, "hot_pixels": 8e4, "trails": 60.0}
        renderer = MeerlichtRenderer(**camera)
        field = MeerlichtField(size=0.055 * u.deg, density=36700.0)
        sky = simulated_sky(renderer, field, seed=11, index=0)
        sky.sources["electrons"] = renderer.source_counts(sky.sources)[:, 0]
        found = create("localiser", "daofind", threshold=6.0, **WIDE).localise_sky(sky.observation)
        layout = ImageCnn().layout
        stamps = make_stamps(sky.observation, found, layout=layout, probabilities=False).arrays
        label, _ = frame_labels(
            found, sky, stamps, classes=CLASSES, fake="nothing", radius=1.5 * u.arcsec
        )
        table = ImageCnn().classify(stamps)
        real = label < 2
        assert 30 < real.sum() < len(label) - 25
        assert np.sum((table["real_probability"] > 0.5) != real) <= 3
        named = np.asarray(CLASSES)[label] == table["class_label"]
        assert named.mean() > 0.85

    def test_the_probability_of_the_localiser_is_heeded(self):
        stamps = toy_stamps(40, flux=60.0)
        sure, unsure = (
            ImageCnn().classify({**stamps, "probability": np.full(40, p, dtype=np.float32)})
            for p in (0.99, 0.55)
        )
        told = [table["real_probability"][::2].mean() for table in (sure, unsure)]
        assert told[0] > told[1] + 0.05

    def test_without_data_it_is_not_sure_and_does_not_fail(self):
        stamps = toy_stamps(4)
        stamps["excess"][:], stamps["flags"][:] = 0, -1
        total = sum(ImageCnn().classify(stamps)[f"prob_{name}"] for name in CLASSES)
        assert_allclose(total, 1)

    def test_other_seeing_than_that_of_the_training_is_said(self, caplog):
        stamps = toy_stamps(3)
        stamps["fwhm"][:] = 30
        with caplog.at_level(logging.WARNING, logger="gammafind"):
            ImageCnn().classify(stamps)
        assert "stars are 30.0 pixels wide" in caplog.text

    def test_several_bands_are_refused(self):
        assert ImageCnn().for_sky(BANDS, 0) == ImageCnn()
        with pytest.raises(OptionError, match="images in one band, not 2"):
            ImageCnn().for_sky(energy_bands([1, 2, 20] * u.GeV), 0)

    def test_cut_outs_of_maps_are_refused(self):
        with pytest.raises(WeightsError, match=r"need excess, flags.*make_stamps"):
            ImageCnn().classify({"counts": np.zeros((3, 2, 7, 7))})

    def test_stamps_of_another_side_are_refused(self):
        with pytest.raises(WeightsError, match=r"excess of shape \(25, 25\).*not \(9, 9\)"):
            ImageCnn().classify(toy_stamps(3, 9))

    def test_weights_that_need_probabilities_say_so(self, tmp_path):
        for library in ("torch", "onnx"):
            pytest.importorskip(library)
        write(tmp_path / "scores", scores=True)
        finder = ImageCnn(weights=str(tmp_path / "scores"))
        stamps = toy_stamps(3)
        with pytest.raises(WeightsError, match=r"need probability, which the cut-outs lack"):
            finder.classify(stamps)
        stamps["probability"] = np.full(3, np.nan)
        with pytest.raises(WeightsError, match="probabilities of a localiser, which are not known"):
            finder.classify(stamps)
        stamps["probability"][:] = 0.9
        assert len(finder.classify(stamps)) == 3

    def test_nan_is_named(self):
        stamps = toy_stamps(3)
        stamps["excess"][1, 2, 3] = np.nan
        with pytest.raises(InputDataError, match="excess of the stamps"):
            ImageCnn().classify(stamps)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Random weights."""
    for library in ("torch", "onnx", "onnxruntime"):
        pytest.importorskip(library)
    path = tmp_path_factory.mktemp("stamps") / "weights"
    write(path, fwhm=(2.0, 7.0), shares=(0.4, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1))
    return path


def test_an_architecture_is_read_as_it_was_written(folder):
    architecture = read_architecture(folder, StampArchitecture)
    assert architecture.fwhm == (2.0, 7.0)
    assert architecture.shares[0] == 0.4
    assert sorted(architecture.checksums) == ["network.onnx"]


def test_keras_and_onnxruntime_agree(folder):
    one, other = (
        ImageCnn(weights=str(folder), backend=backend).classify(toy_stamps())
        for backend in ("onnxruntime", "keras")
    )
    for name in CLASSES:
        assert_allclose(one[f"prob_{name}"], other[f"prob_{name}"], atol=1e-5)


def test_networks_return_logarithms_of_probabilities():
    pytest.importorskip("torch")
    architecture = StampArchitecture()
    network = architecture.build()
    output = network.predict_on_batch(list(architecture.features(toy_stamps())))
    assert_allclose(np.exp(output).sum(axis=1), 1, rtol=1e-5)
    assert network.count_params() < 100_000


def test_missing_weights_are_named(tmp_path):
    with pytest.raises(MissingFileError, match="no such folder of weights"):
        ImageCnn(weights=str(tmp_path / "none")).for_sky(BANDS, 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backend": "none"}, "backend is 'none'"),
        ({"abstain": 1.5}, "abstain is 1.5"),
    ],
)
def test_options_that_cannot_be_are_refused(options, message):
    with pytest.raises(OptionError, match=message):
        ImageCnn(**options)


def test_networks_without_such_an_option_say_so():
    with pytest.raises(OptionError, match="no option colour"):
        build_network("stamps", NETWORKS, {}, {"colour": 1})
    with pytest.raises(OptionError, match="no network 'other'"):
        build_network("other", NETWORKS, {}, {})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 9}, "another format"),
        ({"temperature": 0}, "temperature is 0"),
        ({"n_pixels": 24}, "n_pixels is 24"),
        ({"shares": [1.0]}, "shares of the classes"),
        ({"colour": "red"}, "does not describe a network for stamps of images"),
    ],
)
def test_a_damaged_architecture_is_named(tmp_path, change, message):
    path = tmp_path / "architecture.json"
    StampArchitecture(fwhm=(2.0, 7.0)).write(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(WeightsError, match=message):
        StampArchitecture.read(path)
