from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable
from numpy.testing import assert_allclose

from gammafind.catalogue.extended import extended_sources
from gammafind.catalogue.flags import Flag, has_flag
from gammafind.fitting.photons.data import sky_data
from gammafind.fitting.photons.extended_templates import round_source
from gammafind.plugins.likelihood.localiser import Likelihood
from gammafind.sky.observation import Observation
from gammafind.sky.projection import positions_of, unit_vectors
from gammafind.sky.psf_stamps import point_source_map
from gammafind.sky.shapes import Shape
from tests.fitting.skies import aside, gaussian_psf, image, observe

PSF = gaussian_psf(0.4)
CENTRE = unit_vectors(120.3, 44.6)
RADIUS = 1.2
FAR = aside(CENTRE, 4.0)


def sky_of_a_disc(counts: float) -> Observation:
    """Image of a disc, and of a point far from it."""
    pixels = image(48, step=0.25)
    flat = np.ones(int(np.prod(pixels.shape)))
    expected = flat + point_source_map(FAR[None], np.array([300.0]), pixels, PSF)
    source = round_source(
        sky_data(observe([flat], [flat], [pixels], [PSF]), index=2.3),
        CENTRE,
        Shape("disc", np.radians(RADIUS)),
    )
    np.add.at(expected, source.places[0], counts * source.shares[0])
    return observe([expected], [flat], [pixels], [PSF], rng=np.random.default_rng(1))


def search(sky: Observation, **options) -> QTable:
    return Likelihood(threshold=16.0, smoothing=0, **options).localise_sky(sky)


@pytest.fixture(scope="module")
def sky() -> Observation:
    return sky_of_a_disc(3000)


def test_a_disc_breaks_up_where_extension_is_not_tested(sky):
    found = search(sky, extension=0)
    assert len(found) > 3
    assert not np.any(found["extension"] > 0)
    assert np.all(np.isnan(found["ts_ext"]))


def test_a_disc_is_one_row_with_its_radius_and_what_is_left_on_it_is_flagged(sky):
    found = search(sky)
    found = found[~has_flag(found["flags"], Flag.ON_EXTENDED)]
    wide = np.asarray(found["extension"] > 0)
    assert wide.tolist() == [True, False]
    disc, point = found
    true = RADIUS * np.sqrt(0.68)
    assert abs(disc["extension"].value - true) < 3 * disc["extension_err"].value
    assert disc["ts_ext"] > 25 > point["ts_ext"]
    assert_allclose(disc["npred"], 3000, rtol=0.1)
    assert disc["pos_err"] > 0


def test_a_known_source_is_one_row_with_its_name(sky):
    place = positions_of(CENTRE[None], "galactic").icrs
    table = extended_sources(
        QTable({"name": ["shell"], "ra": place.ra, "dec": place.dec,
                "shape": ["disc"], "radius": [RADIUS] * u.deg})
    )  # fmt: skip
    found = search(replace(sky, extended=table))
    assert found["extended_name"].tolist() == ["shell", ""]
    assert_allclose(found["extension"][0].value, RADIUS * np.sqrt(0.68))
    assert_allclose(found["npred"][0], 3000, rtol=0.1)
    assert not np.any(has_flag(found["flags"], Flag.ON_EXTENDED))


def test_a_known_source_that_is_not_seen_is_not_listed_and_flags_nothing():
    place = positions_of(CENTRE[None], "galactic").icrs
    table = extended_sources(
        QTable({"ra": place.ra, "dec": place.dec, "shape": ["disc"], "radius": [RADIUS] * u.deg})
    )
    found = search(replace(sky_of_a_disc(0), extended=table))
    assert len(found) == 1
    assert found["extended_name"].tolist() == [""]
    assert found["flags"].tolist() == [0]


def test_a_known_source_that_is_narrower_than_the_psf_is_a_point(sky):
    place = positions_of(FAR[None], "galactic").icrs
    table = extended_sources(
        QTable({"ra": place.ra, "dec": place.dec, "shape": ["disc"], "radius": [0.1] * u.deg})
    )
    found = search(replace(sky, extended=table))
    assert not np.any(found["extended_name"] != "")
    near = np.argmin(np.abs(found["npred"] - 300))
    assert_allclose(found["npred"][near], 300, rtol=0.2)
