"""Tables of an association: the catalogue with its counterparts, all candidates, and the rates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable

from gammafind.catalogue.association.candidates import Pairs
from gammafind.catalogue.association.counterparts import CounterpartList
from gammafind.catalogue.association.solve import Solution
from gammafind.catalogue.columns import texts_of

NO_ERROR, DUPLICATE, AMBIGUOUS, SHARED = 1, 2, 4, 8
"""Bits of ``ASSOC_FLAGS``."""
FLAG_TEXTS = {
    NO_ERROR: "the position error is not known: not associated",
    DUPLICATE: "another row has the same name",
    AMBIGUOUS: "the candidates together reach the threshold, none of them alone",
    SHARED: "another row has the same counterpart",
}
"""What the bits of ``ASSOC_FLAGS`` mean."""

_UCDS = {
    "ASSOC1": ("meta.id.cross", "Name of the counterpart"),
    "ASSOC2": ("meta.id.cross", "Name of the next candidate, of a probability of at least 0.1"),
    "ASSOC_PROB_BAY": ("stat.probability", "Probability of the association; 0 where there is none"),
    "CLASS1": ("meta.code.class;src.class", "Class of the counterpart"),
    "CLASS2": ("meta.code.class;src.class", "Class of the next candidate"),
    "ASSOC_CATALOGUE": ("meta.id.cross", "Catalogues that list the counterpart"),
    "RA_Counterpart": ("pos.eq.ra", "Right ascension of the counterpart (ICRS)"),
    "DEC_Counterpart": ("pos.eq.dec", "Declination of the counterpart (ICRS)"),
    "Unc_Counterpart": ("stat.error;pos", "95 % error radius of the counterpart"),
    "ASSOC_FLAGS": ("meta.code", "Bits: 1 no error, 2 duplicate, 4 ambiguous, 8 shared"),
}
"""UCDs and descriptions of the columns that an association adds."""


def associated_catalogue(
    catalogue: QTable,
    solution: Solution | None,
    lists: Sequence[CounterpartList],
    known: np.ndarray,
    *,
    threshold: float,
) -> QTable:
    """Add the counterparts to a catalogue.

    Parameters
    ----------
    catalogue : QTable
        n rows.
    solution : Solution or None
        None for a catalogue without rows.
    lists : sequence of CounterpartList
    known : ndarray of bool, shape (n,)
        Rows whose position error is known.
    threshold : float

    Returns
    -------
    QTable
        A copy with the columns of `_UCDS`, at the end where they are new. ``CLASS1`` of a row
        without a counterpart stays where a classifier wrote it (columns ``prob_<class>``), and is
        empty otherwise.
    """
    n = len(catalogue)
    columns = _empty(n)
    own_class = [texts_of(catalogue, "class_label")] * _is_classified(catalogue)
    columns["CLASS1"] = (own_class or [columns["CLASS1"]])[0].astype(object)
    columns["ASSOC_FLAGS"][~known] |= NO_ERROR
    columns["ASSOC_PROB_BAY"][known] = 0.0
    columns["ASSOC_FLAGS"][_repeated(texts_of(catalogue, "source_name"))] |= DUPLICATE
    if solution is not None:
        _fill(columns, solution, lists, threshold)
    made = QTable(catalogue, copy=True)
    for name, (ucd, description) in _UCDS.items():
        values = columns[name]
        made[name] = values.astype(str) if values.dtype == object else values
        made[name].info.meta, made[name].info.description = {"ucd": ucd}, description
    return made


def _empty(n: int) -> dict[str, Any]:
    texts = ("ASSOC1", "ASSOC2", "CLASS1", "CLASS2", "ASSOC_CATALOGUE")
    angles = ("RA_Counterpart", "DEC_Counterpart", "Unc_Counterpart")
    return {
        **{name: np.full(n, "", dtype=object) for name in texts},
        "ASSOC_PROB_BAY": np.full(n, np.nan),
        **{name: np.full(n, np.nan) * u.deg for name in angles},
        "ASSOC_FLAGS": np.zeros(n, dtype=int),
    }


def _is_classified(catalogue: QTable) -> bool:
    return any(name.startswith("prob_") for name in catalogue.colnames)


def _repeated(names: np.ndarray) -> np.ndarray:
    """Which names are those of several rows; an empty one is no name."""
    _, index, counts = np.unique(names, return_inverse=True, return_counts=True)
    return (counts[index] > 1) & (names != "")


def _fill(
    columns: dict[str, Any], solution: Solution, lists: Sequence[CounterpartList], threshold: float
) -> None:
    pairs, decision = solution.pairs, solution.decision
    names, classes, ra, dec, r95 = counterpart_columns(pairs, lists)
    given = np.flatnonzero((decision.total >= threshold) & (decision.best >= 0))
    best = decision.best[given]
    columns["ASSOC1"][given], columns["CLASS1"][given] = names[best], classes[best]
    columns["ASSOC_PROB_BAY"][given] = decision.total[given]
    columns["RA_Counterpart"][given], columns["DEC_Counterpart"][given] = ra[best], dec[best]
    columns["Unc_Counterpart"][given] = r95[best]
    columns["ASSOC_CATALOGUE"][given] = _catalogues(solution, lists, given)
    weak = np.setdiff1d(np.flatnonzero(decision.best >= 0), given)
    second = decision.second.copy()
    likely = decision.object_probability[decision.best[weak]] >= 0.1
    second[weak] = np.where(likely, decision.best[weak], -1)
    there = np.flatnonzero(second >= 0)
    columns["ASSOC2"][there] = names[second[there]]
    columns["CLASS2"][there] = classes[second[there]]
    together = weak[decision.any[weak] >= threshold]
    columns["ASSOC_FLAGS"][together] |= AMBIGUOUS
    columns["ASSOC_FLAGS"][given[_repeated(decision.object[best].astype(str))]] |= SHARED


def _catalogues(
    solution: Solution, lists: Sequence[CounterpartList], rows: np.ndarray
) -> np.ndarray:
    """Catalogues that list the counterpart of each row, separated by commas."""
    pairs, decision = solution.pairs, solution.decision
    lead = decision.best[pairs.row]
    same = (lead >= 0) & (decision.object == decision.object[lead])
    labels: dict[int, dict[str, None]] = {}
    for row, catalogue in zip(pairs.row[same], pairs.catalogue[same], strict=True):
        labels.setdefault(int(row), {})[lists[catalogue].label] = None
    return np.array([",".join(labels[int(row)]) for row in rows], dtype=object)


def counterpart_columns(
    pairs: Pairs, lists: Sequence[CounterpartList]
) -> tuple[np.ndarray, np.ndarray, u.Quantity, u.Quantity, u.Quantity]:
    """Names, classes, positions (ICRS) and 95 % error radii of the counterparts of all pairs."""
    names, classes = (np.full(len(pairs), "", dtype=object) for _ in range(2))
    ra, dec, r95 = (np.zeros(len(pairs)) for _ in range(3))
    for number, one in enumerate(lists):
        here = pairs.catalogue == number
        rows = pairs.entry[here]
        names[here], classes[here] = one.names[rows], one.classes[rows]
        ra[here], dec[here] = one.positions.ra.deg[rows], one.positions.dec.deg[rows]
        r95[here] = one.r95[rows]
    return names, classes, ra * u.deg, dec * u.deg, r95 * u.deg


def candidate_table(
    catalogue: QTable, solution: Solution | None, lists: Sequence[CounterpartList]
) -> QTable:
    """Table of all candidate pairs, one row a pair, in the order of the catalogue.

    ``Probability`` is that of the pair, ``Object_Probability`` that of its object in all
    catalogues that list it; rows with the same ``Row`` and ``Object`` are one object.
    """
    if solution is None:
        pairs = Pairs(*(np.zeros(0, int),) * 4, *(np.zeros(0),) * 4)
        probability = of_object = np.zeros(0)
        number = np.zeros(0, int)
    else:
        pairs, decision = solution.pairs, solution.decision
        probability, of_object = decision.probability, decision.object_probability
        number = decision.object
    names, classes, ra, dec, _ = counterpart_columns(pairs, lists)
    labels = np.array([one.label for one in lists])
    return QTable(
        {
            "Row": pairs.row,
            "Source_Name": texts_of(catalogue, "source_name")[pairs.row],
            "Catalogue": labels[pairs.catalogue],
            "Counterpart": names.astype(str),
            "Class": classes.astype(str),
            "RA_Counterpart": ra,
            "DEC_Counterpart": dec,
            "Separation": pairs.separation * u.deg,
            "Separation_Sigma": pairs.sigmas,
            "Local_Density": pairs.density / u.deg**2,
            "Likelihood_Ratio": pairs.ratio,
            "Probability": probability,
            "Object": number,
            "Object_Probability": of_object,
        }
    )


def rate_table(
    solution: Solution | None, lists: Sequence[CounterpartList], *, threshold: float
) -> QTable:
    """Numbers of each catalogue: associations, and how many of them are expected to be false.

    ``N_False_Stated`` is the sum of one minus the probabilities. ``N_Chance_Stated`` is the part of
    sources without a true counterpart, which ``N_Chance_Measured`` measures at shifted positions;
    in the other part another candidate is the true one.
    """
    n = len(lists)
    if solution is None:
        given, stated, chance = np.zeros(n, int), np.zeros(n), np.zeros(n)
        measured = np.zeros((0, n))
    else:
        decision = solution.decision
        rows = np.flatnonzero((decision.total >= threshold) & (decision.best >= 0))
        catalogue = solution.pairs.catalogue[decision.best[rows]]
        given = np.bincount(catalogue, minlength=n)
        stated = np.bincount(catalogue, 1 - decision.total[rows], n)
        chance = np.bincount(catalogue, np.maximum(1 - decision.any[rows], 0), n)
        measured = solution.chance_by_shift
    known = len(measured) > 0
    return QTable(
        {
            "Catalogue": [one.label for one in lists],
            "N_Counterparts": [len(one) for one in lists],
            "N_Associations": given,
            "N_False_Stated": stated,
            "N_Chance_Stated": chance,
            "N_Chance_Measured": measured.mean(axis=0) if known else np.full(n, np.nan),
            "Unc_N_Chance_Measured": _error(measured) if known else np.full(n, np.nan),
        }
    )


def _error(counts: np.ndarray) -> np.ndarray:
    """Error of the mean of counts at several shifts, at least that of Poisson counts."""
    shifts = len(counts)
    poisson = np.sqrt(np.maximum(counts.sum(axis=0), 1)) / shifts
    return np.maximum(counts.std(axis=0) / np.sqrt(shifts), poisson)


def group_records(solution: Solution, lists: Sequence[CounterpartList]) -> list[dict[str, Any]]:
    """Priors and density factors of each catalogue and class, for the metadata."""
    groups = solution.groups
    return [
        {
            "catalogue": lists[groups.catalogue[i]].label,
            "class": groups.name[i],
            "members": int(groups.n_members[i]),
            "prior": round(float(solution.priors.outside[i]), 6),
            "prior_plane": round(float(solution.priors.inside[i]), 6),
            "prior_fixed": bool(np.isfinite(groups.prior[i])),
            "density_factor": round(float(solution.factors[i]), 4),
        }
        for i in range(len(groups))
    ]
