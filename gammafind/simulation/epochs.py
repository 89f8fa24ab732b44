"""Distribution of the counts of a simulated sky among epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import sparse

from gammafind.catalogue.positions import sky_positions
from gammafind.errors import OptionError
from gammafind.roles.renderer import SkyRenderer
from gammafind.simulation.sky import SimulatedSky
from gammafind.sky.epochs import Epochs, exposure_shares
from gammafind.sky.pixels import Pixels, centre_vectors
from gammafind.sky.projection import vectors_in
from gammafind.sky.psf import RadialPsf
from gammafind.sky.psf_stamps import averaged_profile, pixels_near
from gammafind.sky.skymap import SkyMap
from gammafind.units import degrees
from gammafind.utils.progress import track

_LEVELS = np.array([0.9, 0.98, 0.998])
"""Containments of the stamps of faint to bright sources: balance time and lost counts."""
_LEFT_OUT = 0.5
"""Counts of a source that may be omitted outside its stamp: below any other error."""
_STEADY = 1e-6
"""Relative variation below which a source counts as steady, to save its stamp."""
_AT_ONCE = 200
"""Sources per step: limits memory."""


def draw_epochs(sky: SimulatedSky, renderer: SkyRenderer, *, rng: np.random.Generator) -> Epochs:
    """Distribute the counts of a sky among the epochs of its renderer.

    Given the total counts of a pixel, the counts of the epochs are a multinomial draw whose
    probabilities are proportional to the expected counts of the epochs. So the detected photons do
    not change, and no map has to be rendered for an epoch.

    Parameters
    ----------
    sky : SimulatedSky
        With the sources of the renderer's own table.
    renderer : SkyRenderer
    rng : numpy.random.Generator

    Returns
    -------
    Epochs
        On the pixels of the sky; they add up to its counts.

    Raises
    ------
    OptionError
        If the renderer has no epochs.

    Notes
    -----
    The background of an epoch is proportional to its exposure. The variation of a source follows
    the PSF, in a stamp that omits at most half a count of the source, or 0.2 % of it.
    """
    if not renderer.epochs:
        raise OptionError(
            f"{renderer.name} has no epochs with these options",
            remedy="Choose an exposure that is given for each epoch.",
        )
    exposure = renderer.epoch_exposures()
    parts = [renderer.at_epoch(i) for i in range(len(renderer.epochs))]
    of_sources = np.stack([part.source_counts(sky.sources) for part in parts])
    shares = exposure_shares(exposure, sky_positions(sky.sources)).transpose(0, 2, 1)
    change = of_sources - shares * of_sources.sum(axis=0)
    counts, everything = sky.observation.counts, sky.everything()
    drawn: list[list[np.ndarray]] = [[] for _ in parts]
    for band in track(range(counts.n_bands), "counts of each epoch"):
        pixels, seen = counts.pixels[band], counts.values[band].ravel()
        filled = np.flatnonzero(seen)
        expected = _coarse_shares(exposure, band, pixels, filled)
        expected *= everything[band].ravel()[filled]
        vectors = vectors_in(pixels.frame, sky_positions(sky.sources))
        total = of_sources[:, :, band].sum(axis=0)
        near = _near(vectors, total, change[:, :, band], pixels, sky.observation.psfs[band])
        expected += (near[filled] @ change[:, :, band].T).T
        for part, values in zip(drawn, _shared_out(seen[filled], expected, rng), strict=True):
            whole = np.zeros(seen.size, dtype=np.int32)
            whole[filled] = values
            part.append(whole.reshape(pixels.shape))
    return Epochs(tuple(replace(counts, values=tuple(part)) for part in drawn), exposure)


def _coarse_shares(
    exposure: Sequence[SkyMap], band: int, pixels: Pixels, index: np.ndarray
) -> np.ndarray:
    """Share of each epoch in the exposure of the coarse pixels that contain the given pixels."""
    coarse = exposure[0].pixels[band]
    values = np.array([sky.values[band].ravel() for sky in exposure], dtype=float)
    total = values.sum(axis=0)
    shares = np.where(total > 0, values / np.where(total > 0, total, 1), 1 / len(values))
    return shares[:, coarse.containing(centre_vectors(pixels, index))]


def _shared_out(
    counts: np.ndarray, expected: np.ndarray, rng: np.random.Generator
) -> list[np.ndarray]:
    """Multinomial draws of many pixels at once, epoch by epoch."""
    expected = np.maximum(expected, 0)
    left = expected.sum(axis=0)
    remaining, drawn = counts.astype(np.int64), []
    for each in expected[:-1]:
        chance = np.divide(each, left, out=np.zeros_like(left), where=left > 0)
        drawn.append(rng.binomial(remaining, np.clip(chance, 0, 1)))
        remaining = remaining - drawn[-1]
        left = left - each
    return [*drawn, remaining]


def _near(
    vectors: np.ndarray, counts: np.ndarray, change: np.ndarray, pixels: Pixels, psf: RadialPsf
) -> sparse.csr_array:
    """Shares of the counts of varying sources in the pixels near them, (n_pixels, n_sources)."""
    varying = np.abs(change).max(axis=0) > _STEADY * np.maximum(counts, 1e-9)
    level = np.searchsorted(_LEVELS, 1 - _LEFT_OUT / np.maximum(counts, _LEFT_OUT))
    level = np.minimum(level, len(_LEVELS) - 1)
    rows, columns, values = [], [], []
    size = np.radians(degrees(pixels.pixel_size, name="size of a pixel"))
    profile = averaged_profile(psf, float(size))
    for i, containment in enumerate(_LEVELS):
        group = np.flatnonzero(varying & (level == i))
        for start in range(0, len(group), _AT_ONCE):
            part = group[start : start + _AT_ONCE]
            index = pixels_near(vectors[part], pixels, psf, containment=containment)
            chord = np.linalg.norm(centre_vectors(pixels, index) - vectors[part, None], axis=-1)
            fraction = np.interp(chord, *profile, right=0.0) * size**2
            rows.append(index.ravel())
            columns.append(np.repeat(part, index.shape[1]))
            values.append(fraction.ravel())
    shape = (int(np.prod(pixels.shape)), len(vectors))
    if not rows:
        return sparse.csr_array(shape)
    entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return sparse.csr_array(entries, shape=shape)
