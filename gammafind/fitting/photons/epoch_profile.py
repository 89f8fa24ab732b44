"""The likelihood of the counts near one place in each epoch, of one source and its neighbours."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

_ITERATIONS = 30
"""Most Newton steps: far more than a fit needs."""
_GAIN = 1e-4
"""Gain in the log-likelihood below which a fit ends: far below that of one sigma."""
_HALVINGS = 8
"""Most halvings of a step that does not raise the likelihood."""
_RIDGE = 1e-9
"""Relative addition to the diagonal: keeps equal templates solvable."""
_NOTHING = 1e-12
"""Information of an amplitude without photons: far below that of one photon among a million."""


@dataclass(frozen=True, eq=False)
class EpochSky:
    """Photons near one place in each epoch, and what contributes to them.

    Attributes
    ----------
    epoch, row, counts : ndarray, shape (k,)
        Epoch and pixel of counts, where there are any.
    fixed : ndarray, shape (n_pixels,)
        Expected counts in the whole time of what is not fitted, positive.
    templates : ndarray, shape (n_pixels, 1 + m)
        Expected counts in the whole time, for an amplitude of one, of the source and of what is
        free next to it.
    band : ndarray of int, shape (n_pixels,)
        Band of each pixel.
    shares : ndarray, shape (n_epochs, n_bands)
        Exposure of each epoch over that of the whole time.
    start : ndarray, shape (1 + m,)
        Amplitudes in the whole time.
    """

    epoch: np.ndarray
    row: np.ndarray
    counts: np.ndarray
    fixed: np.ndarray
    templates: np.ndarray
    band: np.ndarray
    shares: np.ndarray
    start: np.ndarray

    @property
    def n_epochs(self) -> int:
        """Number of epochs."""
        return len(self.shares)

    def in_bands(self, values: np.ndarray) -> np.ndarray:
        """Sums over the pixels of each band, of shape (n_bands, ...)."""
        sums = np.zeros((self.shares.shape[1], *values.shape[1:]))
        np.add.at(sums, self.band, values)
        return sums


@dataclass(eq=False)
class EpochProfile:
    """The likelihood of each epoch against the amplitude of the source there.

    Parameters
    ----------
    sky : EpochSky

    Notes
    -----
    An amplitude is that of the whole time: it is the same in all epochs for a steady source. All
    epochs are fitted at once, by Newton's method with amplitudes that are not negative.
    """

    sky: EpochSky
    _fixed: np.ndarray = field(init=False)
    _templates: np.ndarray = field(init=False)
    _totals: np.ndarray = field(init=False)
    _amplitude: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        sky = self.sky
        self._fixed, self._templates = sky.fixed[sky.row], sky.templates[sky.row]
        self._totals = sky.shares @ sky.in_bands(sky.templates)
        self._amplitude = np.tile(sky.start, (sky.n_epochs, 1))

    def best(self) -> tuple[np.ndarray, np.ndarray]:
        """Most likely amplitude of the source in each epoch, and log-likelihoods: (n_epochs,)."""
        self._amplitude = self._first()
        value = self._maximise(0)
        return self._amplitude[:, 0].copy(), value

    def at(self, amplitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Log-likelihood with given amplitudes of the source, and its slope: (n_epochs,)."""
        self._amplitude[:, 0] = amplitude
        value = self._maximise(1)
        ratio = self.sky.counts / self._model(self._amplitude)
        return value, self._sum(ratio * self._templates[:, 0]) - self._totals[:, 0]

    def errors(self) -> np.ndarray:
        """1 sigma errors at the last amplitudes, the neighbours free, (n_epochs,)."""
        information = self._expected_information(self._amplitude)
        return np.sqrt(np.linalg.inv(information)[:, 0, 0])

    def neighbours(self) -> np.ndarray:
        """Last amplitudes of what is free next to the source, (n_epochs, m)."""
        return self._amplitude[:, 1:].copy()

    def _first(self) -> np.ndarray:
        """Amplitudes of weighted sums of photons: near the most likely ones, however far away."""
        start = np.tile(self.sky.start, (self.sky.n_epochs, 1))
        slope, _ = self._slopes(start, 0)
        step = np.linalg.solve(self._expected_information(start), slope[..., None])[..., 0]
        return np.maximum(start + step, 0)

    def _expected_information(self, amplitude: np.ndarray) -> np.ndarray:
        """Fisher information, of the mean model of all epochs, (n_epochs, 1 + m, 1 + m)."""
        sky = self.sky
        mean = np.average(amplitude, axis=0, weights=self._totals[:, 0] + 1e-300)
        model = sky.fixed + sky.templates @ mean
        products = sky.templates[:, :, None] * sky.templates[:, None] / model[:, None, None]
        return _ridged(np.tensordot(sky.shares, sky.in_bands(products), 1))

    def _maximise(self, first: int) -> np.ndarray:
        """Raise the likelihood over the amplitudes from ``first`` on; its values, (n_epochs,)."""
        amplitude = self._amplitude
        value = self._value(amplitude)
        if first == amplitude.shape[1]:
            return value
        for _ in range(_ITERATIONS):
            slope, information = self._slopes(amplitude, first)
            held = (amplitude[:, first:] <= 0) & (slope <= 0)
            slope[held] = 0
            information *= ~held[:, :, None] & ~held[:, None]
            step = np.linalg.solve(_ridged(information), slope[..., None])[..., 0]
            before = value
            amplitude, value = self._stepped(amplitude, first, step, value)
            if np.all(value - before < _GAIN):
                break
        self._amplitude = amplitude
        return value

    def _stepped(
        self, amplitude: np.ndarray, first: int, step: np.ndarray, value: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Amplitudes after a step, halved in the epochs where it lowers the likelihood."""
        share = np.ones(len(step))
        for _ in range(_HALVINGS):
            tried = amplitude.copy()
            tried[:, first:] = np.maximum(amplitude[:, first:] + share[:, None] * step, 0)
            new = self._value(tried)
            worse = new < value
            if not worse.any():
                return tried, new
            share[worse] /= 2
        tried[worse], new[worse] = amplitude[worse], value[worse]
        return tried, new

    def _model(self, amplitude: np.ndarray) -> np.ndarray:
        """Expected counts of the whole time where photons are, (k,)."""
        of_sources = np.einsum("kp,kp->k", self._templates, amplitude[self.sky.epoch])
        return self._fixed + of_sources

    def _value(self, amplitude: np.ndarray) -> np.ndarray:
        """Log-likelihood of each epoch up to a constant."""
        seen = self._sum(self.sky.counts * np.log(self._model(amplitude)))
        return seen - np.einsum("ep,ep->e", self._totals, amplitude)

    def _slopes(self, amplitude: np.ndarray, first: int) -> tuple[np.ndarray, np.ndarray]:
        """Slopes (n_epochs, p) and observed information (n_epochs, p, p) of the amplitudes."""
        model, own = self._model(amplitude), self._templates[:, first:]
        n = own.shape[1]
        ratio = self.sky.counts / model
        slope = np.stack([self._sum(ratio * own[:, i]) for i in range(n)], axis=1)
        information = np.empty((len(slope), n, n))
        ratio = ratio / model
        for i in range(n):
            for j in range(i + 1):
                sums = self._sum(ratio * own[:, i] * own[:, j])
                information[:, i, j] = information[:, j, i] = sums
        return slope - self._totals[:, first:], information

    def _sum(self, values: np.ndarray) -> np.ndarray:
        """Sums over the photons of each epoch."""
        return np.bincount(self.sky.epoch, values, minlength=self.sky.n_epochs)


def _ridged(information: np.ndarray) -> np.ndarray:
    """Matrices (n, p, p) that can be inverted, also where nothing is known."""
    diagonal = np.einsum("npp->np", information)
    largest = np.maximum(diagonal.max(axis=1, initial=0), _NOTHING)[:, None]
    added = _RIDGE * np.where(diagonal > 0, diagonal, largest)
    return information + added[:, :, None] * np.eye(information.shape[1])
