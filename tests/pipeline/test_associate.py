from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable

import gammafind
from gammafind.catalogue.association import tables
from gammafind.catalogue.io import read_table, write_table
from gammafind.cli.main import main
from gammafind.errors import MissingPositionsWarning, OptionError, TableError
from tests.catalogue.association.skies import objects, sources


@pytest.fixture
def sky():
    """Thirty sources, of which twenty are near objects of a class."""
    rng = np.random.default_rng(1)
    there = objects(rng, 1000, CLASS=np.full(1000, "bll"))
    found = sources(rng, there, 20, 10)
    found.remove_column("truth")
    return found, there


def test_the_catalogue_has_counterparts_with_class_and_probability(sky):
    found, there = sky
    done = gammafind.associate(found, gammafind.Counterparts(table=there, label="AGN"))
    made = done.catalogue
    given = made["ASSOC1"] != ""
    assert np.all(made["ASSOC1"][:20][given[:20]] == [f"A{i}" for i in np.flatnonzero(given[:20])])
    assert given[:20].sum() >= 18
    assert set(made["CLASS1"][given]) == {"bll"}
    assert set(made["CLASS1"][~given]) == {""}
    assert np.all(made["ASSOC_PROB_BAY"][given] >= 0.8)
    assert np.all(made["ASSOC_PROB_BAY"][~given] == 0)
    assert set(made["ASSOC_CATALOGUE"][given]) == {"AGN"}
    np.testing.assert_allclose(made["RA_Counterpart"][0], there["ra"][0])
    assert made["ASSOC1"].info.meta["ucd"] == "meta.id.cross"
    assert "ASSOC1" not in found.colnames


def test_rates_and_candidates_belong_to_the_catalogue(sky):
    done = gammafind.associate(*sky)
    given = np.asarray(done.catalogue["ASSOC1"]) != ""
    row = done.rates[0]
    assert row["N_Associations"] == given.sum()
    stated = np.sum(1 - np.asarray(done.catalogue["ASSOC_PROB_BAY"])[given])
    np.testing.assert_allclose(row["N_False_Stated"], stated)
    assert row["N_Chance_Stated"] <= row["N_False_Stated"] + 1e-9
    assert np.all(done.candidates["Source_Name"] == sky[0]["Source_Name"][done.candidates["Row"]])
    assert repr(done) == f"<Association: {given.sum()} of 30 sources>"


def test_the_class_of_a_classifier_stays_where_there_is_no_counterpart(sky):
    found, there = sky
    found["CLASS1"], found["prob_psr"] = np.full(30, "psr"), np.ones(30)
    made = gammafind.associate(found, there).catalogue
    assert np.all((made["CLASS1"] == "bll") == (made["ASSOC1"] != ""))
    assert set(made["CLASS1"]) == {"bll", "psr"}


def test_an_empty_catalogue_stays_empty_with_all_columns(sky):
    found, there = sky
    done = gammafind.associate(found[:0], there)
    assert len(done.catalogue) == len(done.candidates) == 0
    assert set(tables._UCDS) <= set(done.catalogue.colnames)
    full = gammafind.associate(*sky)
    assert done.candidates.colnames == full.candidates.colnames
    assert done.catalogue.colnames == full.catalogue.colnames


def test_what_is_doubtful_is_flagged(sky):
    found, there = sky
    found["r95"][0] = np.nan
    found["Source_Name"][3] = found["Source_Name"][4]
    found["ra"][6], found["dec"][6] = found["ra"][5], found["dec"][5]
    flags = gammafind.associate(found, there).catalogue["ASSOC_FLAGS"]
    assert flags[0] == tables.NO_ERROR
    assert flags[3] & flags[4] & tables.DUPLICATE
    assert flags[5] & flags[6] & tables.SHARED
    assert flags[10] == 0


def test_candidates_that_reach_the_threshold_only_together_are_flagged(sky):
    found, there = sky
    there["ra"][500], there["dec"][500] = there["ra"][0], there["dec"][0] + 0.001 * u.deg
    made = gammafind.associate(found, there).catalogue
    assert made["ASSOC1"][0] == ""
    assert made["ASSOC2"][0] in ("A0", "A500")
    assert made["ASSOC_FLAGS"][0] & tables.AMBIGUOUS


def test_sources_without_errors_need_one(sky):
    found, there = sky
    found.remove_column("r95")
    with pytest.raises(TableError, match=r"no position errors.*--error"):
        gammafind.associate(found, there)
    done = gammafind.associate(found, there, error=0.1 * u.deg)
    assert done.rates["N_Associations"][0] >= 18
    assert "0.1 deg" in done.columns["the catalogue"]


def test_rows_without_a_position_are_left_out_with_a_warning(sky):
    found, there = sky
    found["ra"][2] = np.nan
    with pytest.warns(MissingPositionsWarning, match="1 of 30"):
        assert len(gammafind.associate(found, there).catalogue) == 29


def test_bad_options_are_refused(sky):
    found, there = sky
    named = gammafind.Counterparts(table=there, label="A", prior=0.6)
    with pytest.raises(OptionError, match="no catalogue of counterparts"):
        gammafind.associate(found)
    with pytest.raises(OptionError, match="two catalogues of counterparts are called A"):
        gammafind.associate(found, named, named)
    with pytest.raises(OptionError, match=r"sum to 1\.2"):
        gammafind.associate(found, named, gammafind.Counterparts(table=there, prior=0.6))
    with pytest.raises(OptionError, match="threshold is 1"):
        gammafind.associate(found, there, threshold=1.0)
    with pytest.raises(OptionError, match="error is 0"):
        gammafind.associate(found, there, error=0 * u.deg)


@pytest.fixture
def files(sky, tmp_path):
    """Files of the sources and of the objects, the latter as plain text."""
    write_table(sky[0], tmp_path / "found.ecsv")
    lines = ["Source name,RA (J2000.0),Dec (J2000.0),Kind"]
    lines += [f"{row['name']},{row['ra'].value},{row['dec'].value},x" for row in sky[1]]
    (tmp_path / "agn.csv").write_text("\n".join(lines))
    return tmp_path


@pytest.mark.parametrize("suffix", [".ecsv", ".fits", ".vot"])
def test_the_command_writes_both_tables(files, capsys, suffix):
    output = files / f"out{suffix}"
    asked = ["--with", str(files / "agn.csv"), "--class", "agn", "--prior", "0.5"]
    assert main(["associate", str(files / "found.ecsv"), *asked, "-o", str(output)]) == 0
    shown = capsys.readouterr()
    assert "by chance" in shown.out
    assert "names Source name; classes agn for all" in shown.err
    table = read_table(output)
    assert set(table["CLASS1"]) == {"agn", ""}
    assert table.meta["association"]["groups"][0]["prior_fixed"] is True
    pairs = read_table(files / f"out-candidates{suffix}")
    assert set(pairs["Catalogue"]) == {"agn"}
    assert pairs["Separation"].unit == u.deg


def test_an_option_before_the_first_table_is_wrong_usage(files, capsys):
    with pytest.raises(SystemExit):
        main(["associate", str(files / "found.ecsv"), "--class", "agn", "-o", "out.ecsv"])
    assert "stands before the first --with" in capsys.readouterr().err


def test_the_command_does_not_overwrite(files, capsys):
    (files / "out-candidates.ecsv").write_text("mine")
    asked = ["--with", str(files / "agn.csv"), "-o", str(files / "out.ecsv")]
    assert main(["associate", str(files / "found.ecsv"), *asked]) == 1
    assert "exists" in capsys.readouterr().err
    assert not (files / "out.ecsv").exists()


def test_an_associated_catalogue_can_be_associated_again(sky):
    once = gammafind.associate(*sky).catalogue
    twice = gammafind.associate(once, sky[1]).catalogue
    assert twice.colnames == once.colnames
    assert list(twice["ASSOC1"]) == list(once["ASSOC1"])


def test_a_catalogue_of_one_source_is_associated(sky):
    found, there = sky
    alone = QTable(found[:1], copy=True)
    assert gammafind.associate(alone, there).catalogue["ASSOC1"][0] in ("", "A0")


def test_names_in_catalogues_of_gamma_rays_have_columns_of_their_own(sky):
    found, there = sky
    fgl, tev = there[:400].copy(), there[:3].copy()
    fgl["name"] = [f"4FGL {i}" for i in range(400)]
    tev["name"], tev["size"] = ["HESS a", "HESS b", "HESS c"], [0.0, 0.5, 0.0] * u.deg
    first = fgl[:1].copy()
    first["name"] = ["FL16Y 0"]
    done = gammafind.associate(
        found,
        gammafind.Counterparts(table=first, label="new", column="ASSOC_FGL"),
        gammafind.Counterparts(table=fgl, label="old", column="ASSOC_FGL"),
        gammafind.Counterparts(table=tev, label="tev", column="ASSOC_TEV"),
        gammafind.Counterparts(table=there, label="AGN"),
    )
    made = done.catalogue
    assert made["ASSOC_FGL"][0] == "FL16Y 0"
    named = np.asarray(made["ASSOC_FGL"]) != ""
    assert named[:20].sum() >= 18
    assert named[20:].sum() <= 1
    rows = 1 + np.flatnonzero(named[1:20])
    assert made["ASSOC_FGL"][rows].tolist() == [f"4FGL {i}" for i in rows]
    assert made["TEVCAT_FLAG"].tolist()[:4] == ["P", "E", "P", "N"]
    assert list(done.rates["Catalogue"]) == ["AGN"]


def test_names_alone_need_no_probabilities(sky):
    found, there = sky
    named = gammafind.Counterparts(table=there, label="old", column="ASSOC_GAM1")
    made = gammafind.associate(found, named).catalogue
    assert "ASSOC1" not in made.colnames
    assert np.count_nonzero(made["ASSOC_GAM1"] != "") >= 18
    assert len(set(made["ASSOC_GAM1"]) - {""}) == np.count_nonzero(made["ASSOC_GAM1"] != "")
    wrong = gammafind.Counterparts(table=there, label="old", column="ASSOC9")
    with pytest.raises(OptionError, match="wanted in the column ASSOC9"):
        gammafind.associate(found, wrong)


def test_the_error_of_the_counterpart_and_the_class_of_the_next_one_are_there(sky):
    found, there = sky
    there["r95"] = np.where(np.arange(1000) % 2, 0.01, np.nan) * u.deg
    made = gammafind.associate(found, gammafind.Counterparts(table=there, label="AGN")).catalogue
    given = np.flatnonzero(made["ASSOC1"] != "")
    own = np.array([int(name[1:]) % 2 == 1 for name in made["ASSOC1"][given]])
    np.testing.assert_allclose(made["Unc_Counterpart"][given][own].to_value("deg"), 0.01)
    assert np.all(np.isnan(made["Unc_Counterpart"][given][~own]))
    assert np.all((made["CLASS2"] == "bll") == (made["ASSOC2"] != ""))
    table = gammafind.Counterparts(table=there, label="AGN", error=3 * u.arcsec)
    radius = gammafind.associate(found, table).catalogue["Unc_Counterpart"][given][~own]
    np.testing.assert_allclose(radius.to_value("arcsec"), 3)
