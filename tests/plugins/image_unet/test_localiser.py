"""The U-Net of images: tiles, their seams and borders, and what is not an image."""

from __future__ import annotations

import json
import shutil
import warnings
from dataclasses import replace

import numpy as np
import pytest

from gammafind.errors import OptionError, UntrainedWarning, WeightsError
from gammafind.networks.folder import read_architecture
from gammafind.networks.ranking import Ranking
from gammafind.plugins.clusterers.peaks import PeaksClusterer
from gammafind.plugins.image_unet.architecture import TileArchitecture
from gammafind.plugins.image_unet.localiser import ImageUNet
from gammafind.plugins.unet.localiser import UNet
from gammafind.sky.tiles import tiles
from gammafind.testing import toy_patches
from tests.fitting.images import stars_on_sky
from tests.plugins.image_unet.helpers import TILES

SHAPE = (70, 130)
X, Y = np.array([20.2, 60.4, 110.0]), np.array([15.3, 50.0, 33.7])
ELECTRONS = np.array([3000.0, 6000.0, 20000.0])


@pytest.fixture(autouse=True)
def _narrow(monkeypatch):
    """Tiles of 64 pixels leave no core within margins of 32."""
    monkeypatch.setattr("gammafind.plugins.image_unet.search.MARGIN", 16)


def finder(written, **options):
    return ImageUNet(weights=str(written / "tiles"), **{"views": 2, "threshold": 0.5, **options})


@pytest.mark.parametrize("backend", ["onnxruntime", "keras"])
def test_stars_are_found_and_measured(written, backend):
    sky = stars_on_sky(X, Y, ELECTRONS, SHAPE)
    found, scores = finder(written, backend=backend).search_sky(sky)
    assert len(found) == 3
    assert scores.values[0].shape == SHAPE
    assert np.all(scores.values[0][np.rint(Y).astype(int), np.rint(X).astype(int)] > 0.3)
    assert np.median(scores.values[0]) < 0.3
    order = np.argsort(found["npred"])
    assert found["x"].value[order] == pytest.approx(X, abs=0.3)
    assert found["y"].value[order] == pytest.approx(Y, abs=0.3)
    assert found["npred"][order] == pytest.approx(ELECTRONS, rel=0.2)
    assert found["flux"].value == pytest.approx(found["npred"] / 2)
    assert np.all((found["score"] > 0.5) & (found["score"] <= 1))
    assert np.all(np.diff(found["pos_err"][order]) < 0)


def test_each_star_is_found_once_also_on_the_seams_of_tiles(written):
    edges = [t.core_columns.start for t in tiles((64, 400), side=64, margin=16)][1:]
    x = np.array(edges) - 0.5 + np.linspace(-1.2, 1.2, len(edges))
    y = np.full(len(x), 30.0) + np.linspace(-1, 1, len(edges))
    for seed in range(3):
        sky = stars_on_sky(x, y, np.full(len(x), 4000.0), (64, 400), seed=seed)
        found = finder(written).localise_sky(sky)
        assert np.sort(found["x"].value) == pytest.approx(x, abs=0.6)


@pytest.mark.parametrize("shape", [(40, 50), (64, 64), (30, 90)])
def test_images_smaller_than_a_tile_are_searched(written, shape):
    found = finder(written).localise_sky(stars_on_sky([20.0], [15.0], [6000.0], shape))
    assert found["x"].value == pytest.approx([20.0], abs=0.3)


def test_nothing_is_found_in_noise(written):
    found = finder(written).localise_sky(stars_on_sky([], [], [], SHAPE))
    assert len(found) == 0
    assert "pos_err" in found.colnames


def test_pixels_that_are_not_valid_are_not_searched(written):
    valid = np.ones(SHAPE, dtype=bool)
    valid[:, 90:] = False
    found = finder(written).localise_sky(stars_on_sky(X, Y, ELECTRONS, SHAPE, valid=valid))
    assert np.sort(found["x"].value) == pytest.approx(X[:2], abs=0.3)


def test_batches_change_nothing(written):
    sky = stars_on_sky(X, Y, ELECTRONS, SHAPE)
    one, all_ = (finder(written, batch_size=n).localise_sky(sky) for n in (1, 8))
    for name in ("x", "y", "score", "npred"):
        assert np.asarray(one[name]) == pytest.approx(np.asarray(all_[name]), rel=1e-4)


def test_a_clusterer_sees_the_scores_of_tiles(written):
    clusterer = PeaksClusterer(threshold=0.5)
    found = finder(written, clusterer=clusterer).localise_sky(stars_on_sky(X, Y, ELECTRONS, SHAPE))
    assert np.sort(found["x"].value) == pytest.approx(X, abs=0.3)


def test_the_fit_has_a_say_in_the_score(written, tmp_path):
    shutil.copytree(written / "tiles", tmp_path / "tiles")
    only_snr = (4.0 * np.eye(6)[:, 1:2], np.array([-12.0]))
    ranking = Ranking(mean=np.zeros(6), scale=np.ones(6), layers=[only_snr])
    replace(read_architecture(tmp_path / "tiles", TileArchitecture), ranking=ranking).write(
        tmp_path / "tiles" / "architecture.json", overwrite=True
    )
    sky = stars_on_sky(X, Y, ELECTRONS, SHAPE)
    found = finder(tmp_path).localise_sky(sky)
    snr = found["npred"] / (found["flux_err"] * 2).value
    assert found["score"] == pytest.approx(1 / (1 + np.exp(12 - 4 * np.log(snr))), rel=1e-3)
    plain = finder(tmp_path, fluxes=False).localise_sky(sky)
    assert plain["score"] == pytest.approx(finder(written).localise_sky(sky)["score"])


@pytest.mark.parametrize(("fwhm", "warned"), [(1.7, True), (1.9, False), (8.5, False), (12, True)])
def test_widths_that_it_was_not_trained_for_are_told(written, fwhm, warned):
    sky = stars_on_sky(X, Y, ELECTRONS, SHAPE, fwhm=fwhm)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        finder(written).localise_sky(sky)
    assert [w.category for w in told] == [UntrainedWarning] * warned
    assert not told or f"the PSF is {fwhm:.1f} pixels wide" in str(told[0].message)


def test_weights_of_the_other_kind_are_named(written):
    sky = stars_on_sky(X, Y, ELECTRONS, SHAPE)
    with pytest.raises(WeightsError, match=r"toy.*for patches of the sky, not for tiles of images"):
        ImageUNet(weights=str(written / "toy")).localise_sky(sky)
    with pytest.raises(WeightsError, match=r"tiles.*for tiles of images, not for patches"):
        UNet(weights=str(written / "tiles")).localise(toy_patches())


def test_an_architecture_comes_back_as_it_was_written(tmp_path):
    layers = [(np.array([[1.5, 1 / 3]]), np.array([0.0, -1.0])), (np.ones((2, 1)), np.ones(1))]
    ranking = Ranking(mean=np.array([0.5]), scale=np.array([2.0]), layers=layers)
    one = replace(TILES, ranking=ranking, checksums={"a": "b"})
    one.write(tmp_path / "one.json")
    read = TileArchitecture.read(tmp_path / "one.json")
    assert replace(read, ranking=ranking) == one
    assert read.ranking.record() == ranking.record()
    entries = np.linspace(-3, 3, 7)[:, None]
    assert read.ranking.probability(entries) == pytest.approx(ranking.probability(entries))
    record = json.loads((tmp_path / "one.json").read_text())
    del record["side"]
    (tmp_path / "one.json").write_text(json.dumps(record))
    with pytest.raises(WeightsError, match=r"one\.json: does not describe a network"):
        TileArchitecture.read(tmp_path / "one.json")


def test_widths_that_cannot_be_are_named():
    with pytest.raises(OptionError, match="PSFs of"):
        replace(TILES, fwhm=(3.0, 2.0))


def test_each_network_names_the_one_for_what_it_is_given():
    with pytest.raises(OptionError, match="maps of the sky, and this is an image") as refused:
        UNet().localise_sky(stars_on_sky(X, Y, ELECTRONS, SHAPE))
    assert "--localiser image-unet" in refused.value.remedy
    with pytest.raises(OptionError, match="images of a camera, and these are maps") as refused:
        ImageUNet().localise(toy_patches())
    assert "--localiser unet" in refused.value.remedy


def test_weights_without_a_calibration_are_refused(written, tmp_path):
    shutil.copytree(written / "tiles", tmp_path / "tiles")
    path = tmp_path / "tiles" / "architecture.json"
    replace(TILES, calibration=None).write(path, overwrite=True)
    with pytest.raises(WeightsError, match=r"no calibration.*--resume"):
        finder(tmp_path).localise_sky(stars_on_sky(X, Y, ELECTRONS, SHAPE))


def test_counts_are_no_image():
    sky = stars_on_sky(X, Y, ELECTRONS, SHAPE)
    assert sky.is_image
    assert not replace(sky, counts=replace(sky.counts, kind="counts")).is_image
