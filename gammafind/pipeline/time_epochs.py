"""Photons by the time of their arrival or in maps of each epoch, and the exposures of epochs."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from os import PathLike

import astropy.units as u
import numpy as np

from gammafind.errors import (
    FileFormatError,
    InputDataError,
    NoPhotonsError,
    OptionError,
    PointingWarning,
    RepeatedPhotonsWarning,
)
from gammafind.pipeline.epoch_spans import Times, are_times, epoch_spans
from gammafind.pipeline.inputs import Input, zenith_cut
from gammafind.pipeline.observe import Path, observe_epochs
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.fits import PhotonLists
from gammafind.sky.fits.good_times import good_time_within
from gammafind.sky.fits.observed_times import observed_times
from gammafind.sky.pixels import HealpixPixels, Pixels
from gammafind.sky.skymap import SkyMap
from gammafind.sky.time_epochs import BandPhotons, TimeEpochs
from gammafind.utils.progress import stage, track

_log = logging.getLogger("gammafind")

AnyEpochs = Times | Sequence[Path | Sequence[Path]]
"""Times of epochs, or the files of each."""
_NSIDE = 32
"""Of the shares of the exposure, which change slowly over the sky."""


def observe_any(
    epochs: AnyEpochs,
    given: Input,
    renderer: SkyRenderer,
    counts: SkyMap,
    *,
    frame: str | None = None,
) -> TimeEpochs | None:
    """Epochs of photon lists by their times, or of count maps by their files.

    Parameters
    ----------
    epochs : str, int, path-like, Quantity, Time or sequence
        As for `observe_times`, or files of each epoch of the renderer; empty for no epochs.
    given : Input
        What was observed in the whole time.
    renderer : SkyRenderer
    counts : SkyMap
        Of the whole time.
    frame : {"galactic", "icrs", "fk5"}, optional
        Frame of HEALPix maps whose files do not say it.

    Raises
    ------
    OptionError, InputDataError
        As for `observe_times` and `gammafind.pipeline.observe.observe_epochs`.
    InputFileError
        If a file cannot be used; the class names the fault.
    """
    if are_times(epochs):
        return observe_times(given, renderer, epochs, pixels=counts.pixels)
    if not len(epochs):
        return None
    listed = [[one] if isinstance(one, str | PathLike) else one for one in epochs]
    maps = observe_epochs(listed, renderer, counts, frame=frame)
    return TimeEpochs.of_maps(maps, renderer.epoch_spans)


def observe_times(
    given: Input, renderer: SkyRenderer, epochs: Times, *, pixels: Sequence[Pixels]
) -> TimeEpochs:
    """Split photon lists into epochs by their times.

    Parameters
    ----------
    given : Input
        Photon lists, with spacecraft files or not.
    renderer : SkyRenderer
    epochs : str, int, path-like, Quantity, Time or sequence
        As for `gammafind.pipeline.epoch_spans.epoch_spans`.
    pixels : sequence of Pixels
        Those of the counts of the whole time, one per band.

    Returns
    -------
    TimeEpochs
        The exposure of an epoch is that of spacecraft files where they are given. Otherwise it
        follows from the good time, and has an error. Epochs without good time have none.

    Raises
    ------
    OptionError
        If the counts are not photon lists, or the epochs cannot be.
    InputFileError
        If a file cannot be used; the class names the fault.
    """
    if not given.is_file or any(file.kind != "photons" for file in given.data):
        raise OptionError(
            "epochs are given by their times, and the counts are maps, which have none",
            remedy="Give photon lists (FT1), or count maps of each epoch.",
        )
    times = observed_times(given.data)
    if times is None:
        raise FileFormatError(
            "the photons have no times to choose epochs by",
            path=", ".join(str(file.path) for file in given.data),
            remedy="Give photon lists with a column TIME.",
        )
    spans = epoch_spans(epochs, times)
    with stage("splitting the photons by time"):
        photons = split_photons(given, renderer, spans, pixels)
    coarse = tuple(HealpixPixels(_NSIDE, one.frame) for one in pixels)
    with stage("exposure of each epoch"):
        shares, errors = _shares(given, renderer, times, spans, coarse)
    exposed = np.any([share.any(axis=1) for share in shares], axis=0)
    empty = np.count_nonzero(~exposed)
    if empty:
        _log.warning("%d of %d epochs have no good time: their fluxes are NaN", empty, len(spans))
    if np.any(errors > 0):
        text = "the exposure of each epoch follows from its good time: known to about %.0f%%"
        _log.warning(f"{text}; --ft2 gives the true one", 100 * np.max(errors))
    return TimeEpochs(
        spans=spans, photons=photons, share_pixels=coarse, shares=shares, errors=errors
    )


def split_photons(
    given: Input, renderer: SkyRenderer, spans: np.ndarray, pixels: Sequence[Pixels]
) -> tuple[BandPhotons, ...]:
    """Photons of each band in each epoch; the lists are read once."""
    found: list[list[np.ndarray]] = [[] for _ in pixels]
    with warnings.catch_warnings():
        # The whole time warns of the same.
        warnings.simplefilter("ignore", RepeatedPhotonsWarning)
        for part in PhotonLists.of([file.path for file in given.data]):
            if part.times is None:
                raise FileFormatError(
                    "EVENTS has no column TIME to choose photons by",
                    path=part.meta["inputs"][0]["name"],
                )
            bands = zip(found, renderer.events_by_band(part), pixels, strict=True)
            for kept, events, target in bands:
                index, times = target.pixel_of(events.positions), events.times.to_value(u.s)
                epoch = np.searchsorted(spans[:, 0], times, side="right") - 1
                inside = (index >= 0) & (epoch >= 0) & (times < spans[epoch, 1])
                kept.append(np.stack([index[inside], epoch[inside]]))
    joined = [np.concatenate(parts, axis=1) for parts in found]
    if not any(each.size for each in joined):
        raise NoPhotonsError(
            "there is no photon in the epochs",
            path=", ".join(str(file.path) for file in given.data),
            remedy="Give other epochs.",
        )
    return tuple(
        BandPhotons.of(target, *each, len(spans))
        for target, each in zip(pixels, joined, strict=True)
    )


def _shares(
    given: Input,
    renderer: SkyRenderer,
    times: np.ndarray,
    spans: np.ndarray,
    pixels: tuple[Pixels, ...],
) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Shares of the exposure, each of shape (n_epochs, n_pixels), and their errors."""
    if not any(file.kind == "spacecraft" for file in given.files):
        return renderer.time_shares(times, spans, pixels)
    data = given.data
    known = all(file.good_times is not None for file in data)
    whole = [np.ravel(values) for values in renderer.exposure(pixels).values]
    shares = [np.zeros((len(spans), len(each))) for each in whole]
    good = good_time_within(times, *spans.T)
    for i in track(np.flatnonzero(good > 0).tolist(), "epochs"):
        low, high = spans[i].tolist()
        part = renderer.with_pointing(
            given.pointing,
            good_times=[file.path for file in data] if known else (),
            max_zenith=zenith_cut(data),
            span=(low, high),
        )
        try:
            with warnings.catch_warnings():
                # The whole time warns of the same.
                warnings.simplefilter("ignore", PointingWarning)
                own = part.exposure(pixels).values
        except InputDataError:
            continue
        for share, values, every in zip(shares, own, whole, strict=True):
            share[i] = np.divide(values.ravel(), every, out=np.zeros(len(every)), where=every > 0)
    return tuple(shares), np.zeros(len(spans))
