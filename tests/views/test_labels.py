"""Labels cover nothing."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gammafind.views.labels import place_boxes

FRAME = np.array([0.0, 0.0, 100.0, 100.0])


@given(arrays(float, (12, 2), elements=st.floats(0, 100)))
def test_boxes_stay_clear_of_each_other_and_of_discs(anchors):
    radii, sizes = np.full(12, 2.0), np.tile([15.0, 4.0], (12, 1))
    placed = place_boxes(anchors, radii, sizes, FRAME, gaps=np.array([1.0, 5.0]))
    kept = [(i, centre) for i, (centre, _) in enumerate(placed) if centre is not None]
    for rank, (i, centre) in enumerate(kept):
        assert np.all(centre - sizes[i] / 2 >= FRAME[:2])
        assert np.all(centre + sizes[i] / 2 <= FRAME[2:])
        for _, other in kept[:rank]:
            assert np.any(np.abs(centre - other) >= sizes[i] - 1e-9)
        distance = np.abs(np.delete(anchors, i, axis=0) - centre)
        assert np.all(np.any(distance >= sizes[i] / 2 + 2.0 - 1e-9, axis=1))


def test_a_lone_label_stands_right_of_its_marker():
    [(centre, is_far)] = place_boxes(
        np.array([[50.0, 50.0]]), np.array([2.0]), np.array([[10.0, 4.0]]), FRAME,
        gaps=np.array([1.0, 5.0]),
    )  # fmt: skip
    np.testing.assert_allclose(centre, [58.0, 50.0])
    assert not is_far
