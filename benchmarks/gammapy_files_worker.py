"""What gammapy reads from files of gammafind; run by gammapy_files.py in an environment with it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from astropy.coordinates import SkyCoord
from gammapy import __version__
from gammapy.datasets import MapDataset
from gammapy.maps import Map


def main() -> None:
    """Read task.json in the folder given, write results.json next to it."""
    folder = Path(sys.argv[1])
    task = json.loads((folder / "task.json").read_text())
    places = SkyCoord(task["ra"], task["dec"], unit="deg")
    results = {"version": __version__, "exposure": exposure(task["exposure"], places)}
    results["counts"] = {name: counts(path) for name, path in task["counts"].items()}
    (folder / "results.json").write_text(json.dumps(results))


def exposure(path: str, places: SkyCoord) -> dict:
    """Energies in MeV, unit and values at positions of an exposure."""
    read = Map.read(path)
    axis = read.geom.axes["energy_true"]
    found = [
        read.get_by_coord({"skycoord": places, "energy_true": energy}) for energy in axis.center
    ]
    unit = str(read.unit)
    return {
        "energies": axis.center.to_value("MeV").tolist(),
        "unit": unit,
        "values": (np.array(found) * read.unit).to_value("cm2 s").tolist(),
    }


def counts(path: str) -> dict:
    """Energy edges in MeV and counts of a map, as those of a dataset."""
    read = Map.read(path)
    # healpy's UNSEEN, and NaN in images, mark pixels outside the region of the photons.
    observed = Map.from_geom(read.geom, data=np.nan_to_num(read.data, nan=-1) >= 0)
    dataset = MapDataset(counts=read, mask_safe=observed)
    inside = np.where(dataset.mask_safe.data, dataset.counts.data, 0).astype(float)
    return {
        "edges": read.geom.axes["energy"].edges.to_value("MeV").tolist(),
        "counts": inside.reshape(len(inside), -1).sum(axis=1).tolist(),
        "pixels": int(dataset.mask_safe.data[0].sum()),
    }


if __name__ == "__main__":
    main()
