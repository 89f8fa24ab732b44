from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from numpy.testing import assert_allclose

from gammafind.catalogue.extended import extended_sources
from gammafind.fitting.photons.data import sky_data, source_size
from gammafind.fitting.photons.extended_profiles import pixel_profile, seen_through
from gammafind.fitting.photons.extended_templates import known_sources, r68_of, round_source
from gammafind.fitting.photons.extension import fit_extension
from gammafind.fitting.photons.extension_scan import quick_extension
from gammafind.fitting.photons.neighbourhood import fit_few
from gammafind.fitting.photons.sky_model import SkyModel, background_components
from gammafind.sky.projection import unit_vectors
from gammafind.sky.psf_stamps import averaged_profile, point_source_map
from gammafind.sky.shapes import GAUSSIAN_R68, Shape, convolved
from tests.fitting.skies import aside, gaussian_psf, image, observe

PSF = gaussian_psf(0.4)
CENTRE = unit_vectors(120.3, 44.6)
LEVEL = 1.0


def model_of(shape, counts, *, points=(), fluxes=(), seed=1) -> SkyModel:
    """Model without sources of a sky that has one extended source and points."""
    pixels = image(40, step=0.25)
    flat = np.full(int(np.prod(pixels.shape)), LEVEL)
    data = sky_data(observe([flat], [flat], [pixels], [PSF]), index=2.3)
    expected = flat.copy()
    if shape is not None:
        source = round_source(data, CENTRE, shape)
        np.add.at(expected, source.places[0], counts * source.shares[0])
    points = np.asarray(points, dtype=float).reshape(-1, 3)
    if len(points):
        expected += point_source_map(points, np.array(fluxes, dtype=float), pixels, PSF)
    sky = observe([expected], [flat], [pixels], [PSF], rng=np.random.default_rng(seed))
    data = sky_data(sky, index=2.3)
    return SkyModel(data, background_components(sky, data), 0.0)


def fitted(model, places, counts):
    """Model with points near their best counts."""
    model.add(np.asarray(places, dtype=float).reshape(-1, 3), np.array(counts, dtype=float))
    model.update(background=False)
    return model


def best(model, row=0):
    size = source_size(model.data)
    return fit_extension(model.data, model.vectors, model.counts, row, size, 2 * size)


def test_a_disc_is_much_more_probable_than_a_point_and_has_its_radius():
    model = fitted(model_of(Shape("disc", np.radians(1.0)), 2000), CENTRE, [1500])
    found = best(model)
    assert found.ts > 100
    true = np.sqrt(0.68)
    assert abs(found.r68 - true) < 3 * found.r68_error
    assert 0.005 < found.r68_error < 0.1
    assert np.degrees(np.linalg.norm(found.vector - CENTRE)) < 4 * found.sigma
    assert_allclose(found.counts.sum(), 2000, rtol=0.1)


def test_points_on_a_disc_are_replaced_by_it_together():
    shape = Shape("disc", np.radians(1.2))
    around = [aside(CENTRE, 0.7, angle) for angle in (0.0, 1.6, 3.1, 4.7)]
    model = fitted(model_of(shape, 3000), around, [600] * 4)
    found = best(model)
    assert sorted(found.replaced) == [0, 1, 2, 3]
    assert found.ts > 25
    assert_allclose(found.r68, 1.2 * np.sqrt(0.68), rtol=0.1)


def test_a_bright_point_on_a_disc_stays():
    pulsar = aside(CENTRE, 0.5)
    shape = Shape("disc", np.radians(1.2))
    sky = model_of(shape, 3000, points=pulsar, fluxes=[2000])
    found = best(fitted(sky, [CENTRE, pulsar], [2000, 2000]))
    assert found.replaced.tolist() == [0]
    assert found.ts > 25


def test_true_points_are_not_replaced():
    places = [CENTRE, aside(CENTRE, 1.2, 0.3), aside(CENTRE, 1.5, 2.0)]
    sky = model_of(None, 0, points=places, fluxes=[500, 300, 200])
    model = fitted(sky, places, [500, 300, 200])
    for row in range(3):
        found = best(model, row)
        assert found is None or found.ts < 9


def test_the_quick_test_separates_a_disc_from_a_point():
    far = aside(CENTRE, 4.0)
    sky = model_of(Shape("disc", np.radians(0.8)), 2000, points=far, fluxes=[2000])
    model = fitted(sky, [CENTRE, far], [1500, 2000])
    unit = 2 * source_size(model.data)
    disc, point = quick_extension(model.data, model.vectors, model.counts, unit)
    assert disc > 50
    assert point < 4


@pytest.mark.parametrize("radius", [0.3, 1.0, 3.0])
def test_a_gaussian_through_a_gaussian_psf_is_wider_in_quadrature(radius):
    found = seen_through(PSF, Shape("gaussian", np.radians(radius)))
    expected = gaussian_psf(np.hypot(0.4, radius / GAUSSIAN_R68))
    theta = np.radians(np.linspace(0, 2 * radius, 50))
    assert_allclose(found(theta), expected(theta), atol=0.02 * expected(0))


@pytest.mark.parametrize("radius", [0.3, 1.0, 3.0])
def test_profiles_in_pixels_are_averages_of_exact_ones(radius):
    shape, width = Shape("disc", np.radians(radius)), np.radians(0.25)
    chord, density = pixel_profile(PSF, shape, width)
    averaged = np.interp(chord, *averaged_profile(convolved(PSF, shape), width))
    assert_allclose(density, averaged, atol=0.02 * averaged.max())


@pytest.mark.parametrize(
    ("shape", "r68"),
    [
        (Shape("disc", np.radians(1.0)), np.sqrt(0.68)),
        (Shape("gaussian", np.radians(0.7)), 0.7),
        (Shape("ring", np.radians(1.0), inner=np.radians(0.5)), np.sqrt(0.25 + 0.68 * 0.75)),
    ],
)
def test_r68_holds_68_percent(shape, r68):
    assert_allclose(r68_of(shape), r68)


def test_amplitudes_of_a_small_fit_are_not_negative():
    counts, fixed = np.array([5.0, 1.0, 1.0]), np.full(3, 2.0)
    _, amplitude = fit_few(counts, fixed, np.array([[1.0, 0, 0], [0, 1.0, 1.0]]))
    assert_allclose(amplitude, [3.0, 0.0], atol=1e-3)


def test_known_sources_have_their_place_shape_and_name_in_the_model():
    model = model_of(Shape("disc", np.radians(1.0)), 1000)
    place = SkyCoord([120.3, 300.0], [44.6, -60.0], unit="deg", frame="galactic").icrs
    table = extended_sources(
        QTable(
            {
                "name": ["shell", "elsewhere"],
                "ra": place.ra,
                "dec": place.dec,
                "shape": ["Disk", "disc"],
                "radius": [1.0, 1.0] * u.deg,
            }
        )
    )
    (source,) = known_sources(model.data, table)
    assert (source.name, source.model) == ("shell", "disc")
    assert_allclose(source.shares[0].sum(), 1, atol=0.02)
    assert source.holds(aside(source.vector, 0.9)[None]).all()
    assert not source.holds(aside(source.vector, 1.1)[None]).any()
