"""What the labelled sources of a catalogue teach each stage."""

from __future__ import annotations

from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.table import QTable

from gammafind.catalogue.columns import numbers_of, texts_of
from gammafind.catalogue.positions import sky_positions

AGN = ("bll", "fsrq", "bcu", "rdg", "agn", "ssrq", "css", "nlsy1", "sey")
PULSARS = ("psr", "msp")
GALACTIC = ("snr", "pwn", "spp", "glc", "bin", "hmb", "lmb", "sfr", "nov", "gc")
"""Classes of 4FGL in lower case. Galaxies that are no active ones are left out."""
UNASSOCIATED = ("", "unk")
"""Sources whose kind is not known."""
UNCERTAIN = (*UNASSOCIATED, "bcu")
"""Sources of which it is not known whether they are BL Lacs or quasars."""
NO_SOURCE = "none"
"""What stands for the class of a source that another catalogue does not have."""
_USUAL_R95 = 0.05
"""Error in degrees of the few sources for which none is listed."""


def classes_of(table: QTable) -> np.ndarray:
    """Classes of a catalogue in lower case, shape (n,)."""
    return np.char.lower(texts_of(table, "class_label"))


def counterparts(table: QTable, other: QTable) -> np.ndarray:
    """Classes in another catalogue, of the nearest source within both 95 % errors, shape (n,)."""
    index, apart, _ = sky_positions(table).match_to_catalog_sky(sky_positions(other))
    own, theirs = (
        np.nan_to_num(numbers_of(one, "r95", u.deg), nan=_USUAL_R95) for one in (table, other)
    )
    near = apart.deg < np.hypot(own, theirs[index])
    return np.where(near, classes_of(other)[index], NO_SOURCE)


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
