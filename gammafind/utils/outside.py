"""Text that comes from files, made safe for each format in which it is written.

Names, classes and metadata are chosen by others. What has a meaning in a format is replaced by a
mark that has none, or is written so that it stands for itself.
"""

from __future__ import annotations

_DS9 = str.maketrans({"{": "(", "}": ")", ";": ","})
"""Marks that end a text or a region in DS9, and what is written in their place."""
_LONGEST = 120
"""Characters of a text in a figure: longer ones leave no room for the figure."""


def printable(text: object) -> str:
    """Text on one line, without marks that steer a reader or cannot be encoded."""
    shown = str(text)
    if shown.isprintable():
        return shown
    return " ".join("".join(mark if mark.isprintable() else " " for mark in shown).split())


def for_ds9(text: object) -> str:
    """Text that cannot end the region that it belongs to: without braces and semicolons."""
    return " ".join(printable(text).translate(_DS9).split())


def for_figure(text: object) -> str:
    """Text that matplotlib draws as it is: its dollars begin no formula."""
    shown = printable(text)
    if len(shown) > _LONGEST:
        shown = f"{shown[: _LONGEST - 3]}..."
    return shown.replace("$", r"\$")
