"""Results of gammapy; run by gammapy_comparison.py in an environment with gammapy.

Spectra of the catalogue, expected counts of a source in a patch, and the time for many sources.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from gammapy.catalog import SourceCatalog4FGL
from gammapy.datasets import MapDataset
from gammapy.irf import PSFMap
from gammapy.maps import Map, MapAxis, RegionGeom, WcsGeom
from gammapy.modeling.models import (
    Models,
    PointSpatialModel,
    SkyModel,
    SuperExpCutoffPowerLaw4FGLDR3SpectralModel,
)

DIFFERENTIAL = u.Unit("cm-2 s-1 MeV-1")


def main() -> None:
    """Read task.npz in the folder given, write results.npz next to it."""
    folder = Path(sys.argv[1])
    with np.load(folder / "task.npz") as file:
        task = dict(file)
    catalogue = SourceCatalog4FGL(str(task["catalogue"]))
    results = spectra(catalogue, task) | later_form(task)
    results |= drawn(catalogue, task)
    np.savez(folder / "results.npz", **results)


def spectra(catalogue: SourceCatalog4FGL, task: dict) -> dict:
    """Differential flux of each source at the energies, and its flux in two ways.

    ``flux`` is the integral of gammapy; ``gauss`` is the sum of its differential fluxes over the
    nodes of a quadrature.
    """
    models = [source.spectral_model() for source in catalogue]
    low, high = task["range"] * u.MeV
    nodes = task["nodes"]
    at_nodes = np.array([model(nodes * u.MeV).to_value(DIFFERENTIAL) for model in models])
    return {
        "differential": [model(task["energy"] * u.MeV).to_value(DIFFERENTIAL) for model in models],
        "flux": [model.integral(low, high).to_value("cm-2 s-1") for model in models],
        "gauss": at_nodes @ task["weights"],
    }


def later_form(task: dict) -> dict:
    """Differential flux of the cut-offs in the form of DR3 and DR4."""
    energy = task["energy"] * u.MeV
    models = [
        SuperExpCutoffPowerLaw4FGLDR3SpectralModel(
            amplitude=amplitude * DIFFERENTIAL,
            reference=pivot * u.MeV,
            index_1=index,
            expfactor=expfactor,
            index_2=exponent,
        )
        for amplitude, pivot, index, expfactor, exponent in task["later"]
    ]
    return {"later": [model(energy).to_value(DIFFERENTIAL) for model in models]}


def drawn(catalogue: SourceCatalog4FGL, task: dict) -> dict:
    """Expected counts of one source, and wall-clock and CPU seconds for many sources."""
    one = dataset(in_parts(task))
    one.models = Models(sky_models(catalogue, task, 1))
    n_bands, n_parts = task["area"].shape
    in_each = one.npred_signal().data
    results = {"one": in_each.reshape(n_bands, n_parts, *in_each.shape[1:]).sum(axis=1)}
    seconds = []
    for number in task["numbers"]:
        many = dataset(task)
        many.models = Models(sky_models(catalogue, task, number))
        start = np.array([time.perf_counter(), time.process_time()])
        total = many.npred_signal().data
        seconds.append(np.array([time.perf_counter(), time.process_time()]) - start)
        results[f"drawn_{number}"] = total
    return results | {"seconds": seconds}


def sky_models(catalogue: SourceCatalog4FGL, task: dict, number: int) -> list[SkyModel]:
    """Spectra of rows of the catalogue, at positions in the patch."""
    places = SkyCoord(task["lon"][:number], task["lat"][:number], unit="deg", frame="galactic")
    return [
        SkyModel(
            spectral_model=catalogue[int(row)].spectral_model(),
            spatial_model=PointSpatialModel(lon_0=place.l, lat_0=place.b, frame="galactic"),
            name=f"source {i}",
        )
        for i, (row, place) in enumerate(zip(task["rows"], places, strict=False))
    ]


def in_parts(task: dict) -> dict:
    """The task with each band in parts, which have the effective area of their energy."""
    edges, area = task["edges"], task["area"]
    n_parts = area.shape[1]
    fine = [np.geomspace(*edges[i : i + 2], n_parts + 1)[:-1] for i in range(len(area))]
    exposure = task["exposure"][:, None] * area[:, :, None, None]
    return {
        **task,
        "edges": np.append(np.concatenate(fine), edges[-1]),
        "exposure": exposure.reshape(-1, *exposure.shape[2:]),
        "density": np.repeat(task["density"], n_parts, axis=0),
    }


def dataset(task: dict) -> MapDataset:
    """Exposure and PSF of the task on the pixels of the task."""
    ny, nx = task["exposure"].shape[1:]
    image = WcsGeom(WCS(str(task["wcs"])), npix=(nx, ny))
    edges = task["edges"] * u.GeV
    true = MapAxis.from_energy_edges(edges, name="energy_true")
    exposure = Map.from_geom(image.to_cube([true]), data=task["exposure"], unit="cm2 s")
    rad = MapAxis.from_edges(task["theta_edges"], unit="deg", name="rad")
    region = RegionGeom.create(None, axes=[rad, true])
    densities = task["density"][:, :, np.newaxis, np.newaxis]
    psf = PSFMap(Map.from_geom(region, data=densities, unit="sr-1"))
    counts = image.to_cube([MapAxis.from_energy_edges(edges, name="energy")])
    return MapDataset(counts=Map.from_geom(counts), exposure=exposure, psf=psf)


if __name__ == "__main__":
    main()
