"""The PSFs of sources that differ: each is a mixture of two of a few PSFs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gammafind.errors import ShapeError
from gammafind.sky.psf import RadialPsf

_STEPS = 32
"""Mixtures from one PSF to the next: half a step changes r68 by less than 0.3 % for PSFs whose
widths differ by 20 %."""


@dataclass(frozen=True, eq=False)
class SourcePsfs:
    """PSFs of n sources.

    Parameters
    ----------
    nodes : tuple of RadialPsf
        On the same nodes in theta.
    place : ndarray, shape (n,)
        From 0 to the number of ``nodes`` minus one: 1.25 means three quarters of the second and a
        quarter of the third. Rounded to `_STEPS` per node, so that sources share profiles.

    Raises
    ------
    ShapeError
        If a place is outside the nodes, or the nodes differ in theta.
    """

    nodes: tuple[RadialPsf, ...]
    place: np.ndarray

    def __post_init__(self) -> None:
        last = len(self.nodes) - 1
        if not np.all((self.place >= 0) & (self.place <= last)):
            raise ShapeError(f"places of sources are not all between 0 and {last}")
        if any(not np.array_equal(node.theta, self.nodes[0].theta) for node in self.nodes):
            raise ShapeError("the PSFs to be mixed differ in theta")

    def __len__(self) -> int:
        return len(self.place)

    def __getitem__(self, chosen: np.ndarray | slice) -> SourcePsfs:
        """Select sources by a mask, indices or a slice."""
        return SourcePsfs(self.nodes, self.place[chosen])

    @classmethod
    def same(cls, psf: RadialPsf, number: int) -> SourcePsfs:
        """One PSF for ``number`` sources."""
        return cls((psf,), np.zeros(number))

    @property
    def kind(self) -> np.ndarray:
        """Row of `mixtures` of each source, shape (n,)."""
        return np.rint(self.place * _STEPS).astype(int)

    @property
    def mixtures(self) -> np.ndarray:
        """Share of each node in each kind of mixture, shape (n_kinds, n_nodes)."""
        kinds = np.arange((len(self.nodes) - 1) * _STEPS + 1)[:, None] / _STEPS
        return np.maximum(1 - np.abs(kinds - np.arange(len(self.nodes))), 0)

    def of_kind(self, kind: int) -> RadialPsf:
        """PSF of one kind of mixture."""
        share = self.mixtures[kind]
        if np.count_nonzero(share) == 1:
            return self.nodes[int(np.argmax(share))]
        density = sum(part * node.density for part, node in zip(share, self.nodes, strict=True))
        return RadialPsf(self.nodes[0].theta, density)
