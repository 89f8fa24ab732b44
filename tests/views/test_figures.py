"""The figures show what the tables say."""

from __future__ import annotations

from dataclasses import replace

import astropy.units as u
import matplotlib
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import vstack
from matplotlib.backends.backend_agg import FigureCanvasAgg
from scipy.stats import kstest, rayleigh

from gammafind.catalogue.class_colours import class_colours
from gammafind.catalogue.schema import CATALOGUE, empty_table
from gammafind.errors import OptionError
from gammafind.evaluation.against import summarise
from gammafind.views import diagnostics
from gammafind.views.markers import apart, marker_areas, size_handles
from gammafind.views.overview import overview_figure
from gammafind.views.rows import rows_of
from gammafind.views.sky import sky_figure
from gammafind.views.style import png
from gammafind.views.zoom import choose_centre, choose_field, zoom_figure

from .conftest import RADIUS, with_probabilities


@pytest.fixture
def found(catalogue, reference):
    summary = summarise(catalogue, reference, radius=RADIUS)
    return rows_of(catalogue, reference, summary), summary


def _legend(figure) -> str:
    return " ".join(text.get_text() for legend in figure.legends for text in legend.get_texts())


def test_settings_of_the_caller_stay(counts, found):
    matplotlib.rcParams["font.size"] = 23.0
    before = dict(matplotlib.rcParams)
    png(sky_figure(counts, found[0]))
    assert dict(matplotlib.rcParams) == before
    matplotlib.rcdefaults()


def test_same_figure_same_bytes(counts, found):
    first, second = (png(sky_figure(counts, found[0], title="x")) for _ in range(2))
    assert first == second
    assert first.startswith(b"\x89PNG")


def test_sky_tells_matches_and_classes_apart(counts, found):
    legend = _legend(sky_figure(counts, found[0]))
    for entry in ("bll (5)", "psr (5)", "matched (8)", "unmatched (2)"):
        assert entry in legend


def test_a_class_has_one_colour_in_all_figures(counts, found):
    rows = found[0]
    rows.class_label[:] = ["bll"] * 7 + ["psr"] * 3
    rows = replace(rows, class_colours=class_colours(rows.class_label.tolist()))
    chosen = rows.select(np.arange(10) >= 6)
    for shown in (rows, chosen, rows.select(rows.class_label == "psr")):
        legend = sky_figure(counts, shown).legends[0]
        colours = {
            text.get_text().split()[0]: handle.get_color()
            for text, handle in zip(legend.get_texts(), legend.legend_handles, strict=True)
        }
        assert colours["psr"] == rows.class_colours["psr"]
        assert colours.get("bll", "#0072B2") == rows.class_colours["bll"] == "#0072B2"


def test_rare_classes_share_a_colour(counts, found):
    rows = found[0]
    rows.class_label[:] = ["a", "b", "c", "d", "e", "a", "b", "c", "f", "g"]
    rows = replace(rows, class_colours=class_colours(rows.class_label.tolist()))
    assert "other (2)" in _legend(sky_figure(counts, rows))
    rows.class_label[9] = "f"
    assert "f (2)" in _legend(sky_figure(counts, rows))


def test_every_detection_is_marked_once(counts, found):
    axes = sky_figure(counts, found[0]).axes[0]
    marked = np.concatenate([group.get_offsets() for group in axes.collections])
    x, y = axes.wcs.world_to_pixel(found[0].positions)
    np.testing.assert_allclose(np.sort(marked[:, 0]), np.sort(x))
    np.testing.assert_allclose(np.sort(marked[:, 1]), np.sort(y))


def test_image_is_drawn_in_its_own_projection(image, catalogue):
    empty = empty_table(CATALOGUE)
    rows = rows_of(empty, None, summarise(empty, radius=RADIUS))
    figure = sky_figure(image, rows)
    assert list(figure.axes[0].wcs.wcs.ctype) == ["RA---TAN", "DEC--TAN"]
    assert "per pixel" in figure.axes[1].get_xlabel()


def test_zoom_shows_names_and_what_was_missed(counts, found, reference):
    rows, _ = found
    figure = zoom_figure(counts, rows, rows.positions[3], 20 * u.deg)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert rows.name[3].removeprefix("GF ") in texts
    lost = SkyCoord(reference["RAJ2000"], reference["DEJ2000"])[0]
    assert "not found (1)" in _legend(zoom_figure(counts, rows, lost, 20 * u.deg))


def test_zoom_is_centred_off_the_plane(counts, found):
    rows, _ = found
    centre = choose_centre(rows, counts)
    off_plane = np.abs(rows.positions.galactic.b.deg) > 20
    strongest = np.flatnonzero(off_plane)[np.argmax(rows.score[off_plane])]
    assert centre.separation(rows.positions[strongest]) < 1 * u.arcsec
    assert choose_field(rows, counts) <= 90 * u.deg


def test_zoom_stays_on_the_image(image, catalogue):
    empty = empty_table(CATALOGUE)
    rows = rows_of(empty, None, summarise(empty, radius=RADIUS))
    corner = image.pixels[0].centres()[0, 0]
    wcs = zoom_figure(image, rows, corner, 2 * u.deg).axes[0].wcs
    x, y = image.pixels[0].xy(SkyCoord(*wcs.wcs.crval, unit="deg"))
    assert (x, y) == pytest.approx((10, 10), abs=0.01)


def test_pixels_stand_on_the_axes_of_an_image_without_coordinates(frame, frame_catalogue):
    summary = summarise(frame_catalogue, radius=1 * u.arcsec, counts=frame)
    rows = rows_of(frame_catalogue, None, summary, pixels=frame.pixels[0])
    figure = zoom_figure(frame, rows, rows.positions[5], 20 * u.arcsec)
    axes = figure.axes[0]
    assert axes.get_xlabel() == "x [pixels]"
    assert axes.get_title() == "Around x = 54, y = 40, 40 pixels wide"
    assert rows.name[5].removeprefix("GF ") in [text.get_text() for text in axes.texts]
    assert sky_figure(frame, rows).axes[0].get_ylabel() == "y [pixels]"
    assert figure.axes[1].get_xlabel() == "Electrons per pixel"


@pytest.mark.parametrize("draw", [zoom_figure, sky_figure])
def test_long_legends_cover_nothing(frame, frame_catalogue, draw):
    summary = summarise(frame_catalogue, radius=1 * u.arcsec, counts=frame)
    rows = rows_of(frame_catalogue, None, summary, pixels=frame.pixels[0])
    rows = replace(rows, matched=np.arange(10) % 2 == 0, missed=rows.positions[:1])
    rows = replace(rows, blended=np.array([False]))
    figure = draw(frame, rows)
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    assert len(figure.legends[0].get_texts()) >= 9
    for legend in figure.legends:
        box = legend.get_window_extent(renderer)
        for axes in figure.axes:
            assert not box.overlaps(axes.get_tightbbox(renderer))


def test_zoom_off_the_image_is_refused(image):
    empty = empty_table(CATALOGUE)
    rows = rows_of(empty, None, summarise(empty, radius=RADIUS))
    with pytest.raises(OptionError, match="not on the image"):
        zoom_figure(image, rows, SkyCoord(220, -30, unit="deg"))


def test_nothing_found_and_all_zero(counts):
    empty = empty_table(CATALOGUE)
    summary = summarise(empty, radius=RADIUS)
    rows = rows_of(empty, None, summary)
    dark = counts.map(np.zeros_like, kind="counts")
    for figure in (sky_figure(dark, rows), zoom_figure(dark, rows)):
        assert png(figure).startswith(b"\x89PNG")
    assert diagnostics.flux_figure(empty, rows, summary) is None
    assert png(diagnostics.score_figure(rows, summary)).startswith(b"\x89PNG")


def test_histogram_counts_all_and_marks_the_cut(found):
    rows, summary = found
    axes = diagnostics.score_figure(rows, summary).axes[0]
    assert max(patch.get_x() + patch.get_width() for patch in axes.patches) >= 2e4 * (1 - 1e-9)
    assert sum(patch.get_height() for patch in axes.patches) >= len(rows)
    assert "cut 16" in axes.texts[0].get_text()


def test_figures_call_the_score_what_the_localiser_calls_it(counts, catalogue, reference):
    bare = with_probabilities(catalogue)
    summary = summarise(bare, reference, radius=RADIUS)
    rows = rows_of(bare, reference, summary)
    histogram = diagnostics.score_figure(rows, summary).axes[0]
    assert histogram.get_xlabel() == "Probability"
    assert "cut 0.5" in histogram.texts[0].get_text()
    sky = sky_figure(counts, rows, score_name=summary.score_name)
    assert "Probability" in [legend.get_title().get_text() for legend in sky.legends]
    assert diagnostics.flux_figure(bare, rows, summary) is None


def test_completeness_of_each_flux_bin(found, reference):
    axes = diagnostics.completeness_figure(reference, found[1]).axes[0]
    x, y = axes.lines[0].get_data()
    faintest_found = reference["Flux1000"].value[4]
    assert np.all(y[x > 1.6 * faintest_found] == 1)
    assert np.all(y[x < faintest_found / 1.6] == 0)


def test_fluxes_of_another_kind_have_their_unit_and_no_threshold(found, reference):
    summary = found[1]
    assert len(diagnostics.completeness_figure(reference, summary).axes[0].lines) == 2
    reference["Flux1000"] = reference["Flux1000"].value * 1e9 * u.Jy
    axes = diagnostics.completeness_figure(reference, summary).axes[0]
    assert len(axes.lines) == 1
    assert "Jy" in axes.get_xlabel()


def test_completeness_needs_fluxes(found, reference):
    del reference["Flux1000"]
    assert diagnostics.completeness_figure(reference, found[1]) is None


def test_offsets_of_gaussian_errors_are_rayleigh(rng, catalogue, reference):
    many = reference[np.zeros(400, dtype=int)]
    many["RAJ2000"] = np.linspace(0, 359, 400) * u.deg
    many["DEJ2000"] = np.zeros(400) * u.deg
    many["Conf_95_SemiMajor"] = np.full(400, 0.06) * u.deg
    own = many.copy()
    own["Conf_95_SemiMajor"] = np.full(400, 0.08) * u.deg
    own["Score"] = 1.0
    sigma = 0.1 / np.sqrt(2 * np.log(20))
    own["RAJ2000"] += rng.normal(0, sigma, 400) * u.deg
    own["DEJ2000"] += rng.normal(0, sigma, 400) * u.deg
    own["RAJ2000"] %= 360 * u.deg
    summary = summarise(own, many, radius=0.4 * u.deg)
    offsets = diagnostics.normalised_offsets(own, many, summary)
    assert len(offsets) == 400
    assert kstest(offsets, rayleigh.cdf).pvalue > 0.01
    assert diagnostics.offset_figure(own, many, summary) is not None


def test_offsets_need_errors(catalogue, reference):
    bare = with_probabilities(catalogue)
    summary = summarise(bare, reference, radius=RADIUS)
    assert diagnostics.offset_figure(bare, reference, summary) is None


@pytest.mark.parametrize(
    "values", [[1.0, 10, 1e4], [0.1, 0.5, 0.9], [-3.0, 0.0, 2.0], [7e3, 8e3, 1e4]]
)
def test_markers_grow_with_strength(values):
    areas = marker_areas(np.append(values, np.nan))
    assert np.all(np.diff(areas[:3]) > 0)
    assert areas[3] == areas[0] == 8
    labels = {handle.get_label() for handle in size_handles(np.array(values))}
    assert len(labels) == 3


def test_markers_stay_small_where_most_scores_are_high():
    probabilities = np.append(np.linspace(0.5, 0.9, 100), np.full(900, 0.999))
    areas = marker_areas(probabilities)
    assert areas.min() == 8
    assert areas.mean() == pytest.approx(40)
    many = marker_areas(np.tile(probabilities, 5))
    assert (many.min(), many.mean()) == (8, pytest.approx(12))
    labels = [handle.get_label() for handle in size_handles(probabilities)]
    assert labels == ["0.5", "0.75", "1"]


def test_no_sizes_where_all_are_alike():
    assert size_handles(np.array([2.0, 2.0])) == []
    assert np.all(marker_areas(np.array([2.0, 2.0])) == 8)


def test_names_stay_at_their_markers_at_any_resolution(counts, found):
    rows = found[0]
    figure = zoom_figure(counts, rows, rows.positions[3], 20 * u.deg)
    (label,) = [text for text in figure.axes[0].texts if text.get_text() == rows.name[3][3:]]
    offsets = []
    for dots in (60, 300):
        figure.set_dpi(dots)
        FigureCanvasAgg(figure).draw()
        box = label.get_window_extent()
        place = figure.axes[0].transData.transform(label.xy)
        offsets.append((box.corners().mean(axis=0) - place) / dots)
    np.testing.assert_allclose(*offsets, atol=0.02)


def test_a_source_next_to_a_detection_is_not_crossed_out(counts, catalogue, reference):
    twin = vstack([reference, reference[5:6]])
    summary = summarise(catalogue, twin, radius=RADIUS)
    rows = rows_of(catalogue, twin, summary)
    assert rows.blended.sum() == 1
    figure = zoom_figure(counts, rows, rows.missed[rows.blended][0], 20 * u.deg)
    assert "next to a detection (1)" in _legend(figure)


def test_markers_of_neighbours_shrink_until_they_are_apart():
    areas = np.array([100.0, 25.0, 100.0])
    x, y = np.array([0.0, 6.0, 400.0]), np.zeros(3)
    smaller = apart(areas, x, y, point=1.0)
    assert np.sqrt(smaller[0]) + np.sqrt(smaller[1]) == pytest.approx(12)
    assert smaller[2] == 100
    assert apart(areas, x / 1e3, y, point=1.0).min() == 3


def test_fluxes_are_compared_with_those_of_the_counterparts(catalogue, reference):
    summary = summarise(catalogue, reference, radius=RADIUS)
    figure = diagnostics.counterpart_flux_figure(catalogue, reference, summary)
    points, line = figure.axes[0].lines
    assert points.get_xdata() == pytest.approx(reference["Flux1000"][4:].value)
    assert points.get_ydata() == pytest.approx(catalogue["Flux"][:8].value)
    assert list(line.get_xdata()) == list(line.get_ydata())
    catalogue["Flux"] = catalogue["Flux"].value * u.Jy
    assert diagnostics.counterpart_flux_figure(catalogue, reference, summary) is None


def test_of_a_sky_only_the_part_with_data_is_drawn(counts, found):
    pixels, rows = counts.pixels[0], found[0]
    near = pixels.centres().separation(rows.positions[3]) < 20 * u.deg
    part = replace(counts, valid=(near,), values=(np.where(near, counts.values[0], 0),))
    axes = overview_figure(part, rows, title="a part").axes[0]
    assert axes.get_title() == "a part"
    assert axes.wcs.wcs.ctype[0] == "RA---TAN"
    assert overview_figure(counts, rows).axes[0].wcs.wcs.ctype[0] == "GLON-AIT"
