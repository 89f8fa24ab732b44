"""The Crab and the isotropic emission of one day against gtsrcmaps and gtmodel; needs ../shared."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import QTable
from astropy.wcs import WCS
from results import kept
from scipy.ndimage import maximum_filter, minimum_filter
from scipy.optimize import least_squares, minimize

from gammafind.plugins.fermi_lat.diffuse import isotropic_intensity
from gammafind.plugins.fermi_lat.irf import (
    Response,
    livetime_exposure,
    read_livetime_cube,
)
from gammafind.plugins.fermi_lat.isotropic import read_isotropic
from gammafind.plugins.fermi_lat.renderer import FermiLatRenderer
from gammafind.sky.areas import pixel_areas
from gammafind.sky.bands import Band
from gammafind.sky.pixels import Pixels, WcsPixels

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "fermi"
CRAB = SkyCoord(83.6331, 22.0145, unit="deg")
EDGES = np.geomspace(200, 20000, 21)
RANGE = (100.0, 500_000.0)
START = (3.0, 2.3, 1.9, 1.0)
PEAK_SHARE = 0.01


@kept("fermitools")
def main() -> None:
    """Print the table of docs/validation/rendering.md."""
    reference = Reference(DATA / "reference" / "fermitools_crab_1day")
    renderer = day_renderer(DATA)
    unit = unit_crab(renderer, reference.pixels)
    print("| what | figure | limit |\n|---|---|---|")
    _print_isotropic(renderer, reference)
    listed = unit.counts(1e-7, 2.0).sum()
    print(f"| Crab of source_model.xml, counts | {listed:.2f} | |")
    for name, parameters in (
        ("fitted to gtmodel's map", recover(unit, reference)),
        ("fitted to the photons", fit_photons(unit, reference)),
    ):
        _print_crab(name, parameters, unit, reference)


@dataclass(frozen=True, eq=False)
class Reference:
    """Outputs of the Fermitools for one day at the Crab.

    Parameters
    ----------
    folder : Path
    """

    folder: Path

    @cached_property
    def photons(self) -> np.ndarray:
        """Counts of gtbin, shape (20, 100, 100)."""
        return fits.getdata(self.folder / "cntmap.fits.gz").astype(float)

    @cached_property
    def model(self) -> np.ndarray:
        """Expected counts of gtmodel: all sources, all energies, shape (100, 100)."""
        return fits.getdata(self.folder / "modmap.fits.gz").astype(float)

    @cached_property
    def isotropic(self) -> np.ndarray:
        """Expected counts of the isotropic emission in each bin, with norm one."""
        spectrum = read_isotropic(self.folder / "iso_P8R2_SOURCE_V6_v06.txt")
        return self._bins("Extragal_diffuse", spectrum.differential(EDGES * u.MeV).value)

    @cached_property
    def galactic(self) -> np.ndarray:
        """Expected counts of the interstellar emission in each bin, with norm one."""
        return self._bins("Galactic_diffuse", np.ones_like(EDGES))

    @property
    def pixels(self) -> WcsPixels:
        """Pixels of all maps."""
        header = fits.getheader(self.folder / "modmap.fits.gz")
        return WcsPixels(WCS(header, fix=False).celestial, self.model.shape)

    def source_map(self, name: str) -> np.ndarray:
        """Source map of gtsrcmaps at the edges of the bins, without a spectrum."""
        return fits.getdata(self.folder / "srcmap.fits.gz", name).astype(float)

    def _bins(self, name: str, spectrum: np.ndarray) -> np.ndarray:
        """Source map times spectrum, integrated over each bin as power laws between its edges."""
        per_log = self.source_map(name) * (spectrum * EDGES)[:, None, None]
        low, high = per_log[:-1], per_log[1:]
        mean = np.where(np.isclose(low, high), low, (high - low) / np.log(high / low))
        return mean * np.log(EDGES[1] / EDGES[0])


@dataclass(frozen=True, kw_only=True)
class DayRenderer(FermiLatRenderer):
    """The renderer with the livetime of one day: PSF at the Crab, exposure on the whole sky."""

    livetime_cube: str
    # gtmodel made the reference without energy dispersion.
    dispersion: bool = False

    @cached_property
    def cube(self):
        """Livetime cube of gtltcube."""
        return read_livetime_cube(self.livetime_cube)

    @cached_property
    def responses(self) -> tuple[Response, ...]:
        """PSF and effective area, averaged over the livetime at the Crab."""
        return tuple(one.with_livetime(self.cube.at(CRAB)) for one in super().responses)

    def _exposure(self, pixels: tuple[Pixels, ...]) -> tuple[np.ndarray, ...]:
        return tuple(
            self._band_exposure(band, target.centres())
            for band, target in zip(self.bands, pixels, strict=True)
        )

    def _exposure_at(self, vectors: np.ndarray) -> np.ndarray:
        positions = SkyCoord(*vectors.T, representation_type="cartesian", frame="galactic")
        return np.stack([self._band_exposure(band, positions) for band in self.bands])

    def _band_exposure(self, band: Band, positions: SkyCoord) -> np.ndarray:
        energy = np.geomspace(band.low, band.high, 5)
        at = livetime_exposure(self.responses[0], self.cube, energy, positions)
        photons = energy.to_value("MeV") ** (1 - self.index) * [0.5, 1, 1, 1, 0.5]
        return np.average(at.to_value("cm2 s"), axis=0, weights=photons)


@dataclass(frozen=True, eq=False)
class UnitCrab:
    """Expected counts of the Crab for any power law.

    Parameters
    ----------
    rendered : ndarray, shape (20, 100, 100)
        Counts of a spectrum with one photon cm-2 s-1 in each bin.
    """

    rendered: np.ndarray

    def counts(self, flux: float, index: float) -> np.ndarray:
        """Counts in each bin and pixel of ``flux`` between 100 MeV and 500 GeV."""
        integral = np.diff(EDGES ** (1 - index)) / np.diff(np.power(RANGE, 1 - index))
        return self.rendered * (flux * integral)[:, None, None]


def day_renderer(data: Path) -> DayRenderer:
    """Our renderer under the conditions of the reference."""
    day = data / "reference" / "fermitools_crab_1day"
    return DayRenderer(
        event_types=("FRONT+BACK",),
        energies=tuple(EDGES / 1000),
        nsides=(64,) * (len(EDGES) - 1),
        psf_file=str(data / "irf" / "psf_P8R2_SOURCE_V6_FB.fits"),
        aeff_file=str(data / "irf" / "aeff_P8R2_SOURCE_V6_FB.fits"),
        isotropic=str(day / "iso_P8R2_SOURCE_V6_v06.txt"),
        livetime_cube=str(day / "ltcube.fits.gz"),
    )


def unit_crab(renderer: FermiLatRenderer, pixels: WcsPixels) -> UnitCrab:
    """Render a power law of index 2.3 at the Crab, and divide by its flux in each bin."""
    amplitude, index = 1e-6, 2.3
    source = QTable(
        {
            "name": ["Crab"],
            "ra": [CRAB.ra.deg] * u.deg,
            "dec": [CRAB.dec.deg] * u.deg,
            "class_label": ["PWN+SNR"],
            "flux": [1e-7] / (u.cm**2 * u.s),
            "SpectrumType": ["PowerLaw"],
            "Pivot_Energy": [100.0] * u.MeV,
            "PL_Flux_Density": [amplitude] / (u.cm**2 * u.s * u.MeV),
            "PL_Index": [index],
        }
    )
    maps = renderer.render(source, (pixels,) * len(renderer.bands)).values
    flux = amplitude * 100**index * np.diff(EDGES ** (1 - index)) / (1 - index)
    return UnitCrab(np.stack(maps).astype(float) / flux[:, None, None])


def source_map_deviation(renderer: DayRenderer, reference: Reference) -> np.ndarray:
    """Deviation of exposure times solid angle from the isotropic source map at each edge."""
    pixels = reference.pixels
    exposure = livetime_exposure(
        renderer.responses[0], renderer.cube, EDGES * u.MeV, pixels.centres()
    ).to_value("cm2 s")
    area = pixel_areas(pixels).reshape(pixels.shape)
    return exposure * area / reference.source_map("Extragal_diffuse") - 1


def source_map_totals(renderer: DayRenderer, reference: Reference) -> np.ndarray:
    """Deviation of the sum over pixels from that of the isotropic source map at each edge."""
    theirs = reference.source_map("Extragal_diffuse")
    ours = theirs * (1 + source_map_deviation(renderer, reference))
    return ours.sum(axis=(1, 2)) / theirs.sum(axis=(1, 2)) - 1


def away_from_steps(renderer: DayRenderer, reference: Reference) -> np.ndarray:
    """Pixels whose surroundings of 0.6 deg are within one pixel of the livetime cube."""
    number = renderer.cube.pixels.pixel_of(reference.pixels.centres())
    return maximum_filter(number, 7) == minimum_filter(number, 7)


def isotropic_map(renderer: FermiLatRenderer, reference: Reference) -> np.ndarray:
    """Our expected counts of the isotropic emission in each bin and pixel."""
    pixels = reference.pixels
    exposure = np.stack(renderer.exposure((pixels,) * len(renderer.bands)).values)
    intensity = isotropic_intensity(
        renderer.isotropic, renderer.responses[0], renderer.bands, index=renderer.index
    )
    return exposure * pixel_areas(pixels).reshape(pixels.shape) * intensity[:, None, None]


def recover(unit: UnitCrab, reference: Reference) -> np.ndarray:
    """Flux (1e-6 cm-2 s-1), index and norms of isotropic and Galactic in gtmodel's map.

    The map has no noise: 10,000 pixels for four parameters.
    """

    def residuals(parameters: np.ndarray) -> np.ndarray:
        off = expected(parameters, unit, reference).sum(axis=0) - reference.model
        return (off / np.sqrt(reference.model)).ravel()

    return least_squares(residuals, START).x


def fit_photons(unit: UnitCrab, reference: Reference) -> np.ndarray:
    """Maximum-likelihood values of the same parameters for the photons, as in gtlike."""

    def minus_log_likelihood(parameters: np.ndarray) -> float:
        counts = expected(parameters, unit, reference)
        return counts.sum() - np.sum(reference.photons * np.log(counts))

    options = {"xatol": 1e-5, "fatol": 1e-6, "maxiter": 2000}
    return minimize(minus_log_likelihood, START, method="Nelder-Mead", options=options).x


def expected(parameters: np.ndarray, unit: UnitCrab, reference: Reference) -> np.ndarray:
    """Our Crab on the official diffuse emission, in each bin and pixel."""
    flux, index, isotropic, galactic = parameters
    crab = unit.counts(flux * 1e-6, index)
    return crab + isotropic * reference.isotropic + galactic * reference.galactic


def crab_deviation(
    parameters: np.ndarray, unit: UnitCrab, reference: Reference
) -> tuple[float, np.ndarray]:
    """Deviation of our Crab from gtmodel's map minus its diffuse emission.

    Returns
    -------
    total : float
    each : ndarray
        In each pixel above 1 % of the peak.
    """
    flux, index, isotropic, galactic = parameters
    ours = unit.counts(flux * 1e-6, index).sum(axis=0)
    diffuse = isotropic * reference.isotropic + galactic * reference.galactic
    theirs = reference.model - diffuse.sum(axis=0)
    bright = theirs > PEAK_SHARE * theirs.max()
    return ours.sum() / theirs.sum() - 1, ours[bright] / theirs[bright] - 1


def _print_crab(name: str, parameters: np.ndarray, unit: UnitCrab, reference: Reference) -> None:
    flux, index, isotropic, galactic = parameters
    total, each = crab_deviation(parameters, unit, reference)
    print(
        f"| {name}: flux (1e-6), index, isotropic and Galactic norm "
        f"| {flux:.3f}, {index:.3f}, {isotropic:.3f}, {galactic:.3f} | |\n"
        f"| Crab against gtmodel, total | {100 * total:+.3f} % | 2 % |\n"
        f"| the same, largest of {each.size} pixels above 1 % of the peak "
        f"| {_percent(np.abs(each).max())} | 5 % |\n"
        f"| the same, median pixel | {_percent(np.median(np.abs(each)))} | |"
    )


def _print_isotropic(renderer: DayRenderer, reference: Reference) -> None:
    ours, theirs = isotropic_map(renderer, reference).sum(), reference.isotropic.sum()
    off = np.abs(source_map_deviation(renderer, reference))
    flat = off[:, away_from_steps(renderer, reference)]
    totals = source_map_totals(renderer, reference)
    print(
        f"| isotropic counts, ours {ours:.3f}, source map times spectrum {theirs:.3f} "
        f"| {100 * (ours / theirs - 1):+.3f} % | 1 % |\n"
        f"| isotropic source map at {len(EDGES)} energies, largest deviation of the total "
        f"| {_percent(np.abs(totals).max())} | 1 % |\n"
        f"| the same, pixels within 1 % | {100 * np.mean(off < 0.01):.1f} % | |\n"
        f"| the same, pixels within 1 % away from steps of the livetime cube "
        f"| {100 * np.mean(flat < 0.01):.1f} % | |\n"
        f"| the same, largest of all pixels | {_percent(off.max())} | |"
    )


def _percent(value: float) -> str:
    return f"{100 * value:.3f} %"


if __name__ == "__main__":
    main()
