"""Livetime of each part of the sky at each inclination to the boresight."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.units import Quantity

from gammafind.errors import FileFormatError, OptionError
from gammafind.sky.fits.opening import open_fits
from gammafind.sky.pixels import HealpixPixels
from gammafind.units import degrees

_BINS = 40
"""Inclination bins, as in livetime cubes."""
_ORBIT_STEPS = 720
"""Phases of the orbit: balances accuracy and time."""
_ORBIT_INCLINATION = np.radians(25.6)
"""Inclination of the orbit of Fermi."""
_WHAT = "a livetime cube of gtltcube (EXPOSURE, CTHETABOUNDS)"


@dataclass(frozen=True, eq=False)
class LivetimeProfile:
    """Livetime over the cosine of the inclination.

    Parameters
    ----------
    cos_theta : ndarray, shape (n,)
        Representative cosine of each bin.
    livetime : ndarray, shape (n,)
        In seconds, or a fraction of the time.
    weighted : ndarray, shape (n,), optional
        Livetime times the livetime fraction. Without it the effective area is not corrected
        for the livetime fraction.
    """

    cos_theta: np.ndarray
    livetime: np.ndarray
    weighted: np.ndarray | None = None

    def __post_init__(self) -> None:
        weighted = self.livetime if self.weighted is None else self.weighted
        if not self.cos_theta.shape == self.livetime.shape == weighted.shape:
            raise OptionError("the arrays of the livetime profile differ in length")
        if np.any(self.livetime < 0) or not self.livetime.sum() > 0:
            raise OptionError("the livetime is negative, or zero at every inclination")

    def within(self, inclination: Quantity) -> LivetimeProfile:
        """Return the profile without the livetime beyond ``inclination``.

        ``gtpsf`` ignores inclinations beyond 70 deg; ``gtexpcube2`` and the events include them.
        """
        seen = self.cos_theta >= np.cos(np.radians(degrees(inclination, name="inclination")))
        weighted = None if self.weighted is None else self.weighted * seen
        return LivetimeProfile(self.cos_theta, self.livetime * seen, weighted)


@dataclass(frozen=True, eq=False)
class LivetimeCube:
    """Livetime over the cosine of the inclination, in each pixel of the sky.

    Parameters
    ----------
    pixels : HealpixPixels
    cos_theta : ndarray, shape (n,)
        Representative cosine of each bin.
    livetime : ndarray, shape (n_pixels, n)
        In seconds.
    weighted : ndarray, shape (n_pixels, n), optional
        Livetime times the livetime fraction, in seconds.
    """

    pixels: HealpixPixels
    cos_theta: np.ndarray
    livetime: np.ndarray
    weighted: np.ndarray | None = None

    def at(self, position: SkyCoord) -> LivetimeProfile:
        """Profile of the pixel that contains ``position`` (scalar), as in the LAT tools."""
        pixel = self.pixels.pixel_of(position)
        weighted = None if self.weighted is None else self.weighted[pixel]
        return LivetimeProfile(self.cos_theta, self.livetime[pixel], weighted)

    def mean(self) -> LivetimeProfile:
        """Mean profile of the whole sky."""
        weighted = None if self.weighted is None else self.weighted.mean(axis=0)
        return LivetimeProfile(self.cos_theta, self.livetime.mean(axis=0), weighted)


def survey_profile(
    *,
    declination: Quantity | None = None,
    rocking: Quantity = 50 * u.deg,
    max_zenith: Quantity = 100 * u.deg,
) -> LivetimeProfile:
    """Profile of a long observation in survey mode, from the geometry of the orbit.

    The boresight is rocked north of the zenith on one orbit and south on the next, perpendicular to
    the orbital plane, which is inclined by 25.6 deg and precesses. Directions beyond ``max_zenith``
    are not observed. Breaks in the South Atlantic Anomaly, slews and pointed observations are
    ignored.

    Parameters
    ----------
    declination : Quantity, optional
        Declination of the source. By default the mean over the whole sky.
    rocking : Quantity
        Rocking angle: 35 deg in the first year, 50 deg from September 2009.
    max_zenith : Quantity
        Zenith cut of the event selection.

    Returns
    -------
    LivetimeProfile
        As a fraction of the time, in 40 bins of equal width in the square root of one minus
        the cosine.

    References
    ----------
    Ackermann et al. 2012, ApJS 203, 4, DOI 10.1088/0067-0049/203/1/4.
    """
    edges = sqrt_edges()
    rock, zenith = np.radians([degrees(rocking), degrees(max_zenith)])
    if not (0 < rock < np.pi / 2 and 0 < zenith <= np.pi):
        raise OptionError(
            f"rocking is {rocking}, max_zenith {max_zenith}",
            remedy="They must be between 0 and 90 deg, and between 0 and 180 deg.",
        )
    if declination is None:
        livetime = _mean_over_sky(edges, rock, zenith)
    else:
        livetime = _at_declination(np.radians(degrees(declination)), rock, zenith)
    return LivetimeProfile(sqrt_middle(edges[:-1], edges[1:]), livetime)


def _mean_over_sky(edges: np.ndarray, rock: float, zenith: float) -> np.ndarray:
    """Fraction of each ring around the boresight within the zenith cut, times its solid angle."""
    cosine = sqrt_middle(edges[:-1], edges[1:])
    reach = (np.cos(zenith) - np.cos(rock) * cosine) / (np.sin(rock) * np.sqrt(1 - cosine**2))
    return np.arccos(np.clip(reach, -1, 1)) / np.pi * np.diff(edges) / 2


def _at_declination(declination: float, rock: float, zenith: float) -> np.ndarray:
    """Fraction of the time in each bin, over all nodes and phases of the orbit.

    A node and a phase are equivalent to their supplements, so half of the nodes are enough.
    """
    phase = (np.arange(_ORBIT_STEPS) + 0.5) * 2 * np.pi / _ORBIT_STEPS
    node = (phase[: _ORBIT_STEPS // 2] - np.pi / 2)[:, None]
    tilt = _ORBIT_INCLINATION
    to_zenith = np.cos(declination) * (
        np.cos(node) * np.cos(phase) - np.sin(node) * np.sin(phase) * np.cos(tilt)
    ) + np.sin(declination) * np.sin(phase) * np.sin(tilt)
    to_pole = np.cos(declination) * np.sin(node) * np.sin(tilt) + np.sin(declination) * np.cos(tilt)
    seen = to_zenith > np.cos(zenith)
    up = np.cos(rock) * to_zenith[seen]
    aside = np.sin(rock) * np.broadcast_to(to_pole, seen.shape)[seen]
    cosine = np.minimum(np.concatenate([up + aside, up - aside]), 1)
    bins = (_BINS * np.sqrt(1 - cosine[cosine > 0])).astype(int)
    counted = np.bincount(np.minimum(bins, _BINS - 1), minlength=_BINS)
    return counted[::-1] / (2 * seen.size)


def sqrt_edges(n: int = _BINS) -> np.ndarray:
    """Edges of bins of equal width in the square root of one minus the cosine, from 0 to 1."""
    return 1 - np.linspace(1, 0, n + 1) ** 2


def sqrt_middle(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Cosine at the centre of a bin in the square root of one minus the cosine."""
    return 1 - ((np.sqrt(1 - low) + np.sqrt(1 - high)) / 2) ** 2


def holds_cube(path: str | PathLike) -> bool:
    """Whether a FITS file is a livetime cube."""
    with open_fits(path) as hdus:
        return "CTHETABOUNDS" in hdus


def read_livetime_cube(path: str | PathLike) -> LivetimeCube:
    """Read a livetime cube of ``gtltcube``.

    The cube is summed over bins of azimuth around the boresight, if it has any.

    Raises
    ------
    FileFormatError
        If an extension, a column or a keyword is missing or unknown.
    InputFileError
        If the file is missing, truncated or not a FITS file.
    """
    with open_fits(path, what=_WHAT) as hdus:
        missing = [name for name in ("EXPOSURE", "CTHETABOUNDS") if name not in hdus]
        if missing:
            raise FileFormatError(
                f"the file has no extension {' nor '.join(missing)}",
                path=path,
                remedy=f"Accepted is {_WHAT}.",
            )
        table, bounds = hdus["EXPOSURE"], hdus["CTHETABOUNDS"]
        low, high = (_column(bounds, f"CTHETA_{end}", path) for end in ("MIN", "MAX"))
        linear = table.header.get("THETABIN", "").strip() == "COSTHETA"
        pixels, nested = _layout(table.header, path)
        livetime = _bins(table, pixels, nested, low.size, path)
        weighted = None
        if "WEIGHTED_EXPOSURE" in hdus:
            weighted = _bins(hdus["WEIGHTED_EXPOSURE"], pixels, nested, low.size, path)
    cosine = (low + high) / 2 if linear else sqrt_middle(low, high)
    return LivetimeCube(pixels, cosine, livetime, weighted)


def _layout(header: fits.Header, path: str | PathLike) -> tuple[HealpixPixels, bool]:
    """Pixels of the cube, and whether their order is NESTED."""
    frames = {"EQU": "icrs", "CEL": "icrs", "GAL": "galactic"}
    system, order = header.get("COORDSYS", "").strip(), header.get("ORDERING", "").strip()
    if system not in frames or order not in ("NESTED", "NEST", "RING") or "NSIDE" not in header:
        raise FileFormatError(
            f"the HEALPix keywords are COORDSYS={system!r}, ORDERING={order!r}, "
            f"NSIDE={header.get('NSIDE')!r}",
            path=path,
            remedy="Accepted are EQU, CEL or GAL; NESTED or RING; and a number.",
        )
    return HealpixPixels(int(header["NSIDE"]), frames[system]), order != "RING"


def _column(table: fits.BinTableHDU, name: str, path: str | PathLike) -> np.ndarray:
    if name not in table.columns.names:
        raise FileFormatError(f"the extension {table.name!r} has no column {name!r}", path=path)
    return np.array(table.data[name], dtype=float)


def _bins(
    table: fits.BinTableHDU, pixels: HealpixPixels, nested: bool, n_bins: int, path: str | PathLike
) -> np.ndarray:
    """Livetime in each pixel (RING) and inclination bin."""
    import healpy as hp

    values = _column(table, "COSBINS", path)
    if values.ndim != 2 or values.shape[0] != pixels.shape[0] or values.shape[1] < n_bins:
        raise FileFormatError(
            f"COSBINS has the shape {values.shape}",
            path=path,
            remedy=f"Expected {pixels.shape[0]} pixels and {n_bins} bins.",
        )
    if nested:
        values = values[hp.ring2nest(pixels.nside, np.arange(pixels.shape[0]))]
    return values[:, :n_bins]
