"""The style of all figures: sizes, fonts and colours that colour-blind readers can distinguish."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


MISSED = "#7A7A7A"
"""Reference sources that were not found."""
COLOUR_MAP = "gray_r"
"""Colour map of the counts: grey, so that the coloured markers are visible."""
COLUMN_WIDTH = 3.7
"""Width of a small figure in inches."""

_STYLE = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.labelsize": 9,
    "axes.linewidth": 0.7,
    "axes.axisbelow": True,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "lines.linewidth": 1.2,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "xtick.minor.visible": True,
    "ytick.minor.visible": True,
    "figure.dpi": 170,
    "savefig.facecolor": "white",
}


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the style of the report; restore the settings of the caller afterwards."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


def small_figure() -> tuple[Figure, Axes]:
    """Figure of one column of a page, and its axes."""
    from gammafind.views.shown import ShownFigure

    with styled():
        figure = ShownFigure(figsize=(COLUMN_WIDTH, 0.8 * COLUMN_WIDTH), layout="constrained")
        return figure, figure.add_subplot()


def add_rayleigh(axes: Axes, end: float) -> None:
    """Draw the distribution of normalised offsets that Gaussian errors give, and name the axes."""
    x = np.linspace(0, end, 200)
    axes.plot(x, x * np.exp(-(x**2) / 2), color="black", label="Rayleigh")
    axes.set(xlabel="Offset / standard error (last bin: and above)", ylabel="Density")


def capitalised(text: str) -> str:
    """Text with a capital first letter, for labels and headings; the rest does not change."""
    return text[:1].upper() + text[1:]


def png(figure: Figure) -> bytes:
    """PNG file of a figure, the same bytes for the same figure."""
    buffer = io.BytesIO()
    with styled():
        figure.savefig(buffer, format="png", dpi=figure.dpi, metadata={"Software": None})
    return buffer.getvalue()
