"""Joint fit of positions and fluxes of point sources in a part of an image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import spsolve

from gammafind.fitting.image.scene import Scene

_REACH = 1.25
"""Half side, in FWHM, of the square in which a source is fitted: balances signal and light of
neighbours."""
_GROWTH = (1, 2, 4, 8)
"""Factors by which the square grows in which brighter sources are subtracted from their
neighbours."""
_LARGEST = 64
"""Largest half side in pixels: balances the wings of bright stars and memory."""
_FAINTEST = 0.2
"""Surface brightness, in standard deviations of a pixel, at which the wings of a source are cut:
balances accuracy and time."""
_STEP = 0.02
"""Step in pixels of the tabulated profile: fine compared with any PSF."""
_LEASH = 0.3
"""Standard deviation, in FWHM, of the prior around the detected position: keeps sources from
swapping places."""
_LONGEST_STEP = 0.5
"""Largest move in pixels per round: keeps the linear approximation valid."""
_ROUNDS = 4
"""Gauss-Newton steps: enough to converge from a detected position."""
_RIDGE = 1e-6
"""Prior information, in inverse squares of the errors, that keeps sources without valid pixels at
zero."""
_LEAST_SNR = 1.0
"""Smallest signal-to-noise ratio assumed when a position is fitted: keeps faint sources stable."""


@dataclass(frozen=True, eq=False, kw_only=True)
class PointFit:
    """The result of a fit to some sources.

    Attributes
    ----------
    x, y : ndarray, shape (n,)
        Pixel coordinates.
    position_err : ndarray, shape (n,)
        Standard deviation of each coordinate in pixels, for known neighbours.
    electrons, electrons_err : ndarray, shape (n,)
        Total light of the source and its error.
    chi2 : ndarray, shape (n,)
        Mean square of the residuals around the source, in standard deviations.
    crowding : ndarray, shape (n,)
        Light of other sources at its position, in standard deviations of the sky.
    """

    x: np.ndarray
    y: np.ndarray
    position_err: np.ndarray
    electrons: np.ndarray
    electrons_err: np.ndarray
    chi2: np.ndarray
    crowding: np.ndarray


def fit_points(scene: Scene, x: np.ndarray, y: np.ndarray) -> PointFit:
    """Fit the PSF to all sources of a part of an image at the same time.

    Least squares, weighted by the noise of the sky and the photons of the sources, by Gauss-Newton
    steps that start at the detected positions. A prior of 0.3 FWHM keeps each source near its
    detected position.

    Parameters
    ----------
    scene : Scene
    x, y : ndarray, shape (n,)
        Detected positions, in pixels of the part.

    Returns
    -------
    PointFit

    References
    ----------
    Stetson 1987, doi:10.1086/131977
    """
    stars = _Stars(scene, np.array(x, dtype=float), np.array(y, dtype=float))
    if not len(stars.x):
        return PointFit(**dict.fromkeys(PointFit.__dataclass_fields__, np.zeros(0)))
    for _ in range(_ROUNDS):
        normal = stars.improve()
    blocks = np.linalg.inv(normal)
    return PointFit(
        x=stars.x,
        y=stars.y,
        position_err=np.sqrt((blocks[:, 1, 1] + blocks[:, 2, 2]) / 2),
        electrons=stars.electrons,
        electrons_err=np.sqrt(blocks[:, 0, 0]),
        **stars.surroundings(),
    )


class _Stars:
    """The sources of a scene during the fit."""

    def __init__(self, scene: Scene, x: np.ndarray, y: np.ndarray) -> None:
        self.scene = scene
        self.x, self.y = x, y
        self.start = np.stack([x, y])
        radii = np.arange(0, 2 * _LARGEST, _STEP)
        self.radii = radii
        self.density = scene.psf(radii * scene.pixel_size) * scene.pixel_size**2
        self.slope = np.gradient(self.density, _STEP)
        self.leash = 1 / (_LEASH * scene.fwhm) ** 2
        self.half = max(int(np.ceil(_REACH * scene.fwhm)), 2)
        column, row = self._pixels()
        self.noise = scene.noise[row, column].astype(float)
        self.unit = self.noise / np.sqrt(np.sum(scene.profile**2))
        self.electrons = scene.matched_snr[row, column] * self.unit

    def _pixels(self) -> tuple[np.ndarray, np.ndarray]:
        """Column and row of the pixel that contains each source."""
        ny, nx = self.scene.excess.shape
        return (
            np.clip(np.rint(at).astype(int), 0, n - 1) for at, n in ((self.x, nx), (self.y, ny))
        )

    def _squares(
        self, chosen: np.ndarray, half: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Offsets from the sources, pixels around them, and which of these are in the image."""
        ny, nx = self.scene.excess.shape
        column, row = self._pixels()
        steps = np.arange(-half, half + 1)
        columns = column[chosen, None] + steps
        rows = row[chosen, None] + steps
        dx = np.broadcast_to(
            (columns - self.x[chosen, None])[:, None, :], (len(chosen), len(steps), len(steps))
        )
        dy = np.broadcast_to((rows - self.y[chosen, None])[:, :, None], dx.shape)
        good = ((rows >= 0) & (rows < ny))[:, :, None] & ((columns >= 0) & (columns < nx))[
            :, None, :
        ]
        place = np.clip(rows, 0, ny - 1)[:, :, None] * nx + np.clip(columns, 0, nx - 1)[:, None, :]
        return dx, dy, np.hypot(dx, dy), place, good

    def model(self) -> np.ndarray:
        """Light of all sources in each pixel, flat."""
        wanted = _FAINTEST * self.noise / np.maximum(self.electrons, 1e-9)
        reach = np.interp(-wanted, -self.density, self.radii)
        size = np.searchsorted(self.half * np.array(_GROWTH[:-1]), reach)
        image = np.zeros(self.scene.excess.size)
        for step, growth in enumerate(_GROWTH):
            chosen = np.flatnonzero(size == step)
            if not len(chosen):
                continue
            half = min(self.half * growth, _LARGEST)
            *_, radius, place, good = self._squares(chosen, half)
            light = np.interp(radius, self.radii, self.density) * self.electrons[chosen, None, None]
            image += np.bincount(place[good], light[good], minlength=image.size)
        return image

    def surroundings(self) -> dict[str, np.ndarray]:
        """Residuals around each source, and the light of others at its position."""
        scene, model = self.scene, self.model()
        square = (scene.excess.ravel() - model) ** 2 / self._variance(model)
        square = np.where(scene.valid.ravel(), square, 0)
        *_, radius, place, good = self._squares(np.arange(len(self.x)), self.half)
        near = good & (radius < self.half)
        chi2 = np.sum(square[place] * near, axis=(1, 2)) / np.maximum(near.sum(axis=(1, 2)), 1)
        column, row = self._pixels()
        own = np.interp(np.hypot(column - self.x, row - self.y), self.radii, self.density)
        others = model[row * scene.excess.shape[1] + column] - own * self.electrons
        return {"chi2": chi2, "crowding": others / self.noise}

    def improve(self) -> np.ndarray:
        """Do one step; return the normal matrix of each source alone, shape (n, 3, 3)."""
        scene, n = self.scene, len(self.x)
        model = self.model()
        weight = np.where(scene.valid.ravel(), 1 / self._variance(model), 0)
        root = np.sqrt(weight)
        slopes, place = self._slopes()
        scaled = slopes * root[place][:, None, :]
        matrix = _sparse(scaled, place, scene.excess.size)
        leash = np.stack([_RIDGE / self.unit**2, *np.full((2, n), self.leash)], axis=1)
        wanted = (matrix.T @ ((scene.excess.ravel() - model) * root)).reshape(n, 3)
        wanted[:, 1:] -= self.leash * (np.stack([self.x, self.y]) - self.start).T
        normal = (matrix.T @ matrix).tocsc() + sparse.diags_array(leash.ravel(), format="csc")
        step = spsolve(normal, wanted.ravel()).reshape(n, 3)
        self.electrons = self.electrons + step[:, 0]
        self.x = self.x + np.clip(step[:, 1], -_LONGEST_STEP, _LONGEST_STEP)
        self.y = self.y + np.clip(step[:, 2], -_LONGEST_STEP, _LONGEST_STEP)
        return scaled @ scaled.transpose(0, 2, 1) + leash[:, :, None] * np.eye(3)

    def _variance(self, model: np.ndarray) -> np.ndarray:
        """Variance of each pixel, flat: sky, and photons of the sources."""
        return self.scene.noise.ravel() ** 2 + np.maximum(model, 0)

    def _slopes(self) -> tuple[np.ndarray, np.ndarray]:
        """Derivatives of the pixels around each source by its light and position, and indices.

        Shapes (n, 3, k) and (n, k).
        """
        n = len(self.x)
        dx, dy, radius, place, good = self._squares(np.arange(n), self.half)
        share = np.interp(radius, self.radii, self.density)
        slope = np.interp(radius, self.radii, self.slope) / np.maximum(radius, _STEP)
        bright = np.maximum(self.electrons, _LEAST_SNR * self.unit)[:, None, None]
        slopes = np.stack([share, -bright * slope * dx, -bright * slope * dy], axis=1)
        return (slopes * good[:, None]).reshape(n, 3, -1), place.reshape(n, -1)


def _sparse(slopes: np.ndarray, place: np.ndarray, n_pixels: int) -> sparse.csc_array:
    """Slopes, shape (n, 3, k), of the pixels ``place``, (n, k), as a matrix (n_pixels, 3 n)."""
    pixels = np.broadcast_to(place[:, None, :], slopes.shape).ravel()
    columns = np.repeat(np.arange(3 * len(slopes)), place.shape[1])
    return sparse.csc_array((slopes.ravel(), (pixels, columns)), shape=(n_pixels, 3 * len(slopes)))
