"""DS9 regions: what is written is what DS9 and `regions` read."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from regions import Regions

from gammafind.catalogue.class_colours import MATCHED, UNMATCHED, class_colours
from gammafind.catalogue.publish import publish
from gammafind.catalogue.regions import to_regions, write_regions
from gammafind.catalogue.schema import CATALOGUE, empty_table
from gammafind.errors import OutputError


@pytest.fixture
def catalogue():
    table = QTable({"ra": [83.633, 359.9999999, 0.0] * u.deg, "dec": [22.0145, -90, 89.9] * u.deg})
    table["score"] = [7.123456789012345, 2.0, 1.0]
    table["pos_err"] = [0.02, np.nan, 0.5] * u.deg
    table["ts"] = [625.25, 30.0, np.nan]
    table["class_label"] = ["psr", "bll", ""]
    return publish(table)


def test_regions_reads_name_score_and_class(catalogue, tmp_path):
    write_regions(catalogue, tmp_path / "sky.reg")
    found = Regions.read(tmp_path / "sky.reg")
    assert [region.meta["text"] for region in found] == list(catalogue["Source_Name"])
    assert {"Score=7.123456789012345", "TS=625.25", "Class=psr"} <= set(found[0].meta["tag"])
    assert found[0].radius.to_value("deg") == pytest.approx(catalogue["Conf_95_SemiMajor"][0].value)
    assert found[0].center.ra.deg == pytest.approx(83.633, abs=1e-8)


def test_round_trip(catalogue, tmp_path):
    catalogue["Association"] = ["Crab {pulsar}", "", "x=y"]
    write_regions(catalogue, tmp_path / "sky.reg")
    again = Regions.read(tmp_path / "sky.reg")
    dec = [region.center.dec.deg for region in again]
    np.testing.assert_allclose(dec, catalogue["DEJ2000"].value, atol=1e-8)
    tags = [dict(tag.split("=", 1) for tag in region.meta["tag"]) for region in again]
    for name in ("Score", "TS", "Conf_95_SemiMajor"):
        read = [float(tag.get(name, "nan")) for tag in tags]
        np.testing.assert_array_equal(read, np.asarray(catalogue[name]))
    assert [region.meta["text"] for region in again] == list(catalogue["Source_Name"])
    assert [tag.get("Class", "") for tag in tags] == list(catalogue["Class"])
    assert [tag.get("Association", "") for tag in tags] == ["Crab (pulsar)", "", "x=y"]


@given(
    names=st.lists(
        st.text(st.sampled_from(";{}\"'#=|()&-+\\\n\r\t\x00\x85\u2028\udcff abé1"), max_size=8),
        min_size=6,
        max_size=6,
    ),
)
@example(names=["S17; test", "a\r\nb", "&amp;", "';circle(1,2,3)'", "{} tag={x}", "#color=red"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_breaks_a_region(catalogue, tmp_path, names):
    catalogue["Source_Name"], catalogue["Association"] = names[:3], names[3:]
    catalogue["Class"] = "psr"
    write_regions(catalogue, tmp_path / "sky.reg", overwrite=True)
    again = Regions.read(tmp_path / "sky.reg", format="ds9")
    assert len(again) == 3
    for region, name in zip(again, names[3:], strict=True):
        tags = [tag.partition("=")[0] for tag in region.meta["tag"]]
        readable = any(mark.isprintable() and mark != " " for mark in name)
        assert tags.count("Association") == readable
        assert {"Score", "Class"} <= set(tags)


def test_radius_where_no_error_is_known(catalogue):
    radii = [region.radius.to_value("deg") for region in to_regions(catalogue)]
    assert radii[1] == pytest.approx(0.1)
    del catalogue["Conf_95_SemiMajor"]
    assert all(region.radius == 0.1 * u.deg for region in to_regions(catalogue))


def test_colour_follows_class_or_association(catalogue):
    def colours(table):
        return [region.visual["color"] for region in to_regions(table)]

    own = class_colours(catalogue["Class"].tolist())
    assert colours(catalogue)[:2] == [own["psr"], own["bll"]]
    assert len(set(colours(catalogue))) == 3
    del catalogue["Class"]
    assert colours(catalogue) == ["cyan"] * 3
    catalogue["Association"] = ["Crab", "", "4FGL J0000.0+0000"]
    assert colours(catalogue) == [MATCHED, UNMATCHED, MATCHED]


def test_empty_catalogue(tmp_path):
    write_regions(empty_table(CATALOGUE), tmp_path / "none.reg")
    assert (tmp_path / "none.reg").read_text().startswith("# Region file format: DS9")
    assert len(Regions.read(tmp_path / "none.reg", format="ds9")) == 0


def test_existing_files_are_named(catalogue, tmp_path):
    write_regions(catalogue, tmp_path / "sky.reg")
    with pytest.raises(OutputError, match="already exists"):
        write_regions(catalogue, tmp_path / "sky.reg")
    write_regions(catalogue, tmp_path / "sky.reg", overwrite=True)
