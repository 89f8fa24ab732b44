"""What can be combined: plugins and presets, as tables."""

from __future__ import annotations

from astropy.table import QTable

from gammafind.presets.preset import presets
from gammafind.roles.registry import plugins


def list_plugins(role: str | None = None) -> QTable:
    """List the plugins that are installed.

    Parameters
    ----------
    role : {"population", "renderer", "localiser", "clusterer", "classifier"}, optional
        All roles by default.

    Returns
    -------
    QTable
        One row a plugin, built-in ones first: ``role, name, distribution, version, summary`` and
        ``error``, which is empty where the plugin can be used. All columns are text.

    Raises
    ------
    UnknownPluginError
        If there is no such role.

    Examples
    --------
    >>> import gammafind
    >>> gammafind.list_plugins("clusterer")["name"].tolist()[:2]
    ['disk', 'kmeans']
    """
    names = ("role", "name", "distribution", "version", "summary", "error")
    found = plugins(role)
    return QTable({name: [getattr(info, name) or "" for info in found] for name in names})


def list_presets() -> QTable:
    """List the presets of all installed instruments.

    Returns
    -------
    QTable
        One row a preset: ``name, renderer, localiser, classifier, bands, description``. All
        columns are text.

    Examples
    --------
    >>> import gammafind
    >>> "fermi-lat" in gammafind.list_presets()["name"]
    True
    """
    rows = [
        {
            "name": preset.name,
            "renderer": preset.renderer.name,
            "localiser": preset.localiser.name,
            "classifier": preset.classifier.name if preset.classifier else "",
            "bands": ", ".join(band.name for band in preset.bands),
            "description": preset.description,
        }
        for preset in presets().values()
    ]
    return QTable(rows=rows) if rows else QTable(names=("name",), dtype=(str,))
