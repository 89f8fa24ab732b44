"""What later weeks confirm, on detections that are known to be real or false."""

from __future__ import annotations

import later_weeks
import numpy as np
import pytest
from later_shares import Calibration, Sums


def drawn(n_real: int, n_false: int, *, seed: int) -> Sums:
    """Detections of flux one; later, real ones have 0.7 and false ones 0.1, with noise of one."""
    rng = np.random.default_rng(seed)
    real = np.repeat([True, False], [n_real, n_false])
    later = np.where(real, 0.7, 0.1) + rng.normal(size=len(real))
    return Sums(np.ones(len(real)), later, np.ones(len(real)), real)


def test_the_share_of_real_detections_is_found_without_their_labels():
    known = drawn(40_000, 40_000, seed=1)
    calibration = Calibration.of([known], known.take(~known.real).ratio()[0])
    share, error = calibration.share(drawn(6_000, 4_000, seed=2))
    assert share == pytest.approx(0.6, abs=3 * error)
    assert error == pytest.approx(0.018, rel=0.05)


def test_detections_without_flux_have_no_ratio_and_no_error():
    assert drawn(0, 0, seed=3).ratio() == (0.0, 0.0)


def test_every_score_that_is_fitted_is_in_one_bin():
    for name, least in later_weeks.LEAST.items():
        # Detections below the lowest bin serve only to find a cut.
        assert later_weeks.BINS[name][0] == least or name == later_weeks.DEEP
