"""The spectral bands of a sky: energies, wavelengths or frequencies."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.units import Quantity

from gammafind.errors import BandError


@dataclass(frozen=True)
class Band:
    """One spectral band.

    Parameters
    ----------
    name : str
        Short name, unique within a sky, such as ``"1-2 GeV"`` or ``"r"``.
    low, high : Quantity
        Edges, in one spectral unit (energy, wavelength or frequency).

    Raises
    ------
    BandError
        If the edges are not spectral quantities or ``low`` is not below ``high``.

    Examples
    --------
    >>> import astropy.units as u
    >>> from gammafind import Band
    >>> Band("2-20 GeV", 2 * u.GeV, 20 * u.GeV).edges
    <Quantity [ 2., 20.] GeV>
    """

    name: str
    low: Quantity
    high: Quantity

    def __post_init__(self) -> None:
        for edge in (self.low, self.high):
            if not isinstance(edge, Quantity) or not edge.unit.is_equivalent(u.eV, u.spectral()):
                raise BandError(
                    f"band {self.name!r} has the edge {edge!r}",
                    remedy="Edges must be energies, wavelengths or frequencies.",
                )
        if not self.high.unit.is_equivalent(self.low.unit):
            raise BandError(
                f"band {self.name!r} has edges in {self.low.unit} and in {self.high.unit}",
                remedy="Both must be energies, wavelengths or frequencies.",
            )
        if not self.low < self.high:
            raise BandError(f"band {self.name!r} runs from {self.low} to {self.high}")

    @property
    def edges(self) -> Quantity:
        """Both edges, shape (2,)."""
        return u.Quantity([self.low, self.high])


def energy_bands(edges: Quantity) -> tuple[Band, ...]:
    """Adjacent energy bands between ``edges``, shape (n + 1,), named by their edges in GeV."""
    gev = edges.to_value(u.GeV)
    return tuple(
        Band(f"{low:g}-{high:g} GeV", low * u.GeV, high * u.GeV)
        for low, high in itertools.pairwise(gev)
    )


def check_bands(bands: Sequence[Band]) -> tuple[Band, ...]:
    """Return ``bands`` as a tuple if their names differ.

    Raises
    ------
    BandError
        If there is no band, or a name is not unique.
    """
    names = [band.name for band in bands]
    if not names:
        raise BandError("there is no band")
    if len(set(names)) != len(names):
        raise BandError(f"band names are not unique: {', '.join(names)}")
    return tuple(bands)


def same_edges(one: Sequence[Band], other: Sequence[Band], *, rtol: float = 1e-3) -> bool:
    """Whether two sequences of bands have the same edges within ``rtol``."""
    return len(one) == len(other) and all(
        np.allclose(
            np.sort(a.edges.to_value(b.low.unit, u.spectral())), b.edges.value, rtol=rtol, atol=0
        )
        for a, b in zip(one, other, strict=True)
    )
