"""Small square images around many positions at once, cut from maps on any pixels.

A cut-out is a small patch that is centred on a source. A sky has about ten thousand of them, and
each is needed for every epoch as well. So photons are not distributed at random again: the full
content of a map pixel goes to the cut-out pixel that contains its centre. Counts stay integers, and
the expected counts of a cut-out are the same sum over the map of expected counts. Background,
counts and epochs are cut in the same way and can be compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gammafind.errors import OptionError
from gammafind.sky.degrade import added_up
from gammafind.sky.pixels import HealpixPixels, Pixels, centre_vectors
from gammafind.sky.projection import local_bases, positions_of
from gammafind.utils.checks import require

_AT_ONCE = 1000
"""Cut-outs per step of the search for pixels: balances speed and memory."""


def cutout_widths(pixels: Sequence[Pixels], n_pixels: int = 7) -> tuple[float, ...]:
    """Side of a cut-out in degrees in each band: the smallest power of two that holds the pixels.

    Parameters
    ----------
    pixels : sequence of Pixels
        Pixelisations of the map, one per band.
    n_pixels : int
        Pixels per side of a cut-out; they are never finer than those of the map.
    """
    sizes = [n_pixels * one.pixel_size.to_value("deg") for one in pixels]
    return tuple(float(2.0 ** np.ceil(np.log2(size))) for size in sizes)


@dataclass(frozen=True, kw_only=True)
class CutoutLayout:
    """Size of cut-outs.

    Parameters
    ----------
    n_pixels : int
        Pixels per side.
    widths : tuple of float
        Side in each band in degrees. If empty, the smallest powers of two for which no pixel is
        finer than those of the map; for the six bands of the paper these are the widths of the
        paper.
    epoch_width : float
        Side in degrees of the images of the epochs, which sum all bands. 0 means the largest of
        ``widths``; then no pixel is finer than those of any band.

    References
    ----------
    van den Oetelaar et al. 2021, PoS(ICRC2021), section 4.
    """

    n_pixels: int = 7
    widths: tuple[float, ...] = ()
    epoch_width: float = 0.0

    def __post_init__(self) -> None:
        require("n_pixels", self.n_pixels, self.n_pixels >= 1, "It must be 1 or more.")
        if not all(0 < width < 90 for width in self.widths) or not 0 <= self.epoch_width < 90:
            raise OptionError(
                f"the cut-outs are {list(self.widths)} and {self.epoch_width} deg wide",
                remedy="Widths up to 90 deg are accepted.",
            )

    def of(self, pixels: Sequence[Pixels]) -> CutoutLayout:
        """Return a layout with all widths; missing ones are computed from the pixels of a map.

        Raises
        ------
        OptionError
            If the number of widths is not the number of bands.
        """
        widths = tuple(self.widths) or cutout_widths(pixels, self.n_pixels)
        if len(widths) != len(pixels):
            raise OptionError(
                f"{len(widths)} widths of cut-outs for {len(pixels)} bands",
                remedy="Give one for each band, or none.",
            )
        epoch_width = self.epoch_width or max(widths)
        return replace(self, widths=widths, epoch_width=epoch_width)


@dataclass(frozen=True, eq=False)
class CutoutPixels:
    """The pixels of a map that form the pixels of cut-outs.

    Attributes
    ----------
    place : ndarray of int, shape (m,)
        Flat index among the pixels of all cut-outs.
    index : ndarray of int, shape (m,)
        Flat index of the map pixel that is added there.
    shape : tuple of int
        Shape of the images of all cut-outs, (n, n_pixels, n_pixels).
    inside : ndarray of bool, shape (n,)
        Which cut-outs are completely on the map.
    """

    place: np.ndarray
    index: np.ndarray
    shape: tuple[int, int, int]
    inside: np.ndarray

    def cut(self, values: np.ndarray) -> np.ndarray:
        """Add up the values of a map in each pixel.

        Parameters
        ----------
        values : ndarray
            Counts or expected counts on the pixels of the map.

        Returns
        -------
        ndarray, shape (n, n_pixels, n_pixels), float32
            Integers if ``values`` are counts.
        """
        weights = np.asarray(values).ravel()[self.index]
        total = np.bincount(self.place, weights, minlength=int(np.prod(self.shape)))
        return total.reshape(self.shape).astype(np.float32)

    def whole(self, valid: np.ndarray) -> np.ndarray:
        """Which cut-outs are on the map and contain only valid pixels.

        Parameters
        ----------
        valid : ndarray of bool
            False where the map has no data.

        Returns
        -------
        ndarray of bool, shape (n,)
        """
        if np.all(valid):
            return self.inside
        known = self.inside.copy()
        known[self.place[~np.ravel(valid)[self.index]] // self.shape[1] ** 2] = False
        return known


def coarse_pixels(pixels: Pixels, size: float) -> Pixels:
    """Coarsest pixelisation with pixels up to ``size`` degrees; images are returned unchanged."""
    if not isinstance(pixels, HealpixPixels):
        return pixels
    halvings = int(np.floor(np.log2(max(size / pixels.pixel_size.to_value("deg"), 1))))
    return replace(pixels, nside=max(1, pixels.nside >> halvings))


def on_coarse(values: np.ndarray, pixels: Pixels, coarse: Pixels) -> np.ndarray:
    """Sum of the values of a map in each of the `coarse_pixels`."""
    if coarse == pixels:
        return values
    total = added_up(values, coarse.nside)
    return total if values.dtype.kind == "f" else total.astype(int)


def cutout_pixels(vectors: np.ndarray, pixels: Pixels, width: float, n_pixels: int) -> CutoutPixels:
    """Find the pixels of a map that form cut-outs in the TAN projection, north up.

    Parameters
    ----------
    vectors : ndarray, shape (n, 3)
        Unit vectors of the centres in the frame of ``pixels``.
    pixels : Pixels
    width : float
        Side of a cut-out in degrees.
    n_pixels : int
        Pixels per side.

    Returns
    -------
    CutoutPixels

    Raises
    ------
    OptionError
        If the width or the number of pixels is not positive.
    """
    if not (0 < width < 90 and n_pixels >= 1):
        raise OptionError(
            f"cut-outs of {n_pixels} pixels and {width} deg",
            remedy="They need at least one pixel and a width up to 90 deg.",
        )
    parts = [
        _pixels_of(part, pixels, width, n_pixels)
        for part in np.split(vectors, range(_AT_ONCE, len(vectors), _AT_ONCE))
    ]
    starts = np.arange(len(parts)) * _AT_ONCE * n_pixels**2
    place = np.concatenate([one + start for (one, _), start in zip(parts, starts, strict=True)])
    index = np.concatenate([one for _, one in parts])
    inside = _on_map(vectors, pixels, width, n_pixels)
    return CutoutPixels(place, index, (len(vectors), n_pixels, n_pixels), inside)


def _pixels_of(
    vectors: np.ndarray, pixels: Pixels, width: float, n_pixels: int
) -> tuple[np.ndarray, np.ndarray]:
    """Flat pixels of cut-outs, and the map pixels whose centres they contain."""
    index = _near(vectors, pixels, width)
    at = centre_vectors(pixels, index)
    east, north, outward = np.einsum("nki,nji->jnk", at, local_bases(vectors))
    outward = np.where(outward > 0, outward, np.nan) * np.radians(width) / n_pixels
    column = np.floor(n_pixels / 2 - east / outward)
    row = np.floor(n_pixels / 2 + north / outward)
    within = (column >= 0) & (column < n_pixels) & (row >= 0) & (row < n_pixels)
    cutout = np.nonzero(within)[0]
    place = (cutout * n_pixels + row[within].astype(int)) * n_pixels + column[within].astype(int)
    return place, index[within]


def _near(vectors: np.ndarray, pixels: Pixels, width: float) -> np.ndarray:
    """Pixels of the map around each cut-out, up to its corners, shape (n, k)."""
    size = float(np.sqrt(pixels.pixel_area.to_value("sr")))
    corner = np.arctan(np.sqrt(2) * np.tan(np.radians(width / 2))) + size
    k = int(np.ceil(2 * np.pi * (1 - np.cos(corner)) / size**2)) + 4
    return pixels.nearest(vectors, min(k, int(np.prod(pixels.shape))))


def _on_map(vectors: np.ndarray, pixels: Pixels, width: float, n_pixels: int) -> np.ndarray:
    """Which cut-outs have all their pixel centres on the map."""
    if isinstance(pixels, HealpixPixels):
        return np.ones(len(vectors), dtype=bool)
    offset = (np.arange(n_pixels) - (n_pixels - 1) / 2) * np.radians(width) / n_pixels
    plane = np.stack([*np.meshgrid(offset, offset), np.ones((n_pixels, n_pixels))], axis=-1)
    at = np.einsum("yxi,nij->nyxj", plane, local_bases(vectors))
    at /= np.linalg.norm(at, axis=-1, keepdims=True)
    index = pixels.pixel_of(positions_of(at.reshape(-1, 3), pixels.frame))
    return (index >= 0).reshape(len(vectors), -1).all(axis=1)
