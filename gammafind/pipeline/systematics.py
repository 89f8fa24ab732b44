"""Systematic errors of the measured fluxes, positions and TS of a catalogue."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.table import QTable

from gammafind.catalogue.columns import numbers, numbers_of, vectors
from gammafind.catalogue.measured_columns import SYSTEMATIC_CAUSES, SYSTEMATICS
from gammafind.catalogue.positions import sky_positions
from gammafind.fitting.photons.systematics import weights_of_fit
from gammafind.sky.observation import Observation
from gammafind.sky.systematics import Systematics

_TOTALS = ("Flux1000", "Flux", "Energy_Flux100", "Energy_Flux")
"""Columns of fluxes over several bands."""
_COLUMNS = {column.name: column for column in SYSTEMATICS}
_INDEX = 2.3
"""Photon index of sources without a spectrum: the median of 4FGL-DR2 is 2.25."""
_FEW = 1e-3
"""Counts of a source without any: its error is that of the background."""


def with_systematics(
    catalogue: QTable, observation: Observation, systematics: Systematics | None
) -> QTable:
    """Add the systematic errors of fluxes, positions and TS, in columns of their own.

    Parameters
    ----------
    catalogue : QTable
        n rows with positions. ``Flux_Band`` or, without it, ``PL_Index`` says how the bands of the
        observation share the flux of a source.
    observation : Observation
        Of photons.
    systematics : Systematics or None
        Of the instrument; without them the catalogue stays as it is.

    Returns
    -------
    QTable
        With ``Sys_<cause>_<flux>`` and ``Sys_<flux>`` of each flux that it has, one standard
        deviation each, and ``Sys_Conf_95`` and ``Sys_TS``.
    """
    fluxes = [name for name in _TOTALS if name in catalogue.colnames]
    if systematics is None or observation.is_image or not len(catalogue) or not fluxes:
        return catalogue
    groups, bands = _energies(observation)
    in_band = _band_fluxes(catalogue, bands, observation.flux_unit)
    parts = _Parts(catalogue, observation, systematics, in_band[:, groups])
    made = QTable(catalogue, copy=False)
    total = parts.relative(np.ones(len(groups), dtype=bool))
    for name in fluxes:
        unit = catalogue[name].unit or u.Unit(_COLUMNS[f"Sys_{name}"].unit)
        _add(made, name, total * np.abs(numbers(catalogue, name, unit)), unit)
    if _has_bands(catalogue, len(bands)):
        each = [parts.relative(groups == k) * parts.flux(groups == k) for k in range(len(bands))]
        _add(made, "Flux_Band", np.stack(each, axis=-1), observation.flux_unit)
    ts = numbers_of(catalogue, "ts")
    ts = np.where(np.isfinite(ts), ts, numbers_of(catalogue, "significance") ** 2)
    change = 2 * total[SYSTEMATIC_CAUSES.index("Diffuse")] * ts
    _set(made, "Sys_TS", np.minimum(change, ts))
    known = np.isfinite(numbers_of(catalogue, "r95", u.deg))
    _set(made, "Sys_Conf_95", np.where(known, systematics.position, np.nan))
    return made


class _Parts:
    """What each channel of an observation knows of the fluxes of sources, shapes (n, channels)."""

    def __init__(
        self,
        catalogue: QTable,
        observation: Observation,
        systematics: Systematics,
        fluxes: np.ndarray,
    ) -> None:
        places = sky_positions(catalogue, what="the catalogue")
        background = observation.total_background()
        self.systematics = systematics
        self.counts, self.exposure = np.zeros_like(fluxes), np.zeros_like(fluxes)
        self.share, self.information = np.zeros_like(fluxes), np.zeros_like(fluxes)
        for k, pixels in enumerate(observation.counts.pixels):
            pixel = pixels.pixel_of(places)
            area = pixels.pixel_area.to_value("sr")
            level = np.where(pixel >= 0, background.values[k].ravel()[pixel], 0) / area
            exposure = np.where(pixel >= 0, observation.exposure.values[k].ravel()[pixel], 0)
            counts = np.maximum(np.nan_to_num(fluxes[:, k]) * exposure, _FEW)
            self.counts[:, k], self.exposure[:, k] = counts, exposure
            psf = observation.psfs[k]
            self.share[:, k], info = weights_of_fit(psf, level, counts, area)
            self.information[:, k] = info * counts**2 * (exposure > 0)

    def relative(self, channels: np.ndarray) -> np.ndarray:
        """Relative errors by effective area, diffuse model and PSF, shape (3, n)."""
        own, share = self.information[:, channels], self.share[:, channels]
        errors = (
            np.asarray(values)[channels]
            for values in (
                self.systematics.exposure, self.systematics.background, self.systematics.psf
            )
        )  # fmt: skip
        exposure, background, psf = errors
        seen = (self.information > 0)[:, channels]
        with np.errstate(invalid="ignore", divide="ignore"):
            by_cause = (
                own * exposure,
                self.counts[:, channels] * share * background * seen,
                own * share * psf,
            )
            return np.array([one.sum(axis=1) / own.sum(axis=1) for one in by_cause])

    def flux(self, channels: np.ndarray) -> np.ndarray:
        """Flux of the band of some channels, that of `_FEW` counts at least, shape (n,)."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.counts[:, channels].sum(axis=1) / self.exposure[:, channels].sum(axis=1)


def _energies(observation: Observation) -> tuple[np.ndarray, np.ndarray]:
    """Band of energies of each channel, and the edges of these bands in MeV, shape (bands, 2)."""
    edges = [tuple(np.round(b.edges.to_value("MeV"), 6)) for b in observation.counts.bands]
    different = list(dict.fromkeys(edges))
    return np.array([different.index(one) for one in edges]), np.array(different)


def _has_bands(catalogue: QTable, n: int) -> bool:
    return "Flux_Band" in catalogue.colnames and catalogue["Flux_Band"].shape[1:] == (n,)


def _band_fluxes(catalogue: QTable, edges: np.ndarray, unit: u.UnitBase) -> np.ndarray:
    """Photon flux of each source in each band, shape (n, bands)."""
    if _has_bands(catalogue, len(edges)):
        return vectors(catalogue, "Flux_Band", unit)
    index = np.nan_to_num(numbers(catalogue, "PL_Index"), nan=_INDEX)[:, None]
    index = np.where(np.abs(index - 1) < 1e-3, 1.001, index)
    shares = np.abs(edges[:, 0] ** (1 - index) - edges[:, 1] ** (1 - index))
    name, low, high = "Flux", edges.min(), edges.max()
    if name not in catalogue.colnames:
        name, low, high = "Flux1000", 1e3, 1e5
    whole = np.abs(low ** (1 - index) - high ** (1 - index))
    return numbers(catalogue, name, unit)[:, None] * shares / whole


def _add(table: QTable, name: str, errors: np.ndarray, unit: u.UnitBase) -> None:
    """Columns of the errors of a flux: of each cause, shape (3, n, ...), and of all together."""
    for cause, values in zip(SYSTEMATIC_CAUSES, errors, strict=True):
        _set(table, f"Sys_{cause}_{name}", values, unit)
    _set(table, f"Sys_{name}", np.sqrt(np.sum(errors**2, axis=0)), unit)


def _set(table: QTable, name: str, values: np.ndarray, unit: u.UnitBase | None = None) -> None:
    column = _COLUMNS[name]
    unit = unit or u.Unit(column.unit)
    table[name] = values if unit == u.dimensionless_unscaled else values * unit
    table[name].info.description, table[name].info.meta = column.description, {"ucd": column.ucd}
