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
from gammafind.sky.bands import Band, energy_bands

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


def load_isotropic(irf: str, event_type: str) -> IsotropicSpectrum:
    """Load the isotropic spectrum of a response.

    Parameters
    ----------
    irf : {"P8R2_ULTRACLEANVETO_V6", "P8R3_ULTRACLEANVETO_V3"}
    event_type : {"FRONT", "BACK", "PSF0", "PSF1", "PSF2", "PSF3"}

    Returns
    -------
    IsotropicSpectrum

    Raises
    ------
    OptionError
        If this spectrum is not embedded.
    """
    name = f"{irf}_{event_type}"
    with fits.open(_FOLDER / "isotropic.fits.gz") as file:
        known = [hdu.name for hdu in file[1:]]
        if name not in known:
            raise OptionError(
                f"no isotropic spectrum for {irf} {event_type} is embedded",
                remedy=f"Embedded are {', '.join(known)}; others can be read from iso_*.txt files.",
            )
        data = file[name].data
        return IsotropicSpectrum(
            _native(data["ENERGY"]) * u.MeV,
            _native(data["INTENSITY"]) * DIFFERENTIAL_INTENSITY,
            _native(data["ERROR"]) * DIFFERENTIAL_INTENSITY,
        )


def load_interstellar() -> tuple[tuple[Band, ...], np.ndarray]:
    """Load the approximate interstellar emission (p6v11 shape, gll_iem_v07 spectrum).

    Returns
    -------
    bands : tuple of Band
        The six bands of the paper.
    intensity : ndarray, shape (6, 196608), float32
        Photon intensity of each band in cm-2 s-1 sr-1, nside 128, RING, Galactic; within 0.2 % of
        the table that it is derived from.
    """
    with fits.open(interstellar_path()) as file:
        shape = np.exp(_native(file["SKYMAP"].data["LOG_INTENSITY"]))
        ratio = _native(file["EBOUNDS"].data["RATIO"])
        return _bands(file["EBOUNDS"].data), np.outer(ratio, shape).astype(np.float32)


def interstellar_path() -> Path:
    """Path of the table of `load_interstellar`."""
    return _FOLDER / "interstellar_lowres.fits.gz"


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


def load_psf3_exposure() -> np.ndarray:
    """Load the exposure of the counts of `demo_counts_path`.

    Returns
    -------
    ndarray, shape (196608,)
        In cm2 s, nside 128, RING, Galactic; rounded to within 0.07 %.
    """
    with fits.open(_FOLDER / "exposure_2-20GeV_psf3.fits.gz") as file:
        return _native(file["HPXEXPOSURES"].data["ENERGY1"])


def load_bubbles() -> np.ndarray:
    """Load the template of the Fermi bubbles at 2-20 GeV, in units of counts.

    Returns
    -------
    ndarray, shape (196608,)
        Arbitrary norm, nside 128, RING, Galactic.
    """
    with fits.open(_FOLDER / "bubbles.fits.gz") as file:
        return _native(file["SKYMAP"].data["TEMPLATE"])


def load_population_table() -> Table:
    """Load the fit of the synthetic population to 4FGL-DR2, one number per row.

    Returns
    -------
    Table
        See `~gammafind.plugins.fermi_lat.population.storage.fit_from_table`.
    """
    return Table.read(_FOLDER / "population_4fgl_dr2.ecsv", format="ascii.ecsv")


def _native(column: np.ndarray) -> np.ndarray:
    return np.array(column, dtype=float)


def _bands(bounds: fits.FITS_rec) -> tuple[Band, ...]:
    edges = np.append(bounds["E_MIN"], bounds["E_MAX"][-1])
    return energy_bands((edges * u.keV).to(u.GeV))
