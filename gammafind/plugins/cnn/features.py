"""Inputs of the networks from cut-outs: images with uniform noise, and a row of numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gammafind.fitting.photons.data import photon_shares
from gammafind.networks.features import significance
from gammafind.networks.logits import logit

TIMES = ("yes", "no", "shuffled")
"""What a network learns of time: all, nothing, or what is left if photons come at any time."""

_INDEX = 2.3
_LEAST = 1e-30
_RELATIVE = 5.0
"""Largest ratio of the flux of a band or an epoch to the mean; larger ones are clipped."""
_OF_SPECTRUM, _OF_BAND, _OF_TIME, _OF_EPOCH = 13, 4, 7, 1


def n_channels(n_bands: int, n_epochs: int) -> int:
    """Channels of `images`."""
    return n_bands + n_epochs


def n_numbers(n_bands: int, n_epochs: int) -> int:
    """Length of a row of `numbers`."""
    of_time = _OF_TIME + _OF_EPOCH * n_epochs if n_epochs else 0
    return _OF_SPECTRUM + _OF_BAND * n_bands + of_time


def features(
    arrays: Mapping[str, np.ndarray], edges: Sequence[tuple[float, float]], *, time: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images, numbers and positions of detections.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        Of `gammafind.fitting.photons.cutouts.Cutouts`.
    edges : sequence of tuple of float
        Energies between which each band lies, in any unit.
    time : bool
        Whether to use the epochs.

    Returns
    -------
    images : ndarray, shape (n, p, p, `n_channels`)
    numbers : ndarray, shape (n, `n_numbers`)
    position : ndarray, shape (n, 2)
        Galactic longitude and latitude over 180 and 90 deg.
    """
    lon, lat = arrays["position"].T
    position = np.stack([(lon + 180) % 360 - 180, 2 * lat], axis=1) / 180
    return (
        images(arrays, time=time),
        numbers(arrays, edges, time=time),
        position.astype(np.float32),
    )


def images(arrays: Mapping[str, np.ndarray], *, time: bool) -> np.ndarray:
    """Significance of the excess above the background in each pixel.

    Parameters
    ----------
    arrays : mapping of str to ndarray
    time : bool
        These two as for `features`.

    Returns
    -------
    ndarray, shape (n, p, p, n_bands + n_epochs), float32
    """
    parts = [significance(arrays["counts"], arrays["background"])]
    if time:
        parts.append(significance(arrays["epoch_counts"], arrays["epoch_background"]))
    return np.moveaxis(np.concatenate(parts, axis=1), 1, -1).astype(np.float32)


def numbers(
    arrays: Mapping[str, np.ndarray], edges: Sequence[tuple[float, float]], *, time: bool
) -> np.ndarray:
    """Spectrum, flux, position, score and, with time, light curve of detections.

    Parameters
    ----------
    arrays : mapping of str to ndarray
    edges : sequence of tuple of float
    time : bool
        These three as for `features`.

    Returns
    -------
    ndarray, shape (n, n_numbers), float32
    """
    parts = [_spectrum(arrays, edges), _place(arrays), _localised(arrays)]
    if time:
        parts.append(_light_curve(arrays))
    return np.concatenate(parts, axis=1).astype(np.float32)


def without_times(
    arrays: Mapping[str, np.ndarray], *, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Let the photons of every detection come at any time, as those of a steady sky do.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        With epochs.
    rng : numpy.random.Generator

    Returns
    -------
    dict of str to ndarray
        The same, but that each photon of ``epoch_counts`` is put in an epoch at random, with the
        share that the background has there, and ``light_curve`` is noise about its mean.
    """
    counts, background = arrays["epoch_counts"], arrays["epoch_background"].astype(float)
    remaining, left = counts.sum(axis=1).astype(np.int64), background.sum(axis=1)
    drawn = np.empty_like(counts)
    for epoch in range(counts.shape[1] - 1):
        chance = np.where(left > 0, background[:, epoch] / np.where(left > 0, left, 1), 0)
        drawn[:, epoch] = rng.binomial(remaining, np.clip(chance, 0, 1))
        remaining = remaining - drawn[:, epoch].astype(np.int64)
        left = left - background[:, epoch]
    drawn[:, -1] = remaining
    error = arrays["light_curve_err"]
    noise = np.where(error < 1e29, error, 0) * rng.normal(size=error.shape)
    curve = _mean_flux(arrays["light_curve"], error)[0] + noise
    return {**arrays, "epoch_counts": drawn, "light_curve": curve.astype(np.float32)}


def _spectrum(arrays: Mapping[str, np.ndarray], edges: Sequence[tuple[float, float]]) -> np.ndarray:
    """Significance, relative flux, its error and background of each band; flux and its noise."""
    counts, error = arrays["spectrum"].astype(float), arrays["spectrum_err"].astype(float)
    sensitivity = np.maximum(arrays["exposure"].astype(float), 1) * photon_shares(edges, _INDEX)
    flux, of_flux = counts / sensitivity, error / sensitivity
    weight = np.minimum(of_flux, 1e15) ** -2
    total = (weight * flux).sum(axis=1, keepdims=True) / weight.sum(axis=1, keepdims=True)
    of_total = weight.sum(axis=1, keepdims=True) ** -0.5
    scale = np.maximum(total, of_total)
    slope, curvature, of_slope = _shape(flux / scale, of_flux / scale)
    return np.concatenate(
        [
            np.arcsinh(counts / error),
            np.arcsinh(np.clip(flux / scale, -_RELATIVE, 10 * _RELATIVE)),
            np.log(np.clip(of_flux / scale, 1e-3, 1e3)),
            np.log(np.maximum(arrays["density"], 1e-6)),
            np.log(scale),
            np.log(np.maximum(of_total, _LEAST)),
            np.stack([slope, curvature, np.log(of_slope)], axis=1),
        ],
        axis=1,
    )


def _shape(flux: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Slope and curvature of relative fluxes along the bands by least squares, error of the slope.

    The errors are those of a flux of one: log-fluxes of faint bands would be off.
    """
    n_bands = flux.shape[1]
    x = np.linspace(-1, 1, n_bands)[:, None] ** np.arange(min(n_bands, 3))
    weight = np.minimum(np.maximum(error, 0.03) ** -2, 1e6)
    normal = np.einsum("nb,bi,bj->nij", weight, x, x) + 0.1 * np.eye(x.shape[1])
    right = np.einsum("nb,bi,nb->ni", weight, x, np.clip(flux, -_RELATIVE, 10 * _RELATIVE) - 1)
    found = np.zeros((len(flux), 3))
    found[:, : x.shape[1]] = np.linalg.solve(normal, right[..., None])[..., 0]
    variance = np.linalg.inv(normal)[:, min(1, x.shape[1] - 1), min(1, x.shape[1] - 1)]
    return found[:, 1], found[:, 2], np.sqrt(np.maximum(variance, 1e-12))


def _place(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """Where on the sky: the classes of the Galaxy crowd along its plane."""
    lon, lat = np.radians(arrays["position"].astype(float).T)
    columns = [
        np.sin(lat),
        np.abs(np.sin(lat)),
        np.log(np.abs(np.degrees(lat)) + 0.3),
        np.cos(lon) * np.cos(lat),
        np.sin(lon) * np.cos(lat),
    ]
    return np.stack(columns, axis=1)


def _localised(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """Score and position error, and whether the localiser reports them."""
    score, error = arrays["score"].astype(float), arrays["pos_err"].astype(float)
    scored = np.isfinite(score)
    score = logit(np.where(scored, score, 0.5), least=1e-5)
    known = np.isfinite(error)
    log_error = np.log(np.clip(np.where(known, error, 0.1), 1e-3, 1))
    return np.stack([score, scored, log_error], axis=1)


def _light_curve(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """Deviations of each epoch from the mean, and statistics of variability."""
    curve, error = arrays["light_curve"].astype(float), arrays["light_curve_err"].astype(float)
    mean, of_mean = _mean_flux(curve, error)
    scale = np.maximum(mean, of_mean)
    deviation = (curve - mean) / error
    chi_square = (deviation**2).sum(axis=1)
    freedom = curve.shape[1] - 1
    relative = np.clip(curve / scale, -_RELATIVE, 4 * _RELATIVE)
    noise = np.clip(error / scale, 0, 10)
    excess = relative.var(axis=1) - (noise**2).mean(axis=1)
    columns = [
        np.log1p(chi_square),
        np.arcsinh((chi_square - freedom) / np.sqrt(2 * max(freedom, 1))),
        np.sign(excess) * np.sqrt(np.abs(excess)),
        np.log(noise.mean(axis=1) + 1e-3),
        relative.max(axis=1),
        relative.min(axis=1),
        np.arcsinh(mean / of_mean)[:, 0],
    ]
    return np.concatenate([np.stack(columns, axis=1), np.arcsinh(deviation)], axis=1)


def _mean_flux(curve: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weighted mean of light curves and its error, each (n, 1)."""
    weight = np.maximum(error.astype(float), 1e-9) ** -2
    total = weight.sum(axis=1, keepdims=True)
    return (weight * curve).sum(axis=1, keepdims=True) / total, total**-0.5
