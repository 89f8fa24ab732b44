"""The U-Net with a wrong interstellar emission: the sky has Model O; needs ../shared.

``python benchmarks/diffuse_swap.py FOLDER STANDARD [--skies 4] [--weights FOLDER]``: STANDARD is
the folder of ``benchmarks/localiser.py``, with the same sources.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import astropy.units as u
import healpy as hp
import numpy as np
from held_out import HeldOut, evaluated, latitude
from localiser import REGIONS
from results import kept

from gammafind.evaluation.metrics import purity_cut, rates
from gammafind.plugins.unet.localiser import UNet
from gammafind.presets.preset import build, load_preset

TEMPLATES = Path(__file__).resolve().parents[2] / "shared" / "data" / "fermi" / "diffuse"
PION_NORM = 9.66
"""Norm of Model O's pion and bremsstrahlung part on the real counts at abs(b) > 20."""
RADIUS = 0.3 * u.deg


@kept("diffuse_swap")
def main() -> None:
    """Print completeness and purity at the same score cuts on both skies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("standard", type=Path)
    parser.add_argument("--skies", type=int, default=4)
    parser.add_argument("--weights", default="")
    parser.add_argument("--name", default="unet")
    arguments = parser.parse_args()
    standard = HeldOut(folder=arguments.standard)
    swapped = HeldOut(folder=arguments.folder, shape=model_o())
    localiser = UNet(weights=arguments.weights)
    indices = range(arguments.skies)
    sources = [standard.sources(i) for i in indices]
    found = {
        key: [skies.detections(i, arguments.name, localiser) for i in indices]
        for key, skies in (("embedded", standard), ("Model O", swapped))
    }
    whole = {key: evaluated(tables, sources, radius=RADIUS) for key, tables in found.items()}
    b = latitude(sources)
    print("| region | score >= | sky | detections | purity | completeness |")
    print("|---|---|---|---|---|---|")
    for region, (low, high) in REGIONS.items():
        chosen = {}
        for key, evaluation in whole.items():
            at = latitude(found[key])
            inside = {"selected": (b >= low) & (b < high), "counted": (at >= low) & (at < high)}
            chosen[key] = evaluation.select(**inside)
        for cut in (purity_cut(chosen["embedded"], purity=0.90), 0.5):
            for key, evaluation in chosen.items():
                now = rates(evaluation, cut=cut)
                print(
                    f"| {region} | {cut:.3f} | {key} | {now.n_detections} | {now.purity:.3f} "
                    f"| {now.completeness:.3f} |"
                )


def model_o() -> np.ndarray:
    """Ratio of the interstellar emission of Model O to the embedded shape, 2-20 GeV.

    Its inverse-Compton part is scaled so that both have the same mean at abs(b) > 20.
    """
    pion, compton = (
        np.load(TEMPLATES / name).astype(float) for name in ("template_Opi.npy", "template_Oic.npy")
    )
    renderer = build(load_preset("fermi-lat-psf3-2-20").renderer)
    embedded = renderer.background()["interstellar"].values[0].astype(float)
    colatitude, _ = hp.pix2ang(hp.npix2nside(pion.size), np.arange(pion.size))
    off = np.abs(90 - np.degrees(colatitude)) > 20
    pion = PION_NORM * pion
    share = (embedded[off].mean() - pion[off].mean()) / compton[off].mean()
    return (pion + share * compton) / embedded


if __name__ == "__main__":
    main()
