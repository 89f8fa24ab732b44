"""Official files: which are needed, whether those at hand are whole, and where to get them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from gammafind.errors import OptionError
from gammafind.presets.choose import select_preset
from gammafind.presets.preset import Preset, build, load_preset, presets
from gammafind.roles.official import OfficialFile, official_file, official_files
from gammafind.sky.fits.facts import read_facts
from gammafind.utils.data_folder import data_folder
from gammafind.utils.download import download as bring
from gammafind.utils.download import fault_of
from gammafind.utils.names import close_match

_PACKED = ".gz"


@dataclass(frozen=True, kw_only=True)
class FetchedFile:
    """An official file, and whether it is at hand.

    Attributes
    ----------
    name, what : str
        File name, and what it holds.
    path : Path
        Where it is or will be.
    present : bool
        Whether there is such a file.
    fault : str
        What is wrong with it; empty if nothing is.
    checked : bool
        Whether its checksum is known and right.
    size : int
        In bytes, uncompressed; 0 where it is not known.
    urls : tuple of str
        Where it can be downloaded.
    embedded : str
        What the package holds of it, so that it works without; empty for nothing.
    """

    name: str
    what: str
    path: Path
    present: bool
    fault: str
    checked: bool
    size: int
    urls: tuple[str, ...]
    embedded: str

    @property
    def state(self) -> str:
        """One of ``"whole"``, ``"not checked"``, ``"damaged"`` and ``"not here"``."""
        if not self.present:
            return "not here"
        if self.fault:
            return "damaged"
        return "whole" if self.checked else "not checked"


def fetch(
    wanted: str | PathLike | Preset | Sequence[str | PathLike | Preset] = (),
    *,
    download: bool = False,
    folder: str | PathLike | None = None,
) -> tuple[FetchedFile, ...]:
    """Look for official files, check those at hand, and download others on request.

    Parameters
    ----------
    wanted : str, path-like, Preset or sequence of these
        Names of official files such as ``"gll_iem_v07.fits"``, names of catalogues such as
        ``"4fgl-dr4"``, presets, whose background they are, or files of counts or photons, for
        the preset that fits them. All official files by default.
    download : bool
        Whether those that are not here, or damaged, are downloaded. Nothing is downloaded
        otherwise.
    folder : path-like, optional
        Where files are and will be; the data folder by default, see
        `gammafind.utils.data_folder.data_folder`. A copy that ends in ``.gz`` will do.

    Returns
    -------
    tuple of FetchedFile
        One for each file, as it is at the end.

    Raises
    ------
    OptionError
        If a name is neither a file nor known, or everything would be downloaded.
    DownloadError
        If a file cannot be downloaded, or what came is not the file.
    OutputError
        If the folder cannot be written, or the disk has no room.
    InputFileError, ConfigError
        If a file of counts or a preset cannot be used.

    Examples
    --------
    >>> import gammafind
    >>> [file.name for file in gammafind.fetch("fermi-lat-p8r3")]
    ['gll_iem_v07.fits', 'iso_P8R3_ULTRACLEANVETO_V3_FRONT_v1.txt']
    """
    one = isinstance(wanted, str | PathLike | Preset)
    listed = [wanted] if one else list(wanted)
    if download and not listed:
        raise OptionError("no file is named to download", remedy="Name files, or a preset.")
    where = data_folder() if folder is None else Path(folder)
    found = [_looked_at(file, path) for file, path in _files(listed, where)]
    return tuple(_brought(one) if download else one for one in found)


def _files(
    wanted: Sequence[str | PathLike | Preset], folder: Path
) -> list[tuple[OfficialFile, Path]]:
    """Official files, each once, and where each is or will be."""
    if not wanted:
        return [(file, _place(file, folder)) for file in official_files().values()]
    files: dict[str, tuple[OfficialFile, Path]] = {}
    inputs: list[str | PathLike] = []
    for one in wanted:
        known = None if isinstance(one, Preset) else official_file(Path(one).name)
        if known is not None:
            own = Path(one)
            files[known.name] = known, own if os.path.isfile(own) else _place(known, folder)
        elif isinstance(one, str | PathLike) and _is_input(one):
            inputs.append(one)
        else:
            _add_needs(_preset_of(one), files, folder)
    if inputs:
        _add_needs(select_preset([read_facts(path) for path in inputs]), files, folder)
    return list(files.values())


def _add_needs(preset: Preset, files: dict[str, tuple[OfficialFile, Path]], folder: Path) -> None:
    """Add the files behind a preset that are not there yet."""
    for name in build(preset.renderer).needs:
        file = official_file(name)
        if file is not None:
            files.setdefault(file.name, (file, _place(file, folder)))


def _is_input(one: str | PathLike) -> bool:
    """Whether a name is that of a file of counts, not of a preset."""
    return os.path.isfile(one) and Path(one).suffix != ".toml"


def _preset_of(one: str | PathLike | Preset) -> Preset:
    """Preset of a name or a file, or as it is."""
    if isinstance(one, Preset) or Path(one).suffix == ".toml" or str(one) in presets():
        return one if isinstance(one, Preset) else load_preset(one)
    known = [*presets(), *official_files()]
    raise OptionError(
        f"{one} is neither a file here nor a preset nor an official file"
        f"{close_match(str(one).lower(), known)}",
        remedy="'gammafind fetch' lists the official files, 'gammafind plugins' what is installed.",
    )


def _place(file: OfficialFile, folder: Path) -> Path:
    """Where a file is, gzipped or not, or will be."""
    packed = folder / f"{file.name}{_PACKED}"
    plain = folder / file.name
    return packed if packed.is_file() and not plain.is_file() else plain


def _looked_at(file: OfficialFile, path: Path) -> FetchedFile:
    """File as it is now."""
    present = path.is_file()
    fault = fault_of(path, size=file.size, sha256=file.sha256) if present else ""
    return FetchedFile(
        name=file.name,
        what=file.what,
        path=path,
        present=present,
        fault=fault,
        checked=present and not fault and bool(file.sha256),
        size=file.size,
        urls=file.urls,
        embedded=file.embedded,
    )


def _brought(one: FetchedFile) -> FetchedFile:
    """Download a file that is not here or damaged."""
    if one.present and not one.fault:
        return one
    file = official_files()[one.name.lower()]
    path = one.path.with_name(file.name)
    return _looked_at(file, bring(file.urls, path, size=file.size, sha256=file.sha256))
