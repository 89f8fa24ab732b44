"""Photons are of the class and the type that a response is for."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from numpy.testing import assert_array_equal

from gammafind.errors import InputDataError
from gammafind.plugins.fermi_lat.events import EVENT_CLASSES, EVENT_TYPES, select_response
from gammafind.plugins.fermi_lat.renderer import FermiLatRenderer
from gammafind.sky.fits.events import EventList, read_events

IRF = "P8R3_ULTRACLEANVETO_V3"
VETO = sum(EVENT_CLASSES[name] for name in ("SOURCE", "CLEAN", "ULTRACLEAN", "ULTRACLEANVETO"))


def photons(types, classes) -> EventList:
    n = len(types)
    return EventList(
        positions=SkyCoord(np.arange(n), np.zeros(n), unit="deg"),
        energies=np.full(n, 5) * u.GeV,
        event_type=np.array(types, dtype=np.uint32),
        event_class=np.array(classes, dtype=np.uint32),
        meta={"inputs": ({"name": "ft1.fits"},)},
    )


def test_photons_of_other_types_and_classes_are_left_out():
    types = [EVENT_TYPES["FRONT"] + EVENT_TYPES[name] for name in ("PSF3", "PSF3", "PSF2", "PSF3")]
    events = photons(types, [VETO, EVENT_CLASSES["SOURCE"], VETO, VETO + 2048])
    kept = select_response(events, IRF, ("PSF3",))
    assert_array_equal(kept.positions.ra.deg, [0, 3])
    assert kept.selections == ("event class ULTRACLEANVETO, event type PSF3",)
    both = select_response(events, IRF, ("PSF2", "PSF3"))
    assert_array_equal(both.positions.ra.deg, [0, 2, 3])


def test_what_a_file_does_not_tell_is_not_cut():
    untold = photons([0, 0], [0, 0])
    assert select_response(untold, IRF, ("PSF3",)) is untold
    types_only = photons([32, 16], [0, 0])
    assert len(select_response(types_only, IRF, ("PSF3",))) == 1
    assert len(select_response(photons([32, 16], [1, 1]), "P9R1_NEW_V1", ("PSF3",))) == 1


def test_a_list_without_such_photons_is_refused():
    with pytest.raises(InputDataError, match=r"ft1\.fits: none of the 2 photons .* type PSF3"):
        select_response(photons([16, 8], [VETO, VETO]), IRF, ("PSF3",))
    assert len(select_response(photons([], []), IRF, ("PSF3",))) == 0


def test_bits_are_those_of_the_lat_tools():
    bits = {"FRONT": 1, "BACK": 2, "PSF0": 4, "PSF3": 32, "EDISP0": 64, "EDISP3": 512}
    assert {name: EVENT_TYPES[name] for name in bits} == bits
    bits = {"SOURCE": 128, "CLEAN": 256, "ULTRACLEAN": 512, "ULTRACLEANVETO": 1024}
    assert {name: EVENT_CLASSES[name] for name in bits} == bits
    assert EVENT_CLASSES["SOURCEVETO"] == 2048


def test_photons_are_selected_by_energy_resolution():
    events = photons([1 + 32 + 64, 2 + 4 + 512, 1 + 4 + 256], [VETO] * 3)
    kept = select_response(events, "P8R3_CLEAN_V3", ("EDISP2", "EDISP3"))
    assert_array_equal(kept.positions.ra.deg, [1, 2])
    assert kept.selections == ("event class CLEAN, event type EDISP2+EDISP3",)


def test_the_renderer_selects_what_its_response_is_for():
    events = photons([32, 4], [VETO, VETO])
    renderer = FermiLatRenderer(irf=IRF, event_types=("PSF3",))
    assert_array_equal(renderer.select_events(events).event_type, [32])


def test_a_day_of_photons_has_each_type_once(shared):
    """Each photon is FRONT or BACK, and of one PSF quartile."""
    events = read_events(shared / "fermi/reference/fermitools_crab_1day/ft1.fits.gz")
    groups = (("FRONT", "BACK"), ("PSF0", "PSF1", "PSF2", "PSF3"))
    for names in groups:
        parts = [len(select_response(events, "P8R2_SOURCE_V6", (name,))) for name in names]
        assert min(parts) > 0
        assert sum(parts) == len(events)
