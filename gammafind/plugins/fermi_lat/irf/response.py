"""The response of one selection of events: mean PSF and effective area."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from os import PathLike
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.units import Quantity

from gammafind.errors import OptionError, ResponseError
from gammafind.plugins.fermi_lat.irf.caldb import hat_matrix
from gammafind.plugins.fermi_lat.irf.effective_area import EffectiveArea, read_effective_area
from gammafind.plugins.fermi_lat.irf.livetime import LivetimeProfile, survey_profile
from gammafind.plugins.fermi_lat.irf.psf import THETA, PsfTable, read_psf
from gammafind.sky.bands import Band
from gammafind.sky.psf import RadialPsf
from gammafind.units import as_value

_EVENT_TYPES = ("FRONT", "BACK", "PSF0", "PSF1", "PSF2", "PSF3")

EMBEDDED_RESPONSES = {
    "P8R2_ULTRACLEANVETO_V6": _EVENT_TYPES,
    "P8R3_ULTRACLEANVETO_V3": _EVENT_TYPES,
}
"""Responses that come with the package, with their event types."""

_DATA = Path(__file__).parents[1] / "data"
_LOG_STEP = 0.01
"""Step in log10 energy of averages over a band: balances accuracy and time."""


@dataclass(frozen=True, eq=False)
class Response:
    """PSF and effective area of one or several event types, for one livetime profile.

    The PSFs of inclinations and event types are weighted by livetime and effective area. Energy
    dispersion is ignored.

    Parameters
    ----------
    irf : str
        Name of the response, such as ``"P8R3_ULTRACLEANVETO_V3"``.
    event_types : tuple of str
        Such as ``("FRONT", "BACK")``.
    psfs : tuple of PsfTable
        One per event type.
    areas : tuple of EffectiveArea
        One per event type.
    profile : LivetimeProfile
        Livetime over inclination; by default the mean over the sky of survey mode, see
        `survey_profile`.
    """

    irf: str
    event_types: tuple[str, ...]
    psfs: tuple[PsfTable, ...]
    areas: tuple[EffectiveArea, ...]
    profile: LivetimeProfile = field(default_factory=survey_profile)

    def with_livetime(self, profile: LivetimeProfile) -> Response:
        """Return the same response with another livetime profile."""
        return replace(self, profile=profile)

    def only(self, event_type: str) -> Response:
        """Return the response of one of the event types."""
        at = self.event_types.index(event_type)
        parts = (self.event_types, self.psfs, self.areas)
        types, psfs, areas = (part[at : at + 1] for part in parts)
        return replace(self, event_types=types, psfs=psfs, areas=areas)

    def energies(self, energy: Quantity) -> np.ndarray:
        """Check that the response covers ``energy`` and return it in MeV, shape (n,).

        Raises
        ------
        OptionError
            If an energy is outside the response.
        """
        mev = np.atleast_1d(as_value(energy, u.MeV, name="energy"))
        low, high = self.psfs[0].axes.energy_range
        if not np.all((mev >= low) & (mev <= high * (1 + 1e-6))):
            raise OptionError(
                f"energies run from {mev.min():g} to {mev.max():g} MeV",
                remedy=f"The response {self.irf} covers {low:.4g} to {high:.4g} MeV.",
            )
        return mev

    def effective_area(self, energy: Quantity, cos_theta: np.ndarray) -> Quantity:
        """Effective area, summed over the event types.

        Parameters
        ----------
        energy : Quantity, shape (n,) or scalar
        cos_theta : array_like, shape (m,) or scalar
            Cosine of the inclination.

        Returns
        -------
        Quantity, shape (n, m), without the axes that were scalar
            In cm2, not corrected for the livetime fraction and averaged over azimuth.
        """
        mev = self.energies(energy)
        cosine = np.atleast_1d(np.asarray(cos_theta, dtype=float))
        total = sum(area.value(mev, cosine) for area in self.areas)
        return total.reshape(np.shape(energy) + np.shape(cos_theta)) * u.cm**2

    def mean_effective_area(self, energy: Quantity) -> Quantity:
        """Effective area averaged over the livetime, shape of ``energy``, in cm2."""
        mev = self.energies(energy)
        total = sum(self._exposures(area, mev).sum(axis=1) for area in self.areas)
        return (total / self.profile.livetime.sum()).reshape(np.shape(energy)) * u.cm**2

    def band_effective_area(self, band: Band, *, index: float = 2.3) -> Quantity:
        """Effective area averaged over the livetime and the photons of a power law, in cm2."""
        mev, photons = _band_photons(band, index)
        area = self.mean_effective_area(mev * u.MeV)
        return np.average(area.value, weights=photons) * u.cm**2

    def band_area_by_cosine(
        self, band: Band, cos_theta: np.ndarray, *, index: float = 2.3
    ) -> Quantity:
        """Effective area averaged over the photons of a power law, shape of ``cos_theta``."""
        mev, photons = _band_photons(band, index)
        area = self.effective_area(mev * u.MeV, cos_theta)
        return np.average(area.value, axis=0, weights=photons) * u.cm**2

    def source_area_ratios(
        self, band: Band, spectra: Callable[[Quantity], Quantity], *, index: float = 2.3
    ) -> np.ndarray:
        """Ratio of the effective area for the photons of each source to `band_effective_area`.

        Parameters
        ----------
        band : Band
        spectra : callable
            Photon flux per energy of n sources, shape (n, m), at energies of shape (m,).
        index : float
            As for `band_effective_area`.

        Returns
        -------
        ndarray, shape (n,)
            1 for sources without photons in the band.
        """
        mev, photons = _band_photons(band, index)
        area = self.mean_effective_area(mev * u.MeV).value
        seen = spectra(mev * u.MeV).value * mev
        total = seen.sum(axis=1)
        mean = np.divide(seen @ area, total, out=np.full(len(seen), np.nan), where=total > 0)
        return np.nan_to_num(mean / np.average(area, weights=photons), nan=1.0)

    def psf(self, energy: Quantity) -> RadialPsf:
        """PSF at one energy.

        Raises
        ------
        OptionError
            If ``energy`` is not a scalar or is outside the response.
        """
        if np.shape(energy) != ():
            raise OptionError(f"energy has the shape {np.shape(energy)}", remedy="Give one.")
        return self._average_psf(self.energies(energy), np.ones(1))

    def band_psf(self, band: Band, *, index: float = 2.3) -> RadialPsf:
        """PSF of the counts of a power law in a band.

        Parameters
        ----------
        band : Band
        index : float
            Photon index of the spectrum, positive for a falling spectrum.

        Returns
        -------
        RadialPsf
            Averaged over the counts: spectrum times livetime times effective area.

        Raises
        ------
        OptionError
            If the band is outside the response.
        """
        energy, photons = _band_photons(band, index)
        return self._average_psf(self.energies(energy * u.MeV), photons)

    def _exposures(self, area: EffectiveArea, energy: np.ndarray) -> np.ndarray:
        """Effective area times livetime, shape (n_energy, n_cos)."""
        profile = self.profile
        livetime = profile.livetime
        if profile.weighted is not None:
            offset, slope = area.livetime_factors(energy)
            livetime = np.outer(offset, profile.livetime) + np.outer(slope, profile.weighted)
        return area.value(energy, profile.cos_theta) * livetime

    def _average_psf(self, energy: np.ndarray, photons: np.ndarray) -> RadialPsf:
        """PSF weighted by photons, effective area and livetime."""
        total = np.zeros_like(THETA)
        for psf, area in zip(self.psfs, self.areas, strict=True):
            counts = photons[:, None] * self._exposures(area, energy)
            by_energy = hat_matrix(np.log10(energy), psf.axes.log_energy)
            by_cosine = hat_matrix(self.profile.cos_theta, psf.axes.cos_theta)
            weights = by_cosine.T @ counts.T @ by_energy
            total += np.einsum("jk,jkn->n", weights, psf.profiles)
        if not total.any():
            raise OptionError(f"the effective area of {self.irf} is zero at these energies")
        return RadialPsf(THETA, total)


def read_response(psf_path: str | PathLike, aeff_path: str | PathLike, event_type: str) -> Response:
    """Read a response from official CALDB files.

    Parameters
    ----------
    psf_path, aeff_path : path-like
        Files ``psf_*`` and ``aeff_*`` of one response.
    event_type : str
        FRONT, BACK or PSF0 to PSF3, or several joined with ``+``, such as ``"FRONT+BACK"``.

    Raises
    ------
    ResponseError
        If a file has another kind, lacks an event type, or the files belong to different responses.
    InputFileError
        If a file is missing, truncated or not a FITS file.
    """
    types = tuple(event_type.split("+"))
    if len(set(types)) != len(types):
        raise OptionError(f"event_type is {event_type!r}: one occurs twice")
    psfs = tuple(read_psf(psf_path, name) for name in types)
    areas = tuple(read_effective_area(aeff_path, name) for name in types)
    if psfs[0].irf != areas[0].irf:
        raise ResponseError(
            f"the effective area is of {areas[0].irf}, the PSF of {psfs[0].irf}",
            path=aeff_path,
            remedy="Give two files of one response.",
        )
    return Response(psfs[0].irf, types, psfs, areas)


@lru_cache(maxsize=32)
def load_response(irf: str, event_type: str) -> Response:
    """Load a response that comes with the package.

    Parameters
    ----------
    irf : str
        A key of `EMBEDDED_RESPONSES`.
    event_type : str
        One of its event types, or several joined with ``+``, such as ``"FRONT+BACK"``.

    Raises
    ------
    OptionError
        If the response or an event type is not embedded.
    """
    types = EMBEDDED_RESPONSES.get(irf, ())
    if not types or not set(event_type.split("+")) <= set(types):
        known = "; ".join(f"{name}: {', '.join(has)}" for name, has in EMBEDDED_RESPONSES.items())
        raise OptionError(
            f"no response {irf} {event_type} comes with the package",
            remedy=f"Known are {known}. For others give the options psf_file and aeff_file.",
        )
    path = _DATA / f"response_{irf}.fits.gz"
    return read_response(path, path, event_type)


def _band_photons(band: Band, index: float) -> tuple[np.ndarray, np.ndarray]:
    """Energies in MeV and relative photon numbers of steps in log energy."""
    low, high = np.sort(np.log10(band.edges.to_value(u.MeV, u.spectral())))
    steps = max(16, int(np.ceil((high - low) / _LOG_STEP)))
    energy = 10 ** (low + (np.arange(steps) + 0.5) * (high - low) / steps)
    return energy, (energy / energy[0]) ** (1 - index)
