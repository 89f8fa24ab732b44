"""The embedded exposure scaled by good time, against gtexpcube2 and simulated pointings."""

from __future__ import annotations

from pathlib import Path

import astropy.units as u
import numpy as np
from results import kept

import gammafind
from gammafind.plugins.fermi_lat.photons.exposure import livetime_by_year
from gammafind.plugins.fermi_lat.photons.pointing import survey_pointing
from gammafind.sky.fits import read_exposure
from gammafind.sky.fits.facts import read_facts
from gammafind.sky.pixels import HealpixPixels

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "fermi"
FILES = {
    "80 months": "2fhl/fermi_2fhl_exposure_cube_hpx.fits.gz",
    "98 months": "highenergy/fermi_hgps_exposure_hpx.fits.gz",
}
EDGES = {"80 months": (50, 171, 585, 2000), "98 months": (10, 30, 100, 2000)}
DAYS = (0.12, 0.25, 1, 7, 14, 30, 55, 120, 365)
STARTS = ("2012-03-01", "2013-07-11", "2015-10-03")


@kept("exposure_by_time")
def main() -> None:
    """Print the tables of docs/validation/exposure.md."""
    print("| time | band | mean ratio | scatter over the sky |\n|---|---|---|---|")
    for name, path in FILES.items():
        for band, ratio in against_file(DATA / path, EDGES[name]).items():
            print(f"| {name} | {band} | {ratio.mean():.3f} | {ratio.std():.3f} |")
    reference = seen(STARTS[0], 720)
    print("\n| days | scatter over the sky | 95 % of the sky within |\n|---|---|---|")
    for days in DAYS:
        ratios = [seen(start, days) / reference for start in STARTS]
        scatter = np.mean([ratio.std() for ratio in ratios])
        within = np.mean([np.percentile(np.abs(ratio - 1), 95) for ratio in ratios])
        print(f"| {days:g} | {scatter:.3f} | {within:.3f} |")


def against_file(path: Path, edges: tuple[float, ...]) -> dict[str, np.ndarray]:
    """Scaled exposure over that of a file of gtexpcube2, in each band."""
    pixels = (HealpixPixels(32),) * (len(edges) - 1)
    lat = gammafind.create(
        "renderer",
        "fermi-lat",
        irf="P8R2_SOURCE_V6",
        event_types=("FRONT+BACK",),
        energies=edges,
        nsides=(32,) * len(pixels),
        max_zeniths=(105.0,) * len(pixels),
        good_time=read_facts(path).good_time,
        dispersion=False,
    )
    own = lat.exposure(pixels)
    given = read_exposure(path, bands=lat.bands, pixels=pixels, frame="galactic")
    return {
        band.name: mine / theirs
        for band, mine, theirs in zip(lat.bands, own.values, given.values, strict=True)
    }


def seen(start: str, days: float) -> np.ndarray:
    """Relative exposure of each pixel, for an area that falls to zero at 78 deg."""
    cubes = livetime_by_year(survey_pointing(start, days * u.day), 90.0)
    area = np.clip((cubes[0].cos_theta - 0.2) / 0.8, 0, 1)
    exposure = sum(cube.livetime for cube in cubes) @ area
    return exposure / exposure.mean()


if __name__ == "__main__":
    main()
