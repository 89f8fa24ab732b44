"""Exposure of the presets: the embedded map, converted to a response, bands and time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.units import Quantity

from gammafind.errors import InputDataError, OptionError
from gammafind.plugins.fermi_lat.embedded import load_psf3_exposure
from gammafind.plugins.fermi_lat.interpolate import kept_on_pixels
from gammafind.plugins.fermi_lat.irf import (
    LivetimeCube,
    Response,
    exposure_in_pixels,
    load_response,
    read_livetime_cube,
)
from gammafind.plugins.fermi_lat.irf.livetime import holds_cube
from gammafind.plugins.fermi_lat.spacecraft import holds_spacecraft, livetime_cube
from gammafind.plugins.fermi_lat.years import (
    EMBEDDED_EXPOSURES,
    MEASURED_ZENITH,
    survey_days,
    survey_time_exposure,
)
from gammafind.sky.bands import Band, energy_bands
from gammafind.sky.fits.exposure import band_weights, has_exposure, read_exposure
from gammafind.sky.fits.good_times import common, read_good_times
from gammafind.sky.fits.write_exposure import ExposureCube
from gammafind.sky.known import interpolate_known
from gammafind.sky.pixels import HealpixPixels, Pixels
from gammafind.sky.projection import to_frame
from gammafind.utils.listing import listed

_MEASURED = ("P8R3_ULTRACLEANVETO_V3", "PSF3", (2.0, 20.0), "573-weeks")
"""Response, event type, energies in GeV and observing time of the embedded exposure."""
_HOME = HealpixPixels(128)
_NODES = 5
"""Energies of a band at which the exposure of a livetime cube is computed, at least."""
_PER_DECADE = 8
"""Energies in a factor of ten of a wide band, as gtexpcube2 has them in its default bins."""
_EDGE = 1e-6
"""Distance of the outer energies from the edges, where another band with another zenith cut
begins."""
_POINT = 1e-7
"""Half of the relative width of a band that stands for an energy."""
_SPAN = re.compile(r"(-?[\d.]+(?:e[+-]?\d+)?):(-?[\d.]+(?:e[+-]?\d+)?)")
SEPARATOR = ";"
"""Between the names of several files in one option."""


@dataclass(frozen=True, eq=False)
class _Maps:
    """Exposure on the pixels of its origin, shape (n_bands, n_pixels), and where there is any.

    It is NaN outside a file.
    """

    pixels: Pixels
    maps: np.ndarray
    known: np.ndarray

    @classmethod
    def everywhere(cls, pixels: Pixels, maps: np.ndarray) -> _Maps:
        """Maps whose zeros are exposures like others."""
        return cls(pixels, maps, np.ones(maps.shape, dtype=bool))

    def of(self, bands: Sequence[int]) -> _Maps:
        """Maps of some bands."""
        return replace(self, maps=self.maps[bands], known=self.known[bands])

    def at(self, vectors: np.ndarray) -> np.ndarray:
        """Exposure at Galactic unit vectors, shape (n_bands, n), NaN without any."""
        vectors = to_frame(vectors, self.pixels.frame)
        return interpolate_known(self.pixels, self.maps, self.known, vectors)


def exposure_maps(
    source: str,
    response: Response,
    bands: Sequence[Band],
    pixels: Sequence[Pixels],
    *,
    index: float,
    year: int = 0,
    max_zenith: Quantity = MEASURED_ZENITH,
    good_times: str = "",
) -> tuple[np.ndarray, ...]:
    """Exposure in cm2 s of each band at the pixel centres.

    Parameters
    ----------
    source : str
        One of `EMBEDDED_EXPOSURES`, or the path of an exposure file (gtexpcube2 or healpy), of a
        livetime cube (gtltcube), or of spacecraft files (FT2) with `SEPARATOR` between them.
    response : Response
    bands : sequence of Band
    pixels : sequence of Pixels
    index : float
        Photon index over which the effective area is averaged in a band.
    year : int
        One of the years of ``"ten-years"``, 1 to 10; 0 is all ten. The years add up to the whole.
    max_zenith : Quantity, scalar or shape (n_bands,)
        Zenith cut of the events in each band. A file of exposure or livetime has its own cut.
    good_times : str
        Files with the good time intervals of the photons, for spacecraft files, with `SEPARATOR`
        between them; ``START:STOP`` in seconds of the mission elapsed time is a limit to them.

    Returns
    -------
    tuple of ndarray
        Of float32, with the shapes of the pixels; NaN if a pixel is outside the projection.

    Raises
    ------
    OptionError
        If ``source`` is neither, or its exposure is not known for this single year.
    InputFileError
        If the file cannot be used, or does not cover the pixels.

    Notes
    -----
    Exposure is the counts of a power law with ``index`` in a band, divided by its flux there. It
    includes the energy dispersion of the response; a file, which does not, is multiplied by its
    mean effect.

    The embedded exposure is measured: 573 weeks, 2-20 GeV, PSF3, zenith angles below 90 deg. It is
    multiplied by the ratio of two exposures of survey mode at each declination: for the requested
    response, bands and time, and for the measurement, which does not include the energy
    dispersion; see `survey_exposure`. Breaks in the South Atlantic Anomaly and pointed observations
    are those of the measurement.
    """
    given = _known_maps(source, response, bands, index, year, max_zenith, good_times)
    found: dict[int, np.ndarray] = {}
    for target in dict.fromkeys(pixels):
        here = [i for i, other in enumerate(pixels) if other == target]
        part = given.of(here)
        values = kept_on_pixels(
            lambda vectors, part=part: _interpolate(part, vectors, source),
            part.pixels,
            part.maps,
            target,
        )
        found |= zip(here, (array.reshape(target.shape) for array in values), strict=True)
    return tuple(found[i] for i in range(len(bands)))


def exposure_at(
    source: str,
    response: Response,
    bands: Sequence[Band],
    vectors: np.ndarray,
    *,
    index: float,
    year: int = 0,
    max_zenith: Quantity = MEASURED_ZENITH,
    good_times: str = "",
) -> np.ndarray:
    """Exposure in cm2 s of each band at positions, with one interpolation for all bands.

    Parameters
    ----------
    source : str
        This and all others except ``vectors`` as in `exposure_maps`.
    response : Response
    bands : sequence of Band
    vectors : ndarray, shape (n, 3)
        Galactic unit vectors.
    index : float
    year : int
    max_zenith : Quantity, scalar or shape (n_bands,)
    good_times : str

    Returns
    -------
    ndarray, shape (n_bands, n)
    """
    given = _known_maps(source, response, bands, index, year, max_zenith, good_times)
    return _interpolate(given, vectors, source)


def dispersion_factors(response: Response, bands: Sequence[Band], index: float) -> np.ndarray:
    """Counts with energy dispersion, divided by those without, shape (n_bands,)."""
    seen, exact = (
        [each.band_effective_area(band, index=index).value for band in bands]
        for each in (response, response.undispersed)
    )
    return np.array(seen) / exact


def _known_maps(
    source: str,
    response: Response,
    bands: Sequence[Band],
    index: float,
    year: int,
    max_zenith: Quantity,
    good_times: str,
) -> _Maps:
    zeniths = np.broadcast_to(max_zenith, len(bands), subok=True)
    if source not in EMBEDDED_EXPOSURES:
        _check_name(source, year)
        if holds_livetime(source):
            given = _from_livetime(source, response, bands, index, zeniths, good_times)
        else:
            given = _from_file(source, bands, index)
        factors = dispersion_factors(response, bands, index)
        return replace(given, maps=given.maps * factors[:, None])
    days = survey_days(source, year)
    declination = _HOME.centres().icrs.dec
    wanted = [
        survey_time_exposure(days, response, band, declination, index=index, max_zenith=zenith)
        for band, zenith in zip(bands, zeniths, strict=True)
    ]
    irf, event_type, edges, time = _MEASURED
    measured = survey_time_exposure(
        survey_days(time),
        load_response(irf, event_type).undispersed,
        energy_bands(edges * u.GeV)[0],
        declination,
        index=index,
        max_zenith=MEASURED_ZENITH,
    )
    return _Maps.everywhere(_HOME, np.array(wanted) / measured * load_psf3_exposure())


def holds_livetime(source: str) -> bool:
    """Whether an exposure is that of a livetime cube or of spacecraft files."""
    first = listed(source.split(SEPARATOR))[0]
    return holds_spacecraft(first) or holds_cube(first)


def livetime_of(source: str, *, max_zenith: float, good_times: str = "") -> LivetimeCube:
    """Livetime cube of a file of gtltcube, which has its own zenith cut, or of spacecraft files.

    Parameters
    ----------
    source : str
        As for `exposure_maps`.
    max_zenith : float
        In degrees.
    good_times : str
        As for `exposure_maps`; all time of the spacecraft files by default.

    Raises
    ------
    InputFileError
        If a file cannot be used; the class names the fault.
    """
    files = listed(source.split(SEPARATOR))
    if holds_cube(files[0]):
        if len(files) > 1:
            raise OptionError(
                f"{len(files)} livetime cubes for one exposure", remedy="Sum them with gtltsum."
            )
        return read_livetime_cube(files[0])
    return livetime_cube(files, max_zenith=max_zenith, good_times=_good_times(good_times))


def _good_times(text: str) -> np.ndarray | None:
    """Intervals of files, within spans of the mission elapsed time."""
    parts = [part for part in text.split(SEPARATOR) if part]
    spans = [match for match in map(_SPAN.fullmatch, parts) if match]
    files = [part for part in parts if not _SPAN.fullmatch(part)]
    found = read_good_times(listed(files)) if files else None
    for match in spans:
        span = np.array([[float(match[1]), float(match[2])]])
        found = span if found is None else common(found, span)
    return found


def band_nodes(band: Band) -> np.ndarray:
    """Energies in MeV, evenly in the logarithm, at which the exposure of a band is computed."""
    low, high = np.sort(band.edges.to_value(u.MeV, u.spectral()))
    n = max(_NODES, int(np.ceil(_PER_DECADE * np.log10(high / low))) + 1)
    return np.geomspace(low * (1 + _EDGE), high * (1 - _EDGE), n)


def exposure_cube(
    source: str,
    response: Response,
    bands: Sequence[Band],
    *,
    max_zenith: Quantity,
    good_times: str = "",
) -> ExposureCube:
    """Exposure at some energies of each band, without the effect of the energy dispersion.

    Parameters
    ----------
    source : str
        Exposure file, livetime cube or spacecraft files, as for `exposure_maps`.
    response : Response
    bands : sequence of Band
    max_zenith : Quantity, scalar or shape (n_bands,)
    good_times : str

    Raises
    ------
    OptionError
        If ``source`` is one of `EMBEDDED_EXPOSURES`, which are known by band.
    InputFileError
        If a file cannot be used; the class names the fault.
    """
    if source in EMBEDDED_EXPOSURES:
        raise OptionError(
            f"the exposure {source} is no file",
            remedy="Give spacecraft files, a livetime cube or an exposure cube.",
        )
    nodes = [band_nodes(band) for band in bands]
    energies = np.concatenate(nodes) * u.MeV
    if not holds_livetime(source):
        narrow = [Band(f"{i}", e * (1 - _POINT), e * (1 + _POINT)) for i, e in enumerate(energies)]
        given = _from_file(source, narrow, 2.0)
        if isinstance(given.pixels, HealpixPixels):
            return ExposureCube(given.pixels, energies, given.maps)
        return ExposureCube(_HOME, energies, given.at(_HOME.vectors))
    zeniths = np.broadcast_to(max_zenith, len(bands), subok=True).to_value(u.deg)
    maps = []
    for here, zenith in zip(nodes, zeniths, strict=True):
        cube = livetime_of(source, max_zenith=float(zenith), good_times=good_times)
        maps.append(exposure_in_pixels(response, cube, here, slice(None)))
    return ExposureCube(cube.pixels, energies, np.concatenate(maps))


def _from_livetime(
    source: str,
    response: Response,
    bands: Sequence[Band],
    index: float,
    zeniths: Quantity,
    good_times: str,
) -> _Maps:
    maps = []
    for band, zenith in zip(bands, zeniths.to_value(u.deg), strict=True):
        cube = livetime_of(source, max_zenith=float(zenith), good_times=good_times)
        nodes = band_nodes(band)
        weights = band_weights(nodes * u.MeV, band, index=index)
        maps.append(weights @ exposure_in_pixels(response, cube, nodes, slice(None)))
    return _Maps.everywhere(cube.pixels, np.array(maps))


def _check_name(source: str, year: int) -> None:
    if not Path(source).suffix:
        raise OptionError(
            f"exposure is {source!r}",
            remedy=f"Give {', '.join(EMBEDDED_EXPOSURES)} or the path of an exposure file, a "
            "livetime cube or a spacecraft file.",
        )
    if year:
        survey_days(source, year)


def _from_file(source: str, bands: Sequence[Band], index: float) -> _Maps:
    """Maps of a file. Zeros, at the edge of it or of an observation, are no exposure."""
    exposure = read_exposure(source, bands=bands, index=index)
    maps, inside = (
        np.reshape(each, (len(bands), -1)) for each in (exposure.values, exposure.valid)
    )
    seen = inside & [has_exposure(one) for one in maps]
    return _Maps(exposure.pixels[0], np.where(inside, maps, np.nan), seen)


def _interpolate(given: _Maps, vectors: np.ndarray, source: str) -> np.ndarray:
    """Exposure at Galactic vectors, shape (n_maps, n), 0 without any; NaN where a vector is."""
    found = given.at(vectors)
    dark = np.isnan(found) & np.isfinite(vectors[:, 0])
    if not dark.any():
        return found
    inside = np.isfinite(given.maps[:1])
    covered = np.isfinite(_Maps(given.pixels, inside.astype(float), inside).at(vectors)[0])
    missing = np.count_nonzero(dark.any(axis=0) & ~covered)
    if missing:
        raise InputDataError(
            f"the exposure is not known in {missing} pixels",
            path=source,
            remedy="It must cover all pixels of the maps.",
        )
    return np.where(dark, 0, found)
