"""Photons are a part of a catalogue, with the counts that they are binned to."""

from __future__ import annotations

import json

import numpy as np
import pytest
from astropy.time import Time

from gammafind.errors import OptionError, OutputError
from gammafind.pipeline.simulate import simulate
from gammafind.presets.preset import load_preset
from gammafind.sky.fits import read_counts, read_events
from gammafind.testing import one_source
from tests.plugins.fermi_lat.photons.skies import POSITIONS, flat_emission, renderer

__all__ = ["flat_emission"]

PRESET = "fermi-lat-psf3-2-20"


def make(folder, **options):
    given = {"output": folder, "sources": one_source(POSITIONS[0]), "photons": True}
    return simulate(PRESET, **(given | {"start": "2010-03-01", "duration": "1 h"} | options))


@pytest.mark.usefixtures("flat_emission")
def test_a_catalogue_of_photons_has_lists_and_counts(tmp_path):
    (folder,) = make(tmp_path / "lists").folders
    names = sorted(path.name for path in folder.iterdir())
    assert names == [
        "counts_nside128.fits", "exposure.fits", "ft1.fits", "ft2.fits", "simulation.json",
        "sources.fits",
    ]  # fmt: skip
    lat = renderer(nsides=(128,))
    counts = read_counts([folder / "counts_nside128.fits"], bands=lat.bands)
    binned = lat.bin_events(read_events(folder / "ft1.fits"))
    np.testing.assert_array_equal(counts.values[0], binned.values[0])
    record = json.loads((folder / "simulation.json").read_text())
    assert record["settings"]["photons"] == {"start": "2010-03-01", "duration": "3600 s"}
    assert record["counts"][0]["drawn"] == counts.values[0].sum()
    assert sorted(record["counts"][0]["expected"]) == ["interstellar", "isotropic", "sources"]
    assert make(tmp_path / "lists").made == ()
    with pytest.raises(OutputError, match=r"photons.duration was '3600 s'"):
        make(tmp_path / "lists", duration="2 h")


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"output": None}, "photons without an output folder"),
        ({"maps": True}, "photons together with maps or epochs"),
        ({"epochs": True}, "photons together with maps or epochs"),
        ({"duration": "soon"}, "duration is 'soon'"),
        ({"start": "someday"}, "start is 'someday'"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, options, fault):
    with pytest.raises(OptionError, match=fault):
        make(tmp_path / "lists", **options)
    assert not (tmp_path / "lists").exists()


def test_a_time_is_taken_as_a_date(tmp_path):
    with pytest.raises(OptionError, match="duration is 1"):
        make(tmp_path / "lists", start=Time("2010-03-01"), duration="1 s")


@pytest.mark.usefixtures("two_years")
def test_an_instrument_of_maps_says_so(tmp_path):
    with pytest.raises(OptionError, match="two-years makes no photon lists"):
        simulate(load_preset("two-years"), output=tmp_path / "lists", photons=True)
    assert not (tmp_path / "lists").exists()
