"""Input of a classifier for each detection: cut-outs, spectrum, light curve, position."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from gammafind.errors import InputDataError
from gammafind.fitting.photons.photometry import measure_photometry
from gammafind.sky.cutouts import (
    CutoutLayout,
    CutoutPixels,
    coarse_pixels,
    cutout_pixels,
    on_coarse,
)
from gammafind.sky.epochs import Epochs
from gammafind.sky.observation import Observation
from gammafind.sky.pixels import Pixels
from gammafind.sky.projection import vectors_in
from gammafind.sky.skymap import SkyMap
from gammafind.utils.progress import stage
from gammafind.utils.workers import in_threads

_SOLID = 0.3
"""Probability from which a detection is part of the model of its neighbours."""


@dataclass(frozen=True, eq=False)
class Cutouts:
    """The data of each of n detections.

    Attributes
    ----------
    arrays : mapping of str to ndarray
        Input of `gammafind.roles.classifier.Classifier.classify`, float32: ``counts`` and
        ``background`` (n, n_bands, p, p); ``spectrum, spectrum_err, exposure, density`` (n,
        n_bands), see `gammafind.fitting.photons.photometry.Photometry`; ``position`` (n, 2),
        Galactic longitude and latitude in degrees; ``score, pos_err`` (n,), NaN if they are not
        known. With epochs also ``epoch_counts, epoch_background`` (n, n_epochs, p, p) and
        ``light_curve, light_curve_err`` (n, n_epochs).
    inside : ndarray of bool, shape (n,)
        Which cut-outs are completely on valid pixels of the map.
    columns : mapping of str to ndarray
        Additional catalogue columns about the cut-outs, by name.
    """

    arrays: Mapping[str, np.ndarray]
    inside: np.ndarray
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.inside)


def make_cutouts(
    observation: Observation,
    detections: QTable,
    *,
    layout: CutoutLayout | None = None,
    epochs: Epochs | None = None,
    probabilities: bool = True,
) -> Cutouts:
    """Cut images around each detection and measure its spectrum and light curve.

    Parameters
    ----------
    observation : Observation
    detections : QTable
        With ``ra, dec, score`` and, if known, ``pos_err``.
    layout : CutoutLayout, optional
    epochs : Epochs, optional
        On the pixels of the observation.
    probabilities : bool
        Whether the scores are probabilities. If not, they are ignored, and all detections are part
        of the model when their neighbours are fitted.

    Returns
    -------
    Cutouts

    Raises
    ------
    InputDataError
        If counts of the epochs do not add up to those of the observation, or background or exposure
        have values that are not finite.
    BandError
        If bands or pixels of the epochs differ.
    """
    if epochs is not None:
        epochs.check_sum(observation.counts)
    positions = SkyCoord(detections["ra"], detections["dec"], frame="icrs")
    score = np.asarray(detections["score"], dtype=np.float32)
    solid = score >= _SOLID if probabilities else np.ones(len(score), dtype=bool)
    with stage("cutting images of detections"):
        arrays, inside = _images(observation, positions, layout or CutoutLayout(), epochs)
    arrays |= _measured(observation, positions, solid, epochs)
    galactic = positions.galactic
    arrays["position"] = np.stack([galactic.l.deg, galactic.b.deg], axis=1)
    unknown = np.full(len(score), np.nan)
    has_error = "pos_err" in detections.colnames
    arrays["score"] = score if probabilities else unknown
    arrays["pos_err"] = detections["pos_err"].to_value(u.deg) if has_error else unknown
    return Cutouts({name: np.asarray(a, dtype=np.float32) for name, a in arrays.items()}, inside)


def _images(
    observation: Observation, positions: SkyCoord, layout: CutoutLayout, epochs: Epochs | None
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Counts and background of each band, and of each epoch in all bands together."""
    layout = layout.of(observation.counts.pixels)
    counts, background = observation.counts, observation.total_background()
    masks = zip(counts.valid, background.valid, observation.exposure.valid, strict=True)
    valid = [np.all(one, axis=0) for one in masks]
    places = _places(positions, [*zip(counts.pixels, layout.widths, strict=True)], layout)
    arrays = {
        name: np.stack([p.cut(v) for p, v in zip(places, sky.values, strict=True)], axis=1)
        for name, sky in {"counts": counts, "background": background}.items()
    }
    inside = np.all([p.whole(good) for p, good in zip(places, valid, strict=True)], axis=0)
    if epochs is not None:
        seen, model, whole = _epoch_images(background, valid, positions, layout, epochs)
        arrays |= {"epoch_counts": seen, "epoch_background": model}
        inside = inside & whole
    if not all(np.all(np.isfinite(array)) for array in arrays.values()):
        raise InputDataError(
            "the cut-outs have values that are not finite",
            remedy="Mask pixels without data in counts, background and exposure.",
        )
    return arrays, inside


def _epoch_images(
    background: SkyMap,
    valid: Sequence[np.ndarray],
    positions: SkyCoord,
    layout: CutoutLayout,
    epochs: Epochs,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Counts and background of each epoch, and which cut-outs are complete.

    Maps of fine pixels are first summed to pixels that are still finer than those of the images.
    """
    shares = epochs.shares(positions)
    size = layout.epoch_width / layout.n_pixels
    coarse = [coarse_pixels(pixels, size) for pixels in background.pixels]
    places = _places(positions, [(pixels, layout.epoch_width) for pixels in coarse], layout)

    def of_band(band: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        pixels, place, fine = coarse[band], places[band], background.pixels[band]

        def cut(values: np.ndarray) -> np.ndarray:
            return place.cut(on_coarse(values, fine, pixels))

        seen = np.stack([cut(sky.values[band]) for sky in epochs.counts], axis=1)
        model = shares[:, band].T[:, :, None, None] * cut(background.values[band])[:, None]
        return seen, model, place.whole(on_coarse(~valid[band], fine, pixels) == 0)

    seen, model, inside = zip(*in_threads(of_band, range(len(coarse))), strict=True)
    return sum(seen), sum(model), np.all(inside, axis=0)


def _places(
    positions: SkyCoord, wanted: Sequence[tuple[Pixels, float]], layout: CutoutLayout
) -> list[CutoutPixels]:
    """Map pixels of the cut-outs for each pair of pixels and width; equal pairs share a result."""

    def place(key: tuple[Pixels, float]) -> CutoutPixels:
        pixels, width = key
        return cutout_pixels(vectors_in(pixels.frame, positions), pixels, width, layout.n_pixels)

    distinct = list(dict.fromkeys(wanted))
    found = dict(zip(distinct, in_threads(place, distinct), strict=True))
    return [found[key] for key in wanted]


def _measured(
    observation: Observation, positions: SkyCoord, solid: np.ndarray, epochs: Epochs | None
) -> dict[str, np.ndarray]:
    """Spectra and light curves; unknown errors get the largest 32-bit number."""
    found = measure_photometry(observation, positions, solid, epochs=epochs)
    arrays = {
        "spectrum": found.counts,
        "spectrum_err": found.counts_err,
        "exposure": found.exposure,
        "density": found.background,
    }
    if epochs is not None:
        arrays |= {"light_curve": found.light_curve, "light_curve_err": found.light_curve_err}
    return {name: np.nan_to_num(array, posinf=1e30) for name, array in arrays.items()}
