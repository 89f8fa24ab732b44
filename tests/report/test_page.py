"""The text and the table of the page."""

from __future__ import annotations

from astropy.table import MaskedColumn

from gammafind.report.page import definition_list

from .conftest import embedded, page_text, with_probabilities


def test_text_cannot_become_markup(catalogue):
    catalogue["Source_Name"] = ["</script><b>", *catalogue["Source_Name"][1:]]
    page = page_text(catalogue)
    assert "</script><b>" not in page
    assert embedded(page)["rows"][0][0] == "</script><b>"
    assert "a&lt;b&gt;.fits" in page
    assert "&#x27;x &amp; y&#x27;" in page


def test_rows_hold_the_catalogue(catalogue, reference):
    data = embedded(page_text(catalogue, reference))
    labels = [column["label"] for column in data["columns"]]
    assert labels[:3] == ["Name", "ICRS [deg]", "Galactic [deg]"]
    assert {"TS", "Class", "Counterpart", "P(bll)", "r95 [deg]"} <= set(labels)
    row = data["rows"][0]
    assert row[0] == catalogue["Source_Name"][0]
    assert row[labels.index("Counterpart")] == "REF 4"
    assert row[labels.index("TS")] == [20.0, "20.0"]
    assert "Score" not in labels
    assert "CooFrame=Gal" in row[2][2]
    assert data["rows"][9][labels.index("Counterpart")] == ""


def test_missing_columns_and_values(catalogue, reference):
    bare = with_probabilities(catalogue)
    data = embedded(page_text(bare, reference))
    labels = [column["label"] for column in data["columns"]]
    assert "TS" not in labels
    assert "Probability" in labels
    catalogue["TS"] = MaskedColumn(catalogue["TS"], mask=[True] + [False] * 9)
    page = page_text(catalogue)
    labels = [column["label"] for column in embedded(page)["columns"]]
    assert embedded(page)["rows"][0][labels.index("TS")] is None


def test_counterparts_of_a_saved_catalogue(catalogue):
    catalogue["ASSOC1"] = ["REF 4"] + [""] * 9
    page = page_text(catalogue)
    assert embedded(page)["columns"][-2]["label"] == "Counterpart"


def test_provenance_may_nest():
    text = definition_list({"inputs": {"x": ["1", "2"]}, "n": 3})
    assert text == (
        "<dl><dt>inputs</dt><dd><dl><dt>x</dt><dd><ul><li><code>1</code></li>"
        "<li><code>2</code></li></ul></dd></dl></dd><dt>n</dt><dd><code>3</code></dd></dl>"
    )
