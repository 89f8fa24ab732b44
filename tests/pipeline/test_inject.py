from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from gammafind.catalogue.io import read_table
from gammafind.cli.main import main
from gammafind.errors import OptionError, OutputError
from gammafind.pipeline.inject import inject
from gammafind.pipeline.injected import recovered
from gammafind.presets.preset import load_preset
from gammafind.roles.localiser import no_detections
from gammafind.sky.point_sources import sky_counts
from gammafind.sky.projection import vectors_in
from gammafind.sky.skymap import SkyMap
from tests.cli.fixtures import toy
from tests.cli.toy import BANDS, EXPOSURE, PIXELS, Bright, Toy, toy_file

__all__ = ["toy"]

pytestmark = pytest.mark.usefixtures("toy")

FLUX = np.array([1e-10, 1e-8]) / u.cm**2 / u.s
"""Of sources with 10 counts, which are never found, and with 1000, which always are."""


@dataclass(frozen=True, kw_only=True)
class Rendering(Toy):
    """The toy instrument, which also renders."""

    name: ClassVar[str] = "rendering"

    def _render(self, sources, pixels):
        at = SkyCoord(sources["ra"], sources["dec"])
        counts = sources["flux"].to_value("cm-2 s-1") * EXPOSURE
        values = sky_counts(vectors_in(pixels[0].frame, at), counts, pixels[0], self.psfs()[0])
        return (values,)


@pytest.fixture
def preset(toy):
    preset = load_preset("toy")
    return replace(preset, renderer=replace(preset.renderer, plugin=Rendering()))


def flat():
    return SkyMap(BANDS, [PIXELS], [np.ones(PIXELS.shape, dtype=int)])


def test_bright_sources_are_found_and_faint_ones_are_not(preset):
    done = inject(
        flat(), preset=preset, flux=tuple(FLUX), number=20, rounds=2, seed=3, radius=3 * u.deg
    )
    sources, bright = done.sources, done.sources["flux"] > 3e-9 * FLUX.unit
    assert len(sources) == 40
    assert set(sources["round"]) == {0, 1}
    assert sources["found"][bright].all()
    assert not sources["found"][sources["flux"] < 1.2e-10 * FLUX.unit].any()
    assert np.all(np.isfinite(sources["score"]) == sources["found"])
    ratio = sources["found_flux"][bright] / sources["flux"][bright]
    assert 0.1 < np.median(ratio) < 1.2


def test_the_completeness_is_that_of_the_sources(preset):
    done = inject(flat(), preset=preset, flux=tuple(FLUX), number=20, seed=3)
    table = done.completeness
    assert table["n"].sum() == len(done)
    assert table["n_found"].sum() == done.sources["found"].sum()
    assert np.all(table["completeness_low"] <= table["completeness"])
    assert np.all(table["completeness"] <= table["completeness_high"])
    assert {"min_score", "inputs", "seed", "plugins", "separation", "measures"} <= set(table.meta)


def test_sources_of_a_round_keep_apart(preset):
    done = inject(flat(), preset=preset, flux=tuple(FLUX), number=15, separation=6)
    places = SkyCoord(done.sources["ra"], done.sources["dec"])
    nearest = places.match_to_catalog_sky(places, nthneighbor=2)[1]
    assert nearest.min() > u.Quantity(done.sources.meta["separation"]) * 0.99


def test_rounds_that_are_there_are_not_searched_again(preset, tmp_path, monkeypatch):
    settings = {"preset": preset, "flux": tuple(FLUX), "number": 10, "output": tmp_path / "out"}
    inject(flat(), rounds=1, **settings)
    first = (tmp_path / "out" / "round-0000.ecsv").read_bytes()
    more = inject(flat(), rounds=2, **settings)
    assert (tmp_path / "out" / "round-0000.ecsv").read_bytes() == first
    alone = inject(flat(), rounds=2, preset=preset, flux=tuple(FLUX), number=10)
    np.testing.assert_array_equal(more.sources["ra"], alone.sources["ra"])
    np.testing.assert_array_equal(more.sources["found"], alone.sources["found"])

    def stopped(*arguments):
        raise AssertionError

    monkeypatch.setattr(Bright, "_localise_sky", stopped)
    again = inject(flat(), rounds=2, **settings)
    np.testing.assert_array_equal(more.sources["score"], again.sources["score"])
    assert len(read_table(tmp_path / "out" / "completeness.ecsv")) == len(again.completeness)


def test_rounds_of_other_settings_are_kept_unless_they_may_go(preset, tmp_path):
    settings = {"preset": preset, "flux": tuple(FLUX), "number": 5, "output": tmp_path / "out"}
    inject(flat(), **settings)
    with pytest.raises(OutputError, match="other settings: seed"):
        inject(flat(), seed=1, **settings)
    assert inject(flat(), seed=1, overwrite=True, **settings).sources.meta["seed"] == 1


def test_places_fluxes_and_indices_of_a_table_are_used(preset):
    places = QTable({"ra": [10, 100, 200] * u.deg, "dec": [0, 20, -30] * u.deg})
    places["flux"], places["index"] = [1, 2, 3] * FLUX[1], [2.0, 2.1, 2.2]
    done = inject(flat(), preset=preset, places=places, flux=(FLUX[0], 9 * FLUX[1]))
    order = np.argsort(done.sources["ra"])
    np.testing.assert_allclose(done.sources["ra"][order].value, [10, 100, 200])
    np.testing.assert_allclose(done.sources["flux"][order] / FLUX[1], [1, 2, 3])
    np.testing.assert_allclose(done.sources["index"][order], [2.0, 2.1, 2.2])


def test_a_source_of_the_sky_is_not_taken_for_an_injected_one():
    at = {"ra": [10.0] * u.deg, "dec": [0.0] * u.deg}
    known = QTable({**at, "score": [30.0]})
    beside = {"ra": [10.3] * u.deg, "dec": [0.0] * u.deg, "glon": [0.0] * u.deg}
    injected = QTable({"name": ["A"], **beside, "glat": [0.0] * u.deg})
    injected["flux"], injected["index"] = FLUX[:1], [2.3]
    alone = recovered(injected, known, known, radius=0.5 * u.deg, index=0)
    assert not alone["found"][0]
    assert alone["to_real"][0].to_value("deg") == pytest.approx(0.3)
    without = recovered(injected, known, no_detections(), radius=0.5 * u.deg, index=0)
    assert without["found"][0]


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"rounds": 0}, "rounds is 0"),
        ({"number": 0}, "number is 0"),
        ({"index": ()}, "no photon index"),
        ({"flux": (FLUX[1], FLUX[0])}, "fluxes from"),
        ({"flux": (1 * u.m, 2 * u.m)}, "flux"),
        ({"seed": -1}, "seed"),
    ],
)
def test_impossible_options_are_errors(options, fault, preset):
    with pytest.raises(OptionError, match=fault):
        inject(flat(), preset=preset, **{"flux": tuple(FLUX), **options})


def test_the_command_writes_both_tables(tmp_path, capsys):
    counts = toy_file(tmp_path / "counts.fits")
    flux = ["--flux", "1e-10 cm-2 s-1", "1e-8 cm-2 s-1"]
    assert main(["inject", str(counts), *flux, "--number", "5", "-o", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert "of 5 injected sources found in 1 round" in printed
    assert len(read_table(tmp_path / "out" / "injected.ecsv")) == 5
