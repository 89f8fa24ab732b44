from __future__ import annotations

import numpy as np

from gammafind.simulation.sky import simulated_sky
from tests.simulation.toy_sky import Few, TwoYears


def test_the_sky_depends_on_seed_and_index_alone():
    one, again, other = (
        simulated_sky(TwoYears(), Few(n=30), seed=5, index=i).observation.counts.values
        for i in (1, 1, 2)
    )
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_counts_are_drawn_from_everything_that_is_expected():
    sky = simulated_sky(TwoYears(), Few(n=30), seed=5, index=0)
    assert len(sky.sources) == 30
    for counts, expected in zip(sky.observation.counts.values, sky.everything(), strict=True):
        total = expected.sum()
        assert abs(counts.sum() - total) < 5 * np.sqrt(total)
