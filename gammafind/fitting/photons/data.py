"""Counts and model of every band, in the form needed to compute likelihoods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from gammafind.sky.observation import Observation
from gammafind.sky.pixels import HealpixPixels, Pixels, centre_vectors
from gammafind.sky.point_sources import sky_counts
from gammafind.sky.psf import RadialPsf
from gammafind.sky.psf_stamps import fractions_at, pixels_near
from gammafind.utils.workers import in_threads

_FLOOR = 1e-6
"""Least expected counts of a pixel: keeps logarithms finite."""
_SINGLE = np.float32
"""Type of whole maps: limits memory; sums over pixels near a source are of double precision."""


@dataclass(frozen=True, eq=False)
class BandData:
    """One band, flat over its pixels, or over those of them that are held.

    Attributes
    ----------
    counts, model, background : ndarray, shape (n_held,)
        Observed counts, expected counts, and the expected background; the expected ones are
        positive.
    exposure : ndarray, shape (n_held,)
    share : float
        Share of the photons of a source that are in this band.
    edges : tuple of float
        Energy edges in MeV.
    valid : ndarray of bool, shape (n_held,)
    pixels : Pixels
    psf : RadialPsf
    held : ndarray of int, optional
        Flat indices of the pixels that are held, increasing; all by default. Then the arrays have
        one more entry, which is not valid and stands for all other pixels.
    weight : ndarray, shape (n_held,), optional
        Weights of the pixels in all likelihoods, see `gammafind.fitting.photons.weights`; 1 by
        default. The weighted likelihood of counts is that of weighted counts.
    """

    counts: np.ndarray
    model: np.ndarray
    background: np.ndarray
    exposure: np.ndarray
    share: float
    edges: tuple[float, float]
    valid: np.ndarray
    pixels: Pixels
    psf: RadialPsf
    held: np.ndarray | None = None
    weight: np.ndarray | None = None

    def weights(self, place: np.ndarray) -> np.ndarray | float:
        """Weights of the pixels at some places."""
        return 1.0 if self.weight is None else self.weight[place].astype(float)

    def places(self, pixel: np.ndarray) -> np.ndarray:
        """Places of some pixels in the arrays."""
        if self.held is None:
            return pixel
        place = np.searchsorted(self.held, pixel)
        found = np.append(self.held, -1)[place] == pixel
        return np.where(found, place, len(self.held))

    def containing(self, vectors: np.ndarray) -> np.ndarray:
        """Places in the arrays of the pixels that contain unit vectors."""
        return self.places(self.pixels.containing(vectors))

    def vectors(self, place: np.ndarray) -> np.ndarray:
        """Unit vectors of the pixels at some places, shape (n, 3)."""
        return centre_vectors(self.pixels, place if self.held is None else self.held[place])

    def sensitivity(self, place: np.ndarray) -> np.ndarray:
        """Counts in this band of a source of flux one (in all bands together), at some places."""
        return self.share * self.exposure_at(place)

    def exposure_at(self, place: np.ndarray) -> np.ndarray:
        """Exposure at some places."""
        return self.exposure[place].astype(float)

    @property
    def resolution(self) -> float:
        """Size in degrees of the pixels in which photons are counted."""
        return float(self.pixels.pixel_size.to_value("deg"))

    def raised(self, share: float) -> BandData:
        """The band with a background that is higher by a share of itself."""
        more = share * self.background
        return replace(self, background=self.background + more, model=self.model + more)

    def expected(self, place: np.ndarray) -> np.ndarray:
        """Expected counts at some places per square degree."""
        return self.model[place] / self.pixels.pixel_area.to_value("deg2")

    def near(
        self,
        centre: np.ndarray,
        vectors: np.ndarray,
        *,
        containment: float,
        own: tuple[np.ndarray, np.ndarray] | None,
        sampling: float,
    ) -> Near:
        """Counts, model and sources in the pixels near each place, with the weights of the pixels.

        Parameters
        ----------
        centre : ndarray, shape (n, 3)
        vectors : ndarray, shape (n, m, 3)
            Positions of sources near each centre.
        containment : float
            Minimum share of the counts of each source in the pixels.
        own : tuple of ndarray, shapes (n, 3) and (n,), or None
            Positions and counts of sources to remove from the model.
        sampling : float
            As for `gammafind.sky.psf_stamps.fractions_at`.
        """
        reach = float(np.linalg.norm(vectors - centre[:, None], axis=-1).max(initial=0))
        pixel = pixels_near(centre, self.pixels, self.psf, containment=containment, reach=reach)
        share = fractions_at(vectors, pixel[:, None], self.pixels, self.psf, sampling=sampling)
        place = self.places(pixel)
        share *= self.valid[place][:, None]
        model = self.model[place].astype(float)
        if own is not None:
            removed = fractions_at(own[0], pixel, self.pixels, self.psf, sampling=sampling)
            model = np.maximum(model - removed * own[1][:, None], self.background[place])
        counts, weight = self.counts[place].astype(float), self.weights(place)
        if self.weight is not None:
            counts, model, share = counts * weight, model * weight, share * weight[:, None]
        return Near(counts, model, share, share.sum(axis=-1))

    def n_near(self, vectors: np.ndarray, containment: float, reach: float = 0) -> int:
        """Most pixels near one of some places, shape (n, 3), for sources within ``reach`` of it."""
        some = vectors[:1]
        if not len(some):
            return 0
        pixel = pixels_near(some, self.pixels, self.psf, containment=containment, reach=reach)
        return pixel.shape[1]


class Near(NamedTuple):
    """Pixels of one band near each of n places.

    Attributes
    ----------
    counts, model : ndarray, shape (n, k)
    share : ndarray, shape (n, m, k)
        Share of the counts of one source at each of m positions.
    total : ndarray, shape (n, m)
        Share of its counts in all pixels together; those without photons may be left out of
        ``share``.
    """

    counts: np.ndarray
    model: np.ndarray
    share: np.ndarray
    total: np.ndarray


@dataclass(frozen=True, eq=False)
class SkyData:
    """All bands of one sky; amplitudes of sources are counts in all bands together."""

    bands: tuple[BandData, ...]

    @property
    def frame(self) -> str:
        """Celestial frame of all unit vectors."""
        return self.bands[0].pixels.frame

    def with_model(self, backgrounds: list[np.ndarray], models: list[np.ndarray]) -> SkyData:
        """Return the same counts with new backgrounds and expected counts, arrays per band."""
        bands = zip(self.bands, backgrounds, models, strict=True)
        return SkyData(tuple(replace(one, background=b, model=m) for one, b, m in bands))

    def with_weights(self, weights: Sequence[np.ndarray | None]) -> SkyData:
        """Return the same counts with other weights of the pixels of each band."""
        bands = zip(self.bands, weights, strict=True)
        return SkyData(tuple(replace(one, weight=weight) for one, weight in bands))

    def raised(self, share: float) -> SkyData:
        """Return the same counts with a background that is higher by a share of itself."""
        return SkyData(tuple(band.raised(share) for band in self.bands))

    @property
    def unweighted(self) -> SkyData:
        """The same counts without weights."""
        return self.with_weights([None] * len(self.bands))

    def exposures(self, vectors: np.ndarray) -> np.ndarray:
        """Exposure of each band at each position, shape (n, n_bands)."""
        pairs = zip(self.bands, self.containing(vectors), strict=True)
        return np.stack([band.exposure_at(at) for band, at in pairs], axis=1)

    def sensitivity(self, vectors: np.ndarray) -> np.ndarray:
        """Counts in each band of a source with flux one at each position, shape (n, n_bands)."""
        return self.exposures(vectors) * [band.share for band in self.bands]

    def shares(self, vectors: np.ndarray) -> np.ndarray:
        """Share of a source's counts in each band at each position, shape (n, n_bands)."""
        return in_parts(self.sensitivity(vectors))

    def shares_of(self, vectors: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Share of ``counts`` (n, n_bands) in each band; as `shares` where there are none."""
        some = counts.sum(axis=1, keepdims=True) > 0
        return np.where(some, in_parts(counts), self.shares(vectors))

    def inside(self, vectors: np.ndarray) -> np.ndarray:
        """Whether each position is in a valid pixel of at least one band, shape (n,)."""
        found = np.zeros(len(vectors), dtype=bool)
        for band, place in zip(self.bands, self.containing(vectors), strict=True):
            found |= band.valid[place] & near_a_pixel(band.pixels, vectors, place)
        return found

    def source_maps(self, vectors: np.ndarray, counts: np.ndarray) -> list[np.ndarray]:
        """Expected counts in each pixel of each band, for sources of ``counts`` (n, n_bands)."""

        def of_band(i: int) -> np.ndarray:
            band = self.bands[i]
            return sky_counts(vectors, counts[:, i], band.pixels, band.psf)

        return list(in_threads(of_band, range(len(self.bands))))

    def containing(self, vectors: np.ndarray) -> list[np.ndarray]:
        """Places of the pixels of each band that contain unit vectors."""
        known: dict[Pixels, np.ndarray] = {}
        for band in self.bands:
            if band.pixels not in known:
                known[band.pixels] = band.pixels.containing(vectors)
        return [band.places(known[band.pixels]) for band in self.bands]


def in_parts(values: np.ndarray) -> np.ndarray:
    """Share of each column, of shape (n, k), in its row."""
    return values / np.maximum(values.sum(axis=1, keepdims=True), 1e-300)


def near_a_pixel(pixels: Pixels, vectors: np.ndarray, index: np.ndarray) -> np.ndarray | bool:
    """Whether positions are not outside an image, where ``index`` are their nearest pixels."""
    if isinstance(pixels, HealpixPixels):
        return True
    nearest = pixels.vectors[index]
    cosine = np.einsum("ni,ni->n", vectors, nearest)
    return cosine > np.cos(pixels.pixel_size.to_value("rad"))


def photon_shares(edges: list[tuple[float, float]], index: float) -> np.ndarray:
    """Share of the photons of a power law E**-index in each band, shape (n_bands,).

    Bands of the same energies, such as those of two event types, have the same share.
    """
    low, high = np.array(edges).T
    power = 1 - index
    photons = np.log(high / low) if power == 0 else (high**power - low**power) / power
    _, distinct = np.unique(edges, axis=0, return_index=True)
    return photons / photons[distinct].sum()


def sky_data(observation: Observation, *, index: float, crop: bool = False) -> SkyData:
    """Flatten an observation; the model is the background with norm one.

    Parameters
    ----------
    observation : Observation
    index : float
        Photon index of the searched sources; it determines the shares of their counts among bands.
    crop : bool
        Whether to hold only the valid pixels of HEALPix maps that are not valid everywhere.
    """
    counts, exposure = observation.counts, observation.exposure
    components = tuple(observation.background.values())
    edges = [tuple(band.edges.to_value("MeV", equivalencies=_spectral())) for band in counts.bands]
    share = photon_shares(edges, index)

    def of_band(i: int) -> BandData:
        valid = np.all([sky.valid[i] for sky in (counts, exposure, *components)], axis=0).ravel()
        pixels = counts.pixels[i]
        held = None
        if crop and isinstance(pixels, HealpixPixels) and not valid.all():
            held = np.flatnonzero(valid)
            valid = np.append(np.ones(len(held), dtype=bool), False)
        expected = sum(on_held(sky.values[i], held) for sky in components)
        expected = np.maximum(expected, _FLOOR, dtype=_SINGLE)
        return BandData(
            counts=on_held(counts.values[i], held),
            model=expected,
            background=expected,
            exposure=on_held(exposure.values[i], held),
            share=float(share[i]),
            edges=edges[i],
            valid=valid,
            pixels=pixels,
            psf=observation.psfs[i],
            held=held,
        )

    return SkyData(tuple(in_threads(of_band, range(counts.n_bands))))


def on_held(values: np.ndarray, held: np.ndarray | None) -> np.ndarray:
    """Values of a map in the pixels that a band holds, and 0 for all others."""
    flat = values.ravel()
    return flat if held is None else np.append(flat[held], flat.dtype.type(0))


def source_size(data: SkyData) -> float:
    """Size in degrees of a point source in the sharpest band: PSF and pixel in quadrature."""
    return float(_band_sizes(data).min())


def source_sizes(data: SkyData, vectors: np.ndarray, *, pixel: bool = True) -> np.ndarray:
    """Size in degrees of a faint point source at each position in all bands, shape (n,).

    It is that of the PSF, and in quadrature that of the ``pixel``. Each band has the weight of its
    information about the counts of the source: the square of its share, times the information of
    the PSF, over the expected counts.
    """
    shares = data.shares(vectors)
    weights = np.empty_like(shares)
    for i, (band, size) in enumerate(zip(data.bands, _band_sizes(data), strict=True)):
        place = band.containing(vectors)
        density = band.expected(place)
        weights[:, i] = band.valid[place] * shares[:, i] ** 2 / (density * size**2)
    weights += 1e-300
    return (weights.sum(axis=1) / (weights / _band_sizes(data, pixel) ** 2).sum(axis=1)) ** 0.5


def _band_sizes(data: SkyData, pixel: bool = True) -> np.ndarray:
    """Size of PSF, and of the pixel in quadrature, for each band, in degrees."""
    return np.array(
        [
            np.hypot(
                band.psf.containment_radius(0.68).to_value("deg"),
                pixel * band.resolution,
            )
            for band in data.bands
        ]
    )


def _spectral() -> list:
    import astropy.units as u

    return u.spectral()
