"""Photons that are not those of the response are noticed."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from gammafind.errors import SelectionWarning
from gammafind.plugins.fermi_lat.renderer import FermiLatRenderer
from gammafind.plugins.fermi_lat.selection import warn_of_other_photons
from gammafind.sky.skymap import SkyMap

VETO = "P8R3_ULTRACLEANVETO_V3"
SOURCE = "P8R3_SOURCE_V3"


def cuts(event_class, event_type, release="P8R3", *more):
    return [
        f"BIT_MASK(EVENT_CLASS,{event_class},{release}) = 1:1",
        f"BIT_MASK(EVENT_TYPE,{event_type},{release}) = 1:1",
        "ENERGY = 100:500000 MeV",
        *more,
    ]


@pytest.mark.parametrize(
    ("given", "irf", "event_types"),
    [
        (cuts(1024, 32), VETO, ["PSF3"]),
        (cuts(1024, 1, "P8R2"), "P8R2_ULTRACLEANVETO_V6", ["FRONT"]),
        (cuts(128, 3), SOURCE, ["FRONT", "BACK"]),
        (cuts(128, 60), SOURCE, ["FRONT", "BACK"]),
        (cuts(128, 48), SOURCE, ["PSF2", "PSF3"]),
        (cuts(128, 960), SOURCE, ["FRONT", "BACK"]),
        (cuts(128, 3), SOURCE, ["EDISP0", "EDISP1", "EDISP2", "EDISP3"]),
        (cuts(256, 512), "P8R3_CLEAN_V3", ["EDISP3"]),
        (cuts(512, 1), "P8R3_ULTRACLEAN_V3", ["FRONT"]),
        (cuts(2048, 2), "P8R3_SOURCEVETO_V3", ["BACK"]),
        (cuts(128, 3, "P8R3", "event class ULTRACLEANVETO, event type PSF3"), VETO, ["PSF3"]),
        (["ENERGY = 100:500000 MeV", "TIME = TABLE"], SOURCE, ["PSF3"]),
        (cuts(128, 32), "home-made", ["PSF3"]),
        ([], SOURCE, ["PSF3"]),
    ],
)
def test_photons_of_the_response_pass_in_silence(given, irf, event_types):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_other_photons(given, irf=irf, event_types=event_types)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (cuts(128, 32), "of class SOURCE, but .* P8R3_ULTRACLEANVETO_V3 PSF3:"),
        (cuts(1024, 32, "P8R2"), "of release P8R2, but"),
        (cuts(1024, 3), r"of type FRONT\+BACK, but"),
        (cuts(2048, 192), r"of class SOURCEVETO, type EDISP0\+EDISP1, but"),
        (cuts(4, 32), "of class 4, but"),
        (cuts(128, 3, "P8R2", "event type PSF3"), "of class SOURCE, release P8R2, but"),
    ],
)
def test_other_photons_are_told(given, says):
    with pytest.warns(SelectionWarning, match=says):
        warn_of_other_photons(given, irf=VETO, event_types=["PSF3"])


def test_the_renderer_tells_when_it_observes():
    renderer = FermiLatRenderer(energies=(2, 20), nsides=(8,), exposure_source="573-weeks")
    counts = SkyMap(
        renderer.bands,
        renderer.pixels,
        (np.ones(768, dtype=int),),
        meta={"selections": cuts(128, 3)},
    )
    with pytest.warns(SelectionWarning, match="P8R2_ULTRACLEANVETO_V6 FRONT"):
        renderer.observe(counts)
