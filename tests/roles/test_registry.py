"""Finding plugins, and surviving those that are wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace

import pytest

from gammafind.errors import (
    BrokenPluginError,
    BrokenPluginWarning,
    DuplicatePluginError,
    OptionError,
    UnknownPluginError,
)
from gammafind.plugins.clusterers import DiskClusterer
from gammafind.plugins.clusterers.common import cluster_table
from gammafind.roles import discovery, registry
from gammafind.roles.clusterer import Clusterer
from gammafind.roles.discovery import PluginInfo
from gammafind.roles.hooks import hookimpl


def clusterer(name: object = "toy", base: type = Clusterer) -> type:
    """Class of a clusterer that finds nothing."""

    @dataclass(frozen=True, kw_only=True)
    class Toy(base):
        """Find nothing."""

        def _cluster(self, score_map):
            return cluster_table([], [], [])

    Toy.name = name
    return Toy


def offer(*classes: object, hook: str = "gammafind_clusterers") -> Callable[[], list]:
    """Hook that returns ``classes``."""

    def function():
        return list(classes)

    function.__name__ = hook
    return hookimpl(function)


def plugin(**members: object) -> ModuleType:
    """Module with these members."""
    module = ModuleType("toy_plugin")
    vars(module).update(members)
    return module


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Put entry points ``name=module`` of one distribution a call in place of the installed."""
    entries: list[SimpleNamespace] = []

    def entry(distribution: str, name: str, loaded: object) -> SimpleNamespace:
        def load() -> object:
            if isinstance(loaded, BaseException):
                raise loaded
            return loaded

        dist = SimpleNamespace(name=distribution, version="1.0")
        return SimpleNamespace(name=name, dist=dist, load=load)

    def add(distribution: str, **modules: object) -> None:
        entries.extend(entry(distribution, name, module) for name, module in modules.items())
        registry.reset()

    monkeypatch.setattr(discovery, "entry_points", lambda group: entries)
    monkeypatch.delenv("GAMMAFIND_PLUGINS", raising=False)
    registry.reset()
    yield add
    registry.reset()


def info(name: str, role: str = "clusterer") -> PluginInfo:
    return next(i for i in registry.plugins(role) if i.name == name)


def test_a_plugin_is_found_and_created(install):
    toy = clusterer()
    install("toys", toy=plugin(gammafind_clusterers=offer(toy)))
    assert registry.get_plugin("clusterer", "toy") is toy
    assert isinstance(registry.create("clusterer", "toy"), toy)
    assert info("toy") == PluginInfo(
        role="clusterer", name="toy", distribution="toys", version="1.0", summary="Find nothing."
    )


def test_the_plugin_in_which_an_error_arose_is_known(install):
    toy = clusterer()
    toy.fail = lambda self: 1 / 0
    install("toys", toy=plugin(gammafind_clusterers=offer(toy)))
    with pytest.raises(ZeroDivisionError) as caught:
        registry.create("clusterer", "toy").fail()
    assert registry.failed_plugin(caught.value) == info("toy")
    assert registry.failed_plugin(ZeroDivisionError()) is None


def test_roles_are_kept_apart(install):
    assert {i.role for i in registry.plugins("clusterer")} == {"clusterer"}
    with pytest.raises(UnknownPluginError, match="did you mean 'clusterer'"):
        registry.plugins("clusterers")


def test_an_unknown_name_lists_the_known(install):
    with pytest.raises(UnknownPluginError, match=r"'peak' \(did you mean 'peaks'\?\).*kmeans"):
        registry.get_plugin("clusterer", "peak")


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (ImportError("no module named torch"), "ImportError: no module named torch"),
        (SystemExit(3), "SystemExit: 3"),
        (plugin(gammafind_clusterer=offer(hook="gammafind_clusterer")), "unknown hook"),
        (
            plugin(gammafind_clusterers=hookimpl(lambda sky: [])),
            "Argument.* {'sky'}",
        ),
    ],
)
def test_a_plugin_that_cannot_be_loaded_stops_only_its_own_user(install, broken, reason):
    install("toys", bad=broken)
    with pytest.warns(BrokenPluginWarning, match=f"(?s)bad of toys 1.0 is left out: .*{reason}"):
        fault = info("bad")
    assert fault.role is None
    assert registry.get_plugin("clusterer", "disk") is DiskClusterer
    with pytest.raises(BrokenPluginError, match=f"(?s){reason}"):
        registry.get_plugin("renderer", "bad")
    with pytest.raises(UnknownPluginError, match="broken are bad"):
        registry.get_plugin("clusterer", "nobody")


def _raise() -> list:
    raise KeyError("weights")


def _exit() -> list:
    raise SystemExit("no licence")


@pytest.mark.parametrize(
    ("hook", "reason"),
    [
        (hookimpl(_raise), "KeyError: 'weights'"),
        (hookimpl(_exit), "SystemExit: no licence"),
        (hookimpl(lambda: None), "not a list of classes"),
        (offer("toy"), "'toy', which is no class"),
        (offer(clusterer()()), "which is no class"),
        (offer(int), "int is no subclass of gammafind.Clusterer"),
        (offer(Clusterer), "lacks _cluster"),
        (offer(clusterer(name=None)), "Toy has no name"),
        (offer(clusterer(name="Toy_1")), "'Toy_1' of Toy is not in kebab-case"),
    ],
)
def test_what_a_hook_may_not_return(install, hook, reason):
    install("toys", bad=plugin(gammafind_clusterers=hook))
    with pytest.warns(BrokenPluginWarning, match="of toys 1.0 is left out"):
        (fault,) = [i for i in registry.plugins("clusterer") if i.error]
    assert fault.role == "clusterer"
    assert reason in fault.error


def test_the_good_classes_of_a_plugin_stay(install):
    install("toys", half=plugin(gammafind_clusterers=offer(int, clusterer())))
    with pytest.warns(BrokenPluginWarning):
        assert info("toy").error is None
    assert info("half").error is not None


def test_two_packages_with_one_name_stop_who_asks_for_it(install):
    install("one", a=plugin(gammafind_clusterers=offer(clusterer())))
    install("two", b=plugin(gammafind_clusterers=offer(clusterer())))
    with pytest.warns(BrokenPluginWarning, match="one and two claim the clusterer toy"):
        assert registry.get_plugin("clusterer", "disk") is DiskClusterer
    with pytest.raises(DuplicatePluginError, match="one and two claim the clusterer toy"):
        registry.get_plugin("clusterer", "toy")


def test_a_built_in_keeps_its_name(install):
    install("one", a=plugin(gammafind_clusterers=offer(clusterer("disk"))))
    with pytest.warns(BrokenPluginWarning, match="gammafind and one claim the clusterer disk"):
        assert registry.get_plugin("clusterer", "disk") is DiskClusterer
    assert [i.error is None for i in registry.plugins("clusterer") if i.name == "disk"] == [
        True,
        False,
    ]


def test_one_class_offered_twice_is_no_duplicate(install):
    toy, module = clusterer(), plugin(gammafind_clusterers=offer(DiskClusterer))
    both = plugin(gammafind_clusterers=offer(toy))
    install("one", a=both, b=both, c=module)
    assert registry.get_plugin("clusterer", "toy") is toy
    assert registry.get_plugin("clusterer", "disk") is DiskClusterer


@pytest.mark.parametrize("version", [0, 99, "two"])
def test_a_plugin_of_another_interface_is_left_out_with_the_reason(install, version):
    toy = clusterer()
    toy.api_version = version
    install("toys", toy=plugin(gammafind_clusterers=offer(toy)))
    with pytest.warns(BrokenPluginWarning, match=f"version {version!r} of the plugin interface"):
        assert info("toy").error is not None
    with pytest.raises(BrokenPluginError, match="this gammafind has version 1: update"):
        registry.get_plugin("clusterer", "toy")


def test_a_warning_is_given_once(install, recwarn):
    install("toys", bad=ImportError("torch"))
    with pytest.warns(BrokenPluginWarning):
        registry.plugins()
    registry.plugins()
    assert len(recwarn) == 0


@pytest.mark.parametrize(("chosen", "found"), [("", 0), ("toy", 1), (" toy , ", 1)])
def test_the_environment_chooses(install, monkeypatch, chosen, found):
    monkeypatch.setenv("GAMMAFIND_PLUGINS", chosen)
    install("toys", toy=plugin(gammafind_clusterers=offer(clusterer())))
    assert [i.name for i in registry.plugins("clusterer")].count("toy") == found


def test_what_the_environment_names_in_vain_is_said(install, monkeypatch):
    monkeypatch.setenv("GAMMAFIND_PLUGINS", "nobody")
    with pytest.warns(BrokenPluginWarning, match="nobody is left out: no installed package"):
        registry.plugins()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"thresholds": 3}, r"did you mean 'threshold'\?\). It accepts radius \(5.0\), threshold"),
        ({"threshold": "high"}, "threshold of disk is 'high'. It must be of type float"),
        ({"max_pixels": 2.5}, "max_pixels of disk is 2.5. It must be of type int"),
        ({"max_pixels": True}, "max_pixels of disk is True"),
        ({"threshold": -3}, "threshold is -3"),
    ],
)
def test_wrong_options_are_named(install, options, message):
    with pytest.raises(OptionError, match=message):
        registry.create("clusterer", "disk", **options)
