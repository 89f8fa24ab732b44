"""Flags that follow from where sources are: at the edge, near bright ones, confused."""

from __future__ import annotations

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord, search_around_sky
from astropy.table import QTable

from gammafind.catalogue.columns import vectors
from gammafind.catalogue.flags import Flag, has_flag, with_flag
from gammafind.catalogue.positions import sky_positions
from gammafind.sky.observation import Observation

_DIRECTIONS = 16
"""Points around a source at which the map is looked at: its edge is straight at this scale."""
_REACH = 0.95
"""Share of the PSF that should be on the map."""
_SIGNIFICANT = 25.0
"""TS in a band from which the band counts, as in 4FGL."""
_WIDER = 1.5
"""Factor of the position errors of points on extended emission, or limited by the background, whose
peak may be that of something else: it balances r95 on the half of the demo's sky with b > 0
(benchmarks/positions.py)."""
_WIDTHS = {"pos_err", "r95"} | {
    f"Conf_{share}_Semi{axis}" for share in (68, 95) for axis in ("Major", "Minor")
}
"""Columns of position errors."""
_BRIGHT_WIDTHS = 2.0
"""Radii of 68 % within which a brighter source counts as near: what 4FGL has above 10 GeV."""


def with_geometry(
    detections: QTable, observation: Observation, *, exposure_estimated: bool = False
) -> QTable:
    """Add the flags that follow from positions, fluxes and the map.

    Parameters
    ----------
    detections : QTable
        Schema DETECTIONS, or a catalogue that was measured: its ``Sqrt_TS_Band`` says in which
        band a source is compared with its neighbours, else it is the one of the sharpest PSF.
    observation : Observation
        Of photons; detections in images stay as they are.
    exposure_estimated : bool
        Whether the exposure has an error of scale.

    Returns
    -------
    QTable
        With the bits `AT_EDGE`, `NEAR_BRIGHT`, `CONFUSED` and `EXPOSURE_ESTIMATED` of
        `gammafind.catalogue.flags.Flag` in ``flags``, or ``Flags`` of a catalogue.
    """
    if observation.is_image or not len(detections):
        return detections
    table = QTable(detections, copy=False)
    name = "Flags" if "Flags" in table.colnames else "flags"
    before = table[name] if name in table.colnames else np.zeros(len(table), dtype=int)
    places = sky_positions(table, what="the table of detections")
    widths = psf_widths(observation)
    band = _band_of(table, widths)
    flags = with_flag(before, Flag.AT_EDGE, at_edge(places, observation))
    flags = with_flag(
        flags, Flag.NEAR_BRIGHT, near_brighter(places, _BRIGHT_WIDTHS * widths[band], _size(table))
    )
    flags = with_flag(flags, Flag.CONFUSED, near_brighter(places, widths[band]))
    flags = with_flag(flags, Flag.EXPOSURE_ESTIMATED, np.full(len(table), exposure_estimated))
    labels = table[name].info if name in table.colnames else None
    table[name] = flags
    if labels is not None:
        table[name].info.description, table[name].info.meta = labels.description, labels.meta
    return table


def given_flags(catalogue: QTable) -> np.ndarray:
    """Flags of a catalogue, shape (n,), with the bits of ours where it is one of the LAT."""
    flags = np.asarray(catalogue["Flags"], dtype=np.int64)
    if "release" not in catalogue.meta:
        return flags
    # The first bit of 4FGL is another one here.
    first = has_flag(flags, Flag.ON_EXTENDED)
    return with_flag(flags & ~int(Flag.ON_EXTENDED), Flag.TS_CHANGES_WITH_DIFFUSE, first)


def with_wider_errors(detections: QTable) -> QTable:
    """Widen the position errors of points that may be parts of extended or diffuse emission.

    Parameters
    ----------
    detections : QTable
        Schema DETECTIONS, with ``flags``, or a catalogue with ``Flags`` whose positions were just
        measured.

    Returns
    -------
    QTable
        ``pos_err`` and ``r95``, or the axes of the ellipses, times 1.5 in rows with `ON_EXTENDED`
        or `DIFFUSE_LIMITED`.
    """
    flags = next((one for one in ("flags", "Flags") if one in detections.colnames), None)
    if flags is None or not len(detections):
        return detections
    table = QTable(detections, copy=False)
    wide = has_flag(table[flags], Flag.ON_EXTENDED) | has_flag(table[flags], Flag.DIFFUSE_LIMITED)
    for name in _WIDTHS & set(table.colnames):
        table[name] = np.where(wide, _WIDER, 1.0) * table[name]
    return table


def psf_widths(observation: Observation) -> np.ndarray:
    """Radius in degrees of 68 % of the PSF of each band, or of a pixel where that is larger."""
    return np.array(
        [
            max(psf.containment_radius(0.68).to_value("deg"), pixels.pixel_size.to_value("deg") / 2)
            for psf, pixels in zip(observation.psfs, observation.counts.pixels, strict=True)
        ]
    )


def at_edge(places: SkyCoord, observation: Observation) -> np.ndarray:
    """Whether the PSF of a source reaches over the edge of the map, shape (n,).

    It does if one of the points at the radius of 95 % of the sharpest PSF, or the source itself, is
    in no pixel with exposure of that band.
    """
    radii = [psf.containment_radius(_REACH).to_value("deg") for psf in observation.psfs]
    band = int(np.argmin(radii))
    pixels = observation.counts.pixels[band]
    good = observation.counts.valid[band] & observation.exposure.valid[band]
    good = (good & (observation.exposure.values[band] > 0)).ravel()
    outside = np.zeros(len(places), dtype=bool)
    turns = np.arange(_DIRECTIONS) * (360 / _DIRECTIONS) * u.deg
    around = [places.directional_offset_by(turn, radii[band] * u.deg) for turn in turns]
    for points in (places, *around):
        pixel = pixels.pixel_of(points)
        outside |= (pixel < 0) | ~good[pixel]
    return outside


def near_brighter(
    places: SkyCoord, radius: np.ndarray, brightness: np.ndarray | None = None
) -> np.ndarray:
    """Whether another source is within a radius, shape (n,).

    Parameters
    ----------
    places : SkyCoord, shape (n,)
    radius : ndarray, shape (n,)
        In degrees, of each source.
    brightness : ndarray, shape (n,), optional
        Only brighter sources count.
    """
    found = np.zeros(len(places), dtype=bool)
    one, other, apart, _ = search_around_sky(places, places, float(radius.max()) * u.deg)
    near = (one != other) & (apart.deg < radius[one])
    if brightness is not None:
        near &= brightness[other] > brightness[one]
    found[one[near]] = True
    return found


def _band_of(table: QTable, widths: np.ndarray) -> np.ndarray:
    """Sharpest band in which a source is significant, or the sharpest of all, shape (n,)."""
    sharpest = np.full(len(table), int(np.argmin(widths)))
    if "Sqrt_TS_Band" not in table.colnames:
        return sharpest
    seen = vectors(table, "Sqrt_TS_Band") ** 2 > _SIGNIFICANT
    if seen.shape[1:] != widths.shape:
        return sharpest
    width = np.where(seen, widths, np.inf)
    return np.where(seen.any(axis=1), np.argmin(width, axis=1), sharpest)


def _size(table: QTable) -> np.ndarray:
    """What says which of two sources is the brighter one."""
    for name in ("Flux1000", "flux", "Flux", "Score", "score"):
        if name in table.colnames:
            values = np.asarray(getattr(table[name], "value", table[name]), dtype=float)
            return np.nan_to_num(values, nan=-np.inf)
    return np.zeros(len(table))
