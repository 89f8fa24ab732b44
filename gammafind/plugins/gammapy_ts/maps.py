"""A patch as a dataset of gammapy, and the peaks of its TS map; imports gammapy."""

from __future__ import annotations

from collections.abc import Sequence

import astropy.units as u
import numpy as np
from gammapy.datasets import MapDataset
from gammapy.estimators import TSMapEstimator
from gammapy.estimators.utils import find_peaks
from gammapy.irf import PSFMap
from gammapy.maps import Map, MapAxis, RegionGeom, WcsGeom
from gammapy.modeling.models import PointSpatialModel, PowerLawSpectralModel, SkyModel

from gammafind.errors import OptionError
from gammafind.sky.bands import Band
from gammafind.sky.patches import Patches
from gammafind.sky.psf import RadialPsf

_EDGES_AGREE = 1e-3
"""Relative difference of equal energy edges: above rounding, far below the width of a band."""
_RAD_BINS = 200
"""Radial bins of a PSF: balances accuracy and time."""


def patch_dataset(patches: Patches, index: int) -> MapDataset:
    """Counts, background, exposure and PSF of one patch on the pixels of its finest band.

    Pixels of coarser bands are divided: counts and background are distributed evenly, exposures do
    not change.

    Parameters
    ----------
    patches : Patches
        With background, exposure and PSFs.
    index : int
        Index of the patch.

    Raises
    ------
    OptionError
        If the bands are not consecutive in energy.
    """
    order, edges = _energy_edges(patches.bands)
    width = patches.score_width
    image = WcsGeom(patches.grid.wcs(index, width), npix=(width, width))
    seen, true = (MapAxis.from_energy_edges(edges, name=n) for n in ("energy", "energy_true"))

    def cube(arrays: Sequence[np.ndarray], axis: MapAxis, *, share: bool, unit: str = "") -> Map:
        fine = [_parted(arrays[band][index], width, share=share) for band in order]
        return Map.from_geom(image.to_cube([axis]), data=np.stack(fine), unit=unit)

    valid = cube(patches.valid, seen, share=False)
    return MapDataset(
        counts=cube(patches.counts, seen, share=True),
        background=cube(patches.background, seen, share=True),
        exposure=cube(patches.exposure, true, share=False, unit="cm2 s"),
        psf=_psf_map([patches.psfs[band] for band in order], true),
        mask_safe=Map.from_geom(valid.geom, data=valid.data.astype(bool)),
        name=f"patch {index}",
    )


def ts_peaks(
    dataset: MapDataset,
    *,
    index: float,
    threshold: float,
    separation: float,
    containment: float,
    psfs: Sequence[RadialPsf],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns, rows and TS of the peaks of the TS map of a dataset.

    Parameters
    ----------
    dataset : MapDataset
    index : float
        Photon index of the searched sources.
    threshold : float
        Least TS.
    separation : float
        Smallest distance of two peaks in pixels.
    containment : float
        Share of the widest PSF within the kernel.
    psfs : sequence of RadialPsf

    Returns
    -------
    x, y, ts : ndarray, shape (n,)
    """
    radius = max(psf.containment_radius(containment) for psf in psfs)
    side = min(dataset.counts.geom.width.ravel())
    model = SkyModel(
        spectral_model=PowerLawSpectralModel(index=index), spatial_model=PointSpatialModel()
    )
    energies = dataset.counts.geom.axes["energy"].edges
    estimator = TSMapEstimator(
        model,
        kernel_width=min(2 * radius, side / 2),
        energy_edges=[energies[0], energies[-1]],
    )
    ts = estimator.run(dataset)["sqrt_ts"].get_image_by_idx((0,))
    ts.data = np.nan_to_num(ts.data)
    peaks = find_peaks(ts, threshold=np.sqrt(threshold), min_distance=separation)
    if not len(peaks):
        return np.zeros(0), np.zeros(0), np.zeros(0)
    x, y, value = (np.asarray(peaks[name], dtype=float) for name in ("x", "y", "value"))
    return x, y, value**2


def _energy_edges(bands: Sequence[Band]) -> tuple[np.ndarray, u.Quantity]:
    """Order of the bands by energy, and their edges in GeV."""
    both = np.array([np.sort(band.edges.to_value(u.GeV, u.spectral())) for band in bands])
    order = np.argsort(both[:, 0])
    low, high = both[order].T
    if not np.allclose(low[1:], high[:-1], rtol=_EDGES_AGREE, atol=0):
        raise OptionError(
            f"the bands {', '.join(band.name for band in bands)} are not consecutive",
            remedy="gammapy has one energy axis: use bands without gaps in one channel.",
        )
    return order, np.append(low, high[-1]) * u.GeV


def _parted(array: np.ndarray, width: int, *, share: bool) -> np.ndarray:
    """Divide pixels to ``width`` per side; their values are divided or repeated."""
    if width % len(array):
        raise OptionError(
            f"patches of {len(array)} and {width} pixels per side",
            remedy="The finest must be a multiple of all others.",
        )
    parts = width // len(array)
    fine = np.repeat(np.repeat(array, parts, axis=0), parts, axis=1)
    return fine / parts**2 if share else fine


def _psf_map(psfs: Sequence[RadialPsf], energy: MapAxis) -> PSFMap:
    """PSFs of all bands, each up to the end of its own profile."""
    end = np.degrees(max(psf.theta[-1] for psf in psfs))
    first = np.degrees(min(psf.theta[1] for psf in psfs))
    edges = np.append(0, np.geomspace(min(first, end / 10), end, _RAD_BINS))
    middle = np.radians((edges[1:] + edges[:-1]) / 2)
    rad = MapAxis.from_edges(edges, unit="deg", name="rad")
    density = np.stack([psf(middle) for psf in psfs])[:, :, np.newaxis, np.newaxis]
    region = RegionGeom.create(None, axes=[rad, energy])
    return PSFMap(Map.from_geom(region, data=density, unit="sr-1"))
