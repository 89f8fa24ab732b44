"""What a search found, and what can be made of it."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.catalogue.columns import texts_of
from gammafind.catalogue.export import FORMATS
from gammafind.catalogue.regions import to_regions
from gammafind.errors import OptionError
from gammafind.evaluation.numbers import Summary
from gammafind.fitting.photons.goodness import Goodness
from gammafind.pipeline.products import Products, check_folder
from gammafind.presets.preset import Preset
from gammafind.sky.observation import Observation
from gammafind.sky.skymap import SkyMap
from gammafind.views.localisers import Search

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from regions import Regions

    from gammafind.views.rows import Rows

_SHOWN = (
    "Source_Name", "RAJ2000", "DEJ2000", "Conf_95_SemiMajor", "Score", "Flux", "mag", "Class",
    "ASSOC1", "Association",
)  # fmt: skip
"""Columns that a notebook shows of a result, as far as there are any; all are too many."""
_SHOWN_ROWS = 10


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Result:
    """What `gammafind.detect` found.

    Attributes
    ----------
    catalogue : QTable
        One row a source, highest score first: name, position and its error, score, flux and what
        else was measured, each with its unit. ``meta`` says how it was made. A catalogue that is
        read from a file has columns of the same types.
    counts : SkyMap
        The sky that was searched.
    preset : Preset
    summary : Summary
        Numbers found and, with a reference catalogue, purity and completeness.
    reference : QTable or None
        The catalogue that the sources were matched with.
    seconds : float
        Wall-clock time of the search, without reading and modelling the sky.
    residuals : Goodness or None
        Maps of how well background and sources describe the counts: ``residual`` in standard
        deviations, and ``ps``, minus the decimal logarithm of the probability of such a deviation;
        None where they were not requested.
    scores : SkyMap or None
        Score of the localiser at each place, on pixels that may be coarser than those of the
        counts: of ``likelihood`` TS over the background alone, of networks the probability that
        they see. None where the localiser has no such map.
    observation : Observation or None
        The counts with their exposure, background and PSFs, as they were searched.
    beside : tuple of Result
        What other localisers found on the same sky.

    Examples
    --------
    >>> import gammafind
    >>> result = gammafind.detect(gammafind.demo_sky("M 87"), localiser="likelihood")
    >>> result
    <Result: 4 sources in 2-20 GeV, found by likelihood>
    >>> len(result.regions)
    4
    """

    catalogue: QTable
    counts: SkyMap
    preset: Preset
    summary: Summary
    reference: QTable | None
    seconds: float
    residuals: Goodness | None = None
    scores: SkyMap | None = None
    observation: Observation | None = None
    beside: tuple[Result, ...] = ()

    def __len__(self) -> int:
        return len(self.catalogue)

    def __repr__(self) -> str:
        return f"<Result: {self._title()}>"

    def _repr_html_(self) -> str:
        shown = [name for name in _SHOWN if name in self.catalogue.colnames]
        rows = self.catalogue[shown or self.catalogue.colnames][:_SHOWN_ROWS]
        for name in rows.colnames:
            if rows[name].dtype.kind == "f":
                degrees = rows[name].unit == "deg"
                rows[name].info.format = ".5f" if degrees else ".4g"
        rest = len(self) - len(rows), len(self.catalogue.colnames) - len(rows.colnames)
        more = f"<p><code>catalogue</code> has {rest[0]} more rows and {rest[1]} more columns.</p>"
        return f"<p>{self._title()}</p>{rows._repr_html_()}{more if any(rest) else ''}"

    def _title(self) -> str:
        n = len(self.catalogue)
        bands = ", ".join(band.name for band in self.counts.bands)
        by = self.preset.localiser.name
        return f"{n} source{'' if n == 1 else 's'} in {bands}, found by {by}"

    @property
    def regions(self) -> Regions:
        """DS9 regions: a circle at each source, as wide as its 95 % position error."""
        return to_regions(self.catalogue)

    @property
    def searches(self) -> tuple[Search, ...]:
        """Numbers of this localiser, and of those that searched the same sky."""
        return tuple(
            Search(localiser=one.preset.localiser.name, summary=one.summary, seconds=one.seconds)
            for one in (self, *self.beside)
        )

    def plot(self) -> Figure:
        """Draw the sky, or the part of it that was searched, with the sources that were found.

        Returns
        -------
        matplotlib.figure.Figure
            ``savefig`` writes it; a notebook shows it.
        """
        from gammafind.views.overview import overview_figure

        title, score_name = f"{self.preset.name}: {self._title()}", self.summary.score_name
        return overview_figure(self.counts, self._rows(), title=title, score_name=score_name)

    def plot_region(self, source: str | int | None = None, field: Quantity | None = None) -> Figure:
        """Draw the sky around a source, with the sources there and their names.

        Parameters
        ----------
        source : str or int, optional
            Name in the catalogue, or row; by default the strongest one away from the Galactic
            plane.
        field : Quantity, optional
            Side of the square, an angle; chosen by the density of sources if not given.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        OptionError
            If the catalogue has no such source.
        """
        from gammafind.views.zoom import zoom_figure

        rows = self._rows()
        centre = None if source is None else rows.positions[self._row(source)]
        return zoom_figure(self.counts, rows, centre, field)

    def plot_residuals(self) -> Figure:
        """Draw the maps of residuals.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        OptionError
            If the search left them out.
        """
        from gammafind.views.residuals import residual_figure

        if self.residuals is None:
            raise OptionError("the residuals were not mapped", remedy="Search with residuals=True.")
        return residual_figure(self.residuals)

    def plot_sed(self, source: str | int) -> Figure:
        """Draw the spectral energy distribution of a source, if bands were measured.

        Parameters
        ----------
        source : str or int
            Name in the catalogue, or row.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        OptionError
            If the catalogue has no such source.
        TableError
            If bands were not measured.
        """
        from gammafind.views.spectra import sed_figure

        return sed_figure(self.catalogue, self._row(source))

    def plot_light_curve(self, source: str | int) -> Figure:
        """Draw the flux of a source in each epoch, if epochs were measured.

        Parameters
        ----------
        source : str or int
            As for `plot_sed`.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        OptionError, TableError
            As for `plot_sed`, if epochs were not measured.
        """
        from gammafind.views.spectra import light_curve_figure

        return light_curve_figure(self.catalogue, self._row(source))

    def _rows(self) -> Rows:
        """Sources as figures show them."""
        from gammafind.views.rows import rows_of

        pixels = self.counts.finest_pixels
        return rows_of(self.catalogue, self.reference, self.summary, pixels=pixels)

    def _row(self, source: str | int) -> int:
        """Row of a source."""
        names = texts_of(self.catalogue, "source_name")
        rows = np.flatnonzero(names == source) if isinstance(source, str) else np.array([source])
        if not len(rows) or not -len(names) <= rows[0] < len(names):
            raise OptionError(
                f"the catalogue has no source {source!r}",
                remedy=f"It has {len(names)}; give a name of the column of names, or a row.",
            )
        return int(rows[0])

    def write(self, path: str | PathLike, *, overwrite: bool = False) -> tuple[Path, ...]:
        """Write the catalogue, and its regions if ``path`` is a folder.

        Parameters
        ----------
        path : path-like
            A file whose format the suffix names (``.ecsv``, ``.fits``, ``.vot``, ``.csv``, ``.reg``
            and others of `gammafind.export`), or a folder, which then holds ``catalogue`` in three
            formats and ``catalogue.reg``, and the same for other localisers, with their names in
            front.
        overwrite : bool
            Whether files that exist may be replaced.

        Returns
        -------
        tuple of Path
            What was written, all or nothing.

        Raises
        ------
        OutputError
            If a file exists and may not be replaced, or cannot be written.
        TableError
            If a format cannot hold the catalogue.
        """
        path = Path(path)
        if path.name.lower().endswith(tuple(one.suffix for one in FORMATS)):
            products = Products(tables=(path,), overwrite=overwrite)
        else:
            check_folder(path, overwrite=overwrite).mkdir(exist_ok=True)
            names = (one.preset.localiser.name for one in self.beside)
            beside = tuple(Products.in_folder(path, name) for name in names)
            products = Products.in_folder(path, "catalogue", overwrite=overwrite, beside=beside)
        products.check()
        products.write(self)
        return products.files

    def report(self, folder: str | PathLike, *, overwrite: bool = False) -> Path:
        """Write a page that shows what was found, with its figures.

        Parameters
        ----------
        folder : path-like
            Made if it does not exist.
        overwrite : bool
            Whether files that exist may be replaced.

        Returns
        -------
        Path
            ``index.html``.

        Raises
        ------
        OutputError
            If a file exists and may not be replaced, or cannot be written.
        """
        products = Products(report=Path(folder), overwrite=overwrite)
        products.check()
        products.write(self)
        return Path(folder) / "index.html"
