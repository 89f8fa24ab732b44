"""Common parts of all CALDB response files: checks and axes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike

import numpy as np
from astropy.io import fits

from gammafind.errors import ResponseError


@dataclass(frozen=True, eq=False)
class Axes:
    """Bin centres of a response table, on which it is interpolated.

    Parameters
    ----------
    log_energy : ndarray, shape (n_energy,)
        Decimal logarithm of the energy in MeV.
    cos_theta : ndarray, shape (n_cos,)
        Cosine of the inclination, increasing.
    cos_min : float
        Lower edge of the first bin in ``cos_theta``; nothing is detected below.
    energy_range : tuple of float
        Outer edges in MeV.
    """

    log_energy: np.ndarray
    cos_theta: np.ndarray
    cos_min: float
    energy_range: tuple[float, float]

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the tables on these axes, ``(n_cos, n_energy)``."""
        return (self.cos_theta.size, self.log_energy.size)


def response_table(
    hdus: fits.HDUList, kind: str, event_type: str, *, path: str | PathLike
) -> fits.BinTableHDU:
    """Return the extension ``kind`` of ``event_type``, such as ``RPSF`` of ``FRONT``.

    Raises
    ------
    ResponseError
        If the file has no such extension; the message names the wrong kind or event type.
    """
    extension = f"{kind}_{event_type}"
    if extension in hdus:
        return hdus[extension]
    types = [hdu.name.removeprefix(f"{kind}_") for hdu in hdus if hdu.name.startswith(f"{kind}_")]
    if types:
        raise ResponseError(
            f"the file has no event type {event_type!r}",
            path=path,
            remedy=f"It has {', '.join(types)}.",
        )
    present = ", ".join(hdu.name for hdu in hdus[1:]) or "none"
    raise ResponseError(
        f"the file has no extension {extension!r}; its extensions are: {present}",
        path=path,
        remedy="Give a CALDB file of the right kind: psf_*, aeff_* or edisp_*.",
    )


def read_columns(
    table: fits.BinTableHDU, names: Sequence[str], *, path: str | PathLike
) -> tuple[np.ndarray, ...]:
    """Read the first row of the columns ``names`` as float64.

    Raises
    ------
    ResponseError
        If a column is missing, the table is empty, or a value is not finite.
    """
    missing = [name for name in names if name not in table.columns.names]
    if missing or len(table.data) == 0:
        fault = f"lacks {', '.join(missing)}" if missing else "has no row"
        raise ResponseError(f"the extension {table.name!r} {fault}", path=path)
    values = tuple(np.array(table.data[name][0], dtype=float) for name in names)
    for name, array in zip(names, values, strict=True):
        if not np.all(np.isfinite(array)):
            raise ResponseError(f"{name} of {table.name!r} has infinite or NaN values", path=path)
    return values


def read_axes(table: fits.BinTableHDU, *, path: str | PathLike) -> Axes:
    """Read the energy and inclination bins of a response table."""
    names = ("ENERG_LO", "ENERG_HI", "CTHETA_LO", "CTHETA_HI")
    low, high, cos_low, cos_high = read_columns(table, names, path=path)
    if np.any(low <= 0) or np.any(np.diff(low) <= 0) or np.any(np.diff(cos_low) <= 0):
        raise ResponseError(f"the bins of {table.name!r} do not increase", path=path)
    return Axes(
        log_energy=np.log10(low * high) / 2,
        cos_theta=(cos_low + cos_high) / 2,
        cos_min=float(cos_low[0]),
        energy_range=(float(low[0]), float(high[-1])),
    )


def response_class(table: fits.BinTableHDU, event_type: str, *, path: str | PathLike) -> str:
    """Return the name of the response, such as ``P8R3_SOURCE_V3``, from the header.

    In P8R2 files the event class ULTRACLEANVETO of the tools is named ULTRACLEAN_TKRVETO.
    """
    match = re.fullmatch(r"CLASS\((.+)_([A-Z0-9]+)\)", str(table.header.get("CBD20001", "")))
    if match is None or match[2] != event_type:
        raise ResponseError(
            f"CBD20001 of {table.name!r} names no response of event type {event_type}",
            path=path,
        )
    return match[1].replace("ULTRACLEAN_TKRVETO", "ULTRACLEANVETO")


def hat_matrix(values: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Weights of linear interpolation between ``centres``, constant outside.

    Parameters
    ----------
    values : ndarray, shape (n,)
    centres : ndarray, shape (m,)
        Increasing.

    Returns
    -------
    ndarray, shape (n, m)
        Each row has the sum one.
    """
    values = np.clip(values, centres[0], centres[-1])
    lower = np.clip(np.searchsorted(centres, values, side="right") - 1, 0, centres.size - 2)
    fraction = (values - centres[lower]) / (centres[lower + 1] - centres[lower])
    weights = np.zeros((values.size, centres.size))
    row = np.arange(values.size)
    weights[row, lower] = 1 - fraction
    weights[row, lower + 1] = fraction
    return weights
