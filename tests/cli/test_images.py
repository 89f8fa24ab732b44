"""Images of a camera through the command line, from simulation to regions."""

from __future__ import annotations

from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable
from regions import CirclePixelRegion, Regions

from gammafind.cli.main import main
from gammafind.cli.printing import comparison_lines
from gammafind.pipeline.compare import Comparison

CAMERA = """
[preset]
name = "{name}"
[renderer]
name = "meerlicht"
filter = "r"
pixel_scale = "{scale} arcsec"
seeing = "{seeing} arcsec"
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


def preset(folder: Path, name: str, **camera: float) -> str:
    """User preset of another camera."""
    path = folder / f"{name}.toml"
    path.write_text(CAMERA.format(name=name, **camera))
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
    capsys.readouterr()
    assert main([*command, "--reference", str(folder / "sources.fits")]) == 0
    assert "--exposure" not in capsys.readouterr().err
    found = QTable.read("out.ecsv")
    assert {"RAJ2000", "x", "y", "Score", "mag", "mag_err", "electrons"} <= set(found.colnames)
    assert not {"TS", "Signif_Avg", "Npred", "Flux", "CLASS1", "ASSOC1"} & set(found.colnames)
    assert len(found["Source_Name"][0]) == len("GF J202012.34-320011.2")
    assert np.mean(found["association"] != "") > 0.7
    assert len(Regions.read("out.reg")) == len(found)
    assert Path("page/index.html").exists()


def test_an_exposure_map_is_none_of_a_camera(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    options = ["--option", "renderer.shape=[256, 256]", "--option", "population.size=0.04deg"]
    assert main(["simulate", "--preset", "meerlicht", *options, "-o", "set"]) == 0
    image = "set/catalogue-0000/image.fits"
    command = ["detect", image, "--exposure", image, "--preset", "meerlicht", "-o", "out.ecsv"]
    assert main(command) == 1
    assert "image.fits is given for meerlicht, which reads electrons" in capsys.readouterr().err
    assert not Path("out.ecsv").exists()


def test_the_wcs_says_how_large_a_pixel_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = ["--option", "renderer.shape=[512, 512]", "--option", "population.size=0.081deg"]
    assert main(["simulate", "--preset", "meerlicht", *options, "-o", "set"]) == 0
    with fits.open("set/catalogue-0000/image.fits") as file:
        for image, factor in (("one.fits", 1.0), ("coarse.fits", 1.7)):
            wide = file[0].copy()
            wide.header["CDELT1"], wide.header["CDELT2"] = (
                wide.header[key] * factor for key in ("CDELT1", "CDELT2")
            )
            wide.writeto(image)
    for image in ("one", "coarse"):
        command = ["detect", f"{image}.fits", "--preset", "meerlicht", "--localiser", "daofind"]
        assert main([*command, "-o", f"{image}.ecsv"]) == 0
    one, coarse = (QTable.read(f"{name}.ecsv") for name in ("one", "coarse"))
    assert len(one) > 30
    assert coarse["x"].value == pytest.approx(one["x"].value, abs=1e-3)
    assert coarse["mag"].value == pytest.approx(one["mag"].value, abs=1e-3)


@pytest.mark.parametrize(
    ("name", "scale", "seeing", "saturation", "least"),
    [("M6707HH.fits", 1.7, 5.0, 30000, 800), ("sep_image.fits", 0.27, 1.0, 200000, 30)],
)
def test_a_real_frame_without_coordinates_gives_a_pixel_catalogue(
    tmp_path, monkeypatch, capsys, shared, name, scale, seeing, saturation, least
):
    monkeypatch.chdir(tmp_path)
    camera = preset(tmp_path, "mine", scale=scale, seeing=seeing, saturation=saturation)
    command = ["detect", str(shared / "optical" / name), "--preset", camera]
    command += ["-o", "out.ecsv", "--regions", "out.reg", "--report", "page"]
    assert main(command) == 0
    assert "pixel coordinates only" in capsys.readouterr().err
    found = QTable.read("out.ecsv")
    assert len(found) > least
    assert "RAJ2000" not in found.colnames
    assert found["Source_Name"][0].startswith("GF X")
    circles = Regions.read("out.reg")
    assert all(isinstance(circle, CirclePixelRegion) for circle in circles)
    first = circles[0].center.xy
    assert first == pytest.approx((found["x"][0].value, found["y"][0].value), abs=1e-3)


@pytest.mark.parametrize("renderer", ["meerlicht", "fermi-lat"])
def test_a_comparison_on_an_image_has_arcsec_and_no_latitudes(renderer):
    table = QTable({"localiser": ["sep"], "completeness": [0.5], "completeness_b20": [0.4]})
    table["median_offset"] = [0.2 / 3600] * u.deg
    table.meta = {
        "completeness": {"completeness": ["all", ""], "completeness_b20": ["|b| > 20 deg", ""]},
        "plugins": [{"role": "renderer", "name": renderer}],
        "purity": 0.9,
    }
    heads, row, told = comparison_lines(Comparison(table=table, left_out={}))
    assert len(heads) == len(row)
    if renderer == "meerlicht":
        assert heads.split() == ["localiser", "all", "offset", "(arcsec)"]
        assert row.split() == ["sep", "0.500", "0.200"]
        assert told == "all: completeness at purity 0.9"
    else:
        assert heads.split() == ["localiser", "all", "|b|>20deg", "offset", "(deg)"]
        assert row.split() == ["sep", "0.500", "0.400", "0.000"]
