"""Networks whose inputs do not depend on the bands, at work."""

from __future__ import annotations

from dataclasses import replace

import astropy.units as u
import numpy as np
import pytest

from gammafind.errors import OptionError
from gammafind.networks.calibration import Calibration
from gammafind.networks.features import FeatureSpec
from gammafind.networks.peaks import PeakFinder
from gammafind.networks.tiers import TIERS, BandResolution
from gammafind.plugins.unet.architecture import Architecture
from gammafind.plugins.unet.patch_network import PatchNetwork
from gammafind.plugins.unet.sky_evidence import setting_evidence
from gammafind.plugins.unet.training.truth import match_radius
from gammafind.sky.bands import energy_bands
from gammafind.sky.observation import Observation
from gammafind.sky.patch_grid import PatchGrid
from gammafind.sky.patches import Patches
from gammafind.sky.pixels import HealpixPixels
from gammafind.sky.psf import RadialPsf
from gammafind.sky.skymap import SkyMap

ANY = Architecture(
    network="gammafind",
    widths=(),
    size=12.8 * u.deg,
    features=FeatureSpec(background=True, tiers=True),
    options={"filters": [2, 2, 2, 2]},
    calibration=Calibration(),
)
PSF = RadialPsf(
    np.linspace(0, np.radians(2), 400),
    np.exp(-0.5 * (np.linspace(0, 2, 400) / 0.2) ** 2),
)
PLACE = (40, 25)


def patches(n_bands: int = 2, width: int = 64) -> Patches:
    """One patch in some bands of one PSF, with a source."""
    y, x = np.indices((width, width))
    profile = np.exp(-((x - PLACE[0]) ** 2 + (y - PLACE[1]) ** 2) / 2)
    expected = 1 + 60 * profile / profile.sum()
    rng = np.random.default_rng(3)
    return Patches(
        grid=PatchGrid(np.array([120.0]), np.array([45.0])),
        bands=energy_bands(np.geomspace(2, 20, n_bands + 1) * u.GeV),
        counts=tuple(rng.poisson(expected)[None].astype(np.float32) for _ in range(n_bands)),
        background=(np.ones((1, width, width), dtype=np.float32),) * n_bands,
        psfs=(PSF,) * n_bands,
        map_pixels=(0.05,) * n_bands,
        mean_exposure=(1e11,) * n_bands,
    )


def significance_of_tiers(inputs):
    """Output of a network that smooths the significance of the second tier."""
    seen = inputs[1][..., 0]
    smooth = sum(
        np.roll(np.roll(seen, i, axis=1), j, axis=2) for i in (-1, 0, 1) for j in (-1, 0, 1)
    )
    fine = np.kron(smooth, np.ones((1, 2, 2)))
    output = np.zeros((*fine.shape, 4), dtype=np.float32)
    output[..., 0] = fine - 15
    return output


def network(architecture=ANY) -> PatchNetwork:
    return PatchNetwork(
        run=significance_of_tiers,
        architecture=architecture,
        peaks=PeakFinder(threshold=0.5, separation=3.0),
        views=1,
    )


@pytest.mark.parametrize("n_bands", [1, 2, 5])
def test_a_source_is_found_in_any_number_of_bands(n_bands):
    found = network().find(patches(n_bands))
    assert len(found) == 1
    assert abs(found["x"][0].value - PLACE[0]) <= 1.5
    assert abs(found["y"][0].value - PLACE[1]) <= 1.5


def test_patches_of_any_bands_fit_and_other_sizes_do_not():
    assert ANY.fits(patches(3))
    small = patches()
    small = replace(small, grid=PatchGrid(small.grid.lon, small.grid.lat, 6.4 * u.deg))
    assert not ANY.fits(small)
    assert [width for width, _ in ANY.inputs] == list(TIERS)


def test_what_a_network_for_any_bands_must_know_is_named():
    with pytest.raises(OptionError, match="needs the background, PSFs and exposures"):
        network().find(replace(patches(), psfs=None))


def test_an_architecture_for_any_bands_is_read_as_it_was_written(tmp_path):
    ANY.write(tmp_path / "architecture.json")
    assert Architecture.read(tmp_path / "architecture.json") == ANY


def observation(nside: int) -> Observation:
    bands, pixels = energy_bands([2, 20] * u.GeV), (HealpixPixels(nside),)
    n = 12 * nside**2
    level = 1e6 / n
    return Observation(
        counts=SkyMap(bands, pixels, (np.full(n, round(level)),), "counts"),
        background={"flat": SkyMap(bands, pixels, (np.full(n, level),), "expected counts")},
        exposure=SkyMap(bands, pixels, (np.full(n, 1e11),), "exposure"),
        psfs=(PSF,),
    )


def test_evidence_of_the_setting_hardly_depends_on_the_pixels_of_the_maps():
    fine, finer = (
        setting_evidence(observation(nside), np.array([[1e6 / (12 * nside**2)]]))
        for nside in (256, 512)
    )
    np.testing.assert_allclose(fine, finer, atol=0.2)


def test_detections_are_matched_within_the_width_of_the_psf():
    r68 = PSF.containment_radius(0.68).to_value("deg")
    assert match_radius(observation(512)).to_value("deg") == pytest.approx(r68, rel=0.05)


def test_bands_with_wide_pixels_are_spread_and_others_are_not():
    sky = observation(64)
    bands = energy_bands([2, 6, 20] * u.GeV)
    counts = np.zeros(12 * 64**2, dtype=int)
    counts[20_000] = 1000
    both = {"flat": SkyMap(bands, sky.counts.pixels * 2, (counts * 1.0,) * 2, "expected counts")}
    sky = Observation(
        counts=SkyMap(bands, sky.counts.pixels * 2, (counts,) * 2, "counts"),
        background=both,
        exposure=SkyMap(bands, sky.counts.pixels * 2, (counts + 1e11,) * 2, "exposure"),
        psfs=(PSF,) * 2,
    )
    assert list(BandResolution.of_maps(sky.psfs, sky.counts.pixels).spread) == [True, True]
    at = HealpixPixels(64).vectors[20_000]
    lon, lat = np.degrees(np.arctan2(at[1], at[0])), np.degrees(np.arcsin(at[2]))
    grid = PatchGrid(np.array([lon]), np.array([lat]))
    cut = sky.patches(grid, (64, 64), spread=(True, False), rng=np.random.default_rng(1))
    assert [one.sum() for one in cut.counts] == pytest.approx([1000, 1000], rel=1e-3)
    assert np.any(cut.counts[0] % 1)
    assert not np.any(cut.counts[1] % 1)
