"""What headers say about a file."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from gammafind.sky.fits.energies import energy_cut
from gammafind.sky.fits.facts import read_facts
from gammafind.sky.fits.selections import Circle, circle_of, cut_range
from tests.sky.fits.builders import gtbin_file, write

CUTS = {
    "BIT_MASK(EVENT_CLASS,128,P8R3)": "1:1",
    "POS(RA,DEC)": "CIRCLE(83.6,22.0,15)",
    "ENERGY": "200:20000",
    "ZENITH_ANGLE": "0:90",
}


def photons(
    path, *, cuts=CUTS, times=(100.0, 900.0), energies=(250.0, 9e3), good=((50, 950),), unit="MeV"
):
    """A photon list with cuts in its header and a table of good times; energies in a unit."""
    columns = [
        fits.Column("RA", "E", "deg", array=np.full(len(energies), 83.6)),
        fits.Column("DEC", "E", "deg", array=np.full(len(energies), 22.0)),
        fits.Column("ENERGY", "E", unit, array=energies),
        fits.Column("TIME", "D", "s", array=times),
    ]
    events = fits.BinTableHDU.from_columns(columns, name="EVENTS")
    events.header["NDSKEYS"] = len(cuts)
    for number, (kind, value) in enumerate(cuts.items(), start=1):
        events.header[f"DSTYP{number}"], events.header[f"DSVAL{number}"] = kind, value
        if kind == "ENERGY":
            events.header[f"DSUNI{number}"] = unit
    start, stop = np.array(good, dtype=float).reshape(-1, 2).T
    bounds = [
        fits.Column("START", "D", "s", array=start),
        fits.Column("STOP", "D", "s", array=stop),
    ]
    return write(path, events, *[fits.BinTableHDU.from_columns(bounds, name="GTI")][: len(start)])


def test_a_photon_list_says_its_energies_its_circle_and_its_good_time(tmp_path):
    facts = read_facts(photons(tmp_path / "ft1.fits"))
    assert facts.kind == "photons"
    assert facts.energies == "0.2-20 GeV"
    assert facts.range("ZENITH_ANGLE") == (0, 90)
    assert facts.circle == Circle(83.6, 22.0, 15)
    assert facts.good_time == 900
    assert facts.photons.number == 2
    assert facts.photons.times == (100, 900)
    assert facts.photons.energies == pytest.approx((250, 9000))


def test_count_maps_say_their_bins(tmp_path):
    facts = read_facts(gtbin_file(tmp_path / "counts.fits"))
    assert facts.kind == "counts"
    assert facts.bins.shape[1] == 2
    assert facts.good_time is None
    assert facts.photons is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [("SC_DATA", "spacecraft"), ("CTHETABOUNDS", "livetime"), ("LIST", "other")],
)
def test_other_files_are_known_by_their_tables(tmp_path, name, kind):
    table = fits.BinTableHDU.from_columns([fits.Column("X", "E", array=[1.0])], name=name)
    assert read_facts(write(tmp_path / "file.fits", table)).kind == kind


def test_an_image_with_energies_is_an_exposure_or_an_intensity(tmp_path):
    nodes = [fits.Column("Energy", "D", "MeV", array=[100.0, 1000.0])]
    energies = fits.BinTableHDU.from_columns(nodes, name="ENERGIES")
    image = fits.ImageHDU(np.ones((2, 4, 4)))
    assert read_facts(write(tmp_path / "exposure.fits", image, energies)).kind == "exposure"
    image.header["BUNIT"] = "photon/cm2/s/MeV/sr"
    assert read_facts(write(tmp_path / "cube.fits", image, energies)).kind == "intensity"


def test_a_dataset_of_gammapy_holds_counts_next_to_a_psf_per_steradian(tmp_path):
    counts = fits.ImageHDU(np.ones((2, 4, 4)), name="COUNTS")
    psf = fits.ImageHDU(np.ones((2, 4, 4)), fits.Header({"BUNIT": "sr-1"}), name="PSF")
    assert read_facts(write(tmp_path / "dataset.fits", counts, psf)).kind == "counts"


def test_the_smallest_circle_and_the_narrowest_range_count():
    cuts = ["POS(RA,DEC) = CIRCLE(1,2,20) deg", "POS(RA,DEC) = CIRCLE(1,3,5) deg"]
    assert circle_of(cuts) == Circle(1, 3, 5)
    assert circle_of(["POS(RA,DEC) = CIRCLE(0,0,180) deg"]) is None
    assert cut_range(["ENERGY = 100:5e5 MeV", "ENERGY = 300:1e6 MeV"], "ENERGY") == (300, 5e5)
    assert cut_range(["TIME = TABLE"], "TIME") is None
    assert cut_range(["ENERGY = 1:500 GeV", "ENERGY = 3E5:1E9 keV"], "ENERGY") == (1e3, 5e5)
    assert cut_range(["ENERGY = 300: MeV", "ENERGY = :5e5 MeV"], "ENERGY") == (300, 5e5)
    assert cut_range(["ENERGY = 1:2 Hz"], "ENERGY") is None


@pytest.mark.parametrize(("unit", "scale"), [("keV", 1e3), ("GEV", 1e-3), ("TeV", 1e-6)])
def test_energies_are_in_the_unit_that_the_header_states(tmp_path, unit, scale):
    cuts = {**CUTS, "ENERGY": f"{200 * scale:g}:{20000 * scale:g}"}
    energies = np.array([250, 9e3]) * scale
    facts = read_facts(photons(tmp_path / "ft1.fits", cuts=cuts, energies=energies, unit=unit))
    assert facts.range("ENERGY") == pytest.approx((200, 20000))
    assert facts.photons.energies == pytest.approx((250, 9000))
    assert facts.energies == "0.2-20 GeV"
    assert energy_cut(facts.selections).to_value("MeV").ravel() == pytest.approx([200, 20000])
