"""What a trained classifier is: layers, the cut-outs that it takes, and its temperature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Any, ClassVar

import astropy.units as u
import numpy as np

from gammafind.errors import InputDataError, OptionError, WeightsError
from gammafind.networks.classifiers import ClassifierNetwork
from gammafind.plugins.cnn.features import TIMES, features, n_channels, n_numbers
from gammafind.plugins.cnn.networks import CLASSES, INPUTS, Network, build_network
from gammafind.sky.cutouts import CutoutLayout

__all__ = ["CnnArchitecture"]


@dataclass(frozen=True, kw_only=True)
class CnnArchitecture(ClassifierNetwork):
    """Everything about a trained classifier but its weights.

    Parameters
    ----------
    network, bands, options, checksums, temperature, shares : see `ClassifierNetwork`
        The network is one of `build_network`.
    layout : CutoutLayout
        Of the cut-outs, with its widths.
    n_epochs : int
        Number of epochs that it uses; 0 for none.
    time : {"yes", "no", "shuffled"}
        What it learned of them; ``no`` where it looks at none.
    """

    sees: ClassVar[str] = "cut-outs of maps"
    classes: ClassVar[tuple[str, ...]] = CLASSES

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

    def build(self) -> Network:
        """Return the network with random weights."""
        (n_pixels, _, channels), (n,), _ = self.shapes.values()
        return build_network(self.network, n_pixels, channels, n, **self.options)

    def features(self, arrays: Mapping[str, np.ndarray]) -> tuple[np.ndarray, ...]:
        """What the network sees of cut-outs, as `gammafind.plugins.cnn.features.features`."""
        edges = [tuple(b.edges.to_value("MeV", equivalencies=u.spectral())) for b in self.bands]
        return features(arrays, edges, time=self.n_epochs > 0)

    def check(self, arrays: Mapping[str, np.ndarray], path: str | PathLike) -> None:
        """Refuse cut-outs that the network cannot process.

        Parameters
        ----------
        arrays : mapping of str to ndarray
        path : path-like
            The weights, for messages.

        Raises
        ------
        WeightsError
            If bands, epochs or pixels are not those of the network.
        InputDataError
            If they hold values that are not finite.
        """
        n_bands, p = len(self.bands), self.layout.n_pixels
        wanted = {"counts": (n_bands, p, p), "background": (n_bands, p, p)}
        wanted |= dict.fromkeys(("spectrum", "spectrum_err", "exposure", "density"), (n_bands,))
        wanted |= {"position": (2,), "score": (), "pos_err": ()}
        if self.n_epochs:
            wanted |= dict.fromkeys(("epoch_counts", "epoch_background"), (self.n_epochs, p, p))
            wanted |= dict.fromkeys(("light_curve", "light_curve_err"), (self.n_epochs,))
        missing = [name for name in wanted if name not in arrays]
        if missing:
            raise WeightsError(
                f"the weights need {', '.join(missing)}, which the cut-outs lack",
                path=path,
                remedy="Give the counts of each epoch, or use weights that need none."
                if self.n_epochs
                else "Make them by gammafind.fitting.photons.cutouts.make_cutouts.",
            )
        for name, shape in wanted.items():
            array = arrays[name]
            if array.shape[1:] != shape:
                raise WeightsError(
                    f"the weights take {name} of shape {shape} for each source, not "
                    f"{array.shape[1:]}",
                    path=path,
                    remedy="Use weights for these bands and epochs.",
                )
            if name not in ("score", "pos_err") and not np.all(np.isfinite(array)):
                raise InputDataError(
                    f"{name} of the cut-outs holds values that are not finite",
                    remedy="Mask pixels without data instead.",
                )

    def _record(self) -> dict[str, Any]:
        return {
            "n_pixels": self.layout.n_pixels,
            "widths": self.layout.widths,
            "epoch_width": self.layout.epoch_width,
            "n_epochs": self.n_epochs,
            "time": self.time,
            **super()._record(),
        }

    @classmethod
    def _fields(cls, record: dict[str, Any]) -> dict[str, Any]:
        layout = CutoutLayout(
            n_pixels=record.pop("n_pixels"),
            widths=tuple(record.pop("widths")),
            epoch_width=record.pop("epoch_width"),
        )
        return {**super()._fields(record), "layout": layout}
