"""Conversion of the fits to a table of numbers, and back."""

from __future__ import annotations

import numpy as np
from astropy.table import Table

from gammafind.plugins.fermi_lat.population.fit import ClassFit, PopulationFit
from gammafind.plugins.fermi_lat.population.fluxes import FluxDistribution
from gammafind.plugins.fermi_lat.population.forms import FORM_OF
from gammafind.plugins.fermi_lat.population.shapes import ShapeFit
from gammafind.plugins.fermi_lat.population.shares import CLASSES

_ALL = "all"
_SHAPES = {
    "log_flux": (-1,),
    "quantiles": (3, -1),
    "correlation": (4, 4),
    "families": (3, 2),
    "log_amplitude": (2,),
    "exp_index": (),
}
_OF_CLASS = ("latitudes", "longitudes", "variability")
_DIGITS = 7
"""Digits of a number: more than the fit is worth, and keeps the file small."""


def fit_to_table(fit: PopulationFit) -> Table:
    """Write a fit as rows of ``class_label, quantity, index, value``, to seven digits."""
    arrays = {
        (_ALL, "edges"): fit.fluxes.edges,
        **{(name, "counts"): row for name, row in zip(CLASSES, fit.fluxes.counts, strict=True)},
        **{(name, "level"): level for name, level in zip(CLASSES, fit.fluxes.level, strict=True)},
    }
    for name, one in fit.classes.items():
        arrays |= {(name, key): getattr(one.shapes, key) for key in _SHAPES}
        arrays |= {(name, key): getattr(one, key) for key in _OF_CLASS}
    rows = [
        (label, quantity, index, float(f"{value:.{_DIGITS}g}"))
        for (label, quantity), array in arrays.items()
        if array is not None
        for index, value in enumerate(np.ravel(array))
    ]
    return Table(rows=rows, names=("class_label", "quantity", "index", "value"))


def fit_from_table(table: Table) -> PopulationFit:
    """Read a fit from a table of `fit_to_table`."""
    label, quantity = np.asarray(table["class_label"]), np.asarray(table["quantity"])
    value = np.asarray(table["value"], dtype=float)

    def array(name: str, key: str) -> np.ndarray | None:
        found = value[(label == name) & (quantity == key)]
        return found if len(found) else None

    def one(name: str) -> ClassFit:
        shapes = {key: array(name, key).reshape(size) for key, size in _SHAPES.items()}
        shapes["exp_index"] = float(shapes["exp_index"])
        return ClassFit(
            shapes=ShapeFit(form=FORM_OF[name], **shapes),
            **{key: array(name, key) for key in _OF_CLASS},
        )

    fluxes = FluxDistribution(
        edges=array(_ALL, "edges"),
        counts=np.stack([array(name, "counts") for name in CLASSES]),
        level=np.concatenate([array(name, "level") for name in CLASSES]),
    )
    return PopulationFit(fluxes=fluxes, classes={name: one(name) for name in CLASSES})
