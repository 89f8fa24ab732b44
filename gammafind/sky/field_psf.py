"""A point-spread function whose width changes over the field of a camera."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gammafind.errors import ShapeError
from gammafind.sky.psf import RadialPsf

N_TERMS = 6
"""Terms of a polynomial of second degree in two variables."""


@dataclass(frozen=True, eq=False)
class FieldPsf(RadialPsf):
    """A radial profile that is stretched by a polynomial of second degree in the pixels.

    As a `RadialPsf` it is the profile where the polynomial is one; `at` gives that of a place.

    Parameters
    ----------
    theta, density : ndarray, shape (n,)
        As for `RadialPsf`.
    widths : ndarray, shape (6,)
        Coefficients of 1, u, v, u^2, u v, v^2 of the relative width, where u and v run from -1
        to 1 over the columns and rows of the image.
    shape : tuple of int
        ``(ny, nx)`` of the image.

    Raises
    ------
    ShapeError
        If there are not six coefficients.
    """

    widths: np.ndarray = None
    shape: tuple[int, int] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        widths = np.asarray(self.widths, dtype=float)
        if widths.shape != (N_TERMS,):
            raise ShapeError(
                f"the widths of the PSF have shape {widths.shape}",
                remedy=f"A polynomial of second degree has {N_TERMS} coefficients.",
            )
        object.__setattr__(self, "widths", widths)

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of profile, widths and shape."""
        text = f"{super().checksum} {self.widths.tolist()} {self.shape}"
        return hashlib.sha256(text.encode()).hexdigest()

    def __hash__(self) -> int:
        return hash(self.checksum)

    def width(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Width relative to that of the profile at pixel coordinates."""
        return polynomial_terms(x, y, self.shape) @ self.widths

    def at(self, x: float, y: float) -> RadialPsf:
        """Profile at a place of the image, in pixel coordinates."""
        return RadialPsf(self.theta * float(self.width(x, y)), self.density)


def polynomial_terms(x: np.ndarray, y: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Terms 1, u, v, u^2, u v, v^2 at pixel coordinates, shape (..., 6).

    Parameters
    ----------
    x, y : ndarray
        Columns and rows, 0 at the centre of the first pixel.
    shape : tuple of int
        ``(ny, nx)`` of the image, over which u and v run from -1 to 1.
    """
    u, v = (
        2 * (np.asarray(at, dtype=float) + 0.5) / side - 1
        for at, side in zip((x, y), reversed(shape), strict=True)
    )
    return np.stack([np.ones_like(u), u, v, u**2, u * v, v**2], axis=-1)
