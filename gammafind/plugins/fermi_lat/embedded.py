"""The embedded tables of the LAT: the only module that knows their folder and formats."""

from __future__ import annotations

from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.table import QTable, Table

from gammafind.errors import OptionError
from gammafind.plugins.fermi_lat.catalogues import read_fermi_catalogue
from gammafind.plugins.fermi_lat.isotropic import DIFFERENTIAL_INTENSITY, IsotropicSpectrum
from gammafind.plugins.fermi_lat.planes import from_planes
from gammafind.sky.bands import Band, energy_bands
from gammafind.sky.fits.counts import describe_input
from gammafind.sky.fits.selections import file_selections
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.skymap import SkyMap

_FOLDER = Path(__file__).parent / "data"


def load_4fgl_dr2() -> QTable:
    """Load 4FGL-DR2: 5788 sources, in the columns of `read_fermi_catalogue`.

    Returns
    -------
    QTable
        A new copy for each call.

    References
    ----------
    Abdollahi et al. 2020, ApJS 247, 33; Ballet et al. 2020, arXiv:2005.11208.
    """
    return read_fermi_catalogue(_FOLDER / "4fgl_dr2.fits.gz")


def reference_path(name: str) -> Path:
    """Path of the compact table of a reference catalogue, such as ``"fl16y"``.

    It is in the format of `~gammafind.plugins.fermi_lat.planes`; the table ``ExtendedSources``
    holds shapes.
    """
    return _FOLDER / f"{name.replace('-', '_')}.fits.gz"


def load_isotropic(irf: str, event_type: str) -> IsotropicSpectrum:
    """Load the isotropic spectrum of a response.

    Parameters
    ----------
    irf : str
        A key of `~gammafind.plugins.fermi_lat.irf.EMBEDDED_RESPONSES`.
    event_type : str
        One of its event types. ``"FRONT+BACK"`` is the template of all events. Below 100 GeV it
        agrees with the mean of those of FRONT and BACK, weighted by their exposure, within 1 %.

    Returns
    -------
    IsotropicSpectrum

    Raises
    ------
    OptionError
        If this spectrum is not embedded.
    """
    with fits.open(_FOLDER / "isotropic.fits.gz") as file:
        rows = file[irf].data if irf in file else None
        types = [] if rows is None else rows["EVENT_TYPE"].tolist()
        if event_type not in types:
            known = ", ".join(types or [hdu.name for hdu in file[1:]])
            raise OptionError(
                f"no isotropic spectrum for {irf} {event_type} is embedded",
                remedy=f"Embedded are {known}; others can be read from iso_*.txt files.",
            )
        row = rows[types.index(event_type)]
        return IsotropicSpectrum(
            _native(row["ENERGY"]) * u.MeV,
            _native(row["INTENSITY"]) * DIFFERENTIAL_INTENSITY,
            _native(row["ERROR"]) * DIFFERENTIAL_INTENSITY,
        )


def load_interstellar() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Load the interstellar emission gll_iem_v07 in cells, and the structure inside them.

    Returns
    -------
    energy : ndarray, shape (28,)
        In MeV, 50 to 814,008.
    cells : ndarray, shape (28, 131, 240)
        Mean intensity in cm-2 s-1 MeV-1 sr-1 of 12 x 11 pixels of gll_iem_v07, within 0.1 %, see
        `~gammafind.plugins.fermi_lat.cells`.
    structure : ndarray, shape (196608,)
        Arbitrary norm, nside 128, RING, Galactic.
    """
    with fits.open(interstellar_path()) as file:
        steps = np.cumsum(np.cumsum(file["CELLS"].data, axis=0, dtype=int), axis=0)
        cells = np.exp(steps * file["CELLS"].header["LOGSTEP"])
        structure = np.exp(_native(file["STRUCTURE"].data["LOG_STRUCTURE"]))
        return _native(file["ENERGIES"].data["Energy"]), cells, structure


def interstellar_path() -> Path:
    """Path of the table of `load_interstellar`."""
    return _FOLDER / "interstellar.fits.gz"


def load_exposure_by_year() -> tuple[tuple[Band, ...], np.ndarray]:
    """Load the FRONT exposure of the ten years from 2008-08-04.

    Returns
    -------
    bands : tuple of Band
        The six bands of the paper.
    exposure : ndarray, shape (6, 10, 12288), float32
        Exposure of each band and year in cm2 s, nside 32, RING, Galactic. The years differ only by
        their good time, not in their pattern on the sky.
    """
    with fits.open(_FOLDER / "exposure_by_year.fits.gz") as file:
        ten_years = _native(file["HPXEXPOSURES"].data["TEN_YEARS"])
        weight = np.outer(file["EBOUNDS"].data["RATIO"], file["YEARS"].data["SHARE"])
        exposure = weight[:, :, np.newaxis] * ten_years
        return _bands(file["EBOUNDS"].data), exposure.astype(np.float32)


def demo_counts_path() -> Path:
    """Path of the real LAT counts: 573 weeks, 2-20 GeV, UltracleanVeto, PSF3.

    A gzipped HEALPix file in the format of gtbin (``SKYMAP``, ``EBOUNDS``): nside 128, RING,
    Galactic.
    """
    return _FOLDER / "counts_2-20GeV_psf3.fits.gz"


def load_high_energy_sky() -> SkyMap:
    """Load the real LAT counts of 98 months above 10 GeV: P8R2 Source, FRONT+BACK.

    Returns
    -------
    SkyMap
        Counts as int64 in 10-30, 30-100 and 100-2000 GeV; nside 1024, Galactic.
    """
    path = _FOLDER / "counts_10-2000GeV.fits.gz"
    with fits.open(path) as file:
        bands, cuts = _bands(file["EBOUNDS"].data), file_selections(file)
        tables = [file[f"CHANNEL{channel}"] for channel in range(1, len(bands) + 1)]
        pixels = [HealpixPixels(table.header["NSIDE"]) for table in tables]
        values = [
            _unpacked(from_planes(table), one.shape)
            for table, one in zip(tables, pixels, strict=True)
        ]
    meta = {"inputs": (describe_input(path),), "selections": cuts}
    return SkyMap(bands=bands, pixels=tuple(pixels), values=tuple(values), meta=meta)


def load_psf3_exposure() -> np.ndarray:
    """Load the exposure of the counts of `demo_counts_path`.

    Returns
    -------
    ndarray, shape (196608,)
        In cm2 s, nside 128, RING, Galactic; rounded to within 0.07 %.
    """
    with fits.open(_FOLDER / "exposure_2-20GeV_psf3.fits.gz") as file:
        return _native(file["HPXEXPOSURES"].data["ENERGY1"])


def load_population_table() -> Table:
    """Load the fit of the synthetic population to 4FGL-DR2, one number per row.

    Returns
    -------
    Table
        See `~gammafind.plugins.fermi_lat.population.storage.fit_from_table`.
    """
    return Table.read(_FOLDER / "population_4fgl_dr2.ecsv", format="ascii.ecsv")


def _unpacked(columns: dict[str, np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """Map of the pixels with photons, whose distances are known."""
    counts = np.zeros(shape, dtype=np.int64)
    counts[np.cumsum(columns["STEP"].astype(int)) - 1] = columns["COUNTS"]
    return counts


def _native(column: np.ndarray) -> np.ndarray:
    return np.array(column, dtype=float)


def _bands(bounds: fits.FITS_rec) -> tuple[Band, ...]:
    edges = np.append(bounds["E_MIN"], bounds["E_MAX"][-1])
    return energy_bands((edges * u.keV).to(u.GeV))
