"""Figures of the gallery that pyplot does not manage."""

from __future__ import annotations

from typing import Any

from sphinx_gallery.scrapers import figure_rst


def plain_figures(block: tuple, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Save the figure of a `gammafind.Result`, and return the text that shows it."""
    figure = block_vars["example_globals"].pop("figure", None)
    if figure is None or hasattr(figure, "number"):  # Figures of pyplot are numbered.
        return ""
    path = next(block_vars["image_path_iterator"])
    figure.savefig(path, bbox_inches="tight")
    return figure_rst([path], gallery_conf["src_dir"])
