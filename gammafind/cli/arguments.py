"""Arguments that several commands share, and how their texts are read."""

from __future__ import annotations

import math
import re
import shlex
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gammafind.errors import OptionError

if TYPE_CHECKING:
    from astropy.units import Quantity

    from gammafind.sky.bands import Band


EMBEDDED_REFERENCE = "4fgl-dr2"
"""Name of the reference catalogue that comes with the package."""

REFERENCES = "a table, or 4fgl-dr1 to 4fgl-dr4, fl16y, 2fhl or 3fhl"
"""Catalogues that can be given."""

_NUMBER = r"(\d*\.?\d+(?:[eE][+-]?\d+)?)"
_BAND = re.compile(rf"\s*{_NUMBER}\s*-\s*{_NUMBER}\s*([A-Za-z]+)\s*")
_NAMED_OPTION = re.compile(r"([a-z0-9-]+)\.([a-z_0-9]+)=(.+)")
_ROLES = ("population", "renderer", "localiser", "clusterer", "classifier")
_OPTION = re.compile(rf"({'|'.join(_ROLES)})\.([a-z_0-9]+)=(.+)")


def add_map_arguments(parser: ArgumentParser, *, photons: bool) -> None:
    """Add the maps and what their files may leave open; say whether photon lists will do."""
    parser.add_argument(
        "maps",
        nargs="+",
        type=parse_path,
        metavar="MAP",
        help="count maps: gtbin HEALPix files, healpy maps, images with a WCS"
        + ("; or photon lists (FT1)" if photons else ""),
    )
    add_band_argument(parser)
    parser.add_argument(
        "--frame",
        choices=("galactic", "icrs", "fk5"),
        help="frame of HEALPix maps whose header has no COORDSYS",
    )


def add_band_argument(parser: ArgumentParser) -> None:
    """Add the bands of maps whose files do not give them."""
    parser.add_argument(
        "--band",
        action="append",
        metavar="LOW-HIGHunit",
        help="band of a map whose file does not say it, such as 2-20GeV; once for each map",
    )


def add_sky_arguments(parser: ArgumentParser) -> None:
    """Add files of background and exposure next to those of the counts."""
    parser.add_argument(
        "--background",
        type=parse_path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="expected background in place of the preset's emission: maps of gtmodel, gtsrcmaps "
        "or gammapy, or an XML model",
    )
    parser.add_argument(
        "--exposure",
        type=parse_path,
        metavar="MAP",
        help="exposure map (gtexpcube2 or healpy, cm2 s) or livetime cube (gtltcube) in place of "
        "the preset's exposure; not for cameras",
    )
    parser.add_argument(
        "--ft2",
        action="extend",
        nargs="+",
        type=parse_path,
        metavar="FILE",
        help="spacecraft files (FT2) from which the exposure is computed",
    )


def sky_arguments(arguments: Namespace) -> dict[str, Any]:
    """Counts, bands and files of `add_map_arguments` and `add_sky_arguments`.

    They are as `gammafind.detect` takes them.

    Raises
    ------
    OptionError
        If a band cannot be read.
    """
    return {
        "counts": arguments.maps,
        "bands": parse_bands(arguments.band),
        "frame": arguments.frame,
        "exposure": arguments.exposure,
        "spacecraft": arguments.ft2,
        "background": arguments.background,
    }


def sky_files(arguments: Namespace) -> list[Path]:
    """Files of counts, spacecraft, background and exposure, which no output may replace."""
    given = (*arguments.maps, *(arguments.ft2 or ()), *arguments.background, arguments.exposure)
    return [path for path in given if path is not None]


def add_localiser_arguments(parser: ArgumentParser) -> None:
    """Add the choice of what finds the sources."""
    parser.add_argument(
        "--localiser",
        type=parse_name,
        metavar="NAME",
        help="what finds the sources; that of the preset by default",
    )
    parser.add_argument(
        "--clusterer", type=parse_name, metavar="NAME", help="what makes detections of score maps"
    )


def add_plugin_arguments(parser: ArgumentParser) -> None:
    """Add the choice of plugins and their options."""
    add_localiser_arguments(parser)
    parser.add_argument(
        "--classifier",
        type=parse_name,
        metavar="NAME",
        help="what names the class of each source, such as cnn",
    )
    parser.add_argument(
        "--beside",
        action="append",
        default=[],
        metavar="NAME",
        help="another localiser that searches the same sky, to be compared; may be repeated",
    )
    add_option_argument(parser, "ROLE.NAME", "option of a plugin, such as localiser.threshold=25")
    add_caldb_argument(parser)


def add_option_argument(parser: ArgumentParser, name: str, what: str) -> None:
    """Add ``--option``."""
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar=f"{name}=VALUE",
        help=f"{what}; may be repeated",
    )


def add_caldb_argument(parser: ArgumentParser) -> None:
    """Add the folder of response files, as an option of the renderer."""
    parser.add_argument(
        "--caldb",
        dest="option",
        action="append",
        default=[],
        type="renderer.caldb={}".format,
        metavar="DIR",
        help="folder of Fermi-LAT responses (CALDB) that do not come with the package; that of "
        "$CALDB by default",
    )


def add_preset_argument(parser: ArgumentParser, parts: str, *, default: str | None = None) -> None:
    """Add ``--preset``."""
    shown = " (default: %(default)s)" if default else ""
    parser.add_argument(
        "--preset",
        default=default,
        metavar="NAME|FILE.toml",
        help=f"instrument, bands and {parts} that fit together{shown}",
    )


def add_seed_argument(parser: ArgumentParser, what: str = "of the random numbers") -> None:
    """Add ``--seed``."""
    help_text = f"{what} (default: 0)"
    parser.add_argument("--seed", type=int, default=0, metavar="N", help=help_text)


def add_reference_argument(parser: ArgumentParser, use: str) -> None:
    """Add ``--reference``."""
    help_text = f"catalogue to {use} with: {REFERENCES}"
    parser.add_argument("--reference", metavar="CATALOGUE", help=help_text)


def add_truth_argument(parser: ArgumentParser) -> None:
    """Add the true sources."""
    help_text = f"what is there: {REFERENCES}"
    parser.add_argument("truth", metavar="TRUTH", help=help_text)


def chosen_plugins(arguments: Namespace) -> dict[str, Any]:
    """Plugins and options of `add_plugin_arguments`, as `gammafind.detect` takes them.

    Raises
    ------
    OptionError
        If an option cannot be read.
    """
    return {
        "localiser": arguments.localiser,
        "clusterer": arguments.clusterer,
        "classifier": arguments.classifier,
        "beside": arguments.beside,
        "options": parse_options(arguments.option),
    }


def add_output_arguments(parser: ArgumentParser) -> None:
    """Add what all commands that write have in common."""
    parser.add_argument("--overwrite", action="store_true", help="replace files that exist")


def add_purity_arguments(parser: ArgumentParser) -> None:
    """Add the purity at which completeness is reported, and the least fluxes of subsamples."""
    parser.add_argument(
        "--purity",
        type=parse_number,
        default=0.90,
        metavar="SHARE",
        help="purity at which completeness is reported (default: %(default)s)",
    )
    parser.add_argument(
        "--min-flux",
        action="append",
        default=[],
        metavar="COLUMN=QUANTITY",
        help="report the completeness of sources above this flux too; the column is one of the "
        "truth, such as 'energy_flux=1e-12 erg cm-2 s-1'; may be repeated",
    )


def add_radius_argument(parser: ArgumentParser) -> None:
    """Add the match radius."""
    parser.add_argument(
        "--radius",
        metavar="ANGLE",
        help="match radius, with its unit (default: that with which the catalogue was made, or "
        "0.3 deg where it does not say)",
    )


def command_line(arguments: Namespace) -> str:
    """Command line as it was given, for the record."""
    return shlex.join(["gammafind", *arguments.argv])


def parse_bands(texts: list[str] | None) -> tuple[Band, ...] | None:
    """Read bands such as ``2-20GeV``; None for none.

    Raises
    ------
    OptionError
        If a text is no band.
    """
    if not texts:
        return None
    return tuple(_parse_band(text) for text in texts)


def parse_options(texts: list[str]) -> dict[str, dict[str, Any]]:
    """Read options such as ``localiser.threshold=25`` as options by role.

    Numbers, true and false are read as in TOML, all else is text.

    Raises
    ------
    OptionError
        If a text is no option or names an unknown role.
    """
    remedy = f"Write ROLE.NAME=VALUE, where ROLE is one of {', '.join(_ROLES)}."
    return _parse_options(texts, _OPTION, remedy)


def parse_named_options(texts: list[str]) -> dict[str, dict[str, Any]]:
    """Read options such as ``likelihood.threshold=9`` as options by the name of the plugin.

    Raises
    ------
    OptionError
        If a text is no option.
    """
    remedy = "Write PLUGIN.NAME=VALUE, such as unet.threshold=0.2."
    return _parse_options(texts, _NAMED_OPTION, remedy)


def _parse_options(
    texts: list[str], form: re.Pattern[str], remedy: str
) -> dict[str, dict[str, Any]]:
    """Options by what stands before the point."""
    options: dict[str, dict[str, Any]] = {}
    for text in texts:
        match = form.fullmatch(text)
        if match is None:
            raise OptionError(f"--option {text}", remedy=remedy)
        options.setdefault(match[1], {})[match[2]] = _parse_value(match[3])
    return options


def parse_path(text: str) -> Path:
    """Path of an argument; refuse an empty one, which would be the folder that one is in."""
    if not text:
        raise ArgumentTypeError("the name is empty")
    return Path(text)


def parse_number(text: str) -> float:
    """Read a finite number of an argument."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ArgumentTypeError(f"{text[:40]!r} is no finite number")
    return number


def parse_name(text: str) -> str:
    """Read a name of an argument; refuse an empty one."""
    if not text.strip():
        raise ArgumentTypeError("the name is empty")
    return text


def parse_radius(text: str | None) -> Quantity | None:
    """Read a match radius; None where none is given.

    Raises
    ------
    OptionError
        If the text is no angle.
    """
    from gammafind.units import parse_quantity

    return None if text is None else parse_quantity(text, "deg", name="--radius")


def _parse_band(text: str) -> Band:
    import astropy.units as u

    from gammafind.errors import BandError
    from gammafind.sky.bands import Band

    match = _BAND.fullmatch(text)
    remedy = "Write the two edges and a unit, such as 2-20GeV."
    if match is None:
        raise OptionError(f"--band {text} is no band", remedy=remedy)
    low, high, unit = float(match[1]), float(match[2]), match[3]
    try:
        return Band(f"{low:g}-{high:g} {unit}", low * u.Unit(unit), high * u.Unit(unit))
    except (ValueError, BandError) as error:
        raise OptionError(f"--band {text} is no band ({error})", remedy=remedy) from None


def _parse_value(text: str) -> Any:
    from gammafind.utils.tomlfile import parsed_toml

    try:
        return parsed_toml(f"value = {text}")["value"]
    except ValueError:
        return text
