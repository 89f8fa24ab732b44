"""Every error and warning of gammafind, by name."""

from __future__ import annotations

from os import PathLike

LONGEST = 500
"""Characters of the message of an error, however long the values in it are."""
_PATH, _REMEDY = 160, 140
"""Characters of a path and of a remedy where a message is shortened."""


class GammafindError(Exception):
    """Base class of all errors that gammafind raises on purpose.

    Parameters
    ----------
    fault : str
        What is wrong, including the value that was received.
    path : path-like, optional
        The file that causes the error.
    remedy : str, optional
        What is accepted instead, or what to do.

    Examples
    --------
    >>> import gammafind
    >>> try:
    ...     gammafind.load_preset("fermi-latt")
    ... except gammafind.GammafindError as error:
    ...     print(error.fault)
    there is no preset 'fermi-latt' (did you mean 'fermi-lat'?)
    """

    def __init__(
        self, fault: str, *, path: str | PathLike | None = None, remedy: str | None = None
    ):
        self.fault = fault
        self.path = path
        self.remedy = remedy
        super().__init__(fault)

    def __str__(self) -> str:
        path = "" if self.path is None else on_one_line(str(self.path))
        fault, remedy = on_one_line(str(self.fault)), on_one_line(str(self.remedy or ""))
        whole = _joined(path, fault, remedy)
        if len(whole) <= LONGEST:
            return whole
        path = path if len(path) <= _PATH else f"...{path[3 - _PATH :]}"
        remedy = _cut(remedy, max(_REMEDY, LONGEST - len(_joined(path, fault, "")) - 2))
        rest = LONGEST - len(_joined(path, "", remedy))
        return _joined(path, _cut(fault, rest), remedy)


def on_one_line(text: str) -> str:
    """Text without line ends and marks that steer a terminal: a space for each."""
    if text.isprintable():
        return text
    return " ".join("".join(mark if mark.isprintable() else " " for mark in text).split())


def shortened(text: str, n: int = LONGEST) -> str:
    """Text on one line of at most n characters."""
    return _cut(on_one_line(text), n)


def _joined(path: str, fault: str, remedy: str) -> str:
    head = f"{path}: {fault}" if path else fault
    return f"{head.rstrip('.')}. {remedy}" if remedy else head


def _cut(text: str, n: int) -> str:
    """First and last characters of a text, n in all."""
    if len(text) <= n:
        return text
    last = n // 4
    return f"{text[: n - last - 5]} ... {text[-last:]}"


class InputFileError(GammafindError):
    """An input file cannot be used."""


class MissingFileError(InputFileError):
    """The path does not exist, is a directory, or may not be read."""


class TruncatedFileError(InputFileError):
    """The file is empty or shorter than its own header states."""


class FileFormatError(InputFileError):
    """The file is complete, but its format is not accepted or a required part is missing."""


class HealpixError(FileFormatError):
    """NSIDE, ORDERING or the number of pixels is missing, or they contradict each other."""


class CoordinateSystemError(FileFormatError):
    """The coordinate system is missing or unknown."""


class EnergyEdgesError(FileFormatError):
    """The energy bins of the file cannot be summed to the bands of the preset."""


class InputDataError(InputFileError):
    """The values cannot be used: negative counts, all pixels masked, NaN not allowed."""


class NoPhotonsError(InputDataError):
    """A photon list is empty, or has no photon in the chosen time or of the chosen kind."""


class ResponseError(FileFormatError):
    """An instrument-response file is of the wrong kind or class, or lacks an extension."""


class WeightsError(FileFormatError):
    """The weights of a network are missing, damaged, or were trained for other patches."""


class SelectionError(FileFormatError):
    """The selection of photons in the file differs from the options, or is not recorded."""


class OutputError(GammafindError):
    """An output cannot be written: it exists, its directory does not, or its suffix is unknown."""


class DownloadError(GammafindError):
    """A file cannot be downloaded, or what came is not the file."""


class TableError(GammafindError):
    """A table lacks a column, or a column has the wrong unit, type or value."""


class BandError(GammafindError):
    """Bands overlap, are not ordered, or differ between two maps."""


class ShapeError(GammafindError):
    """An array or map does not have the shape that its pixelisation requires."""


class OptionError(GammafindError):
    """The value of an option is not accepted."""


class ConfigError(GammafindError):
    """A configuration file has an unknown key, a missing key, or a value of the wrong type."""


class ConformanceError(GammafindError, AssertionError):
    """A plugin breaks the contract of its role."""


class PluginError(GammafindError):
    """A plugin cannot be used."""


class UnknownPluginError(PluginError):
    """No plugin of that role has that name."""


class BrokenPluginError(PluginError):
    """The plugin was found but could not be loaded."""


class DuplicatePluginError(PluginError):
    """Two plugins of one role have the same name."""


class MissingBackendError(GammafindError):
    """A library that a plugin needs is not installed."""


class TrainingError(GammafindError):
    """A training cannot continue, or a checkpoint belongs to another training."""


class WorkerError(GammafindError):
    """A worker process ended before its work was complete."""


class GammafindWarning(UserWarning):
    """Base class of all warnings of gammafind.

    Examples
    --------
    >>> import warnings
    >>> import gammafind
    >>> warnings.simplefilter("ignore", gammafind.GammafindWarning)
    """


class GammafindDeprecationWarning(GammafindWarning, DeprecationWarning):
    """A plugin uses a name that will go with the next release."""


class MaskedPixelsWarning(GammafindWarning):
    """Pixels without data (NaN, UNSEEN) were ignored."""


class NoWcsWarning(GammafindWarning):
    """An image has no celestial coordinates; its detections have pixel coordinates only."""


class HeaderWarning(GammafindWarning):
    """The header of an image disagrees with the options of the camera."""


class MissingPositionsWarning(GammafindWarning):
    """Rows of a catalogue without a position were left out."""


class NewerSchemaWarning(GammafindWarning):
    """A later version of gammafind wrote a catalogue, whose columns may have changed."""


class EmptySkyWarning(GammafindWarning):
    """The map contains no counts."""


class SelectionWarning(GammafindWarning):
    """The selection of photons differs from that of the response."""


class RepeatedPhotonsWarning(GammafindWarning):
    """The same photons are in the files more than once; each is counted once."""


class PartialSkyWarning(GammafindWarning):
    """The photons fill a part of the sky that the header does not give."""


class PointingWarning(GammafindWarning):
    """Spacecraft files do not cover the good time of the photons."""


class ExtrapolationWarning(GammafindWarning):
    """A table is continued beyond its energies."""


class AssumptionWarning(GammafindWarning):
    """A file leaves something out, and what is likely was assumed."""


class CoverageWarning(GammafindWarning):
    """Some pixels have no exposure or background, or bands cover different parts of the sky."""


class UntrainedWarning(GammafindWarning):
    """A network is applied to data that it was not trained for."""


class CacheWarning(GammafindWarning):
    """A computed result cannot be stored in the cache."""


class BrokenPluginWarning(GammafindWarning):
    """A third-party plugin could not be loaded and is ignored."""
