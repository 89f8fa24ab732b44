"""The interstellar emission on real skies of 2-20 GeV and above 10 GeV; needs ../shared.

Everything is fitted at b < 0, or at b > 0 with ``--north``, where the structure was chosen.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path

import healpy as hp
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from results import ROOT, kept

from gammafind.plugins.fermi_lat.embedded import demo_counts_path, load_4fgl_dr2
from gammafind.plugins.fermi_lat.renderer import FermiLatRenderer
from gammafind.plugins.fermi_lat.sources import true_sources
from gammafind.presets.preset import build, load_preset

FERMI = ROOT.parent / "shared" / "data" / "fermi"
NSIDE = 128
HIGH = ("10_30", "30_100", "100_2000")
BELTS = ((0, 5), (5, 20), (20, 91))
AROUND = 0.5
"""Extended sources are left out to 1.2 times their semi-major axis plus this, in degrees."""
LOBE = 0.3
"""The bubbles are where their template is above this share of its maximum."""


def main() -> None:
    """Print the tables of docs/validation/rendering.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--north", action="store_true", help="b > 0, where choices were made")
    north = parser.parse_args().north
    with kept("interstellar_real_sky_north" if north else "interstellar_real_sky"):
        skies = [low_sky(), *high_skies()]
        print_chi2(skies, north)
        print_norms(skies, north)
        print_bubbles(skies, north)


@dataclass(frozen=True, eq=False)
class Sky:
    """Counts of a band and the expected counts of sources and diffuse emission, nside 128."""

    name: str
    counts: np.ndarray
    sources: np.ndarray
    interstellar: np.ndarray
    isotropic: np.ndarray

    def parts(self, *more: np.ndarray) -> np.ndarray:
        """Sources, interstellar and isotropic emission, and more, shape (n_pixels, n)."""
        return np.column_stack([self.sources, self.interstellar, self.isotropic, *more])

    @cached_property
    def dark(self) -> np.ndarray:
        """Pixels where sources are fainter than the diffuse emission."""
        return self.sources < self.interstellar + self.isotropic


def low_sky() -> Sky:
    """Sky of 573 weeks."""
    renderer = build(load_preset("fermi-lat-psf3-2-20").renderer)
    counts = hp.read_map(demo_counts_path(), dtype=float)
    (sky,) = rendered(renderer, ["2-20 GeV"], [counts])
    return sky


def high_skies() -> list[Sky]:
    """Skies of P8R2 SOURCE above 10 GeV."""
    counts = []
    for name in HIGH:
        with fits.open(FERMI / "highenergy" / f"energy_{name}.fits.gz") as file:
            nested = file[1].data.field(0).astype(float).reshape(12 * NSIDE**2, -1).sum(axis=1)
        counts.append(hp.reorder(nested, n2r=True))
    with tempfile.TemporaryDirectory() as folder:
        renderer = FermiLatRenderer(
            irf="P8R2_SOURCE_V6",
            event_types=("FRONT+BACK",),
            energies=(10, 30, 100, 2000),
            nsides=(NSIDE,) * 3,
            exposure_source=galactic_exposure(Path(folder) / "exposure.fits"),
        )
        return rendered(renderer, ["10-30 GeV", "30-100 GeV", "100-2000 GeV"], counts)


def galactic_exposure(path: Path) -> str:
    """Write the exposure above 10 GeV with its frame in the header."""
    with fits.open(FERMI / "highenergy" / "fermi_hgps_exposure_hpx.fits.gz") as file:
        file["HPXEXPOSURES"].header["COORDSYS"] = "GAL"
        file.writeto(path)
    return str(path)


def rendered(renderer: FermiLatRenderer, names: list[str], counts: list[np.ndarray]) -> list[Sky]:
    """Skies of the bands of a renderer, with 4FGL-DR2 on them."""
    sources = renderer.render(true_sources(load_4fgl_dr2())).values
    diffuse = renderer.background()
    return [
        Sky(
            name,
            counts[i],
            sources[i].astype(float),
            diffuse["interstellar"].values[i].astype(float),
            diffuse["isotropic"].values[i].astype(float),
        )
        for i, name in enumerate(names)
    ]


def print_chi2(skies: list[Sky], north: bool) -> None:
    """Print three norms and chi2 for each sky, with and without the extended sources."""
    print(
        "| sky | pixels | sources | interstellar | isotropic | chi2, abs(b) < 20 "
        "| chi2, abs(b) > 20 | chi2 |\n|---|---|---|---|---|---|---|---|"
    )
    for sky in skies:
        for label, where in (("all", hemisphere(north)), ("no extended", clear(north))):
            norms, _ = fitted(sky.counts[where], sky.parts()[where])
            model = sky.parts() @ norms
            chi2 = (sky.counts - model) ** 2 / model
            low = np.abs(latitude()) < 20
            three = (chi2[where & low], chi2[where & ~low], chi2[where])
            print(
                f"| {sky.name} | {label} | {' | '.join(f'{norm:.3f}' for norm in norms)} "
                f"| {' | '.join(f'{part.mean():.3f}' for part in three)} |"
            )


def print_norms(skies: list[Sky], north: bool) -> None:
    """Print the norm of the emission in each region; the others have those of the hemisphere."""
    print("\n| sky | pixels | abs(b) | l = 0 | 90 | 180 | 270 |\n|---|---|---|---|---|---|---|")
    lon = (longitude() + 45) % 360
    chosen = (("all", hemisphere(north)), ("no extended", clear(north)))
    for sky, (label, where) in product(skies, chosen):
        norms, _ = fitted(sky.counts[where], sky.parts()[where])
        fixed = sky.parts()[:, [0, 2]] @ norms[[0, 2]]
        for low, high in BELTS:
            belt = where & (np.abs(latitude()) >= low) & (np.abs(latitude()) < high)
            cells = []
            for quadrant in range(4):
                here = belt & (lon // 90 == quadrant)
                templates = sky.interstellar[here][:, None]
                norm, error = fitted(sky.counts[here], templates, fixed[here])
                cells.append(f"{norm[0]:.3f} ± {error[0]:.3f}")
            print(f"| {sky.name} | {label} | {low}-{min(high, 90)} | {' | '.join(cells)} |")


def print_bubbles(skies: list[Sky], north: bool) -> None:
    """Print what a template of the Fermi bubbles adds to the emission at abs(b) > 20."""
    template = np.load(FERMI / "diffuse" / "template_bubbles_2-20GeV_ns128_ring_gal.npy")
    lobe = template > LOBE * template.max()
    print("\n| sky | bubbles over interstellar emission in the lobes |\n|---|---|")
    for sky in skies:
        where = clear(north) & sky.dark & (np.abs(latitude()) > 20)
        more = sky.interstellar[lobe].mean() * template / template[lobe].mean()
        norms, errors = fitted(sky.counts[where], sky.parts(more)[where])
        print(f"| {sky.name} | {norms[3]:.3f} ± {errors[3]:.3f} |")


def fitted(
    counts: np.ndarray, templates: np.ndarray, fixed: np.ndarray | float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Norms with the largest Poisson likelihood, of any sign, and their errors."""
    norms = np.full(templates.shape[1], 1.0)
    norms[3:] = 0.1
    for _ in range(50):
        model = np.maximum(fixed + templates @ norms, 1e-9)
        slope = templates.T @ (counts / model - 1)
        curvature = (templates * (counts / model**2)[:, None]).T @ templates
        norms = norms + np.linalg.solve(curvature, slope)
    return norms, np.sqrt(np.diag(np.linalg.inv(curvature)))


def longitude() -> np.ndarray:
    """Galactic longitude of each pixel in degrees."""
    return hp.pix2ang(NSIDE, np.arange(12 * NSIDE**2), lonlat=True)[0]


def latitude() -> np.ndarray:
    """Galactic latitude of each pixel in degrees."""
    return hp.pix2ang(NSIDE, np.arange(12 * NSIDE**2), lonlat=True)[1]


def hemisphere(north: bool) -> np.ndarray:
    """Pixels of one side of the Galactic plane."""
    return (latitude() > 0) == north


def clear(north: bool) -> np.ndarray:
    """Pixels of a hemisphere away from the extended sources, not all of whose shapes are known."""
    chosen = hemisphere(north)
    with fits.open(FERMI / "catalogue" / "gll_psc_v27.fit.gz") as file:
        extended = file["ExtendedSources"].data
        at = SkyCoord(extended["RAJ2000"], extended["DEJ2000"], unit="deg").galactic
        radius = 1.2 * np.nan_to_num(extended["Model_SemiMajor"]) + AROUND
    for centre, size in zip(at.cartesian.xyz.value.T, radius, strict=True):
        chosen[hp.query_disc(NSIDE, centre, np.radians(size), inclusive=True)] = False
    return chosen


if __name__ == "__main__":
    main()
