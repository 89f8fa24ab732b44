"""Purity against completeness of localisers on the same sky."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gammafind.catalogue.class_colours import CLASS_COLOURS
from gammafind.evaluation.numbers import PURITY
from gammafind.utils.outside import for_figure
from gammafind.views.localisers import Search
from gammafind.views.style import small_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_LINES = ("-", ":")
_LEAST_PURITY = 0.5
"""Lower end of the axis: lower purities are of no use."""


def localiser_figure(searches: Sequence[Search]) -> Figure | None:
    """Purity against completeness for decreasing score cuts, and the published point.

    Parameters
    ----------
    searches : sequence of Search

    Returns
    -------
    Figure or None
        None if no curve is known, as without a reference.
    """
    if not any(region.curve for search in searches for region in search.summary.regions):
        return None
    figure, axes = small_figure()
    with styled():
        for index, search in enumerate(searches):
            _draw(axes, search, CLASS_COLOURS[index % len(CLASS_COLOURS)])
        axes.axhline(PURITY, color="black", linestyle="--", linewidth=0.9)
        axes.set(xlabel="Completeness", ylabel="Purity", xlim=(0, None))
        axes.set_ylim(max(axes.get_ylim()[0], _LEAST_PURITY), 1.01)
        axes.legend(loc="lower left")
    return figure


def _draw(axes: Axes, search: Search, colour: str) -> None:
    """Curves of one localiser, one per region."""
    regions = search.summary.regions[1:] or search.summary.regions
    for region, line in zip(regions, _LINES, strict=False):
        if not region.curve:
            continue
        label = for_figure(search.localiser) if line == _LINES[0] else None
        curve = region.curve
        axes.plot(
            curve["completeness"],
            curve["purity"],
            line,
            color=colour,
            label=label and for_figure(label),
        )
        published = region.rates
        axes.plot(published.completeness, published.purity, "o", markersize=4, color=colour)
