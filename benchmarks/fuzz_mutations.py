"""Damaged copies of files, repeatable by a number: of their bytes, cards, lines and numbers."""

from __future__ import annotations

import gzip
import random
import re
from collections.abc import Callable

__all__ = ["mutated"]

_GZIP = b"\x1f\x8b"
_CARD, _BLOCK = 80, 2880
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_QUOTED = re.compile(rb"'[^']*'|\"[^\"]*\"")
_NUMBERS = (
    b"0", b"-1", b"1", b"7", b"255", b"32768", b"65536", b"2147483648", b"4294967296",
    b"1099511627776", b"9223372036854775807", b"18446744073709551616", b"1e300", b"-1e300",
    b"1e-300", b"nan", b"inf", b"-inf", b"0.5", b"T", b"''", b"'abc'", b"9" * 60,
)  # fmt: skip
_TEXTS = (
    b"", b"x", b"$x_{$", b"a;b", b"{}", b"<b>", b"\r", b"\xff\xfe", b"'", b'"', b"NAN",
    b"1Q(99999999)", b"PJ(4000000000)", b"999999A", b"(1,2,3)", b"[[[[", b"*a", b"&a [*a]", b"..",
    b"=1+1", b"deg/0", b"J" * 70, b"\x00", b"\xed\xb3\xbf",
)  # fmt: skip


def mutated(content: bytes, number: int) -> bytes:
    """A damaged copy; the same for the same content and number.

    Parameters
    ----------
    content : bytes
        Of a whole file. A gzipped one is damaged inside or outside.
    number : int
    """
    rng = random.Random(number)
    if content.startswith(_GZIP) and rng.random() < 0.7:
        return gzip.compress(mutated(gzip.decompress(content), number + 1), mtime=0)
    changes = _OF_FITS if content.startswith(b"SIMPLE") else _OF_TEXT
    if b"\x00" in content[:200] and not content.startswith(b"SIMPLE"):
        changes = _OF_BYTES
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        content = rng.choice(changes)(content, rng) or b"\n"
    return content


def _place(content: bytes, rng: random.Random) -> int:
    return rng.randrange(len(content)) if content else 0


def _flip(content: bytes, rng: random.Random) -> bytes:
    place = _place(content, rng)
    return content[:place] + bytes([content[place] ^ 1 << rng.randrange(8)]) + content[place + 1 :]


def _cut(content: bytes, rng: random.Random) -> bytes:
    return content[: _place(content, rng)]


def _drop(content: bytes, rng: random.Random) -> bytes:
    place = _place(content, rng)
    return content[:place] + content[place + rng.choice((1, 7, 80, 2880)) :]


def _repeat(content: bytes, rng: random.Random) -> bytes:
    place, n = _place(content, rng), rng.choice((1, 7, 80, 2880))
    return content[:place] + content[place : place + n] * rng.choice((2, 3)) + content[place + n :]


def _fill(content: bytes, rng: random.Random) -> bytes:
    place, n = _place(content, rng), rng.choice((1, 4, 8, 80))
    filler = rng.choice((b"\x00", b"\xff", b"\x7f", b" ", b"9"))
    return content[:place] + filler * n + content[place + n :]


def _replaced(content: bytes, rng: random.Random, what: re.Pattern, by: tuple[bytes, ...]) -> bytes:
    found = list(what.finditer(content))
    if not found:
        return _flip(content, rng)
    one = rng.choice(found)
    return content[: one.start()] + rng.choice(by) + content[one.end() :]


def _number(content: bytes, rng: random.Random) -> bytes:
    return _replaced(content, rng, _NUMBER, _NUMBERS)


def _text(content: bytes, rng: random.Random) -> bytes:
    by = tuple(b'"' + one + b'"' for one in _TEXTS) + _TEXTS
    return _replaced(content, rng, _QUOTED, by)


def _insert(content: bytes, rng: random.Random) -> bytes:
    place = _place(content, rng)
    return content[:place] + rng.choice(_TEXTS + _NUMBERS) + content[place:]


def _line(content: bytes, rng: random.Random) -> bytes:
    lines = content.split(b"\n")
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    change = rng.randrange(3)
    if change == 0:
        del lines[i]
    elif change == 1:
        lines.insert(j, lines[i])
    else:
        lines[i], lines[j] = lines[j], lines[i]
    return b"\n".join(lines)


def _cards(content: bytes) -> list[int]:
    """Places of the cards of all headers, as far as they follow each other in blocks."""
    places, inside = [], False
    for start in range(0, len(content), _BLOCK):
        inside = inside or content[start : start + 8] in (b"SIMPLE  ", b"XTENSION")
        if not inside:
            continue
        for place in range(start, min(start + _BLOCK, len(content)), _CARD):
            if content[place : place + 8] == b"END     ":
                inside = False
                break
            places.append(place)
    return places


def _card_value(content: bytes, rng: random.Random) -> bytes:
    places = _cards(content)
    if not places:
        return _flip(content, rng)
    place = rng.choice(places)
    if rng.random() < 0.6:
        value = rng.choice(_NUMBERS).rjust(20)
    else:
        value = b"'" + rng.choice(_TEXTS).replace(b"'", b"")[:60].ljust(8) + b"'"
    card = (content[place : place + 8] + b"= " + value).ljust(_CARD)[:_CARD]
    return content[:place] + card + content[place + _CARD :]


def _card_gone(content: bytes, rng: random.Random) -> bytes:
    places = _cards(content)
    if not places:
        return _flip(content, rng)
    place, other = rng.choice(places), rng.choice(places)
    card = rng.choice((b" " * _CARD, content[other : other + _CARD]))
    return content[:place] + card + content[place + _CARD :]


_OF_BYTES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _flip,
    _cut,
    _drop,
    _repeat,
    _fill,
)
_OF_FITS = (*_OF_BYTES, *[_card_value] * 8, _card_gone, _card_gone)
_OF_TEXT = (*_OF_BYTES, _number, _number, _text, _text, _insert, _insert, _line, _line)
