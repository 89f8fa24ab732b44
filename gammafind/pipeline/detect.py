"""From count maps to a catalogue: the story, top to bottom."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from os import PathLike
from time import perf_counter
from typing import Any

import numpy as np
from astropy.table import QTable

from gammafind.catalogue.associate import associate
from gammafind.catalogue.publish import publish
from gammafind.errors import ConfigError, OptionError
from gammafind.evaluation.against import summarise
from gammafind.evaluation.numbers import Summary
from gammafind.pipeline.classify import classify, without_fakes
from gammafind.pipeline.observe import observe, observe_epochs
from gammafind.presets.choose import select_preset
from gammafind.presets.preset import Preset, build
from gammafind.roles.base import Plugin
from gammafind.roles.classifier import Classifier
from gammafind.roles.localiser import Localiser, no_detections
from gammafind.roles.provenance import provenance
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.bands import Band
from gammafind.sky.epochs import Epochs
from gammafind.sky.observation import Observation
from gammafind.sky.patches import PatchGrid
from gammafind.sky.skymap import SkyMap
from gammafind.utils.progress import stage
from gammafind.views.localisers import Search

__all__ = ["Result", "detect"]

Path = str | PathLike

_log = logging.getLogger("gammafind")


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
        Wall-clock time of the search; reading and modelling the sky come before it.
    beside : tuple of Result
        What other localisers found on the same sky.
    """

    catalogue: QTable
    counts: SkyMap
    preset: Preset
    summary: Summary
    reference: QTable | None
    seconds: float
    beside: tuple[Result, ...] = ()

    @property
    def searches(self) -> tuple[Search, ...]:
        """Numbers of this localiser, and of those beside it."""
        return tuple(
            Search(localiser=one.preset.localiser.name, summary=one.summary, seconds=one.seconds)
            for one in (self, *self.beside)
        )


def detect(
    paths: Sequence[Path],
    *,
    preset: Preset | Path | None = None,
    beside: Sequence[Preset] = (),
    bands: Sequence[Band] | None = None,
    frame: str | None = None,
    exposure: Path | None = None,
    epochs: Sequence[Sequence[Path]] = (),
    reference: QTable | None = None,
    min_score: float | None = None,
    max_fake: float | None = None,
    seed: int = 0,
    command: str = "",
) -> Result:
    """Find the sources of a sky and, where the preset has a classifier, say what they are.

    Parameters
    ----------
    paths : sequence of path-like
        Count maps, or photon lists.
    preset : Preset, str or path-like, optional
        By default the one whose bands the energy bins of the files fill.
        `gammafind.presets.choose.with_plugins` changes its plugins and their options.
    beside : sequence of Preset, optional
        The same sky with other localisers, which search it too.
    bands : sequence of Band, optional
        Bands of maps whose files do not say them, in order.
    frame : {"galactic", "icrs", "fk5"}, optional
        Frame of HEALPix maps, also of the exposure, whose files do not say it.
    exposure : path-like, optional
        Exposure map that takes the place of the renderer's.
    epochs : sequence of sequence of path-like, optional
        Files of the counts of each epoch of the renderer (each year, say), for a classifier.
    reference : QTable, optional
        Catalogue with positions, to match with.
    min_score : float, optional
        Lowest score kept. By default that of the preset or, where it has none, of the localiser;
        the localisers beside keep to theirs.
    max_fake : float, optional
        Drop what the classifier takes for no source with a larger probability; by default it is
        only labelled.
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
    preset = select_preset(paths, preset, bands)
    _check_numbers(min_score, seed)
    renderer = build(preset.renderer)
    localisers = _localisers((preset, *beside))
    classifier = _classifier(preset, renderer, len(epochs), max_fake)
    observation = observe(paths, renderer, frame=frame, exposure=exposure)
    apart = None
    if classifier is not None and classifier.n_epochs:
        apart = observe_epochs(epochs, renderer, observation.counts, frame=frame)
    search = partial(
        _search,
        observation,
        renderer,
        classifier=classifier,
        epochs=apart,
        max_fake=max_fake,
        reference=reference,
        seed=seed,
        command=command,
    )
    result = search(preset, localisers[0], min_score=min_score)
    others = (search(*pair) for pair in zip(beside, localisers[1:], strict=True))
    return replace(result, beside=tuple(others))


def _check_numbers(min_score: float | None, seed: int) -> None:
    if min_score is not None and not np.isfinite(min_score):
        raise OptionError(f"min_score is {min_score}", remedy="It must be a finite number.")
    if seed < 0:
        raise OptionError(f"seed is {seed}", remedy="It must not be negative.")


def _localisers(presets: Sequence[Preset]) -> list[Localiser]:
    """Localisers of presets that differ in them alone, before any work is done."""
    names = [preset.localiser.name for preset in presets]
    for preset, name in zip(presets, names, strict=True):
        if preset.renderer != presets[0].renderer:
            raise ConfigError(
                f"the preset {preset.name} beside {presets[0].name} has another renderer",
                remedy="All localisers look at one sky.",
            )
        if names.count(name) > 1:
            raise OptionError(f"the localiser {name} is named twice", remedy="Name it once.")
    return [_localiser(preset) for preset in presets]


def _localiser(preset: Preset) -> Localiser:
    given = {"clusterer": build(preset.clusterer)} if preset.clusterer else {}
    return build(preset.localiser, **given)


def _classifier(
    preset: Preset, renderer: SkyRenderer, n_epochs: int, max_fake: float | None
) -> Classifier | None:
    """Classifier of the preset, for this sky, before any work is done."""
    if preset.classifier is None:
        if n_epochs or max_fake is not None:
            raise OptionError(
                "counts of epochs, or max_fake, without a classifier",
                remedy="Name a classifier, such as cnn.",
            )
        return None
    classifier = build(preset.classifier).for_sky(renderer.bands, n_epochs)
    if n_epochs and not classifier.n_epochs:
        _log.info("the classifier %s looks at no epochs: they are left out", classifier.name)
    if max_fake is not None:
        without_fakes(no_detections(), classifier, max_fake)
    return classifier


def _search(
    observation: Observation,
    renderer: SkyRenderer,
    preset: Preset,
    localiser: Localiser,
    *,
    classifier: Classifier | None,
    epochs: Epochs | None,
    max_fake: float | None,
    reference: QTable | None,
    seed: int,
    command: str,
    min_score: float | None = None,
) -> Result:
    """Search an observation with one localiser, and publish what it found."""
    start = perf_counter()
    with stage(f"looking for sources with {localiser.name}"):
        detections = _localise(localiser, observation, preset, np.random.default_rng(seed))
    seconds = perf_counter() - start
    lowest = _lowest_score(preset, localiser, min_score)
    kept = detections[np.asarray(detections["score"]) >= lowest]
    if classifier is not None:
        likely = localiser.scores_are_probabilities
        kept = classify(kept, observation, classifier, epochs=epochs, probabilities=likely)
        if max_fake is not None:
            kept = without_fakes(kept, classifier, max_fake)
    kept = renderer.with_derived(kept)
    columns = renderer.published
    catalogue = publish(kept, columns=columns, pixels=observation.counts.finest_pixels)
    if reference is not None:
        catalogue = associate(catalogue, reference, preset.match_radius, columns=columns)
    catalogue.meta |= provenance(
        preset=preset.name,
        used=_used(renderer, localiser, classifier),
        inputs=_inputs(observation),
        seed=seed,
        command=command,
        selections=list(observation.counts.meta.get("selections", ())),
        score_name=localiser.score_name,
        min_score=float(lowest) if np.isfinite(lowest) else None,
        max_fake=max_fake,
        reference=_origin(reference),
        match_radius=str(preset.match_radius),
    )
    catalogue["Score"].info.description = f"Score of the localiser: {localiser.score_name}"
    return Result(
        catalogue=catalogue,
        counts=observation.counts,
        preset=preset,
        summary=summarise(
            catalogue,
            reference,
            radius=preset.match_radius,
            counts=observation.counts,
            detections=detections,
        ),
        reference=reference,
        seconds=seconds,
    )


def _lowest_score(preset: Preset, localiser: Localiser, min_score: float | None) -> float:
    """Lowest score kept: what the caller says, or the preset, or the localiser."""
    if min_score is not None:
        return min_score
    if preset.score_threshold is not None:
        return preset.score_threshold
    return localiser.published_score


def _used(
    renderer: SkyRenderer, localiser: Localiser, classifier: Classifier | None
) -> dict[str, Plugin]:
    used: dict[str, Plugin] = {"renderer": renderer, "localiser": localiser}
    if localiser.clusterer is not None:
        used["clusterer"] = localiser.clusterer
    if classifier is not None:
        used["classifier"] = classifier
    return used


def _inputs(observation: Observation) -> list[dict[str, str]]:
    """Names and checksums of the files of counts and exposure."""
    maps = (observation.counts, observation.exposure)
    return [entry for sky in maps for entry in sky.meta.get("inputs", ())]


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
