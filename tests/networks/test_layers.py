"""Options of networks."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gammafind.errors import OptionError
from gammafind.networks.layers import check_network


def toy_network(
    inputs, filters: Sequence[int] = (4, 8), units: int = 3, dropout: float = 0.1, deep: bool = True
):
    return inputs


def check(**options):
    check_network("toy", {"toy": toy_network}, options)


def test_values_that_a_network_can_have_pass():
    check(filters=[1, 2], units=1, dropout=0, deep=False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"filters": 4}, r"filters of the network toy is 4\. It must be of type Sequence\[int\]"),
        ({"filters": "a"}, "filters of the network toy is 'a'"),
        (
            {"filters": [4, 0]},
            r"filters of the network toy is \[4, 0\]\. Sizes .* whole numbers above 0",
        ),
        ({"filters": []}, r"filters of the network toy is \[\]"),
        ({"units": 0}, "units of the network toy is 0"),
        ({"units": "a"}, "units of the network toy is 'a'"),
        ({"dropout": 1.5}, "dropout of the network toy is 1.5. It must be 0 or more and below 1"),
        ({"dropout": float("nan")}, "dropout of the network toy is nan"),
        ({"deep": "no"}, "deep of the network toy is 'no'"),
        ({"inputs": 1}, "the network toy has no option inputs. It accepts filters, units"),
    ],
)
def test_values_that_it_cannot_have_are_named(options, message):
    with pytest.raises(OptionError, match=message):
        check(**options)
