from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable

from gammafind.catalogue.association.counterparts import counterpart_list
from gammafind.catalogue.association.places import Places
from gammafind.catalogue.association.position_errors import position_errors
from gammafind.catalogue.association.solve import solve
from gammafind.catalogue.positions import sky_positions
from tests.catalogue.association.skies import objects, sources


def places(table):
    errors = position_errors(table)
    return Places(sky_positions(table), errors.with_size, errors.known)


def solved(table, *lists, **options):
    return solve(places(table), lists, **{"threshold": 0.8, **options})


@pytest.fixture(scope="module")
def sky():
    """Sources of which half have their counterpart among dense objects, and the solution."""
    rng = np.random.default_rng(3)
    there = objects(rng, 30000)
    found = sources(rng, there, 600, 600)
    return found, there, solved(found, counterpart_list(there, "A"))


def test_the_prior_is_the_share_of_sources_that_have_a_counterpart(sky):
    _, _, solution = sky
    assert abs(solution.priors.outside[0] - 0.5) < 0.06


def test_the_stated_and_the_measured_false_associations_are_the_true_ones(sky):
    found, there, solution = sky
    decision, pairs = solution.decision, solution.pairs
    given = decision.total >= 0.8
    names = np.asarray(there["name"])[pairs.entry[decision.best[given]]]
    false = np.sum(names != np.asarray(found["truth"])[given])
    stated = np.sum(1 - decision.total[given])
    assert given.sum() > 250
    chance = np.sum(1 - decision.any[given])
    assert abs(false - stated) < 3 * np.sqrt(stated)
    assert abs(solution.chance_by_shift.sum(axis=1).mean() - chance) < 2 * np.sqrt(stated)


def test_probabilities_are_calibrated(sky):
    found, there, solution = sky
    pairs, probability = solution.pairs, solution.decision.probability
    names = np.asarray(there["name"])[pairs.entry]
    true = names == np.asarray(found["truth"])[pairs.row]
    for low, high in ((0.1, 0.5), (0.5, 0.8), (0.8, 1.0)):
        chosen = (probability > low) & (probability <= high)
        expected = probability[chosen].sum()
        spread = np.sqrt(np.sum(probability[chosen] * (1 - probability[chosen])))
        assert abs(true[chosen].sum() - expected) < 3.5 * spread


def test_probabilities_of_a_source_do_not_exceed_one(sky):
    _, _, solution = sky
    decision = solution.decision
    assert np.all(decision.any <= 1 + 1e-9)
    assert np.all(decision.total <= 1)
    assert np.all(decision.probability <= decision.object_probability + 1e-12)


def test_an_object_in_two_catalogues_is_one_counterpart():
    rng = np.random.default_rng(4)
    there = objects(rng, 3000)
    found = sources(rng, there, 100, 100)
    twin = there[:2000]
    one = solved(found, counterpart_list(there, "A"))
    two = solved(found, counterpart_list(there, "A"), counterpart_list(twin, "B"))
    given = [np.flatnonzero(s.decision.total >= 0.8) for s in (one, two)]
    assert len(given[0]) > 90
    assert abs(len(given[0]) - len(given[1])) <= 2
    assert np.all(two.pairs.catalogue[two.decision.best[given[1]]] == 0)


def test_a_pulsar_and_its_remnant_are_one_association():
    rng = np.random.default_rng(5)
    pulsars = objects(rng, 300, "PSR")
    remnants = QTable(pulsars, copy=True)
    remnants["name"] = [f"SNR{i}" for i in range(300)]
    remnants["Diameter"] = np.full(300, 6.0) * u.arcmin
    found = sources(rng, pulsars, 60, 20, r95=0.05)
    one = counterpart_list(pulsars, "PSR", prior=0.3)
    other = counterpart_list(remnants, "SNR", prior=0.3)
    decision = solved(found, one, other).decision
    alone = decision.object_probability[decision.best[:60]]
    assert np.sum(alone < 0.8) > 20
    assert np.sum(decision.total[:60] >= 0.8) >= 58
    assert np.sum(decision.second[:60] >= 0) > 20


def test_one_to_one_uses_an_object_once():
    rng = np.random.default_rng(6)
    there = objects(rng, 2000)
    found = sources(rng, there, 40, 40)
    twice = QTable(found, copy=True)
    twice["ra"][40:60], twice["dec"][40:60] = found["ra"][:20], found["dec"][:20] + 0.02 * u.deg
    one = counterpart_list(there, "A")
    shared, single = (solved(twice, one, one_to_one=flag) for flag in (False, True))
    counts = []
    for solution in (shared, single):
        given = solution.decision.total >= 0.8
        entries = solution.pairs.entry[solution.decision.best[given]]
        counts.append((len(entries), len(np.unique(entries))))
    assert counts[0][0] > counts[0][1]
    assert counts[1][0] == counts[1][1]
    assert counts[1][1] >= 38


def test_a_fixed_prior_stays():
    rng = np.random.default_rng(7)
    there = objects(rng, 500)
    found = sources(rng, there, 20, 20)
    low, high = (solved(found, counterpart_list(there, "A", prior=prior)) for prior in (1e-4, 0.9))
    assert low.priors.outside[0] == 1e-4
    assert np.all(low.decision.any[:20] < high.decision.any[:20])


def test_a_source_without_an_error_has_no_counterpart():
    rng = np.random.default_rng(8)
    there = objects(rng, 500)
    found = sources(rng, there, 20, 5)
    found["r95"][0] = np.nan
    decision = solved(found, counterpart_list(there, "A")).decision
    assert decision.best[0] == -1
    assert decision.total[0] == 0
    assert np.sum(decision.total[1:20] >= 0.8) >= 17


def test_one_source_and_one_object_have_a_probability():
    found = QTable({"ra": [10.0] * u.deg, "dec": [5.0] * u.deg, "r95": [0.1] * u.deg})
    there = QTable({"ra": [10.01] * u.deg, "dec": [5.0] * u.deg})
    solution = solved(found, counterpart_list(there, "A"))
    assert 0.5 < solution.decision.total[0] < 1


def test_an_elongated_ellipse_counts_by_its_direction():
    found = QTable(
        {
            "ra": [0.0, 0.0] * u.deg,
            "dec": [0.0, 50.0] * u.deg,
            "Conf_95_SemiMajor": [0.4, 0.4] * u.deg,
            "Conf_95_SemiMinor": [0.1, 0.1] * u.deg,
            "Conf_95_PosAng": [0.0, 0.0] * u.deg,
        }
    )
    there = QTable({"ra": [0.3, 0.0] * u.deg, "dec": [0.0, 50.3] * u.deg})
    pairs = solved(found, counterpart_list(there, "A")).pairs
    np.testing.assert_array_equal(pairs.row, [1])
    np.testing.assert_allclose(pairs.sigmas, 0.3 / 0.4 * np.sqrt(2 * np.log(20)), rtol=1e-3)
