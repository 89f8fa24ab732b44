"""Position errors of points on extended or diffuse emission."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable

from gammafind.catalogue.flags import Flag
from gammafind.pipeline.flags import with_wider_errors


def test_points_on_other_emission_have_wider_errors():
    flags = [0, int(Flag.ON_EXTENDED), int(Flag.DIFFUSE_LIMITED | Flag.CONFUSED), int(Flag.AT_EDGE)]
    table = QTable({"pos_err": np.full(4, 0.1) * u.deg, "r95": np.full(4, 0.2) * u.deg})
    table["flags"] = flags
    wider = with_wider_errors(table)
    assert wider["pos_err"].to_value("deg") == pytest.approx([0.1, 0.15, 0.15, 0.1])
    assert wider["r95"].to_value("deg") == pytest.approx([0.2, 0.3, 0.3, 0.2])
    assert table["pos_err"].to_value("deg") == pytest.approx(0.1)


def test_without_flags_nothing_changes():
    table = QTable({"pos_err": [0.1] * u.deg})
    assert with_wider_errors(table) is table
