"""The embedded responses against the official files; `responses` prints and keeps the tables."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import astropy.units as u
import numpy as np
from raw_response import RawResponse, band_intensity, r68

from gammafind.plugins.fermi_lat.diffuse import isotropic_intensity
from gammafind.plugins.fermi_lat.embedded import load_isotropic
from gammafind.plugins.fermi_lat.irf import (
    EMBEDDED_RESPONSES,
    LivetimeProfile,
    Response,
    load_response,
    survey_profile,
)
from gammafind.sky.bands import energy_bands

__all__ = ["print_isotropic", "print_tables"]

ENERGIES_GEV = (0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000)
INCLINATIONS = np.array([0.0, 20, 40, 55, 70])
LIVETIME = np.array([1.0, 3.0, 5.0, 4.0, 2.0])
"""Livetime at each inclination in sums of types, about that of survey mode."""
ONCE = np.ones(1)
ALL_EVENTS = ("FRONT+BACK", "PSF0+PSF1+PSF2+PSF3", "EDISP0+EDISP1+EDISP2+EDISP3")
SUMS = (*ALL_EVENTS, "PSF2+PSF3", "EDISP1+EDISP2+EDISP3")
BANDS_GEV = (0.1, 0.3, 1, 3, 10, 30, 100, 500, 800)
N_LOW = 6
"""Number of these bands below 100 GeV."""


def print_tables(irf_folder: Path) -> None:
    """Print the deviations of PSF and effective area from integrals of the official tables."""
    print("\n| response | types | r68 of types | r68 of sums | area of sums |")
    print("|---|---|---|---|---|")
    for irf, types in EMBEDDED_RESPONSES.items():
        alone = max(deviation_of_type(irf_folder, irf, name) for name in types)
        radius, area = np.max([deviations_of_sum(irf_folder, irf, s) for s in sums(irf)], axis=0)
        print(f"| {irf} | {len(types)} | {alone:.3f} % | {radius:.3f} % | {area:.4f} % |")


def print_isotropic(irf_folder: Path, diffuse_folder: Path) -> None:
    """Print the deviations of isotropic intensities from integrals of the text files."""
    print("\n| response | bands of types | sums of types | all events, below 100 GeV | above |")
    print("|---|---|---|---|---|")
    for irf, types in EMBEDDED_RESPONSES.items():
        raw = {name: raw_bands(diffuse_folder, irf, name) for name in (*types, "FRONT+BACK")}
        alone = [own_bands(irf, name) / values - 1 for name, values in raw.items()]
        added, whole = [], []
        for names in sums(irf):
            ours = isotropic_intensity("embedded", load_response(irf, names), bands())
            parts = names.split("+")
            areas = [raw_areas(irf_folder, irf, name) for name in parts]
            mean = np.average([raw[name] for name in parts], axis=0, weights=areas)
            added.append(ours / mean - 1)
            if names in ALL_EVENTS:
                whole.append(ours / raw["FRONT+BACK"] - 1)
        low, high = np.split(100 * np.abs(whole).max(axis=0), [N_LOW])
        print(
            f"| {irf} | {100 * np.abs(alone).max():.4f} % | {100 * np.abs(added).max():.2f} % "
            f"| {low.max():.1f} % | {high.max():.0f} % |"
        )


def sums(irf: str) -> list[str]:
    """Sums of event types that a response has."""
    return [names for names in SUMS if set(names.split("+")) <= set(EMBEDDED_RESPONSES[irf])]


def deviation_of_type(folder: Path, irf: str, event_type: str) -> float:
    """Largest deviation of r68 in percent, at all energies and inclinations that are seen."""
    raw, response = RawResponse(folder, irf, event_type), load_response(irf, event_type)
    return 100 * max(
        abs(own_r68(response, energy, cosine, ONCE) / r68([raw], 1e3 * energy, cosine, ONCE) - 1)
        for energy in ENERGIES_GEV
        for cosine in np.cos(np.radians(INCLINATIONS))[:, None]
        if raw.effective_area(1e3 * energy, cosine[0]) > 0
    )


def deviations_of_sum(folder: Path, irf: str, names: str) -> tuple[float, float]:
    """Largest deviations in percent of r68 and of the effective area of a sum of types."""
    raw = [RawResponse(folder, irf, name) for name in names.split("+")]
    response, cosines = load_response(irf, names), np.cos(np.radians(INCLINATIONS))
    radii, areas = [], []
    for energy in ENERGIES_GEV:
        ours = own_r68(response, energy, cosines, LIVETIME)
        radii.append(ours / r68(raw, 1e3 * energy, cosines, LIVETIME) - 1)
        seen = response.effective_area(energy * u.GeV, cosines).to_value("cm2")
        expected = [sum(one.effective_area(1e3 * energy, c) for one in raw) for c in cosines]
        areas.append(seen / expected - 1)
    return 100 * np.abs(radii).max(), 100 * np.abs(areas).max()


def own_r68(response: Response, energy: float, cosines: np.ndarray, livetime: np.ndarray) -> float:
    """Radius in degrees that contains 68 % of the photons at an energy in GeV."""
    seen = response.with_livetime(LivetimeProfile(cosines, livetime))
    return seen.psf(energy * u.GeV).containment_radius(0.68).to_value(u.deg)


def bands() -> tuple:
    return energy_bands(BANDS_GEV * u.GeV)


def own_bands(irf: str, event_type: str) -> np.ndarray:
    """Embedded isotropic intensity of each band."""
    spectrum = load_isotropic(irf, event_type)
    return np.array([spectrum.band_intensity(band.low, band.high).value for band in bands()])


def raw_bands(folder: Path, irf: str, event_type: str) -> np.ndarray:
    """Isotropic intensity of each band from the text file."""
    name = irf if event_type == "FRONT+BACK" else f"{irf}_{event_type}"
    (path,) = folder.glob(f"iso_{name}_v[01]*.txt")
    edges = 1e3 * np.array(BANDS_GEV)
    return np.array([band_intensity(path, *edges[i : i + 2]) for i in range(len(edges) - 1)])


def raw_areas(folder: Path, irf: str, event_type: str) -> list[float]:
    """Mean effective area of each band over survey mode and a power law of index 2.3."""
    raw, profile = RawResponse(folder, irf, event_type), survey_profile()
    areas = []
    for low, high in pairwise(BANDS_GEV):
        energies = 1e3 * np.geomspace(low, high, 13)
        energies = np.sqrt(energies[1:] * energies[:-1])
        seen = [
            profile.livetime @ [raw.effective_area(energy, c) for c in profile.cos_theta]
            for energy in energies
        ]
        areas.append(float(np.average(seen, weights=energies**-1.3)))
    return areas
