"""A small sky whose photons are drawn in the tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import QTable, vstack

from gammafind.plugins.fermi_lat.photons import emission
from gammafind.plugins.fermi_lat.renderer import FermiLatRenderer
from gammafind.sky.drawn import DrawnPhotons
from gammafind.sky.pixels import HealpixPixels
from gammafind.testing import one_source
from gammafind.units import FLUX

START, POSITIONS = "2010-03-01T06:00", SkyCoord([150.0, 250.0], [-30.0, 40.0], unit="deg")


def renderer(**options) -> FermiLatRenderer:
    """The LAT in one band, of the best quarter of the photons."""
    given = {
        "irf": "P8R3_ULTRACLEANVETO_V3",
        "event_types": ("PSF3",),
        "energies": (2, 20),
        "nsides": (16,),
        "exposure_source": "573-weeks",
    }
    return FermiLatRenderer(**(given | options))


def sources(flux: float = 3e-5, **columns) -> QTable:
    """Two sources of the same flux, which do not vary."""
    table = vstack([one_source(position, flux=flux * FLUX) for position in POSITIONS])
    table["name"] = ["south", "north"]
    for name, values in columns.items():
        table[name] = values
    return table


def draw(folder, *, seed=1, lat=None, table=None, duration=1 * u.hour):
    """Draw a list into a folder, of the two sources and an hour by default."""
    folder.mkdir(exist_ok=True)
    return (lat or renderer()).draw_photons(
        sources() if table is None else table, folder, start=START, duration=duration,
        rng=np.random.default_rng(seed),
    )  # fmt: skip


@pytest.fixture(scope="module")
def flat_emission() -> Iterator[None]:
    """Photons of the interstellar emission come from all directions, to save time."""

    def everywhere(source, bands):
        return HealpixPixels(4), tuple(np.full(192, 0.5**i) for i, _ in enumerate(bands))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(emission, "interstellar_intensity", everywhere)
        yield


@pytest.fixture(scope="module")
def hour(flat_emission, tmp_path_factory) -> tuple[Path, DrawnPhotons]:
    """Folder of the list of an hour, and what was returned."""
    folder = tmp_path_factory.mktemp("hour")
    return folder, draw(folder)
