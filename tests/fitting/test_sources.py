"""Spectrum, band fluxes and position of single sources."""

from __future__ import annotations

from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from numpy.testing import assert_allclose

from gammafind.catalogue.flags import Flag
from gammafind.fitting.photons.known_sky import known_sky
from gammafind.fitting.photons.smooth_spectra import SpectralPrior
from gammafind.fitting.sources.field import Field
from gammafind.fitting.sources.forms import CUT_OFF, LOG_PARABOLA, POWER_LAW, BandCounts
from gammafind.fitting.sources.measure import Settings, measure_source
from gammafind.fitting.sources.region import Instrument, Regions
from gammafind.fitting.sources.spectrum import fit_form
from gammafind.fitting.sources.table import measured_table
from gammafind.sky.bands import energy_bands
from gammafind.sky.observation import Observation
from gammafind.sky.projection import unit_vectors
from gammafind.sky.psf_stamps import point_source_map
from gammafind.sky.skymap import SkyMap
from gammafind.sky.spectral_response import SpectralResponse
from tests.fitting.skies import aside, gaussian_psf, image
from tests.fitting.test_goodness import positions

EDGES = np.array([500.0, 1500.0, 5000.0, 20000.0])
WIDTHS = (0.7, 0.4, 0.25)
LEVELS = (4.0, 1.0, 0.1)
EXPOSURE = 1e11
CENTRE = unit_vectors(120.0, 45.0)
PSFS = tuple(gaussian_psf(width) for width in WIDTHS)
RESPONSES = tuple(
    SpectralResponse.exact(low, high, psf)
    for low, high, psf in zip(EDGES[:-1], EDGES[1:], PSFS, strict=True)
)
BANDS = BandCounts(RESPONSES, np.full(3, EXPOSURE))
PIVOT = 2000.0


def counts_of(form, *values):
    return BANDS.of(form, PIVOT, np.array(values))


def sky_of(vectors, counts, *, rng=None, edges=EDGES):
    """Image of three bands with sources of some counts (n, 3) on a flat background."""
    pixels = (image(40, 0.25),) * len(counts[0])
    maps, flat = [], []
    for i, one in enumerate(pixels):
        level = np.full(one.shape, LEVELS[i], dtype=np.float32)
        sources = point_source_map(np.array(vectors), np.array(counts)[:, i], one, PSFS[i])
        expected = level + sources.reshape(one.shape)
        maps.append(expected if rng is None else rng.poisson(expected))
        flat.append(level)
    bands = energy_bands(edges * u.MeV)
    exposure = tuple(np.full(one.shape, EXPOSURE, dtype=np.float32) for one in pixels)
    return Observation(
        counts=SkyMap(bands, pixels, tuple(maps), "counts"),
        background={"flat": SkyMap(bands, pixels, tuple(flat), "expected counts")},
        exposure=SkyMap(bands, pixels, exposure, "exposure"),
        psfs=PSFS[: len(bands)],
    )


def measured(observation, vectors, responses=RESPONSES, *, index=2.3):
    """Columns of all sources."""
    edges = [tuple(band.edges.to_value("MeV")) for band in observation.counts.bands]
    prior = SpectralPrior.of(responses, edges) if len(edges) > 1 else None
    model, _ = known_sky(observation, positions(np.array(vectors)), index=2.3, prior=prior)
    settings = Settings(Instrument.of(model.data, responses), index, False, (0.0, 0.0))
    regions = Regions(model, settings.instrument)
    return [measure_source(regions.of(i), settings) for i in range(len(vectors))]


@pytest.fixture(scope="module")
def power_law():
    counts = counts_of(POWER_LAW, 6e-13, 2.1)
    (values,) = measured(sky_of([CENTRE], [counts]), [CENTRE])
    return counts, values


def test_the_spectrum_of_expected_counts_is_found(power_law):
    counts, values = power_law
    assert values["SpectrumType"] == "PowerLaw"
    assert_allclose(values["PL_Index"], 2.1, atol=0.01)
    assert_allclose(values["Npred"], counts.sum(), rtol=0.01)
    density = 6e-13 * (values["Pivot_Energy"] / PIVOT) ** -2.1
    assert_allclose(values["PL_Flux_Density"], density, rtol=0.01)
    assert values["LP_SigCurv"] < 0.1
    assert values["Unc_LP_beta"] > values["Unc_PL_Index"] / 2
    assert values["Signif_Avg"] > 10


def test_integrals_are_those_of_the_power_law(power_law):
    _, values = power_law
    flux = 6e-13 * PIVOT / 1.1 * (2**1.1 - (1e5 / PIVOT) ** -1.1)
    assert_allclose(values["Flux1000"], flux, rtol=0.01)
    assert 0 < values["Unc_Flux1000"] < 0.2 * flux
    low, high = EDGES[[0, -1]] / PIVOT
    energy = 6e-13 * PIVOT**2 / 0.1 * (low**-0.1 - high**-0.1) * 1.602e-6
    assert_allclose(values["Energy_Flux"], energy, rtol=0.01)


def test_bands_follow_the_spectrum_and_their_errors_are_asymmetric(power_law):
    counts, values = power_law
    assert_allclose(values["Flux_Band"], counts / EXPOSURE, rtol=0.01)
    below, above = values["Unc_Flux_Band"].T
    assert np.all(below < 0)
    assert np.all(above > -below)
    assert np.isnan(values["Flux_UL_Band"]).all()
    middle = np.sqrt(EDGES[:-1] * EDGES[1:])
    nu = middle**2 * 6e-13 * (middle / PIVOT) ** -2.1 * 1.602e-6
    assert_allclose(values["nuFnu_Band"], nu, rtol=0.01)


def test_the_position_of_expected_counts_is_found(power_law):
    _, values = power_law
    offset = np.degrees(np.linalg.norm(values["vector"] - CENTRE))
    assert offset < 0.1 * values["Conf_68_SemiMajor"]
    assert values["Conf_95_SemiMajor"] >= values["Conf_95_SemiMinor"] > 0
    assert_allclose(values["Conf_95_SemiMajor"] / values["Conf_68_SemiMajor"], 1.62, atol=0.01)
    assert values["flags"] == 0


@pytest.mark.parametrize(
    ("form", "shape", "name"),
    [(LOG_PARABOLA, (2.0, 0.4), "LogParabola"), (CUT_OFF, (1.8, 1.0), "PLSuperExpCutoff")],
)
def test_curved_spectra_are_found(form, shape, name):
    counts = counts_of(form, 8e-12, *shape)
    (values,) = measured(sky_of([CENTRE], [counts]), [CENTRE])
    assert values["SpectrumType"] in ("LogParabola", "PLSuperExpCutoff")
    prefix, parameter = ("LP", "LP_beta") if name == "LogParabola" else ("PLEC", "PLEC_ExpfactorS")
    assert values[f"{prefix}_SigCurv"] > 3
    assert_allclose(values[parameter], shape[1], rtol=0.4)
    assert EDGES[0] < values[f"{prefix}_EPeak"] < EDGES[-1]


def test_a_source_next_to_another_one_is_told_apart_from_it():
    places = [CENTRE, aside(CENTRE, 0.8)]
    counts = [counts_of(POWER_LAW, 6e-13, 2.1), counts_of(POWER_LAW, 3e-12, 2.6)]
    (one, other) = measured(sky_of(places, counts), places)
    assert_allclose(one["PL_Index"], 2.1, atol=0.03)
    assert_allclose(other["PL_Index"], 2.6, atol=0.03)
    (alone,) = measured(sky_of(places[:1], counts[:1]), places[:1])
    assert one["Unc_Flux1000"] > alone["Unc_Flux1000"]


def test_the_position_moves_to_the_source():
    counts = counts_of(POWER_LAW, 2e-12, 2.1)
    given = aside(CENTRE, 0.06, 1.0)
    (values,) = measured(sky_of([CENTRE], [counts]), [given])
    assert np.degrees(np.linalg.norm(values["vector"] - CENTRE)) < 0.01
    assert values["flags"] & Flag.PEAK_ELSEWHERE


def test_a_band_without_counts_has_a_limit():
    counts = counts_of(POWER_LAW, 1e-12, 2.1)
    counts[2] = 0.0
    (values,) = measured(sky_of([CENTRE], [counts]), [CENTRE])
    assert values["Sqrt_TS_Band"][2] < 0.01
    assert values["Flux_UL_Band"][2] > 0
    below, above = values["Unc_Flux_Band"][2]
    assert np.isnan(below)
    assert_allclose(above, (values["Flux_UL_Band"] - values["Flux_Band"])[2] / 2, rtol=1e-6)


def test_one_band_keeps_the_given_index():
    counts = counts_of(POWER_LAW, 2e-12, 2.1)[:1]
    sky = sky_of([CENTRE], [counts], edges=EDGES[:2])
    (values,) = measured(sky, [CENTRE], RESPONSES[:1], index=2.0)
    assert values["PL_Index"] == 2.0
    assert np.isnan(values["Unc_PL_Index"])
    assert "LP_beta" not in values
    assert_allclose(values["Flux"], counts[0] / EXPOSURE, rtol=0.01)


def test_fluxes_and_indices_scatter_as_their_errors_say():
    rng = np.random.default_rng(7)
    counts, pulls = counts_of(POWER_LAW, 4e-13, 2.1), []
    for _ in range(12):
        (values,) = measured(sky_of([CENTRE], [counts], rng=rng), [CENTRE])
        flux = 4e-13 * PIVOT / 1.1 * (2**1.1 - (1e5 / PIVOT) ** -1.1)
        pulls.append(
            [
                (values["Flux1000"] - flux) / values["Unc_Flux1000"],
                (values["PL_Index"] - 2.1) / values["Unc_PL_Index"],
            ]
        )
    assert np.all(np.abs(np.mean(pulls, axis=0)) < 0.9)
    assert np.all(np.abs(np.std(pulls, axis=0) - 1) < 0.6)


def test_the_interval_of_a_flux_reaches_further_above_than_below(power_law):
    _, values = power_law
    below, above, error = (
        values[name] for name in ("Unc_Flux1000_Below", "Unc_Flux1000_Above", "Unc_Flux1000")
    )
    assert 0.9 * error < below < error < above < 1.1 * error


def test_the_interval_of_a_faint_flux_ends_at_zero():
    (values,) = measured(sky_of([CENTRE], [counts_of(POWER_LAW, 4e-15, 2.1)]), [CENTRE])
    assert_allclose(values["Unc_Flux1000_Below"], values["Flux1000"], rtol=1e-6)
    assert values["Unc_Flux1000_Above"] > values["Flux1000"]


def test_the_likelihood_falls_by_half_at_the_ends_of_the_interval():
    sky = sky_of([CENTRE], [counts_of(POWER_LAW, 2e-12, 2.1)[:1]], edges=EDGES[:2])
    (values,) = measured(sky, [CENTRE], RESPONSES[:1], index=2.0)
    shares = [values[f"Unc_Flux1000_{side}"] / values["Flux1000"] for side in ("Below", "Above")]
    bands = np.abs(values["Unc_Flux_Band"][0]) / values["Flux_Band"][0]
    assert_allclose(shares, bands, rtol=0.02)


def test_rows_without_data_have_a_flag_and_no_value():
    table = measured_table([{}], CENTRE[None], "galactic", 3)
    assert table["Flags"][0] == Flag.NOT_MEASURED
    assert np.isnan(table["Flux1000"][0].value)
    assert table["Flux_Band"].shape == (1, 3)
    assert_allclose(table["GLON"][0].value, 120.0)


def test_counts_where_a_neighbour_has_the_same_place_are_flagged():
    counts = counts_of(POWER_LAW, 2e-12, 2.1)
    places = [CENTRE, aside(CENTRE, 0.05)]
    one, other = measured(sky_of([CENTRE], [counts]), places)
    assert one["flags"] & Flag.CONFUSED
    assert other["flags"] & Flag.CONFUSED


def test_a_faint_neighbour_is_free_in_the_bands_in_which_it_matters():
    counts = [counts_of(POWER_LAW, 1e-12, 2.2), counts_of(LOG_PARABOLA, 1e-13, 2.6, 0.8)]
    places = [CENTRE, aside(CENTRE, 0.6)]
    model, _ = known_sky(sky_of(places, counts), positions(np.array(places)), index=2.3)
    instrument = Instrument.of(model.data, RESPONSES)
    region = Regions(model, instrument).of(0)
    local = Field(region, instrument).local(np.zeros(3))
    neighbours = local.others[:-3]
    bands = [set(local.band[row > 0]) for row in neighbours]
    assert bands == [{0}, {1}]


def test_a_neighbour_of_another_spectrum_does_not_change_a_source():
    counts = [counts_of(POWER_LAW, 1e-12, 2.2), counts_of(LOG_PARABOLA, 4e-13, 2.8, 0.8)]
    values, _ = measured(sky_of([CENTRE, aside(CENTRE, 0.8)], counts), [CENTRE, aside(CENTRE, 0.8)])
    assert_allclose(values["Flux_Band"], counts[0] / EXPOSURE, rtol=0.03)
    assert_allclose(values["PL_Index"], 2.2, atol=0.02)


def test_a_source_at_the_edge_is_flagged():
    place = aside(CENTRE, 4.9, 0.0)
    counts = counts_of(POWER_LAW, 4e-12, 2.1)
    (values,) = measured(sky_of([place], [counts]), [place])
    assert values["flags"] & Flag.AT_EDGE


@pytest.mark.parametrize(("levels", "faint"), [((4000.0, 1000.0, 100.0), True), (LEVELS, False)])
def test_a_source_below_a_tenth_of_the_background_is_flagged(monkeypatch, levels, faint):
    monkeypatch.setattr("tests.fitting.test_sources.LEVELS", levels)
    (values,) = measured(sky_of([CENTRE], [np.array([4000.0, 600.0, 30.0])]), [CENTRE])
    assert values["Sqrt_TS_Band"][0] > 5
    assert bool(values["flags"] & Flag.FAINT_AGAINST_BACKGROUND) == faint


def test_pixels_that_are_not_valid_do_not_count():
    counts = counts_of(POWER_LAW, 2e-12, 2.1)
    sky = sky_of([CENTRE], [counts])
    valid = [np.ones(one.shape, dtype=bool) for one in sky.counts.pixels]
    for mask in valid:
        mask[:, :17] = False
    cut = replace(sky, counts=replace(sky.counts, valid=tuple(valid)))
    (values,) = measured(cut, [CENTRE])
    assert_allclose(values["PL_Index"], 2.1, atol=0.02)


def test_a_flux_is_as_uncertain_as_its_spectrum_where_that_is_at_a_limit():
    sky = sky_of([CENTRE], [counts_of(LOG_PARABOLA, 1e-12, 2.2, 1.6)])
    model, _ = known_sky(sky, positions(np.array([CENTRE])), index=2.3)
    instrument = Instrument.of(model.data, RESPONSES)
    field = Field(Regions(model, instrument).of(0), instrument)
    local = field.local(instrument.places_of(lambda energy: energy**-2.2))
    fit = fit_form(local, BANDS, LOG_PARABOLA, PIVOT)
    assert fit.at_limit[1]
    assert np.isnan(fit.errors[2])
    held = replace(fit, spread=fit.covariance)
    assert fit.flux(1e3, 1e5)[1] > 1.05 * held.flux(1e3, 1e5)[1]
