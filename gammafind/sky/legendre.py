"""Legendre polynomials, degree by degree."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def legendre_polynomials(cosine: np.ndarray, lmax: int) -> Iterator[np.ndarray]:
    """Yield the polynomials of degree 0 to ``lmax`` at ``cosine``, by upward recurrence.

    The arrays are reused: use or copy each one before the next is computed.
    """
    before, now = np.zeros_like(cosine), np.ones_like(cosine)
    yield now
    for degree in range(lmax):
        before *= -degree / (degree + 1)
        before += (2 * degree + 1) / (degree + 1) * cosine * now
        before, now = now, before
        yield now


def legendre_sum(coefficients: np.ndarray, cosine: np.ndarray) -> np.ndarray:
    """Sum of ``coefficients`` times the polynomials at ``cosine``, shape of ``cosine``."""
    total = np.zeros_like(cosine)
    polynomials = legendre_polynomials(cosine, len(coefficients) - 1)
    for coefficient, polynomial in zip(coefficients, polynomials, strict=True):
        total += coefficient * polynomial
    return total
