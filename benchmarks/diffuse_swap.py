"""The U-Net with a wrong interstellar emission: the sky has a GALPROP model; needs ../shared.

``python benchmarks/diffuse_swap.py FOLDER STANDARD [--skies 4] [--models O A F] [--preset NAME]``:
STANDARD is the folder of ``benchmarks/localiser.py``, with the same sources. Models A and F are for
scoring only: nothing is chosen on them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import astropy.units as u
import healpy as hp
import numpy as np
from astropy.table import QTable
from held_out import HeldOut, evaluated, latitude
from localiser import REGIONS
from results import kept

from gammafind.evaluation.metrics import purity_cut, rates
from gammafind.plugins.unet.localiser import UNet
from gammafind.presets.preset import build, load_preset

TEMPLATES = Path(__file__).resolve().parents[2] / "shared" / "data" / "fermi" / "diffuse"
FILES = {
    "O": "template_O{part}.npy",
    "A": "template_A{part}_573w_2-20GeV_ns128_ring_gal.npy",
    "F": "template_F{part}_573w_2-20GeV_ns128_ring_gal.npy",
}
PION_NORMS = {"O": 9.66, "A": 9.99, "F": 11.97}
"""Norm of the pion and bremsstrahlung part of each model on the real counts at abs(b) > 20, fitted
together with its inverse-Compton part, isotropic emission, bubbles and 4FGL sources."""
CUT = 0.5
"""A score that does not depend on the skies, next to that of purity 0.90."""
RADIUS = 0.3 * u.deg
KEPT = {"fermi-lat": "diffuse_swap", "fermi-lat-psf3-2-20": "diffuse_swap_2_20"}
"""Names of the results by preset."""


def main() -> None:
    """Print completeness and purity at the same score cuts on all skies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("standard", type=Path)
    parser.add_argument("--skies", type=int, default=4)
    parser.add_argument("--models", nargs="+", choices=FILES, default=["O"])
    parser.add_argument("--preset", choices=KEPT, default="fermi-lat")
    parser.add_argument("--weights", default="")
    parser.add_argument("--name", default="unet")
    arguments = parser.parse_args()
    preset, name = arguments.preset, arguments.name
    skies = {"embedded": HeldOut(folder=arguments.standard, preset=preset)}
    for model in arguments.models:
        folder = arguments.folder / model
        skies[f"Model {model}"] = HeldOut(folder=folder, preset=preset, shape=shape_of(model))
    localiser, numbers = UNet(weights=arguments.weights), range(arguments.skies)
    found = {key: [] for key in skies}
    for i in numbers:
        for key, one in skies.items():
            found[key].append(one.detections(i, name, localiser))
    sources = [skies["embedded"].sources(i) for i in numbers]
    with kept(KEPT[preset]):
        print_rates(found, sources, load_preset(preset).match_radius)


def print_rates(found: dict[str, list[QTable]], sources: list[QTable], radius: u.Quantity) -> None:
    """Print purity and completeness of each set of skies, by region and cut."""
    whole = {key: evaluated(tables, sources, radius=radius) for key, tables in found.items()}
    b = latitude(sources)
    print("| region | score >= | sky | detections | purity | completeness |")
    print("|---|---|---|---|---|---|")
    for region, (low, high) in REGIONS.items():
        chosen = {}
        for key, evaluation in whole.items():
            at = latitude(found[key])
            inside = {"selected": (b >= low) & (b < high), "counted": (at >= low) & (at < high)}
            chosen[key] = evaluation.select(**inside)
        for cut in (purity_cut(chosen["embedded"], purity=0.90), CUT):
            for key, evaluation in chosen.items():
                now = rates(evaluation, cut=cut)
                print(
                    f"| {region} | {cut:.3f} | {key} | {now.n_detections} | {now.purity:.3f} "
                    f"| {now.completeness:.3f} |"
                )


def shape_of(model: str) -> np.ndarray:
    """Ratio of the interstellar emission of a GALPROP model to the embedded shape, 2-20 GeV.

    Its inverse-Compton part is scaled so that both have the same mean at abs(b) > 20.
    """
    pion, compton = (
        np.load(TEMPLATES / FILES[model].format(part=part)).astype(float) for part in ("pi", "ic")
    )
    renderer = build(load_preset("fermi-lat-psf3-2-20").renderer)
    embedded = renderer.background()["interstellar"].values[0].astype(float)
    colatitude, _ = hp.pix2ang(hp.npix2nside(pion.size), np.arange(pion.size))
    off = np.abs(90 - np.degrees(colatitude)) > 20
    pion = PION_NORMS[model] * pion
    share = (embedded[off].mean() - pion[off].mean()) / compton[off].mean()
    return (pion + share * compton) / embedded


if __name__ == "__main__":
    main()
