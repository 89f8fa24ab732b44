"""Exposure by good time: the embedded exposure, scaled to the time of files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gammafind.plugins.fermi_lat.years import EMBEDDED_EXPOSURES, N_YEARS
from gammafind.sky.fits.facts import FileFacts, data_files
from gammafind.sky.fits.good_times import good_time, merged
from gammafind.sky.fits.observed_times import with_photons

_TEN_YEARS = 260.607e6
"""Good time of the ten years in s: the sum of the GTIs of 4FGL-DR2 (gll_psc_v27)."""
GOOD_TIMES = {
    name: _TEN_YEARS * days / EMBEDDED_EXPOSURES["ten-years"]
    for name, days in EMBEDDED_EXPOSURES.items()
}
"""Good time of the embedded exposures in s."""
_SAME = 0.03
"""Difference of good times that is no other exposure: as that of the scaled one over the sky."""
_GOOD_SHARE = 0.83
"""Share of good time in long observations: 0.829 in 80 and in 98 months of survey."""
_LONG = 0.03
"""Scatter over the sky of the scaled exposure over gtexpcube2's, for 80 and 98 months
(benchmarks/exposure_by_time.py)."""
_SHORT = {0.12: 0.36, 0.25: 0.30, 1: 0.18, 7: 0.15, 14: 0.14, 30: 0.09, 55: 0.02}
"""Further scatter for observations of so many days, as the orbit precesses in 53 days: simulated
pointings (benchmarks/exposure_by_time.py)."""
_WITHOUT_TABLE = 0.1
"""Further error where only start and end are known: breaks that nobody wrote down."""


@dataclass(frozen=True)
class TimeScale:
    """Good time of files.

    Attributes
    ----------
    seconds : float
    error : float
        Relative error of the exposure; infinite if the time is not known.
    text : str
        What was done, for people.
    """

    seconds: float
    error: float
    text: str

    @property
    def options(self) -> dict[str, Any]:
        """Options of the renderer."""
        return {"good_time": self.seconds, "exposure_error": self.error}


def time_scale(files: Sequence[FileFacts], source: str = "ten-years") -> TimeScale:
    """Good time of photon lists or count maps, and the error of an exposure that is scaled to it.

    Parameters
    ----------
    files : sequence of FileFacts
    source : str
        Name of the embedded exposure, for the text.

    Returns
    -------
    TimeScale
        With an infinite error if a file gives no time at all.
    """
    tables = [file.good_times for file in files]
    if files and all(table is not None for table in tables):
        every = with_photons(merged(np.concatenate(tables)), files)
        seconds, span = good_time(every), every[-1, 1] - every[0, 0]
        text = f"the {seconds / 1e6:.4g} Ms of its good time intervals"
        return _scaled(source, seconds, span, 0.0, text)
    spans = [file.span for file in files if file.span is not None]
    if not spans or len(spans) < len(files):
        return TimeScale(
            0.0,
            np.inf,
            "the files give no observing time, so fluxes are not known: --exposure or --ft2 helps",
        )
    starts, stops = zip(*spans, strict=True)
    span = max(stops) - min(starts)
    text = f"{_GOOD_SHARE:.0%} of the {span / 1e6:.4g} Ms from TSTART to TSTOP"
    return _scaled(source, _GOOD_SHARE * span, span, _WITHOUT_TABLE, text)


def other_time(files: Sequence[FileFacts], source: str, *, year: int = 0) -> TimeScale | None:
    """Good time of the photons or counts among files, where it is not that of an exposure.

    Parameters
    ----------
    files : sequence of FileFacts
    source : str
        Name of an embedded exposure.
    year : int
        One of its years, 1 to 10; 0 for all.

    Returns
    -------
    TimeScale or None
        None where the time is the same or not known, or the exposure is that of a file.
    """
    data = data_files(files)
    known = [file for file in data if file.good_times is not None or file.span is not None]
    if source not in GOOD_TIMES or not data or known != data:
        return None
    scale = time_scale(data, source)
    own = GOOD_TIMES[source] / (N_YEARS if year else 1)
    return None if abs(scale.seconds / own - 1) < _SAME else scale


def _scaled(source: str, seconds: float, span: float, further: float, what: str) -> TimeScale:
    error = round(float(np.hypot(time_error(span), further)), 3)
    text = (
        f"the exposure is that of {source.replace('-', ' ')}, scaled to {what}: known to about "
        f"{error:.0%}; --exposure or --ft2 gives the true one"
    )
    return TimeScale(round(seconds, 1), error, text)


def time_error(span: np.ndarray | float) -> np.ndarray | float:
    """Relative error of an exposure that is scaled to a good time, for observations of some s."""
    days = np.array(list(_SHORT))
    short = np.interp(np.log(np.maximum(span, 1) / 86400), np.log(days), list(_SHORT.values()))
    return np.hypot(_LONG, short)
