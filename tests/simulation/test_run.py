"""A set of catalogues is the same by whatever way it came about."""

from __future__ import annotations

import json
from dataclasses import replace

import astropy.units as u
import healpy as hp
import numpy as np
import pytest
from scipy import stats

from gammafind.catalogue.io import read_table, write_table
from gammafind.errors import ConfigError, OptionError, OutputError, TableError
from gammafind.pipeline.simulate import simulate
from gammafind.presets.preset import load_preset
from gammafind.sky.fits import read_counts
from gammafind.utils.locks import LOCK
from tests.simulation.fixtures import contents, run_with_toy_sky
from tests.simulation.toy_sky import BANDS, EXPOSURE, FLUX, PIXELS

pytestmark = pytest.mark.usefixtures("two_years")

FILES = ["counts_nside4.fits", "counts_nside8.fits", "simulation.json", "sources.fits"]


def make(folder, **options):
    return simulate(output=folder, **{"preset": "two-years", "seed": 5, **options})


def counts_of(folder):
    return read_counts(sorted(folder.glob("counts*.fits")), bands=BANDS)


def test_each_catalogue_gets_a_folder(tmp_path):
    done = make(tmp_path / "skies", catalogues=2, first=3)
    folders = [tmp_path / "skies" / name for name in ("catalogue-0003", "catalogue-0004")]
    assert list(done.folders) == [one.folder for one in done.made] == folders
    assert sorted((tmp_path / "skies").iterdir()) == folders
    assert sorted(path.name for path in folders[0].iterdir()) == FILES


def test_the_table_tells_sources_and_how_they_were_made(tmp_path):
    (folder,) = make(tmp_path, first=2).folders
    sources = read_table(folder / "sources.fits")
    assert len(sources) == 30
    assert sources["flux"].unit == FLUX
    assert sources["ra"].info.meta == {"ucd": "pos.eq.ra;meta.main"}
    assert sources["flux_history"].shape == (30, 2)
    assert (sources.meta["seed"], sources.meta["index"]) == (5, 2)
    assert sources.meta["population"]["options"] == {"n": 30}
    assert "date" not in sources.meta


def test_ecsv_holds_the_same_table(tmp_path):
    one, other = (make(tmp_path / f, table_format=f).folders[0] for f in ("fits", "ecsv"))
    fits, ecsv = read_table(one / "sources.fits"), read_table(other / "sources.ecsv")
    assert fits.colnames == ecsv.colnames
    for name in fits.colnames:
        np.testing.assert_array_equal(np.asarray(fits[name]), np.asarray(ecsv[name]))


def test_counts_are_poisson_draws_of_what_is_expected(tmp_path):
    folders = make(tmp_path, catalogues=40).folders
    background, sources = [], []
    for folder in folders:
        table, sky = read_table(folder / "sources.fits"), counts_of(folder)
        assert sky.values[0].dtype.kind == "i"
        for counts, pixels in zip(sky.values, PIXELS, strict=True):
            of_source = np.zeros(pixels.shape)
            positions = pixels.centres()[0].__class__(table["ra"], table["dec"])
            where = pixels.pixel_of(positions)
            np.add.at(of_source, where, 0.5 * table["flux"].value * EXPOSURE)
            background.append(counts[of_source == 0])
            sources.append((counts - 0.8 - of_source)[where] / np.sqrt(0.8 + of_source[where]))
    drawn = np.bincount(np.concatenate(background), minlength=6)[:6]
    law = stats.poisson(0.8).pmf(np.arange(6)) * drawn.sum()
    assert stats.chisquare(drawn, law / law.sum() * drawn.sum()).pvalue > 1e-3
    assert stats.kstest(np.concatenate(sources), "norm").statistic < 0.05


def test_the_record_counts_what_the_files_hold(tmp_path):
    (made,) = make(tmp_path, maps=True, command="as typed").made
    record = json.loads((made.folder / "simulation.json").read_text())
    sky = counts_of(made.folder)
    drawn = [int(values.sum()) for values in sky.values]
    assert [entry["drawn"] for entry in record["counts"]] == drawn
    assert made.n_counts == sum(drawn)
    assert record["counts"][1]["expected"]["flat"] == pytest.approx(0.8 * 768)
    assert record["n_sources"] == {"A": 15, "B": 15}
    assert record["command"] == "as typed"
    listed = {entry["name"]: entry["bytes"] for entry in record["files"]}
    assert listed == {name: len(content) for name, content in contents(made.folder).items()}


def test_maps_of_all_components_and_epochs_add_up_to_what_is_expected(tmp_path):
    (folder,) = make(tmp_path, maps=True).folders
    record = json.loads((folder / "simulation.json").read_text())
    names = {"A", "B", "flat"}
    assert {path.name for path in (folder / "maps").iterdir()} == {
        f"{name}_{band}GeV.fits" for name in names for band in ("1-2", "2-20")
    }
    for band, entry in zip(("1-2", "2-20"), record["counts"], strict=True):
        maps = {n: hp.read_map(folder / "maps" / f"{n}_{band}GeV.fits", field=None) for n in names}
        assert all(len(of_component) == 2 for of_component in maps.values())
        of_sources = maps["A"].sum() + maps["B"].sum()
        assert of_sources == pytest.approx(entry["expected"]["sources"], rel=1e-5)
        assert not np.allclose(maps["A"][0], maps["A"][1])
        np.testing.assert_allclose(maps["B"][0], maps["B"][1])


def test_counts_of_epochs_add_up_and_change_nothing_else(tmp_path):
    (plain,) = make(tmp_path / "plain").folders
    (folder,) = make(tmp_path / "apart", epochs=True).folders
    parts = [counts_of(folder / "epochs" / name) for name in ("first", "second")]
    for band, whole in enumerate(counts_of(plain).values):
        np.testing.assert_array_equal(counts_of(folder).values[band], whole)
        np.testing.assert_array_equal(sum(part.values[band] for part in parts), whole)
        assert all(part.values[band].sum() > 0 for part in parts)


def test_epochs_need_an_exposure_of_each(tmp_path):
    preset = load_preset("two-years")
    one_year = replace(preset, renderer=replace(preset.renderer, options={"year": 1}))
    with pytest.raises(ConfigError, match="two-years has no epochs"):
        make(tmp_path, preset=one_year, epochs=True)


def test_counts_do_not_depend_on_maps_format_or_company(tmp_path):
    alone = contents(make(tmp_path / "a", first=1).folders[0])
    rich = make(tmp_path / "b", catalogues=2, maps=True, table_format="ecsv").folders[1]
    for name in FILES[:2]:
        assert contents(rich)[name] == alone[name]
    other = contents(make(tmp_path / "c", first=1, seed=6).folders[0])
    assert all(other[name] != alone[name] for name in alone)


def test_workers_leave_the_same_bytes(tmp_path):
    code = """
from gammafind.pipeline.simulate import simulate
for workers in (1, 4):
    options = {"preset": "two-years", "seed": 3, "catalogues": 4, "maps": True}
    simulate(output=f"by-{workers}", workers=workers, **options)
"""
    status, _, errors = run_with_toy_sky(f"import os; os.chdir({str(tmp_path)!r})\n{code}")
    assert (status, errors) == (0, "")
    one, four = (contents(tmp_path / f"by-{n}") for n in (1, 4))
    assert len(one) == 4 * (3 + 6)
    assert one == four


KILLED = """
import os, signal
from gammafind.roles import renderer
from gammafind.pipeline.simulate import simulate

write, done = renderer.write_counts_by_nside, []

def write_and_die(counts, folder, **options):
    write(counts, folder, **options)
    done.append(folder)
    if len(done) == 3:
        os.kill(os.getpid(), signal.SIGKILL)

renderer.write_counts_by_nside = write_and_die
simulate(output={folder!r}, preset="two-years", seed=5, catalogues=4)
"""


def test_a_killed_run_is_taken_up_where_it_was(tmp_path):
    folder = tmp_path / "skies"
    status, _, _ = run_with_toy_sky(KILLED.format(folder=str(folder)))
    assert status == -9
    left = sorted(path.name for path in folder.iterdir())
    assert left[1:] == [LOCK, "catalogue-0000", "catalogue-0001"]
    assert left[0].startswith(".catalogue-0002.")
    first = (folder / "catalogue-0000" / "simulation.json").stat().st_mtime_ns
    done = make(folder, catalogues=4)
    assert [one.folder.name for one in done.made] == ["catalogue-0002", "catalogue-0003"]
    assert (folder / "catalogue-0000" / "simulation.json").stat().st_mtime_ns == first
    make(tmp_path / "unbroken", catalogues=4)
    assert contents(folder) == contents(tmp_path / "unbroken")
    assert len(list(folder.iterdir())) == 4


DEADLY = """
import os, signal
from gammafind import hookimpl
from tests.simulation.toy_sky import Few

class Deadly(Few):
    name = "deadly"

    def _sample(self, rng):
        os.kill(os.getppid(), signal.SIGKILL)
        signal.pause()

@hookimpl
def gammafind_populations():
    return [Deadly]
"""
ORPHANED = """
from gammafind.presets.choose import with_plugins
from gammafind.presets.preset import load_preset
from gammafind.pipeline.simulate import simulate

preset = with_plugins(load_preset("two-years"), {{"population": "deadly"}})
simulate(output={folder!r}, preset=preset, catalogues=4, workers=2)
"""


def test_no_worker_outlives_a_killed_run(tmp_path):
    """The workers hold the pipe that is read to its end: were one left, this would time out."""
    (tmp_path / "deadly.py").write_text(DEADLY)
    code = ORPHANED.format(folder=str(tmp_path / "skies"))
    status, _, _ = run_with_toy_sky(code, tmp_path, plugins=("deadly",))
    assert status == -9
    assert [path.name for path in (tmp_path / "skies").iterdir()] == [LOCK]


def test_a_folder_of_other_settings_is_refused(tmp_path):
    make(tmp_path, catalogues=2)
    before = contents(tmp_path)
    with pytest.raises(
        OutputError, match=r"catalogue-0000: was made with other.*seed was 5 and is"
    ):
        make(tmp_path, seed=6)
    with pytest.raises(OutputError, match="maps was False and is now True"):
        make(tmp_path, maps=True)
    preset = load_preset("two-years")
    fewer = replace(preset, population=replace(preset.population, options={"n": 4}))
    with pytest.raises(OutputError, match=r"population\.options\.n was 30 and is now 4"):
        make(tmp_path, preset=fewer, catalogues=2)
    assert contents(tmp_path) == before
    assert len(make(tmp_path, preset=fewer, catalogues=2, overwrite=True).made) == 2
    assert len(read_table(tmp_path / "catalogue-0001" / "sources.fits")) == 4
    assert len(list(tmp_path.iterdir())) == 2


def test_sources_of_a_table_are_taken_as_they_are(tmp_path):
    (drawn,) = make(tmp_path / "drawn").folders
    (given,) = make(tmp_path / "given", sources=drawn / "sources.fits").folders
    one, other = (read_table(folder / "sources.fits") for folder in (drawn, given))
    assert one.colnames == other.colnames
    np.testing.assert_array_equal(one["flux"].value, other["flux"].value)
    for values, same in zip(counts_of(drawn).values, counts_of(given).values, strict=True):
        np.testing.assert_array_equal(values, same)
    assert other.meta["inputs"][0]["name"] == "sources.fits"
    assert "population" not in other.meta


def test_changed_sources_are_other_settings(tmp_path):
    (drawn,) = make(tmp_path / "drawn").folders
    path = tmp_path / "mine.ecsv"
    table = read_table(drawn / "sources.fits")
    write_table(table, path)
    make(tmp_path / "mine", sources=path)
    table["flux"] *= 2
    write_table(table, path, overwrite=True)
    with pytest.raises(OutputError, match="inputs was"):
        make(tmp_path / "mine", sources=path)


def test_faults_of_the_renderer_name_the_table(tmp_path, monkeypatch):
    from tests.simulation.toy_sky import TwoYears

    def refuse(*_):
        raise TableError("the class X is unknown", remedy="Known are A and B.")

    (drawn,) = make(tmp_path / "drawn").folders
    monkeypatch.setattr(TwoYears, "_render", refuse)
    with pytest.raises(TableError, match=r"sources\.fits: the class X is unknown\. Known are A"):
        make(tmp_path / "given", sources=drawn / "sources.fits")
    assert not (tmp_path / "given").exists()


def test_a_preset_without_a_population_is_named(tmp_path):
    bare = replace(load_preset("two-years"), population=None)
    with pytest.raises(ConfigError, match="the preset two-years names no population"):
        make(tmp_path, preset=bare)


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"seed": -1}, "seed is -1"),
        ({"catalogues": 0}, "catalogues is 0. It must be 1 or more"),
        ({"first": -2}, "first is -2"),
        ({"workers": 0}, "workers is 0"),
        ({"table_format": "csv"}, "Accepted are fits, ecsv"),
    ],
)
def test_numbers_out_of_range_are_refused(tmp_path, options, fault):
    with pytest.raises(OptionError, match=fault):
        make(tmp_path / "skies", **options)
    assert list(tmp_path.iterdir()) == []


def test_the_flux_unit_may_name_photons(tmp_path):
    (drawn,) = make(tmp_path / "drawn").folders
    table = read_table(drawn / "sources.fits")
    table["flux"] = table["flux"].value * u.Unit("ph cm-2 s-1")
    write_table(table, tmp_path / "mine.vot")
    (folder,) = make(tmp_path / "mine", sources=tmp_path / "mine.vot").folders
    assert read_table(folder / "sources.fits")["flux"].unit == FLUX
