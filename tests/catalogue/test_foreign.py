"""Tables as others write them: the same three sources in every format are read alike."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Column, QTable, Table
from astropy.time import Time

import gammafind
from gammafind.catalogue.foreign import as_catalogue, plain
from gammafind.catalogue.io import read_table
from gammafind.catalogue.positions import sky_positions
from gammafind.errors import (
    FileFormatError,
    MissingPositionsWarning,
    TableError,
    TruncatedFileError,
)
from gammafind.units import parsed_unit, without_photons
from tests.utils.server import served

NAMES = ["Mkn 421", "Crab; Nebula", "M 87"]
PLACES = SkyCoord([166.11, 83.633, 187.706], [38.21, 22.014, -12.391], unit="deg")
RA, DEC = PLACES.ra.deg.tolist(), PLACES.dec.deg.tolist()
HMS = PLACES.ra.to_string("hour", sep=" ", precision=2, pad=True).tolist()
DMS = PLACES.dec.to_string("deg", sep=" ", precision=1, pad=True, alwayssign=True).tolist()


def lines(head: str, form: str, *columns: list) -> str:
    """Text of a table: its head, and one line a source."""
    return "\n".join([head, *(form.format(*row) for row in zip(NAMES, *columns, strict=True))])


def votable(fields: list[str], rows: list[list]) -> str:
    """Text of a VOTable with these fields."""
    heads = "".join(f"<FIELD {field}/>" for field in fields)
    cells = "".join(f"<TR>{''.join(f'<TD>{c}</TD>' for c in row)}</TR>" for row in rows)
    return (
        '<?xml version="1.0"?><VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">'
        f"<RESOURCE><TABLE>{heads}<DATA><TABLEDATA>{cells}</TABLEDATA></DATA></TABLE></RESOURCE>"
        "</VOTABLE>"
    )


PLAIN = '"{0}",{1},{2}'
TEXTS = {
    "plain.csv": lines("name,RA,DEC", PLAIN, RA, DEC),
    "byte-order.csv": "\ufeff" + lines("name,RA,DEC", PLAIN, RA, DEC).replace("\n", "\r\n"),
    "semicolons.csv": lines("name;RA;DEC", '"{0}";{1};{2}', RA, DEC),
    "tabs.tsv": lines("name\tRA\tDEC", "{0}\t{1}\t{2}", RA, DEC),
    "bars.md": lines("| name | RA | DEC |\n|---|:--|--:|", "| {0} | {1} | {2} |", RA, DEC),
    "blanks.txt": lines("name RA DEC", '"{0}"  {1}   {2}', RA, DEC),
    "comment.dat": lines("# mine\n#name RA DEC", '"{0}"  {1}   {2}', RA, DEC),
    "comment.csv": lines("#name,RA,DEC", PLAIN, RA, DEC),
    "units.csv": lines("name,RA (deg),Dec [deg],Flux (ph/cm2/s)", PLAIN + ",1e-9", RA, DEC),
    "hours.csv": lines("name,RA (h),Dec (deg)", PLAIN, [ra / 15 for ra in RA], DEC),
    "sexagesimal.csv": lines("name,RA,Dec", PLAIN, HMS, DMS),
    "colons.csv": lines(
        "name,RA,Dec", PLAIN, [t.replace(" ", ":") for t in HMS], [t.replace(" ", ":") for t in DMS]
    ),
    "letters.csv": lines(
        "name,RAJ2000,DEJ2000", PLAIN, PLACES.ra.to_string("hour"), PLACES.dec.to_string("deg")
    ),
    "degrees.csv": lines("name,_RA,_DE", PLAIN, PLACES.ra.to_string("deg"), DMS),
    "minus.csv": lines("name,RA,Dec", PLAIN, HMS, [t.replace("-", "−") for t in DMS]),
    "galactic.txt": lines(
        "Name,l (deg),b (deg)", PLAIN, PLACES.galactic.l.deg, PLACES.galactic.b.deg
    ),
    "1950.csv": lines(
        "name,RAB1950,DEB1950", PLAIN, PLACES.transform_to("fk4").ra.deg,
        PLACES.transform_to("fk4").dec.deg,
    ),
    "parts.csv": lines(
        "name,RAh,RAm,RAs,DE-,DEd,DEm,DEs", '"{0}",{1},{2},{3}', [t.replace(" ", ",") for t in HMS],
        [t[0] for t in DMS], [t[1:].replace(" ", ",") for t in DMS],
    ),
    "ipac.tbl": lines(
        "\\by=hand\n| name         |    ra     |   dec     |\n"
        "| char         |  double   |  double   |", " {0:14s}{1:12.5f}{2:12.5f}", RA, DEC
    ),
    "vizier.tsv": lines(
        "#Title\n\n_RAJ2000\tName\t_DEJ2000\tRAJ2000\tDEJ2000\tF\n"
        'deg\t\tdeg\t"h:m:s"\t"d:m:s"\t10-9ph/cm2/s\n---\t---\t---\t---\t---\t---',
        "{1}\t{0}\t{2}\t{3}\t{4}\t1", RA, DEC, HMS, DMS,
    ) + "\n\n",
    "lengths.vot": votable(
        ['name="n" datatype="unicodeChar" arraysize="*" ucd="meta.id;meta.main"',
         'name="a" datatype="double" unit="deg" ucd="pos.eq.ra;meta.main"',
         'name="d" datatype="double" unit="deg" ucd="pos.eq.dec;meta.main"',
         'name="both" datatype="double" arraysize="*"'],
        [[n, ra, dec, "1 2"] for n, ra, dec in zip(NAMES, RA, DEC, strict=True)],
    ),
    "sexagesimal.xml": votable(
        ['name="Name" datatype="char" arraysize="*"',
         'name="_RA.icrs" ID="_RA_icrs" datatype="char" arraysize="*" unit="&quot;h:m:s&quot;"',
         'name="_DE.icrs" ID="_DE_icrs" datatype="char" arraysize="12*" unit="&quot;d:m:s&quot;"'],
        [list(row) for row in zip(NAMES, HMS, DMS, strict=True)],
    ),
}  # fmt: skip


def table() -> Table:
    return Table({"Name": NAMES, "RAJ2000": RA * u.deg, "DEJ2000": DEC * u.deg})


def with_other_hdus(path: Path) -> None:
    """Write good times and regions before the sources."""
    times = [fits.Column(name, "D", array=[1.0, 2.0]) for name in ("START", "STOP")]
    regions = [fits.Column(name, "D", array=[1.0, 2.0]) for name in ("RA", "DEC")]
    hdus = [fits.BinTableHDU.from_columns(columns) for columns in (times, regions)]
    fits.HDUList([fits.PrimaryHDU(), *hdus, fits.table_to_hdu(table())]).writeto(path)


def with_odd_columns(path: Path) -> None:
    """Write units as people spell them, and columns that no table can hold."""
    columns = [
        fits.Column("NAME", "20A", "d", array=np.array(NAMES)),
        fits.Column("_RA", "D", "degrees", array=RA),
        fits.Column("_DE", "D", "DEGREE", array=DEC),
        fits.Column("Flux", "E", "10^-9 photons/cm^2/s", array=[1, 2, 3]),
        fits.Column("complex", "M", array=[1j, 2, 3]),
        fits.Column("lengths", "PE()", array=np.array([[1], [1, 2], []], dtype=object)),
    ]
    fits.BinTableHDU.from_columns(columns).writeto(path)


def with_mixins(path: Path) -> None:
    QTable({"name": NAMES, "coord": PLACES, "t": Time(["2008-08-04"] * 3)}).write(path)


def as_ascii_fits(path: Path) -> None:
    columns = [fits.Column("NAME", "A20", array=NAMES)]
    columns += [fits.Column(n, "F12.6", array=v) for n, v in (("RA", RA), ("DEC", DEC))]
    fits.TableHDU.from_columns(columns).writeto(path)


WRITERS: dict[str, Callable[[Path], None]] = {
    "late.fits": with_other_hdus,
    "odd.fits": with_odd_columns,
    "ascii.fits": as_ascii_fits,
    "mixins.ecsv": with_mixins,
    "cds.mrt": lambda path: table().write(path, format="mrt"),
    "wide.txt": lambda path: table().write(path, format="ascii.fixed_width"),
    "two-lines.txt": lambda path: table().write(path, format="ascii.fixed_width_two_line"),
    "rst.txt": lambda path: table().write(path, format="ascii.rst"),
    "binary.vot": lambda path: table().write(path, format="votable", tabledata_format="binary2"),
    "fits.dat": lambda path: table().write(path, format="fits"),
    "vot.fits": lambda path: table().write(path, format="votable"),
    "table.ecsv": lambda path: table().write(path),
}


def written(name: str, folder: Path) -> Path:
    path = folder / name
    if name in TEXTS:
        path.write_text(TEXTS[name], encoding="utf-8", newline="")
    else:
        WRITERS[name](path)
    return path


@pytest.mark.parametrize("name", [*TEXTS, *WRITERS])
def test_three_sources_are_the_same_in_every_format(name, tmp_path):
    read = gammafind.read_catalogue(written(name, tmp_path))
    assert sky_positions(read).separation(PLACES).max() < 0.01 * u.arcsec
    column = next(one for one in ("Name", "name", "NAME", "n") if one in read.colnames)
    assert read[column].tolist() == NAMES


@pytest.mark.parametrize("name", ["plain.csv", "vizier.tsv", "lengths.vot", "table.ecsv"])
def test_packed_files_are_read_too(name, tmp_path):
    packed = tmp_path / f"{name}.gz"
    packed.write_bytes(gzip.compress(written(name, tmp_path).read_bytes()))
    assert len(gammafind.read_catalogue(packed)) == 3
    packed.write_bytes(packed.read_bytes()[:20])
    with pytest.raises(TruncatedFileError, match="the gzip file is damaged"):
        gammafind.read_catalogue(packed)


def test_an_address_in_a_file_is_not_followed(tmp_path):
    with served() as site:
        (tmp_path / "t.ecsv").write_text(f"{site.url}/table.ecsv")
        with pytest.raises(FileFormatError):
            gammafind.read_catalogue(tmp_path / "t.ecsv")
        assert site.asked == []


@pytest.mark.parametrize("name", ["units.csv", "odd.fits", "vizier.tsv"])
def test_a_photon_is_a_number(name, tmp_path):
    read = gammafind.read_catalogue(written(name, tmp_path))
    flux = next(read[one] for one in read.colnames if one.startswith("F"))
    assert flux[0].to_value("cm-2 s-1") == pytest.approx(1e-9)


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("twice.csv", "ra,dec,ra\n1,2,3\n", "the column ra occurs twice"),
        ("open.csv", 'name,ra,dec\n"A,1,2\nB,3,4\n', "a quotation mark is open"),
        ("model.xml", "<?xml version='1.0'?><source_library/>", "a model of sources"),
        ("page.txt", "<!DOCTYPE html><html>not found</html>", "no table in VOTable"),
        ("words.txt", "hello\nworld\n", "no table of several columns"),
        ("comment.txt", "# remark\n", "the file holds no table"),
        ("line.txt", "a line of words\n", "the file holds no table"),
        ("nothing.txt", "\n\n", "the file holds no table"),
        ("binary.dat", "\0\1\2", "neither FITS nor text"),
        ("short.csv", "name,ra,dec\n" + "a,1,2\n" * 20 + "b,3\n", "row 21 has 2 columns"),
        (
            "address.vot",
            '<VOTABLE><RESOURCE><TABLE><FIELD name="ra" datatype="double"/><DATA><BINARY>'
            '<STREAM href="http://127.0.0.1:9/x"/></BINARY></DATA></TABLE></RESOURCE></VOTABLE>',
            "the data of the VOTable are in another file",
        ),
        ("broken.vot", TEXTS["lengths.vot"][:400], "no table in VOTable"),
        ("broken.mrt", "Title:\nByte-by-byte Description\nnone\n", "no table of the format mrt"),
    ],
)
def test_what_is_no_table_is_named(name, content, fault, tmp_path):
    (tmp_path / name).write_text(content)
    with pytest.raises(FileFormatError, match=fault):
        gammafind.read_catalogue(tmp_path / name)


def test_a_table_without_a_head_lists_what_it_has(tmp_path):
    (tmp_path / "t.txt").write_text("166.11 38.21\n83.6 22.0\n")
    with pytest.raises(TableError, match=r"no positions: its columns are 166\.11, 38\.21"):
        gammafind.read_catalogue(tmp_path / "t.txt")


def test_rows_without_a_position_are_left_out_with_a_warning(tmp_path):
    (tmp_path / "t.csv").write_text(TEXTS["plain.csv"] + "\nnowhere,,\n")
    with pytest.warns(MissingPositionsWarning, match="1 of 4 rows have no position"):
        assert len(gammafind.read_catalogue(tmp_path / "t.csv")) == 3


def test_columns_of_the_same_name_are_numbered(tmp_path):
    (tmp_path / "t.csv").write_text("ra,dec,z,z\n1,2,3,4\n")
    assert read_table(tmp_path / "t.csv").colnames == ["ra", "dec", "z", "z_2"]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_text_in_other_encodings_is_read(encoding, tmp_path):
    (tmp_path / "t.csv").write_bytes("name,ra,dec\né,1,2\n".encode(encoding))
    assert read_table(tmp_path / "t.csv")["name"][0] == "é"


def test_objects_become_text_or_numbers():
    made = Table({"ra": [1.0, 2.0], "dec": [3.0, 4.0]})
    made["text"] = Column([b"a", None], dtype=object)
    made["number"] = Column([1, None], dtype=object, unit="deg")
    made["flag"] = np.ma.array([True, False], mask=[False, True])
    clean = plain(made)
    assert clean["text"].tolist() == ["a", ""]
    np.testing.assert_array_equal(clean["number"].to_value("deg"), [1, np.nan])
    assert clean["flag"].tolist() == ["True", ""]


def test_texts_that_are_no_angles_stay_texts():
    made = Table({"t": Column(["01 02 03", "later"], unit=u.UnrecognizedUnit('"h:m:s"'))})
    assert plain(made)["t"].tolist() == ["01 02 03", "later"]


def test_a_position_column_gives_way_to_numbers():
    made = QTable({"ra": [1.0] * u.deg, "dec": [2.0] * u.deg, "coord": PLACES[:1]})
    assert plain(made).colnames == ["ra", "dec"]


def test_tables_in_memory_become_catalogues_too():
    made = table()
    made["Flux1000"] = Column([1.0, 2.0, 3.0], unit="ph cm-2 s-1", description="Flux")
    ready = as_catalogue(made)
    assert isinstance(ready, QTable)
    assert ready["Flux1000"].unit == u.Unit("cm-2 s-1")
    assert ready["Flux1000"].info.description == "Flux"


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("photon/cm**2/s", "ph cm-2 s-1"),
        ("ph cm^{-2} s^{-1}", "ph cm-2 s-1"),
        ("PHOTONS/CM2/S", "ph cm-2 s-1"),
        ("Degrees", "deg"),
        ("'arcsec'", "arcsec"),
        ("10-11ph/cm2/s", "1e-11 ph cm-2 s-1"),
    ],
)
def test_units_are_read_as_people_spell_them(text, unit):
    assert parsed_unit(text) == u.Unit(unit)


@pytest.mark.parametrize("text", ["nonsense", "[10-9W/m2]", '"d:m:s"'])
def test_other_units_are_not_understood(text):
    unit = parsed_unit(text)
    assert unit is None or not unit.is_equivalent("W / m2")


def test_only_photons_leave_a_unit():
    assert without_photons(u.Unit("2 ph cm-2 s-1")) == u.Unit("2 cm-2 s-1")
    assert without_photons(u.deg) == u.deg
    assert without_photons(u.mag) == u.mag


def test_a_name_may_have_a_line_break_and_a_mark_of_inches(tmp_path):
    (tmp_path / "t.csv").write_text('name,ra,dec\n"A\nB",1,2\nC 5",3,4\n')
    assert read_table(tmp_path / "t.csv")["name"].tolist() == ["A\nB", 'C 5"']
