"""Counts and model of every band, in the form needed to compute likelihoods."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gammafind.sky.observation import Observation
from gammafind.sky.pixels import Pixels
from gammafind.sky.point_sources import sky_counts
from gammafind.sky.psf import RadialPsf
from gammafind.sky.psf_stamps import COARSE, fractions_at, pixels_near
from gammafind.utils.workers import in_threads

CONTAINMENT = 0.95
"""Share of the counts of a source within the pixels of its likelihood: balances signal and time."""
_FLOOR = 1e-6
"""Least expected counts of a pixel: keeps logarithms finite."""


@dataclass(frozen=True, eq=False)
class BandData:
    """One band, flat over pixels.

    Attributes
    ----------
    counts, model, background : ndarray, shape (n_pixels,)
        Observed counts, expected counts, and the expected background; the expected ones are
        positive.
    sensitivity : ndarray, shape (n_pixels,)
        Counts in this band of a source of flux one (in all bands together).
    valid : ndarray of bool, shape (n_pixels,)
    pixels : Pixels
    psf : RadialPsf
    """

    counts: np.ndarray
    model: np.ndarray
    background: np.ndarray
    sensitivity: np.ndarray
    valid: np.ndarray
    pixels: Pixels
    psf: RadialPsf


@dataclass(frozen=True, eq=False)
class SkyData:
    """All bands of one sky; amplitudes of sources are counts in all bands together."""

    bands: tuple[BandData, ...]

    @property
    def frame(self) -> str:
        """Celestial frame of all unit vectors."""
        return self.bands[0].pixels.frame

    def with_model(self, backgrounds: list[np.ndarray], sources: list[np.ndarray]) -> SkyData:
        """Return the same counts with new expected counts, one array per band."""
        bands = []
        for band, background, source in zip(self.bands, backgrounds, sources, strict=True):
            floor = np.maximum(background, _FLOOR)
            bands.append(replace(band, model=floor + source, background=floor))
        return SkyData(tuple(bands))

    def sensitivity(self, vectors: np.ndarray) -> np.ndarray:
        """Counts in each band of a source with flux one at each position, shape (n, n_bands)."""
        return np.stack(
            [band.sensitivity[band.pixels.containing(vectors)] for band in self.bands],
            axis=1,
        )

    def shares(self, vectors: np.ndarray) -> np.ndarray:
        """Share of a source's counts in each band at each position, shape (n, n_bands)."""
        sensitivity = self.sensitivity(vectors)
        return sensitivity / np.maximum(sensitivity.sum(axis=1, keepdims=True), 1e-300)

    def inside(self, vectors: np.ndarray) -> np.ndarray:
        """Whether each position is in a valid pixel of at least one band, shape (n,)."""
        found = np.zeros(len(vectors), dtype=bool)
        for band in self.bands:
            pixel = band.pixels.containing(vectors)
            cosine = np.einsum("ni,ni->n", vectors, band.pixels.vectors[pixel])
            near = cosine > np.cos(band.pixels.pixel_size.to_value("rad"))
            found |= near & band.valid[pixel]
        return found

    def source_maps(self, vectors: np.ndarray, counts: np.ndarray) -> list[np.ndarray]:
        """Expected counts in each pixel of each band, for sources of ``counts`` (n, n_bands)."""

        def of_band(i: int) -> np.ndarray:
            band = self.bands[i]
            return sky_counts(vectors, counts[:, i], band.pixels, band.psf)

        return list(in_threads(of_band, range(len(self.bands))))


def photon_shares(edges: list[tuple[float, float]], index: float) -> np.ndarray:
    """Share of the photons of a power law E**-index in each band, shape (n_bands,).

    Bands of the same energies, such as those of two event types, have the same share.
    """
    low, high = np.array(edges).T
    power = 1 - index
    photons = np.log(high / low) if power == 0 else (high**power - low**power) / power
    _, distinct = np.unique(edges, axis=0, return_index=True)
    return photons / photons[distinct].sum()


def sky_data(observation: Observation, *, index: float) -> SkyData:
    """Flatten an observation; the model is the background with norm one.

    Parameters
    ----------
    observation : Observation
    index : float
        Photon index of the searched sources; it determines the shares of their counts among bands.
    """
    counts, background = observation.counts, observation.total_background()
    edges = [tuple(band.edges.to_value("MeV", equivalencies=_spectral())) for band in counts.bands]
    share = photon_shares(edges, index)

    def of_band(i: int) -> BandData:
        expected = np.maximum(background.values[i].ravel().astype(float), _FLOOR)
        return BandData(
            counts=counts.values[i].ravel().astype(float),
            model=expected,
            background=expected,
            sensitivity=share[i] * observation.exposure.values[i].ravel().astype(float),
            valid=(counts.valid[i] & background.valid[i] & observation.exposure.valid[i]).ravel(),
            pixels=counts.pixels[i],
            psf=observation.psfs[i],
        )

    return SkyData(tuple(in_threads(of_band, range(counts.n_bands))))


def source_size(data: SkyData) -> float:
    """Size in degrees of a point source in the sharpest band: PSF and pixel in quadrature."""
    return float(_band_sizes(data).min())


def source_sizes(data: SkyData, vectors: np.ndarray) -> np.ndarray:
    """Size in degrees of a faint point source at each position in all bands, shape (n,).

    Each band has the weight of its information about the counts of the source: the square of its
    share, times the information of the PSF, over the expected counts.
    """
    shares = data.shares(vectors)
    weights = np.empty_like(shares)
    for i, (band, size) in enumerate(zip(data.bands, _band_sizes(data), strict=True)):
        pixel = band.pixels.containing(vectors)
        density = band.model[pixel] / band.pixels.pixel_area.to_value("deg2")
        weights[:, i] = band.valid[pixel] * shares[:, i] ** 2 / (density * size**2)
    weights += 1e-300
    return (weights.sum(axis=1) / (weights / _band_sizes(data) ** 2).sum(axis=1)) ** 0.5


def _band_sizes(data: SkyData) -> np.ndarray:
    """Size of PSF and pixel in quadrature for each band, in degrees."""
    return np.array(
        [
            np.hypot(
                band.psf.containment_radius(0.68).to_value("deg"),
                band.pixels.pixel_size.to_value("deg"),
            )
            for band in data.bands
        ]
    )


@dataclass(frozen=True, eq=False)
class Surroundings:
    """Data in the pixels near each of n positions, all bands in a row.

    Attributes
    ----------
    counts, model : ndarray, shape (n, k)
    templates : ndarray, shape (n, m, k)
        Expected counts of one source at each of m positions around each place.
    """

    counts: np.ndarray
    model: np.ndarray
    templates: np.ndarray


def gather(
    data: SkyData,
    vectors: np.ndarray,
    *,
    containment: float = CONTAINMENT,
    without: tuple[np.ndarray, np.ndarray] | None = None,
    sampling: float = COARSE,
) -> Surroundings:
    """Counts, model and source templates in the pixels near each place.

    Parameters
    ----------
    data : SkyData
    vectors : ndarray, shape (n, m, 3)
        m nearby positions around each of n places.
    containment : float
        Minimum share of the counts of a source at each position in the pixels.
    without : tuple of ndarray, shapes (n, 3) and (n, n_bands), optional
        Positions and counts of sources to remove from the model, one for each place.
    sampling : float
        As for `gammafind.sky.psf_stamps.fractions_at`.

    Returns
    -------
    Surroundings
        The sum of a template is the share of one count that falls in valid pixels.
    """
    centre = vectors.mean(axis=1)
    centre /= np.linalg.norm(centre, axis=-1, keepdims=True)
    reach = float(np.linalg.norm(vectors - centre[:, None], axis=-1).max(initial=0))
    shares = data.shares(centre)
    parts = []
    for i, band in enumerate(data.bands):
        pixel = pixels_near(centre, band.pixels, band.psf, containment=containment, reach=reach)
        template = fractions_at(vectors, pixel[:, None], band.pixels, band.psf, sampling=sampling)
        template *= shares[:, i, None, None] * band.valid[pixel][:, None]
        model = band.model[pixel]
        if without is not None:
            own = fractions_at(without[0], pixel, band.pixels, band.psf, sampling=sampling)
            model = model - own * without[1][:, i, None]
            model = np.maximum(model, band.background[pixel])
        parts.append((band.counts[pixel], model, template))
    return Surroundings(*(np.concatenate(part, axis=-1) for part in zip(*parts, strict=True)))


def _spectral() -> list:
    import astropy.units as u

    return u.spectral()
