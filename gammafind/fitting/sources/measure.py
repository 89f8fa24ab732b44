"""All that is measured of one source: spectrum, bands, position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import chi2

from gammafind.catalogue.flags import Flag
from gammafind.fitting.sources.bands import LIMITED, BandFits, fit_bands
from gammafind.fitting.sources.field import Field
from gammafind.fitting.sources.forms import CUT_OFF, EXPONENT, LOG_PARABOLA, POWER_LAW, BandCounts
from gammafind.fitting.sources.interval import flux_interval
from gammafind.fitting.sources.local import Local, without
from gammafind.fitting.sources.place import Ellipse, fit_place
from gammafind.fitting.sources.region import Instrument, Region
from gammafind.fitting.sources.spectrum import (
    MEV_TO_ERG,
    Spectra,
    SpectralFit,
    first_power_law,
    fit_spectra,
    peak_energy,
)
from gammafind.sky.spectral_forms import photon_flux

_INDEX = 2.3
"""Photon index before the first fit, and where there is one band: typical of 4FGL sources."""
_IMPROBABLE = 1e-3
"""Probability of the chi square of the bands below which a spectrum does not describe them."""
_FLUX1000 = 1e3, 1e5
"""Energies of ``Flux1000`` in MeV."""
_SEEN = 0.9
"""Share of the counts in pixels with data below which a source is at an edge."""
_CONFUSING = 0.8
"""Correlation with a neighbour from which their counts cannot be separated well."""
_SIGNIFICANT, _FAINT, _INSIDE = 25.0, 0.1, 0.68
"""TS of the band in which a source is compared with the background, the least ratio of both, and
the share of the PSF within which they are compared: as in 4FGL."""
_WIDE = 0.25
"""Longer semi-axis at 95 % in degrees above which a position is poor: as in 4FGL."""


@dataclass(frozen=True, eq=False)
class Settings:
    """How all sources are measured.

    Attributes
    ----------
    instrument : Instrument
    index : float
        Photon index where there is one band of energies.
    coarse : bool
        Whether pixels are as wide as the PSF.
    floors : tuple of float
        Systematic errors of the position in degrees, at 68 % and at 95 %.
    """

    instrument: Instrument
    index: float
    coarse: bool
    floors: tuple[float, float]

    @property
    def energies(self) -> list[tuple[float, float]]:
        """Bands of energies in MeV; channels share them."""
        return sorted(set(self.instrument.edges))

    @property
    def group(self) -> np.ndarray:
        """Band of energies of each band."""
        return np.array([self.energies.index(one) for one in self.instrument.edges])


def measure_source(region: Region, settings: Settings) -> dict[str, Any]:
    """Measure one source.

    Parameters
    ----------
    region : Region
    settings : Settings

    Returns
    -------
    dict
        Values by the names of the columns of FL16Y, floats in its units; ``flags``; and unit
        vectors ``vector`` and ``along``, of the position and of a place on the longer axis.
    """
    instrument, energies = settings.instrument, settings.energies
    field, bands = Field(region, instrument), BandCounts(instrument.responses, region.exposure)
    range_ = energies[0][0], energies[-1][1]
    index = settings.index if len(energies) == 1 else None
    guess = _INDEX if index is None else index
    local = field.local(instrument.places_of(lambda energy: (energy / 1e3) ** -guess))
    plain = first_power_law(local, bands, range_, index)
    local = field.local(instrument.places_of(plain.density))
    spectra = fit_spectra(local, bands, plain, index, energies=len(energies))
    if spectra.best.form is not POWER_LAW:
        local = field.local(instrument.places_of(spectra.best.density))
        spectra = fit_spectra(local, bands, plain, index, energies=len(energies))
    best = spectra.best
    ends = flux_interval(local, bands, spectra.of_fluxes, *_FLUX1000)
    places = instrument.places_of(best.density)
    local = field.local(places)
    counts = best.unit * bands.of(best.form, best.pivot, best.values)
    null = without(local, best.fitted.factors)
    ts = max(2 * (best.fitted.log_likelihood - null.log_likelihood), 0.0)
    shape = counts if counts.any() else bands.of(best.form, best.pivot, _unit(best))
    fits = fit_bands(local, shape, settings.group, best.fitted.factors)
    values: dict[str, Any] = {"Signif_Avg": np.sqrt(ts), "Npred": float(counts.sum())}
    values |= _of_spectra(spectra, range_) | _of_bands(fits, best, energies)
    values |= dict(zip(("Unc_Flux1000_Below", "Unc_Flux1000_Above"), ends, strict=True))
    flags = _flags(field, local, spectra, fits, counts, null.good)
    if region.template is None and ts > 0:
        model = local.fixed + counts[local.band] * local.share
        model += np.einsum("q,qk->k", best.fitted.factors, local.others)
        ellipse = fit_place(field, local, counts, places, model, coarse=settings.coarse)
        values |= _of_place(ellipse, settings)
        flags |= _flags_of_place(ellipse, region, values)
    return values | {"flags": int(flags)}


def _unit(fit: SpectralFit) -> np.ndarray:
    return np.concatenate([[1.0], fit.values[1:]])


def _of_spectra(spectra: Spectra, edges: tuple[float, float]) -> dict[str, Any]:
    """Columns of the spectra."""
    best, plain, flux = spectra.best, spectra.fits[POWER_LAW.name], spectra.of_fluxes
    found: dict[str, Any] = {"SpectrumType": best.form.name, "Pivot_Energy": best.pivot}
    for name, (value, error) in {
        "Flux1000": flux.flux(*_FLUX1000),
        "Energy_Flux100": flux.energy_flux(1e2, 1e5),
        "Flux": flux.flux(*edges),
        "Energy_Flux": flux.energy_flux(*edges),
    }.items():
        found |= {name: value, f"Unc_{name}": error}
    found |= _parameters(plain, ("PL_Flux_Density", "PL_Index"))
    for form, fit, prefix, names in (
        (LOG_PARABOLA, spectra.fits.get(LOG_PARABOLA.name), "LP", ("Index", "beta")),
        (CUT_OFF, spectra.cut_off, "PLEC", ("IndexS", "ExpfactorS", "Exp_Index")),
    ):
        if fit is None:
            continue
        peak, error = peak_energy(fit)
        found |= _parameters(fit, tuple(f"{prefix}_{name}" for name in ("Flux_Density", *names)))
        found |= {f"{prefix}_SigCurv": np.sqrt(spectra.curvature(form))}
        found |= {f"{prefix}_EPeak": peak, f"Unc_{prefix}_EPeak": error}
    if spectra.cut_off is not None and spectra.cut_off.form is CUT_OFF:
        found["PLEC_Exp_Index"] = EXPONENT
    return found


def _parameters(fit: SpectralFit, names: tuple[str, ...]) -> dict[str, float]:
    """Parameters and their errors by the names of their columns; more names may be given."""
    scale = np.array([fit.unit, *np.ones(len(fit.values) - 1)])
    values, errors = fit.values * scale, fit.errors * scale
    pairs = zip(names[: len(values)], values, errors, strict=True)
    return {
        key: float(number)
        for name, value, error in pairs
        for key, number in ((name, value), (f"Unc_{name}", error))
    }


def _of_bands(
    fits: BandFits, best: SpectralFit, energies: list[tuple[float, float]]
) -> dict[str, np.ndarray]:
    """Columns of the bands."""
    amplitude = best.values[0] if best.values[0] > 0 else 1.0
    values = np.concatenate([[amplitude], best.values[1:]])

    def density(energy: np.ndarray) -> np.ndarray:
        return best.unit * best.form.density(energy, best.pivot, values)

    one = np.array([float(photon_flux(density, *edges)) for edges in energies])
    middle = np.array([np.sqrt(low * high) for low, high in energies])
    nu = middle**2 * density(middle) * MEV_TO_ERG
    limited = fits.ts < LIMITED
    half = (fits.limit - fits.factor) / 2
    above = np.where(limited, half, fits.above)
    return {
        "Flux_Band": fits.factor * one,
        "Unc_Flux_Band": np.stack([-fits.below * one, above * one], axis=-1),
        "Flux_UL_Band": fits.limit * one,
        "nuFnu_Band": fits.factor * nu,
        "Sqrt_TS_Band": np.sqrt(fits.ts),
    }


def _of_place(ellipse: Ellipse, settings: Settings) -> dict[str, Any]:
    """Columns of the position: axes, and vectors from which angles follow."""
    major, minor = ellipse.axes()
    found: dict[str, Any] = {"vector": ellipse.vector, "along": ellipse.along()}
    scales = (68, ellipse.scale68), (95, ellipse.scale95)
    for (share, scale), floor in zip(scales, settings.floors, strict=True):
        found[f"Conf_{share}_SemiMajor"] = float(np.hypot(scale * major, floor))
        found[f"Conf_{share}_SemiMinor"] = float(np.hypot(scale * minor, floor))
    return found


def _flags(
    field: Field, local: Any, spectra: Spectra, fits: BandFits, counts: np.ndarray, good: bool
) -> Flag:
    """Flags of spectrum, bands and surroundings."""
    flags = Flag(0)
    best = spectra.best
    if not (spectra.good and fits.good and good):
        flags |= Flag.FIT_FAILED
    if best.form is not POWER_LAW and best.at_limit[1]:
        flags |= Flag.HIGHLY_CURVED
    error = np.where(fits.factor < 1, fits.above, fits.below)
    known = np.isfinite(error) & (error > 0)
    miss = (((fits.factor - 1) / np.where(known, error, 1)) ** 2)[known].sum()
    freedom = max(np.count_nonzero(known) - len(best.values), 1)
    if chi2.sf(miss, freedom) < _IMPROBABLE and np.count_nonzero(known) > len(best.values):
        flags |= Flag.POOR_SPECTRUM
    if field.overlap > _CONFUSING:
        flags |= Flag.CONFUSED
    if field.seen(counts) < _SEEN:
        flags |= Flag.AT_EDGE
    if _is_faint(field, local, fits, counts):
        flags |= Flag.FAINT_AGAINST_BACKGROUND
    return flags


def _is_faint(field: Field, local: Local, fits: BandFits, counts: np.ndarray) -> bool:
    """Whether a source is below a tenth of the background in its highest significant band."""
    instrument = field.instrument
    energies = sorted(set(instrument.edges))
    seen = np.flatnonzero(fits.ts > _SIGNIFICANT)
    if not len(seen):
        return False
    channels = [i for i, one in enumerate(instrument.edges) if one == energies[seen[-1]]]
    own = sum(float(counts[i]) for i in channels) * float(fits.factor[seen[-1]])
    return own * _INSIDE < _FAINT * sum(_background(field, i) for i in channels)


def _background(field: Field, band: int) -> float:
    """Expected background within r68 of the PSF, or within a square degree if that is smaller."""
    psf, pixels = field.instrument.psfs[band], field.instrument.pixels[band]
    radius = psf.containment_radius(_INSIDE).to_value("deg")
    area = min(np.pi * radius**2, 1.0) / pixels.pixel_area.to_value("deg2")
    valid = field.region.valid[band]
    if not valid.any():
        return 0.0
    return area * float(np.mean(field.region.background[band][valid]))


def _flags_of_place(ellipse: Ellipse, region: Region, values: dict[str, Any]) -> Flag:
    """Flags of the position."""
    flags = Flag(0)
    if not ellipse.good or values["Conf_95_SemiMajor"] > _WIDE:
        flags |= Flag.POOR_POSITION
    offset = np.degrees(np.linalg.norm(ellipse.vector - region.vector))
    if offset > values["Conf_95_SemiMajor"]:
        flags |= Flag.PEAK_ELSEWHERE
    return flags
