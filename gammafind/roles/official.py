"""Official files of instruments: what they are for, where they are from, and their checksums.

An instrument lists them in TOML files, one table a file:

.. code-block:: toml

    ["gll_iem_v07.fits"]
    what = "interstellar emission"
    urls = ["https://..."]       # tried in order
    size = 464817600             # in bytes, uncompressed
    sha256 = "2cef..."           # of the uncompressed file
    names = ["4fgl-dr4"]         # other names of it
    embedded = "means of cells"  # what the package holds of it
"""

from __future__ import annotations

from dataclasses import dataclass

from gammafind.errors import ConfigError
from gammafind.roles.registry import get_plugin, plugins
from gammafind.utils.tomlfile import TomlFile


@dataclass(frozen=True, kw_only=True)
class OfficialFile:
    """A file that an instrument's team publishes.

    Attributes
    ----------
    name : str
        File name.
    what : str
        What it holds.
    urls : tuple of str
        Where it can be downloaded, tried in order.
    size : int
        In bytes, uncompressed; 0 where it is not known.
    sha256 : str
        Of the uncompressed file, in hexadecimal digits; empty where it is not known.
    names : tuple of str
        Other names for it, such as that of a catalogue.
    embedded : str
        What the package holds of it, so that it works without; empty for nothing.
    """

    name: str
    what: str
    urls: tuple[str, ...]
    size: int = 0
    sha256: str = ""
    names: tuple[str, ...] = ()
    embedded: str = ""


_KINDS = {"what": str, "urls": list, "size": int, "sha256": str, "names": list, "embedded": str}


def official_files() -> dict[str, OfficialFile]:
    """Official files of all installed instruments, by their file names in lower case.

    Raises
    ------
    ConfigError
        If a list of files is wrong.
    """
    renderers = [get_plugin("renderer", one.name) for one in plugins("renderer") if not one.error]
    sources = dict.fromkeys(source for one in renderers for source in one.official_files)
    found = [file for source in sources for file in _read(source)]
    return {file.name.lower(): file for file in found}


def official_file(name: str) -> OfficialFile | None:
    """Official file of a file name or another of its names, in any case; None if there is none."""
    wanted = name.lower()
    files = official_files()
    named = {other.lower(): file for file in files.values() for other in file.names}
    return files.get(wanted.removesuffix(".gz")) or named.get(wanted)


def _read(source: str) -> list[OfficialFile]:
    """Files of one list."""
    toml = TomlFile.parse(source)
    toml.check(toml.tables)
    files = []
    for name in toml.tables:
        values = toml.values(name, _KINDS, required=("what", "urls"))
        if not values["urls"]:
            raise ConfigError(f"[{name}] has no urls", path=source, remedy="Give one or more.")
        lists = {key: tuple(values[key]) for key in ("urls", "names") if key in values}
        files.append(OfficialFile(name=name, **{**values, **lists}))
    return files
