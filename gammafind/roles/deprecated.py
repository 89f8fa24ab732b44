"""Names of the release before, which plugins of third parties may still use.

The next release drops this module and what imports it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from gammafind.errors import GammafindDeprecationWarning

_PROBABILITY = "probability"
_CLASS_STATEMENT = 5
"""Frames from `_warn` to the statement that defines a class."""


def renamed(
    old: str, new: str, convert: Callable[[Any], Any] = lambda value: value
) -> Callable[[type], None]:
    """Make a function that gives a class the new name of an attribute, a property or a method.

    Parameters
    ----------
    old, new : str
    convert : callable
        Makes the new value of the old one.
    """

    def adopt(cls: type) -> None:
        if new in vars(cls):
            return
        value = vars(cls)[old]
        _warn(cls, f"defines {old}, which is now {new}", _CLASS_STATEMENT)
        if isinstance(value, property):
            setattr(cls, new, property(lambda self: convert(value.fget(self))))
        else:
            setattr(cls, new, convert(value))

    return adopt


def adopt_probabilities(cls: type) -> None:
    """Set ``scores_are_probabilities`` of a localiser whose ``score_name`` is "probability"."""
    if "scores_are_probabilities" in vars(cls) or cls.scores_are_probabilities is not False:
        return
    fault = f"calls its scores {_PROBABILITY!r}, which is now a label: set scores_are_probabilities"
    value = vars(cls)["score_name"]
    if isinstance(value, property):

        def are_probabilities(self: Any) -> bool:
            found = self.score_name == _PROBABILITY
            if found:
                _warn(cls, fault, 3)
            return found

        cls.scores_are_probabilities = property(are_probabilities)
    elif value == _PROBABILITY:
        _warn(cls, fault, _CLASS_STATEMENT)
        cls.scores_are_probabilities = True


def sight_unsaid(cls: type, role: type) -> bool:
    """Whether a localiser searches a whole sky itself and does not say what it ``sees``.

    Such a class was given maps and images alike; it is warned of.
    """
    own = cls.__mro__[: cls.__mro__.index(role)]
    searches = any("_localise_sky" in vars(base) for base in own)
    if not searches or any("sees" in vars(base) for base in own):
        return False
    _warn(cls, "is given an image and does not say what it sees: set sees", 4)
    return True


def _warn(cls: type, fault: str, stacklevel: int) -> None:
    warnings.warn(
        f"{cls.__module__}.{cls.__qualname__} {fault}",
        GammafindDeprecationWarning,
        stacklevel=stacklevel,
    )
