"""Training data on disk: what is expected in the patches of many catalogues, rendered once.

A set is a folder with one folder a catalogue, which holds

- ``sources_<i>.npy``, ``background_<i>.npy``: square roots of the expected counts in band ``i``,
  float16, shape (n_patches, width, width), to be mapped into memory;
- ``exposure_<i>.npy``, if it was requested: exposure over its maximum, stored likewise;
- ``map_sources_<i>.npy``, ``map_background_<i>.npy``, ``spread_<i>.npz``, where counts are to be
  spread: expected counts of the whole sky, RING, and their shares in the pixels of the patches;
- ``truth.npy``: which sources are where, and what TS is expected of them;
- ``sources.fits``: the catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable
from scipy import sparse

from gammafind.catalogue.io import write_table
from gammafind.errors import OptionError
from gammafind.fitting.photons.expected import rendered_ts
from gammafind.presets.preset import PatchLayout
from gammafind.roles.population import SourcePopulation
from gammafind.roles.renderer import SkyRenderer
from gammafind.sky.patch_grid import PatchGrid, patch_widths
from gammafind.sky.patches import Patches
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.spread import spread_over
from gammafind.sky.truth import truth_table
from gammafind.training.sets import Maker
from gammafind.training.targets import TRUTH
from gammafind.utils.progress import stage
from gammafind.utils.streams import streams

_LARGEST = float(np.finfo(np.float16).max)


@dataclass(frozen=True, kw_only=True, eq=False)
class ShardMaker(Maker):
    """Renders catalogues into shards; called with an index, it makes that one.

    The catalogue of a seed and an index is the one that `gammafind.simulate` makes.

    Parameters
    ----------
    folder, settings, seed : see `Maker`
    renderer : SkyRenderer
    population : SourcePopulation
    patches : PatchLayout
        Their centres are turned at random.
    exposure : bool
        Whether to store exposures too.
    spread : bool
        For networks that see counts spread within their HEALPix pixels: the maps of the renderer
        are kept, and how they are spread over the patches. By default patches are rendered
        straight.
    margin : float
        Finest pixels beyond the border of a patch within which sources are listed.
    """

    renderer: SkyRenderer
    population: SourcePopulation
    patches: PatchLayout
    exposure: bool = False
    spread: bool = False
    margin: float = 8.0

    def fill(self, folder: Path, index: int) -> dict[str, Any]:
        """Render the patches of an index."""
        random = streams(self.seed, index)
        sources = self.population.sample(rng=random.sources)
        grid = self._grid(random.rotation)
        with stage("rendering the patches"):
            patches = self._patches(sources, grid, folder)
        with stage("expected TS of the sources"):
            sources["ts"] = rendered_ts(self.renderer, sources)
        truth = truth_table(sources, grid, patches.score_width, margin=self.margin)
        scales = self._write_patches(folder, patches)
        np.save(folder / "truth.npy", _plain(truth, sources["ts"]))
        write_table(sources, folder / "sources.fits", overwrite=True)
        return {
            "n_patches": len(grid),
            "widths": patches.n_pixels,
            "exposure_scales": scales,
            "spread": self.spread,
            "margin": self.margin,
            "lon": grid.lon.tolist(),
            "lat": grid.lat.tolist(),
            "frame": grid.frame,
        }

    @property
    def widths(self) -> tuple[int, ...]:
        """Pixels a side of a patch in each band."""
        layout, renderer = self.patches, self.renderer
        grid = PatchGrid.healpix(layout.nside, size=layout.size)
        return layout.widths(len(renderer.bands)) or patch_widths(renderer.pixels, grid)

    def own_settings(self) -> dict[str, Any]:
        """What decides how skies are cut into patches."""
        return {
            "nside": self.patches.nside,
            "size": str(self.patches.size),
            "n_pixels": self.widths,
            "exposure": self.exposure,
            "spread": self.spread,
            "margin": self.margin,
        }

    def _grid(self, rng: np.random.Generator) -> PatchGrid:
        from scipy.spatial.transform import Rotation

        rotation = Rotation.from_quat(rng.normal(size=4)).as_matrix()
        frame, layout = self.renderer.pixels[0].frame, self.patches
        return PatchGrid.healpix(layout.nside, size=layout.size, frame=frame, rotation=rotation)

    def _patches(self, sources: QTable, grid: PatchGrid, folder: Path) -> Patches:
        """Expected counts in the patches of a grid."""
        if not self.spread:
            return self.renderer.render_patches(sources, grid, self.widths)
        rendered = self.renderer.render(sources)
        components = self.renderer.background().values()
        counts, background = [], []
        for i, (pixels, width) in enumerate(zip(rendered.pixels, self.widths, strict=True)):
            if not isinstance(pixels, HealpixPixels):
                raise OptionError(
                    f"the maps of {self.renderer.name} are no HEALPix maps",
                    remedy="Leave spread out of the features: patches are then rendered straight.",
                )
            diffuse = sum(sky.values[i] for sky in components)
            spread = spread_over(pixels.nside, grid, width, keep=False)
            sparse.save_npz(folder / f"spread_{i}.npz", spread.shares, compressed=False)
            for name, values in (("sources", rendered.values[i]), ("background", diffuse)):
                np.save(folder / f"map_{name}_{i}.npy", values.astype(np.float32))
            background.append(spread.of(diffuse))
            counts.append(background[-1] + spread.of(rendered.values[i]))
        exposure = grid.cut(self.renderer.exposure(), self.widths) if self.exposure else None
        return Patches(
            grid=grid,
            bands=self.renderer.bands,
            counts=tuple(counts),
            background=tuple(background),
            exposure=exposure,
            psfs=self.renderer.psfs(),
        )

    def _write_patches(self, folder: Path, patches: Patches) -> list[float]:
        """Write the arrays of all bands; return what the exposures were divided by."""
        scales = []
        for i, background in enumerate(patches.background):
            sources = np.maximum(patches.counts[i] - background, 0)
            for name, values in {"sources": sources, "background": background}.items():
                root = np.minimum(np.sqrt(values), _LARGEST).astype(np.float16)
                np.save(folder / f"{name}_{i}.npy", root)
            if self.exposure:
                scales.append(float(patches.exposure[i].max()) or 1.0)
                relative = (patches.exposure[i] / scales[i]).astype(np.float16)
                np.save(folder / f"exposure_{i}.npy", relative)
        return scales


def _plain(truth: QTable, ts: np.ndarray) -> np.ndarray:
    """Truth table as an array of records."""
    records = np.empty(len(truth), dtype=TRUTH)
    source = np.asarray(truth["source"])
    records["patch"], records["source"], records["ts"] = truth["patch"], source, ts[source]
    records["x"], records["y"] = truth["x"].to_value(u.pix), truth["y"].to_value(u.pix)
    return records
