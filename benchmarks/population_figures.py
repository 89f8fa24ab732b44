"""Figures of docs/guide/population.md: the fits compared with the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from astropy.table import QTable
from matplotlib.figure import Figure
from population_samples import (
    CATALOGUE,
    LOG_FLUX,
    POPULATIONS,
    drawn_like,
    real_members,
)

from gammafind.catalogue.class_colours import CLASS_COLOURS
from gammafind.plugins.fermi_lat.catalogues import class_group
from gammafind.plugins.fermi_lat.population.shares import CLASSES, class_shares
from gammafind.views.style import styled

PEAK = -12.0
NAMES = {
    "F0": "log10 F0 (cm-2 s-1 MeV-1)",
    "E0": "log10 E0 (MeV)",
    "index": "index",
    "curvature": "curvature (beta, or a)",
}
STYLES = {"default": (CLASS_COLOURS[0], "-"), "paper": (CLASS_COLOURS[4], "--")}


def draw_figures(folder: Path, skies: list[QTable]) -> Iterator[Path]:
    """Draw all figures into a folder."""
    with styled():
        for name, figure in {
            "population_parameters": parameters(),
            "population_fluxes": fluxes(skies),
            "population_positions": positions(skies),
        }.items():
            path = folder / f"{name}.png"
            figure.savefig(path, dpi=110, metadata={"Software": None})
            yield path


def parameters() -> Figure:
    """Histograms of each parameter of each class, real, drawn, and from the paper."""
    figure = Figure(figsize=(9.5, 8), layout="constrained")
    axes = figure.subplots(len(CLASSES), len(NAMES))
    for row, name in zip(axes, CLASSES, strict=True):
        real = real_members(name, PEAK)
        drawn = {
            key: drawn_like(POPULATIONS[key].fit, POPULATIONS[key], name, real) for key in STYLES
        }
        for i, axis in enumerate(row):
            values = _column(real.parameters, i)
            edges = np.linspace(*np.quantile(values, [0.005, 0.995]), 25)
            axis.hist(values, edges, density=True, color="0.8", label="4FGL-DR2")
            for key, sample in drawn.items():
                colour, line = STYLES[key]
                density = np.histogram(_column(sample.parameters, i), edges)[0] / len(sample.shape)
                axis.stairs(density / np.diff(edges), edges, color=colour, ls=line, label=key)
            axis.set_yticks([])
        row[0].set_ylabel(name)
    for axis, label in zip(axes[-1], NAMES.values(), strict=True):
        axis.set_xlabel(label)
    axes[0, 0].legend()
    return figure


def fluxes(skies: list[QTable]) -> Figure:
    """Sources per 0.1 dex of energy flux, all and by class."""
    figure = Figure(figsize=(8.5, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    edges = np.arange(-13.0, -8.4, 0.1)
    finite = LOG_FLUX[LOG_FLUX > -13]
    left.hist(finite, edges, color="0.8", label="4FGL-DR2")
    left.stairs(_mean_counts(skies, edges), edges, color=CLASS_COLOURS[0], label="synthetic")
    left.axvline(np.log10(3.4e-13), color="0.4", lw=0.8, ls=":", label="threshold of the paper")
    bright = LOG_FLUX >= PEAK
    shares = class_shares(class_group(CATALOGUE["CLASS1"][bright]), CATALOGUE["GLAT"].value[bright])
    for name, share, colour in zip(CLASSES, shares.T, CLASS_COLOURS, strict=False):
        right.stairs(_mean_counts(skies, edges, name), edges, color=colour, label=name)
        real = np.histogram(LOG_FLUX[bright], edges, weights=share)[0]
        right.plot((edges[:-1] + 0.05)[real > 0], real[real > 0], ".", color=colour)
    for axis in (left, right):
        axis.set(
            yscale="log", ylim=(0.5, 1500), xlabel="log10 energy flux 1-100 GeV (erg cm-2 s-1)"
        )
        axis.legend()
    left.set_ylabel("sources per 0.1 dex")
    return figure


def positions(skies: list[QTable]) -> Figure:
    """Latitude and longitude of the Galactic classes."""
    figure = Figure(figsize=(8.5, 5), layout="constrained")
    bright = CATALOGUE[LOG_FLUX >= PEAK]
    shares = class_shares(class_group(bright["CLASS1"]), bright["GLAT"].value)
    lat_edges = np.append(np.arange(0, 20, 1.0), np.arange(20, 91, 5.0))
    lon_edges = np.arange(-180, 181, 10.0)
    lat, lon = np.abs(bright["GLAT"].value), _wrapped(bright["GLON"].value)
    for row, name in zip(figure.subplots(2, 2), ("PSR", "PWN+SNR"), strict=True):
        share = shares[:, CLASSES.index(name)]
        one = [
            sky[(sky["class_label"] == name) & (sky["energy_flux"].value >= 1e-12)] for sky in skies
        ]
        drawn = np.concatenate([np.abs(sky["glat"].value) for sky in one])
        drawn_lon = np.concatenate([_wrapped(sky["glon"].value) for sky in one])
        for axis, edges, real, synthetic in (
            (row[0], lat_edges, lat, drawn),
            (row[1], lon_edges, lon, drawn_lon),
        ):
            width = np.diff(edges)
            axis.stairs(
                np.histogram(real, edges, weights=share)[0] / width,
                edges, fill=True, color="0.8", label="4FGL-DR2",
            )  # fmt: skip
            counts = np.histogram(synthetic, edges)[0] / len(skies)
            axis.stairs(counts / width, edges, color=CLASS_COLOURS[0], label="synthetic")
        row[0].set(yscale="log", xlabel="abs(b) (deg)", ylabel=f"{name} per degree")
        row[1].set(xlabel="l (deg)")
        row[0].legend()
    return figure


def _column(table: np.ndarray, i: int) -> np.ndarray:
    return np.log10(table[:, i]) if i == 1 else table[:, i]


def _mean_counts(skies: list[QTable], edges: np.ndarray, name: str | None = None) -> np.ndarray:
    chosen = [sky if name is None else sky[sky["class_label"] == name] for sky in skies]
    values = np.concatenate([sky["energy_flux"].value.astype(float) for sky in chosen])
    return np.histogram(np.log10(values), edges)[0] / len(skies)


def _wrapped(lon: np.ndarray) -> np.ndarray:
    return (lon + 180) % 360 - 180
