"""What is in a table and would be taken for something else is refused."""

from __future__ import annotations

import gzip
import http.server
import threading

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable

from gammafind import evaluate, read_catalogue
from gammafind.catalogue.io import read_table
from gammafind.errors import FileFormatError, GammafindError
from gammafind.simulation.sources import check_sources

HEAD = """\
# %ECSV 1.0
# ---
# delimiter: ','
# datatype:
# - {{name: name, datatype: string}}
# - {{name: ra, datatype: float64}}
# - {{name: {third}, datatype: float64}}
{meta}name,ra,{third}
"""
ROWS = "A,1,2\nB,3,4\nC,5,6\nD,7,8\n"


def ecsv(rows=ROWS, *, third="dec", meta=""):
    return HEAD.format(third=third, meta=meta) + rows


@pytest.mark.parametrize("head", ["name,ra,dec\n", ecsv("")])
@pytest.mark.parametrize("row", range(4))
@pytest.mark.parametrize("quotes", ["open", "closed later"])
def test_a_stray_quotation_mark_loses_no_rows(tmp_path, head, row, quotes):
    lines = ROWS.splitlines()
    lines[row] = f'"{lines[row]}'
    if quotes == "closed later" and row < 3:
        lines[3] = lines[3].replace("D", 'D"')
    path = tmp_path / "t.csv"
    path.write_text(head + "\n".join(lines) + "\n")
    with pytest.raises(FileFormatError, match=r"t\.csv"):
        read_catalogue(path)


def test_quotes_around_texts_are_read(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('name,ra,dec\n"A, the ""first""",1,2\nB,3,4\n')
    assert read_catalogue(path)["name"].tolist() == ['A, the "first"', "B"]


@pytest.mark.parametrize(
    "text",
    [
        "name,ra,dec,ra\nA,1,2,3\n",
        "name,ra,dec,flux,flux\nA,1,2,3,4\n",
        ecsv().replace("name: name", "name: ra").replace("name,ra", "ra,ra"),
    ],
)
def test_a_column_that_is_there_twice_is_refused(tmp_path, text):
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(FileFormatError, match="occurs twice"):
        read_catalogue(path)


def bomb(depth=9, width=9):
    """Mappings of YAML in which a few lines stand for very many entries."""
    lines = ["# meta: !!omap", "# - x0: &x0 [a]"]
    for i in range(1, depth):
        lines.append(f"# - x{i}: &x{i} [{', '.join([f'*x{i - 1}'] * width)}]")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("meta", [bomb(), "# meta: !!omap\n# - x: &x [*x]\n"])
def test_aliases_that_stand_for_very_much_are_refused(tmp_path, meta):
    path = tmp_path / "t.ecsv"
    path.write_text(ecsv(meta=meta))
    with pytest.raises(FileFormatError, match=r"t\.ecsv"):
        read_catalogue(path)


VOTABLE = """\
<?xml version="1.0"?>{head}
<VOTABLE version="1.4"><RESOURCE><TABLE{table}>
<FIELD name="ra" datatype="double" ucd="pos.eq.ra" unit="deg"/>
<FIELD name="dec" datatype="double"{field} ucd="pos.eq.dec" unit="deg"/>
<DATA>{data}</DATA></TABLE></RESOURCE></VOTABLE>
"""
ROW = "<TABLEDATA><TR><TD>1</TD><TD>2</TD></TR></TABLEDATA>"


def votable(tmp_path, *, head="", table="", field="", data=ROW, gzipped=False):
    path = tmp_path / "t.vot"
    content = VOTABLE.format(head=head, table=table, field=field, data=data).encode()
    path.write_bytes(gzip.compress(content) if gzipped else content)
    return path


def test_a_small_votable_is_read(tmp_path):
    assert read_catalogue(votable(tmp_path))["ra"].value.tolist() == [1]


class Counted(http.server.BaseHTTPRequestHandler):
    """Counts who asks."""

    asked = 0

    def do_GET(self):
        type(self).asked += 1
        self.send_error(404)

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("gzipped", [False, True])
@pytest.mark.parametrize(
    "stream",
    [
        "<STREAM href='{url}'/>",
        "<STREAM\n encoding='gzip'\n href\n=\n'{url}'></STREAM>",
        "<!-- > --><STREAM href='&#104;ttp{rest}'/>",
        "<STREAM href='file:///etc/passwd'/>",
        "<STREAM HREF='{url}'/>",
    ],
)
def test_data_elsewhere_are_never_fetched(tmp_path, stream, gzipped):
    server = http.server.HTTPServer(("127.0.0.1", 0), Counted)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/data"
    shown = stream.format(url=url, rest=url.removeprefix("http"))
    try:
        path = votable(tmp_path, data=f"<BINARY>{shown}</BINARY>", gzipped=gzipped)
        with pytest.raises(FileFormatError, match="in another file"):
            read_catalogue(path)
    finally:
        server.shutdown()
        server.server_close()
    assert Counted.asked == 0


ENTITIES = "<!DOCTYPE VOTABLE [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;'>]>"


@pytest.mark.parametrize(
    "parts",
    [
        {"table": ' nrows="1000000000000"'},
        {"table": f' nrows="{"9" * 5000}"'},
        {"field": ' arraysize="100000x100000"'},
        {"field": f' arraysize="{"9" * 5000}"'},
        {"head": ENTITIES},
        {"head": "<!DOCTYPE VOTABLE [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>"},
        {"data": "<RESOURCE>" * 10_000},
    ],
    ids=lambda parts: next(iter(parts)),
)
def test_a_votable_that_claims_too_much_is_refused(tmp_path, parts):
    with pytest.raises(GammafindError, match=r"t\.vot") as caught:
        read_catalogue(votable(tmp_path, **parts))
    assert len(str(caught.value)) <= 500


ODD = {
    "two in a row": np.ones((4, 2)),
    "texts": np.array(["x"] * 4),
    "truths": np.array([True] * 4),
    "complex": np.ones(4, dtype=complex),
    "nan": np.full(4, np.nan),
    "inf": np.full(4, np.inf),
    "large": np.full(4, 1e300),
    "whole": np.full(4, 2**62),
}


@pytest.mark.parametrize("column", ["name", "ra", "dec", "class_label", "flux", "score", "pos_err"])
@pytest.mark.parametrize("kind", ODD)
def test_columns_of_another_kind_are_refused_or_harmless(tmp_path, column, kind):
    whole = {
        "name": ["a", "b", "c", "d"],
        "ra": np.arange(4.0) * u.deg,
        "dec": np.arange(4.0) * u.deg,
        "class_label": ["BLL"] * 4,
        "flux": np.full(4, 1e-9) / u.cm**2 / u.s,
        "score": np.arange(4.0),
        "pos_err": np.full(4, 0.1) * u.deg,
    }
    good, odd = tmp_path / "good.fits", tmp_path / "odd.fits"
    QTable(whole).write(good)
    QTable({**whole, column: ODD[kind]}).write(odd)
    uses = (
        lambda: evaluate(odd, good),
        lambda: evaluate(good, odd),
        lambda: check_sources(read_table(odd)),
    )
    for use in uses:
        try:
            use()
        except GammafindError as error:
            message = str(error)
        else:
            message = ""
        assert len(message) <= 500
