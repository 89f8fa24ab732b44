from __future__ import annotations

import healpy as hp
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import QTable

from gammafind.cli.main import main
from gammafind.errors import OptionError, OutputError
from gammafind.pipeline.sensitivity import sensitivity, sensitivity_at
from gammafind.sky.fits import write_map
from gammafind.sky.skymap import SkyMap
from gammafind.views.sensitivity import sensitivity_figure
from tests.cli.fixtures import toy
from tests.cli.toy import BANDS, EXPOSURE, PIXELS, toy_file

__all__ = ["toy"]

pytestmark = pytest.mark.usefixtures("toy")


@pytest.fixture
def counts():
    return SkyMap(BANDS, [PIXELS], [np.ones(PIXELS.shape, dtype=int)])


def test_the_map_is_one_flux_a_place(counts):
    sky = sensitivity(counts, nside=4)
    assert sky.kind == "flux"
    assert sky.n_bands == 1
    assert sky.valid[0].all()
    assert 5 < np.median(sky.values[0]) * EXPOSURE < 20
    assert sky.meta["ts"] == 16


def test_a_higher_cut_needs_more_flux(counts):
    low, high = (np.median(sensitivity(counts, nside=4, ts=ts).values[0]) for ts in (16, 36))
    assert 1.3 < high / low < 2.2


def test_known_sources_count_where_they_are(counts):
    at = PIXELS.centres()[1000].icrs
    bright = counts.values[0].copy()
    bright[1000] = 3000
    sky = SkyMap(BANDS, [PIXELS], [bright])
    sources = QTable({"ra": [at.ra], "dec": [at.dec]})
    with_source = sensitivity(sky, nside=16, sources=sources)
    ratio = with_source.values[0] / sensitivity(sky, nside=16).values[0]
    assert ratio[1000] > 3
    assert np.median(ratio) == pytest.approx(1, abs=0.1)


def test_fluxes_between_pixels_are_interpolated(counts):
    sky = sensitivity(counts, nside=4)
    low, high = sky.values[0].min(), sky.values[0].max()
    flux = sensitivity_at(sky, SkyCoord([10, 200], [5, -70], unit="deg")).value
    assert np.all((flux >= 0.99 * low) & (flux <= 1.01 * high))


@pytest.mark.parametrize("options", [{"ts": 0}, {"index": np.nan}, {"seed": -1}, {"nside": 3}])
def test_impossible_options_are_errors(options, counts):
    with pytest.raises(OptionError):
        sensitivity(counts, **options)


def test_the_file_is_read_by_healpy(counts, tmp_path):
    sky = sensitivity(counts, nside=4)
    write_map(sky, tmp_path / "map.fits")
    np.testing.assert_allclose(hp.read_map(tmp_path / "map.fits"), sky.values[0])
    with pytest.raises(OptionError, match="counts"):
        write_map(counts, tmp_path / "counts.fits")
    with pytest.raises(OutputError, match="exists"):
        write_map(sky, tmp_path / "map.fits")


def test_the_figure_has_a_colour_bar(counts):
    figure = sensitivity_figure(sensitivity(counts, nside=4))
    assert "half" in figure.axes[1].get_xlabel()


def test_the_command_writes_map_and_figure(tmp_path, capsys):
    counts, out = toy_file(tmp_path / "counts.fits"), tmp_path / "out.fits"
    plot = tmp_path / "out.png"
    command = ["sensitivity", str(counts), "--nside", "4", "-o", str(out), "--plot", str(plot)]
    assert main(command) == 0
    assert "half of all sources" in capsys.readouterr().out
    assert out.exists()
    assert plot.exists()
    assert main(command) == 1
