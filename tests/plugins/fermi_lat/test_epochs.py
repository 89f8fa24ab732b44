"""Years, components and patches of the LAT renderer."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from gammafind.errors import OptionError, TableError
from gammafind.plugins.fermi_lat import embedded
from gammafind.plugins.fermi_lat.renderer import FermiLatRenderer
from gammafind.plugins.fermi_lat.sources import true_sources
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.patch_grid import PatchGrid


@pytest.fixture(scope="module")
def renderer():
    return FermiLatRenderer(energies=(1, 2, 7), nsides=(32, 64), max_zeniths=(105, 105))


@pytest.fixture(scope="module")
def sources():
    """The 60 brightest sources of 4FGL-DR2."""
    table = true_sources(embedded.load_4fgl_dr2())
    return table[np.argsort(table["flux"])[-60:]]


def test_the_years_add_up_to_the_whole(renderer, sources):
    assert renderer.epochs == tuple(f"year-{i}" for i in range(1, 11))
    whole = renderer.render(sources)
    years = [renderer.at_epoch(i).render(sources) for i in range(10)]
    for band, values in enumerate(whole.values):
        total = np.sum([year.values[band] for year in years], axis=0, dtype=float)
        assert total == pytest.approx(values, rel=1e-4, abs=1e-4 * values.max())
    assert renderer.at_epoch(3).epochs == ()


def test_a_flare_shows_in_its_year_only(renderer, sources):
    one = sources[:1].copy()
    one["flux_history"] = np.eye(10)[[4]] * 10
    seen = [renderer.at_epoch(i).render(one).values[0].sum() for i in range(10)]
    assert np.flatnonzero(seen).tolist() == [4]


def test_unknown_epochs_are_refused(renderer):
    with pytest.raises(OptionError, match="epoch 10"):
        renderer.at_epoch(10)


@pytest.mark.parametrize(
    ("history", "fault"),
    [
        (np.ones((1, 9)), "shape"),
        (np.full((1, 10), np.nan), "not finite"),
        (-np.ones((1, 10)), "negative"),
    ],
)
def test_histories_that_cannot_be_are_refused(renderer, sources, history, fault):
    one = sources[:1].copy()
    one["flux_history"] = history
    with pytest.raises(TableError, match=fault):
        renderer.render(one)


def test_unknown_classes_are_refused(renderer, sources):
    one = sources[:1].copy()
    one["class_label"] = ["quark star"]
    with pytest.raises(TableError, match=r"'quark star'.*BLL"):
        renderer.render(one)


def test_components_add_up(renderer, sources):
    parts = renderer.components(sources)
    assert set(parts) == {*np.unique(sources["class_label"]), "interstellar", "isotropic"}
    background = renderer.background()
    whole = renderer.render(sources)
    for band, values in enumerate(whole.values):
        total = sum(sky.values[band] for name, sky in parts.items() if name not in background)
        assert total == pytest.approx(values, rel=1e-3, abs=1e-5 * values.max())


def test_components_by_year_are_those_of_each_year(renderer, sources):
    parts = renderer.components(sources)
    first = renderer.at_epoch(0).components(sources)
    for name, maps in renderer.component_epochs(sources, 1):
        whole = parts[name].values[1]
        assert maps.sum(axis=0) == pytest.approx(whole, rel=1e-3, abs=1e-5 * whole.max())
        of_first = first[name].values[1]
        assert maps[0] == pytest.approx(of_first, rel=0.02, abs=5e-3 * of_first.max())


@pytest.mark.parametrize(("lon", "lat"), [(0.0, 0.0), (120.0, 89.5), (310.0, -40.0)])
def test_patches_hold_what_images_of_the_same_pixels_hold(renderer, sources, lon, lat):
    grid = PatchGrid(np.array([lon]), np.array([lat]), 12.8 * u.deg)
    patches = renderer.render_patches(sources, grid, (32, 64))
    pixels = tuple(grid.pixels(0, width) for width in (32, 64))
    images, background = renderer.render(sources, pixels), renderer.background(pixels)
    exposure = renderer.exposure(pixels)
    for band in (0, 1):
        diffuse = sum(sky.values[band] for sky in background.values())
        assert patches.background[band][0] == pytest.approx(diffuse, rel=0.02)
        assert patches.exposure[band][0] == pytest.approx(exposure.values[band], rel=5e-3)
        seen = patches.counts[band][0] - patches.background[band][0]
        image = images.values[band]
        assert seen.sum() == pytest.approx(image.sum(), rel=0.01, abs=0.1)
        assert seen == pytest.approx(image, rel=0.05, abs=max(0.01 * image.max(), 0.01))


def test_patches_in_equatorial_coordinates_hold_the_same_source(renderer, sources):
    one = sources[-1:]
    here = SkyCoord(one["ra"], one["dec"])
    total = []
    for frame in ("galactic", "icrs"):
        at = here.transform_to(frame).spherical
        grid = PatchGrid(at.lon.deg, at.lat.deg, 12.8 * u.deg, frame)
        patches = renderer.render_patches(one, grid, (32, 64))
        seen = patches.counts[1][0] - patches.background[1][0]
        assert np.unravel_index(seen.argmax(), seen.shape) in {
            (i, j) for i in (31, 32) for j in (31, 32)
        }
        total.append(seen.sum())
    assert total[0] == pytest.approx(total[1], rel=2e-3)


def test_patches_in_equatorial_coordinates_hold_the_same_background(renderer, sources):
    total = []
    for frame in ("galactic", "icrs"):
        at = SkyCoord(5, 3, unit="deg", frame="galactic").transform_to(frame).spherical
        grid = PatchGrid([at.lon.deg], [at.lat.deg], 12.8 * u.deg, frame)
        (seen,) = renderer.render_patches(sources[:0], grid, (32, 64)).background[1]
        total.append(seen[24:40, 24:40].sum())
    assert total[0] == pytest.approx(total[1], rel=0.05)


@pytest.mark.parametrize(("size", "width"), [(12.8, 1), (0.2, 4), (0.1, 4)])
def test_small_patches_and_wide_pixels_are_rendered(renderer, sources, size, width):
    grid = PatchGrid(np.array([60.0]), np.array([50.0]), size * u.deg)
    points = sources[np.asarray(sources["extension_model"]) == ""]
    patches = renderer.render_patches(points, grid, (width, width))
    diffuse = renderer.background(tuple(grid.pixels(0, width) for _ in range(2)))
    expected = sum(sky.values[1] for sky in diffuse.values())
    assert patches.background[1][0] == pytest.approx(expected, rel=0.03)


def test_poisson_draws_of_patches_are_new_each_time(renderer, sources):
    grid = PatchGrid(np.array([80.0]), np.array([30.0]), 12.8 * u.deg)
    expected = renderer.render_patches(sources, grid, (16, 32))
    rng = np.random.default_rng(0)
    first, second = expected.poisson(rng=rng), expected.poisson(rng=rng)
    assert np.any(first.counts[0] != second.counts[0])
    total = expected.counts[0].sum()
    assert abs(first.counts[0].sum() - total) < 5 * np.sqrt(total)


def test_counts_of_each_source_are_those_of_its_maps(renderer, sources):
    some = sources[:3]
    by_maps = SkyRenderer.source_counts(renderer, some)
    assert renderer.source_counts(some) == pytest.approx(by_maps, rel=1e-3)
    assert SkyRenderer.source_counts(renderer, some[:0]).shape == (0, 2)
