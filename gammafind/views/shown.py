"""Figures that a notebook shows, whether or not somebody has imported pyplot."""

from __future__ import annotations

import io

from matplotlib.figure import Figure

_DOTS = 80
"""Dots per inch on a page: a figure of 11 inches fits the width of a notebook."""


class ShownFigure(Figure):
    """A figure with a picture of itself."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        picture = io.BytesIO()
        self.savefig(picture, format="png", dpi=self.dpi)
        width, height = (round(_DOTS * inches) for inches in self.get_size_inches())
        return picture.getvalue(), {"width": width, "height": height}
