"""How a training went: a row for each epoch, as a table and as a plot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import astropy.units as u
from astropy.table import QTable

from gammafind.catalogue.io import read_table, write_table
from gammafind.roles.trainer import Row
from gammafind.utils.files import atomic_output

if TYPE_CHECKING:
    from matplotlib.figure import Figure


HISTORY = "history.ecsv"
_UNITS = {"seconds": u.s, "patches_per_second": u.s**-1}
_COLOURS = {"loss": "#0072B2", "val_loss": "#D55E00"}
_LABELS = {"loss": "training", "val_loss": "validation"}


def best_row(rows: Sequence[Row]) -> Row:
    """Return the first row of the lowest validation loss."""
    return min(rows, key=lambda row: row["val_loss"])


def last_stage(rows: Sequence[Row]) -> list[Row]:
    """Rows of the last of several stages; all rows where there is one."""
    return [row for row in rows if row.get("stage") == rows[-1].get("stage")]


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
    write_table(history_table(rows), folder / HISTORY, overwrite=True)
    with atomic_output(folder / "history.png", overwrite=True) as temporary:
        history_figure(rows).savefig(temporary, metadata={"Software": None})


def read_history(folder: Path) -> list[Row]:
    """Rows of the table that `write_history` wrote."""
    table = read_table(folder / HISTORY)
    columns = {name: getattr(table[name], "value", table[name]) for name in table.colnames}
    return [{name: column[i].item() for name, column in columns.items()} for i in range(len(table))]


def history_figure(rows: Sequence[Row]) -> Figure:
    """Loss of training and validation against the epoch, counted through all stages.

    A vertical line separates stages, whose losses may be of different kinds; a ring marks the
    lowest validation loss of the last stage.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 3.4), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    last = last_stage(rows)
    first = len(rows) - len(last)
    for start in [i for i in range(1, len(rows)) if rows[i]["epoch"] <= rows[i - 1]["epoch"]]:
        axes.axvline(start + 0.5, color="0.8", lw=1)
    for name, colour in _COLOURS.items():
        values = [row[name] for row in rows]
        axes.plot(range(1, len(rows) + 1), values, ".-", color=colour, label=_LABELS[name])
    best = best_row(last)
    place = first + best["epoch"]
    axes.plot(place, best["val_loss"], "o", color=_COLOURS["val_loss"], mfc="none", ms=9)
    axes.annotate(
        f"lowest: {best['val_loss']:.4g}",
        (place, best["val_loss"]),
        xytext=(0, 9),
        textcoords="offset points",
        ha="center",
        fontsize=8,
    )
    axes.set(xlabel="Epoch", ylabel="Loss")
    axes.legend(frameon=False)
    return figure
