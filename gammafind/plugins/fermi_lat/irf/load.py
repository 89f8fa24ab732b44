"""Reading and loading of responses: those of the package, and those of CALDB files."""

from __future__ import annotations

from functools import lru_cache
from os import PathLike
from pathlib import Path

from gammafind.errors import OptionError, ResponseError
from gammafind.plugins.fermi_lat.irf.dispersion import read_dispersion
from gammafind.plugins.fermi_lat.irf.effective_area import read_effective_area
from gammafind.plugins.fermi_lat.irf.psf import read_psf
from gammafind.plugins.fermi_lat.irf.response import Response

__all__ = ["EMBEDDED_RESPONSES", "load_response", "read_response"]

_EVENT_TYPES = ("FRONT", "BACK", "PSF0", "PSF1", "PSF2", "PSF3")

EMBEDDED_RESPONSES = {
    "P8R2_ULTRACLEANVETO_V6": _EVENT_TYPES,
    "P8R3_ULTRACLEANVETO_V3": _EVENT_TYPES,
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
        FRONT, BACK or PSF0 to PSF3, or several joined with ``+``, such as ``"FRONT+BACK"``.
    edisp_path : path-like, optional
        File ``edisp_*`` of the response; without it the energy dispersion stays unknown.

    Raises
    ------
    ResponseError
        If a file has another kind, lacks an event type, or the files belong to different responses.
    InputFileError
        If a file is missing, truncated or not a FITS file.
    """
    types = tuple(event_type.split("+"))
    if len(set(types)) != len(types):
        raise OptionError(f"event_type is {event_type!r}: one occurs twice")
    psfs = tuple(read_psf(psf_path, name) for name in types)
    areas = tuple(read_effective_area(aeff_path, name) for name in types)
    dispersions = () if edisp_path is None else tuple(read_dispersion(edisp_path, t) for t in types)
    irf = psfs[0].irf
    _check_same(irf, "effective area", areas[0].irf, aeff_path)
    if dispersions:
        _check_same(irf, "energy dispersion", dispersions[0].irf, edisp_path)
    return Response(irf, types, psfs, areas, dispersions)


@lru_cache(maxsize=32)
def load_response(irf: str, event_type: str) -> Response:
    """Load a response that comes with the package.

    Parameters
    ----------
    irf : str
        A key of `EMBEDDED_RESPONSES`.
    event_type : str
        One of its event types, or several joined with ``+``, such as ``"FRONT+BACK"``.

    Raises
    ------
    OptionError
        If the response or an event type is not embedded.
    """
    types = EMBEDDED_RESPONSES.get(irf, ())
    if not types or not set(event_type.split("+")) <= set(types):
        known = "; ".join(f"{name}: {', '.join(has)}" for name, has in EMBEDDED_RESPONSES.items())
        raise OptionError(
            f"no response {irf} {event_type} comes with the package",
            remedy=f"Known are {known}. For others give the options psf_file and aeff_file.",
        )
    path = _DATA / f"response_{irf}.fits.gz"
    return read_response(path, path, event_type, edisp_path=path)


def _check_same(irf: str, what: str, found: str, path: str | PathLike) -> None:
    if found != irf:
        raise ResponseError(
            f"the {what} is of {found}, the PSF of {irf}",
            path=path,
            remedy="Give files of one response.",
        )
