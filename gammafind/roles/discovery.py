"""Loads plugins one by one, and reports what is wrong with those that fail."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version

import pluggy

from gammafind.roles import hooks
from gammafind.roles.base import API_VERSION, OLDEST_API_VERSION, PLUGIN_NAME, Plugin
from gammafind.roles.classifier import Classifier
from gammafind.roles.clusterer import Clusterer
from gammafind.roles.localiser import Localiser
from gammafind.roles.population import SourcePopulation
from gammafind.roles.renderer import SkyRenderer

GROUP = "gammafind"
"""Entry-point group, and name of the distribution of the built-in plugins."""

ROLES: dict[str, type[Plugin]] = {
    "population": SourcePopulation,
    "renderer": SkyRenderer,
    "localiser": Localiser,
    "clusterer": Clusterer,
    "classifier": Classifier,
}
"""Roles by name, with the class that a plugin of the role subclasses."""

BUILT_IN = (
    "gammafind.plugins.clusterers",
    "gammafind.plugins.likelihood",
    "gammafind.plugins.unet",
    "gammafind.plugins.image_unet",
    "gammafind.plugins.cnn",
    "gammafind.plugins.image_cnn",
    "gammafind.plugins.features",
    "gammafind.plugins.finders",
    "gammafind.plugins.image_finders",
    "gammafind.plugins.gammapy_ts",
    "gammafind.plugins.fermi_lat",
    "gammafind.plugins.meerlicht",
)
"""Modules of the built-in plugins."""


@dataclass(frozen=True, kw_only=True)
class PluginInfo:
    """One plugin, or one that cannot be used.

    Attributes
    ----------
    role : str or None
        A key of `ROLES`; None where the fault came before the role was known.
    name : str
        Name within the role; that of the entry point where the fault came before.
    distribution, version : str
        Installed package that holds it.
    summary : str
        First line of its docstring.
    error : str or None
        Why it cannot be used.
    """

    role: str | None = None
    name: str
    distribution: str
    version: str
    summary: str = ""
    error: str | None = None


@dataclass(frozen=True)
class Candidate:
    """A plugin and its class, None where there is no class that fills the role."""

    info: PluginInfo
    plugin: type[Plugin] | None = None


def discover(chosen: str | None, built_in: Sequence[str] = BUILT_IN) -> tuple[Candidate, ...]:
    """Load the built-in plugins and those of the entry points.

    Parameters
    ----------
    chosen : str or None
        Comma list of entry points; None for all that are installed.
    built_in : sequence of str
        Modules to load first.

    Returns
    -------
    tuple of Candidate
        Built-in first, then by distribution and entry point.
    """
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hooks)
    found: list[Candidate] = []
    for module in built_in:
        origin = PluginInfo(name=module, distribution=GROUP, version=_own_version())
        found += _load(manager, origin, partial(import_module, module))
    for entry in _entries(chosen):
        package = entry.dist
        origin = PluginInfo(name=entry.name, distribution=package.name, version=package.version)
        found += _load(manager, origin, entry.load)
    return tuple(_settle_names([*found, *_not_installed(chosen)]))


def _own_version() -> str:
    try:
        return version(GROUP)
    except PackageNotFoundError:
        return ""


def _entries(chosen: str | None) -> list[EntryPoint]:
    names = None if chosen is None else _names(chosen)
    installed = (e for e in entry_points(group=GROUP) if names is None or e.name in names)
    return sorted(installed, key=lambda entry: (entry.dist.name, entry.name))


def _names(chosen: str) -> set[str]:
    return {name.strip() for name in chosen.split(",") if name.strip()}


def _not_installed(chosen: str | None) -> Iterator[Candidate]:
    installed = {entry.name for entry in entry_points(group=GROUP)}
    for name in sorted(_names(chosen or "") - installed):
        info = PluginInfo(name=name, distribution="", version="")
        yield _faulty(info, "no installed package has an entry point of this name")


def _load(
    manager: pluggy.PluginManager, origin: PluginInfo, load: Callable[[], object]
) -> Iterator[Candidate]:
    """Register what ``load`` returns, and yield what its hooks offer."""
    module = None
    try:
        module = load()
        if manager.is_registered(module):
            return
        manager.register(module, name=f"{origin.distribution}:{origin.name}")
        manager.check_pending()
    except (Exception, SystemExit) as error:
        if module is not None and manager.is_registered(module):
            manager.unregister(module)
        yield _faulty(origin, _reason(error))
        return
    for role in ROLES:
        for hook in getattr(manager.hook, f"gammafind_{role}s").get_hookimpls():
            if hook.plugin is module:
                yield from _offered(replace(origin, role=role), hook.function)


def _offered(origin: PluginInfo, hook: Callable[[], object]) -> Iterator[Candidate]:
    """Call one hook; yield a candidate for each thing in the list that it returns."""
    try:
        offered = hook()
    except (Exception, SystemExit) as error:
        yield _faulty(origin, _reason(error))
        return
    if not isinstance(offered, list | tuple):
        yield _faulty(
            origin, f"gammafind_{origin.role}s returned {offered!r}, not a list of classes"
        )
        return
    for plugin in offered:
        fault = _fault(origin.role, plugin)
        if fault:
            name = getattr(plugin, "name", None)
            yield _faulty(replace(origin, name=name) if isinstance(name, str) else origin, fault)
        else:
            summary = (inspect.getdoc(plugin) or "").partition("\n")[0]
            yield Candidate(replace(origin, name=plugin.name, summary=summary), plugin)


def _fault(role: str, plugin: object) -> str | None:
    """Why ``plugin`` does not fill ``role``, or None."""
    base = ROLES[role]
    if not inspect.isclass(plugin):
        return f"gammafind_{role}s returned {plugin!r}, which is no class"
    if not issubclass(plugin, base):
        return f"{plugin.__name__} is no subclass of gammafind.{base.__name__}"
    version = plugin.api_version
    if not (isinstance(version, int) and OLDEST_API_VERSION <= version <= API_VERSION):
        known = " to ".join(str(v) for v in sorted({OLDEST_API_VERSION, API_VERSION}))
        return (
            f"{plugin.__name__} was written for version {version!r} of the plugin interface, and "
            f"this gammafind has version {known}: update the older of the two packages"
        )
    if inspect.isabstract(plugin):
        return f"{plugin.__name__} lacks {', '.join(sorted(plugin.__abstractmethods__))}"
    name = getattr(plugin, "name", None)
    if not isinstance(name, str):
        return f"{plugin.__name__} has no name"
    if not PLUGIN_NAME.fullmatch(name):
        return f"the name {name!r} of {plugin.__name__} is not in kebab-case"
    return None


def _settle_names(found: Sequence[Candidate]) -> Iterator[Candidate]:
    """Mark candidates of one role and name: a built-in keeps its name, of others none does."""
    for candidate in found:
        info = candidate.info
        rivals = [
            other.info
            for other in found
            if candidate.plugin and other.plugin not in (None, candidate.plugin)
            if (other.info.role, other.info.name) == (info.role, info.name)
        ]
        if not rivals or info.distribution == GROUP != rivals[0].distribution:
            yield candidate
        else:
            claimants = sorted([info.distribution, *(rival.distribution for rival in rivals)])
            fault = f"{' and '.join(claimants)} claim the {info.role} {info.name}"
            yield replace(candidate, info=replace(info, error=fault))


def _faulty(info: PluginInfo, error: str) -> Candidate:
    return Candidate(replace(info, error=error))


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")
