"""Counts folded by gammapy; run by energy_dispersion.py in an environment with gammapy."""

from __future__ import annotations

import sys
from pathlib import Path

import astropy.units as u
import numpy as np
from gammapy.datasets import SpectrumDataset
from gammapy.irf import EDispMap
from gammapy.maps import MapAxis, RegionGeom, RegionNDMap
from gammapy.modeling.models import (
    ExpCutoffPowerLawSpectralModel,
    PowerLawSpectralModel,
    SkyModel,
)


def main() -> None:
    """Read task.npz in the folder given, write results.npz next to it."""
    folder = Path(sys.argv[1])
    with np.load(folder / "task.npz") as file:
        task = dict(file)
    counts = [fold(task, index, cutoff) for index, cutoff in task["spectra"]]
    np.savez(folder / "results.npz", counts=np.array(counts))


def fold(task: dict, index: float, cutoff: float) -> np.ndarray:
    """Counts of a spectrum with amplitude one at 1 GeV in each band, for an exposure in cm2 s."""
    true = MapAxis.from_energy_edges(task["true"] * u.MeV, name="energy_true")
    migra = MapAxis.from_edges(task["migra"], name="migra")
    measured = MapAxis.from_energy_edges(task["edges"] * u.GeV, name="energy")
    place = "icrs;circle(83.6,22,1)"
    edisp = RegionNDMap(RegionGeom.create(place, axes=[migra, true]), data=task["density"])
    exposure = RegionNDMap(
        RegionGeom.create(place, axes=[true]), data=task["exposure"], unit="cm2 s"
    )
    flat = RegionNDMap(RegionGeom.create(place, axes=[migra.squash(), true]), unit="cm2 s")
    flat.data[...] = task["exposure"].reshape(flat.data.shape)
    model = PowerLawSpectralModel(index=index, amplitude="1 cm-2 s-1 MeV-1", reference="1 GeV")
    if np.isfinite(cutoff):
        model = ExpCutoffPowerLawSpectralModel(
            index=index,
            amplitude="1 cm-2 s-1 MeV-1",
            reference="1 GeV",
            lambda_=1 / (cutoff * u.GeV),
        )
    dataset = SpectrumDataset(
        counts=RegionNDMap(RegionGeom.create(place, axes=[measured])),
        exposure=exposure,
        edisp=EDispMap(edisp, flat),
        models=[SkyModel(model, datasets_names=["one"])],
        name="one",
    )
    return dataset.npred().data.ravel()


if __name__ == "__main__":
    main()
