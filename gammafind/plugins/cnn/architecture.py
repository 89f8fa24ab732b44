"""What a trained classifier is: layers, the cut-outs that it takes, and its temperature."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar

import astropy.units as u
import numpy as np

from gammafind.errors import OptionError
from gammafind.networks.classifiers import ClassifierNetwork
from gammafind.plugins.cnn.features import TIMES, features, n_channels, n_numbers
from gammafind.plugins.cnn.networks import CLASSES, INPUTS, NETWORKS
from gammafind.sky.cutouts import CutoutLayout


@dataclass(frozen=True, kw_only=True)
class CnnArchitecture(ClassifierNetwork):
    """Everything about a trained classifier but its weights.

    Parameters
    ----------
    network, bands, options, checksums, temperature, shares : see `ClassifierNetwork`
        The network is one of `NETWORKS`.
    layout : CutoutLayout
        Of the cut-outs, with its widths.
    n_epochs : int
        Number of epochs that it uses; 0 for none.
    time : {"yes", "no", "shuffled"}
        What it learned of them; ``no`` where it looks at none.
    """

    sees: ClassVar[str] = "cut-outs of maps"
    classes: ClassVar[tuple[str, ...]] = CLASSES
    networks: ClassVar[Mapping[str, Callable]] = NETWORKS
    unsure: ClassVar[tuple[str, ...]] = ("score", "pos_err")

    layout: CutoutLayout
    n_epochs: int = 0
    time: str = "no"

    def __post_init__(self) -> None:
        if self.time not in TIMES or (self.time == "no") != (self.n_epochs == 0):
            raise OptionError(
                f"time is {self.time!r} with {self.n_epochs} epochs",
                remedy=f"It is one of {', '.join(TIMES)}; 'no' has no epochs.",
            )
        super().__post_init__()

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of each input of the network."""
        n_bands, p = len(self.bands), self.layout.n_pixels
        shapes = (
            (p, p, n_channels(n_bands, self.n_epochs)),
            (n_numbers(n_bands, self.n_epochs),),
            (2,),
        )
        return dict(zip(INPUTS, shapes, strict=True))

    def features(self, arrays: Mapping[str, np.ndarray]) -> tuple[np.ndarray, ...]:
        """What the network sees of cut-outs, as `gammafind.plugins.cnn.features.features`."""
        edges = [tuple(b.edges.to_value("MeV", equivalencies=u.spectral())) for b in self.bands]
        return features(arrays, edges, time=self.n_epochs > 0)

    @property
    def wanted(self) -> dict[str, tuple[int, ...]]:
        """Arrays of cut-outs that the network needs, and their shape for one detection."""
        n_bands, p = len(self.bands), self.layout.n_pixels
        wanted = {"counts": (n_bands, p, p), "background": (n_bands, p, p)}
        wanted |= dict.fromkeys(("spectrum", "spectrum_err", "exposure", "density"), (n_bands,))
        wanted |= {"position": (2,), "score": (), "pos_err": ()}
        if self.n_epochs:
            wanted |= dict.fromkeys(("epoch_counts", "epoch_background"), (self.n_epochs, p, p))
            wanted |= dict.fromkeys(("light_curve", "light_curve_err"), (self.n_epochs,))
        return wanted

    @property
    def advice(self) -> tuple[str, str]:
        """What to do where arrays are missing, and where they have another shape."""
        missing = (
            "Give the counts of each epoch, or use weights that need none."
            if self.n_epochs
            else "Make them by gammafind.fitting.photons.cutouts.make_cutouts."
        )
        return missing, "Use weights for these bands and epochs."

    def _record(self) -> dict[str, Any]:
        record = super()._record()
        layout = record.pop("layout")
        return {**record, **asdict(layout)}

    @classmethod
    def _fields(cls, record: dict[str, Any]) -> dict[str, Any]:
        layout = CutoutLayout(**{one.name: record.pop(one.name) for one in fields(CutoutLayout)})
        return {**super()._fields(record), "layout": layout}
