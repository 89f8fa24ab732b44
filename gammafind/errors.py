"""Every error and warning of gammafind, by name."""

from __future__ import annotations

from os import PathLike

__all__ = [
    "BandError",
    "BrokenPluginError",
    "BrokenPluginWarning",
    "CacheWarning",
    "ConfigError",
    "ConformanceError",
    "CoordinateSystemError",
    "DuplicatePluginError",
    "EmptySkyWarning",
    "EnergyEdgesError",
    "FileFormatError",
    "GammafindDeprecationWarning",
    "GammafindError",
    "GammafindWarning",
    "HeaderWarning",
    "HealpixError",
    "InputDataError",
    "InputFileError",
    "MaskedPixelsWarning",
    "MissingBackendError",
    "MissingFileError",
    "NoWcsWarning",
    "OptionError",
    "OutputError",
    "PluginError",
    "ResponseError",
    "SelectionError",
    "SelectionWarning",
    "ShapeError",
    "TableError",
    "TrainingError",
    "TruncatedFileError",
    "UnknownPluginError",
    "UntrainedWarning",
    "WeightsError",
    "WorkerError",
]


class GammafindError(Exception):
    """Base of all errors that gammafind raises on purpose.

    Parameters
    ----------
    fault : str
        What is wrong, with what was received.
    path : path-like, optional
        The file at fault.
    remedy : str, optional
        What is accepted instead, or what to do.
    """

    def __init__(
        self, fault: str, *, path: str | PathLike | None = None, remedy: str | None = None
    ):
        self.fault = fault
        self.path = path
        self.remedy = remedy
        super().__init__(fault)

    def __str__(self) -> str:
        head = f"{self.path}: {self.fault}" if self.path is not None else self.fault
        return f"{head.rstrip('.')}. {self.remedy}" if self.remedy else head


class InputFileError(GammafindError):
    """An input file cannot be used."""


class MissingFileError(InputFileError):
    """The path does not exist, is a directory, or may not be read."""


class TruncatedFileError(InputFileError):
    """The file is empty or ends before its own header says."""


class FileFormatError(InputFileError):
    """The file is whole but is not of an accepted format, or lacks a required part."""


class HealpixError(FileFormatError):
    """NSIDE, ORDERING or the number of pixels is missing or contradicts the others."""


class CoordinateSystemError(FileFormatError):
    """The coordinate system is missing or unknown."""


class EnergyEdgesError(FileFormatError):
    """The energy bins of the file cannot be summed to the bands of the preset."""


class InputDataError(InputFileError):
    """The values are unusable: negative counts, all pixels masked, NaN where none may be."""


class ResponseError(FileFormatError):
    """An instrument-response file is of the wrong kind or class, or lacks an extension."""


class WeightsError(FileFormatError):
    """The weights of a network are missing or damaged, or were trained for other patches."""


class SelectionError(FileFormatError):
    """The file holds other photons than are asked for, or does not say which it holds."""


class OutputError(GammafindError):
    """An output cannot be written: it exists, its directory does not, or its suffix is unknown."""


class TableError(GammafindError):
    """A table lacks a column, or has one of the wrong unit, type or value."""


class BandError(GammafindError):
    """Bands overlap, are unordered, or do not agree between two maps."""


class ShapeError(GammafindError):
    """An array or map has not the shape that its pixelisation requires."""


class OptionError(GammafindError):
    """An option has a value outside what it accepts."""


class ConfigError(GammafindError):
    """A configuration file has an unknown key, a missing one, or a value of the wrong type."""


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
    """A library that a plugin runs on is not installed."""


class TrainingError(GammafindError):
    """A training cannot go on, or a checkpoint is not of this training."""


class WorkerError(GammafindError):
    """A worker process ended before its work was done."""


class GammafindWarning(UserWarning):
    """Base of all warnings of gammafind."""


class GammafindDeprecationWarning(GammafindWarning, DeprecationWarning):
    """A plugin uses a name that will go with the next release."""


class MaskedPixelsWarning(GammafindWarning):
    """Pixels without data (NaN, UNSEEN) were left out."""


class NoWcsWarning(GammafindWarning):
    """An image has no celestial coordinates: what is found in it has pixel coordinates only."""


class HeaderWarning(GammafindWarning):
    """The header of an image says otherwise than the options of the camera."""


class EmptySkyWarning(GammafindWarning):
    """The map holds no counts at all."""


class SelectionWarning(GammafindWarning):
    """The photons were selected otherwise than the response expects."""


class UntrainedWarning(GammafindWarning):
    """A network looks at what it was not trained for."""


class CacheWarning(GammafindWarning):
    """What was computed cannot be kept on disk."""


class BrokenPluginWarning(GammafindWarning):
    """A third-party plugin could not be loaded and is left out."""
