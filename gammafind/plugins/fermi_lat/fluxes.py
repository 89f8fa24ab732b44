"""Positions of the sources of a table, and their fluxes in each band and year."""

from __future__ import annotations

from collections.abc import Sequence

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from gammafind.errors import TableError
from gammafind.fitting.photons.data import photon_shares
from gammafind.plugins.fermi_lat.catalogues import spectra_of
from gammafind.plugins.fermi_lat.years import N_YEARS
from gammafind.sky.bands import Band
from gammafind.sky.projection import unit_vectors


def galactic_vectors(sources: QTable) -> np.ndarray:
    """Galactic unit vectors of the sources, shape (n, 3); otherwise as `positions`."""
    here = positions(sources).galactic
    return unit_vectors(here.l.deg, here.b.deg).reshape(-1, 3)


def positions(sources: QTable) -> SkyCoord:
    """Positions of the sources.

    Raises
    ------
    TableError
        If a position is not finite or not on the sky.
    """
    ra, dec = sources["ra"], sources["dec"]
    on_sky = np.isfinite(ra.value) & (np.abs(dec.to_value(u.deg)) <= 90)
    _refuse(~on_sky, sources, "no valid position")
    return SkyCoord(ra, dec, frame="icrs")


def band_fluxes(sources: QTable, bands: Sequence[Band], index: float) -> np.ndarray:
    """Photon flux in each band, shape (n, n_bands), in cm-2 s-1.

    Computed from the spectra, if the table has them like a 4FGL catalogue. Otherwise ``flux`` is
    divided among the bands by a power law with photon index ``index``.

    Raises
    ------
    TableError
        If a column of the spectra is missing, a parameter is impossible, a flux is negative or not
        finite, or a source has no photons in any of the bands.
    """
    total = sources["flux"].to_value("cm-2 s-1")
    bad = ~(np.isfinite(total) & (total >= 0))
    _refuse(bad, sources, "a flux that is negative or not finite")
    if "SpectrumType" in sources.colnames:
        flux, bright = _integrals(sources, bands)
    else:
        edges = [tuple(band.edges.to_value(u.GeV, u.spectral())) for band in bands]
        share = photon_shares(edges, index)
        flux, bright = total[:, None] * share, total
    bad = ~np.all(np.isfinite(flux), axis=1)
    _refuse(bad, sources, "a spectrum whose flux is not finite")
    low, high = bands[0].low.to_value(u.GeV), bands[-1].high.to_value(u.GeV)
    _refuse(
        (bright > 0) & ~flux.any(axis=1), sources, f"no photons between {low:g} and {high:g} GeV"
    )
    return flux


def flux_history(sources: QTable) -> np.ndarray:
    """Flux in each of ten years relative to its mean, shape (n, 10); ones if not in the table.

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
            remedy=f"It must have {N_YEARS} years for each source.",
        )
    _refuse(
        ~np.all(np.isfinite(history) & (history >= 0), axis=1),
        sources,
        "a flux_history that is negative or not finite",
    )
    return history


def _integrals(sources: QTable, bands: Sequence[Band]) -> tuple[np.ndarray, np.ndarray]:
    """Photon fluxes of the spectra in each band, shape (n, n_bands), and their amplitudes."""
    spectra = spectra_of(sources)
    amplitude, pivot = spectra.amplitude.value, spectra.pivot.value
    shape = [
        np.asarray(values, float)
        for values in (spectra.index, spectra.curvature, spectra.exp_index)
    ]
    _refuse(
        ~(np.isfinite(amplitude) & (amplitude >= 0)),
        sources,
        "a flux density that is negative or not finite",
    )
    _refuse(~(np.isfinite(pivot) & (pivot > 0)), sources, "a Pivot_Energy that is not positive")
    _refuse(
        ~np.all(np.isfinite(shape), axis=0), sources, "an index or curvature that is not finite"
    )
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        fluxes = [spectra.flux(band.low, band.high).to_value("cm-2 s-1") for band in bands]
    return np.stack(fluxes, axis=1), amplitude


def _refuse(bad: np.ndarray, sources: QTable, fault: str) -> None:
    if bad.any():
        raise TableError(
            f"{bad.sum()} of {len(bad)} sources have {fault}, the first {sources['name'][bad][0]}",
            remedy="Positions, fluxes and spectra must be finite, fluxes not negative, and each "
            "source must have photons at these energies.",
        )
