"""The page: one HTML file with figures, summary, provenance and the catalogue."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from gammafind.evaluation.numbers import Summary
from gammafind.utils.outside import printable
from gammafind.views.encoding import deflated_json
from gammafind.views.localisers import LEFT_COLUMNS, Search, localiser_table

SCRIPTS = (
    "bytes", "vectors", "healpix", "nested", "colours", "layers", "sphere_layers", "plane_layers",
    "sphere", "plane", "stamps", "skyview", "table", "charts", "panel", "search", "main",
)  # fmt: skip
"""Parts of the script of the page, in the order in which they are read."""


@dataclass(frozen=True, kw_only=True)
class PageFigure:
    """A figure of the page.

    Parameters
    ----------
    name : str
        File name, with the suffix.
    png : bytes
    caption : str
        Description of the figure and how to read it.
    alt : str
        Description for readers who cannot see the figure.
    """

    name: str
    png: bytes
    caption: str
    alt: str


def build_page(
    *,
    title: str,
    summary: Summary,
    provenance: Mapping[str, Any],
    figures: Sequence[PageFigure],
    data: Mapping[str, Any],
    texts: Mapping[str, str],
    marks: Sequence[tuple[str, str, str]] = (),
    notes: Sequence[str] = (),
    searches: Sequence[Search] = (),
) -> str:
    """Compose the page; it needs no other file and no network.

    Parameters
    ----------
    title : str
    summary : Summary
    provenance : mapping
        How the catalogue was made; values are texts, numbers, sequences or mappings.
    figures : sequence of PageFigure
    data : mapping
        What the script shows: sources, reference, table, sky.
    texts : mapping of str to str
        Arrays that ``data`` names, deflated.
    marks : sequence of (str, str, str)
        Colours and shapes of the markers, and what they mean.
    notes : sequence of str
        Sentences below the map.
    searches : sequence of Search, optional
        Localisers to compare, if there are several.

    Returns
    -------
    str
        HTML 5 with all text escaped.
    """
    arrays = {"data": deflated_json(data), **texts}
    return Template(_data("page.html")).substitute(
        title=_text(title),
        vendor_style=_data("vendor/tabulator.min.css"),
        style=_data("page.css"),
        vendor=_data("vendor/tabulator.min.js"),
        script="\n".join(_data(f"page/{name}.js") for name in SCRIPTS),
        headlines="\n".join(f"<p>{_text(line)}</p>" for line in _headlines(summary, data)),
        summary=_section(_summary_table(summary) + _localisers(searches)),
        provenance=definition_list(provenance),
        figures="\n".join(_figure(figure) for figure in figures),
        open="open" if figures else "",
        n_rows=data["table"]["n"],
        notes="".join(f'<p class="hint">{_text(note)}</p>' for note in notes),
        marks="".join(
            f'<span><span class="swatch {shape}" style="border-color:{escape(colour)}"></span>'
            f"{_text(text)}</span>"
            for colour, shape, text in marks
        ),
        texts="\n".join(
            f'<script type="application/octet-stream" id="{name}">{text}</script>'
            for name, text in arrays.items()
        ),
    )


def _headlines(summary: Summary, data: Mapping[str, Any]) -> list[str]:
    """Sentences of the summary, and what else the catalogue holds."""
    given = data["table"]["n"] - summary.n_detections
    more = f"The catalogue also holds {given} extended sources that were known before."
    return summary.headlines() + ([more] if given > 0 else [])


def _text(text: object) -> str:
    """Text that is neither markup nor turns the direction of what follows."""
    return escape(printable(text))


def definition_list(mapping: Mapping[str, Any]) -> str:
    """HTML of a mapping: names and values; inner mappings are indented."""
    entries = (f"<dt>{_text(str(key))}</dt><dd>{_value(mapping[key])}</dd>" for key in mapping)
    return f"<dl>{''.join(entries)}</dl>"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return definition_list(value)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return f"<ul>{''.join(f'<li>{_value(item)}</li>' for item in value)}</ul>"
    return f"<code>{_text(str(value))}</code>"


def _section(content: str) -> str:
    """Section of the page with the summary; empty without content."""
    if not content:
        return ""
    return (
        f'<section aria-labelledby="summary">\n<h2 id="summary">Summary</h2>\n{content}\n</section>'
    )


def _summary_table(summary: Summary) -> str:
    heads, rows = summary.table()
    return _table("Against the reference", heads, rows) if rows else ""


def _localisers(searches: Sequence[Search]) -> str:
    if len(searches) < 2:
        return ""
    caption = "Localisers on this sky; the figures and the catalogue are of the first"
    return _table(caption, *localiser_table(searches), left=LEFT_COLUMNS)


def _table(
    caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1
) -> str:
    """HTML of a table of texts; the first cell of each row is its heading.

    The first ``left`` columns are left-aligned.
    """
    kinds = [' class="text"' if column < left else "" for column in range(len(heads))]
    head = "".join(
        f'<th scope="col"{kind}>{_text(label)}</th>' if label else f"<td{kind}></td>"
        for kind, label in zip(kinds, heads, strict=True)
    )
    body = "".join(
        f'<tr><th scope="row">{_text(name)}</th>'
        + "".join(
            f"<td{kind}>{_text(cell)}</td>" for kind, cell in zip(kinds[1:], cells, strict=True)
        )
        + "</tr>"
        for name, *cells in rows
    )
    return (
        f'<div class="scroll"><table class="summary"><caption>{_text(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _figure(figure: PageFigure) -> str:
    image = base64.b64encode(figure.png).decode("ascii")
    return (
        f'<figure><img src="data:image/png;base64,{image}" alt="{_text(figure.alt)}">'
        f"<figcaption>{_text(figure.caption)}</figcaption></figure>"
    )


def _data(name: str) -> str:
    return (files("gammafind.views") / "data" / name).read_text(encoding="utf-8")
