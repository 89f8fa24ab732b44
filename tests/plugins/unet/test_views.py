from __future__ import annotations

import numpy as np
import pytest

from gammafind.networks.views import VIEWS, averaged


def told(inputs):
    """Network that tells the pixel itself, and the way to the brightest pixel, as it sees them."""
    (image,) = inputs
    n, w = image.shape[:2]
    flat = image[..., 0].reshape(n, -1).argmax(axis=1)
    row, column = np.divmod(flat, w)
    y, x = np.indices((w, w))
    output = np.empty((n, w, w, 4), dtype=np.float32)
    output[..., 0] = image[..., 0]
    output[..., 1] = column[:, None, None] - x
    output[..., 2] = row[:, None, None] - y
    output[..., 3] = 0.5
    return output


@pytest.mark.parametrize("n", range(1, 9))
def test_views_agree_where_the_network_does_not_care_how_it_looks(n):
    image = np.random.default_rng(1).random((3, 6, 6, 1)).astype(np.float32)
    np.testing.assert_allclose(averaged(told, [image], n), told([image]), atol=1e-6)


def test_there_are_eight_ways_to_look():
    image = np.arange(9.0).reshape(1, 3, 3, 1)
    seen = {view.turned(image).tobytes() for view in VIEWS}
    assert len(seen) == len(VIEWS) == 8


def test_scores_are_means():
    def left(inputs):
        output = np.zeros((1, 4, 4, 1))
        output[:, :, 0] = 1.0
        return output

    mean = averaged(left, [np.zeros((1, 4, 4, 2))], 8)[0, :, :, 0]
    np.testing.assert_allclose(mean, mean.T)
    assert mean[0, 0] == 0.5
    assert mean[0, 1] == 0.25
    assert mean[1, 1] == 0
