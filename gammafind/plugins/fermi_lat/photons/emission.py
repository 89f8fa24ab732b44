"""What photons come from: draws of true energies and directions before any instrument."""

from __future__ import annotations

from typing import Protocol

import astropy.units as u
import numpy as np
from astropy.table import QTable

from gammafind.catalogue.extended import Layout, layout_of
from gammafind.plugins.fermi_lat.catalogues import spectra_of
from gammafind.plugins.fermi_lat.diffuse import interstellar_intensity
from gammafind.plugins.fermi_lat.fluxes import flux_history
from gammafind.plugins.fermi_lat.isotropic import IsotropicSpectrum
from gammafind.plugins.fermi_lat.photons.turns import aside
from gammafind.plugins.fermi_lat.years import N_YEARS
from gammafind.sky.bands import energy_bands
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.projection import to_frame
from gammafind.sky.shapes import shape_points

INTERSTELLAR, ISOTROPIC = -1, -2
"""What stands instead of the row of a source in the column MC_SRC_ID."""
_NODES = 300
"""Energies of a tabulated spectrum in a band: power laws between them are accurate to 1e-4."""
_WIDTH = 0.5
"""Widest energy interval of a map of interstellar emission, in log10: the spectrum is a power law
in it, with the mean index of the sky; the maps follow how it changes with direction."""
_FINE = 22
"""Order of the HEALPix grid on which positions in a pixel are drawn: 0.05 arcsec."""


class Emission(Protocol):
    """A component of the sky.

    Attributes
    ----------
    disperses : bool
        Whether measured energies differ from true ones. The isotropic spectra were fitted without
        energy dispersion, so they are spectra in measured energy.
    """

    disperses: bool

    def draw(self, which: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """True energies in MeV and ICRS unit vectors, for each number in ``which``, shape (n,)."""

    def rates(self, which: np.ndarray) -> np.ndarray:
        """Relative rate in each year, shape (n, 10)."""


class SourceEmission:
    """Sources: points, and shapes as the renderer has them.

    Parameters
    ----------
    sources : QTable
    low, high : float
        True energies in MeV.
    index : float
        Photon index of sources without a spectrum in the table.
    """

    disperses = True

    def __init__(self, sources: QTable, low: float, high: float, index: float) -> None:
        self._place(layout_of(sources))
        self._history = flux_history(sources)
        energies = np.geomspace(low, high, _NODES)
        if "SpectrumType" in sources.colnames:
            spectra = spectra_of(sources).differential(energies * u.MeV).value
        else:
            spectra = np.tile((energies / low) ** -index, (len(sources), 1))
        self._spectra = _Spectra(energies, spectra)

    def draw(self, which: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Energies and positions of the sources ``which``."""
        energies = self._spectra.draw(which, rng)
        at = np.searchsorted(self._below, which + rng.random(len(which)), side="right")
        vectors = self._vectors[np.minimum(at, len(self._vectors) - 1)]
        for row, radii in self._radii.items():
            here = np.flatnonzero(which == row)
            apart = radii[rng.integers(len(radii), size=len(here))]
            vectors[here] = aside(vectors[here], apart, rng)
        return energies, vectors

    def rates(self, which: np.ndarray) -> np.ndarray:
        """Fluxes in each year relative to the mean."""
        return self._history[which]

    def _place(self, layout: Layout) -> None:
        """Points of each source, one after the other; a round one has its centre and radii."""
        round_ones = list(layout.round)
        rows = np.concatenate([layout.rows, np.array(round_ones, dtype=int)])
        vectors = np.concatenate([layout.vectors, layout.centres[round_ones].reshape(-1, 3)])
        shares = np.concatenate([layout.shares, np.ones(len(round_ones))])
        order = np.argsort(rows, kind="stable")
        self._vectors = to_frame(vectors[order], "icrs")
        # The shares of each source add up to one, so that the sum goes on by one from row to row.
        self._below = np.cumsum(shares[order])
        self._radii = {row: np.hypot(*shape_points(shape)) for row, shape in layout.round.items()}


class IsotropicEmission:
    """Emission that is the same in all directions.

    Parameters
    ----------
    spectrum : IsotropicSpectrum
    low, high : float
        Energies in MeV.
    """

    disperses = False

    def __init__(self, spectrum: IsotropicSpectrum, low: float, high: float) -> None:
        energies = np.geomspace(low, high, _NODES)
        values = spectrum.differential(energies * u.MeV).value
        self._spectra = _Spectra(energies, values[np.newaxis])

    def draw(self, which: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Energies, and directions anywhere."""
        energies = self._spectra.draw(np.zeros_like(which), rng)
        height, angle = 2 * rng.random(len(which)) - 1, 2 * np.pi * rng.random(len(which))
        across = np.sqrt(1 - height**2)
        return energies, np.stack([across * np.cos(angle), across * np.sin(angle), height], axis=-1)

    def rates(self, which: np.ndarray) -> np.ndarray:
        """No variation."""
        return np.ones((len(which), N_YEARS))


class InterstellarEmission:
    """The interstellar emission, from maps in parts of a band.

    Parameters
    ----------
    source : str
        ``"embedded"`` or the path of a cube.
    low, high : float
        True energies in MeV.
    """

    disperses = True

    def __init__(self, source: str, low: float, high: float) -> None:
        n_parts = max(2, int(np.ceil(np.log10(high / low) / _WIDTH)))
        self._edges = np.geomspace(low, high, n_parts + 1)
        self._pixels, maps = interstellar_intensity(
            source, energy_bands(self._edges / 1000 * u.GeV)
        )
        self._cumulative = np.cumsum(np.concatenate(maps))
        self._axes = to_frame(np.eye(3), "icrs")
        totals = np.array([values.sum() for values in maps])
        self._index = _indices(self._edges, totals)

    def draw(self, which: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Energies and directions as in the maps."""
        picked = rng.random(len(which)) * self._cumulative[-1]
        place = np.minimum(np.searchsorted(self._cumulative, picked), self._cumulative.size - 1)
        part, pixel = np.divmod(place, self._pixels.shape[0])
        low, high = self._edges[part], self._edges[part + 1]
        slope = 1 - self._index[part]
        share = rng.random(len(which))
        energies = low * (1 + share * ((high / low) ** slope - 1)) ** (1 / slope)
        return energies, _inside(self._pixels, pixel, rng) @ self._axes

    def rates(self, which: np.ndarray) -> np.ndarray:
        """No variation."""
        return np.ones((len(which), N_YEARS))


class _Spectra:
    """Spectra tabulated at the same energies, shape (n, n_energies); they may be zero."""

    def __init__(self, energies: np.ndarray, spectra: np.ndarray) -> None:
        rate = spectra * energies
        self._logs = np.log(energies)
        photons = (rate[:, 1:] + rate[:, :-1]) / 2 * np.diff(self._logs)
        below = np.concatenate([np.zeros((len(spectra), 1)), np.cumsum(photons, axis=1)], axis=1)
        below /= np.where(below[:, -1:] > 0, below[:, -1:], 1)
        # The rows follow each other, so that one search serves all of them.
        self._below = (below + np.arange(len(below))[:, None]).ravel()

    def draw(self, which: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw an energy from each of the spectra ``which``."""
        n, picked = len(self._logs), which + rng.random(len(which))
        first = which * n
        at = np.clip(np.searchsorted(self._below, picked, side="right") - 1, first, first + n - 2)
        low, step = self._below[at], self._below[at + 1] - self._below[at]
        along = np.divide(picked - low, step, out=np.zeros_like(low), where=step > 0)
        return np.exp(
            self._logs[at - first] + np.clip(along, 0, 1) * (self._logs[1] - self._logs[0])
        )


def _indices(edges: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """Photon index within each interval, from the density in its neighbours."""
    middle = np.log(np.sqrt(edges[1:] * edges[:-1]))
    slopes = np.gradient(np.log(totals / np.diff(edges)), middle)
    # A power law with index 1 has no closed form below; no emission is that hard.
    return np.maximum(-slopes, 1.01)


def _inside(pixels: HealpixPixels, index: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Random directions in HEALPix pixels, shape (n, 3)."""
    import healpy as hp

    finer = 4 ** (_FINE - int(np.log2(pixels.nside)))
    nested = hp.ring2nest(pixels.nside, index) * finer + rng.integers(finer, size=len(index))
    return np.stack(hp.pix2vec(2**_FINE, nested, nest=True), axis=-1)
