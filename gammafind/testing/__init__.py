"""Checks that a plugin keeps the contract of its role; what a plugin author runs in a test.

Each check creates the plugin with the options given, runs it on small inputs and raises
`~gammafind.errors.ConformanceError` at the first breach::

    from gammafind.testing import check_clusterer

    def test_blobs():
        check_clusterer(ThresholdBlob, threshold=0.5)
"""

from __future__ import annotations

from gammafind.testing.checks import check_classifier, check_clusterer, check_population
from gammafind.testing.common import check_plugin
from gammafind.testing.contract import contract, toy_cutouts
from gammafind.testing.kit import new_plugin
from gammafind.testing.localisers import check_localiser
from gammafind.testing.renderers import check_renderer
from gammafind.testing.toys import disc_map, one_source, toy_image, toy_patches

__all__ = [
    "check_classifier",
    "check_clusterer",
    "check_localiser",
    "check_plugin",
    "check_population",
    "check_renderer",
    "contract",
    "disc_map",
    "new_plugin",
    "one_source",
    "toy_cutouts",
    "toy_image",
    "toy_patches",
]
