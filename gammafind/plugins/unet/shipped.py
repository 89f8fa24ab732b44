"""The weights for patches that come with the package."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gammafind.networks.folder import best_fit, shipped_networks
from gammafind.plugins.unet.architecture import Architecture
from gammafind.sky.bands import Band, same_edges
from gammafind.sky.patches import Patches

__all__ = ["shipped_folder", "shipped_widths"]

_SHIPPED = Path(__file__).parent / "weights"


def shipped_folder(network: str, patches: Patches) -> Path:
    """Folder of the weights that come with the package for such patches.

    Parameters
    ----------
    network : str
    patches : Patches

    Raises
    ------
    WeightsError
        If there are none.
    """
    bands = ", ".join(band.name for band in patches.bands)
    return best_fit(
        shipped_networks(_SHIPPED, Architecture),
        lambda one: one.network == network and one.fits(patches),
        wanted=f"of the network {network} are shipped for patches of {bands}, "
        f"{list(patches.n_pixels)} pixels wide",
    )


def shipped_widths(network: str, bands: Sequence[Band]) -> tuple[int, ...]:
    """Pixels a side of the patches for which weights come with the package, () if none do.

    Parameters
    ----------
    network : str
    bands : sequence of Band
    """
    shipped = shipped_networks(_SHIPPED, Architecture).values()
    known = (one for one in shipped if one.network == network)
    return next((one.widths for one in known if same_edges(one.bands, bands)), ())
