"""Plugins of third parties that use names of the release before work, and are warned of."""

from __future__ import annotations

from dataclasses import dataclass, replace

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable

from gammafind import Classifier, Localiser, SkyRenderer
from gammafind.errors import GammafindDeprecationWarning, OptionError
from gammafind.roles.localiser import no_detections
from gammafind.testing import toy_image


def test_looks_at_is_what_a_classifier_sees():
    with pytest.warns(GammafindDeprecationWarning, match="Old defines looks_at, which is now sees"):

        class Old(Classifier):
            looks_at = "image"

    assert Old.sees == "image"


@pytest.mark.parametrize(("electrons", "sees"), [(True, "image"), (False, "maps")])
def test_who_reads_electrons_sees_images(electrons, sees):
    with pytest.warns(GammafindDeprecationWarning, match="reads_electrons, which is now sees"):

        class Old(SkyRenderer):
            reads_electrons = electrons

    assert Old.sees == sees


def test_calibrate_adds_derived_columns():
    with pytest.warns(GammafindDeprecationWarning, match="calibrate, which is now with_derived"):

        class Old(SkyRenderer):
            def calibrate(self, detections):
                return QTable({"mag": [1.0] * u.mag})

    assert Old.with_derived(None, QTable()).colnames == ["mag"]


def test_a_score_that_is_called_probability_is_one():
    with pytest.warns(GammafindDeprecationWarning, match="set scores_are_probabilities"):

        class Old(Localiser):
            score_name = "probability"

    assert Old.scores_are_probabilities


def test_a_score_that_an_option_calls_probability_is_one():
    @dataclass(frozen=True, kw_only=True)
    class Old(Localiser):
        name = "old"
        sure: bool = True

        @property
        def score_name(self):
            return "probability" if self.sure else "S/N"

        def _localise(self, patches):
            raise NotImplementedError

    assert not Old(sure=False).scores_are_probabilities
    with pytest.warns(GammafindDeprecationWarning, match="set scores_are_probabilities"):
        assert Old().scores_are_probabilities


def test_names_of_both_releases_need_no_warning():
    class Both(Localiser):
        score_name = "probability"
        scores_are_probabilities = True

    class Reader(Classifier):
        looks_at = "image"
        sees = "image"

    assert Both.scores_are_probabilities
    assert Reader.sees == "image"


def finder(**attributes):
    """Return a localiser that searches the whole sky itself, and finds nothing."""
    own = {
        "name": "finder",
        "_localise": lambda self, patches: no_detections(),
        "_localise_sky": lambda self, *given: no_detections(),
        **attributes,
    }
    return dataclass(frozen=True, kw_only=True)(type("Finder", (Localiser,), own))()


def test_a_finder_that_does_not_say_what_it_sees_is_given_images():
    with pytest.warns(GammafindDeprecationWarning, match="does not say what it sees: set sees"):
        assert len(finder().localise_sky(toy_image())) == 0


def test_a_finder_is_given_what_it_sees():
    image = toy_image()
    counts = replace(image.counts, kind="counts", values=(np.ones((64, 64)),))
    sky = replace(image, counts=counts)
    with pytest.raises(OptionError, match="takes maps of the sky, and this is an image"):
        finder(sees="maps").localise_sky(image)
    with pytest.raises(OptionError, match="takes images of a camera, and these are maps"):
        finder(sees="image").localise_sky(sky)
    for sees, given in (("maps", sky), ("image", image), ("both", sky), ("both", image)):
        assert len(finder(sees=sees).localise_sky(given)) == 0
