"""One colour for each class, on the page and in region files; safe for colour-blind readers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

CLASS_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
"""Colours that colour-blind readers can distinguish (Okabe and Ito 2008)."""
OTHER_COLOUR = CLASS_COLOURS[-1]
"""Colour of sources without a class, and of classes without their own colour."""
MATCHED = "#0072B2"
UNMATCHED = "#D55E00"
"""Colours of detections with and without a reference source."""
_IN_IMAGES = {
    "star": "#0072B2",
    "galaxy": "#E69F00",
    "cosmic-ray": "#D55E00",
    "hot-pixel": "#CC79A7",
    "trail": "#009E73",
    "bleed": "#8B4513",
    "nothing": "#785EF0",
}
"""Classes of detections in images; they have the same colours in all images."""


def class_colours(labels: Iterable[str]) -> dict[str, str]:
    """Assign colours to the classes of a catalogue.

    Parameters
    ----------
    labels : iterable of str
        Class of each detection of the whole catalogue; empty if there is none.

    Returns
    -------
    dict of str to str
        Colour by class. Classes of images have fixed colours. Of all others the five most frequent
        have their own, in this order. The rest share `OTHER_COLOUR`.
    """
    names = [str(name) for name, _ in Counter(labels).most_common() if name]
    if any(name in _IN_IMAGES for name in names):
        return {name: colour for name, colour in _IN_IMAGES.items() if name in names}
    return dict(zip(names, CLASS_COLOURS[:-1], strict=False))
