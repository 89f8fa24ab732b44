"""Directions next to others."""

from __future__ import annotations

import numpy as np


def aside(vectors: np.ndarray, angle: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Unit vectors at an angle from others, in a random direction."""
    axis = np.where(np.abs(vectors[:, 2:]) < 0.7, [[0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]])
    one = np.cross(vectors, axis)
    one /= np.linalg.norm(one, axis=1, keepdims=True)
    other = np.cross(vectors, one)
    turn = 2 * np.pi * rng.random(len(angle))[:, None]
    across = np.cos(turn) * one + np.sin(turn) * other
    return np.cos(angle)[:, None] * vectors + np.sin(angle)[:, None] * across
