"""Detections of simulated images with known sources and artefacts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.catalogue.matching import match_one_to_one
from gammafind.catalogue.positions import sky_positions
from gammafind.errors import TableError
from gammafind.fitting.image.point_source import point_source_fit
from gammafind.presets.choose import with_plugins
from gammafind.presets.preset import Preset, build
from gammafind.roles.base import Sees
from gammafind.roles.population import SourcePopulation
from gammafind.roles.renderer import SkyRenderer
from gammafind.simulation.sky import SimulatedSky, simulated_sky
from gammafind.training.detections import DetectionMaker, class_places

_CHOICE = 6
"""Random stream in addition to those of `gammafind.training.detections`."""
KINDS = ("hot pixel", "cosmic ray", "bleed", "trail")
"""Kinds of artefacts; if several overlap, the first counts."""
_REACH = 2.5
"""Pixels from an artefact within which a detection is its doing; a trail is as wide as the PSF."""
_LEAST_RATIO = 2.0
"""Expected signal-to-noise ratio below which a source is not what was found."""
_OVERSHINE = 3.0
"""By how much an artefact is brighter than the source in its place when it is what was found."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FrameMaker(DetectionMaker):
    """Simulates images and searches them; called with an index, it makes that one.

    Parameters
    ----------
    preset : Preset
        Of renderer and population.
    vary : mapping of str to mapping
        Values of options of the renderer and the population, of which each image has one at random.
    """

    sees: ClassVar[Sees] = "image"

    preset: Preset
    vary: Mapping[str, Mapping[str, Sequence[Any]]] = field(default_factory=dict)

    def of(self, index: int) -> tuple[SkyRenderer, SourcePopulation]:
        """Renderer and population of an image."""
        rng = self._rng(index, _CHOICE)
        options = {
            role: {name: values[rng.integers(len(values))] for name, values in lists.items()}
            for role, lists in self.vary.items()
        }
        chosen = with_plugins(self.preset, {}, options)
        return build(chosen.renderer), build(chosen.population)

    def own_settings(self) -> dict[str, Any]:
        """What decides how images are searched, and what varies."""
        return {**super().own_settings(), "vary": self.vary}

    def _sky(self, index: int) -> SimulatedSky:
        renderer, population = self.of(index)
        sky = simulated_sky(renderer, population, seed=self.seed, index=index)
        sky.sources["electrons"] = renderer.source_counts(sky.sources)[:, 0]
        return sky

    def _detections(self, sky: SimulatedSky, index: int) -> QTable:
        found = super()._detections(sky, index)["ra", "dec", "score"]
        x, y = sky.observation.counts.pixels[0].xy(sky_positions(found))
        return QTable({**found, "x": x * u.pix, "y": y * u.pix})

    def _labels(
        self, detections: QTable, sky: SimulatedSky, arrays: Mapping[str, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        return frame_labels(
            detections, sky, arrays, classes=self.classes, fake=self.fake, radius=self.radius
        )

    def _places(self, sky: SimulatedSky, rng: np.random.Generator) -> SkyCoord:
        """Positions at random, half of them anywhere and half on artefacts of each kind."""
        pixels = sky.observation.counts.pixels[0]
        ny, nx = pixels.shape
        half = self.detections.random_fakes // 2
        anywhere = rng.uniform(-0.5, [nx - 0.5, ny - 0.5], (self.detections.random_fakes - half, 2))
        places = np.concatenate([anywhere, _on_artefacts(sky.artefacts, half, rng)])
        inside = np.all((places > -0.5) & (places < [nx - 0.5, ny - 0.5]), axis=1)
        return pixels.wcs.pixel_to_world(*places[inside].T).icrs


def frame_labels(
    detections: QTable,
    sky: SimulatedSky,
    arrays: Mapping[str, np.ndarray],
    *,
    classes: Sequence[str],
    fake: str,
    radius: Quantity,
) -> tuple[np.ndarray, np.ndarray]:
    """Classes of detections in an image, by the sources and artefacts that they match.

    A source counts that is expected at twice the noise or more, within the radius or, if that is
    larger, half the FWHM of the PSF. Where an artefact lies too and three times as much light was
    found as the source has, the detection is that of the artefact.

    Parameters
    ----------
    detections : QTable
        With ``x, y``.
    sky : SimulatedSky
        With ``electrons`` expected of each source, and artefacts.
    arrays : mapping of str to ndarray
        Of `gammafind.fitting.image.stamps.make_stamps`.
    classes : sequence of str
    fake : str
        Class of detections that are neither sources nor artefacts.
    radius : Quantity

    Returns
    -------
    label : ndarray of int, shape (n,)
        Place among ``classes``.
    source : ndarray of int, shape (n,)
        Row of the sources, -1 for none.

    Raises
    ------
    TableError
        If a source or an artefact is of none of the classes.
    """
    pixel = sky.observation.counts.pixels[0].pixel_size
    limit = np.maximum(radius, arrays["fwhm"] / 2 * pixel)
    electrons = np.asarray(sky.sources["electrons"])
    noise = np.median(arrays["noise"] / np.sqrt(np.sum(arrays["psf"] ** 2, axis=(1, 2))))
    visible = np.flatnonzero(electrons >= _LEAST_RATIO * noise)
    scored = np.flatnonzero(np.isfinite(np.asarray(detections["score"])))
    pairs = match_one_to_one(
        sky_positions(detections[scored]), sky_positions(sky.sources[visible]), limit[scored]
    )
    source = np.full(len(detections), -1)
    source[scored[pairs.a]] = visible[pairs.b]
    places = (detections[axis].to_value(u.pix) for axis in ("x", "y"))
    kind = artefacts_at(*places, sky.artefacts, width=arrays["fwhm"])
    found = point_source_fit(arrays)[0] * arrays["noise"]
    outshone = (kind >= 0) & (source >= 0) & (found > _OVERSHINE * electrons[source])
    source[outshone] = -1
    of_source = class_places(np.asarray(sky.sources["class_label"]), classes)
    of_kind = np.append(class_places([name.replace(" ", "-") for name in KINDS], classes),
                        class_places([fake], classes))  # fmt: skip
    return np.where(source >= 0, of_source[source], of_kind[kind]), source


def artefacts_at(
    x: np.ndarray, y: np.ndarray, artefacts: QTable, *, width: np.ndarray
) -> np.ndarray:
    """Kind of artefact at each of some positions.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        Pixels.
    artefacts : QTable
        As of `gammafind.sky.drawn.Drawn`: ``kind``, and the ends of a line.
    width : ndarray, shape (n,)
        FWHM of the PSF in pixels; trails are as wide, all else is narrow.

    Returns
    -------
    ndarray of int, shape (n,)
        Place among `KINDS`, -1 for none.

    Raises
    ------
    TableError
        If there are artefacts of another kind.
    """
    kind = np.asarray(artefacts["kind"])
    unknown = sorted(set(kind.tolist()) - set(KINDS))
    if unknown:
        raise TableError(
            f"there are artefacts of kind {', '.join(unknown)}",
            remedy=f"Known are {', '.join(KINDS)}.",
        )
    found = np.full(len(x), -1)
    for place, name in reversed(list(enumerate(KINDS))):
        reach = _REACH + (width if name == "trail" else 0)
        some = artefacts[kind == name]
        if len(some):
            ends = (some[end].to_value(u.pix) for end in ("x", "y", "x_end", "y_end"))
            found[_from_lines(x[:, None], y[:, None], *ends).min(axis=1) <= reach] = place
    return found


def _on_artefacts(artefacts: QTable, n: int, rng: np.random.Generator) -> np.ndarray:
    """Places on artefacts and a pixel about them, shape (n, 2), of each kind as many."""
    kinds, of_kind, number = np.unique(artefacts["kind"], return_inverse=True, return_counts=True)
    if not len(kinds):
        return np.zeros((0, 2))
    rows = rng.choice(len(artefacts), n, p=1 / (len(kinds) * number)[of_kind])
    start, end = (
        np.stack([artefacts[name][rows].to_value(u.pix) for name in names], axis=1)
        for names in (("x", "y"), ("x_end", "y_end"))
    )
    return start + rng.uniform(size=(n, 1)) * (end - start) + rng.normal(size=(n, 2))


def _from_lines(
    x: np.ndarray, y: np.ndarray, x0: np.ndarray, y0: np.ndarray, x1: np.ndarray, y1: np.ndarray
) -> np.ndarray:
    """Distance of places from the lines between pairs of points."""
    dx, dy = x1 - x0, y1 - y0
    along = ((x - x0) * dx + (y - y0) * dy) / np.maximum(dx**2 + dy**2, 1e-12)
    along = np.clip(along, 0, 1)
    return np.hypot(x - x0 - along * dx, y - y0 - along * dy)
