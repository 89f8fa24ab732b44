from __future__ import annotations

import numpy as np
import pytest

from gammafind.plugins.fermi_lat.irf import read_effective_area
from gammafind.plugins.fermi_lat.irf.effective_area import efficiency_line


def test_golden_values_at_bin_centres(embedded):
    area = read_effective_area(embedded, "FRONT")
    energy = 10 ** area.axes.log_energy[[20, 40, 60]]
    cosine = area.axes.cos_theta[[31, 16]]
    np.testing.assert_allclose(
        area.value(energy, cosine), area.area[np.ix_([31, 16], [20, 40, 60])].T, rtol=1e-12
    )
    assert area.irf == "P8R3_ULTRACLEANVETO_V3"


def test_no_area_below_the_lowest_inclination_bin(embedded):
    area = read_effective_area(embedded, "FRONT")
    value = area.value(np.array([1e3]), np.array([0.0, 0.199, 0.201]))[0]
    assert value[0] == value[1] == 0
    assert value[2] > 0


def test_efficiency_line_is_continuous_with_the_slopes_of_its_pieces():
    line = np.array([-2.0, 5.7, -0.5, 2.4, -0.1, 3.5])
    at = efficiency_line(np.array([1.0, 2.0, 2.4, 3.0, 3.5, 4.0, 5.0]), line)
    assert at[0] == pytest.approx(3.7)
    assert at[1] - at[0] == pytest.approx(-2.0)
    assert at[3] - at[2] == pytest.approx(-0.5 * 0.6)
    assert at[6] - at[5] == pytest.approx(-0.1)
    assert at[4] == pytest.approx(at[3] - 0.25)


@pytest.mark.parametrize("event_type", ["FRONT", "BACK", "PSF0", "PSF3"])
def test_efficiency_is_near_one_at_the_usual_livetime_fraction(embedded, event_type):
    area = read_effective_area(embedded, event_type)
    energy = np.geomspace(300, 3e5, 30)
    offset, slope = area.livetime_factors(energy)
    np.testing.assert_allclose(offset + 0.905 * slope, 1, atol=0.03)
    assert np.all(slope > 0)
