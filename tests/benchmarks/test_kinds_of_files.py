"""Files of LAT users, made of real photons, are what they look like."""

from __future__ import annotations

import pytest

from gammafind.sky.fits.facts import read_facts

pytestmark = pytest.mark.usefixtures("shared")


@pytest.mark.parametrize(
    ("kind", "found", "n_bins"),
    [
        ("2FHL image, Galactic centre", "counts", None),
        ("gammapy HEALPix of a region", "counts", 11),
        ("fermipy HEALPix of a region", "counts", 18),
        ("Galactic-centre photons", "photons", None),
    ],
)
def test_a_file_that_is_made_is_of_its_kind(tmp_path, kind, found, n_bins):
    from kinds_of_files import KINDS

    facts = read_facts(KINDS[kind](tmp_path / "file.fits"))
    assert facts.kind == found
    if n_bins:
        assert len(facts.bins) == n_bins
    else:
        assert facts.range("ENERGY") is not None or facts.bins is not None
