from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable

from gammafind.errors import InputDataError, MissingFileError, OptionError
from gammafind.pipeline.classify import classify, without_fakes
from gammafind.pipeline.inputs import sorted_input
from gammafind.pipeline.observe import observe, observe_epochs
from gammafind.roles.classifier import Classifier
from gammafind.roles.localiser import no_detections
from gammafind.sky.cutouts import CutoutLayout
from gammafind.sky.fits import write_counts_by_nside
from gammafind.sky.skymap import SkyMap
from tests.simulation.toy_sky import BANDS, PIXELS, TwoYears


@dataclass(frozen=True, kw_only=True)
class Bright(Classifier):
    """What has few counts is FAKE."""

    name: ClassVar[str] = "bright"
    classes: ClassVar[tuple[str, ...]] = ("BLL", "FAKE")
    fakes: ClassVar[tuple[str, ...]] = ("FAKE",)

    time: bool = False

    @property
    def layout(self):
        return CutoutLayout(n_pixels=3)

    @property
    def n_epochs(self):
        return 2 if self.time else 0

    def _classify(self, cutouts):
        assert ("epoch_counts" in cutouts) == self.time
        real = np.clip(cutouts["counts"].sum(axis=(1, 2, 3)) / 1000, 0, 1)
        return np.stack([real, 1 - real], axis=1)


def sky(value):
    return SkyMap(BANDS, PIXELS, tuple(np.full(p.shape, value) for p in PIXELS), "counts")


def files_of(counts, folder):
    folder.mkdir()
    write_counts_by_nside(counts, folder, selections=((), ()))
    return sorted(folder.glob("*.fits"))


@pytest.fixture
def detections():
    rng = np.random.default_rng(1)
    return QTable(
        {
            "ra": rng.uniform(0, 360, 8) * u.deg,
            "dec": rng.uniform(-80, 80, 8) * u.deg,
            "score": np.linspace(0.3, 0.9, 8),
        }
    )


def test_classes_stand_beside_the_detections(detections):
    table = classify(detections, TwoYears().observe(sky(4)), Bright())
    assert table.colnames[3:] == ["prob_BLL", "prob_FAKE", "class_label", "cutout_inside"]
    assert len(table) == 8
    assert table["cutout_inside"].all()


def test_nothing_found_is_nothing_classified():
    assert len(classify(no_detections(), TwoYears().observe(sky(4)), Bright())) == 0
    assert len(without_fakes(no_detections(), Bright(), 0.5)) == 0


def test_what_is_likely_no_source_is_dropped(detections):
    table = classify(detections, TwoYears().observe(sky(4)), Bright())
    table["prob_FAKE"] = np.linspace(0, 1, 8)
    assert len(without_fakes(table, Bright(), 0.5)) == 4


class Several(Bright):
    """What has few counts is dust or a ghost."""

    name: ClassVar[str] = "several"
    classes: ClassVar[tuple[str, ...]] = ("BLL", "dust", "ghost")
    fakes: ClassVar[tuple[str, ...]] = ("dust", "ghost")

    def _classify(self, cutouts):
        return np.tile([0.4, 0.35, 0.25], (len(cutouts["counts"]), 1))


def test_bogus_classes_count_together(detections):
    table = classify(detections, TwoYears().observe(sky(4)), Several())
    assert set(table["class_label"]) == {"dust"}
    assert table["real_probability"] == pytest.approx(0.4)
    assert len(without_fakes(table, Several(), 0.5)) == 0
    assert len(without_fakes(table, Several(), 0.61)) == 8


@pytest.mark.parametrize("limit", [-0.1, 1.5, np.nan])
def test_limits_that_cannot_be_are_refused(detections, limit):
    with pytest.raises(OptionError, match="max_fake is"):
        without_fakes(detections, Bright(), limit)


def test_epochs_are_read_and_looked_at(detections, tmp_path):
    renderer = TwoYears()
    whole = observe(sorted_input(files_of(sky(4), tmp_path / "all")), renderer)
    parts = [files_of(sky(n), tmp_path / str(n)) for n in (1, 3)]
    epochs = observe_epochs(parts, renderer, whole.counts)
    assert len(classify(detections, whole, Bright(time=True), epochs=epochs)) == 8


def test_a_wrong_number_of_epochs_is_named(tmp_path):
    parts = [files_of(sky(4), tmp_path / "one")]
    with pytest.raises(OptionError, match=r"counts of 1 epochs .*one.* two-years has 2"):
        observe_epochs(parts, TwoYears(), sky(4))
    with pytest.raises(OptionError, match="has none with these options"):
        observe_epochs(parts, TwoYears(year=1), sky(4))


def test_epochs_of_other_photons_are_named_with_their_files(tmp_path):
    parts = [files_of(sky(n), tmp_path / str(n)) for n in (1, 2)]
    with pytest.raises(InputDataError, match=r"/2/.*2 epochs have 576 counts in total"):
        observe_epochs(parts, TwoYears(), sky(4))


def test_a_missing_epoch_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"none\.fits"):
        observe_epochs([[tmp_path / "none.fits"]] * 2, TwoYears(), sky(4))
