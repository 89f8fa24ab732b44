"""Maps added up over larger pixels."""

import healpy as hp
import numpy as np
import pytest

from gammafind.sky.degrade import added_up


@pytest.mark.parametrize("nside", [2, 8, 16])
def test_sums_are_those_of_healpy(nside):
    values = np.random.default_rng(1).normal(size=hp.nside2npix(8))
    np.testing.assert_allclose(
        added_up(values, nside), hp.ud_grade(values, nside, power=-2), atol=1e-12
    )
