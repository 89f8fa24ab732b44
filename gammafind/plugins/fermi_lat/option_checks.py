"""Checks of the options of the renderer: bands, channels and files."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gammafind.errors import InputFileError, OptionError
from gammafind.plugins.fermi_lat.events import check_types
from gammafind.plugins.fermi_lat.exposure import holds_livetime
from gammafind.plugins.fermi_lat.years import EMBEDDED_EXPOSURES
from gammafind.sky.pixels import HealpixPixels

CHANNEL = "{type}"
"""Placeholder for the event types of a channel in a file name."""


def check_bands(
    energies: Sequence[float], nsides: Sequence[int], max_zeniths: Sequence[float]
) -> None:
    """Check edges in GeV, nside and largest zenith angle of the energy bands.

    Raises
    ------
    OptionError
        If the edges are not positive and increasing, an nside is not a power of two, a zenith angle
        is not between 0 and 180 deg, or there is not one of each per band.
    """
    edges = np.array(energies, dtype=float)
    rising = np.all(edges > 0) and np.all(np.diff(edges) > 0) and np.all(np.isfinite(edges))
    if len(edges) < 2 or not rising:
        raise OptionError(
            f"energies is {tuple(energies)}",
            remedy="Give two or more edges in GeV, positive and increasing.",
        )
    if len(nsides) != len(energies) - 1:
        raise OptionError(
            f"{len(nsides)} nsides for {len(energies)} band edges",
            remedy="Give one nside per band, which is one less than edges.",
        )
    for nside in nsides:
        HealpixPixels(nside)
    if max_zeniths and len(max_zeniths) != len(nsides):
        raise OptionError(
            f"{len(max_zeniths)} max_zeniths for {len(nsides)} energy bands",
            remedy="Give one per energy band, or none.",
        )
    if not all(0 < angle <= 180 for angle in max_zeniths):
        raise OptionError(
            f"max_zeniths is {tuple(max_zeniths)}", remedy="Give degrees between 0 and 180."
        )


def check_index(index: float) -> None:
    """Check the photon index over which a band is averaged.

    Raises
    ------
    OptionError
        If it is not finite.
    """
    if not np.isfinite(index):
        raise OptionError(f"index is {index}", remedy="It must be a finite photon index.")


def check_region(region: Sequence[float]) -> None:
    """Check the region of the images that photons are binned on.

    Raises
    ------
    OptionError
        If it is not right ascension, declination and radius in degrees.
    """
    if not region:
        return
    if len(region) != 3 or not (abs(region[1]) <= 90 and 0 < region[2] <= 60):
        raise OptionError(
            f"region is {tuple(region)}",
            remedy="Give right ascension, declination and a radius up to 60, in degrees.",
        )


def check_time(good_time: float, exposure_error: float, *, source: str) -> None:
    """Check the good time that the embedded exposure is scaled to, and its relative error.

    Raises
    ------
    OptionError
        If one is negative, or a time is given for the exposure of a file.
    """
    if not (good_time >= 0 and np.isfinite(good_time) and exposure_error >= 0):
        raise OptionError(
            f"good_time is {good_time} s, exposure_error {exposure_error}",
            remedy="Neither can be negative.",
        )
    if good_time and source not in EMBEDDED_EXPOSURES:
        raise OptionError(
            f"good_time is given for the exposure {source}",
            remedy=f"It scales {' or '.join(EMBEDDED_EXPOSURES)}.",
        )


def check_event_types(event_types: Sequence[str]) -> None:
    """Check that no photon belongs to two channels.

    Raises
    ------
    OptionError
        If there is no event type, one is unknown or occurs twice, or types of different groups
        are mixed: each photon has one of each group.
    """
    named = [name for types in event_types for name in types.split("+")]
    check_types(named, option=f"event_types is {tuple(event_types)}")


def check_files(
    event_types: Sequence[str],
    *,
    exposure_source: str,
    isotropic: str,
    psf_file: str,
    aeff_file: str,
    edisp_file: str = "",
) -> None:
    """Check that each channel has its own files, and a response both of its files.

    Raises
    ------
    OptionError
        If one of ``psf_file`` and ``aeff_file`` is missing, ``edisp_file`` is alone, or a file is
        given for several channels without `CHANNEL` in its name.
    """
    if bool(psf_file) != bool(aeff_file):
        raise OptionError(
            "one of psf_file and aeff_file is missing",
            remedy="Give both files of a response, or none.",
        )
    if edisp_file and not psf_file:
        raise OptionError(
            "edisp_file has no psf_file and aeff_file",
            remedy="Give all files of a response, or the option caldb.",
        )
    files = {"isotropic": isotropic, "exposure_source": exposure_source}
    for name, source in files.items():
        known = source == "embedded" or source in EMBEDDED_EXPOSURES
        if len(event_types) > 1 and not known and CHANNEL not in source and not _is_shared(source):
            raise OptionError(
                f"{name} is {source} for the {len(event_types)} channels {', '.join(event_types)}",
                remedy=f"Give each its own file: {CHANNEL} in the name means the event type.",
            )


def _is_shared(source: str) -> bool:
    """Whether a file holds for all event types: where the LAT pointed."""
    try:
        return holds_livetime(source)
    except InputFileError:
        return False
