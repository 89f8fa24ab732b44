"""What recipes of networks for patches have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from gammafind.networks.features import FeatureSpec
from gammafind.training.draws import DrawOptions
from gammafind.training.localiser import LocaliserOptions
from gammafind.training.settings import SettingDrawOptions


@dataclass(frozen=True, kw_only=True)
class PatchOptions(LocaliserOptions):
    """What recipes of networks for patches have.

    Parameters
    ----------
    network, network_options, training, begin, batches, targets, loss : see `LocaliserOptions`
        Of all networks that localise.
    features : FeatureSpec
    draw : DrawOptions
    """

    tables: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **LocaliserOptions.tables,
        "features": ("features",),
    }

    features: FeatureSpec
    draw: DrawOptions


@dataclass(frozen=True, kw_only=True)
class SettingOptions(PatchOptions):
    """Those of networks for any bands.

    Parameters
    ----------
    network, network_options, training, begin, batches, targets, loss, features : see `PatchOptions`
        As there.
    draw : SettingDrawOptions
    """

    draw: SettingDrawOptions
