"""Shapes of the extended sources of a 4FGL catalogue, in the columns that are rendered."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from astropy.io import fits

EXTENDED_SOURCES = "ExtendedSources"
"""Table of a 4FGL file with one row per extended source."""
_NAMES = (EXTENDED_SOURCES, "Extended Sources")
"""Names that this table has; the second one is that of 2FHL."""
EXTENDED_COLUMNS = (
    "Source_Name",
    "Model_Form",
    "Model_SemiMajor",
    "Model_SemiMinor",
    "Model_PosAng",
    "Spatial_Filename",
)
"""Columns of this table that are used."""

_MODELS = {"Disk": "disc", "2D Gaussian": "gaussian", "Ring": "ring"}
"""Shapes by ``Model_Form``. The semi-axes of a Gaussian contain 68 %: those of HESS J1841-055 are
0.62 x 0.38 deg, and its publication has a sigma of 0.41 x 0.25 deg."""
_INNER = {
    "W 44": (0.225, "Abdo et al. 2010, Science 327, 1103"),
    "Cygnus Loop": (0.7, "Katagiri et al. 2011, ApJ 741, 44"),
}
"""Inner radius of rings along the longer axis, in degrees; the catalogue has only the outer one."""


class _Extension(NamedTuple):
    """One row of the columns ``extension_*``, angles in degrees."""

    model: str = ""
    radius: float = np.nan
    inner: float = np.nan
    ratio: float = np.nan
    angle: float = np.nan
    note: str = ""


def extension_columns(file: fits.HDUList, names: np.ndarray) -> dict[str, np.ndarray]:
    """Shapes of the sources of a catalogue.

    Parameters
    ----------
    file : HDUList
        With the table ``ExtendedSources``.
    names : ndarray of str, shape (n,)
        ``Extended_Source_Name`` of each source, empty for points.

    Returns
    -------
    dict of str to ndarray
        The columns ``extension_*`` of `FERMI_CATALOGUE`; empty if the file has no such table. A
        map, and a ring with an unknown inner radius, become a disc with the listed semi-axes, or a
        point if these are missing; ``extension_note`` says so.

    References
    ----------
    Abdollahi et al. 2020, ApJS 247, 33, section 3.4; Lande et al. 2012, ApJ 756, 5.
    """
    hdu = extended_hdu(file)
    if hdu is None or not set(EXTENDED_COLUMNS) <= set(hdu.columns.names):
        return {}
    rows = zip(*(hdu.data[name] for name in EXTENDED_COLUMNS), strict=True)
    known = {str(name).strip(): _extension(str(name).strip(), *row) for name, *row in rows}
    found = [known.get(name, _Extension()) for name in names.tolist()]
    return {
        f"extension_{field}": np.array([getattr(one, field) for one in found])
        for field in _Extension._fields
    }


def extended_hdu(file: fits.HDUList) -> fits.BinTableHDU | None:
    """Table of the extended sources of a catalogue; None if the file has none."""
    names = [name for name in _NAMES if name in file]
    return file[names[0]] if names else None


def _extension(
    name: str, form: str, longer: float, shorter: float, angle: float, filename: str
) -> _Extension:
    model = _MODELS.get(form.strip(), "")
    if not (np.isfinite(longer) and longer > 0):
        return _Extension(note=f"point in place of {form} without a size")
    shape = _Extension(
        model=model or "disc",
        radius=float(longer),
        ratio=float(shorter / longer) if shorter > 0 else 1.0,
        angle=float(angle) if np.isfinite(angle) else 0.0,
    )
    if not model:
        return shape._replace(note=f"disc in place of the map {filename.strip()}")
    if model != "ring":
        return shape
    if name not in _INNER:
        return shape._replace(model="disc", note="disc in place of a ring of unknown inner radius")
    inner, source = _INNER[name]
    return shape._replace(inner=inner, note=f"inner radius of {source}")
