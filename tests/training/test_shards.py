"""Shards: what is expected of catalogues, written once and read as it was."""

from __future__ import annotations

import json

import numpy as np
import pytest

from gammafind.catalogue.io import read_table
from gammafind.errors import MissingFileError, OutputError, TruncatedFileError
from gammafind.fitting.photons.expected import rendered_ts
from gammafind.sky.patch_grid import PatchGrid
from gammafind.training.sets import META, make_shards
from gammafind.training.shard_set import ShardSet
from gammafind.utils.streams import streams
from tests.simulation.toy_sky import EXPOSURE
from tests.training.toy import WIDTHS, toy_maker


@pytest.fixture
def maker(tmp_path):
    return toy_maker(tmp_path / "shards")


def grid_of(folder):
    meta = json.loads((folder / META).read_text())
    return PatchGrid(np.array(meta["lon"]), np.array(meta["lat"]), toy_maker(folder).patches.size)


def test_what_is_read_is_what_was_rendered(maker):
    assert make_shards(maker, [3]) == 1
    folder = maker.place(3)
    sources = maker.population.sample(rng=streams(5, 3).sources)
    patches = maker.renderer.render_patches(sources, grid_of(folder), WIDTHS)
    read = ShardSet(maker.folder, [3]).read(np.arange(12), exposure=True)
    for i in range(2):
        total = read.sources[i] + read.background[i]
        np.testing.assert_allclose(total, patches.counts[i], rtol=2e-3)
        np.testing.assert_allclose(read.background[i], patches.background[i], rtol=2e-3)
        np.testing.assert_allclose(read.exposure[i], EXPOSURE, rtol=1e-3)
        assert read.sources[i].dtype == np.float32


def test_the_truth_says_where_each_source_is_and_its_expected_ts(maker):
    make_shards(maker, [0])
    shards = ShardSet(maker.folder, [0])
    read = shards.read(np.array([7, 2]))
    grid = grid_of(maker.place(0))
    sources = maker.population.sample(rng=streams(5, 0).sources)
    ts = rendered_ts(maker.renderer, sources)
    patch = np.array([7, 2])[read.truth["patch"]]
    places = grid.positions(patch, read.truth["x"], read.truth["y"], max(WIDTHS)).icrs
    true = sources[read.truth["source"]]
    assert len(read.truth) > 4
    np.testing.assert_allclose(places.ra.deg, true["ra"].value, atol=1e-4)
    np.testing.assert_allclose(places.dec.deg, true["dec"].value, atol=1e-4)
    np.testing.assert_allclose(read.truth["ts"], ts[read.truth["source"]], rtol=1e-6)
    np.testing.assert_allclose(read_table(maker.place(0) / "sources.fits")["ts"], ts)


def test_patches_of_several_catalogues_are_counted_through(maker):
    make_shards(maker, [0, 1])
    both, second = ShardSet(maker.folder, [0, 1]), ShardSet(maker.folder, [1])
    assert len(both) == 24
    assert both.widths == WIDTHS
    one, other = both.read(np.array([12 + 5, 0])), second.read(np.array([5]))
    np.testing.assert_array_equal(one.sources[1][0], other.sources[1][0])
    np.testing.assert_array_equal(one.truth[one.truth["patch"] == 0], other.truth)


def test_each_catalogue_has_a_grid_of_its_own(maker):
    make_shards(maker, [0, 1])
    first, second = (grid_of(maker.place(i)) for i in range(2))
    apart = first.centres[:, None].separation(second.centres[None])
    assert apart.deg.min() > 1e-3
    vectors = first.bases[:, 2]
    np.testing.assert_allclose(
        np.sort(vectors @ vectors.T, axis=None),
        np.sort(PatchGrid.healpix(1).bases[:, 2] @ PatchGrid.healpix(1).bases[:, 2].T, axis=None),
        atol=1e-12,
    )


def test_shards_that_are_there_are_left_and_broken_ones_made_again(maker):
    make_shards(maker, [0, 1])
    kept = (maker.place(0) / META).stat().st_mtime_ns
    before = (maker.place(1) / "sources_0.npy").read_bytes()
    (maker.place(1) / META).unlink()
    (maker.place(1) / "sources_0.npy").write_bytes(b"half")
    with pytest.raises(MissingFileError, match="no whole shard"):
        ShardSet(maker.folder, [1])
    assert make_shards(maker, [0, 1]) == 1
    assert (maker.place(0) / META).stat().st_mtime_ns == kept
    assert (maker.place(1) / "sources_0.npy").read_bytes() == before


def test_shards_made_otherwise_are_refused(maker):
    make_shards(maker, [0])
    with pytest.raises(OutputError, match="seed was 5 and is to be 6"):
        make_shards(toy_maker(maker.folder, seed=6), [0])
    with pytest.raises(OutputError, match="population was"):
        make_shards(toy_maker(maker.folder, settings={"population": {"n": 3}}), [0])


def test_a_damaged_file_is_named(maker):
    make_shards(maker, [0])
    path = maker.place(0) / "background_1.npy"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(TruncatedFileError, match=r"background_1\.npy"):
        ShardSet(maker.folder, [0])


@pytest.mark.parametrize("name", ["background_0.npy", "sources_1.npy", "truth.npy", "sources.fits"])
def test_one_flipped_bit_in_a_shard_is_seen_before_it_is_trained_on(maker, name):
    make_shards(maker, [0])
    path = maker.place(0) / name
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    with pytest.raises(TruncatedFileError, match=name):
        make_shards(maker, [0])


@pytest.mark.parametrize("change", [{"exposure_scales": [2.0, 1.0]}, {"margin": 9}, {"files": 5}])
def test_a_record_that_was_changed_is_seen(maker, change):
    make_shards(maker, [0])
    path = maker.place(0) / META
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(TruncatedFileError, match=META):
        make_shards(maker, [0])


def test_a_record_without_its_own_checksum_is_taken(maker):
    make_shards(maker, [0])
    path = maker.place(0) / META
    meta = json.loads(path.read_text())
    del meta["files"][META]
    path.write_text(json.dumps(meta))
    assert make_shards(maker, [0]) == 0


def test_exposures_that_were_not_stored_are_missed_by_name(tmp_path):
    maker = toy_maker(tmp_path / "shards", exposure=False)
    make_shards(maker, [0])
    with pytest.raises(MissingFileError, match="no exposure_0"):
        ShardSet(maker.folder, [0]).read(np.array([0]), exposure=True)
