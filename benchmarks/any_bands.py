"""A network for any bands on settings that it never saw, next to `likelihood` and the ideal.

``python benchmarks/any_bands.py FOLDER --weights WEIGHTS [--settings 0 1 2 ...]`` draws bands,
response and time of each sky, searches it, keeps tables in FOLDER and goes on there.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import astropy.units as u
import numpy as np
from astropy.table import QTable
from held_out import HeldOut, ideal
from results import kept

import gammafind
from gammafind.catalogue.matching import match_one_to_one
from gammafind.catalogue.merging import R95_OVER_R68
from gammafind.catalogue.positions import sky_positions
from gammafind.evaluation.metrics import completeness_at_purity, evaluate_detections
from gammafind.fitting.photons.expected import rendered_ts
from gammafind.plugins.unet.localiser import UNet
from gammafind.plugins.unet.training.truth import match_radius
from gammafind.presets.preset import build
from gammafind.roles.localiser import Localiser
from gammafind.simulation.sky import SimulatedSky, simulated_sky
from gammafind.utils.streams import streams

SEED = 777
"""Of the settings and their skies: not used for training, validation or development."""
PURITY = 0.90
MANY, MANY_MATCHES = 1500, 300
"""Detections and matches of a setting from which its calibration and errors are judged alone."""


@dataclass(frozen=True, kw_only=True)
class Settings(HeldOut):
    """Skies of settings that are drawn at random."""

    seed: int = SEED

    def setting(self, index: int) -> gammafind.SkyRenderer:
        """The instrument of an index."""
        return build(self.settings.renderer).another(streams(self.seed, index).settings)

    def sky(self, index: int) -> SimulatedSky:
        """The sky of an index; the last one is kept in memory."""
        if _last and _last[0] == (str(self.folder), index):
            return _last[1]
        renderer = self.setting(index)
        sky = simulated_sky(renderer, build(self.settings.population), seed=self.seed, index=index)
        sky.sources["ts"] = rendered_ts(renderer, sky.sources)
        sky.sources.meta["radius"] = float(match_radius(sky.observation).to_value("deg"))
        sky.sources.meta["bands"] = len(renderer.bands)
        sky.sources.meta["lowest"], sky.sources.meta["highest"] = (
            float(renderer.energies[end]) for end in (0, -1)
        )
        sky.sources.meta["types"] = f"{renderer.irf} {renderer.event_types[0]}"
        sky.sources.meta["years"] = round(renderer.good_time / 26.11e6, 2)
        _last[:] = [(str(self.folder), index), sky]
        return sky

    def detections(self, index: int, name: str, localiser: Localiser) -> QTable:
        """What a localiser finds on the sky of an index."""

        def find() -> QTable:
            sky = self.sky(index)
            start = perf_counter()
            found = localiser.localise_sky(sky.observation, rng=np.random.default_rng(index))
            found.meta = {"seconds": perf_counter() - start}
            return found

        return self._kept(index, f"{name}.fits", find)

    def ideal(self, index: int) -> QTable:
        """Detections with known background and neighbours."""
        return self._kept(index, "ideal.fits", lambda: ideal(self.setting(index), self.sky(index)))

    def facts(self, index: int) -> dict:
        """What the setting of an index is."""
        self.sources(index)
        return json.loads((self.folder / f"sky-{index:02d}" / "sources.json").read_text())


_last: list = []


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--settings", type=int, nargs="+", default=list(range(40)))
    parser.add_argument("--weights", required=True)
    parser.add_argument("--name", default="any-bands")
    parser.add_argument("--others", nargs="*", default=["likelihood", "ideal"])
    arguments = parser.parse_args()
    skies = Settings(folder=arguments.folder)
    rows = []
    for index in arguments.settings:
        try:
            rows.append(row_of(skies, index, arguments))
        except gammafind.GammafindError as error:
            print(f"{index}: {error}", flush=True)
            continue
        print("| " + " | ".join(rows[-1]) + " |", flush=True)
    with kept("any_bands"):
        report(rows, arguments.others)


def row_of(skies: Settings, index: int, arguments: argparse.Namespace) -> list[str]:
    """Search a setting, and state how well."""
    sources, facts = skies.sources(index), skies.facts(index)
    radius = facts["radius"] * u.deg
    found = {
        arguments.name: skies.detections(index, arguments.name, UNet(weights=arguments.weights))
    }
    if "likelihood" in arguments.others:
        classical = gammafind.create("localiser", "likelihood")
        found["likelihood"] = skies.detections(index, "likelihood", classical)
    if "ideal" in arguments.others:
        found["ideal"] = skies.ideal(index)
    rates = {
        name: completeness_at_purity(
            evaluate_detections(table, sources, radius=radius), purity=PURITY
        ).completeness
        for name, table in found.items()
    }
    ours = found[arguments.name]
    matched = evaluate_detections(ours, sources, radius=radius).matched
    score = np.asarray(ours["score"])
    sure = ours[score >= 0.5]
    pairs = match_one_to_one(sky_positions(sure), sky_positions(sources), radius)
    scaled = pairs.separation / (sure["pos_err"][pairs.a] * R95_OVER_R68)
    inside = np.mean(scaled.to_value("") < 1) if len(scaled) else np.nan
    text = [
        f"{index}",
        f"{facts['bands']} of {facts['lowest']:g}-{facts['highest']:g}",
        facts["types"],
        f"{facts['years']:g}",
        f"{facts['radius']:.2f}",
        *(f"{rate:.4f}" for rate in rates.values()),
        f"{len(scaled)}",
        f"{inside:.3f}",
        f"{len(ours)}",
        f"{calibration_error(score, matched):.3f}",
        f"{skies.seconds(index, arguments.name):.0f}",
    ]
    return text


def calibration_error(score: np.ndarray, matched: np.ndarray) -> float:
    """Mean difference of probability and share of true ones, in ten bins of probability."""
    of_bin = np.clip((score * 10).astype(int), 0, 9)
    n = np.bincount(of_bin, minlength=10)
    difference = np.bincount(of_bin, score - matched, minlength=10)
    return float(np.abs(difference).sum() / max(n.sum(), 1))


def report(rows: list[list[str]], others: list[str]) -> None:
    """Print the table of all settings and what follows from it."""
    head = ["setting", "bands (GeV)", "photons", "years", "radius (deg)", "network", *others]
    head += ["matched", "inside r95", "detections", "calibration error", "seconds"]
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    column = {name: np.array([row[i] for row in rows]) for i, name in enumerate(head)}
    ours = column["network"].astype(float)
    if "likelihood" in others:
        gain = ours - column["likelihood"].astype(float)
        print(
            f"\nMore complete than `likelihood` on {np.sum(gain > 0)} of {len(rows)} settings; "
            f"lower by more than 0.02 on {np.sum(gain < -0.02)}; least {gain.min():+.4f}, median "
            f"{np.median(gain):+.4f}."
        )
    if "ideal" in others:
        ratio = ours / np.maximum(column["ideal"].astype(float), 1e-9)
        print(f"Ratio to the ideal: median {np.median(ratio):.3f}, least {ratio.min():.3f}.")
    many = column["matched"].astype(int) >= MANY_MATCHES
    inside = column["inside r95"].astype(float)
    print(
        f"Inside r95 where there are {MANY_MATCHES} matches: {inside[many].min():.3f} to "
        f"{inside[many].max():.3f} on {many.sum()} settings."
        if many.any()
        else "No setting has many matches."
    )
    many = column["detections"].astype(int) >= MANY
    error = column["calibration error"].astype(float)
    if many.any():
        print(f"Calibration error: at most {error[many].max():.3f} on {many.sum()} settings.")


if __name__ == "__main__":
    main()
