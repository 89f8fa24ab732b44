"""Photons in bands and pixels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import astropy.units as u
import numpy as np
from astropy.units import Quantity

from gammafind.errors import ShapeError
from gammafind.sky.bands import Band, check_bands
from gammafind.sky.fits.events import EventList
from gammafind.sky.fits.field import Field
from gammafind.sky.pixels import Pixels
from gammafind.sky.skymap import SkyMap
from gammafind.units import as_value


def bin_events(
    events: EventList | Iterable[EventList],
    *,
    bands: Sequence[Band],
    pixels: Sequence[Pixels],
    max_zenith: Quantity | None = None,
) -> SkyMap:
    """Bin photons into a count map.

    Parameters
    ----------
    events : EventList or iterable of EventList
        All photons, or parts of them one after the other, such as
        `~gammafind.sky.fits.events.PhotonLists`.
    bands : sequence of Band
        A photon belongs to a band where low edge <= energy < high edge.
    pixels : sequence of Pixels
        One pixelisation per band; photons outside are ignored.
    max_zenith : Quantity, scalar or shape (n_bands,), optional
        Largest zenith angle in each band; photons of which it is not known are kept.

    Returns
    -------
    SkyMap
        Counts as int64. Pixels whose centres are outside the selection circles of all files are not
        valid. Where a file has no circle but its photons fill only a part of the sky, it is this
        part.

    Warns
    -----
    PartialSkyWarning
        If the photons fill a part of the sky that no header gives.
    """
    field = Field()
    binner = Binner(bands, pixels, max_zenith=max_zenith)
    for part in in_parts(events):
        field.add(part)
        binner.add(part)
    return binner.sky(field)


def in_parts(events: EventList | Iterable[EventList]) -> Iterator[EventList]:
    """Photons in parts, also where all are given together."""
    yield from (events,) if isinstance(events, EventList) else events


def chosen_by_band(
    events: EventList, bands: Sequence[Band], *, max_zenith: Quantity | None = None
) -> Iterator[np.ndarray]:
    """Yield which photons, of shape (n,), are in each band.

    Parameters
    ----------
    events : EventList
        n photons.
    bands : sequence of Band
    max_zenith : Quantity, scalar or shape (n_bands,), optional
        As for `bin_events`.
    """
    limits = np.inf if max_zenith is None else as_value(max_zenith, u.deg, name="max_zenith")
    energies = events.energies.to_value(u.MeV)
    zeniths = None if events.zeniths is None else events.zeniths.to_value(u.deg)
    for band, limit in zip(bands, np.broadcast_to(limits, len(bands)), strict=True):
        low, high = np.sort(band.edges.to_value(u.MeV, u.spectral()))
        chosen = (energies >= low) & (energies < high)
        if zeniths is not None and np.isfinite(limit):
            chosen &= ~(zeniths > limit)
        yield chosen


class Binner:
    """Counts photons that come in parts.

    Parameters
    ----------
    bands : sequence of Band
    pixels : sequence of Pixels
    max_zenith : Quantity, optional
        As for `bin_events`.
    """

    def __init__(
        self,
        bands: Sequence[Band],
        pixels: Sequence[Pixels],
        *,
        max_zenith: Quantity | None = None,
    ) -> None:
        self.bands, self.pixels = check_bands(bands), tuple(pixels)
        if len(self.pixels) != len(self.bands):
            raise ShapeError(f"{len(self.pixels)} pixelisations for {len(self.bands)} bands")
        limit = np.inf if max_zenith is None else as_value(max_zenith, u.deg, name="max_zenith")
        self._limits = np.broadcast_to(limit, len(self.bands))
        self.values = self._empty()
        self.selections: dict[str, None] = {}
        self.n = 0

    def add(self, part: EventList) -> None:
        """Count the photons of a part."""
        self.n += len(part)
        self.selections |= dict.fromkeys(part.selections)
        chosen = chosen_by_band(part, self.bands, max_zenith=self._limits * u.deg)
        for i, (here, target) in enumerate(zip(chosen, self.pixels, strict=True)):
            index = target.pixel_of(part.positions[here])
            self._count(i, index[index >= 0])

    def sky(self, field: Field) -> SkyMap:
        """Counts of all parts, valid where the field is."""
        return SkyMap(
            bands=self.bands,
            pixels=self.pixels,
            values=tuple(self.values),
            valid=field.covers(self.pixels),
            meta={**field.meta, "selections": tuple(self.selections)},
        )

    def _empty(self) -> list[np.ndarray]:
        return [np.zeros(target.shape, dtype=np.int64) for target in self.pixels]

    def _count(self, band: int, index: np.ndarray) -> None:
        """Count photons in pixels of a band."""
        np.add.at(self.values[band].reshape(-1), index, 1)


class SparseBinner(Binner):
    """As `Binner`, for pixels so fine that most are empty."""

    def filled(self, band: int) -> tuple[np.ndarray, np.ndarray]:
        """Pixels of a band with photons, increasing, and the counts in them."""
        return np.unique(self.values[band], return_counts=True)

    def _empty(self) -> list[np.ndarray]:
        return [np.zeros(0, dtype=np.int64) for _ in self.pixels]

    def _count(self, band: int, index: np.ndarray) -> None:
        self.values[band] = np.append(self.values[band], index)
