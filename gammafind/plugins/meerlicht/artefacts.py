"""Artefacts of an image: cosmic rays, satellite trails, hot pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import gamma

from gammafind.plugins.meerlicht.moffat import alpha_of

_DEPTH = 20 / 9
"""Depth of the silicon in pixels of 9 um."""
_CHARGE = 75 * 9
"""Electrons that a muon releases along the side of a pixel of 9 um."""
_LONGEST = 80.0
"""Longest track in pixels: limits nearly horizontal muons."""
_DIFFUSION = 0.35
"""Diffusion of charge in pixels."""
_POINTS = 15
"""Points per pixel at which a track deposits charge: enough for a smooth track."""
_SEEN = 10.0
"""Electrons from which a pixel counts as hit: close to the read noise."""


class Flag:
    """Bits of the masks of the survey pipeline."""

    BAD = 1
    COSMIC_RAY = 2
    SATURATED = 4
    BLEED = 8
    TRAIL = 16


@dataclass(frozen=True)
class Streak:
    """One artefact between two positions in pixels, with its electrons."""

    kind: str
    x: float
    y: float
    x_end: float
    y_end: float
    electrons: float


def add_cosmic_rays(
    image: np.ndarray, mask: np.ndarray, mean: float, *, rng: np.random.Generator
) -> list[Streak]:
    """Add the tracks of muons to an image in place.

    Directions are those of muons at sea level through a horizontal plane, cos^3(t) sin(t); the
    charge per path length is lognormal around 75 electrons per micrometre, and diffuses by 0.35
    pixels.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Electrons.
    mask : ndarray of uint8
        Gets `Flag.COSMIC_RAY` where a track deposits 10 electrons or more.
    mean : float
        Expected number.
    rng : numpy.random.Generator
    """
    n = rng.poisson(mean)
    ny, nx = image.shape
    x, y = rng.uniform(-0.5, nx - 0.5, n), rng.uniform(-0.5, ny - 0.5, n)
    cosine = rng.uniform(size=n) ** 0.25
    length = np.minimum(_DEPTH * np.sqrt(1 - cosine**2) / cosine, _LONGEST)
    path = np.hypot(length, _DEPTH)
    charge = _CHARGE * path * rng.lognormal(0, 0.4, n)
    angle = rng.uniform(0, 2 * np.pi, n)
    x_end, y_end = x + length * np.cos(angle), y + length * np.sin(angle)
    for track in zip(x, y, x_end, y_end, charge, path, strict=True):
        _add_track(image, mask, *track, rng=rng)
    ends = zip(x, y, x_end, y_end, charge, strict=True)
    return [Streak("cosmic ray", *numbers) for numbers in ends]


def _add_track(
    image: np.ndarray,
    mask: np.ndarray,
    x: float,
    y: float,
    x_end: float,
    y_end: float,
    charge: float,
    path: float,
    *,
    rng: np.random.Generator,
) -> None:
    n = int(_POINTS * path) + 10
    along = rng.uniform(size=n)
    weight = rng.exponential(size=n)
    columns = np.rint(x + along * (x_end - x) + rng.normal(0, _DIFFUSION, n)).astype(int)
    rows = np.rint(y + along * (y_end - y) + rng.normal(0, _DIFFUSION, n)).astype(int)
    inside = (columns >= 0) & (columns < image.shape[1]) & (rows >= 0) & (rows < image.shape[0])
    places, index = np.unique(rows[inside] * image.shape[1] + columns[inside], return_inverse=True)
    left = np.bincount(index, charge * weight[inside] / weight.sum(), minlength=len(places))
    image.ravel()[places] += left.astype(np.float32)
    mask.ravel()[places[left >= _SEEN]] |= Flag.COSMIC_RAY


def add_hot_pixels(
    image: np.ndarray, mask: np.ndarray, mean: float, *, rng: np.random.Generator
) -> list[Streak]:
    """Add pixels of high dark current, a few hundred to tens of thousands of electrons each."""
    n = rng.poisson(mean)
    places = rng.integers(image.size, size=n)
    charge = 10 ** rng.uniform(2.5, 4.5, n)
    np.add.at(image.ravel(), places, charge.astype(np.float32))
    mask.ravel()[places] |= Flag.BAD
    rows, columns = np.divmod(places, image.shape[1])
    places = zip(columns.astype(float).tolist(), rows.astype(float).tolist(), charge, strict=True)
    return [Streak("hot pixel", x, y, x, y, electrons) for x, y, electrons in places]


def draw_trails(
    shape: tuple[int, int], mean: float, *, rng: np.random.Generator
) -> list[tuple[float, float, float, float]]:
    """Draw satellite trails: a point, a direction, and electrons per pixel of length.

    Trails are uniform in direction and in distance from the centre of the image, within the circle
    around it.

    Returns
    -------
    list of tuple of float
        ``x, y, angle, electrons``; the brightness is log-uniform from 100 to 10000.
    """
    ny, nx = shape
    n = rng.poisson(mean)
    angle = rng.uniform(0, np.pi, n)
    distance = rng.uniform(-0.5, 0.5, n) * np.hypot(nx, ny)
    electrons = 10 ** rng.uniform(2, 4, n)
    x = (nx - 1) / 2 - distance * np.sin(angle)
    y = (ny - 1) / 2 + distance * np.cos(angle)
    return list(zip(x.tolist(), y.tolist(), angle.tolist(), electrons.tolist(), strict=True))


def add_trail(
    image: np.ndarray,
    mask: np.ndarray,
    trail: tuple[float, float, float, float],
    fwhm: float,
    *,
    beta: float,
) -> Streak | None:
    """Add a line as wide as the PSF to an image of expected electrons in place.

    The profile across the line is a Moffat profile integrated along it, ``(1 + d^2/alpha^2)^(1/2 -
    beta)``.

    Returns
    -------
    Streak or None
        None if the line is outside the image.
    """
    x, y, angle, electrons = trail
    if abs(np.cos(angle)) < abs(np.sin(angle)):
        turned = (y, x, np.pi / 2 - angle, electrons)
        streak = add_trail(image.T, mask.T, turned, fwhm, beta=beta)
        return streak and replace(
            streak, x=streak.y, y=streak.x, x_end=streak.y_end, y_end=streak.x_end
        )
    ny, nx = image.shape
    reach = int(np.ceil(6 * fwhm))
    columns = np.arange(nx)
    middle = y + np.tan(angle) * (columns - x)
    rows = np.rint(middle).astype(int)[:, None] + np.arange(-reach, reach + 1)
    apart = (rows - middle[:, None]) * np.cos(angle)
    alpha = alpha_of(fwhm, beta)
    norm = gamma(beta - 0.5) / (gamma(beta - 1) * alpha * np.sqrt(np.pi))
    light = electrons * norm * (1 + (apart / alpha) ** 2) ** (0.5 - beta)
    inside = (rows >= 0) & (rows < ny)
    if not inside.any():
        return None
    where = rows[inside], np.broadcast_to(columns[:, None], rows.shape)[inside]
    image[where] += light[inside].astype(np.float32)
    near = inside & (np.abs(apart) < fwhm)
    mask[rows[near], np.broadcast_to(columns[:, None], rows.shape)[near]] |= Flag.TRAIL
    crossed = np.flatnonzero(inside.any(axis=1))
    first, last = crossed[0], crossed[-1]
    ends = float(first), float(middle[first]), float(last), float(middle[last])
    return Streak("trail", *ends, float(light[inside].sum()))
