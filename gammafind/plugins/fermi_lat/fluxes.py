"""Where the sources of a table are, and how bright in each band and year."""

from __future__ import annotations

from collections.abc import Sequence

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from gammafind.errors import TableError
from gammafind.measure.data import photon_shares
from gammafind.plugins.fermi_lat.catalogues import spectra_of
from gammafind.plugins.fermi_lat.years import N_YEARS
from gammafind.sky.bands import Band
from gammafind.sky.projection import unit_vectors

__all__ = ["band_fluxes", "flux_history", "galactic_vectors", "positions"]


def galactic_vectors(sources: QTable) -> np.ndarray:
    """Galactic unit vectors of the sources, shape (n, 3).

    Raises
    ------
    TableError
        If a position is not finite.
    """
    here = positions(sources).galactic
    vectors = unit_vectors(here.l.deg, here.b.deg).reshape(-1, 3)
    _refuse(~np.all(np.isfinite(vectors), axis=1), sources, "a position that is not finite")
    return vectors


def positions(sources: QTable) -> SkyCoord:
    """Positions of the sources."""
    return SkyCoord(sources["ra"], sources["dec"], frame="icrs")


def band_fluxes(sources: QTable, bands: Sequence[Band], index: float) -> np.ndarray:
    """Photon flux in each band, shape (n, n_bands), in cm-2 s-1.

    From the spectra, where the table has them as a 4FGL catalogue does; otherwise ``flux`` is
    shared out among the bands as a power law with photon index ``index`` says.

    Raises
    ------
    TableError
        If a column of the spectra is missing, or a flux negative or not finite.
    """
    if "SpectrumType" in sources.colnames:
        spectra = spectra_of(sources)
        fluxes = [spectra.flux(band.low, band.high).to_value("cm-2 s-1") for band in bands]
        flux = np.stack(fluxes, axis=1)
    else:
        edges = [tuple(band.edges.to_value(u.GeV, u.spectral())) for band in bands]
        share = photon_shares(edges, index)
        flux = sources["flux"].to_value("cm-2 s-1")[:, None] * share
    _refuse(
        ~np.all(np.isfinite(flux) & (flux >= 0), axis=1),
        sources,
        "a flux that is negative or not finite",
    )
    return flux


def flux_history(sources: QTable) -> np.ndarray:
    """Flux in each of ten years over its mean, shape (n, 10); ones where the table has none.

    Raises
    ------
    TableError
        If there is another number of years, or a value is negative or not finite.
    """
    if "flux_history" not in sources.colnames:
        return np.ones((len(sources), N_YEARS))
    history = np.asarray(sources["flux_history"], dtype=float)
    if history.shape[1:] != (N_YEARS,):
        raise TableError(
            f"flux_history has the shape {history.shape}",
            remedy=f"It holds {N_YEARS} years for each source.",
        )
    _refuse(
        ~np.all(np.isfinite(history) & (history >= 0), axis=1),
        sources,
        "a flux_history that is negative or not finite",
    )
    return history


def _refuse(bad: np.ndarray, sources: QTable, fault: str) -> None:
    if bad.any():
        raise TableError(
            f"{bad.sum()} sources have {fault}, first {sources['name'][bad][0]}",
            remedy="Positions and fluxes are finite, fluxes not negative.",
        )
