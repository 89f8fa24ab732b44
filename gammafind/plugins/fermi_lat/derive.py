"""Options of the renderer that follow from users' files: bands, response, time, pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import astropy.units as u
import numpy as np
from astropy.units import Quantity

from gammafind.errors import GammafindError
from gammafind.plugins.fermi_lat.events import split_name
from gammafind.plugins.fermi_lat.good_time import time_scale
from gammafind.plugins.fermi_lat.grouping import (
    adjacent,
    bands_between,
    group_bins,
    nsides_of,
    pixel_sizes,
)
from gammafind.plugins.fermi_lat.irf import Response, load_response
from gammafind.plugins.fermi_lat.regions import common_region
from gammafind.plugins.fermi_lat.selection import recorded_selection
from gammafind.roles.derivation import Derivation, Obstacle
from gammafind.sky.bands import Band
from gammafind.sky.fits.facts import FileFacts, data_files

_VERSIONS = {"P8R2": "V6", "P8R3": "V3"}
"""Version of the response of each release that comes with the package."""
_ASSUMED = {"release": "P8R3", "class": "SOURCE", "type": "FRONT+BACK"}
"""What most files in use hold, where headers do not say."""
_NAMES = {"release": "release", "class": "event class", "type": "event type"}
_SPAN = (0.05, 2000.0)
"""Energies in GeV with known diffuse emission and response."""
_FIRST = 0.1
"""Lowest energy in GeV of photon lists: below it the 68 % radius of the PSF exceeds 5 deg."""
_INDEX = 2.3
"""Photon index of the instrument, over which the PSF of a band is averaged."""
_RADII = (0.1, 0.5)
"""Smallest and largest match radius in degrees, as in the shipped presets."""


@dataclass(kw_only=True)
class _Notes:
    """What is collected on the way."""

    used: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    obstacles: list[Obstacle] = field(default_factory=list)


def derive_options(
    files: Sequence[FileFacts], bands: Sequence[Band] | None = None, *, caldb: str = ""
) -> Derivation | None:
    """Derive the options of the renderer from the headers of files.

    Parameters
    ----------
    files : sequence of FileFacts
        Photon lists or count maps and, where given, exposure, livetime and spacecraft files.
    bands : sequence of Band, optional
        Bands of maps whose files do not give them.
    caldb : str
        Folder of responses that do not come with the package.

    Returns
    -------
    Derivation or None
        None if there are neither photons nor counts among the files.
    """
    data = data_files(files)
    if not data:
        return None
    notes = _Notes()
    irf, channels = _selection(data, files, notes)
    edges = _edges(data, bands, notes)
    options: dict[str, Any] = {"irf": irf, "event_types": channels}
    options |= _zenith(data, len(edges) - 1 if edges else 0, notes)
    options |= _time(data, files, notes)
    radius = _RADII[1]
    response = _response(irf, channels, caldb, notes)
    if edges and response is not None:
        sizes = pixel_sizes(response, edges, _INDEX)
        options |= {"energies": edges, "nsides": nsides_of(sizes)}
        radius = float(np.clip(2 * sizes.min() * 2, *_RADII))
        if all(file.kind == "photons" for file in data):
            options |= _region(data, sizes, notes)
    return Derivation(
        options=options,
        match_radius=round(radius, 2) * u.deg,
        used=tuple(notes.used),
        doubts=tuple(notes.doubts),
        obstacles=tuple(notes.obstacles),
    )


def _selection(
    data: Sequence[FileFacts], files: Sequence[FileFacts], notes: _Notes
) -> tuple[str, tuple[str, ...]]:
    """Response, and the event types of each channel."""
    recorded = [recorded_selection(file.selections) for file in data]
    others = [recorded_selection(file.selections) for file in files if file not in data]
    found = {}
    for what in ("release", "class"):
        name = _NAMES[what]
        values = list(dict.fromkeys(one[what] for one in recorded if what in one))
        values = values or list(dict.fromkeys(one[what] for one in others if what in one))
        if len(values) > 1:
            notes.obstacles.append(
                Obstacle(
                    fault=f"the files are of {name} {' and '.join(values)}",
                    remedy=f"Give files of one {name}.",
                )
            )
        found[what] = values[0] if values else ""
    types = tuple(dict.fromkeys(one["type"] for one in recorded if "type" in one))
    types = types or tuple(dict.fromkeys(one["type"] for one in others if "type" in one))
    missing = [what for what, value in (*found.items(), ("type", types)) if not value]
    if missing:
        named = " and ".join(
            f"event {what}".replace("event release", "release") for what in missing
        )
        notes.doubts.append(
            f"the headers do not give the {named} of the photons: "
            f"{', '.join(_ASSUMED[what] for what in missing)} is assumed"
        )
    found = {what: value or _ASSUMED[what] for what, value in found.items()}
    types = types or (_ASSUMED["type"],)
    irf = _irf_name(files) or "_".join(
        (found["release"], found["class"], _VERSIONS.get(found["release"], "V3"))
    )
    if not missing:
        notes.used.append(f"the photons are of {irf}, {' and '.join(types)}")
    return irf, types


def _irf_name(files: Sequence[FileFacts]) -> str:
    """Name of the response that an exposure file records, such as P8R2_SOURCE_V6."""
    for file in files:
        for cut in file.selections:
            kind, _, value = cut.partition(" = ")
            if kind == "IRF_VERSION" and value:
                return split_name(value.split("(")[0].strip())[0]
    return ""


def _edges(
    data: Sequence[FileFacts], bands: Sequence[Band] | None, notes: _Notes
) -> tuple[float, ...]:
    """Edges of the bands in GeV; empty if they are not known."""
    if bands is not None:
        bins = u.Quantity([np.sort(band.edges.to(u.GeV, u.spectral())) for band in bands])
        return _checked_edges(bins[np.argsort(bins[:, 0])], notes, grouped=False)
    if all(file.kind == "photons" for file in data):
        return _photon_edges(data, notes)
    return _bin_edges([file for file in data if file.kind == "counts"], notes)


def _bin_edges(data: Sequence[FileFacts], notes: _Notes) -> tuple[float, ...]:
    without = [file for file in data if file.bins is None]
    for file in without:
        notes.obstacles.append(
            Obstacle(
                fault=file.fault or f"{file.path.name} does not say its energies",
                remedy="Give the band of each map: --band LOW-HIGHunit, or bands in Python.",
            )
        )
    if without or not data:
        return ()
    every = np.concatenate([file.bins.to_value(u.GeV) for file in data])
    bins = np.unique(np.round(np.log10(every), 4), axis=0, return_index=True)[1]
    return _checked_edges(every[np.sort(bins)][np.argsort(every[np.sort(bins), 0])] * u.GeV, notes)


def _checked_edges(bins: Quantity, notes: _Notes, *, grouped: bool = True) -> tuple[float, ...]:
    """Edges of the bands that bins make up, within the energies that are known."""
    if not adjacent(bins):
        notes.obstacles.append(
            Obstacle(
                fault="the energy bins of the files overlap or leave gaps",
                remedy="Give maps of adjacent bins, each energy once.",
            )
        )
        return ()
    low, high = bins.to_value(u.GeV).T
    inside = (low >= _SPAN[0] * 0.999) & (low < _SPAN[1])
    if not inside.any():
        notes.obstacles.append(
            Obstacle(
                fault=f"the energies are {low.min():.4g} to {high.max():.4g} GeV",
                remedy=f"Diffuse emission is known from {_SPAN[0]} to {_SPAN[1]:g} GeV.",
            )
        )
        return ()
    if not inside.all():
        outside = f"{np.count_nonzero(~inside)} of {len(inside)} energy bins"
        notes.doubts.append(f"{outside} are outside {_SPAN[0]}-{_SPAN[1]:g} GeV and left out")
    bins = bins[inside]
    if not grouped or len(bins) == 1:
        return tuple(np.append(bins[:, 0], bins[-1:, 1]).to_value(u.GeV).tolist())
    edges = group_bins(bins)
    n = len(edges) - 1
    how = f"{n} bands" if n > 1 else "one band"
    notes.used.append(f"{len(bins)} energy bins are searched in {how}: {_edge_text(edges)}")
    return edges


def _photon_edges(data: Sequence[FileFacts], notes: _Notes) -> tuple[float, ...]:
    ranges = [found for file in data if (found := file.range("ENERGY")) is not None]
    if not ranges:
        seen = [file.photons.energies for file in data if file.photons and file.photons.energies]
        ranges = seen or [(_FIRST * 1e3, _SPAN[1] * 1e3)]
        notes.doubts.append(
            "the headers do not give the range of energies: that of the photons is used"
        )
    low, high = max(low for low, _ in ranges) / 1e3, min(high for _, high in ranges) / 1e3
    first, last = max(low, _FIRST), min(high, _SPAN[1])
    if first >= last:
        notes.obstacles.append(
            Obstacle(
                fault=f"the photons are of {low:.4g} to {high:.4g} GeV",
                remedy=f"Photons between {_FIRST:g} and {_SPAN[1]:g} GeV can be searched.",
            )
        )
        return ()
    if low < first * 0.999 or high > last * 1.001:
        notes.used.append(f"photons outside {first:g}-{last:g} GeV are left out")
    edges = bands_between(first, last)
    n = len(edges) - 1
    how = f"{n} bands" if n > 1 else "one band"
    notes.used.append(f"the photons are searched in {how}: {_edge_text(edges)}")
    return edges


def _edge_text(edges: Sequence[float]) -> str:
    return f"{', '.join(f'{edge:.4g}' for edge in edges)} GeV"


def _zenith(data: Sequence[FileFacts], n_bands: int, notes: _Notes) -> dict[str, Any]:
    cuts = [found[1] for file in data if (found := file.range("ZENITH_ANGLE")) is not None]
    if not cuts or not n_bands:
        return {}
    zenith = min(cuts)
    notes.used.append(f"zenith angles are below {zenith:g} deg")
    return {"max_zeniths": (zenith,) * n_bands}


def _time(data: Sequence[FileFacts], files: Sequence[FileFacts], notes: _Notes) -> dict[str, Any]:
    """Options of the time; where a file gives the exposure, for comparison with its unit."""
    scale = time_scale(data)
    given = [file for file in files if file.kind in ("exposure", "livetime", "spacecraft")]
    if given:
        notes.used.append(f"the exposure is that of {', '.join(file.path.name for file in given)}")
        return {"good_time": scale.seconds} if np.isfinite(scale.error) else {}
    notes.doubts.append(scale.text)
    return scale.options


def _response(irf: str, channels: Sequence[str], caldb: str, notes: _Notes) -> Response | None:
    """Response of the channel with the widest PSF; an obstacle if one is missing."""
    try:
        return [load_response(irf, types, caldb=caldb) for types in channels][-1]
    except GammafindError as error:
        notes.obstacles.append(
            Obstacle(fault=error.fault, remedy=error.remedy or "Give other files.")
        )
        return None


def _region(data: Sequence[FileFacts], sizes: np.ndarray, notes: _Notes) -> dict[str, Any]:
    region = common_region(data)
    if region is None:
        return {}
    notes.used.append(
        f"the photons are within {region.radius:g} deg of RA {region.ra:.4f}, Dec {region.dec:.4f}"
    )
    return {"region": (region.ra, region.dec, region.radius)}
