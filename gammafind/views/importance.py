"""How much each measured quantity matters to a classifier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gammafind.catalogue.class_colours import CLASS_COLOURS
from gammafind.utils.outside import for_figure
from gammafind.views.style import styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHOWN = 12
"""Quantities of each panel: the others hardly matter."""


def importance_figure(panels: Mapping[str, Mapping[str, tuple[float, float]]]) -> Figure:
    """Bars of the quantities that matter most.

    Parameters
    ----------
    panels : mapping of str to mapping
        By the pair of classes that is separated, and by quantity: the fall of the AUC if the
        quantity is shuffled among the sources, and its scatter.

    Returns
    -------
    Figure
        One panel a pair.
    """
    from gammafind.views.shown import ShownFigure

    with styled():
        figure = ShownFigure(figsize=(3.7 * max(len(panels), 1), 3.2), layout="constrained")
        axes = figure.subplots(1, max(len(panels), 1), squeeze=False)[0]
        for one, (title, falls) in zip(axes, panels.items(), strict=False):
            ranked = sorted(falls.items(), key=lambda item: item[1][0])[-_SHOWN:]
            names = [for_figure(name) for name, _ in ranked]
            means, scatters = ([value[i] for _, value in ranked] for i in (0, 1))
            one.barh(names, means, xerr=scatters, color=CLASS_COLOURS[0], height=0.7)
            one.minorticks_off()
            one.set(xlabel="fall of the AUC if shuffled", title=for_figure(title))
    return figure
