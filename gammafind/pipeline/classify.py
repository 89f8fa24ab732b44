"""Classes of detections: the part of the pipeline that comes after the localiser."""

from __future__ import annotations

import numpy as np
from astropy.table import QTable, hstack

from gammafind.errors import OptionError
from gammafind.fitting.cutters import CUTTERS
from gammafind.roles.classifier import Classifier
from gammafind.sky.epochs import Epochs
from gammafind.sky.observation import Observation
from gammafind.utils.checks import require
from gammafind.utils.progress import stage

INSIDE = "cutout_inside"
"""Column that says whether the cut-outs of a detection are on the map."""


def classify(
    detections: QTable,
    observation: Observation,
    classifier: Classifier,
    *,
    epochs: Epochs | None = None,
    probabilities: bool = True,
) -> QTable:
    """Say what the detections of a sky are.

    Parameters
    ----------
    detections : QTable
        Schema DETECTIONS.
    observation : Observation
        In which they were found.
    classifier : Classifier
        From `Classifier.for_sky`.
    epochs : Epochs, optional
        Counts apart for each epoch, on the pixels of the observation.
    probabilities : bool
        Whether the scores of the detections are probabilities.

    Returns
    -------
    QTable
        The same detections with ``class_label``, ``prob_<class>`` and ``cutout_inside``, which is
        false where cut-outs reach over the edge of the map, or into pixels without data. Stamps
        of images also have ``cutout_saturated``.

    Raises
    ------
    InputDataError
        If the counts of the epochs do not add up to those of the observation.
    """
    if not len(detections):
        return detections
    cutouts = CUTTERS[classifier.sees](
        observation,
        detections,
        layout=classifier.layout,
        epochs=epochs if classifier.n_epochs else None,
        probabilities=probabilities,
    )
    with stage(f"classifying with {classifier.name}"):
        classes = classifier.classify(cutouts.arrays)
    table = hstack([detections, classes], metadata_conflicts="silent")
    table.meta = dict(detections.meta)
    table[INSIDE] = cutouts.inside
    table[INSIDE].info.description = "Whether the cut-outs of the source lie on the map"
    for name, values in cutouts.columns.items():
        table[name] = values
    return table


def without_fakes(detections: QTable, classifier: Classifier, max_fake: float) -> QTable:
    """Drop what is likely no source.

    Parameters
    ----------
    detections : QTable
        From `classify`.
    classifier : Classifier
    max_fake : float
        Largest probability of being no source, of all such classes together, that is kept.

    Raises
    ------
    OptionError
        If the number is none between 0 and 1, or the classifier knows no such class.
    """
    require("max_fake", max_fake, 0 <= max_fake <= 1, "It must be between 0 and 1.")
    if not classifier.fakes:
        raise OptionError(
            f"the classifier {classifier.name} has no class of detections that are no source",
            remedy="Leave max_fake out.",
        )
    if not len(detections):
        return detections
    fake = sum(np.asarray(detections[f"prob_{name}"]) for name in classifier.fakes)
    return detections[fake <= max_fake]
