"""Tables in files: lossless in every format, and a named error for every bad file."""

from __future__ import annotations

import csv
import gzip
import json

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits, votable
from astropy.table import QTable, Table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gammafind.catalogue.io import TABLE_SUFFIXES, read_table, write_table
from gammafind.catalogue.publish import publish
from gammafind.catalogue.schema import CATALOGUE, CLUSTERS, DETECTIONS, empty_table
from gammafind.errors import (
    FileFormatError,
    InputFileError,
    MissingFileError,
    OutputError,
    TableError,
    TruncatedFileError,
)

META = {
    "version": "0.1.dev3",
    "seed": 12345678901234,
    "inputs": [{"name": "counts 'a'.fits", "sha256": "f" * 64, "size": None}],
    "options": {"cut": 1.5e-13, "flat": True, "note": 'é "q" & <b>\n# line', "long": "ab " * 80},
}


def detections():
    table = QTable({"ra": [83.633, 359.99, 0.1] * u.deg, "dec": [22.0145, -90, 1 / 3] * u.deg})
    table["score"] = [7.1, 8.0, 1e300]
    table["pos_err"] = [0.02, np.nan, np.inf] * u.deg
    table["flux"] = [2.123456789012345e-7, 5e-324, 0.0] * u.Unit("cm-2 s-1")
    table["n_pixels"] = [1, 2, -(2**60)]
    table["class_label"] = ["PSR", "", "PWN+SNR, or so"]
    table["prob_PWN+SNR"] = np.array([0.1, 0.2, 0.7], dtype=np.float32)
    table["flag"] = [True, False, True]
    table.meta = META
    return table


def assert_same(one, other):
    assert other.colnames == one.colnames
    assert other.meta == one.meta
    for name in one.colnames:
        a, b = one[name], other[name]
        assert b.dtype.kind == a.dtype.kind, name
        assert b.unit == a.unit, name
        assert b.info.description == a.info.description, name
        assert (b.info.meta or {}) == (a.info.meta or {}), name
        np.testing.assert_array_equal(np.ma.getmaskarray(b), np.ma.getmaskarray(a), name)
        np.testing.assert_array_equal(b, a, name)


@pytest.mark.parametrize("suffix", TABLE_SUFFIXES)
def test_round_trip_of_a_catalogue(suffix, tmp_path):
    catalogue = publish(detections())
    write_table(catalogue, tmp_path / f"c{suffix}")
    again = read_table(tmp_path / f"c{suffix}", schema=CATALOGUE)
    assert_same(catalogue, again)
    assert again["RAJ2000"].info.meta == {"ucd": "pos.eq.ra;meta.main"}


@pytest.mark.parametrize("suffix", TABLE_SUFFIXES)
@pytest.mark.parametrize("schema", [CATALOGUE, DETECTIONS])
def test_round_trip_without_rows(suffix, schema, tmp_path):
    table = empty_table(schema)
    write_table(table, tmp_path / f"c{suffix}")
    assert_same(table, read_table(tmp_path / f"c{suffix}", schema=schema))


TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=6).map(str.strip)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@pytest.mark.parametrize("suffix", [".ecsv", ".fits", ".vot", ".csv"])
@given(
    rows=st.lists(
        st.tuples(st.floats(width=64), TEXT, st.integers(-(2**63) + 1, 2**63 - 1)), max_size=4
    ),
    meta=st.dictionaries(st.from_regex(r"[A-Za-z][a-z_]{0,8}", fullmatch=True), JSON, max_size=3),
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_round_trip_of_anything(suffix, tmp_path, rows, meta):
    values, texts, numbers = zip(*rows, strict=True) if rows else ((), (), ())
    table = QTable({"x": np.array(values, dtype=float) * u.Unit("erg cm-2 s-1")})
    table["text"] = np.array(texts, dtype="U6")
    table["n"] = np.array(numbers, dtype=np.int64)
    table["x"].info.description = "Energy flux"
    table.meta = meta
    write_table(table, tmp_path / f"t{suffix}", overwrite=True)
    assert_same(table, read_table(tmp_path / f"t{suffix}"))


@pytest.mark.parametrize("suffix", TABLE_SUFFIXES)
def test_missing_values(suffix, tmp_path):
    table = Table({"x": np.ma.array([1.0, 2.0], mask=[False, True])}, masked=True)
    table["x"].unit = "deg"
    table["n"] = np.ma.array([999999, 2], mask=[False, True])
    table["text"] = np.ma.array(["a", "b"], mask=[False, True])
    table["bytes"] = np.array([b" ab ", b"c"])
    write_table(table, tmp_path / f"t{suffix}")
    again = read_table(tmp_path / f"t{suffix}")
    np.testing.assert_array_equal(again["x"].value, [1.0, np.nan])
    assert list(again["text"]) == ["a", ""]
    assert list(again["bytes"]) == ["ab", "c"]
    assert again["n"].tolist() == [999999, None]


@pytest.mark.parametrize("suffix", [".ecsv", ".fits", ".vot", ".csv"])
def test_vectors(suffix, tmp_path):
    table = QTable({"history": np.arange(6.0).reshape(2, 3) * u.m})
    write_table(table, tmp_path / f"t{suffix}")
    assert_same(table, read_table(tmp_path / f"t{suffix}"))


def test_votable_is_valid(tmp_path):
    path = tmp_path / "c.vot"
    write_table(publish(detections()), path)
    file = votable.parse(path, verify="exception")
    fields = {field.name: field for field in file.get_first_table().fields}
    assert fields["Flux"].ucd == "phot.flux"
    assert fields["GLON"].unit == u.deg
    assert votable.validate(path, output=None)


def test_fits_cards_say_what_the_columns_are(tmp_path):
    write_table(publish(detections()), tmp_path / "c.fits")
    with fits.open(tmp_path / "c.fits") as hdus:
        header = hdus["CATALOGUE"].header
        assert header["TTYPE2"] == "RAJ2000"
        assert header["TUNIT2"] == "deg"
        assert header["TUCD2"] == "pos.eq.ra;meta.main"
        assert header["TCOMM2"] == "Right ascension (ICRS)"
        rows = dict(zip(hdus["METADATA"].data["KEY"], hdus["METADATA"].data["VALUE"], strict=True))
    assert json.loads(rows["inputs"]) == META["inputs"]


def test_csv_is_plain_to_who_skips_comments(tmp_path):
    write_table(detections(), tmp_path / "c.csv")
    lines = (tmp_path / "c.csv").read_text().splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    assert list(rows[0]) == detections().colnames
    assert float(rows[0]["ra"]) == 83.633
    assert rows[2]["class_label"] == "PWN+SNR, or so"


def test_plain_csv_takes_the_units_of_the_schema(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("ra,dec,score,mine\n10.5,-3,5,a\n11.5,,6,b\n")
    table = read_table(path)
    assert table["ra"].unit is None
    table = read_table(path, schema=DETECTIONS)
    assert np.isnan(table["dec"][1])
    assert table["ra"][0] == 10.5 * u.deg
    assert table.colnames == ["ra", "dec", "score", "mine"]


@pytest.mark.parametrize("suffix", TABLE_SUFFIXES)
def test_the_same_table_gives_the_same_bytes(suffix, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    read = gzip.decompress if suffix.endswith(".gz") else bytes
    for folder in ("a", "b"):
        write_table(detections(), tmp_path / folder / f"c{suffix}")
    one, two = (read((tmp_path / folder / f"c{suffix}").read_bytes()) for folder in ("a", "b"))
    assert one == two


@pytest.mark.parametrize("suffix", TABLE_SUFFIXES)
def test_files_cut_anywhere_are_named(suffix, tmp_path):
    whole = tmp_path / f"whole{suffix}"
    write_table(publish(detections()), whole)
    data = whole.read_bytes()
    end = data.index(b"Source_Name,RAJ") if suffix == ".csv" else len(data) * 0.5
    cut = tmp_path / f"cut{suffix}"
    for size in np.linspace(1, end - 1, 25).astype(int):
        cut.write_bytes(data[:size])
        try:
            read_table(cut)
        except InputFileError as error:
            assert str(cut) in str(error)  # noqa: PT017
        else:
            assert suffix in (".csv", ".ecsv"), f"{size} of {len(data)} bytes were read"


@pytest.mark.parametrize("suffix", TABLE_SUFFIXES)
def test_files_that_cannot_be_read_are_named(suffix, tmp_path):
    path = tmp_path / f"a{suffix}"
    with pytest.raises(MissingFileError, match="does not exist"):
        read_table(path)
    path.touch()
    with pytest.raises(TruncatedFileError, match="empty"):
        read_table(path)
    path.write_bytes(b"\xff\xfe\x00 not a table \x00")
    with pytest.raises(InputFileError) as caught:
        read_table(path)
    assert str(path) in str(caught.value)
    path.unlink()
    path.mkdir()
    with pytest.raises(MissingFileError, match="directory"):
        read_table(path)


def test_fits_without_a_table_is_named(tmp_path):
    fits.PrimaryHDU(np.zeros((2, 2))).writeto(tmp_path / "image.fits")
    with pytest.raises(FileFormatError, match=r"image\.fits: the FITS file contains no table"):
        read_table(tmp_path / "image.fits")


def test_table_without_the_columns_is_named(tmp_path):
    write_table(detections(), tmp_path / "c.ecsv")
    with pytest.raises(TableError, match=r"c\.ecsv: the table lacks the column x, y"):
        read_table(tmp_path / "c.ecsv", schema=CLUSTERS)


def test_unknown_suffixes_are_named(tmp_path):
    with pytest.raises(OutputError, match=r"suffix '.txt' is unknown\. Accepted are \.ecsv"):
        write_table(detections(), tmp_path / "c.txt")


def test_what_is_read_may_have_any_suffix(tmp_path):
    for suffix in TABLE_SUFFIXES:
        write_table(detections(), tmp_path / f"c{suffix}")
        (tmp_path / "any.thing").write_bytes((tmp_path / f"c{suffix}").read_bytes())
        assert_same(detections(), read_table(tmp_path / "any.thing"))


@pytest.mark.parametrize("suffix", TABLE_SUFFIXES)
def test_bytes_that_are_no_text_become_question_marks(suffix, tmp_path):
    table = QTable({"ra": [1.0] * u.deg, "name": ["a\udcff"]})
    write_table(table, tmp_path / f"c{suffix}")
    assert read_table(tmp_path / f"c{suffix}")["name"][0] == "a?"


@pytest.mark.parametrize("suffix", TABLE_SUFFIXES)
def test_outputs_are_not_overwritten_unasked(suffix, tmp_path):
    path = tmp_path / f"c{suffix}"
    path.write_text("precious")
    with pytest.raises(OutputError, match="already exists"):
        write_table(detections(), path)
    assert path.read_text() == "precious"
    write_table(detections(), path, overwrite=True)
    assert_same(detections(), read_table(path))


@pytest.mark.parametrize(
    ("suffix", "change", "fault"),
    [
        (".ecsv", {"place": SkyCoord([1, 2, 3], [1, 2, 3], unit="deg")}, "place is a SkyCoord"),
        (".vot", {"thing": np.array([None, 1, "a"], dtype=object)}, "thing has the type object"),
        (".fits", {"name": ["Crab é", "", ""]}, "cannot be written as FITS"),
    ],
)
def test_tables_that_do_not_fit_are_named_and_leave_nothing(suffix, change, fault, tmp_path):
    table = detections()
    for name, values in change.items():
        table[name] = values
    with pytest.raises(TableError, match=fault) as caught:
        write_table(table, tmp_path / f"c{suffix}")
    assert f"c{suffix}" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".ecsv", ".csv"])
@pytest.mark.parametrize(
    ("table", "fault"),
    [
        (QTable({"name": ["a", "#b"]}), "begins with '#'"),
        (QTable({"v": np.zeros((0, 2))}), "columns of vectors: v"),
    ],
)
def test_what_ecsv_would_lose_is_refused(suffix, table, fault, tmp_path):
    with pytest.raises(TableError, match=fault):
        write_table(table, tmp_path / f"c{suffix}")


@pytest.mark.parametrize("meta", [{"a": np.nan}, {"a": {1, 2}}])
def test_metadata_that_do_not_fit_are_named(meta, tmp_path):
    with pytest.raises(TableError, match="metadata cannot be written"):
        write_table(QTable({"x": [1.0]}, meta=meta), tmp_path / "c.ecsv")


def test_numpy_values_and_paths_in_the_metadata(tmp_path):
    meta = {"n": np.int64(3), "edges": np.array([1.0, 2.0]), "path": tmp_path}
    write_table(QTable({"x": [1.0]}, meta=meta), tmp_path / "c.fits")
    again = read_table(tmp_path / "c.fits")
    assert again.meta == {"n": 3, "edges": [1.0, 2.0], "path": str(tmp_path)}


def test_the_fermi_catalogue_goes_through_every_format(shared, tmp_path):
    table = read_table(shared / "fermi" / "catalogue" / "gll_psc_v27.fit.gz")[::50]
    assert table["Flux1000"].unit == u.Unit("ph cm-2 s-1")
    for suffix in (".ecsv", ".fits", ".vot", ".csv"):
        write_table(table, tmp_path / f"c{suffix}")
        assert_same(table, read_table(tmp_path / f"c{suffix}"))


@pytest.mark.parametrize("suffix", [".ecsv", ".fits", ".vot", ".csv"])
def test_a_catalogue_keeps_the_version_of_its_schema(tmp_path, suffix):
    from gammafind.catalogue.schema import SCHEMA, schema_record

    table = QTable({"a": [1.0]}, meta={SCHEMA: schema_record()})
    write_table(table, tmp_path / f"one{suffix}")
    assert read_table(tmp_path / f"one{suffix}").meta[SCHEMA] == schema_record()
