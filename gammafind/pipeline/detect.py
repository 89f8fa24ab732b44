"""From counts to a catalogue, read from top to bottom."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import Any

from astropy.table import QTable

from gammafind.catalogue.positions import sky_positions
from gammafind.catalogue.publish import PREFIX, check_prefix
from gammafind.errors import ConfigError, OptionError
from gammafind.fitting.photons.goodness import Goodness, measure_goodness
from gammafind.pipeline.associate import with_counterparts
from gammafind.pipeline.classify import without_fakes
from gammafind.pipeline.counterparts import Counterparts, with_tables
from gammafind.pipeline.epoch_spans import Times, are_times
from gammafind.pipeline.extended import with_extended
from gammafind.pipeline.inputs import (
    Counts,
    Table,
    preset_for,
    renderer_for,
    sorted_input,
    table_of,
)
from gammafind.pipeline.localise import able_preset, build_localiser
from gammafind.pipeline.observe import observe, observe_epochs
from gammafind.pipeline.result import Result
from gammafind.pipeline.searching import Search
from gammafind.pipeline.time_epochs import observe_times
from gammafind.presets.choose import with_plugins
from gammafind.presets.preset import Preset, build
from gammafind.roles.classifier import Classifier
from gammafind.roles.clusterer import Clusterer
from gammafind.roles.localiser import Localiser, no_detections
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.bands import Band
from gammafind.sky.observation import Observation
from gammafind.utils.checks import require
from gammafind.utils.progress import stage

Path = str | PathLike

_log = logging.getLogger("gammafind")


def detect(
    counts: Counts,
    *,
    preset: Preset | Path | None = None,
    localiser: str | Localiser | None = None,
    clusterer: str | Clusterer | None = None,
    classifier: str | Classifier | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    beside: Sequence[str | Localiser | Preset] = (),
    bands: Sequence[Band] | None = None,
    frame: str | None = None,
    exposure: Path | None = None,
    spacecraft: Path | Sequence[Path] | None = None,
    background: Path | Sequence[Path] = (),
    extended: Table | None = None,
    epochs: Times | Sequence[Path | Sequence[Path]] = (),
    reference: Table | None = None,
    counterparts: Sequence[Table | Counterparts] = (),
    min_score: float | None = None,
    max_fake: float | None = None,
    residuals: bool = False,
    measure: bool = True,
    workers: int = 1,
    prefix: str = PREFIX,
    seed: int = 0,
    command: str = "",
) -> Result:
    """Find the sources of a sky and, with a classifier, estimate what they are.

    Parameters
    ----------
    counts : path-like, sequence of path-like, SkyMap or Observation
        Files of count maps or of photons, with an exposure file among them or not; a map in
        memory; or an observation with background, exposure and PSFs of its own.
    preset : Preset, str or path-like, optional
        Instrument, bands and plugins; by default the one whose bands the energies of the counts
        fill, or else one that is made from the headers of the files.
    localiser, clusterer, classifier : str or plugin, optional
        By name or as an instance, instead of those of the preset. Where the localiser of the
        preset cannot search this sky and none is named here, the fallback of the preset does.
    options : mapping of str to mapping, optional
        Options of the plugins by role: ``{"localiser": {"threshold": 25}}``.
    beside : sequence of str, Localiser or Preset, optional
        Further localisers that search the same sky, for comparison.
    bands : sequence of Band, optional
        Bands of maps whose files do not give them, in order.
    frame : {"galactic", "icrs", "fk5"}, optional
        Frame of HEALPix maps, also of the exposure, whose files do not give it.
    exposure : path-like, optional
        Exposure map in cm2 s, or livetime cube, that replaces the exposure of the preset.
    spacecraft : path-like or sequence of path-like, optional
        Spacecraft files (FT2) from which the exposure is computed, for the good time and the zenith
        cut of the counts.
    background : path-like or sequence of path-like, optional
        Maps of expected background that replace the emission of the preset: models of gtmodel,
        source maps of gtsrcmaps, predicted counts of gammapy, or a model in XML.
    extended : str, path-like or QTable, optional
        Sources that are known to be extended, for localisers that have them in their model: the
        name of a catalogue, or a file or table with positions, ``shape`` and ``radius`` (degrees)
        or ``map``; ``"none"`` for none. By default those that the instrument knows: of the LAT
        those of 4FGL-DR2.
    epochs : str, int, path-like, Quantity, Time or sequence, optional
        Of photon lists: a length (``"30d"``), a number of equal parts, times, or a file of times;
        each epoch is searched, and every source gets a light curve. Or files of the counts of each
        epoch of the instrument (each year, say), for a classifier.
    reference : str, path-like or QTable, optional
        Catalogue to match with: the name of an embedded one such as ``"4fgl-dr2"``, a file, or a
        table with positions.
    counterparts : sequence of str, path-like, QTable or Counterparts, optional
        Catalogues in which `gammafind.associate` looks for the counterparts of what was found;
        they take the place of the names of ``reference`` in the catalogue.
    min_score : float, optional
        Lowest score kept. By default that of the preset or, where it has none, of the localiser;
        the localisers in ``beside`` keep their own.
    max_fake : float, optional
        Drop detections that the classifier takes for no source with a larger probability; by
        default they are only labelled.
    residuals : bool
        Fit background and the sources of the catalogue to the counts, and map what is left.
    measure : bool
        Measure spectrum, band fluxes and position of each source, as `gammafind.measure` does;
        only on maps of photons of known exposure, and not for the localisers in ``beside``.
    workers : int
        Number of processes that measure.
    prefix : str
        Acronym with which the names of the sources begin.
    seed : int
        Of the random generator.
    command : str
        Command line, for the record.

    Returns
    -------
    Result
        With ``catalogue`` (QTable, n rows), ``regions``, ``plot()``, ``write()``, ``report()``.

    Raises
    ------
    GammafindError
        If an input cannot be used; the class names the fault.

    Examples
    --------
    >>> import gammafind
    >>> sky = gammafind.demo_sky("M 87")
    >>> result = gammafind.detect(sky, localiser="likelihood", reference="4fgl-dr2")
    >>> result
    <Result: 4 sources in 2-20 GeV, found by likelihood>
    >>> print(result.catalogue["ASSOC1"][0])
    4FGL J1230.8+1223
    """
    if min_score is not None:
        require("min_score", min_score, True, "It must be a finite number.")
    require("seed", seed, seed >= 0, "It must not be negative.")
    check_prefix(prefix)
    given = sorted_input(counts, exposure, spacecraft)
    of_renderer = (options or {}).get("renderer", {})
    preset = preset_for(given, preset, bands, of_renderer)
    named = {"localiser": localiser, "clusterer": clusterer, "classifier": classifier}
    others = [_preset_beside(preset, one, classifier, options) for one in beside]
    preset = with_plugins(preset, named, options)
    _check_localisers([preset, *others])
    renderer, preset = renderer_for(preset, given)
    _check_residuals(residuals, renderer)
    by_time = are_times(epochs)
    judge = _classifier(preset, renderer, 0 if by_time else len(epochs), max_fake)
    truth = table_of(reference)
    possible = with_tables(counterparts)
    own = given.has_exposure or "exposure_source" in of_renderer
    if not own and not preset.doubts and renderer.sees == "maps" and given.is_file:
        _log.info("the exposure is that of the preset %s; --exposure takes your own", preset.name)
    maps = [background] if isinstance(background, str | PathLike) else list(background)
    observation = observe(
        given,
        renderer,
        frame=frame,
        background=maps,
        finer=judge is None and all(build_localiser(p).fits_finer for p in (preset, *others)),
    )
    observation, known = with_extended(observation, renderer, extended)
    apart = times = None
    if by_time:
        times = observe_times(given, renderer, epochs, pixels=observation.counts.pixels)
    elif judge is not None and judge.n_epochs:
        listed = [[one] if isinstance(one, str | PathLike) else one for one in epochs]
        apart = observe_epochs(listed, renderer, observation.counts, frame=frame)
    search = Search(
        observation=observation,
        renderer=renderer,
        classifier=judge,
        epochs=apart,
        times=times,
        max_fake=max_fake,
        reference=truth,
        prefix=prefix,
        seed=seed,
        command=command,
        workers=workers,
        extended=known,
        exposure_error=0.0 if given.has_exposure else renderer.exposure_error,
    )
    preset = able_preset(preset, observation)
    others = [one for one in others if one.localiser.name != preset.localiser.name]
    result = search.with_localiser(preset, min_score, measure=measure)
    if residuals:
        result = replace(result, residuals=_residuals(observation, result.catalogue))
    found = (result, *(search.with_localiser(one) for one in others))
    result, *more = (with_counterparts(one, possible, command=command) for one in found)
    return replace(result, beside=tuple(more))


def _check_residuals(wanted: bool, renderer: SkyRenderer) -> None:
    """Make sure that maps of residuals are those of counts."""
    if wanted and renderer.sees != "maps":
        raise OptionError(
            f"maps of residuals are wanted, and {renderer.name} reads electrons",
            remedy="Leave them out: they compare counts of photons with a model.",
        )


def _residuals(observation: Observation, catalogue: QTable) -> Goodness:
    """What background and the sources of a catalogue leave of the counts."""
    with stage("mapping the residuals"):
        return measure_goodness(observation, sky_positions(catalogue, what="the catalogue"))


def _preset_beside(
    preset: Preset,
    localiser: str | Localiser | Preset,
    classifier: str | Classifier | None,
    options: Mapping[str, Mapping[str, Any]] | None,
) -> Preset:
    """Preset of another localiser on the same sky; options of the first are not for it."""
    if isinstance(localiser, Preset):
        return localiser
    of_the_sky = {role: o for role, o in (options or {}).items() if role in _OF_THE_SKY}
    return with_plugins(preset, {"localiser": localiser, "classifier": classifier}, of_the_sky)


_OF_THE_SKY = ("renderer", "classifier")
"""Roles whose options hold for all localisers that search a sky."""


def _check_localisers(presets: Sequence[Preset]) -> None:
    """Make sure that localisers can be made and differ, before any work is done."""
    names = [preset.localiser.name for preset in presets]
    for preset, name in zip(presets, names, strict=True):
        if preset.renderer != presets[0].renderer:
            raise ConfigError(
                f"the preset {preset.name} next to {presets[0].name} has another renderer",
                remedy="All localisers search the same sky.",
            )
        if names.count(name) > 1:
            raise OptionError(f"the localiser {name} is named twice", remedy="Name it once.")
        build_localiser(preset)


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
        _log.info("the classifier %s does not use epochs: they are left out", classifier.name)
    if max_fake is not None:
        without_fakes(no_detections(), classifier, max_fake)
    return classifier
