"""Photon lists (FT1) of simulated photons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gammafind.errors import MissingFileError, OptionError, ResponseError
from gammafind.plugins.fermi_lat.events import (
    EVENT_CLASSES,
    EVENT_TYPES,
    PARTITIONS,
    release_and_class,
)
from gammafind.plugins.fermi_lat.irf import load_response
from gammafind.plugins.fermi_lat.irf.effective_area import EffectiveArea
from gammafind.plugins.fermi_lat.photons.orbit import PERIOD, node_and_phase
from gammafind.plugins.fermi_lat.photons.pointing import Pointing
from gammafind.plugins.fermi_lat.photons.stream import Column, Table, file_keywords, write_tables
from gammafind.plugins.fermi_lat.photons.tables import area_of_each, draw_type
from gammafind.plugins.fermi_lat.selection import header_cuts
from gammafind.sky.fits.selections import selection_cards
from gammafind.sky.projection import from_frame, longitudes_latitudes, unit_vectors

COLUMNS = (
    Column("ENERGY", "E", "MeV", "energy of event"),
    Column("RA", "E", "deg", "right ascension (J2000) of event"),
    Column("DEC", "E", "deg", "declination (J2000) of event"),
    Column("L", "E", "deg", "Galactic longitude of event"),
    Column("B", "E", "deg", "Galactic latitude of event"),
    Column("THETA", "E", "deg", "inclination angle of event"),
    Column("PHI", "E", "deg", "azimuthal angle of event in the instrument"),
    Column("ZENITH_ANGLE", "E", "deg", "zenith angle of event"),
    Column("EARTH_AZIMUTH_ANGLE", "E", "deg", "Earth azimuth (from north to east)"),
    Column("TIME", "D", "s", "Mission Elapsed Time"),
    Column("EVENT_ID", "J", "", "number of event in its run"),
    Column("RUN_ID", "J", "", "run: mission time of the start of an orbit"),
    Column("RECON_VERSION", "I", "", "version of event reconstruction"),
    Column("CALIB_VERSION", "3I", "", "versions of calibration tables"),
    Column("EVENT_CLASS", "32X", "", "event classes as bits"),
    Column("EVENT_TYPE", "32X", "", "event types as bits"),
    Column("CONVERSION_TYPE", "I", "", "0=Front converting, 1=Back converting"),
    Column("LIVETIME", "D", "s", "livetime since the start of the file"),
    *(Column(f"DIFRSP{i}", "E", "", "Diffuse response component") for i in range(5)),
    Column("MC_SRC_ID", "J", "", "row of source; -1 interstellar, -2 isotropic"),
    Column("MC_ENERGY", "E", "MeV", "true energy"),
)
"""Names, formats and units of the official files, and two columns with the truth."""

_CONTAINED = ("TRANSIENT020", "TRANSIENT010", "SOURCE", "CLEAN", "ULTRACLEAN", "ULTRACLEANVETO")
"""Event classes, each of which is a part of those before it."""


def class_bits(irf: str) -> int:
    """Bits of the event class of a response and of all classes that contain it."""
    name = release_and_class(irf).get("class", "")
    if name == "SOURCEVETO":
        return class_bits("P8R3_SOURCE_V3") | EVENT_CLASSES[name]
    if name not in _CONTAINED:
        return EVENT_CLASSES.get(name, 0)
    return sum(EVENT_CLASSES[one] for one in _CONTAINED[: _CONTAINED.index(name) + 1])


@dataclass(frozen=True, eq=False)
class TypeBits:
    """Event types of the partitions other than that of the response, as far as these are known.

    Parameters
    ----------
    irf : str
    event_types : tuple of str
        Types of the response.
    caldb : str
        As for `load_response`.
    """

    irf: str
    event_types: tuple[str, ...]
    caldb: str = ""
    _areas: list[tuple[np.ndarray, tuple[EffectiveArea, ...]]] = field(
        init=False, default_factory=list, repr=False
    )

    def __post_init__(self) -> None:
        for types in PARTITIONS:
            if set(types) & set(self.event_types):
                continue
            try:
                response = load_response(self.irf, "+".join(types), caldb=self.caldb)
            except (OptionError, MissingFileError, ResponseError):
                continue
            bits = np.array([EVENT_TYPES[name] for name in types], dtype=np.uint32)
            self._areas.append((bits, response.areas))

    def draw(
        self, energy: np.ndarray, cosine: np.ndarray, *, rng: np.random.Generator
    ) -> np.ndarray:
        """Bits of each photon, by the shares of the effective area at its energy and inclination.

        They are independent of its direction and measured energy: the PSF and the energy
        dispersion of a photon are those of its type in the response.
        """
        found = np.zeros(len(energy), dtype=np.uint32)
        for bits, areas in self._areas:
            each = np.stack([area_of_each(area, energy, cosine) for area in areas])
            found |= bits[draw_type(each, rng)]
        return found


@dataclass(frozen=True, eq=False, kw_only=True)
class FirstPage:
    """What the headers of a photon list say.

    Parameters
    ----------
    irf, event_types : str
        Such as ``"P8R3_SOURCE_V3"`` and ``"FRONT+BACK"``.
    energies : tuple of float
        Lowest and highest energy in MeV.
    max_zenith : float
        In degrees; the largest of all bands.
    pointing : Pointing
    """

    irf: str
    event_types: str
    energies: tuple[float, float]
    max_zenith: float
    pointing: Pointing

    def cards(self) -> dict[str, Any]:
        """Cards of the table of photons, with the cuts as gtselect writes them."""
        low, high = self.energies
        cuts = [
            *header_cuts(self.irf, self.event_types),
            "POS(RA,DEC) = CIRCLE(0,0,180) deg",
            f"ENERGY = {low:g}:{high:g} MeV",
            f"ZENITH_ANGLE = 0:{self.max_zenith:g} deg",
        ]
        cards = selection_cards(cuts)
        number = cards["NDSKEYS"] + 1
        cards |= {
            f"DSTYP{number}": "TIME",
            f"DSUNI{number}": "s",
            f"DSVAL{number}": "TABLE",
            f"DSREF{number}": ":GTI",
            "NDSKEYS": number,
        }
        diffuse = {f"DIFRSP{i}": "NONE" for i in range(5)}
        release = release_and_class(self.irf).get("release", "NONE")
        return {
            "HDUCLASS": "OGIP",
            "HDUCLAS1": "EVENTS",
            "HDUCLAS2": "ALL",
            **file_keywords(self.pointing.start, self.pointing.stop),
            "PASS_VER": release,
            "NDIFRSP": 5,
            **diffuse,
            **cards,
        }


def write_photons(
    path: Path, page: FirstPage, n_photons: int, photons: Iterable[np.ndarray]
) -> None:
    """Write photons that come in the order of time, with the good time intervals.

    Parameters
    ----------
    path : Path
    page : FirstPage
    n_photons : int
    photons : iterable of ndarray
        Arrays of `~gammafind.plugins.fermi_lat.photons.sample.PHOTON`.
    """
    pointing, good = page.pointing, page.pointing.good
    times = file_keywords(pointing.start, pointing.stop)
    intervals = np.zeros(len(good), dtype=[("START", "f8"), ("STOP", "f8")])
    intervals["START"], intervals["STOP"] = good.T
    on = float(np.diff(good, axis=1).sum())
    tables = [
        Table("EVENTS", COLUMNS, n_photons, _rows(photons, page), page.cards()),
        Table(
            "GTI",
            (Column("START", "D", "s", "start time"), Column("STOP", "D", "s", "stop time")),
            len(good),
            [intervals],
            {
                "HDUCLASS": "OGIP",
                "HDUCLAS1": "GTI",
                "HDUCLAS2": "ALL",
                **times,
                "ONTIME": on,
                "TELAPSE": pointing.stop - pointing.start,
            },
        ),
    ]
    write_tables(path, {**times, "FILENAME": path.name}, tables)


def _rows(photons: Iterable[np.ndarray], page: FirstPage) -> Iterator[np.ndarray]:
    """Rows of the file; events are numbered from 0 in each orbit."""
    last_run, last_number = -1, -1
    for part in photons:
        rows = np.zeros(len(part), dtype=[column.dtype for column in COLUMNS])
        names = {"ENERGY": "energy", "RA": "ra", "DEC": "dec", "TIME": "time"}
        for name, key in {**names, "MC_SRC_ID": "source", "MC_ENERGY": "true_energy"}.items():
            rows[name] = part[key]
        rows["EVENT_TYPE"], rows["EVENT_CLASS"] = part["type"], class_bits(page.irf)
        rows["CONVERSION_TYPE"] = (part["type"] & EVENT_TYPES["BACK"]) != 0
        rows["LIVETIME"] = page.pointing.livetime_until(part["time"])
        for name, values in _directions(part, page.pointing).items():
            rows[name] = values
        run = _run(part["time"])
        first = np.flatnonzero(np.diff(run, prepend=run[0] - 1))
        number = np.arange(len(part)) - np.repeat(first, np.diff(first, append=len(part)))
        number[run == last_run] += last_number + 1
        last_run, last_number = run[-1], number[-1]
        rows["RUN_ID"], rows["EVENT_ID"] = run, number
        yield rows


def _run(time: np.ndarray) -> np.ndarray:
    """Mission time of the start of the orbit, in whole seconds."""
    _, phase = node_and_phase(time)
    return np.floor(time - phase % (2 * np.pi) / (2 * np.pi) * PERIOD + 0.5).astype(np.int64)


def _directions(photons: np.ndarray, pointing: Pointing) -> Mapping[str, np.ndarray]:
    """Angles in degrees in Galactic coordinates, to the instrument and to the Earth."""
    vectors = unit_vectors(photons["ra"].astype(float), photons["dec"].astype(float))
    attitude = pointing.attitude(photons["time"])
    x, up = attitude.x(photons["time"]), attitude.zenith
    longitude, latitude = longitudes_latitudes(from_frame(vectors, "icrs"))
    east = np.cross([0.0, 0.0, 1.0], up)
    north = np.cross(up, east)
    return {
        "L": longitude,
        "B": latitude,
        "THETA": _angle(vectors, attitude.z),
        "PHI": _turn(_dot(vectors, np.cross(attitude.z, x)), _dot(vectors, x)),
        "ZENITH_ANGLE": _angle(vectors, up),
        "EARTH_AZIMUTH_ANGLE": _turn(_dot(vectors, east), _dot(vectors, north)),
    }


def _dot(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.einsum("ij,ij->i", one, other)


def _angle(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.degrees(np.arccos(np.clip(_dot(one, other), -1, 1)))


def _turn(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    return np.degrees(np.arctan2(y, x)) % 360
