"""Good time intervals."""

import numpy as np
import pytest
from astropy.io import fits

from gammafind.sky.fits.good_times import (
    good_time,
    good_time_within,
    is_good,
    merged,
    read_good_times,
)


def written(path, start, stop, name="GTI", **cards):
    columns = [fits.Column("START", "D", array=start), fits.Column("STOP", "D", array=stop)]
    table = fits.BinTableHDU.from_columns(columns, name=name)
    table.header.update(cards)
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path)
    return path


def test_intervals_of_several_files_are_merged(tmp_path):
    one = written(tmp_path / "one.fits", [30.0, 0.0], [40.0, 10.0])
    two = written(tmp_path / "two.fits", [5.0, 10.0], [6.0, 20.0], TIMEZERO=1.0)
    found = read_good_times([one, two])
    np.testing.assert_array_equal(found, [[0, 10], [11, 21], [30, 40]])
    assert good_time(found) == 30


@pytest.mark.parametrize(
    ("start", "stop", "name"),
    [([0.0], [1.0], "OTHER"), ([np.nan], [1.0], "GTI"), ([2.0], [1.0], "GTI"), ([], [], "GTI")],
)
def test_without_usable_intervals_nothing_is_known(start, stop, name, tmp_path):
    assert read_good_times(written(tmp_path / "x.fits", start, stop, name)) is None


def test_time_within_rows_is_that_of_the_intervals():
    intervals = merged(np.array([[4.0, 6], [1, 2], [6, 7]]))
    start, stop = np.array([[0, 1.5, 3, 8], [10, 5, 3.5, 9]])
    np.testing.assert_array_equal(good_time_within(intervals, start, stop), [4, 1.5, 0, 0])
    at = np.array([0.5, 1, 3, 7, 8])
    np.testing.assert_array_equal(is_good(intervals, at), [False, True, False, True, False])
