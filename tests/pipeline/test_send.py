"""A catalogue goes to programs that run, and those that are missing are named."""

from __future__ import annotations

import astropy.units as u
import pytest
from astropy.table import QTable

from gammafind.catalogue.io import read_table
from gammafind.errors import OptionError
from gammafind.pipeline.send import send

samp = pytest.importorskip("pyvo.samp")
CATALOGUE = QTable({"Source_Name": ["A"], "ra": [10.0] * u.deg, "dec": [20.0] * u.deg})


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub of SAMP of this test alone."""
    monkeypatch.setenv("SAMP_HUB", f"std-lockurl:{(tmp_path / 'hub').as_uri()}")
    monkeypatch.setattr(samp.conf, "use_internet", False)
    hub = samp.SAMPHubServer(web_profile=False, lockfile=str(tmp_path / "hub"), mode="multiple")
    hub.start()
    yield hub
    hub.stop()


def test_without_a_hub_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("SAMP_HUB", f"std-lockurl:{(tmp_path / 'none').as_uri()}")
    with pytest.raises(OptionError, match="no SAMP hub runs"):
        send(CATALOGUE)


def test_without_a_program_it_says_so(hub):
    with pytest.raises(OptionError, match="no program that takes tables"):
        send(CATALOGUE)


def test_a_program_reads_the_table(hub):
    received = {}
    program = samp.SAMPIntegratedClient(name="topcat")
    program.connect()

    def load(private_key, sender, message_id, mtype, parameters, extra):
        received["table"] = read_table(parameters["url"].removeprefix("file://"))
        program.reply(message_id, {"samp.status": "samp.ok", "samp.result": {}})

    program.bind_receive_call("table.load.votable", load)
    try:
        assert send(CATALOGUE, to="TOP") == ("topcat",)
        with pytest.raises(OptionError, match="There are: topcat"):
            send(CATALOGUE, to="aladin")
    finally:
        program.disconnect()
    assert list(received["table"]["Source_Name"]) == ["A"]
