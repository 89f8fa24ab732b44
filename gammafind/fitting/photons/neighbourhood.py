"""The pixels around one place, and the likelihood of a few sources in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gammafind.fitting.photons.data import BandData, SkyData
from gammafind.fitting.photons.extended_profiles import pixel_profile, seen_through
from gammafind.sky.pixels import centre_vectors
from gammafind.sky.projection import chords
from gammafind.sky.psf_stamps import COARSE, fractions_at, pixels_near
from gammafind.sky.shapes import Shape

_CONTAINMENT = 0.8
"""Share of the counts of a point at the border in the pixels: its wings do not matter."""
_ITERATIONS = 30
"""Most Newton steps: far more than a fit needs."""
_TOLERANCE = 1e-3
"""Gain of a step in the log-likelihood below which a fit ends: no matter for a TS."""
_RIDGE = 1e-9
"""Relative addition to the diagonal: keeps equal or empty templates solvable."""
_LEAST = 1e-6
"""Least expected counts of a pixel: keeps logarithms finite."""


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """Counts and model in the pixels around a place, all bands in a row.

    Attributes
    ----------
    bands : tuple of BandData
    pixels : tuple of ndarray
        Flat pixel indices of each band.
    vectors : tuple of ndarray, shape (k, 3)
        Unit vectors of these pixels.
    valid : tuple of ndarray
        Whether they hold data.
    areas : tuple of float
        Solid angle of a pixel of each band.
    counts, fixed, level : ndarray, shape (k,)
        Observed counts, expected counts of what is not fitted, and the background, whose local
        level is free in all fits.
    points : ndarray, shape (m, k)
        Expected counts of the points, each as in the model.
    weight : ndarray, shape (k,)
        Weights of the pixels in the likelihood.
    """

    bands: tuple[BandData, ...]
    pixels: tuple[np.ndarray, ...]
    vectors: tuple[np.ndarray, ...]
    valid: tuple[np.ndarray, ...]
    areas: tuple[float, ...]
    counts: np.ndarray
    fixed: np.ndarray
    level: np.ndarray
    points: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(
        cls,
        data: SkyData,
        centre: np.ndarray,
        reach: float,
        vectors: np.ndarray,
        counts: np.ndarray,
    ) -> Neighbourhood:
        """Pixels within ``reach`` degrees of a unit vector.

        Parameters
        ----------
        data : SkyData
            Its model includes the points.
        centre : ndarray, shape (3,)
        reach : float
        vectors : ndarray, shape (m, 3)
            Points that are fitted.
        counts : ndarray, shape (m, n_bands)
            Their counts in the model.
        """
        pixels, valid, parts = [], [], []
        for i, band in enumerate(data.bands):
            pixel = pixels_near(
                centre[None],
                band.pixels,
                band.psf,
                containment=_CONTAINMENT,
                reach=float(np.radians(reach)),
            )[0]
            place = band.places(pixel)
            good = band.valid[place]
            own = fractions_at(vectors, pixel, band.pixels, band.psf, sampling=COARSE)
            own = own * counts[:, i, None] * good
            level = band.background[place] * good
            model = np.maximum(band.model[place] * good - own.sum(axis=0), level)
            weight = np.broadcast_to(band.weights(place), place.shape)
            parts.append((band.counts[place] * good, model - level, level, own, weight))
            pixels.append(pixel)
            valid.append(good)
        joined = (np.concatenate(part, axis=-1, dtype=float) for part in zip(*parts, strict=True))
        places = tuple(
            centre_vectors(band.pixels, pixel)
            for band, pixel in zip(data.bands, pixels, strict=True)
        )
        areas = tuple(float(band.pixels.pixel_area.to_value("sr")) for band in data.bands)
        return cls(data.bands, tuple(pixels), places, tuple(valid), areas, *joined)

    def extended(
        self, centre: np.ndarray, shape: Shape, counts: np.ndarray, *, exact: bool = False
    ) -> np.ndarray:
        """Expected counts of a round source with ``counts`` in each band, shape (k,).

        Unless they are ``exact``, pixels are squares of any orientation.
        """
        parts = []
        for i, (band, pixel) in enumerate(zip(self.bands, self.pixels, strict=True)):
            if exact:
                profile = seen_through(band.psf, shape)
                (share,) = fractions_at(centre[None], pixel, band.pixels, profile, sampling=COARSE)
            else:
                area = self.areas[i]
                table = pixel_profile(band.psf, shape, area**0.5)
                share = area * np.interp(chords(centre, self.vectors[i]), *table, right=0)
            parts.append(share * counts[i] * self.valid[i])
        return np.concatenate(parts)

    def fit(self, templates: np.ndarray) -> tuple[float, np.ndarray]:
        """Fit templates, shape (n, k), and the level of the background.

        Returns
        -------
        gain : float
            2 ln of the likelihood, up to a constant.
        amplitude : ndarray, shape (n,)
            Not negative.
        """
        every = np.concatenate([templates, self.level[None]]) * self.weight
        fixed = np.maximum(self.fixed, _LEAST) * self.weight
        gain, amplitude = fit_few(self.counts * self.weight, fixed, every)
        return gain, amplitude[:-1]


def fit_few(
    counts: np.ndarray, fixed: np.ndarray, templates: np.ndarray
) -> tuple[float, np.ndarray]:
    """Maximise the Poisson likelihood over a few amplitudes that are not negative.

    Parameters
    ----------
    counts, fixed : ndarray, shape (k,)
        Observed counts, and expected ones that are not fitted, positive.
    templates : ndarray, shape (n, k)
        Expected counts at amplitude one, from which the fit starts.

    Returns
    -------
    gain : float
        2 ln of the likelihood, up to a constant.
    amplitude : ndarray, shape (n,)
    """
    total, filled = templates.sum(axis=1), np.flatnonzero(counts)
    seen, base, own = counts[filled], fixed[filled], templates[:, filled]
    amplitude = np.ones(len(templates))
    model = base + amplitude @ own
    value = seen @ np.log(model) - amplitude @ total
    for _ in range(_ITERATIONS):
        ratio = seen / model
        slope = own @ ratio - total
        free = (amplitude > 0) | (slope > 0)
        used = own if free.all() else own[free]
        information = used * (ratio / model) @ used.T
        information[np.diag_indices(len(information))] *= 1 + _RIDGE
        information += _RIDGE * np.eye(len(information))
        step = np.zeros(len(templates))
        step[free] = np.linalg.solve(information, slope[free])
        share = 1.0
        while True:
            now = np.maximum(amplitude + share * step, 0)
            there = base + now @ own
            new = seen @ np.log(there) - now @ total
            if new >= value or share < _TOLERANCE:
                break
            share /= 2
        gained, amplitude, model, value = new - value, now, there, max(new, value)
        if gained < _TOLERANCE:
            break
    return 2 * float(value - fixed.sum()), amplitude
