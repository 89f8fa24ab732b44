"""The photons of each epoch around given places of a model."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gammafind.fitting.photons.data import BandData
from gammafind.fitting.photons.epoch_profile import EpochSky
from gammafind.fitting.photons.known_sky import Probe, near_pixels
from gammafind.fitting.photons.surroundings import CONTAINMENT
from gammafind.sky.pixels import centre_vectors, same_pixels
from gammafind.sky.projection import from_frame, to_frame
from gammafind.sky.time_epochs import BandPhotons, TimeEpochs

_INFORMATION = 0.98
"""Share of the information about each amplitude in the pixels that are used: the rest costs as
much time again."""
_BIAS = 0.1
"""Change of a source, in its errors of an epoch, by a neighbour that doubles, from which the
neighbour is free: below other errors."""
_MOST_FREE = 12
"""Neighbours that are free at most: limits time in crowded regions."""
_NEIGHBOUR = 0.8
"""Share of the counts of a free neighbour in the pixels that determine it: its wings do not."""
_LEAST = 1e-9
"""Least expected counts of a pixel: keeps logarithms finite."""


@dataclass(eq=False)
class EpochProbe(Probe):
    """Photons of each epoch near the sources of a model, or at other places.

    Parameters
    ----------
    model : SkyModel
        Of the whole time.
    epochs : TimeEpochs
    free_background : bool
        Whether the level of the background is free in each epoch.
    """

    epochs: TimeEpochs
    free_background: bool = False
    photons: tuple[BandPhotons, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        pairs = zip(self._bands, self.epochs.photons, strict=True)
        self.photons = tuple(_on_places(band, photons) for band, photons in pairs)

    def sky(self, vector: np.ndarray, own: int, shares: np.ndarray) -> EpochSky:
        """Photons of each epoch near a place, with what is free there.

        Parameters
        ----------
        vector : ndarray, shape (3,)
        own : int
            Source of the model that is at the place; -1 for none.
        shares : ndarray, shape (n_epochs, n_bands)
            Exposure of each epoch over that of the whole time, from `TimeEpochs.shares_at`.

        Notes
        -----
        Free in each epoch are the sources whose variation would change that of the place: if one
        of them doubles, by more than a tenth of an error. All others are as in the whole time.
        """
        near = self._candidates(vector, own)
        region = [near_pixels(band, vector[None], CONTAINMENT) for band in self._bands]
        near = near[self._moving(vector, own, near, region, len(shares))]
        around = self.model.vectors[near]
        region = [
            np.unique(np.concatenate([pixel, near_pixels(band, around, _NEIGHBOUR)]))
            for band, pixel in zip(self._bands, region, strict=True)
        ]
        places = [band.places(pixel) for band, pixel in zip(self._bands, region, strict=True)]
        template = self._template(vector, own, region)
        others = self._of_sources(self.model.vectors[near], self._spectra[near], region).T
        start = self.model.counts[near].sum(axis=1)
        counts = self.model.counts[own].sum() if own >= 0 else 0.0
        model, background = (self._values(name, places) for name in ("model", "background"))
        fixed = np.maximum(model - counts * template - others @ start, background)
        columns, first = [template, *others.T], [counts, *start]
        kept = _informative(np.stack(columns, axis=1), model)
        if self.free_background:
            kept = self._values("valid", places) > 0
            fixed = np.maximum(fixed - background, _LEAST)
            columns, first = [*columns, background * kept], [*first, 1.0]
        row, epoch, seen = self._seen(places)
        band = np.repeat(np.arange(len(region)), [len(pixel) for pixel in region])
        # Photons of epochs without exposure have no meaning.
        chosen = kept[row] & (shares[epoch, band[row]] > 0)
        return EpochSky(
            epoch=epoch[chosen],
            row=(np.cumsum(kept) - 1)[row[chosen]],
            counts=seen[chosen],
            fixed=fixed[kept],
            templates=np.stack(columns, axis=1)[kept],
            band=band[kept],
            shares=shares,
            start=np.array(first),
        )

    def _template(self, vector: np.ndarray, own: int, region: list[np.ndarray]) -> np.ndarray:
        """Expected counts of one count of a source at the place, (k,)."""
        spectrum = self._spectra[own] if own >= 0 else self.model.data.shares(vector[None])[0]
        return self._of_sources(vector[None], spectrum[None], region)[0]

    def _moving(
        self, vector: np.ndarray, own: int, near: np.ndarray, region: list[np.ndarray], n: int
    ) -> np.ndarray:
        """Indices of those of the sources ``near`` that are free in n epochs."""
        if not len(near):
            return np.zeros(0, dtype=int)
        places = [band.places(pixel) for band, pixel in zip(self._bands, region, strict=True)]
        template = self._template(vector, own, region)
        others = self._of_sources(self.model.vectors[near], self._spectra[near], region)
        weighted = template / self._values("model", places)
        information = max(float(template @ weighted), _LEAST)
        change = (others @ weighted) * self.model.counts[near].sum(axis=1)
        change /= np.sqrt(information * n)
        most = np.argsort(-change)[:_MOST_FREE]
        return most[change[most] > _BIAS]

    def _seen(self, places: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Row among the places, epoch, and counts, where there are photons."""
        rows, epochs, counts, start = [], [], [], 0
        for place, photons in zip(places, self.photons, strict=True):
            low, high = (np.searchsorted(photons.index, place, side) for side in ("left", "right"))
            number = high - low
            row = np.repeat(np.arange(len(place)), number)
            at = np.arange(len(row)) - np.repeat(np.cumsum(number) - number, number) + low[row]
            rows.append(row + start)
            epochs.append(photons.epoch[at])
            counts.append(photons.counts[at])
            start += len(place)
        return tuple(np.concatenate(each) for each in (rows, epochs, counts))


def _on_places(band: BandData, photons: BandPhotons) -> BandPhotons:
    """Photons by their places in the arrays of a band, where there are data."""
    index = photons.index
    if not same_pixels(photons.pixels, band.pixels):
        vectors = centre_vectors(photons.pixels, index)
        vectors = to_frame(from_frame(vectors, photons.pixels.frame), band.pixels.frame)
        index = band.pixels.containing(vectors)
    place = band.places(index)
    good = band.valid[place]
    order = np.argsort(place[good], kind="stable")
    kept = (values[good][order] for values in (place, photons.epoch, photons.counts))
    return BandPhotons(band.pixels, *kept)


def _informative(templates: np.ndarray, model: np.ndarray) -> np.ndarray:
    """Pixels that hold most of the information about each amplitude, (k,)."""
    kept = np.zeros(len(model), dtype=bool)
    for information in (templates**2 / model[:, None]).T:
        order = np.argsort(-information)
        before = np.cumsum(information[order]) - information[order]
        kept[order[before < _INFORMATION * information.sum()]] = True
    return kept
