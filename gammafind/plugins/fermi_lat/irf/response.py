"""The response of one selection of events: mean PSF and effective area."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

import astropy.units as u
import numpy as np
from astropy.units import Quantity

from gammafind.errors import OptionError
from gammafind.plugins.fermi_lat.irf.band import BandResponse, exposures
from gammafind.plugins.fermi_lat.irf.caldb import hat_matrix
from gammafind.plugins.fermi_lat.irf.dispersion import EnergyDispersion
from gammafind.plugins.fermi_lat.irf.effective_area import EffectiveArea
from gammafind.plugins.fermi_lat.irf.livetime import LivetimeProfile, survey_profile
from gammafind.plugins.fermi_lat.irf.psf import THETA, PsfTable
from gammafind.sky.bands import Band
from gammafind.sky.psf import RadialPsf
from gammafind.units import as_value


@dataclass(frozen=True, eq=False)
class Response:
    """PSF, effective area and energy dispersion of event types, for one livetime profile.

    The PSFs of inclinations and event types are weighted by livetime and effective area. A band
    is one of measured energy; where the energy dispersion is not known, of true energy.

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
    dispersions : tuple of EnergyDispersion
        One per event type; empty if the energy dispersion is not known.
    profile : LivetimeProfile
        Livetime over inclination; by default the mean over the sky of survey mode, see
        `survey_profile`.
    """

    irf: str
    event_types: tuple[str, ...]
    psfs: tuple[PsfTable, ...]
    areas: tuple[EffectiveArea, ...]
    dispersions: tuple[EnergyDispersion, ...] = ()
    profile: LivetimeProfile = field(default_factory=survey_profile)

    def with_livetime(self, profile: LivetimeProfile) -> Response:
        """Return the same response with another livetime profile."""
        return replace(self, profile=profile)

    def only(self, event_type: str) -> Response:
        """Return the response of one of the event types."""
        at = self.event_types.index(event_type)
        names = ("event_types", "psfs", "areas", "dispersions")
        return replace(self, **{name: getattr(self, name)[at : at + 1] for name in names})

    @cached_property
    def undispersed(self) -> Response:
        """The same response with energies that are measured exactly."""
        return replace(self, dispersions=()) if self.dispersions else self

    def band(self, band: Band) -> BandResponse:
        """Response to the photons whose measured energy is in a band.

        Raises
        ------
        OptionError
            If the band is outside the response.
        """
        low, high = np.sort(self.energies(band.edges.to(u.MeV, u.spectral())))
        return _band_response(self, float(low), float(high))

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
        total = sum(exposures(area, self.profile, mev).sum(axis=1) for area in self.areas)
        return (total / self.profile.livetime.sum()).reshape(np.shape(energy)) * u.cm**2

    def band_effective_area(self, band: Band, *, index: float = 2.3) -> Quantity:
        """Counts in a band of a power law, divided by its flux in the band and the time, in cm2.

        The counts include photons of other true energies.
        """
        return self.band(band).effective_area(index) * u.cm**2

    def band_area_by_cosine(
        self, band: Band, cos_theta: np.ndarray, *, index: float = 2.3
    ) -> Quantity:
        """`band_effective_area` at each inclination, shape of ``cos_theta``."""
        here = self.band(band)
        area = here.photons(index) @ here.area_by_cosine(np.ravel(cos_theta))
        return area.reshape(np.shape(cos_theta)) * u.cm**2

    def psf(self, energy: Quantity) -> RadialPsf:
        """PSF at one energy.

        Raises
        ------
        OptionError
            If ``energy`` is not a scalar or is outside the response.
        """
        if np.shape(energy) != ():
            raise OptionError(f"energy has the shape {np.shape(energy)}", remedy="Give one.")
        return self._psf(self.energies(energy)[0])

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
            Averaged over the counts: spectrum times livetime times redistributed area.

        Raises
        ------
        OptionError
            If the band is outside the response.
        """
        here = self.band(band)
        return here.psf(here.photons(index))

    def _psf(self, energy: float) -> RadialPsf:
        """PSF at an energy in MeV, weighted by effective area and livetime."""
        total = np.zeros_like(THETA)
        for psf, area in zip(self.psfs, self.areas, strict=True):
            by_energy = hat_matrix(np.log10([energy]), psf.axes.log_energy)[0]
            by_cosine = hat_matrix(self.profile.cos_theta, psf.axes.cos_theta)
            weights = exposures(area, self.profile, np.array([energy]))[0] @ by_cosine
            total += np.einsum("j,k,jkn->n", weights, by_energy, psf.profiles)
        if not total.any():
            raise OptionError(f"the effective area of {self.irf} is zero at this energy")
        return RadialPsf(THETA, total)


@lru_cache(maxsize=128)
def _band_response(response: Response, low: float, high: float) -> BandResponse:
    parts = response.psfs, response.areas, response.dispersions, response.profile
    return BandResponse(*parts, low, high)
