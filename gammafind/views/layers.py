"""Maps for the page: counts as they are, the background on coarse pixels, PSFs as radii."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from astropy.coordinates import SkyCoord

from gammafind.fitting.photons.goodness import Goodness
from gammafind.sky.degrade import added_up
from gammafind.sky.observation import Observation
from gammafind.sky.pixels import HealpixPixels, Pixels
from gammafind.sky.psf import RadialPsf
from gammafind.sky.skymap import SkyMap
from gammafind.views.encoding import deflated_words, linear_words, logarithmic_words
from gammafind.views.overview import part_with_data
from gammafind.views.style import capitalised

_BACKGROUND_NSIDE = 128
"""Finest background: it is smooth, and finer ones would be most of the page."""
_STEP = 0.004
"""Relative step of the background, far below the noise of counts that a colour shows."""
_SCORE_STEP = 0.03
"""Relative step of scores, below what a colour shows."""
_LARGEST_IMAGE = 2048
"""Most pixels of a side of an image; larger ones are added up."""
_RINGS = 24
"""Radii at which a source is drawn; each ring contains the same share of it."""
_LATTICE = 33
"""Places along each side of an image whose positions are known."""


@dataclass
class Layers:
    """What the script draws, and the texts that hold its arrays.

    Attributes
    ----------
    sky : dict
        Ready for JSON: kind of pixels, bands, maps.
    texts : dict of str to str
        Arrays by the name of their element.
    """

    sky: dict[str, Any]
    texts: dict[str, str] = field(default_factory=dict)

    def add(self, words: np.ndarray) -> str:
        """Keep an array of words; return the name of its element."""
        name = f"array-{len(self.texts)}"
        self.texts[name] = deflated_words(words)
        return name


def layers_of(
    counts: SkyMap,
    observation: Observation | None = None,
    norms: Mapping[str, Any] | None = None,
    residuals: Goodness | None = None,
    scores: SkyMap | None = None,
    score_name: str = "score",
) -> Layers:
    """Maps of a sky or an image.

    Parameters
    ----------
    counts : SkyMap
    observation : Observation, optional
        With the background and the PSFs of the same counts; without it only counts are drawn.
    norms : mapping of str to sequence, optional
        Fitted norm and its error of each component of the background; 1 where one is missing.
    residuals : Goodness, optional
        Maps of residuals to draw as well.
    scores : SkyMap, optional
        Score of the localiser at each place, of one band, to draw as well.
    score_name : str
        What the localiser calls its scores.
    """
    sphere = isinstance(counts.pixels[0], HealpixPixels)
    titles = {"counts": capitalised(counts.kind)}
    layers = Layers({"kind": "sphere" if sphere else "plane", "maps": {}, "titles": titles})
    modelled = observation is not None and counts.kind == "counts"
    backgrounds = _backgrounds(observation, norms or {}) if modelled else [None] * counts.n_bands
    psfs = observation.psfs if modelled else [None] * counts.n_bands
    convert = _sphere_band if sphere else _plane_band
    parts = zip(counts.pixels, counts.values, counts.valid, backgrounds, psfs, strict=True)
    layers.sky["bands"] = [convert(layers, *part) for part in parts]
    if sphere:
        layers.sky["frame"] = "galactic" if counts.pixels[0].frame == "galactic" else "icrs"
        layers.sky["opening"] = _opening(counts)
    else:
        layers.sky |= _image(counts.pixels[0])
    if scores is not None:
        layers.sky["maps"]["score"] = _scores(layers, scores)
        layers.sky["titles"]["score"] = f"{capitalised(score_name)} map"
    if residuals is not None:
        for name, title in (("residual_map", "Residual in discs"), ("ps", "PS")):
            sky = residuals.ps if name == "ps" else residuals.residual
            layers.sky["maps"][name] = _map(
                layers, sky.pixels[0], sky.values[0], sky.valid[0], merge="mean"
            )
            layers.sky["titles"][name] = title
    return layers


def _opening(counts: SkyMap) -> dict[str, float] | None:
    """Galactic centre and width in degrees of the part that has data; None of most of a sky."""
    part = part_with_data(counts)
    if part is None:
        return None
    centre, width = part
    place = {"glon": float(centre.galactic.l.deg), "glat": float(centre.galactic.b.deg)}
    return {**place, "width": float(width.to_value("deg"))}


def _backgrounds(observation: Observation, norms: Mapping[str, Any]) -> list[np.ndarray]:
    """Expected counts of the background in each band, with the norms that were fitted."""
    factors = {name: _norm(norms.get(name, 1.0)) for name in observation.background}
    return [
        sum(factors[name] * sky.values[band] for name, sky in observation.background.items())
        for band in range(observation.counts.n_bands)
    ]


def _norm(fitted: Any) -> float:
    """Norm of a component; where regions have their own, the mean of these."""
    if isinstance(fitted, Mapping):
        return float(np.mean([_norm(one) for one in fitted.values()]))
    return float(np.ravel(fitted)[0])


def _sphere_band(
    layers: Layers,
    pixels: HealpixPixels,
    values: np.ndarray,
    valid: np.ndarray,
    background: np.ndarray | None,
    psf: RadialPsf | None,
) -> dict[str, Any]:
    band = {"counts": _map(layers, pixels, values, valid), "psf": _radii(psf)}
    if background is not None:
        nside = min(pixels.nside, _BACKGROUND_NSIDE)
        coarse = _nested(added_up(np.asarray(background, dtype=float), nside))
        words, lowest = logarithmic_words(coarse, _STEP)
        band["background"] = {
            "id": layers.add(words),
            "lowest": lowest,
            "step": _STEP,
            "nside": nside,
        }
    return band


def _plane_band(
    layers: Layers,
    pixels: Pixels,
    values: np.ndarray,
    valid: np.ndarray,
    background: np.ndarray | None,
    psf: RadialPsf | None,
) -> dict[str, Any]:
    band = {"counts": _map(layers, pixels, values, valid), "psf": _radii(psf)}
    if background is not None:
        small, _ = _smaller(np.asarray(background, dtype=float), valid)
        words, lowest = logarithmic_words(small.ravel(), _STEP)
        band["background"] = {"id": layers.add(words), "lowest": lowest, "step": _STEP}
    return band


def _map(
    layers: Layers, pixels: Pixels, values: np.ndarray, valid: np.ndarray, merge: str = "sum"
) -> dict[str, Any]:
    """Description of a map whose values are kept, and how its pixels become coarser ones."""
    if isinstance(pixels, HealpixPixels):
        values, valid = _nested(values), _nested(valid)
        shape = {"nside": pixels.nside}
    else:
        values, valid = _smaller(values, valid)
        shape = dict(zip(("height", "width"), values.shape, strict=True))
    words, offset, step = linear_words(values.ravel(), valid.ravel())
    return {"id": layers.add(words), "offset": offset, "step": step, "merge": merge, **shape}


def _scores(layers: Layers, scores: SkyMap) -> dict[str, Any]:
    """Description of a map of scores: logarithms are kept of those that are never negative."""
    pixels, values, valid = scores.pixels[0], scores.values[0], scores.valid[0]
    values = np.where(valid, values, 0)
    if not isinstance(pixels, HealpixPixels) or np.any(values < 0):
        return _map(layers, pixels, values, valid, merge="max")
    words, lowest = logarithmic_words(_nested(values), _SCORE_STEP)
    kept = {"id": layers.add(words), "lowest": lowest, "step": _SCORE_STEP}
    return {**kept, "merge": "max", "nside": pixels.nside}


def _nested(values: np.ndarray) -> np.ndarray:
    """Values of a HEALPix map from RING to NESTED order."""
    import healpy as hp

    nside = hp.npix2nside(len(values))
    return np.asarray(values)[hp.nest2ring(nside, np.arange(len(values)))]


def _smaller(values: np.ndarray, valid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """An image whose pixels are added up until its sides are short enough."""
    while max(values.shape) > _LARGEST_IMAGE:
        odd = [(0, side % 2) for side in values.shape]
        values, valid = np.pad(np.where(valid, values, 0), odd), np.pad(valid, odd)
        blocks = (slice(None, None, 2), slice(1, None, 2))
        parts = [(rows, columns) for rows in blocks for columns in blocks]
        values = sum(values[part] for part in parts)
        valid = np.any([valid[part] for part in parts], axis=0)
    return values, valid


def _radii(psf: RadialPsf | None) -> list[float]:
    """Radii in degrees that contain equal shares of a source."""
    if psf is None:
        return []
    shares = (np.arange(_RINGS) + 0.5) / _RINGS
    return [round(float(psf.containment_radius(share).to_value("deg")), 5) for share in shares]


def _image(pixels: Pixels) -> dict[str, Any]:
    """Size of the pixels of an image, and positions of places on it."""
    image = {"pixelSize": float(pixels.pixel_size.to_value("deg")), "lattice": None}
    height, width = pixels.shape
    image |= {"width": width, "height": height}
    if not pixels.celestial:
        return image
    x, y = (np.linspace(-0.5, side - 0.5, _LATTICE) for side in (width, height))
    sky = pixels.wcs.pixel_to_world(*np.meshgrid(x, y))
    vectors = _galactic_vectors(sky)
    return image | {
        "lattice": {"columns": _LATTICE, "rows": _LATTICE, "vectors": vectors.ravel().tolist()}
    }


def _galactic_vectors(positions: SkyCoord) -> np.ndarray:
    """Unit vectors in Galactic coordinates, shape (..., 3); zero where there is no sky."""
    xyz = np.moveaxis(positions.galactic.cartesian.xyz.value, 0, -1)
    return np.round(np.where(np.isfinite(xyz), xyz, 0), 9)
