"""Images of a camera through the command line, from simulation to regions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.table import QTable
from regions import CirclePixelRegion, Regions

from gammafind.cli.main import main
from gammafind.errors import NoWcsWarning

SHARED = Path(__file__).parents[3] / "shared" / "data" / "optical"
CAMERA = """
[preset]
name = "{name}"
[renderer]
name = "meerlicht"
filter = "r"
pixel_scale = "{scale} arcsec"
shape = [256, 256]
detector_shape = [4096, 4096]
channels = [1, 1]
gains = [1.5]
read_noises = [5.0]
bias = 0
saturation = {saturation}
[localiser]
name = "daofind"
threshold = 6.0
[match]
radius = "3 arcsec"
"""


def preset(folder: Path, name: str, *, scale: float, saturation: float) -> str:
    """User preset of another camera."""
    path = folder / f"{name}.toml"
    path.write_text(CAMERA.format(name=name, scale=scale, saturation=saturation))
    return str(path)


def test_from_a_simulated_frame_to_a_catalogue(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    options = [
        "--option", "renderer.shape=[400, 400]", "--option", "population.size=0.063deg",
        "--option", "population.density=20000",
    ]  # fmt: skip
    assert main(["simulate", "--preset", "meerlicht", *options, "-o", "set"]) == 0
    assert "catalogue-0000/image.fits --preset meerlicht" in capsys.readouterr().out
    folder = Path("set/catalogue-0000")
    assert {path.name for path in folder.iterdir()} == {
        "image.fits", "mask.fits", "artefacts.fits", "sources.fits", "simulation.json",
    }  # fmt: skip
    command = ["detect", str(folder / "image.fits"), "--preset", "meerlicht", "-o", "out.ecsv"]
    command += ["--regions", "out.reg", "--report", "page"]
    assert main([*command, "--reference", str(folder / "sources.fits")]) == 0
    found = QTable.read("out.ecsv")
    assert {"RAJ2000", "x", "y", "Score", "Flux", "mag", "mag_err"} <= set(found.colnames)
    assert len(found["Source_Name"][0]) == len("GF J202012.34-320011.2")
    assert np.mean(found["ASSOC1"] != "") > 0.7
    assert len(Regions.read("out.reg")) == len(found)
    assert Path("page/index.html").exists()


def shared(name: str) -> str:
    """Path of a real frame; the test is left out where there is none."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"../shared/data/optical/{name} is not there")
    return str(path)


@pytest.mark.parametrize(
    ("name", "scale", "saturation", "least"),
    [("M6707HH.fits", 1.7, 30000, 800), ("sep_image.fits", 0.27, 200000, 30)],
)
def test_a_real_frame_without_coordinates_gives_a_pixel_catalogue(
    tmp_path, monkeypatch, name, scale, saturation, least
):
    image = shared(name)
    monkeypatch.chdir(tmp_path)
    camera = preset(tmp_path, "mine", scale=scale, saturation=saturation)
    command = ["detect", image, "--preset", camera, "-o", "out.ecsv", "--regions", "out.reg"]
    with pytest.warns(NoWcsWarning):
        assert main([*command, "--report", "page"]) == 0
    found = QTable.read("out.ecsv")
    assert len(found) > least
    assert "RAJ2000" not in found.colnames
    assert found["Source_Name"][0].startswith("GF X")
    circles = Regions.read("out.reg")
    assert all(isinstance(circle, CirclePixelRegion) for circle in circles)
    first = circles[0].center.xy
    assert first == pytest.approx((found["x"][0].value, found["y"][0].value), abs=1e-3)
