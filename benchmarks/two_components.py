"""The likelihood localiser on third-party skies whose background has two components.

20 skies with 200 sources each: a flat component, and a second one of another shape and scale. The
norms of both differ from those of the sky, so that they have to be fitted. Next to each the same
sources on the flat component alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import astropy.units as u
import healpy as hp
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from coarse_pixels import king
from results import kept

from gammafind.catalogue.positions import sky_columns
from gammafind.evaluation.metrics import evaluate_detections
from gammafind.plugins.likelihood.localiser import Likelihood
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.bands import energy_bands
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.point_sources import sky_counts
from gammafind.sky.projection import positions_of, unit_vectors
from gammafind.sky.skymap import SkyMap

NSIDE, R68 = 64, 0.8
"""Pixels of 0.9 deg, and the PSF in degrees."""
EXPOSURE = 1e11
LEVEL = 2.0
"""Counts of the flat component in a pixel."""
SOURCES, COUNTS = 200, (30.0, 1000.0)
"""Number of sources, and the range of their counts, evenly in the logarithm."""
NORMS = (0.7, 1.4)
"""Range of the true norms of both components, where the model has one."""
CUT = 25.0
RADIUS = 2.0 * u.deg
"""Match radius: twice the quadratic mean of r68 and pixel."""
SEED = 20

Shape = Callable[[np.ndarray], np.ndarray]
"""Counts of a component over those of the flat one, at unit vectors (n, 3)."""


@dataclass(frozen=True, kw_only=True)
class Survey(SkyRenderer):
    """One band with a King profile and one or two background components."""

    name = "two-components"
    bands = energy_bands([1, 10] * u.GeV)
    pixels = (HealpixPixels(NSIDE),)
    second: Shape | None = None

    def psfs(self):
        """One King profile."""
        return (king(R68),)

    def _exposure(self, pixels):
        return (np.full(pixels[0].shape, EXPOSURE),)

    def _background(self, pixels):
        parts = {"flat": (np.full(pixels[0].shape, LEVEL),)}
        if self.second is not None:
            vectors = np.stack(hp.pix2vec(NSIDE, np.arange(12 * NSIDE**2)), axis=1)
            parts["second"] = (LEVEL * self.second(vectors),)
        return parts

    def _render(self, sources, pixels):
        at = SkyCoord(sources["ra"], sources["dec"]).galactic
        counts = sources["flux"].to_value("cm-2 s-1") * EXPOSURE
        vectors = unit_vectors(at.l.deg, at.b.deg)
        return (sky_counts(vectors, counts, pixels[0], self.psfs()[0]),)


def ridge(fwhm: float, peak: float, *, tilt: float = 0.0) -> Shape:
    """Gaussian around a great circle, tilted to the plane in degrees."""
    pole = np.array([np.sin(np.radians(tilt)), 0, np.cos(np.radians(tilt))])
    return lambda v: peak * gaussian(np.degrees(np.arcsin(np.clip(v @ pole, -1, 1))), fwhm)


def ring(radius: float, fwhm: float, peak: float) -> Shape:
    """Gaussian around a circle about a point at longitude 40 and latitude 30."""
    return lambda v: peak * gaussian(distance(v, 40, 30) - radius, fwhm)


def blobs(number: int, fwhm: float, peak: float) -> Shape:
    """Gaussians at random places."""
    lon, sine = np.random.default_rng(number).uniform([0, -1], [360, 1], (number, 2)).T
    places = list(zip(lon, np.degrees(np.arcsin(sine)), strict=True))
    return lambda v: sum(peak * gaussian(distance(v, *one), fwhm) for one in places)


def disc_like(scale: float, peak: float) -> Shape:
    """Exponential in the distance from the plane."""
    return lambda v: peak * np.exp(-np.degrees(np.abs(np.arcsin(v[:, 2]))) / scale)


def gradient(peak: float, power: float = 1.0) -> Shape:
    """From one pole to the other, a dipole where the power is 1."""
    return lambda v: peak * ((1 + v[:, 2]) / 2) ** power


def checker(side: float, peak: float) -> Shape:
    """Squares in longitude and latitude, sharp at their borders."""

    def of(v: np.ndarray) -> np.ndarray:
        lon, lat = np.degrees(np.arctan2(v[:, 1], v[:, 0])), np.degrees(np.arcsin(v[:, 2]))
        return peak * ((np.floor(lon / side) + np.floor(lat / side)) % 2)

    return of


def field(power: float, peak: float) -> Shape:
    """Exponential of a Gaussian random field of a power spectrum."""
    lmax = 3 * NSIDE - 1
    degree, _ = hp.Alm.getlm(lmax)
    drawn = np.random.default_rng(SEED).normal(size=(2, len(degree)))
    alm = (drawn[0] + 1j * drawn[1]) * np.maximum(degree, 1.0) ** (-power / 2) * (degree > 0)
    log = hp.alm2map(alm, NSIDE)
    values = np.exp(log / log.std())
    return lambda v: peak * values[hp.vec2pix(NSIDE, *v.T)] / values.max()


def gaussian(offset: np.ndarray, fwhm: float) -> np.ndarray:
    """Height one; offset and full width in degrees."""
    return np.exp(-4 * np.log(2) * (offset / fwhm) ** 2)


def distance(v: np.ndarray, lon: float, lat: float) -> np.ndarray:
    """Degrees from a point in degrees."""
    return np.degrees(np.arccos(np.clip(v @ unit_vectors(lon, lat).ravel(), -1, 1)))


SHAPES: dict[str, Shape] = {
    "ridge of 1 deg": ridge(1, 20),
    "ridge of 2 deg": ridge(2, 20),
    "ridge of 2 deg, five times as bright": ridge(2, 100),
    "ridge of 2 deg, as bright as the flat one": ridge(2, 1),
    "ridge of 5 deg": ridge(5, 20),
    "ridge of 10 deg": ridge(10, 20),
    "ridge of 3 deg, tilted by 60 deg": ridge(3, 20, tilt=60),
    "disc with a scale of 5 deg": disc_like(5, 50),
    "disc with a scale of 20 deg": disc_like(20, 20),
    "ring of 30 deg, 2 deg wide": ring(30, 2, 20),
    "ring of 60 deg, 6 deg wide": ring(60, 6, 20),
    "one blob of 3 deg": blobs(1, 3, 30),
    "10 blobs of 10 deg": blobs(10, 10, 20),
    "3 blobs of 40 deg": blobs(3, 40, 10),
    "100 blobs of 4 deg": blobs(100, 4, 10),
    "dipole": gradient(10),
    "gradient, concentrated at a pole": gradient(50, 6),
    "checker of 10 deg": checker(10, 10),
    "checker of 30 deg": checker(30, 10),
    "random field": field(2.5, 50),
}


@kept("two_components")
def main() -> None:
    """Print the table of docs/validation/simulated_sky.md."""
    print(
        "| second component | brightest / flat | found | false | false, flat alone | beyond "
        "| norms over the true ones |\n|---|---|---|---|---|---|---|"
    )
    beyond = []
    for index, (name, shape) in enumerate(SHAPES.items()):
        found, false, norms = searched(shape, index)
        _, alone, _ = searched(None, index)
        beyond.append(false - alone)
        peak = Survey(second=shape).background()["second"].values[0].max() / LEVEL
        print(
            f"| {name} | {peak:.0f} | {found} | {false} | {alone} | {false - alone} "
            f"| {', '.join(f'{norm:.3f}' for norm in norms)} |"
        )
    print(
        f"\nFalse detections at TS >= 25 beyond the flat skies: mean {np.mean(beyond):.2f},",
        end=" ",
    )
    print(f"most {max(beyond)}, on {len(beyond)} skies.")


def searched(shape: Shape | None, index: int) -> tuple[int, int, np.ndarray]:
    """Found and false detections at TS >= 25, and fitted norms over the true ones."""
    renderer = Survey(second=shape)
    rng = np.random.default_rng((SEED, index))
    sources, true = drawn_sources(renderer, rng), rng.uniform(*NORMS, 2)
    background = renderer.background()
    parts = zip(true, background.values(), strict=False)
    expected = renderer.render(sources)
    total = expected.values[0] + sum(norm * part.values[0] for norm, part in parts)
    counts = rng.poisson(total).astype(float)
    sky: SkyMap = replace(expected, values=(counts,), kind="counts")
    found = Likelihood().localise_sky(renderer.observe(sky))
    norms = np.array([norm for norm, _ in found.meta["background_norms"].values()])
    found = found[found["ts"] >= CUT]
    matched = evaluate_detections(found, sources, radius=RADIUS).matched
    return len(found), int(np.sum(~matched)), norms / true[: len(norms)]


def drawn_sources(renderer: SkyRenderer, rng: np.random.Generator) -> QTable:
    """Sources at random places."""
    vectors = rng.normal(size=(SOURCES, 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    places = positions_of(vectors, renderer.pixels[0].frame)
    counts = np.exp(rng.uniform(*np.log(COUNTS), SOURCES))
    return QTable(
        {
            "name": [f"S{row}" for row in range(SOURCES)],
            **sky_columns(places),
            "class_label": np.full(SOURCES, "source"),
            "flux": counts / EXPOSURE * renderer.flux_unit,
        }
    )


if __name__ == "__main__":
    main()
