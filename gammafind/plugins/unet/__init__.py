"""The neural localiser: a U-Net over bands of several resolutions."""

from __future__ import annotations

from gammafind.roles.hooks import hookimpl
from gammafind.roles.localiser import Localiser

__all__ = ["gammafind_localisers"]


@hookimpl
def gammafind_localisers() -> list[type[Localiser]]:
    """Return the U-Net localiser."""
    from gammafind.plugins.unet.localiser import UNet

    return [UNet]
