"""Columns of the 4FGL catalogues: units, UCDs and old names."""

from __future__ import annotations

from dataclasses import replace

from gammafind.catalogue.schema import Column

ALIASES = {"CLASS": "CLASS1"}
"""Column names of early files, and their later names."""

_FLUX = "cm-2 s-1"
_DENSITY = "cm-2 s-1 MeV-1"
_ENERGY_FLUX = "erg cm-2 s-1"


def _error_of(name: str, unit: str, ucd: str) -> Column:
    return Column(
        f"Unc_{name}", unit, f"stat.error;{ucd}", f"1 sigma error of {name}", required=False
    )


def _extension(name: str, unit: str, ucd: str, description: str, dtype: str = "f8") -> Column:
    return Column(f"extension_{name}", unit, ucd, description, dtype, required=False)


FERMI_CATALOGUE = (
    Column("Source_Name", "", "meta.id;meta.main", "4FGL name", "U"),
    Column("RAJ2000", "deg", "pos.eq.ra;meta.main", "Right ascension (J2000)"),
    Column("DEJ2000", "deg", "pos.eq.dec;meta.main", "Declination (J2000)"),
    Column("GLON", "deg", "pos.galactic.lon", "Galactic longitude"),
    Column("GLAT", "deg", "pos.galactic.lat", "Galactic latitude"),
    Column(
        "Conf_68_SemiMajor",
        "deg",
        "stat.error;pos",
        "Semi-major axis of the 68 % ellipse",
        required=False,
    ),
    Column("Conf_95_SemiMajor", "deg", "stat.error;pos", "Semi-major axis of the 95 % ellipse"),
    Column(
        "Conf_95_SemiMinor",
        "deg",
        "stat.error;pos",
        "Semi-minor axis of the 95 % ellipse",
        required=False,
    ),
    Column(
        "Conf_95_PosAng",
        "deg",
        "pos.posAng",
        "Position angle of the 95 % ellipse, east of north",
        required=False,
    ),
    Column(
        "Extended_Source_Name", "", "meta.id", "Name of the extended source", "U", required=False
    ),
    _extension("model", "", "meta.code", "Shape: disc, ring, gaussian, or empty for a point", "U"),
    _extension(
        "radius",
        "deg",
        "phys.angSize.smajAxis",
        "Longer semi-axis; 68 % of a Gaussian, outer one of a ring",
    ),
    _extension("inner", "deg", "phys.angSize", "Inner radius of a ring"),
    _extension("ratio", "", "phys.angSize;arith.ratio", "Shorter over longer semi-axis"),
    _extension("angle", "deg", "pos.posAng", "Position angle of the longer axis, east of north"),
    _extension("note", "", "meta.note", "What the shape stands for, or where it is from", "U"),
    Column("Signif_Avg", "", "stat.snr", "Significance over the whole time, in sigma"),
    Column("Pivot_Energy", "MeV", "em.energy", "Energy of the least correlated flux"),
    Column("Flux1000", _FLUX, "phot.flux;em.gamma", "Photon flux, 1-100 GeV"),
    Column("Unc_Flux1000", _FLUX, "stat.error;phot.flux;em.gamma", "1 sigma error of Flux1000"),
    Column("Energy_Flux100", _ENERGY_FLUX, "phot.flux;em.gamma", "Energy flux, 0.1-100 GeV"),
    _error_of("Energy_Flux100", _ENERGY_FLUX, "phot.flux;em.gamma"),
    Column("SpectrumType", "", "meta.code;spect", "Form of the listed spectrum", "U"),
    Column("PL_Flux_Density", _DENSITY, "phot.flux.density;em.gamma", "F0 of the power law"),
    Column("PL_Index", "", "spect.index;em.gamma", "Photon index of the power law"),
    _error_of("PL_Index", "", "spect.index;em.gamma"),
    Column("LP_Flux_Density", _DENSITY, "phot.flux.density;em.gamma", "F0 of the log-parabola"),
    Column("LP_Index", "", "spect.index;em.gamma", "Photon index of the log-parabola at E0"),
    _error_of("LP_Index", "", "spect.index;em.gamma"),
    Column("LP_beta", "", "spect.index;em.gamma", "Curvature of the log-parabola"),
    _error_of("LP_beta", "", "spect.index;em.gamma"),
    Column("LP_SigCurv", "", "stat.snr", "Significance of the log-parabola", required=False),
    Column(
        "PLEC_Flux_Density", _DENSITY, "phot.flux.density;em.gamma", "F0 of the cut-off power law"
    ),
    Column(
        "PLEC_Index", "", "spect.index;em.gamma", "Gamma of the cut-off of DR1-DR2", required=False
    ),
    Column(
        "PLEC_Expfactor",
        "",
        "arith.factor;spect.index",
        "a of the cut-off of DR1-DR2, exp(a (E0^b - E^b)), E in MeV",
        required=False,
    ),
    Column(
        "PLEC_IndexS",
        "",
        "spect.index;em.gamma",
        "Photon index at E0 of the cut-off of DR3-DR4",
        required=False,
    ),
    Column(
        "PLEC_ExpfactorS",
        "",
        "arith.factor;spect.index",
        "Curvature d at E0 of the cut-off of DR3-DR4",
        required=False,
    ),
    Column("PLEC_Exp_Index", "", "spect.index;em.gamma", "Exponent b of the cut-off"),
    Column("PLEC_SigCurv", "", "stat.snr", "Significance of the cut-off", required=False),
    Column("Npred", "", "phot.count;em.gamma", "Predicted counts", required=False),
    Column("Flux_Band", _FLUX, "phot.flux;em.gamma", "Photon flux in each band"),
    Column("Sqrt_TS_Band", "", "stat.snr", "Square root of TS in each band", required=False),
    Column(
        "Variability_Index", "", "src.var.index", "2 ln of the likelihood ratio against a constant"
    ),
    Column(
        "Frac_Variability", "", "src.var.amplitude", "Fractional yearly variability", required=False
    ),
    _error_of("Frac_Variability", "", "src.var.amplitude"),
    Column("Flux_History", _FLUX, "phot.flux;em.gamma", "Photon flux in each year, 0.1-100 GeV"),
    Column("CLASS1", "", "meta.code.class;src.class", "Class of the counterpart", "U"),
    Column("CLASS2", "", "meta.code.class;src.class", "Second class", "U", required=False),
    Column("ASSOC1", "", "meta.id.cross", "Name of the counterpart", "U"),
    Column("Flags", "", "meta.code.qual", "Analysis flags, bitwise", "i8", required=False),
)
"""The schema of `read_fermi_catalogue`, with the names of 4FGL-DR2."""

_IN_ALL = (
    "Source_Name",
    "RAJ2000",
    "DEJ2000",
    "GLON",
    "GLAT",
    "Conf_95_SemiMajor",
    "Conf_95_SemiMinor",
    "Conf_95_PosAng",
    "Signif_Avg",
    "Flux1000",
    "Unc_Flux1000",
    "CLASS1",
    "ASSOC1",
    "Extended_Source_Name",
)
_OF_FHL = (
    Column("Pos_err_95", "deg", "stat.error;pos", "Radius that holds the position at 95 %"),
    Column("TS", "", "stat.likelihood", "Test statistic: 2 ln of the likelihood ratio"),
    Column("Flux50", _FLUX, "phot.flux;em.gamma", "Photon flux, 50-2000 GeV"),
    Column("Unc_Flux50", _FLUX, "stat.error;phot.flux;em.gamma", "1 sigma error of Flux50"),
    Column("Flux", _FLUX, "phot.flux;em.gamma", "Photon flux, 10-1000 GeV"),
    Column("Unc_Flux", _FLUX, "stat.error;phot.flux;em.gamma", "1 sigma error of Flux"),
    Column("CLASS", "", "meta.code.class;src.class", "Class of the counterpart", "U"),
    Column("ASSOC", "", "meta.id.cross", "Name of the counterpart", "U"),
)
REFERENCE_COLUMNS = tuple(
    replace(column, required=False)
    for column in (*FERMI_CATALOGUE, *_OF_FHL)
    if column.name in _IN_ALL or column.name.startswith("extension_") or column in _OF_FHL
)
"""Columns of a reference catalogue, as far as it has them: 4FGL, FL16Y, 2FHL or 3FHL."""
