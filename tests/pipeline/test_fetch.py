"""Official files: which are needed, which are whole, and where they are found afterwards."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import gammafind
from gammafind.cli.main import main
from gammafind.errors import ConfigError, DownloadError, MissingFileError, OptionError
from gammafind.plugins.fermi_lat.official import background_files
from gammafind.plugins.fermi_lat.renderer import FermiLatRenderer
from gammafind.roles.official import official_file, official_files
from gammafind.roles.provenance import describe_plugin
from gammafind.utils.data_folder import data_folder, located
from tests.utils.server import Site, served

TABLE = b"name,ra,dec,Flux1000\nA,10,20,1e-9\nB,30,-40,2e-9\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GAMMAFIND_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A server with one catalogue, which takes the place of the official files."""
    with served() as site:
        site.files["/small.csv"] = TABLE
        lines = [
            '["small.csv"]',
            'what = "catalogue of two sources"',
            f'urls = ["{site.url}/small.csv"]',
            f"size = {len(TABLE)}",
            f'sha256 = "{hashlib.sha256(TABLE).hexdigest()}"',
            'names = ["two"]',
        ]
        (tmp_path / "official.toml").write_text("\n".join(lines))
        monkeypatch.setattr(FermiLatRenderer, "official_files", (str(tmp_path / "official.toml"),))
        yield site


def test_nothing_is_downloaded_unasked(site, folder):
    (one,) = gammafind.fetch("two")
    assert (one.name, one.state, one.path) == ("small.csv", "not here", folder / "small.csv")
    assert site.asked == []
    assert not folder.exists()


def test_what_is_fetched_is_found_by_name(site, folder):
    with pytest.raises(MissingFileError, match="'gammafind fetch two --download' brings it"):
        gammafind.read_catalogue("two")
    (one,) = gammafind.fetch("two", download=True)
    assert (one.state, one.checked) == ("whole", True)
    assert len(gammafind.read_catalogue("two")) == 2
    assert len(gammafind.read_catalogue("small.csv")) == 2
    assert located("small.csv") == folder / "small.csv"


def test_a_packed_copy_will_do(site, folder):
    folder.mkdir()
    (folder / "small.csv.gz").write_bytes(gzip.compress(TABLE))
    (one,) = gammafind.fetch("two", download=True)
    assert (one.state, one.path.name) == ("whole", "small.csv.gz")
    assert site.asked == []
    assert len(gammafind.read_catalogue("two")) == 2


def test_a_copy_elsewhere_is_checked_where_it_is(site, tmp_path):
    (tmp_path / "small.csv").write_bytes(TABLE)
    (one,) = gammafind.fetch(tmp_path / "small.csv")
    assert (one.state, one.path) == ("whole", tmp_path / "small.csv")


def test_a_damaged_file_is_replaced_on_request_only(site, folder):
    folder.mkdir()
    (folder / "small.csv").write_bytes(TABLE[:-3])
    assert gammafind.fetch("two")[0].state == "damaged"
    assert gammafind.fetch("two", download=True)[0].state == "whole"
    assert (folder / "small.csv").read_bytes() == TABLE


def test_another_folder_can_be_named(site, tmp_path):
    (one,) = gammafind.fetch("two", download=True, folder=tmp_path / "own")
    assert one.path == tmp_path / "own" / "small.csv"


def test_a_file_that_differs_at_its_origin_is_refused(site, folder):
    site.files["/small.csv"] = TABLE.upper()
    with pytest.raises(DownloadError, match="its checksum differs"):
        gammafind.fetch("two", download=True)
    assert list(folder.iterdir()) == []


def test_everything_is_not_downloaded_at_once():
    with pytest.raises(OptionError, match="no file is named to download"):
        gammafind.fetch(download=True)


def test_unknown_names_are_refused_with_a_suggestion():
    with pytest.raises(OptionError, match=r"did you mean 'fermi-lat'\?"):
        gammafind.fetch("fermi-latt")


def test_a_preset_needs_the_files_of_its_background():
    names = [one.name for one in gammafind.fetch("fermi-lat-front-back")]
    assert names[0] == "gll_iem_v07.fits"
    assert len(names) == 3
    assert all(name.startswith("iso_P8R3_") for name in names[1:])
    preset = gammafind.load_preset("fermi-lat-front-back")
    assert [one.name for one in gammafind.fetch(preset)] == names


def test_counts_need_the_files_of_the_preset_that_fits(tmp_path):
    from gammafind.sky.fits import write_counts

    path = write_counts(gammafind.demo_sky(), tmp_path / "counts.fits")
    assert gammafind.fetch(path) == gammafind.fetch("fermi-lat-psf3-2-20")


def test_event_types_name_their_isotropic_files():
    assert background_files("P8R3_SOURCE_V3", ["FRONT+BACK"])[1:] == ("iso_P8R3_SOURCE_V3_v1.txt",)
    assert background_files("P8R3_CLEAN_V3", ["PSF2+PSF3", "PSF3"])[1:] == (
        "iso_P8R3_CLEAN_V3_PSF2_v1.txt",
        "iso_P8R3_CLEAN_V3_PSF3_v1.txt",
    )
    assert background_files("P8R2_SOURCE_V6", ["FRONT"])[1:] == (
        "iso_P8R2_SOURCE_V6_FRONT_v06.txt",
    )
    assert background_files("P9_SOURCE_V1", ["FRONT"]) == ("gll_iem_v07.fits",)


def test_every_preset_finds_its_files_among_the_official_ones():
    known = [file.name for file in official_files().values()]
    for row in gammafind.list_presets():
        if row["renderer"] == "fermi-lat":
            assert {file.name for file in gammafind.fetch(row["name"])} <= set(known)
            assert len(gammafind.fetch(row["name"])) >= 2


def test_a_preset_of_another_instrument_needs_nothing():
    assert gammafind.fetch("meerlicht") == ()


def test_official_files_are_known_by_other_names():
    known = official_files()
    assert known["gll_iem_v07.fits"].size == 464_817_600
    assert official_file("FL16Y").name == "gll_psc_v41.fit"
    assert official_file("gll_psc_v35.fit.gz").name == "gll_psc_v35.fit"


def test_checksums_are_those_of_the_files_at_hand(shared):
    folder = shared / "fermi" / "catalogue"
    found = {one.name: one.state for one in gammafind.fetch(folder=folder)}
    versions = ("v20", "v27", "v29", "v35", "v41")
    assert [found[f"gll_psc_{version}.fit"] for version in versions] == ["whole"] * 5


def test_a_wrong_list_of_files_is_named(tmp_path, monkeypatch):
    (tmp_path / "official.toml").write_text('["a.fits"]\nwhat = "a"\nurls = []\n')
    monkeypatch.setattr(FermiLatRenderer, "official_files", (str(tmp_path / "official.toml"),))
    with pytest.raises(ConfigError, match=r"\[a.fits\] has no urls"):
        official_files()


def test_the_data_folder_is_that_of_the_system_unless_named(monkeypatch, folder):
    assert data_folder() == folder
    monkeypatch.delenv("GAMMAFIND_DATA")
    monkeypatch.setenv("XDG_DATA_HOME", "/somewhere")
    assert data_folder().name == "gammafind"


def test_fetched_files_are_found_as_options(folder):
    folder.mkdir()
    (folder / "gll_iem_v07.fits").write_bytes(b"cube")
    renderer = gammafind.create("renderer", "fermi-lat", interstellar="gll_iem_v07.fits")
    assert list(describe_plugin("renderer", renderer)["files"]) == ["gll_iem_v07.fits"]


def test_the_command_lists_states_and_addresses(site, folder, capsys):
    assert main(["fetch", "two"]) == 0
    text = capsys.readouterr().out
    assert "small.csv  not here" in text
    assert f"from: {site.url}/small.csv" in text
    assert main(["fetch", "two", "--download", "--quiet"]) == 0
    assert f"here: {folder / 'small.csv'}" in capsys.readouterr().out


def test_the_command_fails_for_a_damaged_file(site, folder, capsys):
    folder.mkdir()
    (folder / "small.csv").write_bytes(b"not this")
    assert main(["fetch"]) == 1
    printed = capsys.readouterr()
    assert "damaged" in printed.out
    assert "with --download to replace it" in printed.err
