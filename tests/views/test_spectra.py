"""Figures of one source."""

from __future__ import annotations

import numpy as np
import pytest

from gammafind.errors import TableError
from gammafind.views.spectra import differential, light_curve_figure, sed_figure

from .conftest import measured

LOG_PARABOLA = {"type": "LogParabola", "pivot": 2.0, "density": 3.0, "index": 2.0, "exponent": 0.0}
CUTOFF = {**LOG_PARABOLA, "type": "PLSuperExpCutoff", "curvature": 0.5, "exponent": 0.6}


def test_a_spectrum_has_points_limits_and_a_curve(catalogue):
    (axes,) = sed_figure(measured(catalogue), 0).axes
    assert axes.get_title() == catalogue["Source_Name"][0]
    assert len(axes.containers) == 2
    (curve,) = [line for line in axes.lines if len(line.get_xdata()) == 100]
    energy = curve.get_xdata()
    assert curve.get_ydata()[0] == pytest.approx(
        energy[0] ** 2 * 1e-10 * (energy[0] / 2) ** -2.2 * 1.602177e-3, rel=1e-5
    )


def test_a_light_curve_begins_at_zero(catalogue):
    (axes,) = light_curve_figure(measured(catalogue), 1).axes
    assert axes.get_ylim()[0] == 0
    assert axes.get_xlabel() == "Time [MJD]"


@pytest.mark.parametrize("figure", [sed_figure, light_curve_figure])
def test_what_was_not_measured_is_no_figure(catalogue, figure):
    with pytest.raises(TableError, match="no fluxes of"):
        figure(catalogue, 0)


@pytest.mark.parametrize("fitted", [{**LOG_PARABOLA, "curvature": 0.2}, CUTOFF])
def test_curves_have_their_density_and_index_at_the_pivot(fitted):
    energy = 2.0 * np.exp([-1e-4, 0, 1e-4])
    values = differential(fitted, energy)
    assert values[1] == 3.0
    assert np.log(values[2] / values[0]) / 2e-4 == pytest.approx(-2.0, rel=1e-6)


def test_the_curvature_of_a_cutoff_is_its_d():
    step = 1e-3
    log = np.log(differential(CUTOFF, 2.0 * np.exp([-step, 0, step])))
    assert -(log[0] - 2 * log[1] + log[2]) / step**2 == pytest.approx(0.5, rel=1e-3)
