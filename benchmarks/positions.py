"""Position errors on the real 2-20 GeV sky, against the counterparts of 4FGL-DR2.

Usage: ``python benchmarks/positions.py CATALOGUE``, where CATALOGUE is the FITS file of 4FGL-DR2,
whose columns ``RA_Counterpart`` and ``DEC_Counterpart`` hold the positions of counterparts. The sky
is that of the demo, searched by ``likelihood``. A detection counts if it and a point-like source of
4FGL-DR2 are the nearest to each other, within 0.5 deg, and the source has a counterpart that is no
remnant or nebula. Choices were made at b > 0.
"""

from __future__ import annotations

import sys

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable, Table
from results import kept

import gammafind
from gammafind.catalogue.columns import numbers, texts_of
from gammafind.catalogue.flags import Flag, has_flag

EXTENDED_CLASSES = ("", "snr", "spp", "pwn", "sfr", "unk")
REGIONS = {
    "b > 0": {"abs(b) > 10": (10, 90), "abs(b) < 10": (0, 10)},
    "b < 0": {"abs(b) > 10": (-90, -10), "abs(b) < 10": (-10, 0)},
}


def main(path: str) -> None:
    found = gammafind.detect(gammafind.demo_sky(), localiser="likelihood").catalogue
    found = found[texts_of(found, "extended_name") == ""]
    offset = offsets(found, Table.read(path, hdu=1))
    known = np.isfinite(offset)
    errors = {share: numbers(found, f"Conf_{share}_SemiMajor", "deg") for share in (68, 95)}
    b, ts = numbers(found, "GLAT", "deg"), numbers(found, "TS")
    flags = found["Flags"]
    wide = has_flag(flags, Flag.ON_EXTENDED) | has_flag(flags, Flag.DIFFUSE_LIMITED)
    print("| half | region | rows | counterparts | within r68 | within r95 |")
    print("|---|---|---|---|---|---|")
    for half, regions in REGIONS.items():
        for region, (low, high) in regions.items():
            here = known & (b > low) & (b < high)
            for rows, chosen in (
                ("all", here),
                ("TS >= 100", here & (ts >= 100)),
                ("on extended or diffuse emission", here & wide),
            ):
                cells = [
                    f"{np.mean(offset[chosen] < errors[share][chosen]):.3f}" for share in errors
                ]
                print(f"| {half} | {region} | {rows} | {chosen.sum()} | {' | '.join(cells)} |")


def offsets(found: QTable, reference: Table) -> np.ndarray:
    """Distance in degrees of each detection to the counterpart of its source; NaN without one."""
    places = SkyCoord(found["RAJ2000"], found["DEJ2000"])
    theirs = SkyCoord(reference["RAJ2000"], reference["DEJ2000"], unit="deg")
    nearest, apart, _ = places.match_to_catalog_sky(theirs)
    back, _, _ = theirs.match_to_catalog_sky(places)
    ra, dec = (np.asarray(reference[f"{axis}_Counterpart"], dtype=float) for axis in ("RA", "DEC"))
    labels = np.char.lower(np.char.strip(np.asarray(reference["CLASS1"]).astype(str)))
    extended = np.char.strip(np.asarray(reference["Extended_Source_Name"]).astype(str)) != ""
    good = np.isfinite(ra) & ~extended & ~np.isin(labels, EXTENDED_CLASSES)
    pairs = (back[nearest] == np.arange(len(found))) & (apart < 0.5 * u.deg) & good[nearest]
    there = SkyCoord(np.nan_to_num(ra[nearest]), np.nan_to_num(dec[nearest]), unit="deg")
    return np.where(pairs, places.separation(there).deg, np.nan)


if __name__ == "__main__":
    with kept("positions"):
        main(sys.argv[1])
