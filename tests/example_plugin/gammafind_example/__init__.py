"""A plugin of two parts: a radio sky at 1.4 GHz, and a clusterer of blobs."""

from dataclasses import dataclass

import astropy.units as u
import numpy as np
from astropy.table import QTable
from scipy import ndimage

from gammafind import Band, Clusterer, HealpixPixels, RadialPsf, SkyRenderer, hookimpl


@dataclass(frozen=True, kw_only=True)
class ThresholdBlob(Clusterer):
    """Pixels above a threshold, each blob at its centre."""

    name = "threshold-blob"
    threshold: float = 0.5

    def _cluster(self, score_map):
        labels, number = ndimage.label(score_map >= self.threshold)
        blobs = np.arange(1, number + 1)
        centres = np.reshape(ndimage.center_of_mass(labels > 0, labels, blobs), (-1, 2))
        return QTable(
            {
                "x": centres[:, 1] * u.pix,
                "y": centres[:, 0] * u.pix,
                "score": np.reshape(ndimage.maximum(score_map, labels, blobs), -1),
                "n_pixels": np.bincount(labels.ravel(), minlength=number + 1)[1:],
            }
        )


@dataclass(frozen=True, kw_only=True)
class ToyRadio(SkyRenderer):
    """One band at 1.4 GHz with a flat background and sources of one pixel."""

    name = "toy-radio"
    presets = ("gammafind_example:toy-radio.toml",)
    nside: int = 32
    beam: u.Quantity = 2 * u.deg

    @property
    def bands(self):
        """Band of the survey."""
        return (Band("1.4 GHz", 1.3 * u.GHz, 1.5 * u.GHz),)

    @property
    def pixels(self):
        """Pixels of the survey."""
        return (HealpixPixels(self.nside),)

    def psfs(self):
        """Gaussian beam."""
        theta = np.linspace(0, 5 * self.beam.to_value(u.rad), 200)
        return (RadialPsf(theta, np.exp(-0.5 * (theta / self.beam.to_value(u.rad)) ** 2)),)

    def _exposure(self, pixels):
        return (np.full(pixels[0].shape, 1e10),)

    def _background(self, pixels):
        return {"sky": (np.ones(pixels[0].shape),)}

    def _render(self, sources, pixels):
        from astropy.coordinates import SkyCoord

        index = pixels[0].pixel_of(SkyCoord(sources["ra"], sources["dec"]))
        counts = sources["flux"].to_value("cm-2 s-1") * 1e10
        return (np.bincount(index, counts, minlength=pixels[0].shape[0]),)


@hookimpl
def gammafind_clusterers():
    """Return the clusterers of this plugin."""
    return [ThresholdBlob]


@hookimpl
def gammafind_renderers():
    """Return the renderers of this plugin."""
    return [ToyRadio]
