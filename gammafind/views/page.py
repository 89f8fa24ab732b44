"""The page: one HTML file with figures, summary, provenance and the catalogue."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from gammafind.evaluation.numbers import Summary
from gammafind.views.localisers import LEFT_COLUMNS, Search, localiser_table

_LINKS = " Positions link to Aladin Lite (ICRS) and SIMBAD (Galactic)."


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
    size : {"small", "large", "wide"}
        Size on the page: a quarter, half, or all of the width.
    """

    name: str
    png: bytes
    caption: str
    alt: str
    size: str = "small"


def build_page(
    *,
    title: str,
    summary: Summary,
    provenance: Mapping[str, Any],
    figures: Sequence[PageFigure],
    table: Mapping[str, Any],
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
    table : mapping
        From `gammafind.views.table.table_of`.
    searches : sequence of Search, optional
        Localisers to compare, if there are several.

    Returns
    -------
    str
        HTML 5 with all text escaped.
    """
    return Template(_data("page.html")).substitute(
        title=escape(title),
        style=_data("page.css"),
        script=_data("page.js"),
        headlines="\n".join(f"<p>{escape(line)}</p>" for line in summary.headlines()),
        summary=_section(_summary_table(summary) + _localisers(searches)),
        provenance=definition_list(provenance),
        figures="\n".join(_figure(figure) for figure in figures),
        n_rows=len(table["rows"]),
        links=_LINKS if any(column["type"] == "link" for column in table["columns"]) else "",
        table=_embedded_json(table),
    )


def definition_list(mapping: Mapping[str, Any]) -> str:
    """HTML of a mapping: names and values; inner mappings are indented."""
    entries = (f"<dt>{escape(str(key))}</dt><dd>{_value(mapping[key])}</dd>" for key in mapping)
    return f"<dl>{''.join(entries)}</dl>"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return definition_list(value)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return f"<ul>{''.join(f'<li>{_value(item)}</li>' for item in value)}</ul>"
    return f"<code>{escape(str(value))}</code>"


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
        f'<th scope="col"{kind}>{escape(label)}</th>'
        for kind, label in zip(kinds, heads, strict=True)
    )
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(
            f"<td{kind}>{escape(cell)}</td>" for kind, cell in zip(kinds[1:], cells, strict=True)
        )
        + "</tr>"
        for name, *cells in rows
    )
    return (
        f'<div class="scroll"><table class="summary"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _figure(figure: PageFigure) -> str:
    image = base64.b64encode(figure.png).decode("ascii")
    return (
        f'<figure class="{escape(figure.size)}">'
        f'<img src="data:image/png;base64,{image}" alt="{escape(figure.alt)}">'
        f"<figcaption>{escape(figure.caption)}</figcaption></figure>"
    )


def _embedded_json(table: Mapping[str, Any]) -> str:
    """JSON that is safe inside a script element: no ``<`` can end it."""
    text = json.dumps(table, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _data(name: str) -> str:
    return (files("gammafind.views") / "data" / name).read_text(encoding="utf-8")
