"""Conservation of counts and positions of sources: the renderer on whole skies."""

from __future__ import annotations

import argparse

import astropy.units as u
import healpy as hp
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from results import kept
from scipy.optimize import minimize

from gammafind.plugins.fermi_lat.embedded import load_4fgl_dr2
from gammafind.plugins.fermi_lat.renderer import FermiLatRenderer
from gammafind.plugins.fermi_lat.sources import true_sources
from gammafind.presets.preset import build, load_preset
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.psf import RadialPsf

PRESETS = ("fermi-lat", "fermi-lat-psf3-2-20")
SEED = 3
N_RANDOM = 20
SPECIAL = {
    "north pole": (0.0, 90.0),
    "south pole": (0.0, -90.0),
    "0.01 deg from a pole": (123.0, 89.99),
    "lon 0": (0.0, 30.0),
    "lon 359.999": (359.999, -12.0),
    "base pixels meet": (45.0, 41.8103),
    "equator, lon 90": (90.0, 0.0),
}
FLUX = 1e-6
REACH = 1.5


@kept("rendering_accuracy")
def main() -> None:
    """Print the tables of docs/validation/rendering.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--presets", nargs="+", default=PRESETS, choices=PRESETS)
    options = parser.parse_args()
    catalogue = true_sources(load_4fgl_dr2())
    for preset in options.presets:
        renderer = build(load_preset(preset).renderer)
        places = special_and_random(np.random.default_rng(SEED))
        print(f"\nPreset {preset}, {len(catalogue)} sources of 4FGL-DR2; {len(places)} alone.\n")
        print_accuracy(renderer, catalogue, places)


def print_accuracy(renderer: FermiLatRenderer, catalogue: QTable, places: QTable) -> None:
    """Print the errors of counts and positions for each band."""
    whole = conservation(renderer, catalogue)
    singles = [renderer.render(places[i : i + 1]).values for i in range(len(places))]
    print(
        "| band | nside | whole catalogue | single, median | single, largest | where "
        "| largest offset (deg) | where |\n|---|---|---|---|---|---|---|---|"
    )
    expected = renderer.source_counts(places)
    names = np.asarray(places["name"])
    for band, pixels in enumerate(renderer.pixels):
        maps = [single[band] for single in singles]
        sums = np.array([sky.sum(dtype=float) for sky in maps])
        off = np.abs(sums / expected[:, band] - 1)
        psf = renderer.psfs()[band]
        offset = np.array(
            [
                peak_offset(sky, pixels, psf, place)
                for sky, place in zip(maps, positions(places), strict=True)
            ]
        )
        print(
            f"| {renderer.bands[band].name} | {pixels.nside} | {100 * (whole[band] - 1):+.4f} % "
            f"| {100 * np.median(off):.4f} % | {100 * off.max():.4f} % | {names[off.argmax()]} "
            f"| {offset.max():.5f} | {names[offset.argmax()]} |"
        )


def special_and_random(rng: np.random.Generator) -> QTable:
    """Sources of equal flux: at special positions of pixelisations, and at random ones."""
    lon, lat = np.transpose(list(SPECIAL.values()))
    lon = np.append(lon, rng.uniform(0, 360, N_RANDOM))
    lat = np.append(lat, np.degrees(np.arcsin(rng.uniform(-1, 1, N_RANDOM))))
    sky = SkyCoord(lon, lat, unit="deg", frame="galactic").icrs
    return QTable(
        {
            "name": [*SPECIAL, *(f"random {i}" for i in range(N_RANDOM))],
            "ra": sky.ra,
            "dec": sky.dec,
            "class_label": ["BLL"] * len(lon),
            "flux": np.full(len(lon), FLUX) / (u.cm**2 * u.s),
        }
    )


def positions(sources: QTable) -> SkyCoord:
    """Positions of a source table."""
    return SkyCoord(sources["ra"], sources["dec"]).galactic


def conservation(renderer: FermiLatRenderer, sources: QTable) -> np.ndarray:
    """Ratio of the sum of the rendered map to the predicted counts, in each band."""
    rendered = [values.sum(dtype=float) for values in renderer.render(sources).values]
    return np.array(rendered) / renderer.source_counts(sources).sum(axis=0)


def peak_offset(sky: np.ndarray, pixels: HealpixPixels, psf: RadialPsf, place: SkyCoord) -> float:
    """Distance in degrees of the peak from the source.

    The peak is the position where the mean of the PSF over the sub-pixels of each pixel fits the
    pixels near the brightest one best: a parabola would depend on the edges of the pixels.
    """
    truth = place.cartesian.xyz.value
    top = pixels.vectors[int(np.argmax(sky))]
    size = np.sqrt(pixels.pixel_area.to_value("sr"))
    core = psf.containment_radius(0.68).to_value("rad")
    near = hp.query_disc(pixels.nside, top, REACH * max(core, size) + size)
    sub = pixels.subpixel_vectors(near, 16)
    east = np.cross([0.0, 0.0, 1.0], top)
    east = east / np.linalg.norm(east)
    north = np.cross(top, east)
    target = sky[near] / sky[near].max()

    def misfit(shift: np.ndarray) -> float:
        centre = top + (shift[0] * east + shift[1] * north) * size
        centre = centre / np.linalg.norm(centre)
        chord = np.linalg.norm(sub - centre, axis=-1)
        model = psf(2 * np.arcsin(chord / 2)).mean(axis=1)
        amplitude = (model @ target) / (model @ model)
        return float(np.sum((target - amplitude * model) ** 2))

    best = minimize(misfit, [0.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-4}).x
    found = top + (best[0] * east + best[1] * north) * size
    cross = np.linalg.norm(np.cross(found, truth))
    return float(np.degrees(np.arctan2(cross, found @ truth)))


if __name__ == "__main__":
    main()
