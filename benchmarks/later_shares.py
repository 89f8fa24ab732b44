"""Share of the flux of detections that is in real sources, from photons of a later time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Calibration", "Sums", "joined"]


@dataclass(frozen=True, eq=False)
class Sums:
    """Some detections: weighted fluxes of the earlier and later weeks, shape (n,).

    Attributes
    ----------
    flux, later, score : ndarray, shape (n,)
    real : ndarray of bool, shape (n,)
    """

    flux: np.ndarray
    later: np.ndarray
    score: np.ndarray
    real: np.ndarray

    def take(self, chosen: np.ndarray) -> Sums:
        """Some of the detections."""
        return Sums(self.flux[chosen], self.later[chosen], self.score[chosen], self.real[chosen])

    def mean_score(self) -> float:
        """Mean score, weighted with the earlier flux."""
        return float(self.flux @ self.score / self.flux.sum())

    def true_share(self) -> float:
        """Share of the earlier flux that is in real sources."""
        return float(self.flux @ self.real / self.flux.sum())

    def ratio(self) -> tuple[float, float]:
        """Later over earlier flux, and its error from the scatter of the detections."""
        total = self.flux.sum()
        if total <= 0:
            return 0.0, 0.0
        ratio = self.later.sum() / total
        return float(ratio), float(np.sqrt(np.sum((self.later - ratio * self.flux) ** 2)) / total)


@dataclass(frozen=True)
class Calibration:
    """Share of their earlier flux that real and false detections have in the later weeks."""

    real: float
    real_error: float
    false: float

    @classmethod
    def of(cls, simulated: list[Sums], false: float) -> Calibration:
        """Measured on the detections of one region and bin in simulated skies."""
        everything = joined(simulated)
        return cls(*everything.take(everything.real).ratio(), false)

    def share(self, detections: Sums) -> tuple[float, float]:
        """Share of the flux that is in real sources, and its error."""
        ratio, error = detections.ratio()
        per = self.real - self.false
        share = (ratio - self.false) / per
        return share, float(np.hypot(error, share * self.real_error) / per)


def joined(parts: list[Sums]) -> Sums:
    """Detections of several skies together."""
    names = ("flux", "later", "score", "real")
    return Sums(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
