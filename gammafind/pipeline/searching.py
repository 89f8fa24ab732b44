"""From the detections of a localiser to its catalogue: what follows each search of a sky."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.table import QTable

from gammafind.catalogue.associate import associate
from gammafind.catalogue.prov import PROVENANCE, prov_document
from gammafind.catalogue.publish import publish
from gammafind.evaluation.against import summarise
from gammafind.evaluation.metrics import FALSE_BY_SCORE, expected_false, expected_false_above
from gammafind.pipeline.classify import classify, without_fakes
from gammafind.pipeline.epoch_detections import add_flares, add_light_curves
from gammafind.pipeline.extended import flagged
from gammafind.pipeline.flags import with_geometry, with_wider_errors
from gammafind.pipeline.localise import build_localiser, localise, lowest_score
from gammafind.pipeline.measure import measurable
from gammafind.pipeline.measured import with_measured
from gammafind.pipeline.prepare import inputs_of
from gammafind.pipeline.records import energy_edges, origin_of, used_plugins
from gammafind.pipeline.result import Result
from gammafind.pipeline.systematics import with_systematics
from gammafind.presets.preset import Preset
from gammafind.roles.classifier import Classifier
from gammafind.roles.localiser import Localiser
from gammafind.roles.provenance import provenance
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.epochs import Epochs
from gammafind.sky.observation import Observation
from gammafind.sky.searched import searched_region
from gammafind.sky.time_epochs import TimeEpochs

_FLUXES = ("flux", "flux_err")
"""What cannot be given where the exposure is not known."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Search:
    """An observation, and what is done with the detections of any localiser."""

    observation: Observation
    renderer: SkyRenderer
    classifier: Classifier | None
    epochs: Epochs | None
    times: TimeEpochs | None
    max_fake: float | None
    reference: QTable | None
    prefix: str
    seed: int
    command: str
    workers: int
    extended: str
    exposure_error: float

    def with_localiser(
        self, preset: Preset, min_score: float | None = None, *, measure: bool = False
    ) -> Result:
        """Search with the localiser of a preset, publish what it found, and measure it."""
        localiser = build_localiser(preset)
        found = localise(localiser, self.observation, preset, seed=self.seed)
        lowest = lowest_score(preset, localiser, min_score)
        kept = found.detections[np.asarray(found.detections["score"]) >= lowest]
        likely = localiser.scores_are_probabilities
        kept = add_flares(kept, self.observation, self.times, preset.match_radius, likely=likely)
        catalogue = self._published(self._classified(kept, localiser), preset, measure)
        catalogue = add_light_curves(catalogue, self.observation, self.times)
        catalogue.meta |= self._provenance(preset, localiser, lowest)
        catalogue.meta |= self._false(catalogue, localiser, lowest)
        catalogue.meta[PROVENANCE] = prov_document(catalogue.meta)
        catalogue["Score"].info.description = f"Score of the localiser: {localiser.score_name}"
        return Result(
            catalogue=catalogue,
            counts=self.observation.counts,
            observation=self.observation,
            preset=preset,
            summary=summarise(
                catalogue,
                self.reference,
                radius=preset.match_radius,
                counts=self.observation.counts,
                detections=found.detections,
            ),
            reference=self.reference,
            seconds=found.seconds,
            scores=found.scores,
        )

    def _classified(self, detections: QTable, localiser: Localiser) -> QTable:
        """Detections with classes, if there is a classifier."""
        if self.classifier is None:
            return detections
        likely = localiser.scores_are_probabilities
        classified = classify(
            detections,
            self.observation,
            self.classifier,
            epochs=self.epochs,
            probabilities=likely,
        )
        if self.max_fake is None:
            return classified
        return without_fakes(classified, self.classifier, self.max_fake)

    def _published(self, detections: QTable, preset: Preset, measure: bool) -> QTable:
        """Catalogue of detections, measured or not, with the names of their counterparts."""
        columns = self.renderer.published
        catalogue = publish(
            self.renderer.with_derived(self._flagged(detections)),
            columns=columns,
            pixels=self.observation.counts.finest_pixels,
            prefix=self.prefix,
        )
        if not np.isfinite(self.exposure_error):
            catalogue.remove_columns([one.name for one in columns if one.quantity in _FLUXES])
            columns = [one for one in columns if one.quantity not in _FLUXES]
        elif measure and measurable(self.renderer):
            catalogue = with_measured(
                catalogue, self.observation, self.renderer, workers=self.workers
            )
        catalogue = with_systematics(catalogue, self.observation, self.renderer.systematics)
        if self.reference is None:
            return catalogue
        return associate(catalogue, self.reference, preset.match_radius, columns=columns)

    def _false(self, catalogue: QTable, localiser: Localiser, lowest: float) -> dict[str, Any]:
        """Entry of the metadata with the expected number of rows that are no sources, if known."""
        by_score = catalogue.meta.pop(FALSE_BY_SCORE, None)
        if localiser.scores_are_probabilities:
            return {"expected_false": expected_false(np.asarray(catalogue["Score"]))}
        if by_score is None or self.max_fake is not None:
            return {}
        above = {score: n for score, n in by_score.items() if float(score) >= lowest}
        return {"expected_false": expected_false_above(by_score, lowest), FALSE_BY_SCORE: above}

    def _flagged(self, detections: QTable) -> QTable:
        """Detections with the flags that follow from the sky and from where they are."""
        return with_geometry(
            with_wider_errors(flagged(detections, self.observation)),
            self.observation,
            exposure_estimated=self.exposure_error > 0,
        )

    def _provenance(self, preset: Preset, localiser: Localiser, lowest: float) -> dict[str, Any]:
        """How the catalogue was made."""
        return provenance(
            preset=preset.name,
            used=used_plugins(self.renderer, localiser, self.classifier),
            inputs=inputs_of(self.observation, self.epochs.counts if self.epochs else ()),
            seed=self.seed,
            command=self.command,
            selections=list(self.observation.counts.meta.get("selections", ())),
            searched=searched_region(self.observation.counts),
            score_name=localiser.score_name,
            min_score=float(lowest) if np.isfinite(lowest) else None,
            max_fake=self.max_fake,
            reference=origin_of(self.reference),
            match_radius=str(preset.match_radius),
            extended=self.extended or None,
            notes=list(preset.notes),
            doubts=list(preset.doubts),
            exposure_error=self.exposure_error if np.isfinite(self.exposure_error) else None,
            **energy_edges(self.observation.counts.bands),
        )
