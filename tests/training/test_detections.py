from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable
from numpy.testing import assert_array_equal

from gammafind.errors import TableError
from gammafind.training.classifier import fit_temperature
from gammafind.training.detections import labels_of

CLASSES = ("BLL", "PSR", "FAKE")


def table(ra, **columns):
    ra = np.asarray(ra, dtype=float)
    return QTable({"ra": ra * u.deg, "dec": np.zeros(len(ra)) * u.deg, **columns})


def test_labels_are_those_of_the_sources_that_are_matched_once():
    found = table([10.0, 10.1, 50.0, 80.05, 120.0], score=[0.9, 0.8, 0.7, 0.6, np.nan])
    true = table([10.02, 80.0, 120.0], class_label=["PSR", "BLL", "BLL"])
    label, source = labels_of(found, true, classes=CLASSES, fake="FAKE", radius=0.3 * u.deg)
    assert_array_equal(label, [1, 2, 2, 0, 2])
    assert_array_equal(source, [0, -1, -1, 1, -1])


def test_sources_of_other_classes_are_named():
    with pytest.raises(TableError, match="sources of class QSO"):
        labels_of(
            table([1.0], score=[1.0]),
            table([1.0], class_label=["QSO"]),
            classes=CLASSES,
            fake="FAKE",
            radius=1 * u.deg,
        )


@pytest.mark.parametrize("true", [0.5, 1.0, 2.0])
def test_the_temperature_makes_probabilities_true(true):
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 2, (20_000, 3))
    chance = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    label = (rng.random(20_000)[:, None] > chance.cumsum(axis=1)).sum(axis=1)
    assert fit_temperature(logits * true, label) == pytest.approx(true, rel=0.05)
