"""The contract of renderers, as a check to run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable, vstack

from gammafind.catalogue.schema import SHARED, SOURCES, empty_table, in_flux_unit
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.pixels import HealpixPixels, Pixels, WcsPixels
from gammafind.sky.projection import north_up
from gammafind.testing.common import check_plugin, rules_of, same
from gammafind.testing.toys import one_source

_COARSE_NSIDE = 32
_COUNTS = 1000.0
"""Of the source, in all bands together, with the largest exposure of each."""
_SIDE = 16
"""Of the coarser image, in pixels as wide as the PSF: room for its core and its wings."""
_ALIKE = 0.02
"""Least difference of totals that is a fault: finer pixels follow a smooth sky more closely."""


def check_renderer(
    plugin: type[SkyRenderer],
    *,
    sources: QTable | None = None,
    any_pixels: bool = False,
    **options: Any,
) -> None:
    """Check a renderer on its own pixels, HEALPix maps at nside 32 at most.

    Parameters
    ----------
    plugin : type
    sources : QTable, optional
        Sources within its field; by default one of the renderer's first class, with the columns
        of the schema only, at the first pixel of a HEALPix map or in the middle of an image.
    any_pixels : bool
        Whether to check it also on finer HEALPix maps and on images of two pixel sizes: totals
        of background and sources may not depend on the pixels.
    **options

    Raises
    ------
    ConformanceError

    Examples
    --------
    >>> import gammafind
    >>> from gammafind.testing import check_renderer
    >>> check_renderer(gammafind.get_plugin("renderer", "fermi-lat"))
    """
    check_plugin(plugin, SkyRenderer)
    must = rules_of(plugin)
    renderer = plugin(**options)
    bands = renderer.bands
    must(
        len(bands) == len(renderer.pixels) == len(renderer.psfs()),
        "bands, pixels and PSFs differ in number",
        "it has one PSF and one kind of pixels for each band",
    )
    shared = [column.quantity for column in SHARED]
    must(
        [column.quantity for column in renderer.published][: len(shared)] == shared,
        "the published columns do not begin with those of SHARED",
        "the published columns begin with those of all instruments",
    )
    pixels = tuple(_coarse(p) for p in renderer.pixels)
    must(
        renderer.exposure(pixels).bands == bands,
        "the bands change",
        "the exposure has the same bands",
    )
    must(renderer.background(pixels), "there is no background", "there is a background")
    empty = empty_table(in_flux_unit(SOURCES, renderer.flux_unit))
    nothing = renderer.render(empty, pixels)
    must(
        not any(v.any() for v in nothing.values),
        "no sources give counts",
        "no sources give no counts",
    )
    sources = _source(renderer, pixels) if sources is None else sources
    before = sources.copy()
    counts = _total(renderer.render(sources, pixels).values)
    must(
        same(sources, before),
        "render changes the source table",
        "the table of sources stays as it is",
    )
    must(
        counts > 0,
        f"a source of {sources['flux'][0]:g} gives no counts",
        "a source gives counts",
    )
    twice = _total(renderer.render(vstack([sources, sources]), pixels).values)
    must(
        np.isclose(twice, 2 * counts, rtol=1e-3),
        f"each source twice gives {twice / max(counts, 1e-300):.4f} times the counts",
        "each source twice gives twice the counts",
    )
    if any_pixels:
        place = SkyCoord(sources["ra"], sources["dec"], frame="icrs")[0]
        _check_pixels(renderer, sources, _healpix(renderer, 1), _healpix(renderer, 2))
        _check_pixels(renderer, sources, _image(renderer, place, 1), _image(renderer, place, 2))


def _source(renderer: SkyRenderer, pixels: tuple[Pixels, ...]) -> QTable:
    """One source of the first class that the renderer knows, of about `_COUNTS`."""
    exposure = sum(float(values.max()) for values in renderer.exposure(pixels).values)
    label = renderer.classes[0] if renderer.classes else "BLL"
    flux = (_COUNTS / exposure if exposure > 0 else 1.0) * renderer.flux_unit
    return one_source(_place(pixels[0]), class_label=label, flux=flux)


def _place(pixels: Pixels) -> SkyCoord:
    """A position on a map: its first pixel, or the middle of an image."""
    if isinstance(pixels, HealpixPixels):
        return pixels.centres()[0]
    ny, nx = pixels.shape
    return pixels.wcs.pixel_to_world(nx // 2, ny // 2)


def _check_pixels(
    renderer: SkyRenderer,
    sources: QTable,
    coarse: tuple[Pixels, ...],
    fine: tuple[Pixels, ...],
) -> None:
    """Require the same totals in two sizes of pixels of one field."""
    must = rules_of(renderer)
    kind = "HEALPix maps" if isinstance(coarse[0], HealpixPixels) else "images"
    totals = {
        "the background": [
            sum(_total(sky.values) for sky in renderer.background(pixels).values())
            for pixels in (coarse, fine)
        ],
        "a source": [_total(renderer.render(sources, pixels).values) for pixels in (coarse, fine)],
    }
    for what, (few, many) in totals.items():
        must(
            np.isclose(many, few, rtol=_ALIKE),
            f"on {kind} of smaller pixels the counts of {what} are {many:.6g} "
            f"in all, on larger ones {few:.6g}: give those of each pixel",
            f"on {kind} of any pixels the counts of {what} are the same",
        )


def _healpix(renderer: SkyRenderer, finer: int) -> tuple[HealpixPixels, ...]:
    return tuple(HealpixPixels(finer * _COARSE_NSIDE, p.frame) for p in renderer.pixels)


def _image(renderer: SkyRenderer, place: SkyCoord, finer: int) -> tuple[WcsPixels, ...]:
    """Image about a place in each band; its pixels are as wide as the PSF, or part of that."""
    images = []
    for psf in renderer.psfs():
        step = psf.containment_radius(0.68).to_value("deg") / finer
        side = finer * _SIDE
        centre = [place.ra.deg, place.dec.deg]
        wcs = north_up(["RA---TAN", "DEC--TAN"], centre, (side, side), step)
        images.append(WcsPixels(wcs, (side, side)))
    return tuple(images)


def _coarse(pixels: Pixels) -> Pixels:
    if isinstance(pixels, HealpixPixels):
        return HealpixPixels(min(pixels.nside, _COARSE_NSIDE), pixels.frame)
    return pixels


def _total(values: Iterable[np.ndarray]) -> float:
    return float(sum(array.sum(dtype=float) for array in values))
