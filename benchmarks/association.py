"""Associations of 4FGL-DR2, and of simulated catalogues whose true counterparts are known.

``python benchmarks/association.py [DATA]``, where DATA is the folder of the catalogues of
counterparts, none of which is part of the package. ``--simulations N`` sets the number of simulated
catalogues.
"""

from __future__ import annotations

import argparse
import logging
import warnings
from itertools import pairwise
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from results import ROOT, kept

import gammafind
from gammafind.catalogue.positions import sky_positions

REFERENCE = "4fgl-dr2"
CATALOGUES = {
    "5BZCAT.csv": {"class_column": "Source classification"},
    "RFC_subset.txt.gz": {"class_label": "radio"},
    "presto_psr_catalog_ATNF2025.txt.gz": {"label": "ATNF", "name_column": "PSRJ"},
    "snrcat.fits.gz": {"class_label": "snr"},
    "obj-pwn.fits.gz": {"class_label": "pwn"},
    "obj-hmxb.fits.gz": {"class_label": "hmb"},
    "obj-lmxb.fits.gz": {"class_label": "lmb"},
}
"""Files of counterparts, and how they are read."""
LAC = ("table_4LAC_h.fits.gz", "table_4LAC_l.fits.gz")
"""Positions of the counterparts of blazars as the LAT team found them."""
SAME = 10 * u.arcsec
"""Separation within which counterparts are the same: both tables are rounded."""
THRESHOLD = 0.8
BLAZARS = ("bll", "fsrq", "bcu")
PULSARS = ("psr", "msp")
EDGES = (0, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.99, 1.0)
N_SOURCES = 3000
OBJECTS = {"agn": 3500, "radio": 8000, "psr": 4000}
IN_BOTH = 1500
"""Objects that are in the catalogues of AGN and of radio sources."""
SHARES = {"agn": 0.35, "radio": 0.10, "psr": 0.10, "": 0.45}
"""Shares of the simulated sources by their true counterparts; the last have none."""


@kept("association")
def main() -> None:
    """Print the tables of the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = ROOT.parent / "shared/data/counterparts"
    parser.add_argument("data", type=Path, nargs="?", default=default)
    parser.add_argument("--simulations", type=int, default=10, metavar="N")
    arguments = parser.parse_args()
    logging.disable(logging.INFO)
    warnings.simplefilter("ignore", gammafind.GammafindWarning)
    real(arguments.data)
    simulated(arguments.simulations)


def real(folder: Path) -> None:
    """Associations of the official catalogue."""
    sources = gammafind.read_catalogue(REFERENCE)
    lists = [
        gammafind.Counterparts(table=folder / name, **options)
        for name, options in CATALOGUES.items()
    ]
    found = gammafind.associate(sources, *lists, threshold=THRESHOLD)
    print("| catalogue | entries | associated | false | by chance | by chance, measured |")
    print("|---|---|---|---|---|---|")
    rates = found.rates
    sums = {name: [rates[name].sum()] for name in rates.colnames[1:]}
    sums["Unc_N_Chance_Measured"] = [np.linalg.norm(rates["Unc_N_Chance_Measured"])]
    for row in [*rates, QTable({"Catalogue": ["all"], **sums})[0]]:
        measured = f"{row['N_Chance_Measured']:.1f} +- {row['Unc_N_Chance_Measured']:.1f}"
        print(
            f"| {row['Catalogue']} | {row['N_Counterparts']} | {row['N_Associations']} "
            f"| {row['N_False_Stated']:.1f} | {row['N_Chance_Stated']:.1f} | {measured} |"
        )
    agreement(sources, found.catalogue, folder)
    by_one_to_one = gammafind.associate(sources, *lists, threshold=THRESHOLD, one_to_one=True)
    n = int(by_one_to_one.rates["N_Associations"].sum())
    print(f"\nOne to one: {n} associations.")


def agreement(sources: QTable, found: QTable, folder: Path) -> None:
    """Compare with the associations of the LAT team."""
    official = np.asarray(sources["ASSOC1"]).astype(str)
    given, theirs = np.asarray(found["ASSOC1"]) != "", official != ""
    classes = np.char.lower(np.asarray(sources["CLASS1"]).astype(str))
    blazar, pulsar = np.isin(classes, BLAZARS), np.isin(classes, PULSARS)
    lists = np.asarray(found["ASSOC_CATALOGUE"]).astype(str)
    ours_blazar = given & np.array(["5BZ" in one or "RFC" in one for one in lists])
    ours_pulsar = given & np.array(["ATNF" in one for one in lists])
    same = same_names(np.asarray(found["ASSOC1"]).astype(str), official)
    n_lac, n_same = lac(sources, found, given, folder)
    rows = {
        "associated here, and in DR2": (given & theirs, given),
        "blazars here, and associated but no pulsars in DR2": (
            ours_blazar & theirs & ~pulsar,
            ours_blazar,
        ),
        "pulsars here, and pulsars in DR2": (ours_pulsar & pulsar, ours_pulsar),
        "... of the same name": (ours_pulsar & pulsar & same, ours_pulsar & pulsar),
        "pulsars of DR2 that are pulsars here": (pulsar & ours_pulsar, pulsar),
        "blazars of DR2 that are associated here": (blazar & given, blazar),
        "associated here only: with pulsars": (given & ~theirs & ours_pulsar, given & ~theirs),
        "pulsars here but not in DR2: not associated there": (
            ours_pulsar & ~pulsar & ~theirs,
            ours_pulsar & ~pulsar,
        ),
        "blazars of DR2 not associated here: with a candidate above 0.1": (
            blazar & ~given & (np.asarray(found["ASSOC2"]) != ""),
            blazar & ~given,
        ),
    }
    print("\n| what | number | of |\n|---|---|---|")
    for what, (some, every) in rows.items():
        print(f"| {what} | {some.sum()} | {every.sum()} |")
    print(f"| here and in 4LAC, and their counterparts within 10 arcsec | {n_same} | {n_lac} |")


def same_names(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Whether names of pulsars agree; DR2 writes PSR before them."""
    return np.array(
        [bool(a) and b.replace("PSR ", "").strip() == a for a, b in zip(ours, theirs, strict=True)]
    )


def lac(sources: QTable, found: QTable, given: np.ndarray, folder: Path) -> tuple[int, int]:
    """Associations with a counterpart in 4LAC, and those with the same one."""
    places: dict[str, SkyCoord] = {}
    for name in LAC:
        table = gammafind.read_catalogue(folder / name)
        there = SkyCoord(table["RA_Counterpart"], table["DEC_Counterpart"])
        names = np.char.strip(np.asarray(table["Source_Name"]).astype(str))
        places |= dict(zip(names, there, strict=True))
    names = np.char.strip(np.asarray(sources["Source_Name"]).astype(str))
    rows = [row for row in np.flatnonzero(given) if names[row] in places]
    ours = SkyCoord(found["RA_Counterpart"][rows], found["DEC_Counterpart"][rows])
    theirs = SkyCoord([places[names[row]] for row in rows])
    return len(rows), int(np.sum(ours.separation(theirs) < SAME))


def simulated(number: int) -> None:
    """Probabilities and rates of simulated catalogues against the truth."""
    made = [simulation(seed) for seed in range(number)]
    probability, true = (np.concatenate([one[i] for one in made]) for i in (0, 1))
    print("\n| probability | candidates | mean probability | true share | error |")
    print("|---|---|---|---|---|")
    for low, high in pairwise(EDGES):
        chosen = inside(probability, low, high)
        share, n = true[chosen].mean(), chosen.sum()
        error = np.sqrt(np.mean(probability[chosen] * (1 - probability[chosen])) / n)
        mean = probability[chosen].mean()
        print(f"| {low:g}-{high:g} | {n} | {mean:.4f} | {share:.4f} | {error:.4f} |")
    rng = np.random.default_rng(0)
    drawn = [ece(probability, rng.random(len(true)) < probability) for _ in range(200)]
    limit = np.quantile(drawn, 0.95)
    print(
        f"\nECE {ece(probability, true):.4f}; with perfect calibration {np.mean(drawn):.4f}, and "
        f"below {limit:.4f} in 95 % of the cases."
    )
    given, false, stated, by_chance, chance, measured = (
        sum(one[i] for one in made) for i in range(2, 8)
    )
    print("\n| associations | true | stated | measured |\n|---|---|---|---|")
    print(f"| all | {given} | | |")
    print(f"| false | {false} +- {np.sqrt(false):.0f} | {stated:.0f} | |")
    error = np.sqrt(by_chance)
    print(f"| by chance | {by_chance} +- {error:.0f} | {chance:.0f} | {measured:.0f} |")


def inside(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Which values are in a bin; the last one holds its upper edge."""
    return (values >= low) & ((values < high) | (high == EDGES[-1]))


def ece(probability: np.ndarray, true: np.ndarray) -> float:
    """Expected calibration error in the bins of the table."""
    bins = [inside(probability, low, high) for low, high in pairwise(EDGES)]
    gaps = [
        abs(probability[one].mean() - true[one].mean()) * one.sum() for one in bins if one.any()
    ]
    return float(sum(gaps) / len(probability))


def simulation(seed: int) -> tuple[np.ndarray, np.ndarray, int, int, float, int, float, float]:
    """One catalogue: probabilities of objects, which are true, and numbers of associations."""
    rng = np.random.default_rng(seed)
    places = {name: (plane if name == "psr" else sky)(rng, n) for name, n in OBJECTS.items()}
    places["radio"][:, :IN_BOTH] = places["agn"][:, :IN_BOTH]
    sources, truth = detections(rng, places)
    lists = [
        gammafind.Counterparts(table=table_of(name, place), label=name, class_label=name)
        for name, place in places.items()
    ]
    found = gammafind.associate(sources, *lists, threshold=THRESHOLD)
    pairs = found.candidates
    keys = np.stack([pairs["Row"], pairs["Object"]])
    _, first = np.unique(keys, axis=1, return_index=True)
    names = np.array([one_name(text) for text in pairs["Counterpart"][first]])
    right = names == truth[np.asarray(pairs["Row"])[first]]
    made = np.array([one_name(text) for text in found.catalogue["ASSOC1"]])
    given, rates = made != "", found.rates
    return (
        np.asarray(pairs["Object_Probability"])[first],
        right,
        int(given.sum()),
        int(np.sum(given & (made != truth))),
        float(rates["N_False_Stated"].sum()),
        int(np.sum(given & (truth == ""))),
        float(rates["N_Chance_Stated"].sum()),
        float(rates["N_Chance_Measured"].sum()),
    )


def sky(rng: np.random.Generator, n: int) -> np.ndarray:
    """Galactic longitudes and latitudes all over the sky, shape (2, n)."""
    return np.stack([rng.uniform(0, 360, n), np.degrees(np.arcsin(rng.uniform(-1, 1, n)))])


def plane(rng: np.random.Generator, n: int) -> np.ndarray:
    """Galactic longitudes and latitudes near the centre and the plane, shape (2, n)."""
    return np.stack([rng.laplace(0, 50, n) % 360, np.clip(rng.laplace(0, 3, n), -90, 90)])


def table_of(name: str, place: np.ndarray) -> QTable:
    """Catalogue of objects."""
    names = [f"{name}{i}" for i in range(place.shape[1])]
    return QTable({"name": names, "glon": place[0] * u.deg, "glat": place[1] * u.deg})


def one_name(text: str) -> str:
    """Name of an object, the same in both catalogues that list it."""
    alike = text.startswith("radio") and int(text[5:]) < IN_BOTH
    return text.replace("radio", "agn") if alike else text


def detections(
    rng: np.random.Generator, places: dict[str, np.ndarray]
) -> tuple[QTable, np.ndarray]:
    """Sources with elliptical position errors, and the names of their counterparts."""
    kinds = rng.choice(list(SHARES), N_SOURCES, p=list(SHARES.values()))
    near_plane = rng.random(N_SOURCES) < 0.3
    place = np.where(near_plane, plane(rng, N_SOURCES), sky(rng, N_SOURCES))
    truth = np.full(N_SOURCES, "", dtype=object)
    for name, there in places.items():
        rows = np.flatnonzero(kinds == name)
        chosen = rng.choice(there.shape[1], len(rows), replace=False)
        place[:, rows] = there[:, chosen]
        truth[rows] = [one_name(f"{name}{index}") for index in chosen]
    major = np.exp(rng.normal(np.log(0.07), 0.6, N_SOURCES))
    minor, angle = major * rng.uniform(0.6, 1, N_SOURCES), rng.uniform(0, np.pi, N_SOURCES)
    along, across = (
        np.stack([major, minor]) * rng.normal(size=(2, N_SOURCES)) / np.sqrt(2 * np.log(20))
    )
    east = along * np.sin(angle) + across * np.cos(angle)
    north = along * np.cos(angle) - across * np.sin(angle)
    true = sky_positions(table_of("source", place))
    here = true.spherical_offsets_by(east * u.deg, north * u.deg)
    columns = {
        "Source_Name": [f"S{i}" for i in range(N_SOURCES)],
        "ra": here.ra,
        "dec": here.dec,
        "Conf_95_SemiMajor": major * u.deg,
        "Conf_95_SemiMinor": minor * u.deg,
        "Conf_95_PosAng": np.degrees(angle) * u.deg,
    }
    return QTable(columns), truth


if __name__ == "__main__":
    main()
