"""The weights of the classifier that come with the package."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gammafind.networks.folder import best_fit, shipped_networks
from gammafind.plugins.cnn.architecture import CnnArchitecture
from gammafind.sky.bands import Band, same_edges

__all__ = ["shipped_folder"]

_SHIPPED = Path(__file__).parent / "weights"


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
