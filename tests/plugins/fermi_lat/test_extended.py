"""Extended sources in maps, images and patches."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import QTable
from numpy.testing import assert_allclose

from gammafind.errors import TableError
from gammafind.plugins.fermi_lat.renderer import FermiLatRenderer
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.pixels import HealpixPixels
from tests.fitting.skies import image

PLACE = SkyCoord(83.6, 22.0, unit="deg")


@pytest.fixture(scope="module")
def renderer() -> FermiLatRenderer:
    return FermiLatRenderer(energies=(2, 20), nsides=(128,))


def source(place: SkyCoord = PLACE, **extension: object) -> QTable:
    """One source of the table of a user, without a spectrum."""
    table = QTable({"name": ["one"], "ra": [place.ra], "dec": [place.dec]})
    table["class_label"], table["flux"] = ["OTHER"], [1e-6] * u.Unit("cm-2 s-1")
    for name, value in extension.items():
        table[f"extension_{name}"] = [value]
    return table


def disc(radius: float = 1.5, **more: object) -> QTable:
    return source(model="disc", radius=radius * u.deg, **more)


def spread(renderer: FermiLatRenderer, table: QTable) -> np.ndarray:
    """Mean squared distances from the centre, in deg2, to the north and to the east."""
    values = renderer.render(table).values[0].astype(float)
    here = renderer.pixels[0].centres().icrs.transform_to(PLACE.skyoffset_frame())
    near = PLACE.separation(renderer.pixels[0].centres().icrs) < 6 * u.deg
    offsets = (here.lat.deg, here.lon.wrap_at(180 * u.deg).deg)
    return np.array([np.average(x[near] ** 2, weights=values[near]) for x in offsets])


@pytest.mark.parametrize(
    "extension",
    [
        {"model": "disc", "radius": 1.5},
        {"model": "ring", "radius": 1.5, "inner": 1.0},
        {"model": "gaussian", "radius": 1.0},
        {"model": "disc", "radius": 1.5, "ratio": 0.5, "angle": 30.0},
    ],
)
def test_an_extended_source_keeps_its_counts(renderer, extension):
    table = source(**extension)
    expected = renderer.source_counts(table)[0, 0]
    assert renderer.render(table).values[0].sum() == pytest.approx(expected, rel=2e-3)


def test_a_disc_is_as_wide_as_points_that_fill_it(renderer):
    round_disc, points = (spread(renderer, disc(ratio=ratio)) for ratio in (1.0, 1 - 1e-9))
    assert_allclose(round_disc, points, rtol=0.02)


def test_an_ellipse_lies_at_its_angle(renderer):
    point = spread(renderer, source())
    north, east = spread(renderer, disc(2.0, ratio=0.25, angle=0.0)) - point
    assert_allclose([north, east], [2.0**2 / 4, 0.5**2 / 4], rtol=0.05)


def test_a_disc_is_the_same_in_maps_images_and_patches(renderer):
    pixels = image(40, 0.25, PLACE.galactic.l.deg, PLACE.galactic.b.deg)
    table = disc()
    seen = renderer.render(table, [pixels]).values[0]
    fine = renderer.render(table, [HealpixPixels(512)]).values[0]
    dense = HealpixPixels(512).interpolate(fine, pixels.centres())
    scale = 0.25**2 / HealpixPixels(512).pixel_area.to_value("deg2")
    middle = seen > 0.8 * seen.max()
    assert_allclose(seen[middle], dense[middle] * scale, rtol=0.03)
    assert seen.sum() == pytest.approx(dense.sum() * scale, rel=0.01)


def test_a_disc_in_patches_keeps_its_counts(renderer):
    grid = PatchGrid(np.array([PLACE.galactic.l.deg]), np.array([PLACE.galactic.b.deg]), 12 * u.deg)
    patches = renderer.render_patches(disc(), grid, (64,))
    point = renderer.render_patches(source(), grid, (64,))
    totals = [(p.counts[0] - p.background[0]).sum() for p in (patches, point)]
    assert totals[0] == pytest.approx(totals[1], rel=0.01)


def test_a_map_is_rendered_at_its_own_place(renderer, tmp_path):
    values = np.zeros((30, 40))
    values[10:20, 12:20] = 2.0
    header = fits.Header(
        {
            "CTYPE1": "GLON-CAR", "CTYPE2": "GLAT-CAR", "CRVAL1": 120.0, "CRVAL2": 0.0,
            "CRPIX1": 16.0, "CRPIX2": 15.0, "CDELT1": -0.1, "CDELT2": 0.1,
        }
    )  # fmt: skip
    fits.PrimaryHDU(values, header).writeto(tmp_path / "template.fits")
    table = source(model="map", map=str(tmp_path / "template.fits"))
    seen = renderer.render(table).values[0].astype(float)
    centre = SkyCoord(*(seen @ renderer.pixels[0].vectors), representation_type="cartesian",
                      frame="galactic")  # fmt: skip
    assert seen.sum() == pytest.approx(renderer.source_counts(table)[0, 0], rel=2e-3)
    lon = 120 - 0.1 * (15.5 + 1 - 16.0)
    place = SkyCoord(lon, 0.1 * (14.5 + 1 - 15.0), unit="deg", frame="galactic")
    assert centre.separation(place) < 0.05 * u.deg


@pytest.mark.parametrize(
    ("extension", "fault"),
    [
        ({"model": "cube", "radius": 1.0}, "unknown"),
        ({"model": "disc"}, "lacks the column extension_radius"),
        ({"model": "disc", "radius": -1.0}, "radius -1 deg"),
        ({"model": "map"}, "no extension_map"),
    ],
)
def test_an_impossible_extension_is_named(renderer, extension, fault):
    with pytest.raises(TableError, match=fault):
        renderer.render(source(**extension))
