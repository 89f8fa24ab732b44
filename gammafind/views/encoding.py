"""Arrays as text within the page: small, and read back by its script without loss that is seen."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import numpy as np

UNSEEN = 0xFFFF
"""Word of a value that is not known."""
_LARGEST = UNSEEN - 1
_LEVEL = 9
"""Of the compression: a page is written once and read often."""


def deflated(data: bytes) -> str:
    """Bytes, deflated, in base 64."""
    return base64.b64encode(zlib.compress(data, _LEVEL)).decode("ascii")


def deflated_json(value: Any) -> str:
    """Lists, texts and numbers as JSON, deflated; NaN must not be among them."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return deflated(text.encode())


def deflated_words(words: np.ndarray) -> str:
    """Whole numbers below 65536; all low bytes come first, which deflates well."""
    words = np.ascontiguousarray(words, dtype="<u2").ravel()
    planes = (words & 0xFF, words >> 8)
    return deflated(b"".join(plane.astype(np.uint8).tobytes() for plane in planes))


def linear_words(values: np.ndarray, valid: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Words, offset and step with ``value = offset + step * word``.

    Whole numbers from 0 to 65534 are kept as they are.

    Parameters
    ----------
    values, valid : ndarray, shape (n,)
    """
    seen = values[valid]
    low, high = (float(seen.min()), float(seen.max())) if len(seen) else (0.0, 0.0)
    whole = np.issubdtype(values.dtype, np.integer) and low >= 0 and high <= _LARGEST
    offset, step = (0.0, 1.0) if whole else (low, (high - low) / _LARGEST or 1.0)
    words = np.full(values.shape, UNSEEN, dtype=np.uint16)
    words[valid] = np.clip(np.rint((seen - offset) / step), 0, _LARGEST)
    return words, offset, step


def logarithmic_words(values: np.ndarray, step: float) -> tuple[np.ndarray, float]:
    """Differences of words, and the lowest logarithm, with ``value = exp(lowest + step (w - 1))``.

    A sum of 0 stands for 0. Differences wrap around at 65536. Smooth maps have small ones.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Not negative.
    step : float
        Relative size of a step.
    """
    positive = values > 0
    logs = np.log(np.where(positive, values, 1))
    top = logs[positive].max() if positive.any() else 0.0
    lowest = max(logs[positive].min() if positive.any() else 0.0, top - step * (_LARGEST - 1))
    words = np.where(positive, 1 + np.rint(np.maximum(logs - lowest, 0) / step), 0).astype(int)
    return np.diff(words, prepend=0) % (UNSEEN + 1), float(lowest)
