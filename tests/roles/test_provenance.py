"""What is recorded of a product knows the files that its options name."""

from __future__ import annotations

import pytest

from gammafind import create
from gammafind.roles.provenance import describe_plugin


@pytest.mark.parametrize("option", ["iso_FRONT.txt", "iso_{type}.txt"])
def test_a_changed_file_of_an_option_changes_the_record(tmp_path, option):
    path = tmp_path / "iso_FRONT.txt"
    renderer = create("renderer", "fermi-lat", isotropic=str(tmp_path / option))
    assert describe_plugin("renderer", renderer)["files"] == {}
    path.write_text("100 1e-7 1e-9\n")
    first = describe_plugin("renderer", renderer)
    path.write_text("100 2e-7 1e-9\n1000 1e-9 1e-11\n")
    second = describe_plugin("renderer", renderer)
    assert list(first["files"]) == list(second["files"]) == ["iso_FRONT.txt"]
    assert first["options"] == second["options"]
    assert first["files"] != second["files"]
