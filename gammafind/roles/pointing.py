"""What an instrument does with files that say where it pointed."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import ClassVar, Self

import numpy as np
from astropy.units import Quantity

from gammafind.errors import OptionError
from gammafind.sky.fits.good_times import good_time, good_time_within
from gammafind.sky.fits.write_exposure import ExposureCube
from gammafind.sky.pixels import Pixels


class Pointed:
    """The part of `gammafind.roles.instrument.Instrument` for spacecraft files."""

    name: ClassVar[str]

    def holds_pointing(self, path: str | PathLike) -> bool:
        """Whether a file says where the instrument pointed, as `with_pointing` takes it.

        Such are spacecraft files and livetime cubes; by default no file is.
        """
        return False

    def with_pointing(
        self,
        paths: Sequence[str | PathLike],
        *,
        good_times: Sequence[str | PathLike] = (),
        max_zenith: Quantity | None = None,
        span: tuple[float, float] | None = None,
    ) -> Self:
        """Return the instrument with the exposure of where it pointed.

        An instrument that comes with such files overrides this.

        Parameters
        ----------
        paths : sequence of path-like
            Spacecraft files, or a livetime cube.
        good_times : sequence of path-like
            Files with the good time intervals of the photons; all time by default.
        max_zenith : Quantity, optional
            Zenith cut of the photons; that of the instrument by default.
        span : tuple of float, optional
            Begin and end of an epoch in seconds of the mission elapsed time.

        Raises
        ------
        OptionError
            If the instrument has no such files.
        """
        raise OptionError(
            f"spacecraft files are given for {self.name}, which has none",
            remedy="Leave them out: the options of the renderer say the exposure.",
        )

    def time_shares(
        self, times: np.ndarray, spans: np.ndarray, pixels: Sequence[Pixels]
    ) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
        """Share of spans of time in the exposure, where no file says where the instrument pointed.

        By default it is the share of good time. An instrument overrides this whose exposure by
        good time has an error, or changes over the sky.

        Parameters
        ----------
        times : ndarray, shape (n, 2)
            Good time intervals of the whole exposure in seconds of the mission elapsed time, merged
            and sorted.
        spans : ndarray, shape (n_spans, 2)
        pixels : sequence of Pixels
            One per band.

        Returns
        -------
        shares : tuple of ndarray, each of shape (n_spans, n_pixels)
        errors : ndarray, shape (n_spans,)
            Relative errors.
        """
        share = good_time_within(times, *spans.T) / good_time(times)
        shapes = [(len(spans), int(np.prod(one.shape))) for one in pixels]
        shares = tuple(np.broadcast_to(share[:, None], shape) for shape in shapes)
        return shares, np.zeros(len(spans))

    def exposure_cubes(self) -> dict[str, ExposureCube]:
        """Exposure of each channel, by its name, at energies, as files hold it.

        Raises
        ------
        OptionError
            If the instrument does not know it, as by default.
        """
        raise OptionError(f"{self.name} makes no exposure cubes", remedy="Use another instrument.")
