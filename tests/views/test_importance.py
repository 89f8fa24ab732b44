from __future__ import annotations

from gammafind.views.importance import importance_figure


def test_the_quantities_that_matter_most_are_shown_most_important_on_top():
    falls = {f"quantity {i}": (i / 100, 0.001) for i in range(20)}
    figure = importance_figure({"BLL/FSRQ": falls, "AGN/PSR": falls})
    first, second = figure.axes
    assert first.get_title() == "BLL/FSRQ"
    assert second.get_title() == "AGN/PSR"
    labels = [text.get_text() for text in first.get_yticklabels()]
    assert labels[-1] == "quantity 19"
    assert len(labels) == 12
