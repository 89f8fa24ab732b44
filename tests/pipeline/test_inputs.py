"""What a person gives, sorted."""

from __future__ import annotations

import pytest

import gammafind
from gammafind.errors import FileFormatError


def test_a_model_in_xml_is_a_background_and_no_counts(tmp_path):
    path = tmp_path / "model.xml"
    path.write_text("<source_library/>")
    with pytest.raises(FileFormatError, match=r"model\.xml: .* holds no counts.*--background"):
        gammafind.detect(path)
