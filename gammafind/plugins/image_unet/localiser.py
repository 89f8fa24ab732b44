"""The neural localiser of images: tiles in, detections with probabilities out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gammafind.plugins.unet.localiser import UNet
from gammafind.roles.trainer import Trainer

__all__ = ["ImageUNet"]


@dataclass(frozen=True, kw_only=True)
class ImageUNet(UNet):
    """U-Net on tiles of an image of a camera, trained on simulations."""

    name: ClassVar[str] = "image-unet"

    @classmethod
    def trainer(cls) -> Trainer:
        """Return how the network learns from tiles of simulated images."""
        from gammafind.plugins.image_unet.training.trainer import ImageUNetTrainer

        return ImageUNetTrainer()
