"""What files hold, and what would be done with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from astropy.table import QTable

from gammafind.errors import GammafindError
from gammafind.pipeline.inputs import OnePath, path_list
from gammafind.presets.choose import select_preset
from gammafind.presets.preset import Preset, build
from gammafind.sky.bands import Band
from gammafind.sky.fits.facts import KINDS, FileFacts, read_facts
from gammafind.utils.files import check_input


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Inspection:
    """What `gammafind.inspect` found in files.

    Attributes
    ----------
    table : QTable
        One row a file: ``file, kind, hdus, energies, selections, time``, all text.
    chosen : Preset or None
        That would be used: a shipped one, or one made from the files; None if neither can be.
    fault : str
        Why there is none, and what helps; empty if there is one.
    """

    table: QTable
    chosen: Preset | None
    fault: str

    @property
    def preset(self) -> str:
        """Name of the preset; empty if there is none."""
        return self.chosen.name if self.chosen is not None else ""

    def __repr__(self) -> str:
        lines = [
            f"{row['file']}: {row['kind']}; {'; '.join(filter(None, list(row.values())[2:]))}"
            for row in self.table
        ]
        if self.chosen is None:
            return "\n".join([*lines, self.fault])
        bands = ", ".join(band.name for band in self.chosen.bands)
        used = [f"preset: {self.preset}", f"bands: {bands}", *_pixel_lines(self.chosen)]
        used += [f"localiser: {self.chosen.localiser.name}"]
        used += [f"found: {note}" for note in self.chosen.notes]
        return "\n".join([*lines, *used, *(f"doubtful: {doubt}" for doubt in self.chosen.doubts)])


def inspect(
    files: OnePath | Sequence[OnePath],
    *,
    bands: Sequence[Band] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Inspection:
    """Look into files of counts or photons, and find or make the preset that fits them.

    Parameters
    ----------
    files : path-like or sequence of path-like
        Photon lists or count maps, and their exposure, livetime or spacecraft files.
    bands : sequence of Band, optional
        Bands of maps whose files do not give them.
    options : mapping, optional
        Options of the renderer, such as ``caldb``.

    Returns
    -------
    Inspection
        Its text says what each file holds, which preset would be used and what is doubtful.

    Raises
    ------
    InputFileError
        If a file is missing, or is no FITS file.

    Examples
    --------
    >>> import tempfile
    >>> import gammafind
    >>> from gammafind.sky.fits import write_counts
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_counts(gammafind.demo_sky(), f"{folder}/counts.fits")
    ...     found = gammafind.inspect(path)
    >>> found.preset
    'fermi-lat-psf3-2-20'
    """
    found = [read_facts(check_input(path)) for path in path_list(files)]
    chosen, fault = None, ""
    try:
        chosen = select_preset(found, bands=bands, options=options)
    except GammafindError as error:
        fault = str(error)
    return Inspection(table=QTable(rows=[_row(file) for file in found]), chosen=chosen, fault=fault)


def _row(file: FileFacts) -> dict[str, str]:
    """What one file holds."""
    number = f" of {file.photons.number} photons" if file.photons else ""
    return {
        "file": file.path.name,
        "kind": KINDS[file.kind] + number,
        "hdus": ", ".join(file.hdus),
        "energies": file.energies,
        "selections": ", ".join(file.selections),
        "time": "" if file.good_time is None else f"good time {file.good_time / 1e6:.4g} Ms",
    }


def _pixel_lines(preset: Preset) -> list[str]:
    """Pixels on which photons are binned."""
    sizes = [pixels.pixel_size.to_value("deg") for pixels in build(preset.renderer).pixels]
    return [f"pixels of photon lists: {', '.join(f'{size:.3g}' for size in sizes)} deg"]
