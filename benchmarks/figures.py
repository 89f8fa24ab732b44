"""Draw what the benchmarks kept in ``results/``: one figure a question, good answers and bad ones.

``python benchmarks/figures.py FOLDER`` writes all; ``docs/validation/figures.md`` shows them.
Each goal is a grey band or line.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RESULTS = Path(__file__).resolve().parent / "results"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
"""Colours that colour-blind readers can distinguish."""
GOAL = "0.88"
HEIGHT = 3.1


def main() -> None:
    """Write all figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in FIGURES.items():
        draw().savefig(folder / f"{name}.png", dpi=150)
        print(folder / f"{name}.png")


def table(name: str, *columns: str) -> list[dict[str, str]]:
    """Rows of the table of a result that has these columns, each a dict; the first such table."""
    kept = json.loads((RESULTS / f"{name}.json").read_text())
    for one in kept["tables"]:
        if set(columns) <= set(one["columns"]):
            return [dict(zip(one["columns"], row, strict=True)) for row in one["rows"]]
    raise LookupError(f"{name}.json has no table with the columns {', '.join(columns)}")


def number(text: str) -> float:
    """First number of a cell."""
    return float(re.search(r"[-+]?\d[\d.]*(?:e[-+]?\d+)?", text.replace(",", ""))[0])


def interval(text: str) -> tuple[float, float]:
    """Distances to the ends of an interval, from ``0.5 [0.4, 0.6]`` or ``0.5 ± 0.1``."""
    value, *ends = (float(one) for one in re.findall(r"\d[\d.]*", text))
    return (value - ends[0], ends[1] - value) if len(ends) == 2 else (ends[0], ends[0])


def panels(n: int, width: float) -> tuple[Figure, Sequence[Axes]]:
    """Figure of some panels next to each other."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, HEIGHT), layout="constrained")
    return figure, np.atleast_1d(figure.subplots(1, n))


def real_sky() -> Figure:
    """Purity and completeness on the real and on simulated skies, and of a simple search."""
    figure, axes = panels(2, 8)
    columns = ("region", "TS >=", "purity", "completeness, all")
    kept = json.loads((RESULTS / "real_sky.json").read_text())["tables"]
    real, _, simple = ([dict(zip(t["columns"], r, strict=True)) for r in t["rows"]] for t in kept)
    skies = {
        "real sky": real,
        "simulated skies": table("simulated_sky", *columns),
        "real sky, one pass of a filter": simple,
    }
    for one, region in zip(axes, ("abs(b) > 20", "abs(b) < 20"), strict=True):
        for (label, rows), colour in zip(skies.items(), COLOURS, strict=False):
            mine = [r for r in rows if r["region"] == region and "(" not in r["TS >="]]
            x, y = ([number(r[c]) for r in mine] for c in ("purity", "completeness, all"))
            errors = np.array([interval(r["completeness, all"]) for r in mine]).T
            one.errorbar(x, y, errors, fmt="o-", ms=4, color=colour, label=label)
        one.axvline(0.9, color=GOAL, zorder=0)
        one.set(title=region.replace("abs(b)", "|b|") + " deg", xlabel="Purity", ylim=(0, 0.55))
    axes[0].set_ylabel("Completeness, all of 4FGL-DR2")
    axes[0].legend(frameon=False, fontsize=8, loc="lower left")
    return figure


def ideal() -> Figure:
    """Completeness of the network over that of an ideal filter, on simulated skies."""
    figure, (axes,) = panels(1, 7)
    rows = table("localiser", "region", "flux", "unet", "ideal")
    at = np.arange(len(rows))
    for shift, column, colour in ((-0.12, "unet", COLOURS[0]), (0.12, "ideal", COLOURS[1])):
        errors = np.array([interval(row[column]) for row in rows]).T
        values = [number(row[column]) for row in rows]
        axes.errorbar(at + shift, values, errors, fmt="o", ms=4, color=colour, label=column)
    names = [f"{r['region'].replace('abs(b)', '|b|')}\n{r['flux']}" for r in rows]
    axes.set_xticks(at, names, fontsize=7)
    axes.set(ylabel="Completeness at purity 0.90", ylim=(0, 1.05))
    axes.legend(frameon=False)
    return figure


def probabilities() -> Figure:
    """Stated probabilities against the share that is right."""
    figure, axes = panels(3, 9)
    rows = table("localiser", "mean score", "true")
    _diagonal(axes[0], [r["mean score"] for r in rows], [r["true"] for r in rows])
    axes[0].set_title("unet, six simulated bands", fontsize=9)
    later = table("later_weeks", "probability", "expected share", "confirmed share")
    for region, colour in zip(("abs(b) > 20", "abs(b) < 20"), COLOURS, strict=False):
        mine = [r for r in later if r["region"] == region]
        stated, confirmed = ([r[c] for r in mine] for c in ("expected share", "confirmed share"))
        _diagonal(axes[1], stated, confirmed, label=f"{region.replace('abs(b)', '|b|')} deg",
                  colour=colour)  # fmt: skip
    axes[1].set_title("unet, real sky and later weeks", fontsize=9)
    axes[1].legend(frameon=False, fontsize=8)
    rows = table("association", "mean probability", "true share", "error")
    shares = [f"{r['true share']} ± {r['error']}" for r in rows]
    _diagonal(axes[2], [r["mean probability"] for r in rows], shares)
    axes[2].set_title("associations, simulated", fontsize=9)
    axes[0].set_ylabel("Share that is right")
    return figure


def _diagonal(
    axes: Axes,
    stated: Sequence[str],
    true: Sequence[str],
    *,
    label: str = "",
    colour: str = COLOURS[0],
) -> None:
    axes.plot([0, 1], [0, 1], color=GOAL, zorder=0)
    cells = [text.replace("+-", "±") for text in true]
    known = "±" in cells[0]
    errors = np.array([interval(text) for text in cells]).T if known else None
    x, y = [number(text) for text in stated], [number(text) for text in cells]
    axes.errorbar(x, y, errors, fmt="o", ms=4, color=colour, label=label)
    axes.set(xlabel="Stated probability", xlim=(0, 1.05), ylim=(0, 1.1))


def false_rows() -> Figure:
    """Found over stated numbers of false rows on empty skies."""
    figure, (axes,) = panels(1, 6)
    rows = table("stated_false", "sky", "TS >=", "found / stated")
    axes.axhspan(0.9, 1.1, color=GOAL, zorder=0)
    names = list(dict.fromkeys(row["sky"] for row in rows))
    for i, (name, colour) in enumerate(zip(names, (*COLOURS[:3], "black"), strict=True)):
        mine = [row for row in rows if row["sky"] == name]
        x = np.arange(len(mine)) + 0.1 * (i - 1.5)
        values = [number(row["found / stated"]) for row in mine]
        errors = [interval(row["found / stated"])[0] for row in mine]
        axes.errorbar(x, values, errors, fmt="o", ms=4, color=colour, label=name)
        axes.set_xticks(np.arange(len(mine)), [f"TS ≥ {row['TS >=']}" for row in mine])
    axes.set(ylabel="False rows found / stated", ylim=(0.5, 1.75))
    axes.legend(frameon=False, fontsize=8, loc="upper left")
    return figure


def positions() -> Figure:
    """Shares of true positions within r95."""
    figure, (axes,) = panels(1, 7)
    axes.axvspan(0.93, 0.97, color=GOAL, zorder=0)
    found = list(_position_shares())
    for i, (_, share, n, real) in enumerate(found):
        error = np.sqrt(share * (1 - share) / n)
        axes.errorbar(share, -i, xerr=error, fmt="o" if real else "s", ms=4,
                      color=COLOURS[0] if real else COLOURS[1])  # fmt: skip
    axes.set_yticks(-np.arange(len(found)), [label for label, *_ in found], fontsize=7)
    axes.set(xlabel="Share within r95 (round: real sky; square: simulated)", xlim=(0.78, 1))
    return figure


def _position_shares() -> Iterator[tuple[str, float, int, bool]]:
    for row in table("positions", "half", "region", "rows", "within r95"):
        if row["rows"] == "all":
            label = f"2-20 GeV, {row['half']}, {row['region']}"
            yield label, number(row["within r95"]), int(row["counterparts"]), True
    for row in table("lat_files", "b < 0", "TS at least", "inside r95"):
        if row["TS at least"] == "16":
            label = f"above 10 GeV, b < 0, {row['b < 0']}"
            yield label, number(row["inside r95"]), int(row["counterparts"]), True
    for row in table("six_bands", "localiser", "region", "TS at least", "inside r95"):
        if row["TS at least"] == "25":
            label = f"six bands, {row['localiser'].strip('`')}, {row['region']}"
            yield label, number(row["inside r95"]), int(row["detections"]), False


def measured() -> Figure:
    """Means and widths of pulls of measured values."""
    figure, axes = panels(2, 8)
    rows = [r for r in table("measure_pulls", "quantity", "mean", "width") if r["sources"]]
    rows = [r for r in rows if r["expected TS"] == "all"]
    at = -np.arange(len(rows))
    axes[0].axvspan(-0.05, 0.05, color=GOAL, zorder=0)
    axes[1].axvspan(0.95, 1.05, color=GOAL, zorder=0)
    means, errors, widths, sizes = (
        np.array([number(r[c]) for r in rows])
        for c in ("mean", "error of the mean", "width", "sources")
    )
    axes[0].errorbar(means, at, xerr=errors, fmt="o", ms=4, color=COLOURS[0])
    axes[1].errorbar(widths, at, xerr=widths / np.sqrt(2 * sizes), fmt="o", ms=4, color=COLOURS[0])
    axes[0].set_yticks(at, [r["quantity"] for r in rows], fontsize=8)
    axes[1].set_yticks(at, [])
    axes[0].set(xlabel="Mean pull")
    axes[1].set(xlabel="Width of the pulls", xscale="log")
    axes[1].set_xticks([1, 2, 5], ["1", "2", "5"])
    axes[1].xaxis.set_minor_formatter("")
    return figure


def limits() -> Figure:
    """Coverage of upper limits, and fluxes at which half of the sources are found."""
    figure, axes = panels(2, 9)
    rows = table("upper_limits", "sky", "region", "expected TS", "coverage", "profile alone")
    for sky, colour in zip(dict.fromkeys(row["sky"] for row in rows), COLOURS, strict=False):
        for region, line in (("abs(b) > 20", "o-"), ("abs(b) < 10", "s--")):
            mine = [r for r in rows if (r["sky"], r["region"]) == (sky, region)]
            x, y = ([number(r[c]) for r in mine] for c in ("expected TS", "coverage"))
            axes[0].plot(x, y, line, ms=4, color=colour, label=sky if line == "o-" else "")
    axes[0].axhline(0.95, color=GOAL, zorder=0)
    axes[0].set(xlabel="Expected TS of the source", ylabel="Coverage of 95 % limits")
    axes[0].legend(frameon=False, fontsize=7)
    rows = table("sensitivity_simulated", "abs(b)", "longitude", "measured / map", "error")
    axes[1].axhspan(0.95, 1.05, color=GOAL, zorder=0)
    for longitude, colour in zip(("within 90 deg", "beyond 90 deg"), COLOURS, strict=False):
        mine = [r for r in rows if r["longitude"] == longitude]
        middle = [np.mean([float(end) for end in r["abs(b)"].split("-")]) for r in mine]
        ratio, error = ([number(r[c]) for r in mine] for c in ("measured / map", "error"))
        axes[1].errorbar(middle, ratio, error, fmt="o", ms=4, color=colour, label=longitude)
    axes[1].set(xlabel="|b| (deg)", ylabel="Flux of half found: measured / map")
    axes[1].legend(frameon=False, fontsize=8, title="longitude", title_fontsize=8)
    return figure


FIGURES: dict[str, Callable[[], Figure]] = {
    "real_sky": real_sky,
    "ideal": ideal,
    "probabilities": probabilities,
    "false_rows": false_rows,
    "positions": positions,
    "measured": measured,
    "limits": limits,
}


if __name__ == "__main__":
    main()
