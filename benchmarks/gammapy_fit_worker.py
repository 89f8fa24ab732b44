"""Gammapy's fit of one source; run by gammapy_fit.py in an environment with gammapy."""

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
    """Read task.npz in the folder given, write results.npz next to it."""
    folder = Path(sys.argv[1])
    with np.load(folder / "task.npz") as file:
        task = dict(file)
    data = dataset(task)
    ra, dec = task["place"] * u.deg
    place = PointSpatialModel(lon_0=ra, lat_0=dec, frame="icrs")
    place.lon_0.frozen = place.lat_0.frozen = True
    spectrum = PowerLawSpectralModel(
        index=2.1, amplitude=3e-10 * DENSITY, reference=float(task["pivot"]) * u.MeV
    )
    middle = np.sqrt(task["edges"].prod(axis=1)) * u.MeV
    level = FoVBackgroundModel(
        dataset_name="crab", spectral_model=PiecewiseNormSpectralModel(energy=middle)
    )
    data.models = Models([SkyModel(spectral_model=spectrum, spatial_model=place), level])
    start = time.process_time()
    if not Fit().run([data]).success:
        raise SystemExit("The fit of gammapy did not converge.")
    index, amplitude = spectrum.index, spectrum.amplitude
    values = [index.value, index.error]
    values += [(v * amplitude.unit).to_value(DENSITY) for v in (amplitude.value, amplitude.error)]
    np.savez(folder / "results.npz", values=values, seconds=time.process_time() - start)


def dataset(task: dict) -> MapDataset:
    """Counts, background and PSFs of the task, with the exposure of its file."""
    edges = task["edges"]
    ny, nx = task["counts"].shape[1:]
    image = WcsGeom(WCS(fits.getheader(str(task["map"]))).celestial, npix=(nx, ny))
    reco = MapAxis.from_energy_edges(np.append(edges[:, 0], edges[-1, 1]) * u.MeV, name="energy")
    fine = np.concatenate([np.geomspace(*each, PARTS + 1)[:-1] for each in edges])
    true = MapAxis.from_energy_edges(np.append(fine, edges[-1, 1]) * u.MeV, name="energy_true")
    rad = MapAxis.from_edges(RAD, unit="deg", name="rad")
    centre = rad.center.to_value("deg")
    density = [np.interp(centre, task["theta"], one) for one in task["psf"]]
    density = np.repeat(density, PARTS, axis=0)[:, :, None, None]
    region = RegionGeom.create(None, axes=[rad, true])
    cube = image.to_cube([reco])
    return MapDataset(
        name="crab",
        counts=Map.from_geom(cube, data=task["counts"].astype(float)),
        background=Map.from_geom(cube, data=task["background"].astype(float)),
        exposure=exposure(str(task["exposure"]), image, true),
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
