"""The PSF of each source's own spectrum in a band, as a mixture of those of power laws."""

from __future__ import annotations

from functools import lru_cache

import astropy.units as u
import numpy as np

from gammafind.plugins.fermi_lat.irf.band import BandResponse
from gammafind.sky.psf import RadialPsf
from gammafind.sky.source_psfs import SourcePsfs
from gammafind.sky.spectral_response import SpectralResponse

_INDICES = (-1.0, 1.7, 3.0, 7.0)
"""Photon indices of the PSFs that are mixed. r68 of each source of 4FGL-DR2 with at least one
photon a band in ten years is right to 1 % for 99.5 % of them in every band
(`benchmarks/source_psfs.py`). Three PSFs leave 1 %, two leave 3 %."""

_TYPICAL = 2.3
"""Photon index of most sources."""


def psfs_of_photons(band: BandResponse, photons: np.ndarray) -> SourcePsfs:
    """PSF of each source in a band.

    Parameters
    ----------
    band : BandResponse
    photons : ndarray, shape (n, n_energies)
        Photons of each source in each step of true energy; see `BandResponse.photons_of`.

    Returns
    -------
    SourcePsfs
        Mixtures whose share of counts within r68 of an index of 2.3 is that of the source, as far
        as the outermost PSFs allow. A source without counts has that of an index of 2.3.
    """
    radius, contained, nodes = _nodes(band)
    counts = photons @ band.area
    inside = photons @ band.containment(radius)
    share = np.divide(inside, counts, out=np.full(len(counts), 0.68), where=counts > 0)
    return SourcePsfs(nodes, np.interp(share, contained, np.arange(len(nodes))))


def psfs_of_indices(band: BandResponse, index: float, number: int) -> SourcePsfs:
    """PSF of ``number`` power laws of one photon index."""
    one = psfs_of_photons(band, band.photons(index)[None])
    return SourcePsfs(one.nodes, np.repeat(one.place, number))


def spectral_response(band: BandResponse, index: float) -> SpectralResponse:
    """Response of a band whose exposure is that of a power law with a photon index."""
    radius, contained, nodes = _nodes(band)
    photons = band.photons_of(lambda energy: np.ones(len(energy)) * u.MeV**-1)
    area = band.area
    inside = np.divide(band.containment(radius), area, out=np.zeros(len(area)), where=area > 0)
    weight = photons * area / band.effective_area(index)
    return SpectralResponse(band.energy, weight, nodes, inside, contained)


@lru_cache(maxsize=128)
def _nodes(band: BandResponse) -> tuple[float, np.ndarray, tuple[RadialPsf, ...]]:
    """Radius, share of the counts within it, increasing, and PSF of each node."""
    spectra = [band.photons(index) for index in _INDICES]
    radius = band.psf(band.photons(_TYPICAL)).containment_radius(0.68).to_value("rad")
    inside = band.containment(radius)
    contained = np.array([photons @ inside / (photons @ band.area) for photons in spectra])
    order = np.argsort(contained)
    return radius, contained[order], tuple(band.psf(spectra[i]) for i in order)
