"""Photon lists (FT1) and their binning into count maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.units import Quantity

from gammafind.errors import FileFormatError, InputDataError, ShapeError
from gammafind.sky.bands import Band, check_bands
from gammafind.sky.fits.counts import describe_input
from gammafind.sky.fits.opening import open_fits
from gammafind.sky.fits.selections import in_field, selections
from gammafind.sky.pixels import Pixels
from gammafind.sky.skymap import SkyMap
from gammafind.utils.files import several


@dataclass(frozen=True, eq=False, kw_only=True)
class EventList:
    """A list of photons.

    Parameters
    ----------
    positions : SkyCoord, shape (n,)
        Reconstructed directions, ICRS.
    energies : Quantity, shape (n,)
        Reconstructed energies.
    event_type : ndarray of uint32, shape (n,)
        Bit mask: 1 FRONT, 2 BACK, 4 to 32 PSF0 to PSF3; 0 if the file does not say.
    event_class : ndarray of uint32, shape (n,)
        Bit mask; 0 if the file does not say.
    selections : tuple of str
        Cuts on the photons that the headers record.
    fields : tuple of tuple of str
        The cuts of each file that select a part of the sky; empty for the whole sky.
    meta : mapping
        Names and checksums of the files.
    """

    positions: SkyCoord
    energies: Quantity
    event_type: np.ndarray
    event_class: np.ndarray
    selections: tuple[str, ...] = ()
    fields: tuple[tuple[str, ...], ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.energies)

    def select(self, keep: np.ndarray, *, cut: str) -> EventList:
        """Photons where ``keep`` (bool, shape (n,)) is true; ``cut`` describes the selection."""
        if np.shape(keep) != (len(self),):
            raise ShapeError(f"a selection of shape {np.shape(keep)} for {len(self)} photons")
        names = ("positions", "energies", "event_type", "event_class")
        kept = {name: getattr(self, name)[keep] for name in names}
        return replace(self, **kept, selections=(*self.selections, cut))


def holds_events(path: str | PathLike) -> bool:
    """Whether a FITS file is a photon list."""
    with open_fits(path) as file:
        return "EVENTS" in [hdu.name for hdu in file]


def read_events(paths: Sequence[str | PathLike] | str | PathLike) -> EventList:
    """Read photon lists.

    Parameters
    ----------
    paths : sequence of path-like
        FT1 files: ``EVENTS`` with columns ``RA``, ``DEC`` (deg) and ``ENERGY`` (MeV).

    Returns
    -------
    EventList

    Raises
    ------
    FileFormatError
        If there is no ``EVENTS``, or a column is missing.
    InputDataError
        If a position or an energy is not finite.
    InputFileError
        If a file cannot be used; the class names the fault.
    """
    paths = several(paths)
    *columns, cuts = zip(*(_read_one(Path(path)) for path in paths), strict=True)
    ra, dec, energies, event_type, event_class = map(np.concatenate, columns)
    return EventList(
        positions=SkyCoord(ra, dec, unit="deg", frame="icrs"),
        energies=energies * u.MeV,
        event_type=event_type,
        event_class=event_class,
        selections=tuple(dict.fromkeys(cut for of_file in cuts for cut in of_file)),
        fields=cuts,
        meta={"inputs": tuple(describe_input(path) for path in paths)},
    )


def bin_events(events: EventList, *, bands: Sequence[Band], pixels: Sequence[Pixels]) -> SkyMap:
    """Bin photons into a count map.

    Parameters
    ----------
    events : EventList
    bands : sequence of Band
        A photon belongs to a band where low edge <= energy < high edge.
    pixels : sequence of Pixels
        One pixelisation per band; photons outside are ignored.

    Returns
    -------
    SkyMap
        Counts as int64. Pixels whose centres are outside the selection circles of all files are not
        valid.
    """
    bands = check_bands(bands)
    if len(pixels) != len(bands):
        raise ShapeError(f"{len(pixels)} pixelisations for {len(bands)} bands")
    return SkyMap(
        bands=bands,
        pixels=tuple(pixels),
        values=tuple(_bin(events, *pair) for pair in zip(bands, pixels, strict=True)),
        valid=tuple(_seen(events, target) for target in pixels),
        meta={**events.meta, "selections": events.selections},
    )


def _bin(events: EventList, band: Band, pixels: Pixels) -> np.ndarray:
    energies = events.energies.to_value(u.MeV)
    low, high = np.sort(band.edges.to_value(u.MeV, u.spectral()))
    index = pixels.pixel_of(events.positions[(energies >= low) & (energies < high)])
    size = int(np.prod(pixels.shape))
    return np.bincount(index[index >= 0], minlength=size).reshape(pixels.shape)


def _seen(events: EventList, pixels: Pixels) -> np.ndarray:
    """Pixels within the selection circle of at least one file."""
    if not events.fields:
        return np.ones(pixels.shape, dtype=bool)
    return np.logical_or.reduce([in_field(cuts, pixels) for cuts in events.fields])


def _read_one(path: Path) -> tuple:
    """RA, Dec, energy in MeV, event type and class as masks, cuts."""
    with open_fits(path, what="a photon list (FT1)") as file:
        names = [hdu.name for hdu in file]
        if "EVENTS" not in names:
            raise FileFormatError(
                f"no EVENTS among the HDUs {', '.join(names)}",
                path=path,
                remedy="Accepted is a photon list (FT1).",
            )
        hdu = file["EVENTS"]
        ra, dec = (_number(hdu, name, u.deg, path) for name in ("RA", "DEC"))
        energy = _number(hdu, "ENERGY", u.MeV, path)
        masks = [_mask(hdu, name) for name in ("EVENT_TYPE", "EVENT_CLASS")]
        cuts = selections(hdu.header)
    if not np.all(np.isfinite(ra) & np.isfinite(energy) & (np.abs(dec) <= 90)):
        raise InputDataError("a photon has no finite energy or position", path=path)
    return ra, dec, energy, *masks, cuts


def _number(hdu: fits.BinTableHDU, name: str, unit: u.UnitBase, path: Path) -> np.ndarray:
    if name not in hdu.columns.names:
        raise FileFormatError(
            f"EVENTS has no column {name}", path=path, remedy="RA, DEC and ENERGY are needed."
        )
    column = hdu.columns[name]
    received = u.Unit(column.unit.strip(), parse_strict="silent") if column.unit else unit
    values = np.array(hdu.data[name])
    if not received.is_equivalent(unit) or values.dtype.kind not in "iuf":
        raise FileFormatError(
            f"column {name} has {values.dtype.name} in {column.unit!r}",
            path=path,
            remedy=f"Numbers in {unit} are needed.",
        )
    return values.astype(float) * received.to(unit)


def _mask(hdu: fits.BinTableHDU, name: str) -> np.ndarray:
    """Bit mask of each photon: a column of 32 bits, or of integers in older files."""
    if name not in hdu.columns.names:
        return np.zeros(len(hdu.data), dtype=np.uint32)
    bits = np.asarray(hdu.data[name])
    if bits.ndim == 1:
        return bits.astype(np.uint32)
    weights = 2 ** np.arange(bits.shape[1] - 1, -1, -1, dtype=np.uint64)
    return (bits.astype(np.uint64) @ weights).astype(np.uint32)
