"""Columns of measured sources, with the names, units and meanings of the catalogues of the LAT.

Photons are numbers here, ``cm-2 s-1``, as in all tables of gammafind; files in the layout of the
LAT spell the unit ``ph cm-2 s-1``. UCDs are those of the LAT where these are valid; of errors
``stat.error`` comes first, as the standard wants.

References
----------
Abdollahi et al. 2020, ApJS 247, 33 (arXiv:1902.10045), table 12; Abdollahi et al. 2022, ApJS 260,
53 (arXiv:2201.11184), table 10: columns of 4FGL and 4FGL-DR3.
"""

from __future__ import annotations

from functools import partial

from gammafind.catalogue.schema import FLAGS, Column

ENERGY_EDGES = "energy_edges_mev"
"""Metadata of a catalogue: edges of the bands of ``Flux_Band``, ``[[low, high], ...]`` in MeV."""
EPOCH_EDGES, EPOCH_SPANS = "epoch_edges_met", "epoch_spans_met"
"""Metadata: epochs of ``Flux_History``, mission elapsed time in s: times between which they lie, or
``[[start, stop], ...]`` where there are gaps."""
BANDS, EPOCHS, BOUNDS = "band", "epoch", "bound"
"""Axes of columns. Of ``BOUNDS`` the first is the error below, a negative number as in the
catalogues of the LAT, and the second the error above."""

_FLUX, _DENSITY, _ENERGY_FLUX = "cm-2 s-1", "cm-2 s-1 MeV-1", "erg cm-2 s-1"
_PHOTONS, _OF_ENERGY = "phot.count;em.gamma", "phot.flux;em.gamma"
_DIFFERENTIAL = "phot.flux.density;em.gamma"

_column = partial(Column, required=False)


def _with_error(
    name: str, unit: str, ucd: str, description: str, axes: tuple[str, ...] = ()
) -> tuple[Column, Column]:
    """Value and its 1 sigma error; vectors have errors below and above."""
    both = " below (negative) and above" if axes else ""
    error = _column(
        f"Unc_{name}",
        unit,
        f"stat.error;{ucd}",
        f"1 sigma error of {name}{both}" + (_LIMITS if axes else ""),
        axes=(*axes, BOUNDS) if axes else (),
    )
    return _column(name, unit, ucd, description, axes=axes), error


_LIMITS = "; where TS < 1 the first is NaN and the second half the distance to the 95 % upper limit"

_ELLIPSE = tuple(
    column
    for share in (68, 95)
    for column in (
        _column(
            f"Conf_{share}_SemiMajor", "deg", "stat.error;pos",
            f"Longer semi-axis of the {share} % error ellipse", holds=f"r{share}",
        ),
        _column(
            f"Conf_{share}_SemiMinor", "deg", "stat.error;pos",
            f"Shorter semi-axis of the {share} % error ellipse",
        ),
        _column(
            f"Conf_{share}_PosAng", "deg", "pos.posAng",
            f"Position angle of the {share} % error ellipse, east of north",
        ),
    )
)  # fmt: skip

MEASURED_POSITIONS = (
    _column("RAJ2000", "deg", "pos.eq.ra;meta.main", "Right ascension (ICRS)", holds="ra"),
    _column("DEJ2000", "deg", "pos.eq.dec;meta.main", "Declination (ICRS)", holds="dec"),
    _column("GLON", "deg", "pos.galactic.lon", "Galactic longitude", holds="glon"),
    _column("GLAT", "deg", "pos.galactic.lat", "Galactic latitude", holds="glat"),
    *_ELLIPSE,
)
"""Position and error ellipses; the systematic floor of positions is in them."""

MEASURED_SPECTRA = (
    _column(
        "Signif_Avg", "", "stat.snr", "Significance: the square root of TS", holds="significance"
    ),
    _column("Pivot_Energy", "MeV", "em.energy", "Energy E0 of the least correlated flux density"),
    *_with_error("Flux1000", _FLUX, _PHOTONS, "Photon flux, 1-100 GeV"),
    *(
        _column(
            f"Unc_Flux1000_{side}", _FLUX, f"stat.error;{_PHOTONS}",
            f"Distance of the end {side.lower()} of the 68 % interval of Flux1000",
        )
        for side in ("Below", "Above")
    ),
    *_with_error("Energy_Flux100", _ENERGY_FLUX, _OF_ENERGY, "Energy flux, 0.1-100 GeV"),
    *_with_error("Energy_Flux", _ENERGY_FLUX, _OF_ENERGY, "Energy flux in the range of the bands"),
    _column(
        "SpectrumType", "", "meta.code;spect",
        "Best form: PowerLaw, LogParabola or PLSuperExpCutoff", "U",
    ),
    *_with_error("PL_Flux_Density", _DENSITY, _DIFFERENTIAL, "Power law: flux density at E0"),
    *_with_error("PL_Index", "", "spect.index", "Power law: photon index"),
    *_with_error("LP_Flux_Density", _DENSITY, _DIFFERENTIAL, "Log-parabola: flux density at E0"),
    *_with_error("LP_Index", "", "spect.index", "Log-parabola: photon index at E0"),
    *_with_error("LP_beta", "", "spect.index", "Log-parabola: curvature beta"),
    _column("LP_SigCurv", "", "stat.snr", "Log-parabola against power law, in sigma"),
    *_with_error("LP_EPeak", "MeV", "em.energy", "Log-parabola: energy of the peak of nu F_nu"),
    *_with_error(
        "PLEC_Flux_Density", _DENSITY, _DIFFERENTIAL, "Cut-off power law: flux density at E0"
    ),
    *_with_error("PLEC_IndexS", "", "spect.index", "Cut-off power law: photon index at E0"),
    *_with_error("PLEC_ExpfactorS", "", "spect.index", "Cut-off power law: curvature d at E0"),
    *_with_error("PLEC_Exp_Index", "", "spect.index", "Cut-off power law: exponent b"),
    _column("PLEC_SigCurv", "", "stat.snr", "Cut-off power law against power law, in sigma"),
    *_with_error(
        "PLEC_EPeak", "MeV", "em.energy", "Cut-off power law: energy of the peak of nu F_nu"
    ),
    _column("Npred", "", _PHOTONS, "Predicted counts of the source", holds="npred"),
)  # fmt: skip
"""Spectra over all bands and epochs; PLEC is PLEC4, as in 4FGL-DR3 and later."""

MEASURED_BANDS = (
    *_with_error("Flux_Band", _FLUX, _PHOTONS, "Photon flux in each band", axes=(BANDS,)),
    _column(
        "nuFnu_Band", _ENERGY_FLUX, _DIFFERENTIAL,
        "nu F_nu at the middle of each band", axes=(BANDS,),
    ),
    _column(
        "Sqrt_TS_Band", "", "stat.snr", "Square root of TS in each band", axes=(BANDS,)
    ),
    _column(
        "Flux_UL_Band", _FLUX, "phot.count;em.gamma;stat.max",
        "95 % upper limit of the photon flux in each band, where TS < 1", axes=(BANDS,),
    ),
)  # fmt: skip
"""Fluxes of each band, shape (n, bands); ``Unc_Flux_Band`` (n, bands, 2)."""

MEASURED_HISTORY = (
    _column(
        "Variability_Index", "", "src.var.index",
        "2 ln of the likelihood ratio of the fluxes of all epochs to a constant one",
    ),
    *_with_error(
        "Frac_Variability", "", "src.var.amplitude", "Standard deviation of the flux over its mean"
    ),
    _column("Signif_Peak", "", "stat.snr", "Significance in the epoch of the highest flux"),
    *_with_error("Flux_Peak", _FLUX, _PHOTONS, "Photon flux of that epoch"),
    _column("Time_Peak", "s", "time.epoch", "Middle of that epoch, mission elapsed time"),
    _column("Peak_Interval", "s", "time.interval", "Length of that epoch"),
    *_with_error(
        "Flux_History", _FLUX, _PHOTONS, "Photon flux in each epoch, in the range of the bands",
        axes=(EPOCHS,),
    ),
    _column(
        "Sqrt_TS_History", "", "stat.snr", "Square root of TS in each epoch", axes=(EPOCHS,)
    ),
    _column(
        "Flux_UL_History", _FLUX, "phot.count;em.gamma;stat.max",
        "95 % upper limit of the photon flux in each epoch, where TS < 1", axes=(EPOCHS,),
    ),
)  # fmt: skip
"""Fluxes of each epoch, shape (n, epochs); ``Unc_Flux_History`` (n, epochs, 2)."""

NAME_COLUMNS = {
    "ASSOC_FGL": "Name in another catalogue of the LAT above 100 MeV",
    "ASSOC_FHL": "Name in a catalogue of the LAT above 10 GeV",
    "ASSOC_GAM1": "Name in another catalogue of gamma rays",
    "ASSOC_GAM2": "Name in another catalogue of gamma rays",
    "ASSOC_GAM3": "Name in another catalogue of gamma rays",
    "ASSOC_TEV": "Name in a catalogue of very high energies",
}
"""Columns that may hold names, as in FL16Y, and their descriptions."""

MEASURED_CLASSES = (
    _column(
        "CLASS1", "", "meta.code.class;src.class", "Class of the source", "U", holds="class_label"
    ),
    _column("CLASS2", "", "meta.code.class;src.class", "Class of the second counterpart", "U"),
    *(
        _column(name, "", "meta.id.cross", description, "U")
        for name, description in NAME_COLUMNS.items()
    ),
    _column("TEVCAT_FLAG", "", "meta.code", "Name in ASSOC_TEV: N no, P point, E extended", "U"),
    _column("ASSOC1", "", "meta.id.cross", "Name of the counterpart", "U", holds="association"),
    _column("ASSOC2", "", "meta.id.cross", "Name of the next counterpart", "U"),
    _column(
        "ASSOC_PROB_BAY",
        "",
        "stat.probability",
        "Probability of the association; 0 where there is none",
    ),
    _column("RA_Counterpart", "deg", "pos.eq.ra", "Right ascension of the counterpart (ICRS)"),
    _column("DEC_Counterpart", "deg", "pos.eq.dec", "Declination of the counterpart (ICRS)"),
    _column("Unc_Counterpart", "deg", "stat.error;pos", "95 % error radius of the counterpart"),
)
"""Classes and counterparts."""


def _systematic(name: str, unit: str, ucd: str, source: str = "") -> Column:
    """Systematic error of a column: of one cause, or of all together."""
    cause = source or "all causes"
    return _column(
        f"Sys_{source}_{name}" if source else f"Sys_{name}",
        unit,
        f"stat.error.sys;{ucd}" if ucd else "stat.error.sys",
        f"1 sigma systematic error of {name}: {cause}",
        axes=(BANDS,) if name.endswith("_Band") else (),
    )


SYSTEMATIC_CAUSES = ("Aeff", "Diffuse", "PSF")
"""Effective area, model of the diffuse emission, and PSF."""

SYSTEMATICS = (
    *(
        _systematic(name, unit, ucd, cause)
        for name, unit, ucd in (
            ("Flux1000", _FLUX, _PHOTONS),
            ("Energy_Flux100", _ENERGY_FLUX, _OF_ENERGY),
            ("Energy_Flux", _ENERGY_FLUX, _OF_ENERGY),
            ("Flux", _FLUX, _PHOTONS),
            ("Flux_Band", _FLUX, _PHOTONS),
        )
        for cause in (*SYSTEMATIC_CAUSES, "")
    ),
    _systematic("Conf_95", "deg", "pos"),
    _systematic("TS", "", ""),
)
"""Systematic errors, apart from the statistical ones."""

MEASURED = (
    *MEASURED_POSITIONS,
    *MEASURED_SPECTRA,
    *MEASURED_BANDS,
    *MEASURED_HISTORY,
    *MEASURED_CLASSES,
    *SYSTEMATICS,
    FLAGS,
)
"""All of them; every one may be missing."""
