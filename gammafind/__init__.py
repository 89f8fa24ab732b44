"""Find, measure and name the point sources of the gamma-ray sky, and of any sky with a plugin."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from gammafind._moved import announce_moved

try:
    from gammafind._version import __version__
except ImportError:
    from importlib.metadata import version

    __version__ = version("gammafind")

_VERBS = {
    "associate": "gammafind.pipeline.associate",
    "bin_events": "gammafind.pipeline.bin_events",
    "classify_catalogue": "gammafind.pipeline.classify_catalogue",
    "compare": "gammafind.pipeline.compare",
    "demo_sky": "gammafind.pipeline.demo",
    "detect": "gammafind.pipeline.detect",
    "diff": "gammafind.pipeline.diff",
    "evaluate": "gammafind.pipeline.evaluate",
    "export": "gammafind.pipeline.export",
    "exposure": "gammafind.pipeline.exposure",
    "fetch": "gammafind.pipeline.fetch",
    "inject": "gammafind.pipeline.inject",
    "inspect": "gammafind.pipeline.inspect",
    "list_plugins": "gammafind.pipeline.listing",
    "list_presets": "gammafind.pipeline.listing",
    "measure": "gammafind.pipeline.measure",
    "probe": "gammafind.pipeline.probe",
    "read_catalogue": "gammafind.pipeline.inputs",
    "read_counts": "gammafind.pipeline.observe",
    "report": "gammafind.pipeline.report",
    "send": "gammafind.pipeline.send",
    "sensitivity": "gammafind.pipeline.sensitivity",
    "simulate": "gammafind.pipeline.simulate",
    "train": "gammafind.pipeline.train",
}
_NAMES = {
    "Association": "gammafind.pipeline.associate",
    "Band": "gammafind.sky.bands",
    "Classifier": "gammafind.roles.classifier",
    "Clusterer": "gammafind.roles.clusterer",
    "Counterparts": "gammafind.pipeline.counterparts",
    "Difference": "gammafind.pipeline.diff",
    "GammafindError": "gammafind.errors",
    "GammafindWarning": "gammafind.errors",
    "HealpixPixels": "gammafind.sky.pixels",
    "Instrument": "gammafind.roles.instrument",
    "Localiser": "gammafind.roles.localiser",
    "Observation": "gammafind.sky.observation",
    "PatchGrid": "gammafind.sky.patch_grid",
    "Patches": "gammafind.sky.patches",
    "RadialPsf": "gammafind.sky.psf",
    "Result": "gammafind.pipeline.result",
    "SkyMap": "gammafind.sky.skymap",
    "SkyRenderer": "gammafind.roles.renderer",
    "SourcePopulation": "gammafind.roles.population",
    "WcsPixels": "gammafind.sky.pixels",
    "create": "gammafind.roles.registry",
    "get_plugin": "gammafind.roles.registry",
    "hookimpl": "gammafind.roles.hooks",
    "load_preset": "gammafind.presets.preset",
}
_HOMES = _VERBS | _NAMES
"""Modules of the public names."""

__all__ = ["__version__", *_HOMES]

announce_moved()


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `import gammafind` stays quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'gammafind' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
