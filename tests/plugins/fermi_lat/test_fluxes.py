"""Tables of sources that cannot be true are refused, by the name of the first bad source."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable
from numpy.testing import assert_allclose

from gammafind.errors import TableError
from gammafind.plugins.fermi_lat.renderer import FermiLatRenderer
from gammafind.plugins.fermi_lat.spectra import DIFFERENTIAL_FLUX

FLUX = u.Unit("cm-2 s-1")


@pytest.fixture(scope="module")
def renderer() -> FermiLatRenderer:
    return FermiLatRenderer(energies=(2, 20), nsides=(8,))


def sources() -> QTable:
    """A power law, a log-parabola and a pulsar, the last of them of no flux at all."""
    return QTable(
        {
            "name": ["one", "two", "three", "four"],
            "ra": [0, 90, 180, 270] * u.deg,
            "dec": [0, 30, -60, 89] * u.deg,
            "class_label": ["BLL", "FSRQ", "PSR", "OTHER"],
            "flux": [1e-9, 2e-9, 3e-9, 0] * FLUX,
            "SpectrumType": ["PowerLaw", "LogParabola", "PLSuperExpCutoff", "PowerLaw"],
            "Pivot_Energy": [1000, 2000, 1500, 1000] * u.MeV,
            "PL_Flux_Density": [1e-12, 0, 0, 0] * DIFFERENTIAL_FLUX,
            "PL_Index": [2.0, 0, 0, 2],
            "LP_Flux_Density": [0, 1e-13, 0, 0] * DIFFERENTIAL_FLUX,
            "LP_Index": [0, 2.2, 0, 0],
            "LP_beta": [0, 0.1, 0, 0],
            "PLEC_Flux_Density": [0, 0, 1e-12, 0] * DIFFERENTIAL_FLUX,
            "PLEC_Index": [0, 0, 1.5, 0],
            "PLEC_Expfactor": [0, 0, 0.01, 0],
            "PLEC_Exp_Index": [0, 0, 0.6, 0],
            "flux_history": np.ones((4, 10)),
        }
    )


def test_what_is_asked_for_is_rendered(renderer):
    counts = renderer.source_counts(sources())[:, 0]
    assert np.all(counts[:3] > 0)
    assert counts[3] == 0
    assert_allclose(renderer.render(sources()).values[0].sum(dtype=float), counts.sum(), rtol=5e-3)


@pytest.mark.parametrize(
    ("column", "row", "value", "fault"),
    [
        ("ra", 1, np.nan * u.deg, "no valid position, the first two"),
        ("ra", 1, np.inf * u.deg, "no valid position, the first two"),
        ("dec", 2, np.nan * u.deg, "no valid position, the first three"),
        ("dec", 2, 91 * u.deg, "no valid position, the first three"),
        ("flux", 0, np.nan * FLUX, "a flux that is negative or not finite, the first one"),
        ("flux", 3, -1e-12 * FLUX, "a flux that is negative or not finite, the first four"),
        ("PL_Flux_Density", 0, -1e-12 * DIFFERENTIAL_FLUX, "a flux density that is neg.*first one"),
        ("LP_Flux_Density", 1, np.nan * DIFFERENTIAL_FLUX, "a flux density that is neg.*first two"),
        ("Pivot_Energy", 2, 0 * u.MeV, "a Pivot_Energy that is not positive, the first three"),
        ("Pivot_Energy", 2, -5 * u.MeV, "a Pivot_Energy that is not positive, the first three"),
        ("Pivot_Energy", 1, np.nan * u.MeV, "a Pivot_Energy that is not positive, the first two"),
        ("PL_Index", 0, np.nan, "an index or curvature that is not finite, the first one"),
        ("LP_beta", 1, np.inf, "an index or curvature that is not finite, the first two"),
        ("PLEC_Exp_Index", 2, np.nan, "an index or curvature that is not finite, the first three"),
        ("PLEC_Expfactor", 2, -1e3, "a spectrum whose flux is not finite, the first three"),
        ("PLEC_Expfactor", 2, 1e3, "no photons between 2 and 20 GeV, the first three"),
        ("PL_Index", 0, 1e4, "no photons between 2 and 20 GeV, the first one"),
        ("flux_history", 1, np.full(10, np.nan), "a flux_history that is negative.*the first two"),
        ("flux_history", 2, -np.ones(10), "a flux_history that is negative.*the first three"),
    ],
)
def test_the_first_bad_source_is_named(renderer, column, row, value, fault):
    table = sources()
    table[column][row] = value
    with pytest.raises(TableError, match=f"1 of 4 sources have {fault}"):
        renderer.render(table)


@pytest.mark.parametrize(
    "column", ["Pivot_Energy", "PL_Index", "LP_beta", "PLEC_Expfactor", "PLEC_Exp_Index"]
)
def test_a_missing_column_of_the_spectra_is_named(renderer, column):
    table = sources()
    del table[column]
    with pytest.raises(TableError, match=f"lacks the column {column}"):
        renderer.render(table)


def test_columns_of_forms_that_do_not_occur_may_be_missing(renderer):
    table = sources()[1:2]
    del table["PL_Index"], table["PLEC_Expfactor"]
    assert_allclose(renderer.source_counts(table), renderer.source_counts(sources())[1:2])


@pytest.mark.parametrize("n_years", [1, 9, 12])
def test_another_number_of_years_is_refused(renderer, n_years):
    table = sources()
    table["flux_history"] = np.ones((4, n_years))
    with pytest.raises(TableError, match=rf"shape \(4, {n_years}\). It must have 10 years"):
        renderer.render(table)


def test_an_unknown_class_is_refused(renderer):
    table = sources()
    table["class_label"][1] = "QSO"
    with pytest.raises(TableError, match=r"knows no sources of class 'QSO'\. class_label is one"):
        renderer.render(table)
