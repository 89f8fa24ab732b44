"""The neural classifier: cut-outs in, class probabilities out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from gammafind.errors import OptionError, WeightsError
from gammafind.networks.classifiers import classified
from gammafind.networks.folder import BACKENDS, best_fit, read_architecture, shipped_networks
from gammafind.plugins.cnn.architecture import CnnArchitecture
from gammafind.plugins.cnn.networks import CLASSES, FAKE, NETWORKS
from gammafind.roles.classifier import Classifier
from gammafind.roles.trainer import Trainer
from gammafind.sky.bands import Band, same_edges
from gammafind.sky.cutouts import CutoutLayout

GROUPS = {
    "BCU": ("BLL", "FSRQ"),
    "GALACTIC": ("PSR", "PWN+SNR"),
    "REAL": ("BLL", "FSRQ", "PSR", "PWN+SNR"),
}
"""What is stated where the class cannot be: the side of the Galaxy, or that there is a source."""

_SHIPPED = Path(__file__).parent / "weights"


@dataclass(frozen=True, kw_only=True)
class Cnn(Classifier):
    """Convolutional network over images, spectrum and light curve of each detection.

    Parameters
    ----------
    network : {"gammafind", "paper"}
        Which of the shipped weights are used.
    weights : str
        Folder of trained weights; where it is empty, shipped weights for bands and epochs.
    backend : {"onnxruntime", "keras"}
        What runs the network.
    balanced : float
        From 0, where most labels are right, to 1, where all classes are recognised equally well:
        the label is the class whose probability, over this power of its share among detections, is
        the highest. Rare classes (FAKE, PSR, PWN+SNR) are named more often then. Probabilities
        stay the same. Above 0 the label is always a class, never a group.
    abstain : float
        Least probability of the class or the group of classes that is named; where none has it, the
        label is `gammafind.roles.classifier.UNKNOWN`. With 0 the label is the most probable class.

    References
    ----------
    van den Oetelaar et al. 2021, PoS(ICRC2021), section 4.
    """

    name: ClassVar[str] = "cnn"
    classes: ClassVar[tuple[str, ...]] = CLASSES
    fakes: ClassVar[tuple[str, ...]] = (FAKE,)

    network: str = "gammafind"
    weights: str = ""
    backend: str = "onnxruntime"
    balanced: float = 0.0
    abstain: float = 0.95

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, known in {"network": NETWORKS, "backend": BACKENDS}.items():
            if getattr(self, name) not in known:
                raise OptionError(
                    f"{name} is {getattr(self, name)!r}",
                    remedy=f"It is one of {', '.join(known)}.",
                )
        if not 0 <= self.balanced <= 1:
            raise OptionError(f"balanced is {self.balanced}", remedy="It must be between 0 and 1.")

    @property
    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """Levels of the labels; none where labels are balanced."""
        return {} if self.balanced else GROUPS

    @classmethod
    def trainer(cls) -> Trainer:
        """Return how the network learns from detections of simulated skies."""
        from gammafind.plugins.cnn.training.cutout_training import CutoutTraining

        return CutoutTraining

    @property
    def layout(self) -> CutoutLayout:
        """Size of the cut-outs that the weights take."""
        return self._architecture.layout if self.weights else CutoutLayout()

    @property
    def n_epochs(self) -> int:
        """Number of epochs that the weights use."""
        return self._architecture.n_epochs if self.weights else 0

    @property
    def label_weights(self) -> np.ndarray:
        """Ones or, where labels are balanced, an inverse power of the share of each class."""
        if not self.balanced:
            return super().label_weights
        if not self.weights:
            raise OptionError(
                "balanced labels need the shares of the classes, which are stored with the weights",
                remedy="Give a folder of weights, or take those that for_sky chooses.",
            )
        return np.array(self._architecture.shares) ** -self.balanced

    def for_sky(self, bands: Sequence[Band], n_epochs: int) -> Self:
        """Return the classifier with weights for these bands, shipped ones where none are given.

        Where counts are not apart for epochs, or shipped weights look at none, they are those
        that need none.
        """
        if not self.weights:
            folder = shipped_folder(self.network, bands, n_epochs=n_epochs)
            return replace(self, weights=str(folder))
        ours = self._architecture
        if not same_edges(ours.bands, bands):
            names = [", ".join(band.name for band in both) for both in (ours.bands, bands)]
            raise WeightsError(
                f"the weights were trained for the bands {names[0]}, not {names[1]}",
                path=self.weights,
                remedy="Use weights of this preset, or train some for it.",
            )
        if ours.n_epochs not in (0, n_epochs):
            raise WeightsError(
                f"the weights need {ours.n_epochs} epochs, and there are counts of "
                f"{n_epochs or 'none'}",
                path=self.weights,
                remedy="Give the counts of each epoch (--epoch), or use weights that need none.",
            )
        return self

    @property
    def _architecture(self) -> CnnArchitecture:
        return read_architecture(self.weights, CnnArchitecture)

    def _classify(self, cutouts: Mapping[str, np.ndarray]) -> np.ndarray:
        chosen = self if self.weights else self._by_shape(cutouts)
        return classified(chosen.weights, chosen._architecture, cutouts, backend=self.backend)

    def _by_shape(self, cutouts: Mapping[str, np.ndarray]) -> Self:
        """Return the classifier with the shipped weights for as many bands and epochs."""
        n_epochs = cutouts["light_curve"].shape[1] if "light_curve" in cutouts else 0
        n_bands = cutouts["spectrum"].shape[1]
        folder = shipped_folder(self.network, n_bands, n_epochs=n_epochs)
        return replace(self, weights=str(folder))


def shipped_folder(network: str, bands: Sequence[Band] | int, *, n_epochs: int) -> Path:
    """Folder of the weights that come with the package.

    Parameters
    ----------
    network : str
    bands : sequence of Band or int
        Bands, or their number.
    n_epochs : int
        Epochs of which there are counts; 0 for none. If no weights use them, weights
        without epochs are taken.

    Raises
    ------
    WeightsError
        If there are none for these bands.
    """
    shipped = shipped_networks(_SHIPPED, CnnArchitecture)

    def fits(one: CnnArchitecture) -> bool:
        same = len(one.bands) == bands if isinstance(bands, int) else same_edges(one.bands, bands)
        return same and one.network == network and one.time != "shuffled"

    looked_at = {one.n_epochs for one in shipped.values() if fits(one)}
    chosen = n_epochs if n_epochs in looked_at else 0
    listed = f"{bands} bands" if isinstance(bands, int) else ", ".join(b.name for b in bands)
    return best_fit(
        shipped,
        lambda one: fits(one) and one.n_epochs == chosen,
        wanted=f"of the classifier {network} are shipped for {listed} and "
        f"{n_epochs or 'no'} epochs",
    )
