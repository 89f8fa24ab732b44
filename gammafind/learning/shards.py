"""Training data on disk: what is expected in the patches of many catalogues, rendered once.

A set is a folder with one folder a catalogue, which holds

- ``sources_<i>.npy``, ``background_<i>.npy``: square roots of the expected counts in band ``i``,
  float16, shape (n_patches, width, width), to be mapped into memory;
- ``exposure_<i>.npy``, where it was asked for: exposure over its maximum, stored likewise;
- ``truth.npy``: which sources are where, and what TS is expected of them;
- ``sources.fits``: the catalogue;
- ``meta.json``: how it was made. It is written last: a catalogue that has it is whole.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable
from astropy.units import Quantity

from gammafind.catalogue.io import write_table
from gammafind.errors import MissingFileError, OptionError, OutputError, TruncatedFileError
from gammafind.files import atomic_output
from gammafind.interfaces import SkyRenderer, SourcePopulation
from gammafind.learning.targets import TRUTH
from gammafind.measure.expected import rendered_ts
from gammafind.progress import stage, track
from gammafind.sky.patches import Patches, PatchGrid
from gammafind.sky.truth import truth_table
from gammafind.streams import streams
from gammafind.workers import run_tasks

__all__ = ["Expected", "ShardMaker", "ShardSet", "make_shards"]

_META = "meta.json"
_LARGEST = float(np.finfo(np.float16).max)


@dataclass(frozen=True, kw_only=True, eq=False)
class ShardMaker:
    """Renders catalogues into shards; called with an index, it makes that one.

    The catalogue of a seed and an index is the one that `gammafind.simulation.simulate` makes.

    Parameters
    ----------
    folder : Path
        Of the set.
    renderer : SkyRenderer
        With a method ``source_counts``.
    population : SourcePopulation
    settings : mapping
        All that decides what a shard holds beside the fields that follow; JSON.
    seed : int
        Of the set.
    nside : int
        Patches are centred on the HEALPix pixels of this nside, turned at random.
    size : Quantity
        Side of a patch.
    n_pixels : sequence of int, optional
        Pixels a side in each band; as fine as the renderer's maps by default.
    exposure : bool
        Whether to store exposures too.
    margin : float
        Finest pixels beyond the border of a patch within which sources are told.
    """

    folder: Path
    renderer: SkyRenderer
    population: SourcePopulation
    settings: Mapping[str, Any]
    seed: int = 0
    nside: int = 8
    size: Quantity = 12.8 * u.deg
    n_pixels: Sequence[int] | None = None
    exposure: bool = False
    margin: float = 8.0

    def __post_init__(self) -> None:
        if not hasattr(self.renderer, "source_counts"):
            raise OptionError(
                f"the renderer {self.renderer.name} cannot tell the counts of each source",
                remedy="Give it a method source_counts(sources): counts of shape (n, n_bands).",
            )

    def __call__(self, index: int) -> Path:
        """Make the shard of an index.

        Returns
        -------
        Path
            Its folder.
        """
        folder = self.place(index)
        (folder / _META).unlink(missing_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        random = streams(self.seed, index)
        sources = self.population.sample(rng=random.sources)
        grid = self._grid(random.rotation)
        with stage("rendering the patches"):
            patches = self.renderer.render_patches(sources, grid, self.n_pixels)
        with stage("expected TS of the sources"):
            counts = self.renderer.source_counts(sources)
            sources["ts"] = rendered_ts(self.renderer, sources, counts)
        truth = truth_table(sources, grid, patches.score_width, margin=self.margin)
        scales = self._write_patches(folder, patches)
        np.save(folder / "truth.npy", _plain(truth, sources["ts"]))
        write_table(sources, folder / "sources.fits", overwrite=True)
        meta = {
            "settings": self.settings_of(index),
            "n_patches": len(grid),
            "widths": patches.n_pixels,
            "exposure_scales": scales,
            "lon": grid.lon.tolist(),
            "lat": grid.lat.tolist(),
            "frame": grid.frame,
        }
        with atomic_output(folder / _META, overwrite=True) as temporary:
            temporary.write_text(f"{json.dumps(meta)}\n", encoding="utf-8")
        return folder

    def place(self, index: int) -> Path:
        """Folder of an index."""
        return _place(self.folder, index)

    def settings_of(self, index: int) -> dict[str, Any]:
        """All that decides what a shard holds, as JSON gives it back."""
        settings = {
            **self.settings,
            "seed": self.seed,
            "index": index,
            "nside": self.nside,
            "size": str(self.size),
            "n_pixels": self.n_pixels and list(self.n_pixels),
            "exposure": self.exposure,
            "margin": self.margin,
        }
        return json.loads(json.dumps(settings))

    def _grid(self, rng: np.random.Generator) -> PatchGrid:
        from scipy.spatial.transform import Rotation

        rotation = Rotation.from_quat(rng.normal(size=4)).as_matrix()
        frame = self.renderer.pixels[0].frame
        return PatchGrid.healpix(self.nside, size=self.size, frame=frame, rotation=rotation)

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


def make_shards(maker: ShardMaker, indices: Sequence[int], *, workers: int = 1) -> int:
    """Make the shards that are not there yet.

    Parameters
    ----------
    maker : ShardMaker
    indices : sequence of int
    workers : int
        Number of processes; what is made does not depend on it.

    Returns
    -------
    int
        How many were made.

    Raises
    ------
    OutputError
        If a shard is there that was made otherwise.
    """
    missing = [index for index in indices if not _is_made(maker, index)]
    maker.folder.mkdir(parents=True, exist_ok=True)
    for _ in track(run_tasks(maker, missing, workers=workers), "catalogues", total=len(missing)):
        pass
    return len(missing)


@dataclass(frozen=True, kw_only=True, eq=False)
class Expected:
    """What is expected in some patches.

    Attributes
    ----------
    sources, background : tuple of ndarray
        Expected counts, one array (n, width, width) a band, float32.
    exposure : tuple of ndarray or None
        In cm2 s, shaped likewise; where it was asked for.
    truth : ndarray of `gammafind.learning.targets.TRUTH`
        Patches are numbered as in the arrays.
    """

    sources: tuple[np.ndarray, ...]
    background: tuple[np.ndarray, ...]
    exposure: tuple[np.ndarray, ...] | None
    truth: np.ndarray

    def __len__(self) -> int:
        return len(self.sources[0])


class ShardSet:
    """The patches of some catalogues of a set, mapped into memory.

    Parameters
    ----------
    folder : Path
        Of the set.
    indices : sequence of int
        Of the catalogues.

    Raises
    ------
    MissingFileError
        If a shard is not there, or not whole.
    TruncatedFileError
        If a file of a shard is damaged.
    """

    def __init__(self, folder: Path, indices: Sequence[int]) -> None:
        self._shards = [_Shard(_place(Path(folder), index)) for index in indices]
        sizes = [shard.n_patches for shard in self._shards]
        self._ends = np.cumsum(sizes, dtype=int)
        if len({shard.widths for shard in self._shards}) > 1:
            raise OptionError(
                f"the shards in {folder} have patches of different widths",
                remedy="Make them with one preset.",
            )

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    @property
    def widths(self) -> tuple[int, ...]:
        """Pixels a side in each band."""
        return self._shards[0].widths if self._shards else ()

    def read(self, rows: np.ndarray, *, exposure: bool = False) -> Expected:
        """Read what is expected in some patches.

        Parameters
        ----------
        rows : ndarray of int, shape (n,)
            Patches, counted through all catalogues.
        exposure : bool
            Whether to read the exposures.

        Returns
        -------
        Expected
        """
        owner = np.searchsorted(self._ends, rows, side="right")
        places = [
            (self._shards[i], int(row - self._ends[i] + self._shards[i].n_patches))
            for i, row in zip(owner, rows, strict=True)
        ]
        bands = range(len(self.widths))
        return Expected(
            sources=tuple(np.square(_stack(places, f"sources_{i}")) for i in bands),
            background=tuple(np.square(_stack(places, f"background_{i}")) for i in bands),
            exposure=tuple(_exposure(places, i) for i in bands) if exposure else None,
            truth=_joined([shard.truth_of(patch) for shard, patch in places]),
        )


class _Shard:
    """The patches of one catalogue."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            meta = json.loads((folder / _META).read_text(encoding="utf-8"))
            self.n_patches, self.widths = meta["n_patches"], tuple(meta["widths"])
            self.exposure_scales = meta["exposure_scales"]
        except (OSError, ValueError, LookupError, TypeError):
            raise MissingFileError(
                f"this is no whole shard: it has no {_META} that can be read",
                path=folder,
                remedy="Make it again.",
            ) from None
        self._arrays: dict[str, np.ndarray] = {}
        for i, width in enumerate(self.widths):
            names = (
                ("sources", "background", "exposure")
                if self.exposure_scales
                else ("sources", "background")
            )
            for name in names:
                self._arrays[f"{name}_{i}"] = self._mapped(f"{name}_{i}", width)

    def array(self, name: str) -> np.ndarray:
        """Array of a name, mapped into memory."""
        if name not in self._arrays:
            raise MissingFileError(
                f"the shard has no {name}",
                path=self.folder,
                remedy="Make the shards with exposures, in a folder of their own.",
            )
        return self._arrays[name]

    def truth_of(self, patch: int) -> np.ndarray:
        """Truth of one patch."""
        low, high = np.searchsorted(self._truth["patch"], (patch, patch + 1))
        return self._truth[low:high]

    @cached_property
    def _truth(self) -> np.ndarray:
        return self._load("truth", mmap_mode=None)

    def _mapped(self, name: str, width: int) -> np.ndarray:
        array = self._load(name, mmap_mode="r")
        if array.shape != (self.n_patches, width, width) or array.dtype != np.float16:
            raise self._damaged(name)
        return array

    def _load(self, name: str, mmap_mode: str | None) -> np.ndarray:
        try:
            return np.load(self.folder / f"{name}.npy", mmap_mode=mmap_mode)
        except (OSError, ValueError, EOFError):
            raise self._damaged(name) from None

    def _damaged(self, name: str) -> TruncatedFileError:
        return TruncatedFileError(
            "the file is missing or damaged",
            path=self.folder / f"{name}.npy",
            remedy=f"Remove {self.folder}, so that it is made again.",
        )


def _place(folder: Path, index: int) -> Path:
    return folder / f"catalogue-{index:04d}"


def _is_made(maker: ShardMaker, index: int) -> bool:
    """Whether a shard is there; one that was made otherwise is an error."""
    path = maker.place(index) / _META
    if not path.exists():
        return False
    wanted = maker.settings_of(index)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["settings"]
    except (OSError, ValueError, LookupError, TypeError):
        return False
    different = [key for key in {**found, **wanted} if found.get(key) != wanted.get(key)]
    if different:
        told = "; ".join(
            f"{k} was {found.get(k)!r} and is to be {wanted.get(k)!r}" for k in different
        )
        raise OutputError(
            f"was made with other settings: {told}",
            path=path.parent,
            remedy="Choose another folder for the data, or remove this one.",
        )
    return True


def _plain(truth: QTable, ts: np.ndarray) -> np.ndarray:
    """Truth table as an array of records."""
    records = np.empty(len(truth), dtype=TRUTH)
    source = np.asarray(truth["source"])
    records["patch"], records["source"], records["ts"] = truth["patch"], source, ts[source]
    records["x"], records["y"] = truth["x"].to_value(u.pix), truth["y"].to_value(u.pix)
    return records


def _stack(places: Sequence[tuple[_Shard, int]], name: str) -> np.ndarray:
    """One array of some patches, float32."""
    first = places[0][0].array(name)
    stacked = np.empty((len(places), *first.shape[1:]), dtype=np.float32)
    for row, (shard, patch) in zip(stacked, places, strict=True):
        row[...] = shard.array(name)[patch]
    return stacked


def _exposure(places: Sequence[tuple[_Shard, int]], band: int) -> np.ndarray:
    relative = _stack(places, f"exposure_{band}")
    scales = [shard.exposure_scales[band] for shard, _ in places]
    return relative * np.asarray(scales, dtype=np.float32)[:, None, None]


def _joined(truths: Sequence[np.ndarray]) -> np.ndarray:
    """Truth of several patches, numbered in their order."""
    joined = np.concatenate(truths) if truths else np.empty(0, dtype=TRUTH)
    joined["patch"] = np.repeat(np.arange(len(truths)), [len(truth) for truth in truths])
    return joined
