"""A PSF whose width changes over an image."""

from __future__ import annotations

import numpy as np
import pytest

from gammafind.errors import ShapeError
from gammafind.sky.field_psf import FieldPsf, polynomial_terms

THETA = np.linspace(0, 1e-4, 200)
DENSITY = np.exp(-0.5 * (THETA / 1e-5) ** 2)


def psf(widths=(1, 0.1, 0, 0, 0, 0.2)):
    return FieldPsf(THETA, DENSITY, widths=np.array(widths), shape=(100, 200))


def test_terms_run_from_minus_one_to_one():
    assert polynomial_terms(-0.5, 99.5, (100, 200)).tolist() == [1, -1, 1, 1, -1, 1]
    assert polynomial_terms(99.5, 49.5, (100, 200)).tolist() == [1, 0, 0, 0, 0, 0]


def test_the_profile_is_as_wide_as_the_polynomial_says():
    middle, edge = (
        psf().at(*at).containment_radius(0.5).value for at in ((99.5, 49.5), (199.5, 99.5))
    )
    assert edge / middle == pytest.approx(1.3, rel=1e-3)
    assert psf().width(np.array([99.5, 199.5]), np.array([49.5, 99.5])) == pytest.approx([1, 1.3])


def test_psfs_of_other_widths_differ():
    assert psf() == psf()
    assert psf() != psf((1, 0, 0, 0, 0, 0))


def test_six_coefficients_are_needed():
    with pytest.raises(ShapeError, match="has 6 coefficients"):
        psf((1, 2))
