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
from typing import Any, ClassVar

from gammafind.sky.cutouts import CutoutLayout
from gammafind.training.network import NetworkOptions
from gammafind.training.options import at_least

__all__ = ["ClassifierOptions", "CutoutOptions", "DetectionOptions", "SampleOptions"]


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
class CutoutOptions:
    """Size of the cut-outs.

    Parameters
    ----------
    n_pixels, epoch_width : object
        As for `CutoutLayout`.
    """

    n_pixels: int = 7
    epoch_width: float = 0.0

    def __post_init__(self) -> None:
        _ = self.layout

    @property
    def layout(self) -> CutoutLayout:
        """Layout without the widths, which follow from the maps."""
        return CutoutLayout(**asdict(self))


@dataclass(frozen=True, kw_only=True)
class ClassifierOptions(NetworkOptions):
    """What recipes of all networks that classify have.

    Parameters
    ----------
    network, network_options, training : see `NetworkOptions`
        Of all networks.
    detections : DetectionOptions
    samples : SampleOptions
    cutouts : CutoutOptions
    """

    tables: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "training": ("samples", "training"),
        **{name: (name,) for name in ("detections", "cutouts")},
    }

    detections: DetectionOptions
    samples: SampleOptions
    cutouts: CutoutOptions

    @property
    def settings(self) -> dict[str, Any]:
        """JSON."""
        settings = super().settings
        del settings["cutouts"]
        return {**settings, "layout": asdict(self.cutouts.layout)}
