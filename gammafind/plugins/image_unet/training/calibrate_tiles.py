"""Calibration of the scores of a network for images, on simulated images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.catalogue.matching import match_one_to_one
from gammafind.evaluation.nested import match_by_score
from gammafind.networks.calibration import Calibration
from gammafind.networks.folder import Runner
from gammafind.networks.logits import logit
from gammafind.networks.peaks import PeakFinder
from gammafind.plugins.image_unet.architecture import TileArchitecture
from gammafind.plugins.image_unet.search import ImageSearch
from gammafind.plugins.image_unet.training.tile_maker import TileMaker
from gammafind.training.calibration import SURE, fit_calibration, fit_error_scale
from gammafind.training.fit_ranking import fit_ranking
from gammafind.utils.progress import track

_LEAST_SCORE = 0.02
"""Threshold of the detections that are used."""
_SEPARATION = 2.0
"""As the localiser has it."""
_ENOUGH = 500
"""Detections from which a ranking is learned."""
_WELL_SEEN = 100.0
"""Square of the signal-to-noise ratio of the sources from which position errors are learned."""


def calibrate_tiles(
    run: Runner,
    architecture: TileArchitecture,
    maker: TileMaker,
    indices: Sequence[int],
    *,
    fwhm: tuple[float, float],
    least_ts: float,
    radius: Quantity,
) -> TileArchitecture:
    """Learn what scores and position errors of a network mean.

    Parameters
    ----------
    run : Runner
        The trained network.
    architecture : TileArchitecture
        What it is; a calibration or ranking that it has is not used.
    maker : TileMaker
    indices : sequence of int
        Of images that the network was not trained on.
    fwhm : tuple of float
        Least and largest width of the PSFs of the training, in pixels.
    least_ts : float
        Square of the signal-to-noise ratio from which on a source makes a detection a true one.
    radius : Quantity
        Within which a detection is that of a source.

    Returns
    -------
    TileArchitecture
        With the calibration and the widths, and with the ranking if one was learned.
    """
    raw = replace(architecture, calibration=Calibration(), ranking=None, fwhm=fwhm)
    peaks = PeakFinder(threshold=_LEAST_SCORE, separation=_SEPARATION)
    search = ImageSearch(run=run, architecture=raw, peaks=peaks)
    parts = []
    for index in track(indices, "images of the calibration"):
        _, sky = maker.sky(index)
        truth = np.load(maker.place(index) / "truth.npy")
        seen = search.look(sky.observation)
        compared = _compared(seen.table, sky.sources, truth, least_ts, radius)
        parts.append((*compared, seen.entries))
    score, matched, off, evidence = (np.concatenate(column) for column in zip(*parts, strict=True))
    logits = logit(score, least=SURE)
    calibration = fit_calibration(logits, matched)
    calibration = replace(calibration, error_scale=fit_error_scale(off))
    evidence[:, 0] = logit(calibration.probability(logits), least=SURE)
    ranking = fit_ranking(evidence, matched) if len(matched) >= _ENOUGH else None
    return replace(raw, calibration=calibration, ranking=ranking)


def _compared(
    found: QTable, sources: QTable, truth: np.ndarray, least_ts: float, radius: Quantity
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores, which ones are sources, and offsets over predicted errors of bright sources."""
    ts = np.zeros(len(sources))
    np.maximum.at(ts, truth["source"], truth["ts"])
    real = np.flatnonzero(ts >= least_ts)
    here = SkyCoord(found["ra"], found["dec"])
    there = SkyCoord(sources["ra"], sources["dec"])[real]
    score = np.asarray(found["score"], dtype=float)
    matched, _ = match_by_score(here, there, score, radius=radius)
    pairs = match_one_to_one(here, there, radius)
    seen = ts[real][pairs.b] > _WELL_SEEN
    off = (pairs.separation / found["pos_err"][pairs.a]).to_value("")
    return score, matched, off[seen]
