"""Classes of the sources of a catalogue, from what was measured of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from astropy.table import QTable

from gammafind.catalogue.prov import PROVENANCE, STEPS, prov_document, steps_of
from gammafind.pipeline.inputs import Table, table_of
from gammafind.roles.classifier import CLASS_PROBABILITY, UNKNOWN, Classifier
from gammafind.roles.provenance import provenance
from gammafind.roles.registry import create
from gammafind.utils.progress import stage

GIVEN = "CLASS1_given"
"""Column that keeps the classes that the catalogue came with."""
_DESCRIPTIONS = {
    "CLASS1": "Class, or group of classes, that can be stated",
    CLASS_PROBABILITY: "Probability of CLASS1; 0 where nothing can be stated",
    "Class_Flags": "1 no level probable enough, 2 outside the training, 4 no spectrum",
}


def classify_catalogue(
    catalogue: Table,
    *,
    classifier: str | Classifier = "features",
    options: Mapping[str, Any] | None = None,
    command: str = "",
) -> QTable:
    """Estimate the classes of the sources of a catalogue.

    Parameters
    ----------
    catalogue : str, path-like or QTable
        A catalogue like 4FGL, n rows: the name of one that comes with the package, a file or a
        table.
    classifier : str or Classifier
        One that sees catalogues.
    options : mapping, optional
        Of the classifier, where it is given by name: ``abstain`` is the least probability of what
        is named.
    command : str
        Command line, for the record.

    Returns
    -------
    QTable
        The catalogue with ``prob_<class>``; ``CLASS1``, the finest level that is probable enough;
        ``class_probability``, that of this level; and ``Class_Flags``. Its own ``CLASS1`` is kept
        as ``CLASS1_given``. ``meta["class_purity"]`` is the expected purity of each label.

    Raises
    ------
    OptionError
        If the classifier sees maps or images, or does not know an option.
    TableError
        If the catalogue has no rows, or lacks a column.
    InputFileError
        If a file cannot be used.

    Examples
    --------
    >>> import gammafind
    >>> found = gammafind.classify_catalogue("4fgl-dr2")
    >>> unknown = found[found["CLASS1_given"] == ""]
    >>> sorted(set(unknown["CLASS1"].tolist()) - {"UNK"})
    ['BCU', 'BLL', 'FSRQ', 'GALACTIC', 'OTHER', 'PSR']
    """
    given = table_of(catalogue)
    what = given.meta.get("name") or "the catalogue"
    if isinstance(classifier, str):
        classifier = create("classifier", classifier, **(options or {}))
    columns = classifier.columns_of(given, what=what)
    with stage(f"classifying with {classifier.name}"):
        classes = classifier.classify(columns)
    classes.rename_column("class_label", "CLASS1")
    table = _joined(given, classes)
    before = steps_of(given.meta)
    record = provenance(
        preset="",
        used={"classifier": classifier},
        inputs=_inputs(given),
        seed=0,
        command=command,
        class_purity=purity(table),
    )
    table.meta |= {**record, STEPS: [*before, *steps_of(record)]}
    table.meta[PROVENANCE] = prov_document(table.meta)
    return table


def purity(table: QTable) -> dict[str, float]:
    """Expected share of right labels, by label: the mean probability of what is named."""
    labels, stated = np.asarray(table["CLASS1"]), np.asarray(table[CLASS_PROBABILITY])
    named = sorted(set(labels.tolist()) - {UNKNOWN})
    return {name: round(float(stated[labels == name].mean()), 3) for name in named}


def _joined(given: QTable, classes: QTable) -> QTable:
    """Catalogue with the columns of classes, which take the place of old ones."""
    table = given.copy()
    if "CLASS1" in table.colnames and GIVEN not in table.colnames:
        table.rename_column("CLASS1", GIVEN)
        table[GIVEN].info.description = "Class in the catalogue that was classified"
    for name in classes.colnames:
        table[name] = classes[name]
        described = name.startswith("prob_") and f"Probability of being {name[5:]}"
        table[name].info.description = _DESCRIPTIONS.get(name) or described
    table["CLASS1"].info.meta = {"ucd": "meta.code.class;src.class"}
    return table


def _inputs(given: QTable) -> list[dict[str, str]]:
    """Name and checksum of the file of the catalogue, if it was read from one."""
    known = {key: given.meta[key] for key in ("name", "sha256") if key in given.meta}
    return [known] if len(known) == 2 else []
