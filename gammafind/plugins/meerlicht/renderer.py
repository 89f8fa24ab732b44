"""The sky as MeerLICHT, or a camera like it, sees it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import ClassVar

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from gammafind.catalogue.schema import Column
from gammafind.errors import HeaderWarning, InputDataError, OptionError, TableError
from gammafind.plugins.meerlicht.camera import Camera
from gammafind.plugins.meerlicht.filters import magnitude, photon_flux
from gammafind.plugins.meerlicht.frame import artefact_table, draw_frame
from gammafind.plugins.meerlicht.galaxies import draw_galaxies
from gammafind.plugins.meerlicht.headers import KEYWORDS, contradictions
from gammafind.plugins.meerlicht.observing import observe_frame
from gammafind.plugins.meerlicht.published import published_columns
from gammafind.plugins.meerlicht.stars import draw_stars
from gammafind.plugins.meerlicht.tables import read_magnitudes
from gammafind.roles.base import Sees
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.drawn import Drawn
from gammafind.sky.fits import read_frame, write_frame
from gammafind.sky.fits.counts import describe_input
from gammafind.sky.observation import Observation
from gammafind.sky.pixels import Pixels, WcsPixels
from gammafind.sky.skymap import SkyMap
from gammafind.units import as_value

_SHAPES = ("radius", "sersic_index", "axis_ratio", "position_angle")
_MARGIN = 300
"""Pixels beyond the border in which a bright star still lights the image."""


@dataclass(frozen=True, kw_only=True)
class MeerlichtRenderer(Camera, SkyRenderer):
    """MeerLICHT or another CCD camera: one filter, Moffat seeing, channels, artefacts.

    Parameters
    ----------
    filter : {"u", "g", "q", "r", "i", "z"}
    shape : tuple of int
        Rows and columns of simulated images, up to those of the detector; they are its middle.
    ra, dec : Quantity
        Pointing, at the middle of the image.
    exposure_time : Quantity
    airmass : float
    seeing : Quantity
        Full width at half maximum in the middle of the image; in images that are read it is
        where the measurement starts.
    seeing_slopes : tuple of float
        Change of the width relative to the middle: coefficients of u, v, u^2, u v, v^2, where u
        and v run from -1 to 1 over columns and rows.
    beta : float
        Exponent of the Moffat profile.
    sky : float, optional
        AB magnitude of a square arcsecond of sky; by default that of a dark site.
    zero_point : float, optional
        AB magnitude of one electron a second at airmass 0; by default that of the filter.
    extinction : float, optional
        Magnitudes an airmass; by default that of the filter.
    pixel_scale : Quantity
        Side of a pixel; of images that are read, where they have no WCS.
    distortion : float
        Radial shift at the corners of the detector, in pixels.
    detector_shape, channels : tuple of int
        Rows and columns of pixels, and of channels of one size.
    gains : tuple of float
        Electrons an ADU, one or one for each channel, row by row.
    read_noises : tuple of float
        Electrons, likewise.
    bias : float
        ADU of a pixel without charge.
    saturation : float
        ADU of a full pixel above the bias.
    cosmic_rays : float
        Mean number a minute on the whole detector.
    trails : float
        Mean number of satellites a minute that cross the circle about the whole detector.
    hot_pixels : float
        Mean number on the whole detector.
    extension : str or int
        Name, in any case, or number of the HDU that holds the image, where files have several.

    Notes
    -----
    Sources of the class ``galaxy`` are drawn with their shapes, all others as points.

    Counts are electrons: those of an image in ADU, less the bias, times the gain. The flux of a
    source is in photons cm-2 s-1 in the filter above the atmosphere, as its AB magnitude
    gives it; the exposure is the effective area with atmosphere times the exposure time.
    """

    name: ClassVar[str] = "meerlicht"
    presets: ClassVar[tuple[str, ...]] = ("gammafind.plugins.meerlicht:presets/meerlicht.toml",)
    map_files: ClassVar[str] = "image.fits"
    sees: ClassVar[Sees] = "image"

    @property
    def published(self) -> tuple[Column, ...]:
        """Columns of the catalogue: magnitudes, electrons, photon fluxes."""
        return published_columns(self.filter)

    def read_catalogue(self, source: str | PathLike) -> QTable | None:
        """Sources of a table with magnitudes, such as the result of a query of Gaia."""
        return read_magnitudes(source, self.filter)

    def draw(self, expected: SkyMap, *, rng: np.random.Generator) -> Drawn:
        """Draw an exposure: photons, artefacts, bleeding, read noise, 16 bits."""
        values, detector = expected.values[0], self.detector
        adu, mask, streaks = draw_frame(
            values,
            detector,
            self.artefacts(values.shape),
            fwhm=self.fwhm,
            beta=self.beta,
            rng=rng,
        )
        image = (detector.electrons(adu),)
        counts = SkyMap(expected.bands, expected.pixels, image, "electrons")
        return Drawn(counts, artefact_table(streaks), mask)

    def write_drawn(self, drawn: Drawn, folder: str | PathLike) -> None:
        """Write ``image.fits`` in ADU and ``mask.fits``."""
        counts, folder = drawn.counts, Path(folder)
        adu = self.detector.digitised(counts.values[0])
        cards = self._cards() | {
            key[:8].upper(): value
            for key, value in counts.meta.items()
            if isinstance(value, str | int)
        }
        write_frame(adu, folder / self.map_files, pixels=counts.pixels[0], cards=cards)
        if drawn.mask is not None:
            write_frame(drawn.mask, folder / "mask.fits", pixels=counts.pixels[0])

    def read_counts(self, paths: Sequence[str | PathLike], *, frame: str | None = None) -> SkyMap:
        """Read one image in ADU and turn it into electrons.

        Warns
        -----
        HeaderWarning
            If EXPTIME or FILTER of the header contradicts the options, which hold.
        """
        if len(paths) != 1:
            raise OptionError(f"{len(paths)} images were given", remedy="Give one at a time.")
        image = read_frame(
            paths[0],
            pixel_size=self.pixel_scale,
            extension=self.extension,
            keywords=KEYWORDS,
        )
        seconds = as_value(self.exposure_time, u.s, name="exposure_time")
        said = contradictions(image.keywords, exposure_time=seconds, band=self.filter)
        for fault in said:
            warnings.warn(
                f"{paths[0]}: {fault}, which holds; magnitudes are off if the header is right",
                HeaderWarning,
                stacklevel=2,
            )
        full = image.values[image.valid] >= self.saturation + self.bias
        if full.all():
            raise InputDataError(
                f"every pixel is saturated: all are {self.saturation + self.bias:g} ADU or more",
                path=paths[0],
                remedy="The options saturation and bias of the renderer say what is full.",
            )
        electrons = self.detector.electrons(image.values)
        return SkyMap(
            self.bands,
            (image.pixels,),
            (np.where(image.valid, electrons, 0) if not image.valid.all() else electrons,),
            "electrons",
            (image.valid,),
            meta={"inputs": (describe_input(paths[0]),)},
        )

    def observe(self, counts: SkyMap) -> Observation:
        """Estimate sky, noise and seeing from the image itself."""
        return observe_frame(counts, self)

    def with_derived(self, detections: QTable) -> QTable:
        """Add AB magnitudes above the atmosphere."""
        if "flux" not in detections.colnames:
            return detections
        detections = QTable(detections, copy=False)
        flux = detections["flux"].to_value("cm-2 s-1")
        detections["mag"] = magnitude(flux, self.optics) * u.mag
        if "flux_err" in detections.colnames:
            relative = detections["flux_err"].to_value("cm-2 s-1") / np.where(
                flux > 0, flux, np.nan
            )
            detections["mag_err"] = 2.5 / np.log(10) * relative * u.mag
        return detections

    def source_counts(self, sources: QTable) -> np.ndarray:
        """Expected electrons of each source, all of its light together, shape (n, 1)."""
        return self._electrons(self._checked(sources))[:, None]

    def _electrons(self, sources: QTable) -> np.ndarray:
        """Electrons by the magnitude in the filter, or by the flux where the table has none."""
        column = f"mag_{self.filter}"
        if column in sources.colnames:
            magnitudes = getattr(sources[column], "value", sources[column])
            return photon_flux(magnitudes, self.optics) * self.electrons_per_photon
        return sources["flux"].to_value("cm-2 s-1") * self.electrons_per_photon

    def _exposure(self, pixels: tuple[Pixels, ...]) -> tuple[np.ndarray, ...]:
        return (np.broadcast_to(np.float32(self.electrons_per_photon), pixels[0].shape),)

    def _background(self, pixels: tuple[Pixels, ...]) -> Mapping[str, tuple[np.ndarray, ...]]:
        return {"sky": (np.broadcast_to(np.float32(self.sky_electrons), pixels[0].shape),)}

    def _render(self, sources: QTable, pixels: tuple[Pixels, ...]) -> tuple[np.ndarray, ...]:
        if not isinstance(pixels[0], WcsPixels):
            raise OptionError(
                f"{self.name} cannot be rendered on {pixels[0]!r}", remedy="It makes images."
            )
        image = np.zeros(pixels[0].shape, dtype=np.float32)
        if len(sources):
            self._draw_sources(image, sources, pixels[0])
        return (image,)

    def _draw_sources(self, image: np.ndarray, sources: QTable, pixels: WcsPixels) -> None:
        x, y = pixels.xy(SkyCoord(sources["ra"], sources["dec"]))
        (ny, nx), m = image.shape, _MARGIN
        near = np.isfinite(x) & (x > -m) & (x < nx + m) & (y > -m) & (y < ny + m)
        sources, x, y = sources[near], x[near], y[near]
        electrons = self._electrons(sources)
        widths = np.array([1.0, *self.seeing_slopes])
        psf = self.psf_on(image.shape, self.fwhm, widths, self.pixel_scale)
        fwhm = self.fwhm * psf.width(x, y)
        extended = np.asarray(sources["class_label"]) == "galaxy"
        star = ~extended
        draw_stars(image, x[star], y[star], electrons[star], fwhm[star], beta=self.beta)
        if extended.any():
            places = (values[extended] for values in (x, y, electrons, fwhm))
            shapes = _galaxy_shapes(sources[extended], self.pixel_scale)
            draw_galaxies(image, *places, beta=self.beta, **shapes)

    def _cards(self) -> dict[str, object]:
        return {
            "BUNIT": "adu",
            "FILTER": self.filter,
            "EXPTIME": (self.exposure_time.to_value(u.s), "[s]"),
            "AIRMASS": self.airmass,
            "SATURATE": (self.saturation + self.bias, "[adu]"),
            "BIASLEV": (self.bias, "[adu] level of a pixel without charge"),
            "GAIN": (float(np.mean(self.gains)), "[e-/adu] mean of the channels"),
            "RDNOISE": (float(np.mean(self.read_noises)), "[e-] mean of the channels"),
            "SEEING": (self.seeing.to_value(u.arcsec), "[arcsec] FWHM in the middle"),
        }


def _galaxy_shapes(sources: QTable, pixel_scale: u.Quantity) -> dict[str, np.ndarray]:
    """Shapes of galaxies in pixels."""
    missing = [name for name in _SHAPES if name not in sources.colnames]
    if missing:
        raise TableError(
            f"the galaxies lack the column {', '.join(missing)}",
            remedy=f"A galaxy has {', '.join(_SHAPES)}.",
        )
    # Position angles run from north to east, in these images from +y to -x.
    angle = np.pi / 2 + sources["position_angle"].to_value(u.rad)
    return {
        "radius": (sources["radius"] / pixel_scale).to_value(u.dimensionless_unscaled),
        "index": np.asarray(sources["sersic_index"], dtype=float),
        "axis_ratio": np.asarray(sources["axis_ratio"], dtype=float),
        "angle": angle,
    }
