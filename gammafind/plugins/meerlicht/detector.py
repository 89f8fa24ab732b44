"""The detector: its channels, their gain and read noise, full wells and bleeding charge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

_ROWS_AT_ONCE = 256
"""Rows per step: limits memory."""
_BITS_16 = 65535


@dataclass(frozen=True, kw_only=True, eq=False)
class Detector:
    """A CCD that is read out through several channels.

    An image smaller than the detector is its central part.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the whole detector.
    channels : tuple of int
        Rows and columns of channels, all of the same size.
    gains : ndarray
        Electrons per ADU of each channel, row by row from the first pixel.
    read_noises : ndarray
        Electrons, in the same order.
    bias : float
        ADU of a pixel without charge.
    saturation : float
        ADU of a full well above the bias.
    """

    shape: tuple[int, int]
    channels: tuple[int, int]
    gains: np.ndarray
    read_noises: np.ndarray
    bias: float
    saturation: float

    @property
    def full_well(self) -> float:
        """Electrons in a full pixel, for the smallest gain of the channels."""
        return float(self.saturation * np.min(self.gains))

    def of_pixels(self, values: np.ndarray, shape: tuple[int, int], rows: slice) -> np.ndarray:
        """Value of the channel of each pixel in some rows of an image, float32."""
        row, column = (
            np.clip((np.arange(n) + (whole - n) // 2) * k // whole, 0, k - 1)
            for n, whole, k in zip(shape, self.shape, self.channels, strict=True)
        )
        by_channel = np.broadcast_to(np.ravel(values), np.prod(self.channels))
        by_channel = by_channel.reshape(self.channels).astype(np.float32)
        return by_channel[row[rows][:, None], column]

    def boundary(self, shape: tuple[int, int]) -> int:
        """First row of an image that is read out upwards; charge does not bleed across it."""
        if self.channels[0] == 1:
            return shape[0]
        return self.shape[0] // 2 - (self.shape[0] - shape[0]) // 2

    def add_read_noise(self, electrons: np.ndarray, *, rng: np.random.Generator) -> None:
        """Add read noise to an image of electrons, float32, in place."""
        for rows in row_blocks(len(electrons)):
            noise = rng.standard_normal(electrons[rows].shape, dtype=np.float32)
            electrons[rows] += noise * self.of_pixels(self.read_noises, electrons.shape, rows)

    def digitised(self, electrons: np.ndarray) -> np.ndarray:
        """Return an image in ADU as 16-bit unsigned integers; other values are clipped."""
        adu = np.empty(electrons.shape, dtype=np.uint16)
        for rows in row_blocks(len(electrons)):
            values = electrons[rows] / self.of_pixels(self.gains, electrons.shape, rows)
            adu[rows] = np.clip(np.rint(values + self.bias), 0, _BITS_16)
        return adu

    def electrons(self, adu: np.ndarray) -> np.ndarray:
        """Electrons of an image in ADU, float32."""
        values = np.empty(adu.shape, dtype=np.float32)
        for rows in row_blocks(len(adu)):
            gains = self.of_pixels(self.gains, adu.shape, rows)
            values[rows] = (adu[rows].astype(np.float32) - np.float32(self.bias)) * gains
        return values


def row_blocks(n_rows: int) -> Iterator[slice]:
    """Rows of an image in blocks, to limit memory."""
    for start in range(0, n_rows, _ROWS_AT_ONCE):
        yield slice(start, min(start + _ROWS_AT_ONCE, n_rows))


def bleed(electrons: np.ndarray, full_well: float, boundary: int) -> list[tuple[int, int, int]]:
    """Move the excess charge of full pixels along the column, half up and half down, in place.

    Charge that reaches an edge of the image, or the row where the read-out direction changes, is
    lost.

    Parameters
    ----------
    electrons : ndarray, shape (ny, nx)
    full_well : float
    boundary : int
        First row of the upper half; charge stays in its half.

    Returns
    -------
    list of tuple of int
        Column, first and last row of each run of pixels that end up full.
    """
    runs = []
    for low, high in ((0, boundary), (boundary, len(electrons))):
        half = electrons[low:high]
        columns = np.flatnonzero((half > full_well).any(axis=0)) if half.size else []
        for column in columns:
            values = half[:, column].astype(float)
            _bleed_column(values, full_well)
            half[:, column] = values
            runs += [(int(column), a + low, b + low) for a, b in _runs(values >= full_well)]
    return runs


def _bleed_column(values: np.ndarray, full_well: float) -> None:
    for first, last in _runs(values > full_well):
        excess = np.sum(np.maximum(values[first : last + 1] - full_well, 0))
        np.minimum(values[first : last + 1], full_well, out=values[first : last + 1])
        _fill(values[last + 1 :], excess / 2, full_well)
        _fill(values[:first][::-1], excess / 2, full_well)


def _fill(values: np.ndarray, charge: float, full_well: float) -> None:
    """Fill pixels one by one up to the full well, in place."""
    room = np.maximum(full_well - values, 0)
    before = np.concatenate([[0.0], np.cumsum(room)[:-1]]) if len(room) else room
    values += np.clip(charge - before, 0, room)


def _runs(full: np.ndarray) -> list[tuple[int, int]]:
    """First and last index of each run of true values."""
    steps = np.flatnonzero(np.diff(np.concatenate([[0], full.astype(np.int8), [0]])))
    return list(zip(steps[::2].tolist(), (steps[1::2] - 1).tolist(), strict=True))
