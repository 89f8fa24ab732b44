"""Radii, areas and isotropic intensities straight from the official files, without gammafind.

The double King functions are integrated over the sphere by Gauss-Legendre quadrature in the
logarithm of the angle, and the isotropic spectra by the trapezium rule on a fine grid.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from astropy.io import fits
from scipy.optimize import brentq

__all__ = ["RawResponse", "band_intensity", "r68"]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(160)
_INNERMOST = 1e-7
"""Angle in radians below which no photon is counted."""


class RawResponse:
    """PSF and effective area of one event type, as its files have them."""

    def __init__(self, folder: Path, irf: str, event_type: str) -> None:
        partition = "FB" if event_type in ("FRONT", "BACK") else event_type[:-1]
        with fits.open(folder / f"psf_{irf}_{partition}.fits") as hdus:
            psf = hdus[f"RPSF_{event_type}"].data[0]
            self.psf = {name: np.array(psf[name], dtype=float) for name in psf.array.names}
            scale = hdus[f"PSF_SCALING_PARAMS_{event_type}"].data["PSFSCALE"][0]
            self.scale = [float(value) for value in scale]
        with fits.open(folder / f"aeff_{irf}_{partition}.fits") as hdus:
            area = hdus[f"EFFECTIVE AREA_{event_type}"].data[0]
            self.area = {name: np.array(area[name], dtype=float) for name in area.array.names}

    def effective_area(self, energy: float, cosine: float) -> float:
        """Effective area in cm2 at an energy in MeV, bilinear in log energy and cosine."""
        corners = _corners(self.area, energy, cosine)
        return 1e4 * sum(share * self.area["EFFAREA"][j, k] for share, j, k in corners)

    def contained(self, radius: float, energy: float, cosine: float) -> float:
        """Share of the photons within a radius in radians."""
        corners = _corners(self.psf, energy, cosine)
        return sum(
            share * self._integral(radius, j, k) / self._total(j, k) for share, j, k in corners
        )

    @cache  # noqa: B019
    def _total(self, j: int, k: int) -> float:
        return self._integral(np.pi / 2, j, k)

    def _integral(self, radius: float, j: int, k: int) -> float:
        """Integral of a bin of the table over the sphere, from the centre to a radius."""
        energy = np.sqrt(self.psf["ENERG_LO"][k] * self.psf["ENERG_HI"][k])
        c0, c1, index = self.scale
        width = np.sqrt((c0 * (energy / 100) ** index) ** 2 + c1**2)
        core = width * self.psf["SCORE"][j, k]
        edges = np.unique(np.clip([_INNERMOST, core, 5 * core, radius], _INNERMOST, radius))
        total = 0.0
        for low, high in zip(np.log(edges[:-1]), np.log(edges[1:]), strict=True):
            angle = np.exp((high - low) / 2 * _NODES + (high + low) / 2)
            ring = 2 * np.pi * np.sin(angle) * angle
            total += (high - low) / 2 * np.sum(_WEIGHTS * ring * self._density(angle / width, j, k))
        return total

    def _density(self, x: np.ndarray, j: int, k: int) -> np.ndarray:
        value = {name: array[j, k] for name, array in self.psf.items() if array.ndim == 2}
        core = _king(x, value["SCORE"], value["GCORE"])
        tail = _king(x, value["STAIL"], value["GTAIL"])
        return value["NCORE"] * (core + value["NTAIL"] * tail)


def r68(
    parts: list[RawResponse], energy: float, cosines: np.ndarray, livetime: np.ndarray
) -> float:
    """Radius in degrees that contains 68 % of the photons of event types, over inclinations."""
    weights = [
        (part, cosine, time * part.effective_area(energy, cosine))
        for part in parts
        for cosine, time in zip(cosines, livetime, strict=True)
    ]
    whole = sum(weight for _, _, weight in weights)

    def excess(log_radius: float) -> float:
        radius = np.exp(log_radius)
        inside = sum(
            weight * part.contained(radius, energy, cosine)
            for part, cosine, weight in weights
            if weight
        )
        return inside / whole - 0.68

    return float(np.degrees(np.exp(brentq(excess, np.log(1e-5), np.log(1.5), xtol=1e-5))))


def band_intensity(path: Path, low: float, high: float) -> float:
    """Intensity of an isotropic text file between two energies in MeV."""
    energy, intensity, _ = np.loadtxt(path, unpack=True)
    x = np.linspace(np.log(low), np.log(high), 40001)
    y = np.exp(np.interp(x, np.log(energy), np.log(intensity)) + x)
    return float(np.sum((y[1:] + y[:-1]) / 2 * np.diff(x)))


def _king(x: np.ndarray, sigma: float, gamma: float) -> np.ndarray:
    """King function of the LAT tools, not normalised: its integral grows with sigma**2."""
    return (1 - 1 / gamma) * (1 + x**2 / (2 * gamma * sigma**2)) ** -gamma


def _corners(
    table: dict[str, np.ndarray], energy: float, cosine: float
) -> list[tuple[float, int, int]]:
    """Shares and indices of the bins around an energy and a cosine."""
    log_energy = np.log(table["ENERG_LO"] * table["ENERG_HI"]) / 2
    centre = (table["CTHETA_LO"] + table["CTHETA_HI"]) / 2
    return [
        (a * b, j, k)
        for a, j in _neighbours(cosine, centre)
        for b, k in _neighbours(np.log(energy), log_energy)
        if a * b > 0
    ]


def _neighbours(value: float, centres: np.ndarray) -> list[tuple[float, int]]:
    above = int(np.clip(np.searchsorted(centres, value), 1, len(centres) - 1))
    share = np.clip((value - centres[above - 1]) / (centres[above] - centres[above - 1]), 0, 1)
    return [(1 - share, above - 1), (share, above)]
