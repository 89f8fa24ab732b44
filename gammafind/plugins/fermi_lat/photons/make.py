"""Photon list, spacecraft file and exposure of one simulated sky."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from gammafind.plugins.fermi_lat.diffuse import isotropic_spectra
from gammafind.plugins.fermi_lat.fluxes import flux_history, positions
from gammafind.plugins.fermi_lat.instrument import LatInstrument
from gammafind.plugins.fermi_lat.isotropic import IsotropicSpectrum
from gammafind.plugins.fermi_lat.option_checks import CHANNEL
from gammafind.plugins.fermi_lat.photons.emission import (
    INTERSTELLAR,
    ISOTROPIC,
    Emission,
    InterstellarEmission,
    IsotropicEmission,
    SourceEmission,
)
from gammafind.plugins.fermi_lat.photons.exposure import (
    PointingExposure,
    livetime_by_year,
    pointing_exposure,
    write_pointing_exposure,
)
from gammafind.plugins.fermi_lat.photons.ft1 import FirstPage, TypeBits, write_photons
from gammafind.plugins.fermi_lat.photons.ft2 import write_spacecraft
from gammafind.plugins.fermi_lat.photons.pointing import Pointing
from gammafind.plugins.fermi_lat.photons.sample import PHOTON, draw_photons
from gammafind.plugins.fermi_lat.photons.selection import Selection
from gammafind.plugins.fermi_lat.photons.stream import Sorter
from gammafind.sky.bands import Band, energy_bands
from gammafind.sky.drawn import DrawnPhotons
from gammafind.sky.skymap import SkyMap
from gammafind.utils.progress import track

PHOTONS, SPACECRAFT, EXPOSURE = "ft1.fits", "ft2.fits", "exposure.fits"
"""Names of the files; with several channels the exposure has the event types in its name."""

_ZENITH = 90.0
"""Zenith cut in degrees where the instrument has none."""
_TOGETHER = 500_000
"""Photons sorted and written together: limits memory."""


@dataclass(frozen=True, eq=False)
class PhotonMaker:
    """Makes the files of one pointing for one instrument.

    Parameters
    ----------
    instrument : LatInstrument
    pointing : Pointing
    """

    instrument: LatInstrument
    pointing: Pointing

    @cached_property
    def exposures(self) -> tuple[PointingExposure, ...]:
        """Exposure of each channel."""
        zeniths = sorted(set(self._zeniths))
        known = {zenith: livetime_by_year(self.pointing, zenith) for zenith in zeniths}
        return tuple(
            pointing_exposure(response, self._energy_bands, self._zeniths, self.pointing, known)
            for response in self.instrument.responses
        )

    def write_pointing(self, folder: Path) -> str:
        """Write spacecraft file and exposure.

        Returns
        -------
        str
            The exposure as ``exposure_source`` of the instrument.
        """
        write_spacecraft(self.pointing, folder / SPACECRAFT)
        several = len(self.exposures) > 1
        name = EXPOSURE.replace(".", f"_{CHANNEL}.") if several else EXPOSURE
        for types, exposure in zip(self.instrument.event_types, self.exposures, strict=True):
            write_pointing_exposure(exposure, folder / name.replace(CHANNEL, types))
        return str(folder / name)

    def varied(self, sources: QTable, counts: np.ndarray) -> np.ndarray:
        """Expected counts of sources that vary, shape (n, n_bands), from those of steady ones."""
        history = flux_history(sources)
        if np.all(history == 1):
            return counts
        here = positions(sources)
        factors = [(self._shares(here, band) * history).sum(axis=1) for band in self._all_bands]
        return counts * np.stack(factors, axis=1)

    def write_photons(
        self,
        folder: Path,
        sources: QTable,
        counts: np.ndarray,
        diffuse: Mapping[str, np.ndarray],
        *,
        rng: np.random.Generator,
    ) -> DrawnPhotons:
        """Draw the photons, and write them in the order of time.

        Parameters
        ----------
        folder : Path
        sources : QTable
        counts : ndarray, shape (n, n_bands)
            Expected counts of each source.
        diffuse : mapping
            Expected counts of ``"interstellar"`` and ``"isotropic"`` in each band.
        rng : numpy.random.Generator

        Returns
        -------
        DrawnPhotons
        """
        expected = {"sources": counts.sum(axis=0), **diffuse}
        n_parts = int(np.ceil(sum(values.sum() for values in expected.values()) / _TOGETHER))
        edges = np.linspace(self.pointing.start, self.pointing.stop, max(n_parts, 1) + 1)
        maps = [np.zeros(pixels.shape, dtype=np.int64) for pixels in self.instrument.pixels]
        with tempfile.TemporaryDirectory(dir=folder, prefix=".photons") as temporary:
            sorter = Sorter(Path(temporary), edges, PHOTON)
            for band in track(self._all_bands, "photons"):
                for photons in self._of_band(band, sources, counts, diffuse, rng):
                    self._count(photons, band, maps[band])
                    sorter.add(photons)
            write_photons(folder / PHOTONS, self._page, sorter.n, sorter)
        sky = SkyMap(self.instrument.bands, self.instrument.pixels, tuple(maps))
        return DrawnPhotons(counts=sky, expected=expected)

    def _of_band(
        self,
        band: int,
        sources: QTable,
        counts: np.ndarray,
        diffuse: Mapping[str, np.ndarray],
        rng: np.random.Generator,
    ) -> Iterator[np.ndarray]:
        """Photons of one component after the other in a band of a channel."""
        selection = self._selection(band)
        numbers = rng.poisson(counts[:, band])
        if numbers.any():
            emission = SourceEmission(sources, *selection.true_range, self.instrument.index)
            which = np.repeat(np.arange(len(numbers)), numbers)
            yield from self._drawn(emission, which, selection, band, rng)
        number = rng.poisson(diffuse["interstellar"][band])
        if number:
            emission = InterstellarEmission(self.instrument.interstellar, *selection.true_range)
            which = np.full(number, INTERSTELLAR)
            yield from self._drawn(emission, which, selection, band, rng)
        for part, share, emission in self._isotropic(selection, band):
            which = np.full(rng.poisson(share * diffuse["isotropic"][band]), ISOTROPIC)
            yield from self._drawn(emission, which, part, band, rng)

    def _drawn(
        self,
        emission: Emission,
        which: np.ndarray,
        selection: Selection,
        band: int,
        rng: np.random.Generator,
    ) -> Iterator[np.ndarray]:
        others = self._other_types[band // len(self._energy_bands)]
        for start in range(0, len(which), _TOGETHER):
            part = which[start : start + _TOGETHER]
            photons = draw_photons(emission, part, selection, self.pointing, rng=rng)
            energy = photons["true_energy"].astype(float)
            photons["type"] |= others.draw(energy, photons["cosine"].astype(float), rng=rng)
            yield photons

    def _isotropic(
        self, selection: Selection, band: int
    ) -> Iterator[tuple[Selection, float, Emission]]:
        """Each event type with its share and its own spectrum."""
        response = selection.response
        types = self.instrument.event_types[band // len(self._energy_bands)]
        spectra = isotropic_spectra(self.instrument.isotropic.replace(CHANNEL, types), response)
        parts, counts = [], []
        for name, spectrum in zip(response.event_types, spectra, strict=True):
            part = replace(selection, response=response.only(name))
            parts.append((part, IsotropicEmission(spectrum, part.low, part.high)))
            counts.append(_counts(spectrum, part))
        for (part, emission), share in zip(parts, counts / np.sum(counts), strict=True):
            yield part, share, emission

    def _count(self, photons: np.ndarray, band: int, counts: np.ndarray) -> None:
        """Add photons to the map of their band."""
        ra, dec = (photons[name].astype(float) for name in ("ra", "dec"))
        pixels = self.instrument.pixels[band]
        index = pixels.pixel_of(SkyCoord(ra, dec, unit="deg", frame="icrs"))
        np.add.at(counts, index, 1)

    def _selection(self, band: int) -> Selection:
        channel, energy = divmod(band, len(self._energy_bands))
        low, high = self._energy_bands[energy].edges.to_value(u.MeV)
        response = self.instrument.responses[channel]
        return Selection(response, float(low), float(high), self._zeniths[energy])

    def _shares(self, here: SkyCoord, band: int) -> np.ndarray:
        """Share of each year in the exposure of a band, shape (n, 10)."""
        channel, energy = divmod(band, len(self._energy_bands))
        return self.exposures[channel].year_shares(here, energy, index=self.instrument.index)

    @cached_property
    def _other_types(self) -> tuple[TypeBits, ...]:
        return tuple(
            TypeBits(response.irf, response.event_types, self.instrument.caldb)
            for response in self.instrument.responses
        )

    @property
    def _page(self) -> FirstPage:
        energies = self.instrument.energies
        return FirstPage(
            irf=self.instrument.responses[0].irf,
            event_types="+".join(self.instrument.event_types),
            energies=(energies[0] * 1000, energies[-1] * 1000),
            max_zenith=max(self._zeniths),
            pointing=self.pointing,
        )

    @property
    def _all_bands(self) -> range:
        return range(len(self.instrument.bands))

    @cached_property
    def _energy_bands(self) -> tuple[Band, ...]:
        return energy_bands(np.array(self.instrument.energies) * u.GeV)

    @property
    def _zeniths(self) -> tuple[float, ...]:
        return self.instrument.max_zeniths or (_ZENITH,) * len(self._energy_bands)


def _counts(spectrum: IsotropicSpectrum, selection: Selection) -> float:
    """Counts of an isotropic spectrum, of any norm."""
    energy = np.geomspace(selection.low, selection.high, 100) * u.MeV
    area = selection.response.mean_effective_area(energy).value
    return float(np.trapezoid(spectrum.differential(energy).value * area, energy.value))
