"""What a classifier is given of each detection: cut-outs, spectrum, light curve, position."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from gammafind.errors import InputDataError
from gammafind.measure.photometry import measure_photometry
from gammafind.progress import stage
from gammafind.sky.cutouts import CutoutLayout, CutoutPixels, cutout_pixels
from gammafind.sky.epochs import Epochs
from gammafind.sky.observation import Observation
from gammafind.sky.projection import vectors_in
from gammafind.workers import in_threads

__all__ = ["Cutouts", "make_cutouts"]

_SOLID = 0.3


@dataclass(frozen=True, eq=False)
class Cutouts:
    """What is known of each of n detections.

    Attributes
    ----------
    arrays : mapping of str to ndarray
        As `gammafind.interfaces.Classifier.classify` takes them, float32: ``counts`` and
        ``background`` (n, n_bands, p, p); ``spectrum, spectrum_err, exposure, density``
        (n, n_bands), see `gammafind.measure.photometry.Photometry`; ``position`` (n, 2), Galactic
        longitude and latitude in degrees; ``score, pos_err`` (n,), NaN where they are not known.
        With epochs also ``epoch_counts, epoch_background`` (n, n_epochs, p, p) and
        ``light_curve, light_curve_err`` (n, n_epochs).
    inside : ndarray of bool, shape (n,)
        Which cut-outs lie on the map with all their pixels, on valid ones.
    """

    arrays: Mapping[str, np.ndarray]
    inside: np.ndarray

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
    """Cut and measure what is around each detection.

    Parameters
    ----------
    observation : Observation
    detections : QTable
        With ``ra, dec, score`` and, where known, ``pos_err``.
    layout : CutoutLayout, optional
    epochs : Epochs, optional
        On the pixels of the observation.
    probabilities : bool
        Whether the scores are probabilities. If not they are left out, and all detections are
        taken for sources when their neighbours are fitted.

    Returns
    -------
    Cutouts

    Raises
    ------
    InputDataError
        If counts of the epochs do not add up to those of the observation, or background or
        exposure hold values that are not finite.
    BandError
        If bands or pixels of the epochs are others.
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
    """Counts and background of each band and, of all bands together, of each epoch."""
    layout = layout.of(observation.counts.pixels)
    background = observation.total_background()
    shares = None if epochs is None else epochs.shares(positions)

    def cut(band: int) -> tuple[np.ndarray, ...]:
        known = background.valid[band]
        places = _places(observation, band, positions, layout, layout.widths[band], known)
        seen, model = (
            places.cut(observation.counts.values[band]),
            places.cut(background.values[band]),
        )
        if epochs is None:
            return places.inside, seen, model
        inside = places.inside
        if layout.widths[band] != layout.epoch_width:
            places = _places(observation, band, positions, layout, layout.epoch_width, known)
        of_epochs = np.stack([places.cut(sky.values[band]) for sky in epochs.counts], axis=1)
        expected = places.cut(background.values[band])[:, None]
        expected = shares[:, band].T[:, :, None, None] * expected
        return inside & places.inside, seen, model, of_epochs, expected

    parts = list(zip(*in_threads(cut, range(len(layout.widths))), strict=True))
    inside = np.all(parts[0], axis=0)
    arrays = {"counts": np.stack(parts[1], axis=1), "background": np.stack(parts[2], axis=1)}
    if epochs is not None:
        arrays |= {"epoch_counts": sum(parts[3]), "epoch_background": sum(parts[4])}
    if not all(np.all(np.isfinite(array)) for array in arrays.values()):
        raise InputDataError(
            "the cut-outs hold values that are not finite",
            remedy="Mask pixels without data in counts, background and exposure.",
        )
    return arrays, inside


def _places(
    observation: Observation,
    band: int,
    positions: SkyCoord,
    layout: CutoutLayout,
    width: float,
    known: np.ndarray,
) -> CutoutPixels:
    """Pixels of the map in cut-outs of a band, which are valid where the background is known."""
    pixels = observation.counts.pixels[band]
    valid = observation.counts.valid[band] & observation.exposure.valid[band] & known
    vectors = vectors_in(pixels.frame, positions)
    return cutout_pixels(vectors, pixels, width, layout.n_pixels, valid=valid)


def _measured(
    observation: Observation, positions: SkyCoord, solid: np.ndarray, epochs: Epochs | None
) -> dict[str, np.ndarray]:
    """Spectra and light curves; errors that are not known are as large as numbers of 32 bits."""
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
