"""What a person says of epochs."""

import astropy.units as u
import numpy as np
import pytest
from astropy.time import Time

from gammafind.errors import FileFormatError, InputFileError, MissingFileError, OptionError
from gammafind.pipeline.epoch_spans import are_times, epoch_spans

TIMES = np.array([[2.4e8, 2.41e8], [2.42e8, 2.5e8]])


@pytest.mark.parametrize("epochs", [10, "10", ["10"]])
def test_a_number_is_one_of_equal_parts(epochs):
    spans = epoch_spans(epochs, TIMES)
    np.testing.assert_allclose(np.diff(spans, axis=1), 1e6, rtol=1e-6)
    assert spans[-1, 1] > 2.5e8


@pytest.mark.parametrize("epochs", ["30d", ["30 d"], 30 * u.day])
def test_a_length_leaves_the_rest_to_the_last_epoch(epochs):
    spans = epoch_spans(epochs, TIMES)
    np.testing.assert_allclose(spans[:3, 1] - spans[:3, 0], 30 * 86400)
    assert len(spans) == 4
    assert len(epoch_spans("37d", TIMES)) == 3
    assert len(epoch_spans("400 d", TIMES)) == 1


@pytest.mark.parametrize(
    "epochs",
    [
        [2.41e8, 2.42e8, 2.45e8],
        ["2.41e8", "2.42e8", "2.45e8"],
        [2.41e8, 2.42e8, 2.45e8] * u.s,
        [[2.41e8, 2.42e8], [2.42e8, 2.45e8]] * u.s,
    ],
)
def test_times_are_edges_or_begins_and_ends(epochs):
    np.testing.assert_allclose(epoch_spans(epochs, TIMES), [[2.41e8, 2.42e8], [2.42e8, 2.45e8]])


def test_dates_are_utc():
    dates = ["2008-09-01", "2008-10-01"]
    np.testing.assert_allclose(epoch_spans(dates, TIMES), epoch_spans(Time(dates), TIMES))
    assert epoch_spans(dates, TIMES)[0, 0] == pytest.approx(241920001)


def test_a_file_has_edges_or_epochs_with_gaps(tmp_path):
    edges, gaps = tmp_path / "edges.txt", tmp_path / "gaps.txt"
    edges.write_text("2008-08-10  # begin\n\n2008-08-20\n2008-09-01\n")
    gaps.write_text("# begin end\n2.40e8, 2.41e8\n2.43e8 2.44e8\n")
    assert len(epoch_spans(str(edges), TIMES)) == 2
    np.testing.assert_allclose(epoch_spans(gaps, TIMES), [[2.4e8, 2.41e8], [2.43e8, 2.44e8]])


@pytest.mark.parametrize(
    ("epochs", "fault"),
    [
        (0, "0 epochs"),
        ("-3", "-3 epochs"),
        ("0 d", "epochs of 0 s"),
        ("1 s", "10000000 epochs"),
        ("30 km", "no time"),
        ("2008-08-10", "epochs are 2008-08-10"),
        (["2008-08-20", "2008-08-10"], "increase"),
        ([[2.40e8, 2.42e8], [2.41e8, 2.45e8]] * u.s, "overlap"),
        (["1990-01-01", "1991-01-01"], "no epoch .* in the time of the photons"),
        (True, "epochs are True"),
    ],
)
def test_epochs_that_cannot_be_are_named_in_one_line(epochs, fault):
    with pytest.raises(OptionError, match=fault) as raised:
        epoch_spans(epochs, TIMES)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "text", ["hello world\n", "1 2 3\n", "2.4e8\n", "", "2.4e8\n2.41e8 2.42e8\n"]
)
def test_a_file_that_is_no_list_of_epochs_is_named(tmp_path, text):
    path = tmp_path / "epochs.txt"
    path.write_text(text)
    with pytest.raises(InputFileError, match=r"epochs\.txt"):
        epoch_spans(path, TIMES)


def test_a_missing_file_and_a_binary_one_are_named(tmp_path):
    with pytest.raises(MissingFileError, match="30 parsnips"):
        epoch_spans("30 parsnips", TIMES)
    path = tmp_path / "epochs.bin"
    path.write_bytes(bytes(range(128, 256)))
    with pytest.raises(FileFormatError, match="read as text"):
        epoch_spans(path, TIMES)


def test_times_and_files_are_kept_apart(tmp_path):
    times = ["30d", 10, 30 * u.day, ["2008-08-10", "2009-01-01"], [2.4e8, 2.5e8]]
    files = [(), [], ["a.fits", "b.fits"], [["a.fits"], ["b.fits"]], [tmp_path]]
    assert all(map(are_times, times))
    assert not any(map(are_times, files))
