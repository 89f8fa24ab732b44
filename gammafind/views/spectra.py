"""Figures of one source: its spectrum and its light curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy.table import QTable

from gammafind.catalogue.columns import texts_of
from gammafind.errors import TableError
from gammafind.sky.spectral_forms import log_parabola, plec4, power_law
from gammafind.utils.outside import for_figure
from gammafind.views.charts import light_curve_data, spectrum_data
from gammafind.views.style import small_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_POINT, _CURVE = "#0072B2", "#D55E00"
_CURVE_POINTS = 100


def sed_figure(catalogue: QTable, row: int) -> Figure:
    """Draw the spectral energy distribution of a source, with the fitted curve.

    Parameters
    ----------
    catalogue : QTable
        With ``nuFnu_Band`` and ``Flux_Band``, as ``gammafind measure`` makes it.
    row : int

    Raises
    ------
    TableError
        If bands were not measured.
    """
    from matplotlib.ticker import LogFormatter

    spectra = spectrum_data(catalogue)
    if spectra is None:
        raise TableError(
            "the catalogue has no fluxes of bands", remedy="Measure it: gammafind measure."
        )
    figure, axes = small_figure()
    edges = np.array(spectra["edges"])
    _draw(axes, edges, spectra["points"][row], np.sqrt(edges[:, 0] * edges[:, 1]))
    fitted = spectra["fitted"] and spectra["fitted"][row]
    if fitted:
        energy = np.geomspace(edges.min(), edges.max(), _CURVE_POINTS)
        curve = energy**2 * differential(fitted, energy) * spectra["erg"]
        axes.plot(energy, curve, color=_CURVE, zorder=1)
    with styled():
        axes.set(
            xscale="log", yscale="log", title=_title(catalogue, row),
            xlabel="Energy [GeV]", ylabel=r"$E^2\,dN/dE$ [erg cm$^{-2}$ s$^{-1}$]",
        )  # fmt: skip
        axes.xaxis.set_major_formatter(LogFormatter())
        axes.xaxis.set_minor_formatter(LogFormatter(minor_thresholds=(1.5, 0.5)))
    return figure


def light_curve_figure(catalogue: QTable, row: int) -> Figure:
    """Draw the flux of a source in each epoch.

    Parameters
    ----------
    catalogue : QTable
        With ``Flux_History``, as ``gammafind measure --epochs`` makes it.
    row : int

    Raises
    ------
    TableError
        If epochs were not measured.
    """
    curves = light_curve_data(catalogue)
    if curves is None:
        raise TableError(
            "the catalogue has no fluxes of epochs",
            remedy="Measure it with epochs: gammafind measure --epochs.",
        )
    figure, axes = small_figure()
    edges = np.array(curves["edges"])
    _draw(axes, edges, curves["points"][row], edges.mean(axis=1))
    axes.set(
        title=_title(catalogue, row), xlabel=curves["xlabel"], ylabel="Flux [cm$^{-2}$ s$^{-1}$]"
    )
    axes.ticklabel_format(axis="x", useOffset=False)
    axes.set_ylim(bottom=min(0, axes.get_ylim()[0]))
    return figure


def differential(fitted: Mapping[str, Any], energy: np.ndarray) -> np.ndarray:
    """Photons per area, time and energy of a fitted spectrum, with PLEC4 of 4FGL-DR3.

    Parameters
    ----------
    fitted : mapping
        ``type``, ``pivot``, ``density``, ``index``, ``curvature``, ``exponent``.
    energy : ndarray
        In the unit of the pivot.
    """
    shape = [fitted[name] for name in ("density", "pivot", "index")]
    if fitted["type"] == "LogParabola":
        return log_parabola(energy, *shape, fitted["curvature"])
    if fitted["type"].startswith("PLSuperExpCutoff"):
        return plec4(energy, *shape, fitted["curvature"], fitted["exponent"])
    return power_law(energy, *shape)


def _title(catalogue: QTable, row: int) -> str:
    return for_figure(texts_of(catalogue, "source_name")[row])


def _draw(
    axes: Axes, edges: np.ndarray, points: Sequence[Sequence[Any]], centre: np.ndarray
) -> None:
    """Points with errors, and arrows for limits."""
    value, low, high = (
        np.array([np.nan if one[k] is None else one[k] for one in points]) for k in range(3)
    )
    limit = np.array([bool(one[3]) for one in points])
    wide = np.abs(edges.T - centre)
    for chosen, up in ((~limit, False), (limit, True)):
        if not np.any(chosen & np.isfinite(value)):
            continue
        below = np.where(up, 0.3 * value, value - low)
        above = np.where(up, 0, high - value)
        axes.errorbar(
            centre[chosen], value[chosen], xerr=wide[:, chosen],
            yerr=np.nan_to_num(np.maximum([below[chosen], above[chosen]], 0)),
            uplims=up, fmt="none" if up else "o", color=_POINT, markersize=4, linewidth=1,
        )  # fmt: skip
