"""Spectra of sources among those that are tried, and fluxes that follow from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gammafind.fitting.photons.data import SkyData, in_parts, photon_shares
from gammafind.fitting.photons.likelihood import AmplitudeFit
from gammafind.fitting.photons.scan import scan_sources, scan_spectra
from gammafind.fitting.photons.templates import Templates

INDICES = (1.2, 1.6, 2.0, 2.3, 2.6, 3.0, 3.6, 4.5)
"""Photon indices that are tried: those of 4FGL and 2FHL, so close that TS changes by less than
1 %."""


@dataclass(frozen=True, eq=False)
class SpectralFit:
    """Sources with the most likely of some spectra, each with everything else fixed.

    Attributes
    ----------
    counts : ndarray, shape (n, n_bands)
    ts : ndarray, shape (n,)
    error : ndarray, shape (n,)
        1 sigma error of the counts in all bands together, relative to them.
    """

    counts: np.ndarray
    ts: np.ndarray
    error: np.ndarray


def n_energies(data: SkyData) -> int:
    """Number of bands of different energies."""
    return len({band.edges for band in data.bands})


def fit_spectra(
    data: SkyData, vectors: np.ndarray, counts: np.ndarray, at: np.ndarray | None = None
) -> SpectralFit:
    """Fit the counts of each source with power laws and with the shares that it has.

    Parameters
    ----------
    data : SkyData
        Its model includes the sources.
    vectors : ndarray, shape (n, 3)
    counts : ndarray, shape (n, n_bands)
        Counts of the sources in the model.
    at : ndarray, shape (n, 3), optional
        Positions of the fits, if not those of the model.
    """
    tried = _tried(data, vectors, counts)
    fit = scan_spectra(data, vectors if at is None else at, tried, without=(vectors, counts))
    return _best(fit, tried)


def fit_spectra_of(
    data: SkyData,
    templates: Sequence[Templates],
    rows: np.ndarray,
    vectors: np.ndarray,
    counts: np.ndarray,
) -> SpectralFit:
    """As `fit_spectra`, for some of the sources whose templates are known.

    Parameters
    ----------
    data : SkyData
        Its model includes the sources.
    templates : sequence of Templates
        Of all sources, one per band.
    rows : ndarray of int, shape (n,)
    vectors : ndarray, shape (n, 3)
        Positions of these sources.
    counts : ndarray, shape (n, n_bands)
        Their counts in the model.
    """
    tried = _tried(data, vectors, counts)
    return _best(scan_sources(data, templates, rows, counts, tried), tried)


def _best(fit: AmplitudeFit, tried: np.ndarray) -> SpectralFit:
    """The most likely of the spectra of each source."""
    best = fit.ts.argmax(axis=0), np.arange(fit.ts.shape[1])
    amplitude, error = fit.amplitude[best], fit.error[best]
    relative = np.divide(error, amplitude, out=np.full(len(error), np.inf), where=amplitude > 0)
    return SpectralFit(amplitude[:, None] * tried[best], fit.ts[best], relative)


def fluxes(data: SkyData, vectors: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Fluxes of sources with some counts (n, n_bands), in all energies together, shape (n,).

    In each band of energies it is the counts of all channels over their exposure.
    """
    exposures, edges = data.exposures(vectors), [band.edges for band in data.bands]
    total = np.zeros(len(vectors))
    for energies in dict.fromkeys(edges):
        same = [edge == energies for edge in edges]
        seen, exposure = counts[:, same].sum(axis=1), exposures[:, same].sum(axis=1)
        total += np.divide(seen, exposure, out=np.zeros(len(seen)), where=exposure > 0)
    return total


def _tried(data: SkyData, vectors: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Shares of the counts in the bands of each spectrum, shape (n_spectra, n, n_bands)."""
    own = data.shares_of(vectors, counts)
    if n_energies(data) == 1:
        return own[None]
    exposures, edges = data.exposures(vectors), [band.edges for band in data.bands]
    power_laws = [in_parts(exposures * photon_shares(edges, index)) for index in INDICES]
    return np.stack([own, *power_laws])
