"""The region that was searched as a MOC in FITS, by ranges of cells.

References
----------
IVOA recommendation MOC 2.0, section 4.3.2: https://www.ivoa.net/documents/MOC/
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.table import QTable

from gammafind.errors import TableError
from gammafind.sky.searched import cell_ranges

_DEEPEST = 29
"""Order of the cells by whose numbers ranges are given."""


def write_moc(table: QTable, path: Path) -> None:
    """Write the region that is in the metadata of a catalogue, for Aladin, TOPCAT and mocpy.

    Raises
    ------
    TableError
        If the metadata have no region, as those of catalogues of others and of images.
    """
    region = table.meta.get("searched")
    if not isinstance(region, str) or not region:
        raise TableError(
            "the metadata of the catalogue do not name the region that was searched",
            remedy="Only catalogues of gammafind do, of maps that have a place on the sky.",
        )
    try:
        order, low, high = cell_ranges(region)
    except ValueError as error:
        raise TableError(f"the region of the metadata cannot be read ({error})") from None
    shift = 2 * (_DEEPEST - order)
    edges = np.stack([low.astype(np.int64), high.astype(np.int64) + 1], axis=1) << shift
    column = fits.Column(name="RANGE", format="1K", array=edges.ravel())
    hdu = fits.BinTableHDU.from_columns([column], name="MOC")
    hdu.header.update(
        {
            "MOCVERS": "2.0",
            "MOCDIM": "SPACE",
            "ORDERING": "RANGE",
            "MOCORD_S": order,
            "COORDSYS": "C",
            "MOCTOOL": "gammafind",
        }
    )
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path)
