"""``gammafind train`` as a user types it."""

from __future__ import annotations

import json
import shutil
import sys
from unittest import mock

import numpy as np
import pytest

from gammafind.cli.main import main
from gammafind.roles import registry
from gammafind.roles.discovery import discover
from gammafind.training.recipe import read_recipe

pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

RECIPE = """\
[training]
preset = "counting"
epochs = 2
patches_per_epoch = 24
validation_patches = 12
batch_size = 4
learning_rate = 1e-2

[data]
train = 2
folder = "data"

[population]
n = 40

[network]
filters = [4, 8]

[targets]
sigma = 1.0

[draw]
background_jitter = 0.1
"""


@pytest.fixture(scope="module", autouse=True)
def _toy():
    """Make the toy sky the only one, and let torch leave the cores to others."""
    import torch

    modules = ("tests.simulation.toy_sky", "tests.training.toy", "gammafind.plugins.unet")
    threads = torch.get_num_threads()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "discover", lambda chosen: discover("", modules))
        patch.setenv("KERAS_BACKEND", "torch")
        torch.set_num_threads(1)
        registry.reset()
        yield
    torch.set_num_threads(threads)
    registry.reset()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Folder of a recipe, its data and a training that was not interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "recipe.toml").write_text(RECIPE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert train("-o", "my net") == 0
    return folder


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    """A recipe in an empty folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture
def trained(whole, tmp_path, monkeypatch):
    """Copy of the recipe, the data and the training."""
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "recipe.toml"


def train(*arguments):
    return main(["train", "localiser", "recipe.toml", *map(str, arguments)])


def refused(capsys, *arguments):
    """Last line of a run that fails."""
    assert train(*arguments) == 1
    return capsys.readouterr().err.splitlines()[-1]


def test_a_recipe_gives_weights_that_the_localiser_reads(trained, tmp_path):
    from gammafind.networks.folder import read_architecture, read_network
    from gammafind.plugins.unet.architecture import Architecture

    architecture = read_architecture("my net/weights", Architecture)
    assert architecture.widths == (16, 32)
    assert list(architecture.options["filters"]) == [4, 8]
    best = np.load("my net/checkpoint.npz")
    assert json.loads(str(best["history"]))[-1]["epoch"] == 2
    kept = read_network("my net/weights", architecture).get_weights()
    assert all(np.all(np.isfinite(array)) for array in kept)
    card = (tmp_path / "my net/weights/card.md").read_text()
    assert "| catalogues | 2 for training, 1 for validation, 1 for the test, seed 0 |" in card
    assert "n 40" in card
    record = json.loads((tmp_path / "my net/training.json").read_text())
    assert record["settings"]["targets"]["sigma"] == 1.0
    assert record["test_loss"] > 0
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == [
        f"catalogue-{i:04d}" for i in range(4)
    ]


def test_the_screen_tells_each_epoch_and_what_comes_next(trained, tmp_path, capsys):
    shutil.rmtree(tmp_path / "my net")
    assert train("-o", "my net") == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert lines[0].startswith("2 epochs, ")
    assert lines[1] == "written: my net/weights"
    assert lines[3].endswith("--option localiser.weights='my net/weights' -o found.ecsv")
    *told, last = [line.split(": loss")[0] for line in captured.err.splitlines()]
    assert told == [f"gammafind: epoch {i} of 2" for i in (1, 2)]
    assert "too few detections" in last


def test_a_killed_training_goes_on_to_the_same_weights(trained, tmp_path, capsys, monkeypatch):
    from gammafind.training import loop

    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "data").rglob("*")}
    with monkeypatch.context() as patch:
        epoch = loop._epoch

        def killed(network, batches, validation, number):
            if number == 1:
                raise KeyboardInterrupt
            return epoch(network, batches, validation, number)

        patch.setattr(loop, "_epoch", killed)
        assert train("-o", "broken") == 130
    assert "--resume continues" in capsys.readouterr().err
    assert not (tmp_path / "broken/weights").exists()
    assert "has begun here already" in refused(capsys, "-o", "broken")
    assert train("-o", "broken", "--resume", "--workers", 2) == 0
    with np.load("my net/checkpoint.npz") as one, np.load("broken/checkpoint.npz") as other:
        names = [name for name in one.files if name.startswith("array")]
        assert len(names) > 10
        assert all(np.array_equal(one[name], other[name]) for name in names)
    assert made == {path: path.stat().st_mtime_ns for path in (tmp_path / "data").rglob("*")}


def test_a_training_killed_while_it_learns_what_scores_mean_leaves_no_weights(
    trained, tmp_path, monkeypatch
):
    from gammafind.networks.folder import ARCHITECTURE, read_architecture
    from gammafind.plugins.unet.architecture import Architecture
    from gammafind.plugins.unet.search import SkySearch

    shutil.rmtree(tmp_path / "my net" / "weights")
    with monkeypatch.context() as patch:
        patch.setattr(SkySearch, "rough", mock.Mock(side_effect=KeyboardInterrupt))
        assert train("-o", "my net", "--resume") == 130
    left = [path.parent for path in (tmp_path / "my net").rglob(ARCHITECTURE)]
    assert tmp_path / "my net" / "weights" not in left
    assert [read_architecture(path, Architecture).calibration for path in left] == [None]
    assert train("-o", "my net", "--resume") == 0
    assert read_architecture("my net/weights", Architecture).calibration is not None


STAGES = """
[[stage]]
training = { epochs = 2, seed = 1 }
[[stage]]
training = { epochs = 2, stop_after = 1, learning_rate = 1e-5 }
draw = { background_waves = 0.1 }
"""


@pytest.fixture(scope="module")
def staged(whole, tmp_path_factory):
    """Folder of a recipe of two stages, its data and its training."""
    folder = tmp_path_factory.mktemp("staged")
    shutil.copytree(whole / "data", folder / "data")
    (folder / "recipe.toml").write_text(RECIPE + STAGES)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["train", "recipe.toml", "-o", "net"]) == 0
    return folder / "net"


def test_a_stage_begins_with_the_weights_of_the_one_before(staged):
    def arrays_of(stage):
        with np.load(staged / stage / "checkpoint.npz") as file:
            return [file[f"array_{i}"] for i in range(10)]

    first, second = arrays_of("stage-1"), arrays_of("stage-2")
    assert any(not np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-3)


def test_stages_leave_one_history_one_card_and_one_folder_of_weights(staged):
    from gammafind.training.history import read_history

    rows = read_history(staged)
    assert [(row["stage"], row["epoch"]) for row in rows] == [(1, 1), (1, 2), (2, 1)]
    assert read_history(staged / "weights") == rows
    assert (staged / "weights/recipe.toml").read_text() == RECIPE + STAGES
    card = (staged / "weights/card.md").read_text()
    assert "| patches seen | 72 in 3 epochs of 2 stages |" in card
    assert "| stage | epochs | hours |" in card
    assert "draw.background_waves 0.0" in card
    record = json.loads((staged / "training.json").read_text())
    assert record["settings"]["stage 2"]["training"]["stop_after"] == 1
    assert not list(staged.rglob("weights.part"))


def test_a_training_killed_in_its_second_stage_goes_on_to_the_same_weights(
    staged, tmp_path, monkeypatch
):
    from gammafind.training import loop

    shutil.copytree(staged.parent / "data", tmp_path / "data")
    shutil.copy(staged.parent / "recipe.toml", tmp_path)
    monkeypatch.chdir(tmp_path)
    epoch, begun = loop._epoch, []

    def killed(*arguments):
        begun.append(arguments)
        if len(begun) == 3:
            raise KeyboardInterrupt
        return epoch(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "_epoch", killed)
        assert main(["train", "recipe.toml", "-o", "net"]) == 130
    assert main(["train", "recipe.toml", "-o", "net", "--resume"]) == 0
    places = [folder / "stage-2/checkpoint.npz" for folder in (staged, tmp_path / "net")]
    with np.load(places[0]) as one, np.load(places[1]) as other:
        assert all(np.array_equal(one[n], other[n]) for n in one.files if n.startswith("array"))


def test_a_stage_of_another_network_is_refused_before_the_first_epoch(recipe, tmp_path, capsys):
    recipe.write_text(f"{RECIPE}{STAGES}network = {{ filters = [8, 8] }}\n")
    assert "stage 2: the network is not that of the stage before" in refused(capsys, "-o", "net")
    assert not (tmp_path / "net").exists()
    assert not (tmp_path / "data").exists()


def test_a_training_is_not_resumed_with_other_settings(trained, capsys):
    trained.write_text(RECIPE.replace("sigma = 1.0", "sigma = 1.1"))
    assert "has other settings: targets" in refused(capsys, "-o", "my net", "--resume")


def test_data_of_other_settings_are_not_taken(trained, capsys):
    trained.write_text(RECIPE.replace("n = 40", "n = 41"))
    last = refused(capsys, "-o", "other")
    assert "data/catalogue-0000: was made with other settings: population was" in last


def test_without_a_folder_the_data_lie_with_the_training(recipe, tmp_path):
    text = RECIPE.replace('folder = "data"', "test = 0").replace("train = 2", "train = 1")
    recipe.write_text(text.replace("epochs = 2", "epochs = 1"))
    assert train("-o", "net", "-q") == 0
    assert len(list((tmp_path / "net/shards").iterdir())) == 2
    assert json.loads((tmp_path / "net/training.json").read_text())["test_loss"] is None


def test_weights_that_are_not_whole_are_written_again(trained, tmp_path):
    weights = tmp_path / "my net/weights"
    card = (weights / "card.md").read_text()
    half = weights.rename(tmp_path / "my net/weights.part")
    (half / "network.onnx").write_bytes(b"half")
    assert train("-o", "my net", "--resume") == 0
    assert not half.exists()
    assert (weights / "network.onnx").stat().st_size > 1000
    same = [line for line in card.splitlines() if not line.startswith("| made by")]
    assert set(same) <= set((weights / "card.md").read_text().splitlines())


def test_a_training_interrupted_while_it_is_calibrated_is_calibrated_on_resume(
    trained, tmp_path, capsys, monkeypatch
):
    from gammafind.networks.calibration import Calibration
    from gammafind.networks.folder import read_architecture
    from gammafind.plugins.unet.architecture import Architecture
    from gammafind.plugins.unet.training import calibrate

    learned = Calibration(logits=(-1.0, 1.0), probabilities=(0.25, 0.75))

    def interrupted(*_):
        raise KeyboardInterrupt

    shutil.rmtree("my net/weights")
    monkeypatch.setattr(calibrate, "fit_calibration", interrupted)
    assert train("-o", "my net", "--resume") == 130
    assert "written" not in capsys.readouterr().out
    assert not (tmp_path / "my net/weights").exists()
    monkeypatch.setattr(calibrate, "fit_calibration", lambda *_: learned)
    assert train("-o", "my net", "--resume") == 0
    assert read_architecture("my net/weights", Architecture).calibration == learned


def test_what_a_finished_training_wrote_stays_as_it_is_on_resume(trained, tmp_path, monkeypatch):
    def files():
        names = ("training.json", "weights/card.md", "weights/architecture.json")
        return [(tmp_path / "my net" / name).read_bytes() for name in names]

    before = files()
    assert json.loads(before[0])["test_loss"] > 0
    assert train("-o", "my net", "--resume") == 0
    assert files() == before


NAMES = {"sklearn": "scikit-learn"}


@pytest.mark.parametrize("library", ["onnx", "onnxruntime", "sklearn"])
def test_what_is_needed_at_the_end_is_missed_before_the_first_epoch(
    recipe, tmp_path, capsys, monkeypatch, library
):
    monkeypatch.setitem(sys.modules, library, None)
    assert NAMES.get(library, library) in refused(capsys, "-o", "net")
    assert not (tmp_path / "net").exists()
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("sigma = 1.0", "sgima = 1.0", "unknown key [targets] sgima (did you mean 'sigma'?)"),
        ("sigma = 1.0", "sigma = 0", "sigma of the targets is 0.0"),
        ("epochs = 2", "epoch = 2", "unknown key [training] epoch"),
        ("epochs = 2", "epochs = 0", "epochs of the training is 0"),
        ("epochs = 2", "epochs = 2\nstop_after = 3", "stop_after of the training is 3"),
        ("train = 2", "train = 0", "train of the data is 0"),
        ("batch_size = 4", "batch_size = 40", "patches_per_epoch is 24"),
        ("n = 40", "m = 40", "few has no option 'm'"),
        ("filters = [4, 8]", "depth = 3", "has no option depth"),
        ('preset = "counting"', "", "missing key [training] preset"),
        ('preset = "counting"', 'preset = "counted"', "there is no preset 'counted'"),
        ("[draw]", "[drawing]", "unknown key drawing"),
    ],
)
def test_faults_of_a_recipe_are_named(recipe, tmp_path, capsys, old, new, said):
    assert old in RECIPE
    recipe.write_text(RECIPE.replace(old, new))
    assert said in refused(capsys, "-o", "net")
    assert not (tmp_path / "net").exists()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("filters = [4, 8]", "filters = 4", "filters of the network gammafind is 4"),
        ("filters = [4, 8]", 'batch_norm = "no"', "batch_norm of the network gammafind is 'no'"),
        ("filters = [4, 8]", 'name = "nonet"', "there is no network 'nonet'"),
        ("n = 40", 'n = "many"', "[population] the option n of few is 'many'"),
        ("n = 40", "n = 40\n[renderer]\nlevel = 1", "[renderer] counting has no option 'level'"),
    ],
)
def test_faults_that_show_late_name_the_recipe(recipe, tmp_path, capsys, old, new, said):
    assert old in RECIPE
    recipe.write_text(RECIPE.replace(old, new))
    last = refused(capsys, "-o", "net")
    assert last.startswith("gammafind: error: recipe.toml: ")
    assert said in last
    assert not (tmp_path / "net").exists()


def test_what_ends_before_the_first_epoch_can_be_begun_anew(trained, tmp_path, capsys):
    assert "workers is 0. It must be 1 or more" in refused(capsys, "-o", "net", "--workers", 0)
    trained.write_text(RECIPE.replace("epochs = 2", 'epochs = 2\nstart = "nowhere"'))
    assert "nowhere" in refused(capsys, "-o", "net")
    (tmp_path / "file").write_text("")
    trained.write_text(RECIPE.replace('folder = "data"', 'folder = "file"'))
    assert "file: the folder of the training data is a file" in refused(capsys, "-o", "net")
    trained.write_text(RECIPE.replace('folder = "data"', 'folder = "file/data"'))
    assert "file/data: cannot be made" in refused(capsys, "-o", "net")
    assert not (tmp_path / "net").exists()
    trained.write_text(RECIPE.replace("epochs = 2", "epochs = 1"))
    assert train("-o", "net", "-q") == 0


def test_a_fault_does_not_hide_what_was_trained(trained, tmp_path, capsys, monkeypatch):
    record = (tmp_path / "my net/training.json").read_text()
    shutil.rmtree("my net/weights")
    monkeypatch.setattr("gammafind.training.network.make_shards", lambda *_, **__: 1 / 0)
    assert train("-o", "my net", "--resume") == 1
    assert "ZeroDivisionError" in capsys.readouterr().err
    assert (
        json.loads((tmp_path / "my net/training.json").read_text())["settings"]
        == (json.loads(record)["settings"])
    )


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"settings": 3}'])
def test_a_damaged_record_is_named(trained, tmp_path, capsys, text):
    (tmp_path / "my net/training.json").write_text(text)
    last = refused(capsys, "-o", "my net", "--resume")
    assert "my net/training.json: the record of the training is damaged. Remove the folder" in last


def test_a_folder_without_a_name_is_refused(recipe, tmp_path, capsys):
    assert "the name of the folder is empty" in refused(capsys, "-o", "")
    assert [path.name for path in tmp_path.iterdir()] == ["recipe.toml"]


def test_the_splits_share_no_catalogue(recipe):
    splits = read_recipe(recipe)[0].data.splits
    assert [list(indices) for indices in splits.values()] == [[0, 1], [2], [3]]


def test_a_missing_backend_is_told_before_anything_is_made(recipe, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "no_such_backend")
    assert "Keras needs no_such_backend, which is not installed" in refused(capsys, "-o", "net")
    assert not (tmp_path / "net").exists()
    assert not (tmp_path / "data").exists()


ANY_BANDS = """\
[training]
preset = "counting"
epochs = 1
patches_per_epoch = 8
validation_patches = 4
batch_size = 4

[data]
train = 1
test = 0

[network]
filters = [2, 2, 2, 2]

[features]
background = true
tiers = true

[draw]
coarse = 0.5
"""
VARY = """
[vary.population]
n = [20, 60]
"""


def test_a_recipe_gives_weights_for_any_bands(tmp_path, monkeypatch):
    from gammafind.networks.folder import read_architecture
    from gammafind.networks.tiers import TIERS
    from gammafind.plugins.unet.architecture import Architecture

    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipe.toml").write_text(ANY_BANDS)
    assert train("-o", "net") == 0
    architecture = read_architecture("net/weights", Architecture)
    assert architecture.calibration is not None
    assert [width for width, _ in architecture.inputs] == list(TIERS)
    assert sorted(path.name for path in (tmp_path / "net/settings/catalogue-0000").iterdir()) == [
        "meta.json",
        "sky.npz",
    ]


def test_what_varies_is_for_networks_for_any_bands(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    plain = ANY_BANDS.replace("tiers = true\n", "").replace("coarse = 0.5\n", "")
    (tmp_path / "recipe.toml").write_text(plain + VARY)
    assert "[vary] is for networks for any bands" in refused(capsys, "-o", "net")
