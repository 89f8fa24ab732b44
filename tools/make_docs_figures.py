"""Make every picture that README.md and docs/ show.

``python tools/make_docs_figures.py [--only NAME ...]`` writes docs/images. The demo takes about a
minute, the others less. Pictures of benchmarks that take hours are drawn from the numbers that
the benchmark kept in benchmarks/results.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
BENCHMARKS = ROOT / "benchmarks"
WIDTH = 1400
"""Pixels of the picture of the sky: markers of two thousand sources stay apart."""


def main() -> None:
    """Make all pictures, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=FIGURES, default=list(FIGURES))
    sys.path.insert(0, str(BENCHMARKS))
    for name in parser.parse_args().only:
        for path in FIGURES[name]():
            print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB", flush=True)


def sky() -> Iterator[Path]:
    """Draw the catalogue of the demo, and keep the numbers that the demo prints."""
    with tempfile.TemporaryDirectory() as folder:
        products = Path(folder) / "demo"
        subprocess.run([sys.executable, BENCHMARKS / "demo.py", products], check=True)
        picture = (products / "sky.png").read_bytes()
    yield written("sky", in_few_colours(picture, 256, width=WIDTH))


def population() -> Iterator[Path]:
    """Draw the synthetic population against the catalogue."""
    from population import POPULATIONS, draw
    from population_figures import draw_figures

    yield from draw_figures(IMAGES, draw(POPULATIONS["default"]))


def residual() -> Iterator[Path]:
    """Draw counts minus model of the real sky."""
    from rendering_real_sky import draw, real_sky

    yield written("real_sky_residual", in_few_colours(draw(real_sky()), 64))


def reliability() -> Iterator[Path]:
    """Draw predicted probabilities of classes against the share that is right."""
    from matplotlib.figure import Figure

    from gammafind.views.style import png

    kept = json.loads((BENCHMARKS / "results" / "classifier.json").read_text())
    (bins,) = [table["rows"] for table in kept["tables"] if table["columns"][0] == "predicted"]
    predicted, true = np.array(bins, dtype=float).T[:2]
    figure = Figure(figsize=(3.6, 3.4), layout="constrained", dpi=150)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="0.7", lw=1)
    axes.plot(predicted, true, "o-", color="#0072B2")
    axes.set(xlabel="predicted probability", ylabel="share named correctly")
    axes.set(xlim=(0, 1), ylim=(0, 1))
    yield written("classifier_reliability", png(figure))


def importance() -> Iterator[Path]:
    """Draw how much each quantity matters to the classifier of catalogues."""
    from gammafind.views.importance import importance_figure
    from gammafind.views.style import png

    kept = json.loads((BENCHMARKS / "results" / "features_importance.json").read_text())
    panels = {}
    for pair, measure, mean, spread in kept["tables"][0]["rows"]:
        panels.setdefault(pair, {})[measure] = (float(mean), float(spread))
    yield written("features_importance", png(importance_figure(panels)))


FIGURES: dict[str, Callable[[], Iterator[Path]]] = {
    "sky": sky,
    "population": population,
    "residual": residual,
    "reliability": reliability,
    "importance": importance,
}


def written(name: str, picture: bytes) -> Path:
    """Write a picture, and return its path."""
    path = IMAGES / f"{name}.png"
    path.write_bytes(picture)
    return path


def in_few_colours(picture: bytes, colours: int, *, width: int = 0) -> bytes:
    """Return the PNG with a palette, no wider than ``width``: a third of the size."""
    from PIL import Image

    small = io.BytesIO()
    full = Image.open(io.BytesIO(picture)).convert("RGB")
    if width:
        full = full.resize(
            (width, round(full.height * width / full.width)), Image.Resampling.LANCZOS
        )
    method = Image.Quantize.MEDIANCUT if colours > 64 else Image.Quantize.MAXCOVERAGE
    reduced = full.quantize(colours, method=method, dither=Image.Dither.NONE)
    reduced.save(small, "PNG", optimize=True)
    return small.getvalue()


if __name__ == "__main__":
    main()
