"""The camera: its options, its response to a magnitude, and its PSF."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import astropy.units as u
import numpy as np
from astropy.units import Quantity

from gammafind.errors import OptionError
from gammafind.plugins.meerlicht.detector import Detector
from gammafind.plugins.meerlicht.filters import FILTERS, Filter, photon_flux
from gammafind.plugins.meerlicht.frame import Artefacts
from gammafind.plugins.meerlicht.moffat import field_psf
from gammafind.plugins.meerlicht.pointing import frame_wcs
from gammafind.roles.instrument import Instrument
from gammafind.sky.bands import Band
from gammafind.sky.field_psf import FieldPsf
from gammafind.sky.pixels import WcsPixels
from gammafind.units import as_value, degrees

_GAINS = (
    2.12, 2.13, 2.14, 2.15, 2.11, 2.13, 2.15, 2.16, 2.13, 2.12, 2.16, 2.14, 2.12, 2.15, 2.11, 2.14,
)  # fmt: skip
_READ_NOISES = (
    9.6, 10.4, 8.9, 11.2, 7.8, 10.1, 12.0, 9.3, 10.7, 9.9, 14.3, 10.2, 9.1, 11.6, 10.0, 12.9,
)  # fmt: skip
_SLOPES = (0.01, -0.015, 0.04, 0.01, 0.05)
"""Change of the seeing over the image by u, v, u^2, u v and v^2."""


@dataclass(frozen=True, kw_only=True)
class Camera(Instrument):
    """Options of a camera, and what follows from them alone.

    `gammafind.plugins.meerlicht.renderer.MeerlichtRenderer` describes the options.
    """

    filter: str = "q"
    shape: tuple[int, int] = (2048, 2048)
    ra: Quantity = 305.0 * u.deg
    dec: Quantity = -32.0 * u.deg
    exposure_time: Quantity = 60.0 * u.s
    airmass: float = 1.1
    seeing: Quantity = 2.75 * u.arcsec
    seeing_slopes: tuple[float, ...] = _SLOPES
    beta: float = 3.0
    sky: float | None = None
    zero_point: float | None = None
    extinction: float | None = None
    pixel_scale: Quantity = 0.564 * u.arcsec
    distortion: float = 3.0
    detector_shape: tuple[int, int] = (10560, 10560)
    channels: tuple[int, int] = (2, 8)
    gains: tuple[float, ...] = _GAINS
    read_noises: tuple[float, ...] = _READ_NOISES
    bias: float = 1000.0
    saturation: float = 57000.0
    cosmic_rays: float = 200.0
    trails: float = 0.5
    hot_pixels: float = 1000.0
    extension: str | int = ""

    def __post_init__(self) -> None:
        if self.filter not in FILTERS:
            raise OptionError(
                f"the filter is {self.filter!r}", remedy=f"Accepted are {', '.join(FILTERS)}."
            )
        for name in ("shape", "detector_shape", "channels"):
            value = getattr(self, name)
            if len(value) != 2 or not all(type(n) is int and n > 0 for n in value):
                raise OptionError(
                    f"{name} is {value!r}", remedy="Give two positive integers: rows, columns."
                )
        if any(n > whole for n, whole in zip(self.shape, self.detector_shape, strict=True)):
            raise OptionError(
                f"shape is {self.shape}", remedy=f"The detector has {self.detector_shape} pixels."
            )
        if len(self.seeing_slopes) != len(_SLOPES):
            raise OptionError(
                f"seeing_slopes are {self.seeing_slopes}",
                remedy="Give five numbers: for u, v, u^2, u v and v^2.",
            )
        for name in ("gains", "read_noises"):
            n = len(getattr(self, name))
            if n not in (1, self.channels[0] * self.channels[1]):
                raise OptionError(
                    f"there are {n} {name}", remedy="Give one, or one for each channel."
                )
        if isinstance(self.extension, bool) or not isinstance(self.extension, str | int):
            raise OptionError(
                f"extension is {self.extension!r}", remedy="Give the name or number of an HDU."
            )
        self._check_numbers()

    def _check_numbers(self) -> None:
        positive = {
            "exposure_time": as_value(self.exposure_time, u.s, name="exposure_time"),
            "seeing": degrees(self.seeing, name="seeing"),
            "pixel_scale": degrees(self.pixel_scale, name="pixel_scale"),
            "gains": self.gains,
            "saturation": self.saturation,
        }
        names = ("cosmic_rays", "trails", "hot_pixels", "bias", "read_noises", "airmass")
        not_negative = {name: getattr(self, name) for name in names}
        own = {name: getattr(self, name) for name in ("sky", "zero_point", "extinction")}
        finite = {
            "ra": degrees(self.ra, name="ra"),
            "seeing_slopes": self.seeing_slopes,
            "distortion": self.distortion,
        } | {name: value for name, value in own.items() if value is not None}
        latitude = {"dec": degrees(self.dec, name="dec")}
        for values, accepted, remedy in (
            (positive, lambda v: v > 0, "It must be a finite, positive number."),
            (not_negative, lambda v: v >= 0, "It must be a finite number of at least 0."),
            (finite, np.isfinite, "It must be a finite number."),
            (latitude, lambda v: np.abs(v) <= 90, "It must be between -90 and 90 deg."),
            ({"beta": self.beta}, lambda v: v > 1, "It must be a finite number above 1."),
        ):
            for name, value in values.items():
                numbers = _floats(value)
                if not np.all(np.isfinite(numbers) & accepted(numbers)):
                    raise OptionError(f"{name} is {getattr(self, name)}", remedy=remedy)

    @property
    def optics(self) -> Filter:
        """The filter, with the zero point, extinction and sky of the options."""
        given = {n: getattr(self, n) for n in ("zero_point", "extinction", "sky")}
        return replace(FILTERS[self.filter], **{n: v for n, v in given.items() if v is not None})

    @property
    def bands(self) -> tuple[Band, ...]:
        """The filter."""
        return (self.optics.band(self.filter),)

    @functools.cached_property
    def pixels(self) -> tuple[WcsPixels, ...]:
        """Pixels of the image, centred on the pointing."""
        wcs = frame_wcs(
            degrees(self.ra, name="ra"),
            degrees(self.dec, name="dec"),
            shape=self.shape,
            pixel_scale=degrees(self.pixel_scale, name="pixel_scale"),
            distortion=self.distortion,
            whole=self.detector_shape,
        )
        return (WcsPixels(wcs, self.shape),)

    @property
    def detector(self) -> Detector:
        """Channels, gains and noise."""
        return Detector(
            shape=self.detector_shape,
            channels=self.channels,
            gains=np.array(self.gains),
            read_noises=np.array(self.read_noises),
            bias=self.bias,
            saturation=self.saturation,
        )

    @property
    def fwhm(self) -> float:
        """Seeing in pixels of side `pixel_scale`, at the centre of the image."""
        return self.fwhm_on(self.pixel_scale)

    def fwhm_on(self, pixel_size: Quantity) -> float:
        """Seeing in pixels of a given side, at the centre of the image."""
        return float((self.seeing / pixel_size).to_value(u.dimensionless_unscaled))

    @property
    def electrons_per_photon(self) -> float:
        """Electrons per photon cm-2 s-1 above the atmosphere: the exposure in cm2 s."""
        magnitude = self.optics.zero_point - self.airmass * self.optics.extinction
        seconds = as_value(self.exposure_time, u.s, name="exposure_time")
        return seconds / float(photon_flux(magnitude, self.optics))

    @property
    def sky_electrons(self) -> float:
        """Electrons of the sky in a pixel; no extinction, since it is measured from the ground."""
        area = as_value(self.pixel_scale, u.arcsec, name="pixel_scale") ** 2
        seconds = as_value(self.exposure_time, u.s, name="exposure_time")
        return seconds * area * 10 ** (0.4 * (self.optics.zero_point - self.optics.sky))

    def psf_on(
        self, shape: tuple[int, int], fwhm: float, widths: np.ndarray, pixel_size: Quantity
    ) -> FieldPsf:
        """Moffat PSF of an image, for a width in pixels of a given side and its variation."""
        scale = as_value(pixel_size, u.rad, name="pixel_size")
        return field_psf(fwhm, self.beta, widths, shape, scale)

    def psfs(self) -> tuple[FieldPsf, ...]:
        """PSF of the image."""
        widths = np.array([1.0, *self.seeing_slopes])
        return (self.psf_on(self.shape, self.fwhm, widths, self.pixel_scale),)

    def artefacts(self, shape: tuple[int, int]) -> Artefacts:
        """Expected numbers of artefacts in an image of a given shape."""
        share = np.prod(shape) / np.prod(self.detector_shape)
        minutes = self.exposure_time.to_value(u.min)
        across = np.hypot(*shape) / np.hypot(*self.detector_shape)
        return Artefacts(
            cosmic_rays=self.cosmic_rays * share * minutes,
            trails=self.trails * across * minutes,
            hot_pixels=self.hot_pixels * share,
        )


def _floats(value: object) -> np.ndarray:
    """Numbers as floats, NaN for other values."""
    try:
        return np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        return np.array(np.nan)
