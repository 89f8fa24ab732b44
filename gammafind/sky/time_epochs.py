"""Epochs by their times: the photons of each where there are any, and its share of the exposure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from astropy.coordinates import SkyCoord

from gammafind.errors import ShapeError
from gammafind.sky.epochs import Epochs
from gammafind.sky.pixels import Pixels
from gammafind.sky.skymap import SkyMap


@dataclass(frozen=True, eq=False)
class BandPhotons:
    """Photons of one band in each epoch, in the pixels that are not empty.

    Attributes
    ----------
    pixels : Pixels
    index, epoch, counts : ndarray, shape (k,)
        Flat pixel and epoch, and the counts there; sorted by pixel.
    """

    pixels: Pixels
    index: np.ndarray
    epoch: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, pixels: Pixels, index: np.ndarray, epoch: np.ndarray, n_epochs: int) -> BandPhotons:
        """Photons one by one, of flat pixels and epochs of shape (n_photons,)."""
        both, counts = np.unique(index * n_epochs + epoch, return_counts=True)
        return cls(pixels, *np.divmod(both, n_epochs), counts)

    def map(self, epoch: int) -> np.ndarray:
        """Counts of an epoch in all pixels."""
        here = self.epoch == epoch
        values = np.zeros(int(np.prod(self.pixels.shape)), dtype=np.int64)
        values[self.index[here]] = self.counts[here]
        return values.reshape(self.pixels.shape)


@dataclass(frozen=True, eq=False, kw_only=True)
class TimeEpochs:
    """Parts of the observing time.

    Attributes
    ----------
    spans : ndarray, shape (n_epochs, 2)
        Begin and end in s of the mission elapsed time; they do not overlap, and may have gaps. NaN
        where they are not known.
    photons : tuple of BandPhotons
        One per band.
    share_pixels : tuple of Pixels
        Of ``shares``, one per band.
    shares : tuple of ndarray, each of shape (n_epochs, n_pixels)
        Exposure of each epoch over that of the whole time.
    errors : ndarray, shape (n_epochs,)
        Relative errors of these shares.
    inputs : tuple of dict
        Names and checksums of the files of their maps, if there are any.

    Raises
    ------
    ShapeError
        If there is no epoch, or the arrays are not those of the same epochs and bands.
    """

    spans: np.ndarray
    photons: tuple[BandPhotons, ...]
    share_pixels: tuple[Pixels, ...]
    shares: tuple[np.ndarray, ...]
    errors: np.ndarray
    inputs: tuple[dict[str, str], ...] = ()

    def __post_init__(self) -> None:
        n = len(self.spans)
        if not n:
            raise ShapeError("there is no epoch", remedy="Give one or more.")
        if any(len(share) != n for share in self.shares) or np.shape(self.errors) != (n,):
            raise ShapeError(f"the shares of the exposure are not those of {n} epochs")
        if not len(self.photons) == len(self.shares) == len(self.share_pixels):
            raise ShapeError("the photons and the shares of the exposure differ in their bands")

    def __len__(self) -> int:
        return len(self.spans)

    @classmethod
    def of_maps(cls, epochs: Epochs, spans: np.ndarray | None = None) -> TimeEpochs:
        """Epochs of which there are maps.

        Parameters
        ----------
        epochs : Epochs
        spans : ndarray, shape (n_epochs, 2), optional
            Their times, as in the attributes.
        """
        n = len(epochs)
        by_band = zip(*(sky.values for sky in epochs.exposure), strict=True)
        return cls(
            spans=np.full((n, 2), np.nan) if spans is None else np.asarray(spans, dtype=float),
            photons=tuple(_photons(epochs.counts, i) for i in range(epochs.counts[0].n_bands)),
            share_pixels=epochs.exposure[0].pixels,
            shares=tuple(_in_parts(np.reshape(each, (n, -1))) for each in by_band),
            errors=np.zeros(n),
            inputs=tuple(one for sky in epochs.counts for one in sky.meta.get("inputs", ())),
        )

    def shares_at(self, positions: SkyCoord) -> np.ndarray:
        """Shares of the exposure at positions, shape (n_epochs, n_bands, n)."""
        at = [
            [pixels.interpolate(one.reshape(pixels.shape), positions) for one in each]
            for pixels, each in zip(self.share_pixels, self.shares, strict=True)
        ]
        return np.nan_to_num(np.array(at)).transpose(1, 0, 2)

    def share_map(self, epoch: int, like: SkyMap) -> tuple[np.ndarray, ...]:
        """Shares of the exposure of an epoch in the pixels of a sky, one array per band."""
        found: dict[tuple[int, Pixels], np.ndarray] = {}
        for band, pixels in enumerate(like.pixels):
            own, share = self.share_pixels[band], self.shares[band][epoch]
            at = own.interpolate(share.reshape(own.shape), pixels.centres())
            found[band, pixels] = np.nan_to_num(at).reshape(pixels.shape).astype(np.float32)
        return tuple(found.values())


def _photons(skies: Sequence[SkyMap], band: int) -> BandPhotons:
    """Photons of maps, one for each epoch, in one band."""
    parts = []
    for epoch, sky in enumerate(skies):
        values = sky.values[band].ravel()
        filled = np.flatnonzero(values)
        parts.append(np.stack([filled, np.full(len(filled), epoch), values[filled]]))
    index, epoch, counts = np.concatenate(parts, axis=1).astype(np.int64)
    order = np.argsort(index, kind="stable")
    return BandPhotons(skies[0].pixels[band], index[order], epoch[order], counts[order])


def _in_parts(exposure: np.ndarray) -> np.ndarray:
    """Shares of epochs, of shape (n_epochs, n), in their sum; equal ones where it is zero."""
    total = exposure.sum(axis=0)
    return np.where(total > 0, exposure / np.where(total > 0, total, 1), 1 / len(exposure))
