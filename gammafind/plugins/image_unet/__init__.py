"""The neural localiser of images: a U-Net on tiles."""

from __future__ import annotations

from gammafind.roles.hooks import hookimpl
from gammafind.roles.localiser import Localiser

__all__ = ["gammafind_localisers"]


@hookimpl
def gammafind_localisers() -> list[type[Localiser]]:
    """Return the U-Net localiser of images."""
    from gammafind.plugins.image_unet.localiser import ImageUNet

    return [ImageUNet]
