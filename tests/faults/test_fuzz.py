"""Damaged files of all kinds: a fixed small budget; ``benchmarks/fuzz.py`` has a longer one."""

from __future__ import annotations

import os
import sys

import pytest
from fuzz import mutated_files, run_batch
from fuzz_mutations import mutated

N_FILES = int(os.environ.get("GAMMAFIND_FUZZ", "600"))


def test_damage_is_repeatable_and_differs(corpus):
    for path in corpus.values():
        whole = path.read_bytes()
        made = [mutated(whole, number) for number in range(10)]
        assert made == [mutated(whole, number) for number in range(10)]
        assert len(set(made)) > 5


@pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux shows it")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_damaged_files_end_in_errors_of_ours(corpus, tmp_path):
    outcomes = run_batch(mutated_files(tmp_path, corpus, range(N_FILES)))
    assert len(outcomes) == N_FILES
    assert [one for one in outcomes if one.fault] == []
    assert {one.ended for one in outcomes} >= {"read", "FileFormatError", "TruncatedFileError"}
