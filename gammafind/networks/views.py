"""A network's answer, averaged over the ways in which a patch can be turned."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gammafind.networks.folder import Runner

_X, _Y = 1, 2
"""Channels of the offsets."""


@dataclass(frozen=True)
class View:
    """One orientation of a patch.

    Parameters
    ----------
    transposed, flipped_y, flipped_x : bool
        What is done to the pixels, in this order.
    """

    transposed: bool
    flipped_y: bool
    flipped_x: bool

    def turned(self, array: np.ndarray) -> np.ndarray:
        """Pixels (n, w, w, channels) as this view shows them."""
        if self.transposed:
            array = array.swapaxes(1, 2)
        return self._flipped(array)

    def turned_back(self, output: np.ndarray) -> np.ndarray:
        """Output of a network for this view, as seen without it; offsets turn too."""
        output = self._flipped(output)
        if self.transposed:
            output = output.swapaxes(1, 2)
        if output.shape[-1] == 1:
            return output
        output = output.copy()
        signs = {_X: self.flipped_x, _Y: self.flipped_y}
        for channel, flipped in signs.items():
            if flipped:
                output[..., channel] *= -1
        if self.transposed:
            output[..., [_X, _Y]] = output[..., [_Y, _X]]
        return output

    def _flipped(self, array: np.ndarray) -> np.ndarray:
        return array[:, :: -1 if self.flipped_y else 1, :: -1 if self.flipped_x else 1]


VIEWS = tuple(
    sorted(
        (View(*choice) for choice in itertools.product((False, True), repeat=3)),
        key=lambda view: (view.flipped_y != view.flipped_x, view.transposed),
    )
)
"""All eight; the first, the first two and the first four are turned and flipped evenly."""


def averaged(run: Runner, inputs: Sequence[np.ndarray], n_views: int) -> np.ndarray:
    """Mean output of a network over some views.

    Parameters
    ----------
    run : Runner
    inputs : sequence of ndarray, shape (n, width, width, channels)
    n_views : int
        Of `VIEWS`.

    Returns
    -------
    ndarray
        As ``run`` returns it.
    """
    total: np.ndarray | float = 0.0
    for view in VIEWS[:n_views]:
        seen = [np.ascontiguousarray(view.turned(array)) for array in inputs]
        total = total + view.turned_back(run(seen))
    return np.asarray(total) / n_views
