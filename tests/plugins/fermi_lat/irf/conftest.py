"""Response files to read: the embedded ones have the extensions of CALDB files."""

from __future__ import annotations

from pathlib import Path

import pytest
from astropy.io import fits

import gammafind.plugins.fermi_lat

DATA = Path(gammafind.plugins.fermi_lat.__file__).parent / "data"


@pytest.fixture
def embedded() -> Path:
    return DATA / "response_P8R3_ULTRACLEANVETO_V3.fits.gz"


@pytest.fixture
def rewritten(embedded, tmp_path):
    """Write the extensions of the embedded file that are kept, after a change."""

    def write(keep, change=lambda hdus: None, name="response.fits"):
        with fits.open(embedded) as hdus:
            kept = fits.HDUList([hdus[0], *(hdu for hdu in hdus[1:] if keep(hdu.name))])
            change(kept)
            kept.writeto(tmp_path / name)
        return tmp_path / name

    return write
