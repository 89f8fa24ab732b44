"""A user's background: maps of the Fermitools, and models in XML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike

import astropy.units as u
import numpy as np

from gammafind.errors import OptionError
from gammafind.plugins.fermi_lat.model import Diffuse, is_model, read_model
from gammafind.sky.bands import Band
from gammafind.sky.fits.background import ISOTROPIC, read_background
from gammafind.sky.pixels import Pixels
from gammafind.sky.skymap import SkyMap

_INDEX = 2.4
"""Photon index over which the factor of a model is averaged in a band: of the Galactic emission."""


def user_background(
    paths: Sequence[str | PathLike],
    *,
    bands: Sequence[Band],
    pixels: Sequence[Pixels],
    frame: str | None,
    rendered: Callable[[str, str], SkyMap],
    isotropic: Callable[[np.ndarray], np.ndarray],
) -> dict[str, SkyMap]:
    """Components of a user's background.

    Parameters
    ----------
    paths : sequence of path-like
        Maps, and at most one model in XML. With source maps of gtsrcmaps the model gives their
        spectra, alone it gives the cube and the isotropic spectrum.
    bands : sequence of Band
    pixels : sequence of Pixels
    frame : str or None
        As for `~gammafind.sky.fits.read_background`.
    rendered : callable
        Expected counts of ``"interstellar"`` or ``"isotropic"`` with the file of this path.
    isotropic : callable
        Spectrum of a flat source map without a model, in cm-2 s-1 MeV-1 sr-1 at energies in MeV.

    Raises
    ------
    OptionError
        If several models are given.
    InputFileError
        If a file cannot be used; the subclass describes the fault.
    """
    models = [path for path in paths if is_model(path)]
    maps = [path for path in paths if not is_model(path)]
    if len(models) > 1:
        raise OptionError(f"{len(models)} models in XML are given", remedy="Give one.")
    components = read_model(models[0]) if models else ()
    if maps:
        spectra = {one.name: one.spectrum for one in components} or {ISOTROPIC: isotropic}
        return read_background(maps, bands=bands, pixels=pixels, frame=frame, spectra=spectra)
    return {one.name: _scaled(rendered(one.kind, str(one.path)), one) for one in components}


def _scaled(sky: SkyMap, component: Diffuse) -> SkyMap:
    """Expected counts of a file, times the factor of the model in each band."""
    values = []
    for band, array in zip(sky.bands, sky.values, strict=True):
        low, high = np.sort(band.edges.to_value(u.MeV, u.spectral()))
        energy = np.geomspace(low, high, 101)
        share = energy ** (1 - _INDEX)
        values.append(array * float(component.factor(energy) @ share / share.sum()))
    return SkyMap(sky.bands, sky.pixels, tuple(values), sky.kind, sky.valid)
