"""Light curves of sources, and sources of single epochs, on small skies."""

from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable

from gammafind.catalogue.flags import Flag, has_flag
from gammafind.catalogue.positions import sky_columns
from gammafind.errors import OptionError, ShapeError
from gammafind.pipeline.epoch_detections import add_flares, add_light_curves
from gammafind.pipeline.light_curves import light_curves
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.projection import positions_of
from gammafind.sky.psf_stamps import point_source_map
from gammafind.sky.skymap import SkyMap
from gammafind.sky.time_epochs import BandPhotons, TimeEpochs
from tests.fitting.skies import aside, gaussian_psf, image, observe

N_EPOCHS = 5
PIXELS = image(40, 0.25)
PSF = gaussian_psf(0.4)
SHARES = np.array([0.1, 0.2, 0.3, 0.25, 0.15])
CENTRE = PIXELS.vectors[820]
STEADY, VARYING = aside(CENTRE, 2.5), aside(CENTRE, 2.5, np.pi)
FLARE = aside(CENTRE, 2.5, np.pi / 2)


def one(vector):
    return point_source_map(vector[None], np.ones(1), PIXELS, PSF).ravel()


@pytest.fixture(scope="module")
def sky():
    """Observation and epochs: a steady source, one that varies, and one that flares once."""
    rng = np.random.default_rng(5)
    level = np.full(PIXELS.shape, 2.0)
    curve = np.array([1.0, 2.0, 0.2, 0.5, 1.0])
    rates = [
        level.ravel() + 600 * one(STEADY) + 600 * one(VARYING) * curve[i] for i in range(N_EPOCHS)
    ]
    rates[3] = rates[3] + 250 * one(FLARE)
    counts = np.array([rng.poisson(s * rate) for s, rate in zip(SHARES, rates, strict=True)])
    epoch, index = np.nonzero(counts)
    photons = BandPhotons.of(
        PIXELS, np.repeat(index, counts[epoch, index]), np.repeat(epoch, counts[epoch, index]), 5
    )
    coarse = HealpixPixels(1)
    epochs = TimeEpochs(
        spans=2.5e8 + 1e6 * np.stack([np.arange(5), np.arange(5) + 1], axis=1),
        photons=(photons,),
        share_pixels=(coarse,),
        shares=(np.tile(SHARES[:, None], (1, 12)),),
        errors=np.zeros(5),
    )
    whole = counts.sum(axis=0).reshape(PIXELS.shape)
    return observe([whole], [level], [PIXELS], [PSF]), epochs


def places(*vectors):
    return positions_of(np.array(vectors), PIXELS.frame)


def test_sources_have_the_columns_of_the_lat_catalogues(sky):
    table = light_curves(*sky, places(STEADY, VARYING))
    assert table["Flux_History"].shape == (2, 5)
    assert table["Unc_Flux_History"].shape == (2, 5, 2)
    assert table["Variability_Index"][0] < 20 < 60 < table["Variability_Index"][1]
    assert np.isnan(table["Flux_Peak"][0])
    assert table["Flux_Peak"][1] == table["Flux_History"][1].max()
    assert table["Time_Peak"][1] == 2.515e8 * u.s
    assert table["Peak_Interval"][1] == 1e6 * u.s
    assert table["Frac_Variability"][1] > 0.3
    assert np.nanmax(table["Unc_Flux_History"][..., 0].value) < 0
    assert table.meta["epoch_edges_met"] == pytest.approx([2.5e8 + 1e6 * i for i in range(6)])


def test_fluxes_of_another_range_set_the_scale(sky):
    flux = [2.0, 5.0] * u.Unit("cm-2 s-1")
    table = light_curves(*sky, places(STEADY, VARYING), flux=flux)
    assert np.average(table["Flux_History"][0].value, weights=SHARES) == pytest.approx(2, rel=0.1)
    with pytest.raises(ShapeError, match="fluxes of shape"):
        light_curves(*sky, places(STEADY), flux=flux)


def test_a_free_background_changes_little_where_the_exposure_is_known(sky):
    fixed, free = (
        light_curves(*sky, places(STEADY), free_background=one)["Flux_History"].value
        for one in (False, True)
    )
    np.testing.assert_allclose(free, fixed, rtol=0.3)


def test_no_sources_and_places_outside_have_rows_all_the_same(sky):
    assert len(light_curves(*sky, places(STEADY)[:0])) == 0
    outside = light_curves(*sky, places(STEADY, -CENTRE))
    assert np.isfinite(outside["Variability_Index"]).tolist() == [True, False]
    assert np.isnan(outside["Flux_History"][1]).all()


def test_an_image_of_a_camera_has_no_light_curve(sky):
    observation, epochs = sky
    electrons = SkyMap(
        observation.counts.bands[:1], (PIXELS,), (np.ones(PIXELS.shape),), "electrons"
    )
    with pytest.raises(OptionError, match="image of a camera"):
        light_curves(replace(observation, counts=electrons), epochs, places(STEADY))


def test_a_source_of_one_epoch_is_added_with_its_date(sky):
    observation, epochs = sky
    known = QTable({**sky_columns(places(STEADY, VARYING)), "score": [90.0, 80.0]})
    found = add_flares(known, observation, epochs, 0.5 * u.deg, likely=False)
    assert len(found) == 3
    flare = found[has_flag(found["flags"], Flag.ONE_EPOCH)]
    assert len(flare) == 1
    assert flare["Epoch"][0].startswith("2009-01-07")
    place = places(FLARE)[0]
    assert place.separation(places(FLARE)[0]) < 0.3 * u.deg
    assert flare["npred"][0] == pytest.approx(250 * SHARES[3], rel=0.4)
    assert set(found["Epoch"][~has_flag(found["flags"], Flag.ONE_EPOCH)]) == {""}
    likely = add_flares(known, observation, epochs, 0.5 * u.deg, likely=True)
    assert 0.99 < likely["score"][-1] <= 1
    curves = add_light_curves(found, observation, epochs)
    row = curves[has_flag(curves["flags"], Flag.ONE_EPOCH)][0]
    assert row["Flux_History"].argmax() == 3


def test_nothing_changes_without_epochs(sky):
    known = QTable({**sky_columns(places(STEADY)), "score": [90.0]})
    assert add_flares(known, sky[0], None, 0.5 * u.deg, likely=False) is known
    assert add_light_curves(known, sky[0], None) is known


def test_extended_sources_have_no_light_curve(sky):
    catalogue = QTable(
        {**sky_columns(places(STEADY, VARYING)), "Extension": [0.0, 0.5] * u.deg, "TS": [9.0, 8.0]}
    )
    curves = add_light_curves(catalogue, *sky)
    assert np.isfinite(curves["Variability_Index"]).tolist() == [True, False]
    assert np.isnan(curves["Flux_History"][1]).all()
    assert curves["Flux_History"].unit == sky[0].flux_unit
