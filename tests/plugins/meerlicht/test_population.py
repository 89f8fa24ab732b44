"""Stars and galaxies of a field."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.table import Table

from gammafind.errors import OptionError, TableError
from gammafind.plugins.meerlicht.colours import colour
from gammafind.plugins.meerlicht.population import MeerlichtField
from gammafind.plugins.meerlicht.star_counts import sources_per_degree, stars_brighter
from gammafind.plugins.meerlicht.tables import read_magnitudes

FRAME = 1.65**2


@pytest.mark.parametrize(("latitude", "number"), [(9.2069, 101225), (-30, 16268), (57.14, 5315)])
def test_numbers_are_those_of_the_frames_of_the_survey(latitude, number):
    assert sources_per_degree(latitude) * FRAME == pytest.approx(number, rel=1e-3)


def test_numbers_rise_to_the_plane_and_end_at_the_pole():
    assert sources_per_degree(0) > sources_per_degree(5) > sources_per_degree(10)
    assert sources_per_degree(90) == sources_per_degree(60)


def test_the_pole_has_the_stars_of_bahcall_and_soneira():
    assert stars_brighter(20.0, 0.0, 90.0) == pytest.approx(1440, rel=0.05)


def test_a_field_holds_as_many_sources_as_it_should():
    field = MeerlichtField(density=20000.0, size=0.5 * u.deg)
    sources = field.sample(rng=np.random.default_rng(2))
    bright = np.sum(sources["mag_q"].value < 20.5)
    assert bright == pytest.approx(5000, abs=4 * np.sqrt(5000))
    galaxy = (sources["class_label"] == "galaxy") & (sources["mag_q"].value < 20.5)
    assert galaxy.sum() == pytest.approx(850 / 4, abs=60)
    assert np.all(np.abs(sources["dec"].value + 32) < 0.26)


def test_hot_stars_are_blue():
    assert colour(np.array([20000.0]), "u") < 0 < colour(np.array([4000.0]), "u")
    assert colour(np.array([5000.0]), "q") == pytest.approx(0)


@pytest.mark.parametrize(
    "options",
    [
        {"size": 0 * u.deg},
        {"density": 100.0},
        {"density": np.inf},
        {"galaxies": np.nan},
        {"faintest": 19.0},
        {"dec": 91 * u.deg},
        {"dec": np.nan * u.deg},
        {"ra": np.inf * u.deg},
    ],
)
def test_what_makes_no_field_is_refused(options):
    with pytest.raises(OptionError):
        MeerlichtField(**options)


def test_a_result_of_a_gaia_query_becomes_stars(tmp_path):
    path = tmp_path / "gaia.csv"
    Table(
        {
            "source_id": [11, 12, 13],
            "ra": [305.0, 305.01, 305.02],
            "dec": [-32.0, -32.0, -32.0],
            "phot_g_mean_mag": [15.0, 18.0, np.nan],
        }
    ).write(path)
    stars = read_magnitudes(path, "q")
    assert stars["name"].tolist() == ["11", "12"]
    assert stars["mag_q"].value == pytest.approx([15.1136, 18.1136])
    assert set(stars["class_label"]) == {"star"}


def test_a_table_of_fluxes_is_left_to_others(tmp_path):
    path = tmp_path / "flux.csv"
    Table({"ra": [1.0], "dec": [1.0], "flux": [1.0], "mag": [3.0]}).write(path)
    assert read_magnitudes(path, "q") is None
    assert read_magnitudes("no such name", "q") is None


def test_magnitudes_without_positions_are_refused(tmp_path):
    path = tmp_path / "mag.csv"
    Table({"mag": [3.0], "colour": [0.5]}).write(path)
    with pytest.raises(TableError, match=r"lacks the column ra, dec"):
        read_magnitudes(path, "q")
