"""Responses of the Fermi-LAT: PSF, effective area, energy dispersion, livetime, exposure."""

from gammafind.plugins.fermi_lat.irf.band import BandResponse
from gammafind.plugins.fermi_lat.irf.dispersion import EnergyDispersion, read_dispersion
from gammafind.plugins.fermi_lat.irf.effective_area import EffectiveArea, read_effective_area
from gammafind.plugins.fermi_lat.irf.exposure import (
    exposure_in_pixels,
    livetime_exposure,
    survey_exposure,
)
from gammafind.plugins.fermi_lat.irf.livetime import (
    LivetimeCube,
    LivetimeProfile,
    read_livetime_cube,
    survey_profile,
)
from gammafind.plugins.fermi_lat.irf.load import (
    EMBEDDED_RESPONSES,
    caldb_files,
    load_response,
    read_response,
)
from gammafind.plugins.fermi_lat.irf.pointings import Pointings
from gammafind.plugins.fermi_lat.irf.psf import PsfTable, read_psf
from gammafind.plugins.fermi_lat.irf.response import Response
from gammafind.plugins.fermi_lat.irf.source_psfs import (
    psfs_of_indices,
    psfs_of_photons,
    spectral_response,
)

__all__ = [
    "EMBEDDED_RESPONSES",
    "BandResponse",
    "EffectiveArea",
    "EnergyDispersion",
    "LivetimeCube",
    "LivetimeProfile",
    "Pointings",
    "PsfTable",
    "Response",
    "caldb_files",
    "exposure_in_pixels",
    "livetime_exposure",
    "load_response",
    "psfs_of_indices",
    "psfs_of_photons",
    "read_dispersion",
    "read_effective_area",
    "read_livetime_cube",
    "read_psf",
    "read_response",
    "spectral_response",
    "survey_exposure",
    "survey_profile",
]
