"""Reading and loading of responses: those of the package, and those of CALDB files."""

from __future__ import annotations

import os
from contextlib import ExitStack
from functools import lru_cache
from os import PathLike
from pathlib import Path

from gammafind.errors import OptionError, ResponseError
from gammafind.plugins.fermi_lat.events import split_types
from gammafind.plugins.fermi_lat.irf.dispersion import dispersion_of
from gammafind.plugins.fermi_lat.irf.effective_area import effective_area_of
from gammafind.plugins.fermi_lat.irf.folder import response_files
from gammafind.plugins.fermi_lat.irf.psf import psf_of
from gammafind.plugins.fermi_lat.irf.response import Response
from gammafind.sky.fits.opening import open_fits

_SIDES = ("FRONT", "BACK")
_PSF_TYPES = ("PSF0", "PSF1", "PSF2", "PSF3")
_ALL_TYPES = (*_SIDES, *_PSF_TYPES, "EDISP0", "EDISP1", "EDISP2", "EDISP3")

EMBEDDED_RESPONSES = {
    "P8R2_SOURCE_V6": _SIDES,
    "P8R2_ULTRACLEANVETO_V6": (*_SIDES, *_PSF_TYPES),
    "P8R3_SOURCE_V3": _ALL_TYPES,
    "P8R3_CLEAN_V3": _ALL_TYPES,
    "P8R3_ULTRACLEAN_V3": _ALL_TYPES,
    "P8R3_ULTRACLEANVETO_V3": _ALL_TYPES,
    "P8R3_SOURCEVETO_V3": _ALL_TYPES,
}
"""Responses that come with the package, with their event types."""

_DATA = Path(__file__).parents[1] / "data"


def read_response(
    psf_path: str | PathLike,
    aeff_path: str | PathLike,
    event_type: str,
    *,
    edisp_path: str | PathLike | None = None,
) -> Response:
    """Read a response from official CALDB files.

    Parameters
    ----------
    psf_path, aeff_path : path-like
        Files ``psf_*`` and ``aeff_*`` of one response.
    event_type : str
        FRONT or BACK, PSF0 to PSF3, or EDISP0 to EDISP3; several joined with ``+``, such as
        ``"FRONT+BACK"``.
    edisp_path : path-like, optional
        File ``edisp_*`` of the response; without it the energy dispersion stays unknown.

    Raises
    ------
    OptionError
        If an event type is unknown or occurs twice, or two of them share photons.
    ResponseError
        If a file has another kind, lacks an event type, or the files belong to different responses.
    InputFileError
        If a file is missing, truncated or not a FITS file.
    """
    types = split_types(event_type)
    with ExitStack() as stack:
        paths = {os.fspath(path) for path in (psf_path, aeff_path, edisp_path) if path is not None}
        files = {
            path: stack.enter_context(open_fits(path, what="a CALDB response file of Pass 8"))
            for path in sorted(paths)
        }
        readers = ((psf_of, psf_path), (effective_area_of, aeff_path), (dispersion_of, edisp_path))
        psfs, areas, dispersions = (
            ()
            if path is None
            else tuple(read(files[os.fspath(path)], name, path=path) for name in types)
            for read, path in readers
        )
    irf = psfs[0].irf
    _check_same(irf, "effective area", areas[0].irf, aeff_path)
    if edisp_path is not None:
        _check_same(irf, "energy dispersion", dispersions[0].irf, edisp_path)
    return Response(irf, types, psfs, areas, dispersions)


def load_response(irf: str, event_type: str, *, caldb: str = "") -> Response:
    """Load a response that comes with the package, or read it from a CALDB folder.

    Parameters
    ----------
    irf : str
        A key of `EMBEDDED_RESPONSES`, or the name of another response of Pass 8.
    event_type : str
        One of its event types, or several joined with ``+``, such as ``"FRONT+BACK"``. Their
        effective areas add up; PSF and energy dispersion are those of all their photons.
    caldb : str
        Folder with the files of responses that do not come with the package, as for
        `~gammafind.plugins.fermi_lat.irf.folder.response_files`; by default that of the
        environment variable CALDB.

    Raises
    ------
    OptionError
        If an event type is unknown or occurs twice, two of them share photons, or the response is
        not embedded and there is no CALDB folder.
    ResponseError
        If the folder does not hold the response.
    InputFileError
        If there is no such folder, or a file of it cannot be used.
    """
    files = caldb_files(irf, event_type, caldb=caldb)
    if not files:
        return _embedded(irf, event_type)
    psf, aeff, *edisp = files
    return read_response(psf, aeff, event_type, edisp_path=edisp[0] if edisp else None)


def caldb_files(irf: str, event_type: str, *, caldb: str = "") -> tuple[Path, ...]:
    """Find the files of a response that does not come with the package.

    Parameters
    ----------
    irf, event_type, caldb : str
        As for `load_response`.

    Returns
    -------
    tuple of Path
        Files ``psf_*``, ``aeff_*`` and, where there is one, ``edisp_*``; empty if the response
        comes with the package.

    Raises
    ------
    OptionError, ResponseError, InputFileError
        As for `load_response`.
    """
    types = split_types(event_type)
    if set(types) <= set(EMBEDDED_RESPONSES.get(irf, ())):
        return ()
    folder = caldb or os.environ.get("CALDB", "")
    if not folder:
        known = "; ".join(f"{name}: {', '.join(has)}" for name, has in EMBEDDED_RESPONSES.items())
        raise OptionError(
            f"no response {irf} {event_type} comes with the package",
            remedy=f"Known are {known}. For others give the folder of their files as the option "
            "caldb or as $CALDB, or the options psf_file and aeff_file.",
        )
    return tuple(path for path in response_files(folder, irf, types) if path is not None)


@lru_cache(maxsize=32)
def _embedded(irf: str, event_type: str) -> Response:
    path = _DATA / f"response_{irf}.fits.gz"
    return read_response(path, path, event_type, edisp_path=path)


def _check_same(irf: str, what: str, found: str, path: str | PathLike) -> None:
    if found != irf:
        raise ResponseError(
            f"the {what} is of {found}, the PSF of {irf}",
            path=path,
            remedy="Give files of one response.",
        )
