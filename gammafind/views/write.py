"""Write the report: all figures and the page, or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from astropy.table import QTable

from gammafind.evaluation.numbers import Summary
from gammafind.fitting.photons.goodness import Goodness
from gammafind.sky.observation import Observation
from gammafind.sky.skymap import SkyMap
from gammafind.views.curves import localiser_figure
from gammafind.views.diagnostics import (
    completeness_figure,
    counterpart_flux_figure,
    flux_figure,
    offset_figure,
    score_figure,
)
from gammafind.views.layers import layers_of
from gammafind.views.localisers import Search
from gammafind.views.overview import overview_figure
from gammafind.views.page import PageFigure, build_page
from gammafind.views.page_data import marks_of, page_data
from gammafind.views.residuals import LARGE, share_of_large
from gammafind.views.rows import Rows, rows_of
from gammafind.views.style import capitalised, png


def write_report(
    directory: str | PathLike,
    catalogue: QTable,
    counts: SkyMap,
    *,
    reference: QTable | None = None,
    summary: Summary,
    provenance: Mapping[str, Any],
    searches: Sequence[Search] = (),
    residuals: Goodness | None = None,
    scores: SkyMap | None = None,
    observation: Observation | None = None,
) -> list[Path]:
    """Write ``index.html``, its figures, and the sky as a figure for papers and slides.

    Parameters
    ----------
    directory : path-like
        Exists already; files of these names are replaced.
    catalogue : QTable
        Schema CATALOGUE; optional columns may be missing, and the table may be empty.
    counts : SkyMap
        The map in which the sources were found.
    reference : QTable, optional
        The reference of ``summary``.
    summary : Summary
        From `gammafind.evaluation.against.summarise`.
    provenance : mapping
        How the catalogue was made: version, preset, plugins, input names with checksums, date,
        command. The preset and the localiser are in the title.
    searches : sequence of Search, optional
        This localiser and others on the same sky, for comparison on the page.
    residuals : Goodness, optional
        How well background and sources describe the counts.
    scores : SkyMap, optional
        Score of the localiser at each place.
    observation : Observation, optional
        With the background and PSFs of the counts, for the model on the page.

    Returns
    -------
    list of Path
        Written files, the page first.
    """
    pixels = counts.finest_pixels
    rows = rows_of(catalogue, reference, summary, pixels=pixels)
    title = _title(provenance, counts, summary.n_detections)
    figures = [*_diagnostics(catalogue, reference, rows, summary), *_localisers(searches)]
    layers = layers_of(
        counts,
        observation,
        catalogue.meta.get("background_norms"),
        residuals=residuals,
        scores=scores,
        score_name=summary.score_name,
    )
    page = build_page(
        title=title,
        summary=summary,
        provenance=provenance,
        figures=figures,
        data=page_data(catalogue, reference, counts, rows, observation, summary.score_name)
        | {"sky": layers.sky},
        texts=layers.texts,
        marks=marks_of(rows),
        notes=_residual_notes(residuals),
        searches=searches,
    )
    sky = png(overview_figure(counts, rows, title=title, score_name=summary.score_name))
    contents = {"index.html": page.encode(), "sky.png": sky}
    contents |= {figure.name: figure.png for figure in figures}
    for name, content in contents.items():
        (Path(directory) / name).write_bytes(content)
    return [Path(directory) / name for name in contents]


def _title(provenance: Mapping[str, Any], counts: SkyMap, n: int) -> str:
    """Title with the number of detections, the instrument and the localiser, as far as known."""
    names = ", ".join(band.name for band in counts.bands)
    preset = str(provenance.get("preset", "")).strip()
    used = {plugin["role"]: plugin["name"] for plugin in provenance.get("plugins", ())}
    found = "1 source" if n == 1 else f"{n} sources"
    by = f" by {used['localiser']}" if "localiser" in used else ""
    return f"{preset} ({names}): {found} found{by}" if preset else f"{names}: {found} found{by}"


def _diagnostics(
    catalogue: QTable, reference: QTable | None, rows: Rows, summary: Summary
) -> list[PageFigure]:
    name = summary.score_name
    drawn = [
        ("score_histogram.png", score_figure(rows, summary),
         f"Number of detections in bins of {name}.", f"Histogram of {name}."),
        ("flux.png", flux_figure(catalogue, rows, summary),
         f"{capitalised(name)} against measured flux.", f"Scatter plot of {name} against flux."),
    ]  # fmt: skip
    if reference is not None and summary.matches is not None:
        drawn += [
            ("completeness.png", completeness_figure(reference, summary),
             "Fraction of the reference sources that were found, with 68 % intervals.",
             "Completeness rising with the flux in the reference."),
            ("counterpart_flux.png", counterpart_flux_figure(catalogue, reference, summary),
             "Measured flux against that of the counterpart; the line is where they are equal.",
             "Scatter plot of fluxes against those of the reference."),
            ("offsets.png", offset_figure(catalogue, reference, summary),
             "Offsets between detections and counterparts in units of the position errors of "
             "both; the line is the expectation for Gaussian errors.",
             "Histogram of normalised offsets with a Rayleigh distribution."),
        ]  # fmt: skip
    return [
        PageFigure(name=file, png=png(figure), caption=caption, alt=alt)
        for file, figure, caption, alt in drawn
        if figure is not None
    ]


def _localisers(searches: Sequence[Search]) -> list[PageFigure]:
    figure = localiser_figure(searches) if len(searches) > 1 else None
    if figure is None:
        return []
    parted = any(len(search.summary.regions) > 1 for search in searches)
    lines = " Lines are solid away from the plane, dotted within 20 deg of it." if parted else ""
    return [
        PageFigure(
            name="localisers.png",
            png=png(figure),
            caption="Purity against completeness for decreasing score cuts; circles are the "
            f"published points.{lines}",
            alt="Curves of purity against completeness of each localiser.",
        )
    ]


def _residual_notes(goodness: Goodness | None) -> list[str]:
    """What the maps of residuals are, and how often PS is large in them."""
    if goodness is None:
        return []
    share, number = share_of_large(goodness)
    return [
        "Residual in discs: counts less the model of background and sources, in standard "
        "deviations. PS: minus the decimal logarithm of the probability of such a deviation of the "
        f"spectrum, negative for too few counts. Of {number} places, {100 * share:.2f} % have an "
        f"absolute PS of {LARGE:g} or more; {100 * 10**-LARGE:g} % would by chance."
    ]
