"""Extended sources: those that are known in the model, and those that the search finds itself.

``python benchmarks/extended_sources.py`` prints the tables of docs/validation/extended.md: the real
2-20 GeV sky, the same sky simulated, and discs of several radii and fluxes among the points of
4FGL-DR2. 4FGL-DR2 is the only catalogue that is used.
"""

from __future__ import annotations

from dataclasses import replace

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from real_sky import likelihood, observe
from results import kept
from simulated_sky import PRESET, RADIUS, draw

from gammafind.catalogue.extended import EDGE_OF_GAUSSIAN, extended_sources
from gammafind.catalogue.flags import Flag, has_flag
from gammafind.catalogue.matching import match_one_to_one
from gammafind.plugins.fermi_lat.embedded import load_4fgl_dr2
from gammafind.plugins.fermi_lat.sources import true_sources
from gammafind.presets.preset import build
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.observation import Observation
from gammafind.sky.skymap import SkyMap

CUT = 16.0
MARGIN = 0.38
"""r68 of the PSF and half a pixel in degrees: added to the radius of a source."""
DISC_RADII = (0.2, 0.4, 0.7, 1.0, 1.5, 2.0)
DISC_FLUXES = (1e-9, 2e-9, 5e-9, 1e-8)
"""Flux1000 in cm-2 s-1."""
COPIES = 4
APART = 7.0
"""Least distance of two discs in degrees."""
LATITUDES = {"abs(b) > 20": (20, 90), "abs(b) < 20": (0, 20)}


@kept("extended_sources")
def main() -> None:
    """Print the tables of docs/validation/extended.md."""
    catalogue = load_4fgl_dr2()
    known = extended_sources(catalogue)
    sky = observe()
    print_known("real sky", sky, known, catalogue)
    renderer = build(PRESET.renderer)
    truth = true_sources(catalogue)
    print_known("simulated sky", simulated(renderer, renderer.render(truth), 21), known, catalogue)
    print_discs(renderer, truth)


def simulated(renderer: SkyRenderer, expected: SkyMap, seed: int) -> Observation:
    """Poisson counts of expected sources and of the background."""
    return draw(
        renderer, renderer.observe(expected.map(np.zeros_like, kind="counts")), expected, seed
    )


def print_known(name: str, sky: Observation, known: QTable, catalogue: QTable) -> None:
    """Print rows on known extended sources that are no point of the catalogue."""
    modes = {
        "points only": (None, 0.0),
        "known ones in the model": (known, 0.0),
        "both": (known, likelihood().extension),
    }
    print(
        f"| {name}, TS >= {CUT:g} | rows | known | new | not in DR2 | at abs(b) < 20 "
        "| on known ones | sources with 2 or more | most | flagged |\n"
        "|---|---|---|---|---|---|---|---|---|---|"
    )
    for mode, (extended, threshold) in modes.items():
        finder = replace(likelihood(), extension=threshold)
        found = finder.localise_sky(replace(sky, extended=extended))
        print(
            f"| {mode} | {' | '.join(map(str, known_row(found[found['ts'] >= CUT], catalogue)))} |"
        )
    print()


def known_row(found: QTable, catalogue: QTable) -> list[int]:
    """Numbers of a row of the table of `print_known`."""
    extended = np.asarray(catalogue["extension_model"]) != ""
    points, shapes = catalogue[~extended], catalogue[extended]
    given = np.asarray(found["extended_name"]) != ""
    rest = found[~given]
    here = SkyCoord(rest["ra"], rest["dec"])
    pairs = match_one_to_one(here, SkyCoord(points["RAJ2000"], points["DEJ2000"]), RADIUS)
    unmatched = np.ones(len(rest), dtype=bool)
    unmatched[pairs.a] = False
    edge = shapes["extension_radius"].to_value("deg") * np.where(
        shapes["extension_model"] == "gaussian", EDGE_OF_GAUSSIAN, 1
    )
    places = SkyCoord(shapes["RAJ2000"], shapes["DEJ2000"])
    on_each = np.array(
        [
            unmatched & (here.separation(place).deg < radius + MARGIN)
            for place, radius in zip(places, edge, strict=True)
        ]
    )
    flagged = has_flag(rest["flags"], Flag.ON_EXTENDED)
    of_each = on_each.sum(axis=1)
    plane = np.abs(rest["glat"].to_value("deg")) < 20
    return [
        len(found),
        int(given.sum()),
        int(np.sum(rest["extension"] > 0)),
        int(unmatched.sum()),
        int(np.sum(unmatched & plane)),
        int(on_each.any(axis=0).sum()),
        int(np.sum(of_each >= 2)),
        int(of_each.max()),
        int(flagged.sum()),
    ]


def print_discs(renderer: SkyRenderer, truth: QTable) -> None:
    """Print what is found of discs among points, and how many points seem to be extended."""
    discs = disc_table(np.random.default_rng(31))
    points = truth[np.asarray(truth["extension_model"]) == ""]
    both = zip(renderer.render(points).values, renderer.render(discs).values, strict=True)
    expected = replace(renderer.render(points), values=tuple(a + b for a, b in both))
    found = likelihood().localise_sky(simulated(renderer, expected, 32))
    here = SkyCoord(found["ra"], found["dec"])
    places = SkyCoord(discs["ra"], discs["dec"])
    radii = discs["extension_radius"].to_value("deg")
    apart = np.array([here.separation(place).deg for place in places])
    is_wide = np.asarray(found["extension"] > 0)
    print_found(found, discs, apart, is_wide)
    far = np.all(apart > radii[:, None] + 2, axis=0)
    print_points(found, far, is_wide)


def disc_table(rng: np.random.Generator) -> QTable:
    """Discs of all radii and fluxes, far from each other."""
    radius, flux = (each.ravel() for each in np.meshgrid(DISC_RADII, DISC_FLUXES))
    radius, flux = np.tile(radius, COPIES), np.tile(flux, COPIES)
    chosen: list[np.ndarray] = []
    while len(chosen) < len(radius):
        one = rng.normal(size=3)
        one /= np.linalg.norm(one)
        if all(one @ other < np.cos(np.radians(APART)) for other in chosen):
            chosen.append(one)
    x, y, z = np.array(chosen).T
    place = SkyCoord(np.arctan2(y, x), np.arcsin(z), unit="rad", frame="galactic").icrs
    return QTable(
        {
            "name": [f"disc {i + 1}" for i in range(len(radius))],
            "ra": place.ra,
            "dec": place.dec,
            "class_label": ["OTHER"] * len(radius),
            "flux": flux * u.Unit("cm-2 s-1"),
            "extension_model": ["disc"] * len(radius),
            "extension_radius": radius * u.deg,
        }
    )


def print_found(found: QTable, discs: QTable, apart: np.ndarray, is_wide: np.ndarray) -> None:
    """Print what is found of discs of each radius and flux."""
    radii, fluxes = discs["extension_radius"].to_value("deg"), discs["flux"].value
    print(
        "| radius (deg) | flux (cm-2 s-1) | discs | found extended | median r68 / true "
        "| pulls of r68 within 1, 2 | median flux / true | rows a disc |\n"
        "|---|---|---|---|---|---|---|---|"
    )
    pulls_of_all = []
    for radius in DISC_RADII:
        for flux in DISC_FLUXES:
            rows = np.flatnonzero((radii == radius) & (fluxes == flux))
            best = [_nearest(apart[row], is_wide, radius) for row in rows]
            good = [k for k in best if k is not None]
            r68 = found["extension"].to_value("deg")[good] / (radius * 0.68**0.5)
            error = found["extension_err"].to_value("deg")[good] / (radius * 0.68**0.5)
            pulls = np.abs(r68 - 1) / error
            pulls_of_all += pulls.tolist()
            seen = found["flux"].value[good] / flux
            on = (apart[rows] < radius + MARGIN) & (found["ts"] >= CUT)
            text = (
                f"{np.median(r68):.2f} | {np.sum(pulls < 1)}, {np.sum(pulls < 2)} "
                f"| {np.median(seen):.2f}"
                if good
                else " | | "
            )
            print(
                f"| {radius} | {flux:.0e} | {len(rows)} | {len(good)} | {text} "
                f"| {on.sum(axis=1).mean():.1f} |"
            )
    pulls = np.array(pulls_of_all)
    print(
        f"\nOf {len(pulls)} radii {np.mean(pulls < 1):.2f} are within one error and "
        f"{np.mean(pulls < 2):.2f} within two."
    )


def _nearest(apart: np.ndarray, is_wide: np.ndarray, radius: float) -> int | None:
    """Extended row nearest to a disc, if it is on it."""
    distance = np.where(is_wide, apart, np.inf)
    row = int(distance.argmin())
    return row if distance[row] < radius / 2 + MARGIN else None


def print_points(found: QTable, far: np.ndarray, is_wide: np.ndarray) -> None:
    """Print how many true points have a TS of extension above some values."""
    cuts = (4, 9, 16, 25, 36)
    latitude = np.abs(found["glat"].to_value("deg"))
    print(
        "\n| true points, TS >= 25 | tested | "
        + " | ".join(f"TS_ext >= {cut}" for cut in cuts)
        + " | called extended |\n|---|---|"
        + "---|" * (len(cuts) + 1)
    )
    for name, (low, up) in LATITUDES.items():
        chosen = far & (latitude > low) & (latitude <= up) & (found["ts"] >= 25)
        ts = np.nan_to_num(found["ts_ext"][chosen])
        numbers = " | ".join(str(int(np.sum(ts >= cut))) for cut in cuts)
        print(f"| {name} | {chosen.sum()} | {numbers} | {int(np.sum(is_wide[chosen]))} |")


if __name__ == "__main__":
    main()
