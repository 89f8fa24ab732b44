"""Histories as tables and plots."""

from __future__ import annotations

import astropy.units as u
import pytest
from astropy.table import QTable

from gammafind.training.history import best_row, history_figure, write_history


@pytest.fixture
def rows():
    losses = [(3.0, 2.0), (2.0, 1.5), (1.0, 1.6)]
    return [
        {"epoch": i + 1, "loss": a, "val_loss": b, "seconds": 2.5}
        for i, (a, b) in enumerate(losses)
    ]


def test_the_best_epoch_is_that_of_the_lowest_validation_loss(rows):
    assert best_row(rows)["epoch"] == 2


def test_a_history_is_written_as_table_and_plot(rows, tmp_path):
    write_history(rows[:1], tmp_path)
    write_history(rows, tmp_path)
    table = QTable.read(tmp_path / "history.ecsv")
    assert list(table["val_loss"]) == [2.0, 1.5, 1.6]
    assert table["seconds"].unit == u.s
    assert (tmp_path / "history.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["history.ecsv", "history.png"]


def test_the_plot_shows_both_losses(rows):
    axes = history_figure(rows).axes[0]
    shown = {line.get_label(): list(line.get_ydata()) for line in axes.lines}
    assert shown["training"] == [3.0, 2.0, 1.0]
    assert shown["validation"] == [2.0, 1.5, 1.6]
