"""The camera as a renderer: images expected, drawn, written, read and observed."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable

from gammafind.errors import HeaderWarning, InputDataError, OptionError, TableError
from gammafind.plugins.meerlicht.artefacts import Flag
from gammafind.plugins.meerlicht.population import MeerlichtField
from gammafind.plugins.meerlicht.renderer import MeerlichtRenderer

QUIET = {"cosmic_rays": 0.0, "trails": 0.0, "hot_pixels": 0.0}


def camera(**options):
    return MeerlichtRenderer(**{"shape": (256, 300), **options})


def star(magnitude, renderer, x=150.0, y=100.0):
    place = renderer.pixels[0].wcs.pixel_to_world(x, y).icrs
    return QTable(
        {
            "name": ["star"],
            "ra": [place.ra.deg] * u.deg,
            "dec": [place.dec.deg] * u.deg,
            "class_label": ["star"],
            "flux": [0.0] * u.Unit("cm-2 s-1"),
            "mag_q": [magnitude] * u.mag,
        }
    )


def exposed(renderer, sources, seed=1):
    expected = renderer.render(sources).map(
        lambda values: values + np.float32(renderer.sky_electrons), kind="expected counts"
    )
    return renderer.draw(expected, rng=np.random.default_rng(seed))


def with_keyword(folder, keyword, value):
    """Image whose header has another value of a keyword."""
    one = camera()
    one.write_drawn(exposed(one, star(16, one)), folder)
    path = folder / "image.fits"
    with fits.open(path, mode="update") as file:
        file[0].header[keyword] = value
    return path


def test_the_zero_point_gives_one_electron_a_second():
    one = camera(airmass=0.0)
    assert one.source_counts(star(23.8, one))[0, 0] == pytest.approx(60)


def test_air_dims_by_the_extinction():
    one, other = camera(airmass=0.0), camera(airmass=2.0)
    ratio = other.source_counts(star(20, one))[0, 0] / one.source_counts(star(20, one))[0, 0]
    assert ratio == pytest.approx(10 ** (-0.4 * 0.3))


def test_the_sky_is_its_magnitude():
    one = camera(sky=23.8)
    assert one.sky_electrons == pytest.approx(60 * 0.564**2)


def test_a_star_is_drawn_where_it_is():
    one = camera(seeing_slopes=(0.0,) * 5)
    image = one.render(star(15, one)).values[0]
    assert np.unravel_index(image.argmax(), image.shape) == (100, 150)
    assert image.sum() == pytest.approx(one.source_counts(star(15, one))[0, 0], rel=5e-3)


def test_the_distortion_moves_the_corners_by_its_pixels():
    straight, bent = (
        MeerlichtRenderer(shape=(10560, 10560), distortion=d).pixels[0] for d in (0.0, 3.0)
    )
    corner = bent.wcs.pixel_to_world(0.0, 0.0)
    x, y = straight.wcs.world_to_pixel(corner)
    assert np.hypot(x, y) == pytest.approx(3.0, rel=0.01)
    assert bent.xy(corner) == pytest.approx((0, 0), abs=1e-3)


def test_a_bright_star_saturates_and_bleeds():
    one = camera(**QUIET)
    drawn = exposed(one, star(9, one))
    flags = drawn.mask[:, 150]
    assert np.any(flags & Flag.SATURATED)
    assert np.any(flags & Flag.BLEED)
    assert drawn.counts.values[0].max() < one.detector.full_well * 1.05
    assert set(drawn.artefacts["kind"]) == {"bleed"}


def test_what_is_written_is_read_again(tmp_path):
    one = camera()
    drawn = exposed(one, star(16, one))
    one.write_drawn(drawn, tmp_path)
    header = fits.getheader(tmp_path / "image.fits")
    read = one.read_counts([tmp_path / "image.fits"])
    assert header["BZERO"] == 32768
    assert header["CTYPE1"] == "RA---TAN-SIP"
    assert read.kind == "electrons"
    assert read.values[0] == pytest.approx(drawn.counts.values[0], abs=1e-2)
    there = read.pixels[0].wcs.pixel_to_world(299.0, 0.0)
    assert one.pixels[0].xy(there) == pytest.approx((299, 0), abs=1e-6)
    mask = fits.getdata(tmp_path / "mask.fits", "MASK")
    assert np.array_equal(mask, drawn.mask)


def test_an_image_tells_its_sky_noise_and_seeing():
    one = MeerlichtRenderer(shape=(512, 512), seeing=3.2 * u.arcsec, **QUIET)
    field = MeerlichtField(density=40000.0, size=0.081 * u.deg, galaxies=0.0, faintest=20.5)
    drawn = exposed(one, field.sample(rng=np.random.default_rng(3)))
    seen = MeerlichtRenderer(shape=(512, 512)).observe(drawn.counts)
    noise = np.sqrt(one.sky_electrons + np.mean(np.square(one.read_noises)))
    assert np.median(seen.background["sky"].values[0]) == pytest.approx(one.sky_electrons, rel=0.02)
    assert np.median(seen.noise.values[0]) == pytest.approx(noise, rel=0.1)
    widths = [psf.at(256, 256).containment_radius(0.5).value for psf in (*seen.psfs, *one.psfs())]
    assert widths[0] == pytest.approx(widths[1], rel=0.05)


def test_detections_get_magnitudes():
    one = camera(airmass=0.0)
    flux = one.source_counts(star(18, one))[0] / one.electrons_per_photon
    given = QTable({"flux": flux * u.Unit("cm-2 s-1"), "flux_err": 0.1 * flux / u.cm**2 / u.s})
    added = one.with_derived(given)
    assert added["mag"].value == pytest.approx(18)
    assert added["mag_err"].value == pytest.approx(0.1086, rel=1e-3)


def test_a_full_image_is_refused(tmp_path):
    path = tmp_path / "full.fits"
    values = np.random.default_rng(1).integers(60000, 65000, (64, 64)).astype(np.uint16)
    fits.writeto(path, values)
    with (
        pytest.warns(match="no celestial coordinates"),
        pytest.raises(InputDataError, match=r"full\.fits: every pixel is saturated"),
    ):
        camera().read_counts([path])


@pytest.mark.parametrize(
    ("keyword", "value", "options", "says"),
    [
        ("EXPTIME", 30.0, {}, "EXPTIME is 30 s, the option renderer.exposure_time 60 s"),
        ("EXPTIME", 0.0, {}, "EXPTIME is 0 s"),
        ("EXPTIME", 60.0, {"exposure_time": 0.5 * u.min}, "exposure_time 30 s"),
        ("FILTER", "r", {}, "FILTER is r, the option renderer.filter q"),
        ("FILTER", "Q", {}, "FILTER is Q, the option renderer.filter q"),
    ],
)
def test_a_header_that_contradicts_the_options_is_told_of(tmp_path, keyword, value, options, says):
    path = with_keyword(tmp_path, keyword, value)
    with pytest.warns(HeaderWarning, match=rf"image\.fits: .*{says}"):
        camera(**options).read_counts([path])


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("EXPTIME", 60.4),
        ("EXPTIME", "60"),
        ("EXPTIME", "a minute"),
        ("EXPTIME", None),
        ("FILTER", "q "),
        ("FILTER", None),
        ("FILTER", 3),
    ],
)
def test_a_header_that_contradicts_nothing_is_not_told_of(tmp_path, keyword, value):
    camera().read_counts([with_keyword(tmp_path, keyword, value)])


def test_galaxies_need_shapes():
    one = camera()
    galaxy = star(18, one)
    galaxy["class_label"] = ["galaxy"]
    with pytest.raises(TableError, match="lack the column radius"):
        one.render(galaxy)


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"filter": "v"}, "the filter is 'v'"),
        ({"shape": (0, 5)}, "shape is"),
        ({"shape": (20000, 5)}, "shape is"),
        ({"gains": (1.0, 2.0)}, "there are 2 gains"),
        ({"seeing": 0 * u.arcsec}, "seeing is"),
        ({"seeing_slopes": (1.0,)}, "seeing_slopes"),
        ({"trails": -1.0}, "trails is"),
        ({"beta": 1.0}, "beta is"),
        ({"beta": np.inf}, "beta is"),
        ({"sky": np.nan}, "sky is nan"),
        ({"sky": "dark"}, "sky is dark"),
        ({"zero_point": np.inf}, "zero_point is inf"),
        ({"extinction": np.nan}, "extinction is nan"),
        ({"airmass": np.nan}, "airmass is nan"),
        ({"airmass": -5.0}, "airmass is -5"),
        ({"seeing_slopes": (np.nan, 0.0, 0.0, 0.0, 0.0)}, "seeing_slopes is"),
        ({"distortion": np.inf}, "distortion is"),
        ({"gains": (1.0,) * 15 + (np.nan,)}, "gains is"),
        ({"read_noises": (np.nan,)}, "read_noises is"),
        ({"ra": np.nan * u.deg}, "ra is nan"),
        ({"dec": 95 * u.deg}, "dec is 95"),
        ({"dec": np.nan * u.deg}, "dec is nan"),
        ({"extension": 1.5}, "extension is 1.5"),
    ],
)
def test_options_out_of_range_are_refused(options, fault):
    with pytest.raises(OptionError, match=fault):
        MeerlichtRenderer(**options)
