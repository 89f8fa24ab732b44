"""The record of how a catalogue was made grows by each step."""

from __future__ import annotations

import pytest

from gammafind.catalogue.prov import PROVENANCE, prov_document, readable, step, steps_of, with_step
from gammafind.errors import TableError
from tests.catalogue.measured import measured_catalogue


def names(meta):
    return [one["voprov:name"] for one in prov_document(meta)["activity"].values()]


def test_each_step_follows_the_search():
    meta = measured_catalogue().meta
    given = [{"name": "pulsars", "sha256": "cd" * 32}]
    for name in ("measure", "associate"):
        meta = with_step(meta, step(name, date="2026-01-02", inputs=given))
    assert names(meta) == ["detect", "measure", "associate"]
    assert meta[PROVENANCE] == prov_document(meta)
    derived = meta[PROVENANCE]["wasDerivedFrom"].values()
    assert [one["prov:usedEntity"] for one in derived] == ["gf:catalogue/1", "gf:catalogue/2"]


def test_people_read_the_metadata_without_the_document():
    meta = with_step(measured_catalogue().meta, step("measure", date=""))
    assert set(meta) - set(readable(meta)) == {PROVENANCE}


def test_a_file_of_several_steps_is_one_entity():
    given = [{"name": "pulsars", "sha256": "cd" * 32}]
    meta = with_step({}, step("associate", date="", inputs=given))
    meta = with_step(meta, step("measure", date="", inputs=given))
    files = [name for name in meta[PROVENANCE]["entity"] if name.startswith("gf:file")]
    assert files == ["gf:file/" + "cd" * 8]
    assert len(meta[PROVENANCE]["used"]) == 3


def test_a_classification_alone_is_no_search():
    meta = measured_catalogue().meta
    meta["plugins"] = [{"role": "classifier", "name": "features", "options": {}}]
    assert names(meta) == ["classify"]
    assert [one["name"] for one in steps_of(meta)] == ["classify"]


def test_a_catalogue_of_others_has_no_record():
    with pytest.raises(TableError, match="how it was made"):
        prov_document({"name": "theirs.fits"})
