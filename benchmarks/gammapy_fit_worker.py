"""Fits of sources by gammapy; gammapy_fit.py and gammapy_twenty.py run it where gammapy is."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from gammapy.datasets import MapDataset
from gammapy.irf import EDispKernelMap, PSFMap
from gammapy.maps import Map, MapAxis, RegionGeom, WcsGeom
from gammapy.modeling import Fit
from gammapy.modeling.models import (
    FoVBackgroundModel,
    Models,
    PiecewiseNormSpectralModel,
    PointSpatialModel,
    PowerLawSpectralModel,
    SkyModel,
)
from scipy.ndimage import map_coordinates

PARTS = 12
"""True energies of each band."""
RAD = np.concatenate([[0], np.geomspace(2e-3, 20, 800)])
DENSITY = u.Unit("cm-2 s-1 MeV-1")


def main() -> None:
    """Read all task-*.npz in the folder given, write result-*.npz next to them."""
    for path in sorted(Path(sys.argv[1]).glob("task-*.npz")):
        out = path.with_name(path.name.replace("task", "result"))
        if out.exists():
            continue
        with np.load(path) as file:
            task = dict(file)
        values, seconds = fitted(task)
        np.savez(out, values=values, seconds=seconds)


def fitted(task: dict) -> tuple[list[float], float]:
    """Index, flux density at the pivot and their errors, and CPU seconds of the fit."""
    data = dataset(task)
    spectrum, source = power_law(task["place"], *task["start"], task["pivot"])
    others = []
    for place, index, flux in zip(task["near"], task["near_index"], task["near_flux"], strict=True):
        one, other = power_law(place, index, flux, task["pivot"])
        one.index.frozen = True
        others.append(other)
    middle = np.sqrt(task["edges"].prod(axis=1)) * u.MeV
    level = FoVBackgroundModel(
        dataset_name="sky", spectral_model=PiecewiseNormSpectralModel(energy=middle)
    )
    data.models = Models([source, *others, level])
    start = time.process_time()
    if not Fit().run([data]).success:
        return [np.nan] * 4, time.process_time() - start
    seconds = time.process_time() - start
    index, amplitude = spectrum.index, spectrum.amplitude
    values = [index.value, index.error]
    values += [(v * amplitude.unit).to_value(DENSITY) for v in (amplitude.value, amplitude.error)]
    return values, seconds


def power_law(
    place: np.ndarray, index: float, flux: float, pivot: float
) -> tuple[PowerLawSpectralModel, SkyModel]:
    """A point at a place with a power law."""
    ra, dec = place * u.deg
    point = PointSpatialModel(lon_0=ra, lat_0=dec, frame="icrs")
    point.lon_0.frozen = point.lat_0.frozen = True
    spectrum = PowerLawSpectralModel(
        index=float(index), amplitude=float(flux) * DENSITY, reference=float(pivot) * u.MeV
    )
    return spectrum, SkyModel(spectral_model=spectrum, spatial_model=point)


def dataset(task: dict) -> MapDataset:
    """Counts, background and PSFs of the task, with its exposure or that of its file."""
    edges = task["edges"]
    ny, nx = task["counts"].shape[1:]
    header = fits.Header.fromstring(str(task["header"]), sep="\n")
    image = WcsGeom(WCS(header).celestial, npix=(nx, ny))
    reco = MapAxis.from_energy_edges(np.append(edges[:, 0], edges[-1, 1]) * u.MeV, name="energy")
    fine = np.concatenate([np.geomspace(*each, PARTS + 1)[:-1] for each in edges])
    true = MapAxis.from_energy_edges(np.append(fine, edges[-1, 1]) * u.MeV, name="energy_true")
    rad = MapAxis.from_edges(RAD, unit="deg", name="rad")
    centre = rad.center.to_value("deg")
    density = [np.interp(centre, task["theta"], one) for one in task["psf"]]
    density = np.repeat(density, PARTS, axis=0)[:, :, None, None]
    region = RegionGeom.create(None, axes=[rad, true])
    cube = image.to_cube([reco])
    given = task["exposure"]
    if given.dtype.kind == "U":
        seen = exposure(str(given), image, true)
    else:
        seen = Map.from_geom(image.to_cube([true]), data=given, unit="cm2 s")
    return MapDataset(
        name="sky",
        counts=Map.from_geom(cube, data=task["counts"].astype(float)),
        background=Map.from_geom(cube, data=task["background"].astype(float)),
        exposure=seen,
        psf=PSFMap(Map.from_geom(region, data=density, unit="sr-1")),
        edisp=EDispKernelMap.from_diagonal_response(reco, true),
        mask_fit=Map.from_geom(cube, data=np.ones(cube.data_shape, dtype=bool)),
    )


def exposure(path: str, image: WcsGeom, true: MapAxis) -> Map:
    """Exposure of gtexpcube2 at true energies, on the pixels of an image."""
    with fits.open(path) as file:
        planes, header = file[0].data, file[0].header
        energy = np.log(np.asarray(file["ENERGIES"].data.field(0), dtype=float))
    coordinates = image.get_coord()
    here = SkyCoord(coordinates.lon, coordinates.lat, frame=image.frame)
    x, y = WCS(header).celestial.world_to_pixel(here)
    cube = np.stack([map_coordinates(one, [y, x], order=1, mode="nearest") for one in planes])
    wanted = np.log(true.center.to_value("MeV"))
    i = np.clip(np.searchsorted(energy, wanted) - 1, 0, len(energy) - 2)
    share = ((wanted - energy[i]) / (energy[i + 1] - energy[i]))[:, None, None]
    values = np.exp((1 - share) * np.log(cube[i]) + share * np.log(cube[i + 1]))
    return Map.from_geom(image.to_cube([true]), data=values, unit="cm2 s")


if __name__ == "__main__":
    main()
