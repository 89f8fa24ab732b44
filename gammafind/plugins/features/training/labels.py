"""What the labelled sources of a catalogue teach each stage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

AGN = ("bll", "fsrq", "bcu", "rdg", "agn", "ssrq", "css", "nlsy1", "sey")
PULSARS = ("psr", "msp")
GALACTIC = ("snr", "pwn", "spp", "glc", "bin", "hmb", "lmb", "sfr", "nov", "gc")
"""Classes of 4FGL in lower case. Galaxies that are no active ones are left out."""
UNASSOCIATED = ("", "unk")
"""Sources whose kind is not known."""
UNCERTAIN = (*UNASSOCIATED, "bcu")
"""Sources of which it is not known whether they are BL Lacs or quasars."""


@dataclass(frozen=True, eq=False)
class Lesson:
    """Rows of a catalogue from which a stage learns, and to which it is applied.

    Attributes
    ----------
    rows : ndarray of int, shape (n,)
        Labelled sources.
    truth : ndarray of int, shape (n,)
        Their classes.
    like : ndarray of int, shape (m,)
        Sources without a class.
    """

    rows: np.ndarray
    truth: np.ndarray
    like: np.ndarray


def kind_lesson(classes: np.ndarray) -> Lesson:
    """Active galaxies (0), pulsars (1) and other Galactic sources (2).

    Parameters
    ----------
    classes : ndarray of str, shape (n,)
        ``CLASS1`` of all sources.
    """
    return _lesson(classes, (AGN, PULSARS, GALACTIC), UNASSOCIATED)


def blazar_lesson(classes: np.ndarray) -> Lesson:
    """BL Lacs (0) and flat-spectrum radio quasars (1); see `kind_lesson`."""
    return _lesson(classes, (("bll",), ("fsrq",)), UNCERTAIN)


def _lesson(classes: np.ndarray, groups: tuple[tuple[str, ...], ...], like: tuple) -> Lesson:
    lower = np.char.lower(np.char.strip(np.asarray(classes, dtype=str)))
    members = np.stack([np.isin(lower, group) for group in groups])
    rows = np.flatnonzero(members.any(axis=0))
    unknown = np.flatnonzero(np.isin(lower, like))
    return Lesson(rows=rows, truth=members[:, rows].argmax(axis=0), like=unknown)
