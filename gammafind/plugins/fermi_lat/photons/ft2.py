"""Spacecraft files (FT2) of a simulated pointing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from gammafind.plugins.fermi_lat.photons.orbit import (
    EARTH_RADIUS,
    RADIUS,
    below,
    sun,
)
from gammafind.plugins.fermi_lat.photons.pointing import STEP, Pointing
from gammafind.plugins.fermi_lat.photons.stream import Column, Table, file_keywords, write_tables
from gammafind.sky.projection import longitudes_latitudes, unit_vectors

COLUMNS = (
    Column("START", "D", "s", "start of interval (mission elapsed time)"),
    Column("STOP", "D", "s", "end of interval (mission elapsed time)"),
    Column("SC_POSITION", "3E", "m", "position at START (x, y, z, inertial)"),
    Column("LAT_GEO", "E", "deg", "ground point latitude"),
    Column("LON_GEO", "E", "deg", "ground point longitude"),
    Column("RAD_GEO", "D", "m", "altitude"),
    Column("RA_ZENITH", "E", "deg", "RA of zenith direction at START"),
    Column("DEC_ZENITH", "E", "deg", "Dec of zenith direction at START"),
    Column("B_MCILWAIN", "E", "Gauss", "magnetic field of a dipole"),
    Column("L_MCILWAIN", "E", "Earth_Radii", "L of a dipole"),
    Column("GEOMAG_LAT", "E", "deg", "geomagnetic latitude, from L"),
    Column("LAMBDA", "E", "deg", "geomagnetic latitude of a dipole, signed"),
    Column("IN_SAA", "L", "", "whether in the South Atlantic Anomaly"),
    Column("RA_SCZ", "E", "deg", "viewing direction at START (RA of +z axis)"),
    Column("DEC_SCZ", "E", "deg", "viewing direction at START (Dec of +z axis)"),
    Column("RA_SCX", "E", "deg", "RA of +x axis at START"),
    Column("DEC_SCX", "E", "deg", "Dec of +x axis at START"),
    Column("RA_NPOLE", "E", "deg", "RA of north orbital pole at START"),
    Column("DEC_NPOLE", "E", "deg", "Dec of north orbital pole at START"),
    Column("ROCK_ANGLE", "E", "deg", "angle z axis from zenith (+=north) at START"),
    Column("LAT_MODE", "J", "", "attitude mode of LAT (5=survey)"),
    Column("LAT_CONFIG", "B", "", "flag for config. of LAT (1=nominal)"),
    Column("DATA_QUAL", "I", "", "flag for quality of data (1=nominal)"),
    Column("LIVETIME", "D", "s", "livetime"),
    Column("QSJ_1", "D", "", "first component of attitude quaternion"),
    Column("QSJ_2", "D", "", "second component of attitude quaternion"),
    Column("QSJ_3", "D", "", "third component of attitude quaternion"),
    Column("QSJ_4", "D", "", "fourth component of attitude quaternion"),
    Column("RA_SUN", "E", "deg", "RA of Sun"),
    Column("DEC_SUN", "E", "deg", "Dec of Sun"),
)
"""Names, formats and units of the official files; numbers of rows in the order of time."""

_AT_ONCE = 200_000
"""Rows written together: limits memory."""
_MAGNETIC_POLE = (-72.6, 80.4)
"""Longitude and latitude of the geomagnetic dipole, 2015."""
_FIELD = 0.30
"""Of the dipole at the magnetic equator on the ground, in gauss."""


def write_spacecraft(pointing: Pointing, path: Path) -> None:
    """Write the file.

    Parameters
    ----------
    pointing : Pointing
    path : Path

    Notes
    -----
    Passages of the South Atlantic Anomaly are rows with ``IN_SAA`` and no livetime. The magnetic
    coordinates are those of a dipole.
    """
    n_rows = int(np.ceil((pointing.stop - pointing.start) / STEP))
    keywords = file_keywords(pointing.start, pointing.stop)
    table = Table("SC_DATA", COLUMNS, n_rows, _parts(pointing, n_rows), keywords)
    write_tables(path, keywords, [table])


def _parts(pointing: Pointing, n_rows: int) -> Iterator[np.ndarray]:
    for first in range(0, n_rows, _AT_ONCE):
        yield spacecraft_rows(pointing, np.arange(first, min(first + _AT_ONCE, n_rows)))


def spacecraft_rows(pointing: Pointing, number: np.ndarray) -> np.ndarray:
    """Rows of the file by their number, as a structured array."""
    start = pointing.start + STEP * number
    stop = np.minimum(start + STEP, pointing.stop)
    attitude = pointing.attitude(start)
    latitude, longitude, altitude = below(start, attitude.zenith)
    x = attitude.x(start)
    rows = np.zeros(len(number), dtype=[column.dtype for column in COLUMNS])
    rows["START"], rows["STOP"] = start, stop
    rows["SC_POSITION"] = RADIUS * attitude.zenith
    rows["LAT_GEO"], rows["LON_GEO"], rows["RAD_GEO"] = latitude, longitude, altitude
    directions = {
        "ZENITH": attitude.zenith,
        "SCZ": attitude.z,
        "SCX": x,
        "NPOLE": attitude.pole,
        "SUN": sun(start),
    }
    for name, vectors in directions.items():
        rows[f"RA_{name}"], rows[f"DEC_{name}"] = longitudes_latitudes(vectors)
    magnetic = _magnetic(latitude, longitude)
    for name, values in magnetic.items():
        rows[name] = values
    good = pointing.livetime_until(stop) - pointing.livetime_until(start)
    rows["IN_SAA"] = np.where(good > 0, b"F", b"T")
    rows["LIVETIME"] = good
    rows["ROCK_ANGLE"] = np.degrees(attitude.rocking)
    rows["LAT_MODE"], rows["LAT_CONFIG"], rows["DATA_QUAL"] = 5, 1, 1
    quaternions = _quaternions(x, attitude.z)
    for i in range(4):
        rows[f"QSJ_{i + 1}"] = quaternions[:, i]
    return rows


def _magnetic(latitude: np.ndarray, longitude: np.ndarray) -> dict[str, np.ndarray]:
    """Magnetic coordinates of a dipole."""
    sine = unit_vectors(longitude, latitude) @ unit_vectors(*_MAGNETIC_POLE)
    distance = RADIUS / EARTH_RADIUS
    shell = distance / (1 - sine**2)
    return {
        "B_MCILWAIN": _FIELD / distance**3 * np.sqrt(1 + 3 * sine**2),
        "L_MCILWAIN": shell,
        "GEOMAG_LAT": np.degrees(np.arccos(np.sqrt(np.minimum(1 / shell, 1)))),
        "LAMBDA": np.degrees(np.arcsin(sine)),
    }


def _quaternions(x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Rotation from the axes of the LAT to ICRS, scalar part last, shape (n, 4)."""
    from scipy.spatial.transform import Rotation

    return Rotation.from_matrix(np.stack([x, np.cross(z, x), z], axis=-1)).as_quat()
