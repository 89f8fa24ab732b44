"""Options of the training of classifiers: what those of all kinds share.

The tables of a recipe, next to those of `gammafind.training.recipe`:

.. code-block:: toml

    [training]
    batch_size = 256
    turns = true              # turn and flip cut-outs at random
    epochs = 40               # and all else of TrainingOptions

    [detections]
    min_score = 0.2           # least score of the detections
    random_fakes = 500        # positions at random in each sky, away from sources

    [localiser]
    name = "unet"             # and its options

    [classifier]
    name = "cnn"              # what is trained

    [cutouts]
    n_pixels = 7
    epoch_width = 0.0         # degrees; 0: that of the widest band

    [network]
    name = "gammafind"        # and its options
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from gammafind.sky.cutouts import CutoutLayout
from gammafind.training.loop import TrainingOptions
from gammafind.training.options import at_least
from gammafind.training.recipe import Recipe

__all__ = ["ClassifierOptions", "DetectionOptions", "SampleOptions"]


@dataclass(frozen=True, kw_only=True)
class DetectionOptions:
    """Which detections a classifier is trained on.

    Parameters
    ----------
    min_score : float
        Least score.
    random_fakes : int
        Positions at random in each sky, away from sources; they are FAKE too.
    """

    min_score: float = 0.2
    random_fakes: int = 500

    def __post_init__(self) -> None:
        at_least("random_fakes", self.random_fakes, 0)


@dataclass(frozen=True, kw_only=True)
class SampleOptions:
    """How detections are seen.

    Parameters
    ----------
    batch_size : int
    turns : bool
        Turn and flip cut-outs at random.
    """

    batch_size: int = 256
    turns: bool = True

    def __post_init__(self) -> None:
        at_least("batch_size", self.batch_size, 1)


@dataclass(frozen=True, kw_only=True)
class _Cutouts:
    n_pixels: int = 0
    epoch_width: float = 0.0


@dataclass(frozen=True, kw_only=True)
class ClassifierOptions:
    """What recipes of all networks that classify have.

    Parameters
    ----------
    network : str
    network_options : mapping
    detections : DetectionOptions
    samples : SampleOptions
    layout : CutoutLayout
    training : TrainingOptions
    """

    network: str
    network_options: Mapping[str, Any]
    detections: DetectionOptions
    samples: SampleOptions
    layout: CutoutLayout
    training: TrainingOptions

    @classmethod
    def read(
        cls, recipe: Recipe, samples: type[SampleOptions], *, network: str, n_pixels: int
    ) -> Self:
        """Read them from a recipe.

        Parameters
        ----------
        recipe : Recipe
        samples : type of SampleOptions
            What the classifier accepts under ``[training]``.
        network : str
        n_pixels : int
            Network, and pixels a side of the cut-outs, where the recipe names none.
        """
        seen, training = recipe.options("training", samples, TrainingOptions)
        (detections,) = recipe.options("detections", DetectionOptions)
        (cutouts,) = recipe.options("cutouts", _Cutouts)
        given = "n_pixels" in recipe.toml.tables.get("cutouts", {})
        network, options = recipe.named("network", network)
        return cls(
            network=network,
            network_options=options,
            detections=detections,
            samples=seen,
            layout=CutoutLayout(
                n_pixels=cutouts.n_pixels if given else n_pixels, epoch_width=cutouts.epoch_width
            ),
            training=training,
        )

    @property
    def settings(self) -> dict[str, Any]:
        """JSON."""
        parts = ("detections", "samples", "layout", "training")
        network = {"name": self.network, **self.network_options}
        return {"network": network, **{name: asdict(getattr(self, name)) for name in parts}}
