"""Simulation of the camera: from the expected image to the readout."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import astropy.units as u
import numpy as np
from astropy.table import QTable

from gammafind.plugins.meerlicht.artefacts import (
    Flag,
    Streak,
    add_cosmic_rays,
    add_hot_pixels,
    add_trail,
    draw_trails,
)
from gammafind.plugins.meerlicht.detector import Detector, bleed, row_blocks

_COLUMNS = ("x", "y", "x_end", "y_end")


@dataclass(frozen=True, kw_only=True)
class Artefacts:
    """Mean numbers of artefacts in one image.

    Parameters
    ----------
    cosmic_rays, trails, hot_pixels : float
    """

    cosmic_rays: float = 0.0
    trails: float = 0.0
    hot_pixels: float = 0.0


def draw_frame(
    expected: np.ndarray,
    detector: Detector,
    artefacts: Artefacts,
    *,
    fwhm: float,
    beta: float,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, list[Streak]]:
    """Draw one exposure.

    Satellite trails are added before photons are drawn; cosmic rays and hot pixels add charge
    afterwards. Then full pixels bleed, read noise is added, and the image is digitised.

    Parameters
    ----------
    expected : ndarray, shape (ny, nx)
        Expected electrons of sources and sky; not changed.
    detector : Detector
    artefacts : Artefacts
    fwhm, beta : float
        Width (pixels) and exponent of the Moffat profile of trails.
    rng : numpy.random.Generator

    Returns
    -------
    adu : ndarray of uint16, shape (ny, nx)
    mask : ndarray of uint8, shape (ny, nx)
        Bits of `Flag`.
    streaks : list of Streak
    """
    image = np.array(expected, dtype=np.float32)
    mask = np.zeros(image.shape, dtype=np.uint8)
    lines = draw_trails(image.shape, artefacts.trails, rng=rng)
    trails = [add_trail(image, mask, line, fwhm, beta=beta) for line in lines]
    for rows in row_blocks(len(image)):
        image[rows] = rng.poisson(image[rows])
    streaks = [streak for streak in trails if streak is not None]
    streaks += add_cosmic_rays(image, mask, artefacts.cosmic_rays, rng=rng)
    streaks += add_hot_pixels(image, mask, artefacts.hot_pixels, rng=rng)
    streaks += _saturate(image, mask, detector)
    detector.add_read_noise(image, rng=rng)
    return detector.digitised(image), mask, streaks


def artefact_table(streaks: list[Streak]) -> QTable:
    """Table of artefacts: ``kind, x, y, x_end, y_end, electrons``."""
    rows = [asdict(streak) for streak in streaks]
    table = QTable({"kind": np.array([row["kind"] for row in rows], dtype=str)})
    for name in _COLUMNS:
        table[name] = np.array([row[name] for row in rows], dtype=float) * u.pix
    table["electrons"] = np.array([row["electrons"] for row in rows], dtype=float)
    table["electrons"].info.description = "Charge in electrons"
    return table


def _saturate(image: np.ndarray, mask: np.ndarray, detector: Detector) -> list[Streak]:
    """Let full pixels bleed; flag overfull pixels as saturated and filled ones as bleeding."""
    well = detector.full_well
    mask[image > well] |= Flag.SATURATED
    runs = bleed(image, well, detector.boundary(image.shape))
    for column, first, last in runs:
        run = mask[first : last + 1, column]
        run[(run & Flag.SATURATED) == 0] |= Flag.BLEED
    return [
        Streak("bleed", column, first, column, last, well * (last - first + 1))
        for column, first, last in runs
    ]
