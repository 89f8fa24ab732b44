"""Training a classifier, and ``gammafind detect --classifier``, as a user types them."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from gammafind.catalogue.io import read_table
from gammafind.cli.main import main
from gammafind.networks.folder import read_architecture
from gammafind.plugins.cnn.architecture import CnnArchitecture
from gammafind.roles import registry
from gammafind.roles.discovery import discover
from gammafind.training.sets import META

pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

RECIPE = """\
[training]
preset = "blazars"
epochs = 2
batch_size = 16
time = "{time}"

[data]
train = 2
test = 0
folder = "data"

[detections]
random_fakes = 20

[localiser]
name = "pixels"

[network]
filters = [4]
units = [8]
"""


@pytest.fixture(scope="module", autouse=True)
def _toy():
    """Make the toy sky the only one, and let torch leave the cores to others."""
    import torch

    threads = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        modules = ("tests.plugins.cnn.training.toy",)
        patch.setattr(registry, "discover", lambda chosen: discover("", modules))
        patch.setenv("KERAS_BACKEND", "torch")
        torch.set_num_threads(1)
        registry.reset()
        yield
    torch.set_num_threads(threads)
    registry.reset()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Folder with trainings with and without time, on the same detections."""
    folder = tmp_path_factory.mktemp("trained")
    for time in ("yes", "no", "shuffled"):
        (folder / f"{time}.toml").write_text(RECIPE.format(time=time))
        assert (
            main(["train", "classifier", str(folder / f"{time}.toml"), "-o", str(folder / time)])
            == 0
        )
    return folder


def test_all_trainings_share_the_detections(folder):
    made = sorted(path.name for path in (folder / "data").iterdir())
    assert len(made) == 3
    with np.load(folder / "data" / made[0] / "cutouts.npz") as file:
        assert set(np.unique(file["label"])) <= {0, 2, 4}
        assert np.isnan(file["score"]).any()
        assert file["epoch_counts"].shape[1:] == (2, 7, 7)
    assert (folder / "data" / made[0] / META).exists()


@pytest.mark.parametrize(("time", "n_epochs"), [("yes", 2), ("no", 0), ("shuffled", 2)])
def test_the_weights_tell_what_they_look_at(folder, time, n_epochs):
    architecture = read_architecture(folder / time / "weights", CnnArchitecture)
    assert (architecture.time, architecture.n_epochs) == (time, n_epochs)
    assert architecture.temperature > 0
    assert sum(architecture.shares) == pytest.approx(1)
    assert "| temperature |" in (folder / time / "weights" / "card.md").read_text()


def test_a_training_is_not_written_over(folder, capsys):
    assert main(["train", "classifier", str(folder / "no.toml"), "-o", str(folder / "no")]) == 1
    assert "--resume" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("units = [8]", "units = 0", "units of the network gammafind is 0"),
        ("units = [8]", "dropout = 2.0", "dropout of the network gammafind is 2.0"),
        ("[network]", "[cutouts]\nn_pixels = 3\n[network]", "the cut-outs are 3 pixels wide"),
        ("[network]", "[cutouts]\nn_pixels = 0\n[network]", "n_pixels is 0"),
        ('name = "pixels"', 'name = "pixles"', "there is no localiser 'pixles'"),
        ('name = "pixels"', 'name = "pixels"\nreach = 1', "[localiser] pixels has no option"),
        ("random_fakes = 20", "random_fakes = 0\nmin_score = 1e9", "nothing was detected"),
    ],
)
def test_faults_name_the_recipe_and_leave_no_training(folder, tmp_path, capsys, old, new, said):
    text = RECIPE.format(time="no").replace('folder = "data"', "validation = 1")
    assert old in text
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(text.replace("train = 2", "train = 1").replace(old, new))
    assert main(["train", "classifier", str(recipe), "-o", str(tmp_path / "net")]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"gammafind: error: {recipe}: ")
    assert said in last
    assert not (tmp_path / "net" / "training.json").exists()


def test_a_finished_training_resumes_to_the_same(folder):
    before = (folder / "no" / "weights" / "architecture.json").read_text()
    arguments = ["train", "classifier", str(folder / "no.toml"), "-o", str(folder / "no")]
    assert main([*arguments, "--resume"]) == 0
    assert (folder / "no" / "weights" / "architecture.json").read_text() == before


def test_a_training_interrupted_before_its_temperature_is_known_is_finished_on_resume(
    folder, tmp_path, monkeypatch, capsys
):
    from gammafind.training import classifier

    def interrupted(*_):
        raise KeyboardInterrupt

    shutil.copytree(folder / "data", tmp_path / "data")
    shutil.copytree(folder / "no", tmp_path / "no")
    shutil.copy(folder / "no.toml", tmp_path)
    whole = read_architecture(folder / "no" / "weights", CnnArchitecture)
    shutil.rmtree(tmp_path / "no" / "weights")
    arguments = ["train", str(tmp_path / "no.toml"), "-o", str(tmp_path / "no"), "--resume"]
    arguments.insert(1, "classifier")
    with monkeypatch.context() as patch:
        patch.setattr(classifier, "fit_temperature", interrupted)
        assert main(arguments) == 130
    assert "written" not in capsys.readouterr().out
    assert not (tmp_path / "no" / "weights").exists()
    assert main(arguments) == 0
    again = read_architecture(tmp_path / "no" / "weights", CnnArchitecture)
    assert (again.temperature, again.shares) == (whole.temperature, whole.shares)


def test_without_a_table_classifier_the_word_says_what_is_trained(folder, capsys):
    assert main(["train", str(folder / "no.toml"), "-o", str(folder / "no"), "--resume"]) == 1
    assert "gammafind: error:" in capsys.readouterr().err


@pytest.fixture(scope="module")
def sky(tmp_path_factory):
    """Folder of a simulated sky, with the counts of each year."""
    folder = tmp_path_factory.mktemp("sky")
    arguments = ["--preset", "blazars", "--epochs", "--seed", "8", "-o", str(folder / "set")]
    assert main(["simulate", *arguments]) == 0
    return folder / "set" / "catalogue-0000"


class TestDetect:
    @staticmethod
    def detect(sky, weights, out, *more):
        maps = sorted(map(str, sky.glob("counts*.fits")))
        option = f"classifier.weights={weights}"
        given = ["--preset", "blazars", "--classifier", "cnn", "--option", option, *more]
        return main(["detect", *maps, *given, "-o", str(out)])

    @staticmethod
    def epochs(sky, *names):
        return [
            argument
            for name in names
            for argument in ("--epoch", *sorted(map(str, (sky / "epochs" / name).glob("*.fits"))))
        ]

    def test_with_epochs(self, sky, folder, tmp_path):
        out = tmp_path / "found.ecsv"
        epochs = self.epochs(sky, "first", "second")
        assert self.detect(sky, folder / "yes" / "weights", out, *epochs) == 0
        table = read_table(out)
        total = sum(table[name] for name in table.colnames if name.startswith("prob_"))
        np.testing.assert_allclose(total, 1, atol=1e-5)
        roles = [entry["role"] for entry in table.meta["plugins"]]
        assert "classifier" in roles

    def test_without_epochs_and_without_fakes(self, sky, folder, tmp_path):
        weights = folder / "no" / "weights"
        assert self.detect(sky, weights, tmp_path / "all.ecsv") == 0
        everything = read_table(tmp_path / "all.ecsv")
        limit = float(np.median(everything["prob_FAKE"]))
        assert self.detect(sky, weights, tmp_path / "real.ecsv", "--max-fake", str(limit)) == 0
        real = read_table(tmp_path / "real.ecsv")
        assert 0 < len(real) < len(everything)
        assert np.all(real["prob_FAKE"] <= limit)

    @pytest.mark.parametrize(
        ("names", "message"),
        [
            ((), "need 2 epochs, and there are counts of none"),
            (("first",), "need 2 epochs, and there are counts of 1"),
            (("first", "first"), "2 epochs have"),
        ],
    )
    def test_missing_epochs_are_named(self, sky, folder, tmp_path, capsys, names, message):
        out = tmp_path / "found.ecsv"
        assert self.detect(sky, folder / "yes" / "weights", out, *self.epochs(sky, *names)) == 1
        assert message in capsys.readouterr().err
        assert not out.exists()

    def test_epochs_without_a_classifier_are_refused(self, sky, tmp_path, capsys):
        maps = sorted(map(str, sky.glob("counts*.fits")))
        more = [*self.epochs(sky, "first"), "-o", str(tmp_path / "found.ecsv")]
        assert main(["detect", *maps, "--preset", "blazars", *more]) == 1
        assert "without a classifier" in capsys.readouterr().err


def test_the_record_tells_the_localiser(folder):
    record = json.loads((folder / "yes" / "training.json").read_text())
    assert record["settings"]["localiser"]["name"] == "pixels"
    assert record["settings"]["samples"]["time"] == "yes"
