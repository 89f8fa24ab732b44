"""Synthetic catalogues against 4FGL-DR2: parameters, band fluxes, numbers, positions, years."""

from __future__ import annotations

import tempfile
import time
from itertools import pairwise
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.table import QTable, vstack
from population_samples import (
    BANDS,
    CATALOGUE,
    LOG_FLUX,
    POPULATIONS,
    band_fluxes,
    drawn_like,
    in_class_form,
    real_members,
)
from results import kept
from scipy import stats

from gammafind.catalogue.io import write_table
from gammafind.plugins.fermi_lat.catalogues import class_group, spectra_of
from gammafind.plugins.fermi_lat.population.fit import fit_population, members_of
from gammafind.plugins.fermi_lat.population.plugin import FermiPopulation
from gammafind.plugins.fermi_lat.population.shares import CLASSES, LATITUDE_EDGES, class_shares

N_CATALOGUES = 30
PEAK, PAPER_THRESHOLD = -12.0, np.log10(3.4e-13)
CATALOGUE_BANDS = np.array([0.05, 0.1, 0.3, 1, 3, 10, 30, 300])
LOWER_LIMITS = (1e-13, 3.4e-13, 1e-12, 2e-12, 5e-12, 1e-11, 5e-11)


@kept("population")
def main() -> None:
    """Print the tables of docs/validation/population.md."""
    skies = {name: draw(population) for name, population in POPULATIONS.items()}
    print_size(skies["default"])
    print_parameters()
    print_class_bands()
    print_sky_bands(skies)
    print_forms()
    print_numbers(skies)
    print_fluxes(skies["default"])
    print_variability()


def draw(population: FermiPopulation) -> list[QTable]:
    """Catalogues of the seeds 0, 1, ..."""
    return [population.sample(rng=np.random.default_rng(seed)) for seed in range(N_CATALOGUES)]


def print_size(skies: list[QTable]) -> None:
    """Print number, time and file size of a catalogue."""
    population = POPULATIONS["default"]
    start = time.perf_counter()
    for seed in range(10):
        population.sample(rng=np.random.default_rng(seed))
    seconds = (time.perf_counter() - start) / 10
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sources.fits"
        write_table(skies[0], path)
        size = path.stat().st_size / 1e6
    lengths = [len(sky) for sky in skies]
    print("| a catalogue | |\n|---|---|")
    print(f"| sources, mean of {len(skies)} | {np.mean(lengths):.0f} |")
    print(f"| time to draw | {seconds:.2f} s |")
    print(f"| size as FITS, {lengths[0]} sources | {size:.2f} MB |")


def print_parameters() -> None:
    """Print KS tests of each parameter of each class."""
    for log_min, title in ((PEAK, "1e-12"), (PAPER_THRESHOLD, "3.4e-13")):
        print(
            f"\n| above {title} erg cm-2 s-1 | members | sampling | F0 | E0 | index | curvature |"
        )
        print("|---|---|---|---|---|---|---|")
        for name in CLASSES:
            real = real_members(name, log_min)
            samples = {key: drawn_like(p.fit, p, name, real) for key, p in POPULATIONS.items()}
            for key, drawn in samples.items():
                print_row(name, len(real.log_flux), key, real.parameters.T, drawn.parameters.T)
            if log_min == PEAK:
                print_other_half(name)


def print_other_half(name: str) -> None:
    """Fit every second source of the catalogue, test on the members among the others.

    The size of the fitted sample limits the accuracy of the fit, so it is the size of the second
    sample in p.
    """
    real = real_members(name, PEAK, CATALOGUE[1::2])
    n, n_fitted = len(real.log_flux), len(real_members(name, PEAK, CATALOGUE[::2]).log_flux)
    drawn = drawn_like(fit_population(CATALOGUE[::2]), POPULATIONS["default"], name, real)
    cells = []
    for a, b in zip(real.parameters.T, drawn.parameters.T, strict=True):
        deviation = stats.ks_2samp(a, b).statistic
        p = stats.kstwobign.sf(deviation * np.sqrt(n * n_fitted / (n + n_fitted)))
        cells.append(f"{deviation:.3f} ({p:.2g})")
    print(f"| {name} | {n} | default, fitted to the other half | {' | '.join(cells)} |")


def print_row(name: str, n: int, key: str, real: np.ndarray, drawn: np.ndarray) -> None:
    """Print D (p) of each column."""
    cells = [ks(a, b) for a, b in zip(real, drawn, strict=True)]
    print(f"| {name} | {n} | {key} | {' | '.join(cells)} |")


def ks(real: np.ndarray, drawn: np.ndarray) -> str:
    """D and p of the two-sample test."""
    test = stats.ks_2samp(real, drawn)
    return f"{test.statistic:.3f} ({test.pvalue:.2g})"


def print_class_bands() -> None:
    """Print KS tests of the six band fluxes of each class."""
    bands = " | ".join(f"{low:g}-{high:g}" for low, high in pairwise(BANDS))
    print(f"\n| members above 1e-12 | sampling | {bands} GeV |")
    print("|" + "---|" * (len(BANDS) + 1))
    for name in CLASSES:
        real = real_members(name, PEAK)
        for key, population in POPULATIONS.items():
            drawn = drawn_like(population.fit, population, name, real)
            cells = [ks(a, b) for a, b in zip(real.bands().T, drawn.bands().T, strict=True)]
            print(f"| {name} | {key} | {' | '.join(cells)} |")


def print_sky_bands(skies: dict[str, list[QTable]]) -> None:
    """Print KS tests of the band fluxes of whole catalogues."""
    print("\n| whole catalogues above 1e-12 | real spectra | sampling | D (p) in the six bands |")
    print("|---|---|---|---|")
    bright = LOG_FLUX >= PEAK
    high = np.abs(CATALOGUE["GLAT"].value) > 20
    forms = {"form of the class": in_class_form(CATALOGUE), "as listed": CATALOGUE}
    for region, inside in (("all sky", bright), ("abs(b) > 20", bright & high)):
        for form, table in forms.items():
            real = band_fluxes(table[inside])
            for key, catalogues in skies.items():
                drawn = vstack(catalogues[:5], metadata_conflicts="silent")
                use = drawn["energy_flux"].value >= 10**PEAK
                if region != "all sky":
                    use &= np.abs(drawn["glat"].value) > 20
                synthetic = band_fluxes(drawn[use])
                cells = [ks(a, b) for a, b in zip(real.T, synthetic.T, strict=True)]
                print(f"| {region} | {form} | {key} | {', '.join(cells)} |")


def print_forms() -> None:
    """Print the ratio of the measured fluxes of power-law sources to those of both forms."""
    groups = class_group(CATALOGUE["CLASS1"])
    edges = CATALOGUE_BANDS * u.GeV
    bands = " | ".join(f"{a:g}-{b:g}" for a, b in pairwise(CATALOGUE_BANDS))
    print(f"\n| listed as power law, above 1e-12 | form | {bands} GeV |\n|" + "---|" * 9)
    for name in ("BLL", "FSRQ"):
        use = (groups == name) & (CATALOGUE["SpectrumType"] == "PowerLaw") & (LOG_FLUX >= PEAK)
        chosen = CATALOGUE[use]
        measured = chosen["Flux_Band"].value.sum(axis=0)
        for form, table in (("power law", chosen), ("log-parabola", in_class_form(chosen))):
            model = spectra_of(table).flux(edges[:-1], edges[1:]).value.sum(axis=0)
            cells = " | ".join(f"{ratio:.2f}" for ratio in measured / model)
            print(f"| {name} ({len(chosen)}) | {form} | {cells} |")


def print_numbers(skies: dict[str, list[QTable]]) -> None:
    """Print sources by class and latitude, catalogue and mean of the synthetic ones."""
    bands = [f"{a:g}-{b:g}" for a, b in pairwise(LATITUDE_EDGES)]
    print(f"\n| abs(b) (deg) | | {' | '.join(bands)} | all | chi2 of a sky, p > 0.05 |")
    print("|" + "---|" * 10)
    bright = CATALOGUE[LOG_FLUX >= PEAK]
    lat = np.abs(bright["GLAT"].value)
    groups = class_group(bright["CLASS1"])
    shares = class_shares(groups, lat)
    literal = class_shares(groups, lat, isotropic=False)
    for i, name in enumerate((*CLASSES, "all")):
        of = slice(None) if name == "all" else slice(i, i + 1)
        wanted = np.histogram(lat, LATITUDE_EDGES, weights=shares[:, of].sum(axis=1))[0]
        plain = np.histogram(lat, LATITUDE_EDGES, weights=literal[:, of].sum(axis=1))[0]
        print_counts(name, "4FGL-DR2", wanted, "")
        print_counts(name, "4FGL-DR2, plain class mix", plain, "")
        for key in ("default", "paper"):
            found = np.array([latitude_counts(sky, name) for sky in skies[key]])
            print_counts(name, key, found.mean(axis=0), chi2(found, wanted))


def latitude_counts(sky: QTable, name: str) -> np.ndarray:
    """Sources above the peak in each band of latitude."""
    use = sky["energy_flux"].value >= 10**PEAK
    if name != "all":
        use &= sky["class_label"] == name
    return np.histogram(np.abs(sky["glat"].value[use]), LATITUDE_EDGES)[0]


def print_counts(name: str, key: str, counts: np.ndarray, note: str) -> None:
    cells = " | ".join(f"{count:.0f}" for count in counts)
    print(f"| {name} | {key} | {cells} | {counts.sum():.0f} | {note} |")


def chi2(found: np.ndarray, wanted: np.ndarray) -> str:
    """Deviation of single skies from the numbers of the catalogue."""
    values = np.sum((found - wanted) ** 2 / np.maximum(wanted, 1), axis=1)
    n_good = int(np.sum(stats.chi2(len(wanted)).sf(values) > 0.05))
    return f"{values.mean():.1f}, {n_good} of {len(values)}"


def print_fluxes(skies: list[QTable]) -> None:
    """Print numbers above a flux, catalogue and synthetic."""
    print("\n| energy flux 1-100 GeV > | 4FGL-DR2 | synthetic | difference in Poisson errors |")
    print("|---|---|---|---|")
    for low in LOWER_LIMITS:
        real = int(np.sum(np.log10(low) <= LOG_FLUX))
        drawn = [np.sum(sky["energy_flux"].value >= low) for sky in skies]
        pull = (np.mean(drawn) - real) / np.sqrt(real)
        print(f"| {low:.1e} | {real} | {np.mean(drawn):.0f} ± {np.std(drawn):.0f} | {pull:+.2f} |")
    drawn = np.concatenate([np.log10(sky["energy_flux"].value.astype(float)) for sky in skies])
    print(f"\nKS above 1e-12: {ks(LOG_FLUX[LOG_FLUX >= PEAK], drawn[drawn >= PEAK])}")


def print_variability() -> None:
    """Print the fractional variability of bright blazars."""
    from gammafind.plugins.fermi_lat.population.variability import draw_history

    print("\n| above 20 sigma | sources | of them 0 | 16, 50, 84 % real | synthetic | KS |")
    print("|---|---|---|---|---|---|")
    for name in ("BLL", "FSRQ"):
        rows = members_of(CATALOGUE, name).rows
        bright = rows[np.asarray(CATALOGUE["Signif_Avg"])[rows] > 20]
        real = np.asarray(CATALOGUE["Frac_Variability"])[bright]
        parameters = POPULATIONS["default"].fit.classes[name].variability
        history = draw_history(20000, parameters, rng=np.random.default_rng(1))
        drawn = history.std(axis=1, ddof=1)
        quantiles = [
            ", ".join(f"{q:.2f}" for q in np.quantile(sample, [0.16, 0.5, 0.84]))
            for sample in (real, drawn)
        ]
        n_zero = int(np.sum(real == 0))
        print(f"| {name} | {len(real)} | {n_zero} | {' | '.join(quantiles)} | {ks(real, drawn)} |")


if __name__ == "__main__":
    main()
