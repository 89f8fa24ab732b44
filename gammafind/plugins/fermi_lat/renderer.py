"""The sky as the Fermi-LAT sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from os import PathLike
from typing import ClassVar

import numpy as np
from astropy.table import QTable

from gammafind.plugins.fermi_lat.catalogues import CLASS_GROUPS
from gammafind.plugins.fermi_lat.diffuse import interstellar_at_pixels, interstellar_in_patches
from gammafind.plugins.fermi_lat.embedded import load_4fgl_dr2
from gammafind.plugins.fermi_lat.fluxes import (
    band_fluxes,
    flux_history,
    galactic_vectors,
    positions,
)
from gammafind.plugins.fermi_lat.instrument import LatInstrument
from gammafind.plugins.fermi_lat.sources import read_fermi_sources
from gammafind.plugins.fermi_lat.years import N_YEARS
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.areas import pixel_areas
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.patch_points import PatchPoints, on_patches
from gammafind.sky.pixels import Pixels
from gammafind.sky.point_sources import patch_counts, sky_counts, sky_counts_of_each
from gammafind.sky.projection import to_frame
from gammafind.sky.psf import RadialPsf


@dataclass(frozen=True, kw_only=True)
class FermiLatRenderer(LatInstrument, SkyRenderer):
    """Fermi-LAT: PSF, exposure, interstellar and isotropic emission in energy bands.

    Parameters
    ----------
    irf : str
        Instrument response that comes with the package, such as ``"P8R3_ULTRACLEANVETO_V3"``.
    event_types : tuple of str
        FRONT, BACK or PSF0 to PSF3. Each is a channel with bands of its own; types joined with
        ``+``, such as ``"FRONT+BACK"``, share theirs.
    energies : tuple of float
        Edges of the energy bands in GeV.
    nsides : tuple of int
        HEALPix nside of each energy band.
    max_zeniths : tuple of float
        Largest zenith angle of the events in degrees, one for each energy band; 90 by default.
    year : int
        One of the ten years from 2008-08-04, 1 to 10; 0 is all of ``exposure_source``.
    exposure_source : str
        ``"ten-years"``, ``"573-weeks"`` or the path of an exposure file.
    interstellar : str
        ``"embedded"`` (approximate, 0.46 deg) or the path of a gll_iem cube.
    isotropic : str
        ``"embedded"`` or the path of an ``iso_*.txt`` file. In its name and in that of the file
        of ``exposure_source``, ``{type}`` is replaced by the event type of a channel.
    psf_file, aeff_file : str
        Official CALDB files ``psf_*`` and ``aeff_*`` of a response, instead of ``irf``.
    index : float
        Photon index over which PSF and effective area are averaged in a band.

    Notes
    -----
    The effective area is averaged in a band over the photons of each source where the table has
    spectra. The PSF is that of a power law with ``index``; so is the effective area for the
    diffuse emission. Energy dispersion is left out.

    References
    ----------
    van den Oetelaar et al. 2021, PoS(ICRC2021), section 2.3.
    """

    name: ClassVar[str] = "fermi-lat"
    presets: ClassVar[tuple[str, ...]] = tuple(
        f"gammafind.plugins.fermi_lat:presets/{name}.toml"
        for name in (
            "fermi-lat",
            "fermi-lat-p8r3",
            "fermi-lat-front-back",
            "fermi-lat-psf-types",
            "fermi-lat-psf3-2-20",
        )
    )

    catalogues: ClassVar[Mapping[str, Callable[[], QTable]]] = {"4fgl-dr2": load_4fgl_dr2}

    classes: ClassVar[tuple[str, ...]] = (*dict.fromkeys(CLASS_GROUPS.values()), "OTHER")

    def read_catalogue(self, source: str | PathLike) -> QTable | None:
        """Sources of a 4FGL file, of a copy of it, or of ``"4fgl-dr2"``."""
        return read_fermi_sources(source)

    def source_counts(self, sources: QTable) -> np.ndarray:
        """Expected counts of each source in each band on the whole sky, shape (n, n_bands)."""
        sources = self._checked(sources)
        return self._source_counts(sources, galactic_vectors(sources))

    def _background(self, pixels: tuple[Pixels, ...]) -> Mapping[str, tuple[np.ndarray, ...]]:
        scale = [
            exposure * pixel_areas(target).reshape(target.shape)
            for exposure, target in zip(self._exposure(pixels), pixels, strict=True)
        ]
        interstellar = (
            interstellar_at_pixels(self.interstellar, band, psf, target)
            for band, psf, target in zip(self.bands, self.psfs(), pixels, strict=True)
        )
        return {
            "interstellar": tuple(i * s for i, s in zip(interstellar, scale, strict=True)),
            "isotropic": tuple(i * s for i, s in zip(self._isotropic(), scale, strict=True)),
        }

    def _render(self, sources: QTable, pixels: tuple[Pixels, ...]) -> tuple[np.ndarray, ...]:
        vectors = galactic_vectors(sources)
        counts = self._source_counts(sources, vectors)
        return tuple(
            _render_band(vectors, counts[:, i], psf, target)
            for i, (psf, target) in enumerate(zip(self.psfs(), pixels, strict=True))
        )

    def _render_patches(
        self, sources: QTable, grid: PatchGrid, n_pixels: tuple[int, ...]
    ) -> tuple[tuple[np.ndarray, ...], ...]:
        vectors = galactic_vectors(sources)
        counts = self._source_counts(sources, vectors)
        points = {width: PatchPoints(grid, width) for width in set(n_pixels)}
        exposure = on_patches(self._exposure_at, grid, n_pixels)
        isotropic = self._isotropic()
        rendered, background = [], []
        for i, (band, psf, width) in enumerate(zip(self.bands, self.psfs(), n_pixels, strict=True)):
            here = points[width]
            in_frame = to_frame(vectors, grid.frame)
            rendered.append(patch_counts(in_frame, counts[:, i], here, psf))
            diffuse = interstellar_in_patches(self.interstellar, band, psf, here) + isotropic[i]
            background.append(diffuse * exposure[i] * here.areas.astype(np.float32))
        return tuple(rendered), tuple(background), exposure

    def _component_epochs(self, sources: QTable, band: int) -> Iterator[tuple[str, np.ndarray]]:
        if not self.epochs:
            yield from super()._component_epochs(sources, band)
            return
        pixels, psf = self.pixels[band], self.psfs()[band]
        shares = self._year_shares(pixels.centres(), band).astype(np.float32)
        for name in np.unique(sources["class_label"]).tolist():
            chosen = sources[np.asarray(sources["class_label"]) == name]
            vectors = galactic_vectors(chosen)
            mean = self._mean_counts(chosen, vectors)[:, band]
            if np.all(flux_history(chosen) == 1):
                # What does not vary is rendered once: shares hardly change within a PSF.
                yield name, shares * _render_band(vectors, mean, psf, pixels)
                continue
            yearly = mean * self._year_shares(positions(chosen), band) * flux_history(chosen).T
            maps = np.empty((N_YEARS, *pixels.shape), dtype=np.float32)
            each = sky_counts_of_each(vectors, yearly, pixels, psf)
            for year, values in enumerate(each):
                maps[year] = values
            yield name, maps
        for name, sky in self._alone(band).background().items():
            yield name, shares * sky.values[0].astype(np.float32)

    def _source_counts(self, sources: QTable, vectors: np.ndarray) -> np.ndarray:
        """Expected counts, shape (n, n_bands), of sources at Galactic unit vectors."""
        mean = self._mean_counts(sources, vectors)
        if self.year:
            return mean * flux_history(sources)[:, self.year - 1, None]
        if not self.epochs or "flux_history" not in sources.colnames:
            return mean
        here, history = positions(sources), flux_history(sources).T
        weights = [
            np.sum(self._year_shares(here, i) * history, axis=0) for i in range(len(self.bands))
        ]
        return mean * np.stack(weights, axis=1)

    def _mean_counts(self, sources: QTable, vectors: np.ndarray) -> np.ndarray:
        """Expected counts, shape (n, n_bands), of sources that do not vary."""
        flux = band_fluxes(sources, self._energy_bands, self.index)
        seen = [flux * channel.source_areas(sources) for channel in self._channels]
        return np.concatenate(seen, axis=1) * self._exposure_at(vectors).T


def _render_band(
    vectors: np.ndarray, counts: np.ndarray, psf: RadialPsf, pixels: Pixels
) -> np.ndarray:
    """Expected counts in a band of sources at Galactic unit vectors."""
    vectors = to_frame(vectors, pixels.frame)
    seen = sky_counts(vectors, counts, pixels, psf)
    return seen.reshape(pixels.shape).astype(np.float32)
