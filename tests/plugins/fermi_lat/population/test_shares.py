import numpy as np

from gammafind.plugins.fermi_lat.population.shares import class_shares

BLL, FSRQ, PSR, PWN = np.eye(4)


def test_known_classes_count_for_themselves():
    shares = class_shares(np.array(["BLL", "FSRQ", "PSR", "PWN+SNR"]), np.array([50.0, 50, 1, 1]))
    np.testing.assert_array_equal(shares, np.eye(4))


def test_blazars_of_unknown_type_follow_the_ratio_of_the_known_ones():
    groups = np.array(["BLL"] * 3 + ["FSRQ"] + ["PSR"] * 9 + ["BCU"])
    shares = class_shares(groups, np.full(len(groups), 50.0))
    np.testing.assert_allclose(shares[-1], [0.75, 0.25, 0, 0])


def test_unassociated_sources_take_the_mix_of_their_latitude():
    groups = np.array(["BLL", "FSRQ", "PSR", "PSR", "UNASSOCIATED", "OTHER", "UNASSOCIATED"])
    lat = np.array([60.0, -60, -1, 1, 70, -1.5, 1.5])
    shares = class_shares(groups, lat, isotropic=False)
    np.testing.assert_allclose(shares[4], [0.5, 0.5, 0, 0])
    np.testing.assert_allclose(shares[5:], [PSR, PSR])


def test_blazars_near_the_plane_are_as_dense_as_far_from_it():
    rng = np.random.default_rng(5)
    lat = np.degrees(np.arcsin(rng.uniform(-1, 1, 20000)))
    groups = np.where(np.abs(lat) > 15, "BLL", "UNASSOCIATED")
    plane = rng.normal(0, 2, 4000)
    lat = np.append(lat, plane)
    groups = np.append(groups, np.where(rng.random(4000) < 0.5, "PSR", "UNASSOCIATED"))
    shares = class_shares(groups, lat)
    low = np.abs(lat) < 10
    expected = 20000 * np.sin(np.radians(10))
    assert abs(shares[low, 0].sum() - expected) < 3 * np.sqrt(expected)
    plain = class_shares(groups, lat, isotropic=False)
    assert plain[low, 0].sum() < 0.1 * expected


def test_every_source_counts_once(catalogue):
    from gammafind.plugins.fermi_lat.catalogues import class_group

    groups = class_group(catalogue["CLASS1"])
    for isotropic in (True, False):
        shares = class_shares(groups, catalogue["GLAT"].value, isotropic=isotropic)
        np.testing.assert_allclose(shares.sum(axis=1), 1)
        assert shares.min() >= 0
