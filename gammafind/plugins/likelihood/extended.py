"""Extended sources of a search: which of them stay in the model."""

from __future__ import annotations

import numpy as np

from gammafind.fitting.photons.extended_templates import ts_alone
from gammafind.fitting.photons.sky_model import SkyModel


def keep_significant(model: SkyModel, threshold: float) -> None:
    """Drop extended sources whose TS is below a threshold, the faintest first."""
    while model.extended:
        ts = ts_alone(model.data, model.extended, model.extended_counts)
        if ts.min() >= threshold:
            return
        model.keep_extended(np.flatnonzero((ts >= threshold) | (ts > ts.min())))
        model.update(background=False)
