"""Responses photon by photon: effective area, and draws of direction and energy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gammafind.plugins.fermi_lat.irf.caldb import Axes
from gammafind.plugins.fermi_lat.irf.dispersion import EnergyDispersion, width_scale
from gammafind.plugins.fermi_lat.irf.effective_area import EffectiveArea
from gammafind.plugins.fermi_lat.irf.king import core_fraction, scale_factor
from gammafind.plugins.fermi_lat.irf.psf import PsfTable
from gammafind.plugins.fermi_lat.photons.pointing import LIVE


@dataclass(frozen=True, eq=False)
class _Place:
    """Bins below and above each photon on the axes of a table, and the way between them."""

    cosine: np.ndarray
    energy: np.ndarray
    up_cosine: np.ndarray
    up_energy: np.ndarray

    @classmethod
    def of(cls, axes: Axes, energy: np.ndarray, cosine: np.ndarray) -> _Place:
        j, fj = _between(axes.cos_theta, cosine)
        k, fk = _between(axes.log_energy, np.log10(energy))
        return cls(j, k, fj, fk)

    def interpolate(self, table: np.ndarray) -> np.ndarray:
        """Bilinear interpolation of a table, shape (n_cos, n_energy)."""
        j, k, fj, fk = self.cosine, self.energy, self.up_cosine, self.up_energy
        below = table[j, k] * (1 - fk) + table[j, k + 1] * fk
        above = table[j + 1, k] * (1 - fk) + table[j + 1, k + 1] * fk
        return below * (1 - fj) + above * fj

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draw one of the four bins, so that their mean is the interpolation."""
        j = self.cosine + (rng.random(len(self.cosine)) < self.up_cosine)
        return j, self.energy + (rng.random(len(self.energy)) < self.up_energy)


def area_of_each(area: EffectiveArea, energy: np.ndarray, cosine: np.ndarray) -> np.ndarray:
    """Effective area for each photon, with the loss by ghost signals at the mean livetime.

    Parameters
    ----------
    area : EffectiveArea
    energy, cosine : ndarray, shape (n,)
        Energy in MeV, and cosine of the inclination.

    Returns
    -------
    ndarray, shape (n,)
        In cm2; as in `EffectiveArea.value`.
    """
    offset, slope = area.livetime_factors(energy)
    seen = _Place.of(area.axes, energy, cosine).interpolate(area.area)
    return np.where(cosine < area.axes.cos_min, 0, seen * (offset + slope * LIVE))


def largest_area(area: EffectiveArea, low: float, high: float) -> float:
    """Largest effective area between two energies in MeV, at any inclination."""
    between = np.geomspace(low, high, 200)
    offset, slope = area.livetime_factors(between)
    by_cosine = area.value(between, area.axes.cos_theta).max(axis=1)
    # The area is linear between the energies of the table; the grid is so fine that 1 % is enough.
    return 1.01 * float((by_cosine * (offset + slope * LIVE)).max())


def draw_type(areas: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a type for each photon, by its share of the effective area, shape (n_types, n)."""
    up_to = np.cumsum(areas, axis=0)
    return np.minimum((rng.random(areas.shape[1]) * up_to[-1] >= up_to).sum(axis=0), len(areas) - 1)


def draw_deviation(
    psf: PsfTable, energy: np.ndarray, cosine: np.ndarray, *, rng: np.random.Generator
) -> np.ndarray:
    """Draw the angle between the measured and the true direction of each photon.

    Parameters
    ----------
    psf : PsfTable
    energy, cosine : ndarray, shape (n,)
        True energy in MeV, and cosine of the inclination.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (n,)
        In radians, below 90 deg.

    Notes
    -----
    A bin of the table is drawn, then the core or the tail, then the angle on a plane; angles are
    kept with the chance sin(x)/x, which makes the King function one on the sphere.
    """
    j, k = _Place.of(psf.axes, energy, cosine).draw(rng)
    scale = scale_factor(10**psf.axes.log_energy, *psf.scaling)[k]
    tail, core_width, tail_width, core_gamma, tail_gamma = psf.parameters[:, j, k]
    fraction = core_fraction(tail, core_width, tail_width)
    angle = np.empty(len(energy))
    left = np.arange(len(energy))
    while left.size:
        core = rng.random(left.size) < fraction[left]
        width = np.where(core, core_width[left], tail_width[left])
        gamma = np.where(core, core_gamma[left], tail_gamma[left])
        outside = rng.random(left.size)
        with np.errstate(over="ignore"):
            beyond = np.expm1(np.log1p(-outside) / (1 - gamma))
            drawn = scale[left] * width * np.sqrt(2 * gamma * beyond)
        on_sphere = rng.random(left.size) < np.sinc(np.minimum(drawn, 10) / np.pi)
        kept = on_sphere & (drawn < np.pi / 2)
        angle[left[kept]] = drawn[kept]
        left = left[~kept]
    return angle


def draw_energy(
    dispersion: EnergyDispersion,
    energy: np.ndarray,
    cosine: np.ndarray,
    *,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw the measured energy of each photon.

    Parameters
    ----------
    dispersion : EnergyDispersion
    energy, cosine : ndarray, shape (n,)
        True energy in MeV, and cosine of the inclination.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (n,)
        In MeV; not positive where the tail of the bell reaches below zero.
    """
    axes = dispersion.axes
    j, k = _Place.of(axes, energy, cosine).draw(rng)
    share, *bells = dispersion.parameters[:, j, k]
    first = rng.random(len(energy)) < share
    width, skew, bias, index = (
        np.where(first, one, other) for one, other in zip(bells[:4], bells[4:], strict=True)
    )
    above = rng.random(len(energy)) < 1 / (1 + skew**2)
    size = width * rng.standard_gamma(1 / index) ** (1 / index)
    scale = width_scale(axes.log_energy[k], axes.cos_theta[j], dispersion.scaling)
    deviation = scale * (bias + np.where(above, size / skew, -size * skew))
    return energy * (1 + deviation)


def _between(centres: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bin below each value, and the way to the next one; constant outside the centres."""
    inside = np.clip(values, centres[0], centres[-1])
    lower = np.clip(np.searchsorted(centres, inside, side="right") - 1, 0, centres.size - 2)
    return lower, (inside - centres[lower]) / (centres[lower + 1] - centres[lower])
