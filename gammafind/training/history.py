"""How a training went: a row for each epoch, as a table and as a plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import astropy.units as u
from astropy.table import QTable

from gammafind.catalogue.io import write_table
from gammafind.utils.files import atomic_output

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Row", "best_row", "history_figure", "history_table", "write_history"]

Row = Mapping[str, float]
"""Epoch (from 1), learning rate, losses of training and validation (``val_``), time."""

_UNITS = {"seconds": u.s, "patches_per_second": u.s**-1}
_COLOURS = {"loss": "#0072B2", "val_loss": "#D55E00"}
_LABELS = {"loss": "training", "val_loss": "validation"}


def best_row(rows: Sequence[Row]) -> Row:
    """Return the first row of the lowest validation loss."""
    return min(rows, key=lambda row: row["val_loss"])


def history_table(rows: Sequence[Row]) -> QTable:
    """Table of a history, one row an epoch."""
    table = QTable({name: [row[name] for row in rows] for name in rows[0]})
    for name, unit in _UNITS.items():
        if name in table.colnames:
            table[name] = table[name] * unit
    return table


def write_history(rows: Sequence[Row], folder: Path) -> None:
    """Write ``history.ecsv`` and ``history.png``, in place of those that are there.

    Parameters
    ----------
    rows : sequence of Row
        At least one.
    folder : Path
    """
    write_table(history_table(rows), folder / "history.ecsv", overwrite=True)
    with atomic_output(folder / "history.png", overwrite=True) as temporary:
        history_figure(rows).savefig(temporary, metadata={"Software": None})


def history_figure(rows: Sequence[Row]) -> Figure:
    """Loss of training and validation against the epoch, and where validation was best."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 3.4), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    epochs = [row["epoch"] for row in rows]
    for name, colour in _COLOURS.items():
        values = [row[name] for row in rows]
        axes.plot(epochs, values, ".-", color=colour, label=_LABELS[name])
    best = best_row(rows)
    axes.plot(best["epoch"], best["val_loss"], "o", color=_COLOURS["val_loss"], mfc="none", ms=9)
    axes.annotate(
        f"lowest: {best['val_loss']:.4g}",
        (best["epoch"], best["val_loss"]),
        xytext=(0, 9),
        textcoords="offset points",
        ha="center",
        fontsize=8,
    )
    axes.set(xlabel="Epoch", ylabel="Loss")
    axes.legend(frameon=False)
    return figure
