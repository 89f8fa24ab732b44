"""From count maps to a catalogue: the story, top to bottom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike
from time import perf_counter
from typing import Any

import numpy as np
from astropy.table import QTable

from gammafind.catalogue.associate import associate
from gammafind.catalogue.publish import publish
from gammafind.choice import select_preset
from gammafind.config import Preset, build
from gammafind.errors import (
    CoordinateSystemError,
    FileFormatError,
    InputDataError,
    OptionError,
)
from gammafind.interfaces import Localiser, Plugin, SkyRenderer, no_detections
from gammafind.progress import stage
from gammafind.provenance import provenance
from gammafind.report import Summary, summarise
from gammafind.sky.bands import Band
from gammafind.sky.fits import (
    holds_events,
    read_events,
    read_exposure,
)
from gammafind.sky.observation import Observation
from gammafind.sky.patches import PatchGrid
from gammafind.sky.pixels import WcsPixels
from gammafind.sky.skymap import SkyMap

__all__ = ["Result", "detect"]

Path = str | PathLike

_LEAST_RATIO = 1e-7
"""An exposure this much smaller or larger than the preset's is none: seconds against ten years."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    """What `detect` found.

    Attributes
    ----------
    catalogue : QTable
        Schema CATALOGUE, highest score first; ``meta`` says how it was made.
    counts : SkyMap
        The sky that was searched.
    preset : Preset
    summary : Summary
        Numbers found and, with a reference catalogue, purity and completeness.
    reference : QTable or None
        The catalogue that the sources were matched with.
    seconds : float
        Wall-clock time of the whole.
    """

    catalogue: QTable
    counts: SkyMap
    preset: Preset
    summary: Summary
    reference: QTable | None
    seconds: float


def detect(
    paths: Sequence[Path],
    *,
    preset: Preset | Path | None = None,
    bands: Sequence[Band] | None = None,
    frame: str | None = None,
    exposure: Path | None = None,
    reference: QTable | None = None,
    min_score: float | None = None,
    seed: int = 0,
    command: str = "",
) -> Result:
    """Find the sources of a sky.

    Parameters
    ----------
    paths : sequence of path-like
        Count maps, or photon lists.
    preset : Preset, str or path-like, optional
        By default the one whose bands the energy bins of the files fill.
        `gammafind.choice.with_plugins` changes its plugins and their options.
    bands : sequence of Band, optional
        Bands of maps whose files do not say them, in order.
    frame : {"galactic", "icrs", "fk5"}, optional
        Frame of HEALPix maps, also of the exposure, whose files do not say it.
    exposure : path-like, optional
        Exposure map that takes the place of the renderer's.
    reference : QTable, optional
        Catalogue with positions, to match with.
    min_score : float, optional
        Lowest score kept; that of the preset by default.
    seed : int
        Of the random generator.
    command : str
        Command line, for the record.

    Returns
    -------
    Result

    Raises
    ------
    GammafindError
        If an input cannot be used; the class names the fault.
    """
    start = perf_counter()
    preset = select_preset(paths, preset, bands)
    renderer, localiser = _plugins(preset)
    if min_score is None:
        min_score = preset.score_threshold
    if not np.isfinite(min_score):
        raise OptionError(f"min_score is {min_score}", remedy="It must be a finite number.")
    if seed < 0:
        raise OptionError(f"seed is {seed}", remedy="It must not be negative.")

    with stage("reading the maps"):
        counts = _read_sky(paths, renderer, frame=frame)
    with stage("modelling the sky"):
        observation = renderer.observe(counts)
        if exposure is not None:
            observation = _use_exposure(observation, exposure, frame=frame)
    with stage("looking for sources"):
        detections = _localise(localiser, observation, preset, np.random.default_rng(seed))
    catalogue = publish(detections[np.asarray(detections["score"]) >= min_score])
    if reference is not None:
        catalogue = associate(catalogue, reference, preset.match_radius)
    summary = summarise(
        catalogue, reference, radius=preset.match_radius, counts=counts, cut=min_score
    )

    catalogue.meta |= provenance(
        preset=preset.name,
        used=_used(renderer, localiser),
        inputs=[
            *counts.meta.get("inputs", ()),
            *observation.exposure.meta.get("inputs", ()),
        ],
        seed=seed,
        command=command,
        selections=list(counts.meta.get("selections", ())),
        min_score=float(min_score),
        reference=_origin(reference),
        match_radius=str(preset.match_radius),
    )
    return Result(
        catalogue=catalogue,
        counts=counts,
        preset=preset,
        summary=summary,
        reference=reference,
        seconds=perf_counter() - start,
    )


def _plugins(preset: Preset) -> tuple[SkyRenderer, Localiser]:
    given = {"clusterer": build(preset.clusterer)} if preset.clusterer else {}
    return build(preset.renderer), build(preset.localiser, **given)


def _used(renderer: SkyRenderer, localiser: Localiser) -> dict[str, Plugin]:
    used: dict[str, Plugin] = {"renderer": renderer, "localiser": localiser}
    if localiser.clusterer is not None:
        used["clusterer"] = localiser.clusterer
    return used


def _read_sky(paths: Sequence[Path], renderer: SkyRenderer, *, frame: str | None) -> SkyMap:
    """Read count maps, or bin photons on the renderer's own pixels."""
    photons = [holds_events(path) for path in paths]
    if all(photons):
        return renderer.bin_events(read_events(paths))
    if any(photons):
        raise FileFormatError(
            "a photon list among count maps",
            path=paths[photons.index(True)],
            remedy="Give the one or the other.",
        )
    counts = renderer.read_counts(paths, frame=frame)
    for pixels in counts.pixels:
        if isinstance(pixels, WcsPixels) and not pixels.on_sky.all():
            raise CoordinateSystemError(
                f"{np.count_nonzero(~pixels.on_sky)} pixels of an image lie off the sky",
                path=", ".join(map(str, paths)),
                remedy="Give the whole sky as HEALPix, or an image that lies on the sky.",
            )
    return counts


def _use_exposure(observation: Observation, path: Path, *, frame: str | None) -> Observation:
    """Replace the exposure; the expected background scales with it, pixel by pixel."""
    counts, own = observation.counts, observation.exposure
    given = read_exposure(path, bands=counts.bands, pixels=counts.pixels, frame=frame)
    _check_scale(given, own, path)
    factors = [
        np.divide(new, old, out=np.zeros(new.shape), where=old > 0)
        for new, old in zip(given.values, own.values, strict=True)
    ]
    background = {
        name: replace(sky, values=tuple(v * f for v, f in zip(sky.values, factors, strict=True)))
        for name, sky in observation.background.items()
    }
    return replace(observation, exposure=given, background=background)


def _check_scale(given: SkyMap, own: SkyMap, path: Path) -> None:
    """Refuse what is no exposure: a count map, say, or one in another unit."""
    for band, new, old, valid in zip(
        given.bands, given.values, own.values, given.valid, strict=True
    ):
        both = valid & (old > 0) & (new > 0)
        ratio = np.median(new[both] / old[both]) if both.any() else 0.0
        if not _LEAST_RATIO <= ratio <= 1 / _LEAST_RATIO:
            raise InputDataError(
                f"the exposure in the band {band.name} is {ratio:.3g} times that of the preset",
                path=path,
                remedy="It must be in cm2 s. Is this a map of exposures?",
            )


def _localise(
    localiser: Localiser, observation: Observation, preset: Preset, rng: np.random.Generator
) -> QTable:
    """Detections of the localiser; none where there is not one count."""
    if not any(values.any() for values in observation.counts.values):
        return no_detections()
    grid = PatchGrid.healpix(
        preset.patches.nside,
        size=preset.patches.size,
        frame=observation.counts.pixels[0].frame,
    )
    n_pixels = preset.patches.widths(observation.counts.n_bands)
    return localiser.localise_sky(observation, grid=grid, n_pixels=n_pixels, rng=rng)


def _origin(reference: QTable | None) -> Any:
    """Where a reference catalogue comes from, as far as its metadata say."""
    if reference is None:
        return None
    known = ("name", "sha256", "release", "version")
    return {key: str(reference.meta[key]) for key in known if key in reference.meta}
