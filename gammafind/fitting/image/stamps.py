"""Input of an image classifier for each detection: a stamp of the image around it."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import Column, QTable

from gammafind.errors import OptionError
from gammafind.fitting.image.point_source import density_of_likes, point_source_fit
from gammafind.fitting.image.scene import poisson_noise
from gammafind.fitting.photons.cutouts import Cutouts
from gammafind.sky.cutouts import CutoutLayout
from gammafind.sky.epochs import Epochs
from gammafind.sky.observation import Observation
from gammafind.utils.progress import stage

SATURATED, NO_DATA = 1, -1
"""Values of ``flags``."""
SATURATION = "cutout_saturated"
"""Column that flags detections with a saturated core."""

_AT_ONCE = 4096
"""Stamps per step: limits memory, since an image has a hundred thousand stars."""


def make_stamps(
    observation: Observation,
    detections: QTable,
    *,
    layout: CutoutLayout,
    epochs: Epochs | None = None,
    probabilities: bool = True,
) -> Cutouts:
    """Cut a stamp of the image around each detection, in units of the noise of its sky.

    The central pixel of a stamp contains the position of the detection; no pixel is interpolated.

    Parameters
    ----------
    observation : Observation
        An image in one band.
    detections : QTable
        With ``x, y`` or ``ra, dec``, and ``score``.
    layout : CutoutLayout
        Its ``n_pixels`` is the side, an odd number.
    epochs : Epochs, optional
        Not used.
    probabilities : bool
        Whether scores are probabilities.

    Returns
    -------
    Cutouts
        With the arrays ``excess`` (n, p, p), the image minus its sky in units of the noise, 0 where
        it is not known; ``flags`` (n, p, p), `SATURATED`, `NO_DATA` or 0; ``psf`` (n, p, p), the
        share of the light of a point source at the position in each pixel; ``noise`` (n,), in the
        units of the image; ``fwhm`` (n,), of the PSF in pixels; ``score`` and ``probability`` (n,),
        the second is NaN if scores are not probabilities; ``density`` (n,), see
        `gammafind.fitting.image.point_source.density_of_likes`: computed from all detections of the
        image. The column ``cutout_saturated`` is true if a pixel within half the FWHM of the
        position, or next to it, is saturated.

    Raises
    ------
    OptionError
        If it is not an image in one band, or the side is even.
    """
    counts = observation.counts
    if counts.n_bands != 1 or len(counts.pixels[0].shape) != 2:
        raise OptionError(
            "stamps are cut from images in one band",
            remedy="Use the classifier cnn for maps in several bands.",
        )
    if layout.n_pixels % 2 == 0:
        raise OptionError(
            f"stamps of {layout.n_pixels} pixels have no centre",
            remedy="Give an odd number.",
        )
    x, y = _places(observation, detections)
    some = [slice(i, i + _AT_ONCE) for i in range(0, max(len(x), 1), _AT_ONCE)]
    with stage("cutting images of detections"):
        parts = [_cut(observation, x[rows], y[rows], layout.n_pixels) for rows in some]
    arrays = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    inside, full, ratio = (arrays.pop(name) for name in ("inside", "full", "ratio"))
    arrays["score"] = np.asarray(detections["score"], dtype=np.float32)
    unknown = np.full_like(arrays["score"], np.nan)
    arrays["probability"] = arrays["score"] if probabilities else unknown
    found, n_pixels = np.isfinite(arrays["score"]), np.count_nonzero(counts.valid[0])
    likes = density_of_likes(ratio, found, arrays["fwhm"], n_pixels)
    arrays["density"] = likes.astype(np.float32)
    saturation = Column(full, description="Whether the core of the source is saturated")
    return Cutouts(arrays, inside, {SATURATION: saturation})


def _places(observation: Observation, detections: QTable) -> tuple[np.ndarray, np.ndarray]:
    """Columns and rows of detections."""
    if {"x", "y"} <= set(detections.colnames):
        return tuple(detections[axis].to_value(u.pix) for axis in ("x", "y"))
    positions = SkyCoord(detections["ra"], detections["dec"], frame="icrs")
    return observation.counts.pixels[0].xy(positions)


def _cut(
    observation: Observation, x: np.ndarray, y: np.ndarray, side: int
) -> dict[str, np.ndarray]:
    """Arrays of stamps, their S/N, which have only valid pixels, and which have saturated cores."""
    image, sky = observation.counts.values[0], observation.total_background().values[0]
    ny, nx = image.shape
    column, row = (np.rint(np.nan_to_num(at, nan=-(10**6))).astype(int) for at in (x, y))
    offset = np.arange(side) - side // 2
    rows = row[:, None, None] + offset[:, None]
    columns = column[:, None, None] + offset
    known = (rows >= 0) & (rows < ny) & (columns >= 0) & (columns < nx)
    pixels = np.clip(rows, 0, ny - 1), np.clip(columns, 0, nx - 1)
    known &= observation.counts.valid[0][pixels]
    middle = np.clip(row, 0, ny - 1), np.clip(column, 0, nx - 1)
    known_noise = observation.noise
    noise = poisson_noise(sky) if known_noise is None else known_noise.values[0]
    noise = noise[middle].astype(np.float32)
    excess = (image[pixels] - sky[pixels]) / noise[:, None, None]
    flags = np.where(image[pixels] >= observation.full, SATURATED, 0)
    psf, fwhm = _psfs(observation, x - column, y - row, middle, side)
    arrays = {
        "excess": np.where(known, excess, 0),
        "flags": np.where(known, flags, NO_DATA),
        "psf": psf,
        "noise": noise,
        "fwhm": fwhm,
    }
    arrays = {name: np.asarray(array, dtype=np.float32) for name, array in arrays.items()}
    whole = {"inside": known.all(axis=(1, 2)), "full": _saturated_core(arrays)}
    return {**arrays, **whole, "ratio": point_source_fit(arrays)[1]}


def _psfs(
    observation: Observation,
    dx: np.ndarray,
    dy: np.ndarray,
    middle: tuple[np.ndarray, np.ndarray],
    side: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Shares of the light of point sources, and widths of the PSF at their positions."""
    size = observation.counts.pixels[0].pixel_size.to_value(u.rad)
    offset = np.arange(side) - side // 2
    images = np.zeros((len(dx), side, side), dtype=np.float32)
    widths = np.zeros(len(dx))
    for i, (row, column) in enumerate(zip(*middle, strict=True)):
        psf = observation.psfs[0].at(column, row)
        if np.isfinite(dx[i]) and np.isfinite(dy[i]):
            apart = np.hypot(offset[:, None] - dy[i], offset - dx[i])
            images[i] = psf(apart * size) * size**2
        widths[i] = psf.fwhm / size
    return images, widths


def _saturated_core(arrays: dict[str, np.ndarray]) -> np.ndarray:
    """Whether there is a saturated pixel in the core of each stamp."""
    side = arrays["flags"].shape[-1]
    offset = np.arange(side) - side // 2
    core = np.hypot(offset[:, None], offset) <= np.maximum(arrays["fwhm"] / 2, 1)[:, None, None]
    return ((arrays["flags"] == SATURATED) & core).any(axis=(1, 2))
