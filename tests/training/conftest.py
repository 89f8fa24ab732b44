"""Shards that the tests of this folder share."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from gammafind.training.shard_set import ShardSet
from tests.training.toy import toy_shards


@pytest.fixture(scope="session")
def shards(tmp_path_factory: pytest.TempPathFactory) -> ShardSet:
    """Shards of two catalogues of the toy sky."""
    return toy_shards(tmp_path_factory.mktemp("shards"))


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Let torch leave the cores to others: the networks of the tests are tiny."""
    if find_spec("torch") is None:
        yield
        return
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
