"""The orbit of Fermi: a circle whose nodes drift, and what lies below it."""

from __future__ import annotations

import numpy as np

EARTH_RADIUS, FLATTENING = 6_378_137.0, 1 / 298.257
"""Equatorial radius in metres, and flattening of the ellipsoid."""
GRAVITY, J2 = 3.986004e14, 1.08263e-3
"""Gravitational parameter of the Earth in m3 s-2, and its oblateness."""
RADIUS = EARTH_RADIUS + 545e3
"""Of the orbit in metres: between 545 and 549 km above the ellipsoid."""
INCLINATION = np.radians(25.6)
PERIOD = 2 * np.pi * np.sqrt(RADIUS**3 / GRAVITY)
"""In seconds: 95.5 min."""
PRECESSION = PERIOD / (1.5 * J2 * (EARTH_RADIUS / RADIUS) ** 2 * np.cos(INCLINATION))
"""Time in seconds in which the nodes go round, westwards: 53.4 days."""

_EPOCH, _NODE, _PHASE = 239_557_417.5, np.radians(320.84), np.radians(133.3)
"""Start of the survey in mission time, with the ascending node and the phase in the FT2 file."""

_SAA_LAT = (-30.0, -22.6, 2.5, 5.2, 5.2, 4.6, 0.7, -8.6, -9.9, -12.5, -21.7, -30.0)
_SAA_LON = (33.9, 24.5, -18.6, -25.7, -36.0, -42.0, -58.8, -93.1, -97.5, -98.5, -92.1, -86.1)
"""Polygon of the South Atlantic Anomaly in degrees of latitude and eastern longitude. Real
spacecraft files of 2014 begin and end their gaps at its borders, within about 2 deg."""


def node_and_phase(time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Right ascension of the ascending node, and phase since then, in radians.

    Parameters
    ----------
    time : ndarray
        Mission elapsed time in seconds.

    Returns
    -------
    node, phase : ndarray
        The phase grows by 2 pi in each orbit from the start of the survey on.
    """
    passed = np.asarray(time) - _EPOCH
    node = _NODE - 2 * np.pi * passed / PRECESSION
    return node, _PHASE + 2 * np.pi * passed / PERIOD


def zenith(node: np.ndarray, phase: np.ndarray) -> np.ndarray:
    """Direction from the centre of the Earth to the satellite, ICRS, shape (..., 3)."""
    tilt_cos, tilt_sin = np.cos(INCLINATION), np.sin(INCLINATION)
    cos_node, sin_node, cos_phase, sin_phase = (
        np.cos(node), np.sin(node), np.cos(phase), np.sin(phase)
    )  # fmt: skip
    return np.stack(
        [
            cos_node * cos_phase - sin_node * sin_phase * tilt_cos,
            sin_node * cos_phase + cos_node * sin_phase * tilt_cos,
            sin_phase * tilt_sin,
        ],
        axis=-1,
    )


def orbital_pole(node: np.ndarray) -> np.ndarray:
    """North pole of the orbit, ICRS, shape (..., 3)."""
    tilt = np.sin(INCLINATION)
    return np.stack(
        [
            tilt * np.sin(node),
            -tilt * np.cos(node),
            np.full(np.shape(node), np.cos(INCLINATION)),
        ],
        axis=-1,
    )


def below(time: np.ndarray, up: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Geodetic latitude and eastern longitude in degrees, and altitude in metres.

    Parameters
    ----------
    time : ndarray
        Mission elapsed time in seconds. UT1 is taken as UTC, and leap seconds after 2001 are
        left out: 0.02 deg.
    up : ndarray, shape (..., 3)
        From `zenith`.
    """
    rotation = 280.46061837 + 360.98564736629 * _days(time)
    latitude = np.degrees(np.arcsin(np.clip(up[..., 2], -1, 1)))
    longitude = (np.degrees(np.arctan2(up[..., 1], up[..., 0])) - rotation) % 360
    altitude = RADIUS - EARTH_RADIUS * (1 - FLATTENING * up[..., 2] ** 2)
    return (
        latitude + np.degrees(FLATTENING) * np.sin(2 * np.radians(latitude)),
        longitude,
        altitude,
    )


def in_saa(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Whether points, in degrees, are within the polygon of the South Atlantic Anomaly."""
    x, y = (np.asarray(longitude) + 180) % 360 - 180, np.asarray(latitude)
    inside = np.zeros(np.broadcast(x, y).shape, dtype=bool)
    corners = zip(_SAA_LON, _SAA_LAT, np.roll(_SAA_LON, 1), np.roll(_SAA_LAT, 1), strict=True)
    for x1, y1, x2, y2 in corners:
        if y1 != y2:
            crossing = x1 + (y - y1) * (x2 - x1) / (y2 - y1)
            inside ^= ((y1 > y) != (y2 > y)) & (x < crossing)
    return inside


def sun(time: np.ndarray) -> np.ndarray:
    """Direction of the Sun, ICRS, shape (..., 3), accurate to 0.3 deg.

    References
    ----------
    The Astronomical Almanac, "Low precision formulas for the Sun".
    """
    days = _days(time)
    mean = np.radians(280.460 + 0.9856474 * days)
    anomaly = np.radians(357.528 + 0.9856003 * days)
    ecliptic = mean + np.radians(1.915 * np.sin(anomaly) + 0.020 * np.sin(2 * anomaly))
    tilt = np.radians(23.439 - 4e-7 * days)
    return np.stack(
        [np.cos(ecliptic), np.cos(tilt) * np.sin(ecliptic), np.sin(tilt) * np.sin(ecliptic)],
        axis=-1,
    )


def _days(time: np.ndarray) -> np.ndarray:
    """Days since J2000 of mission elapsed time, which begins in 2001."""
    return np.asarray(time) / 86400 + 365.5
