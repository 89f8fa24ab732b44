"""The rendered 4FGL-DR2 on the real LAT sky of 573 weeks: norms, chi2, a map of residuals."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import astropy.units as u
import healpy as hp
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from results import kept
from scipy import sparse

from gammafind.fitting.photons.joint import fit_jointly
from gammafind.plugins.fermi_lat.embedded import demo_counts_path, load_4fgl_dr2
from gammafind.plugins.fermi_lat.renderer import FermiLatRenderer
from gammafind.plugins.fermi_lat.sources import true_sources
from gammafind.presets.preset import build, load_preset
from gammafind.sky.pixels import HealpixPixels
from gammafind.views.image import all_sky_wcs
from gammafind.views.style import png, styled

PRESET = "fermi-lat-psf3-2-20"
MASK = 20 * u.deg
N_SOURCES = 16
APART, SHARE = 2 * u.deg, 0.1
DISC = 3 * u.deg
SAME_PLACE = 0.1 * u.deg
CRAB = SkyCoord(83.633, 22.014, unit="deg")
FWHM, NEIGHBOURS = 1 * u.deg, 49
COLOURS = 13
YEARS_OF_COUNTS = 4011 / 365.25
YEARS_OF_CATALOGUE = 10


@kept("rendering_real_sky")
def main() -> None:
    """Print the tables of docs/validation/rendering.md."""
    sky = real_sky()
    print_norms(sky)
    print_sources(sky)


def real_sky() -> Sky:
    """The real sky of the preset, and the catalogue on it."""
    return Sky(build(load_preset(PRESET).renderer), true_sources(load_4fgl_dr2()))


@dataclass(frozen=True, eq=False)
class Sky:
    """The real counts and what is rendered for them.

    Parameters
    ----------
    renderer : FermiLatRenderer
    sources : QTable
        As from `true_sources`.
    """

    renderer: FermiLatRenderer
    sources: QTable

    @property
    def pixels(self) -> HealpixPixels:
        """Pixels of the one band."""
        return self.renderer.pixels[0]

    @cached_property
    def counts(self) -> np.ndarray:
        """Photons in each pixel."""
        return hp.read_map(demo_counts_path(), dtype=float)

    @cached_property
    def rendered(self) -> np.ndarray:
        """Expected counts of all sources."""
        return self.render(np.arange(len(self.sources)))

    @cached_property
    def templates(self) -> dict[str, np.ndarray]:
        """Expected counts of sources, interstellar and isotropic emission."""
        background = self.renderer.background().items()
        diffuse = {name: sky.values[0].astype(float) for name, sky in background}
        return {"sources": self.rendered} | diffuse

    @cached_property
    def high(self) -> np.ndarray:
        """Pixels further than `MASK` from the Galactic plane."""
        return np.abs(self.pixels.vectors[:, 2]) > np.sin(MASK)

    @cached_property
    def norms(self) -> np.ndarray:
        """Norm of each template, fitted to the pixels of `high`."""
        stack = np.column_stack(list(self.templates.values()))[self.high]
        return fitted_norms(self.counts[self.high], np.zeros(len(stack)), stack)

    @cached_property
    def model(self) -> np.ndarray:
        """Expected counts of all templates with their norms."""
        return np.column_stack(list(self.templates.values())) @ self.norms

    @cached_property
    def positions(self) -> SkyCoord:
        """Positions of the sources."""
        return SkyCoord(self.sources["ra"], self.sources["dec"])

    @cached_property
    def predicted(self) -> np.ndarray:
        """Expected counts of each source on the whole sky."""
        return self.renderer.source_counts(self.sources)[:, 0]

    def render(self, rows: np.ndarray) -> np.ndarray:
        """Expected counts of the sources of these rows together."""
        return self.renderer.render(self.sources[rows]).values[0].astype(float)

    def isolated(self) -> list[np.ndarray]:
        """Rows of the brightest sources without neighbours, each alone, brightest first.

        Point sources for which all others within 2 deg have in total less than a tenth of the
        expected counts.
        """
        found = []
        for row in np.argsort(-self.predicted):
            near = self.positions.separation(self.positions[row]) < APART
            near[row] = False
            crowded = self.predicted[near].sum() > SHARE * self.predicted[row]
            if not crowded and not str(self.sources["Extended_Source_Name"][row]).strip():
                found.append(np.array([row]))
            if len(found) == N_SOURCES:
                break
        return found

    def norm_of(self, rows: np.ndarray) -> tuple[float, float]:
        """Norm of the sources of ``rows`` together, and its statistical error.

        Fitted within 3 deg, with one norm of the diffuse emission; all other sources have the
        values of the catalogue.
        """
        centre = self.positions[rows[0]].galactic.cartesian.xyz.value
        disc = hp.query_disc(self.pixels.nside, centre, DISC.to_value("rad"))
        chosen = self.render(rows)
        diffuse = self.model - self.norms[0] * self.rendered
        templates = np.column_stack([chosen[disc], diffuse[disc]])
        others = (self.rendered - chosen)[disc]
        norms = fitted_norms(self.counts[disc], others, templates)
        weights = templates / np.sqrt(others + templates @ norms)[:, None]
        return norms[0], np.sqrt(np.linalg.inv(weights.T @ weights)[0, 0])

    def longer(self, rows: np.ndarray) -> float:
        """Ratio of the mean flux in the time of the counts to that of the catalogue.

        The counts end one year after the catalogue; for this year the last year of the catalogue is
        used.
        """
        history = np.asarray(self.sources["flux_history"][rows[0]], dtype=float)
        extra = YEARS_OF_COUNTS - YEARS_OF_CATALOGUE
        return (history.sum() + extra * history[-1]) / (YEARS_OF_COUNTS * history.mean())


def print_norms(sky: Sky) -> None:
    """Print the norms of the templates, and chi2."""
    print("| template, fitted at abs(b) > 20 deg | norm |\n|---|---|")
    for name, norm in zip(sky.templates, sky.norms, strict=True):
        print(f"| {name} | {norm:.3f} |")
    chi2 = (sky.counts - sky.model) ** 2 / sky.model
    print(
        "\n| where | chi2 a pixel |\n|---|---|\n"
        f"| abs(b) > 20 deg | {chi2[sky.high].mean():.3f} |\n"
        f"| abs(b) < 20 deg | {chi2[~sky.high].mean():.3f} |\n"
        f"| all sky | {chi2.mean():.3f} |"
    )


def print_sources(sky: Sky) -> None:
    """Print the norms of the brightest isolated sources, and that of the Crab."""
    print(
        "\n| source | b (deg) | expected counts | norm | expected of a longer time |"
        "\n|---|---|---|---|---|"
    )
    crab = np.flatnonzero(sky.positions.separation(CRAB) < SAME_PLACE)
    isolated = sky.isolated()
    for rows in [*isolated, crab]:
        norm, error = sky.norm_of(rows)
        first = sky.sources[rows[np.argmax(sky.predicted[rows])]]
        print(
            f"| {str(first['ASSOC1']).strip()} | {first['GLAT'].value:.1f} "
            f"| {sky.predicted[rows].sum():.0f} | {norm:.3f} ± {error:.3f} "
            f"| {sky.longer(rows):.3f} |"
        )
    within = sum(abs(sky.norm_of(rows)[0] - 1) < 0.1 for rows in isolated)
    print(f"\nWithin 10 %: {within} of {len(isolated)}; the Crab, last, is not among them.")


def significance(sky: Sky) -> np.ndarray:
    """Counts minus model in a Gaussian, divided by the Poisson error of that sum."""
    sigma = FWHM.to_value("rad") / np.sqrt(8 * np.log(2))
    near = sky.pixels.nearest(sky.pixels.vectors, NEIGHBOURS)
    cosine = np.einsum("nki,ni->nk", sky.pixels.vectors[near], sky.pixels.vectors)
    weight = np.exp((cosine - 1) / sigma**2)
    residual = np.sum(weight * (sky.counts - sky.model)[near], axis=1)
    return residual / np.sqrt(np.sum(weight**2 * sky.model[near], axis=1))


def draw(sky: Sky) -> bytes:
    """Residuals of the whole sky in Galactic coordinates, as a PNG."""
    from astropy.visualization.wcsaxes.frame import EllipticalFrame
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    colours = colormaps["RdBu_r"].resampled(COLOURS)
    wcs, shape = all_sky_wcs(700)
    y, x = np.indices(shape)
    lon, lat = wcs.pixel_to_world_values(x, y)
    on_sky = np.isfinite(lon)
    image = np.full(shape, np.nan)
    places = SkyCoord(lon[on_sky], lat[on_sky], unit="deg", frame="galactic")
    image[on_sky] = sky.pixels.interpolate(significance(sky), places)
    with styled():
        figure = Figure(figsize=(9, 5.6), dpi=100)
        axes = figure.add_axes(
            (0.03, 0.16, 0.94, 0.78), projection=wcs, frame_class=EllipticalFrame
        )
        shown = axes.imshow(image, cmap=colours, vmin=-6.5, vmax=6.5, origin="lower")
        _mark(axes)
        figure.suptitle("Counts minus model, 2-20 GeV, 573 weeks, UltracleanVeto PSF3", y=0.985)
        bar = figure.colorbar(
            shown,
            cax=figure.add_axes((0.28, 0.10, 0.44, 0.025)),
            orientation="horizontal",
            extend="both",
        )
        bar.set_label(f"Residual in a Gaussian of {FWHM.value:g} deg FWHM (standard deviations)")
        return png(figure)


def _mark(axes) -> None:
    """Graticule with labels, and the latitudes that limit the fitted sky."""
    longitude, latitude = axes.coords
    longitude.set_ticks(spacing=60 * u.deg)
    latitude.set_ticks(spacing=30 * u.deg)
    longitude.set_ticks_visible(False)
    longitude.set_ticklabel_visible(False)
    latitude.set_ticks_visible(False)
    latitude.set_major_formatter("d")
    axes.coords.grid(color="0.5", alpha=0.5, linewidth=0.5)
    galactic = axes.get_transform("galactic")
    along = np.linspace(179.9, -179.9, 361)
    for side in (-1, 1):
        edge = np.full_like(along, side * MASK.value)
        axes.plot(along, edge, "k--", transform=galactic, linewidth=1)
    for lon in np.arange(-120, 121, 60):
        axes.text(lon, -8, f"{lon % 360}°", transform=galactic, ha="center", fontsize=8)


def fitted_norms(counts: np.ndarray, others: np.ndarray, templates: np.ndarray) -> np.ndarray:
    """Norm of each template at the maximum of the Poisson likelihood."""
    start = np.ones(templates.shape[1])
    fixed = np.maximum(others, 1e-6)
    return fit_jointly(counts, fixed, sparse.csr_array(templates), start).amplitude


if __name__ == "__main__":
    main()
