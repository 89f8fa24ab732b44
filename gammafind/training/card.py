"""Model cards: on what a network was trained, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gammafind.networks.backend import load_keras
from gammafind.roles.trainer import Learned, Row
from gammafind.training.history import best_row

_PLUGINS = ("population", "renderer", "localiser")
_TABLES = ("features", "draw", "detections", "samples", "targets", "loss", "training")
"""Options that have a row each, where the network has them."""


def model_card(learned: Learned, test_loss: float | None, own: Mapping[str, Any]) -> str:
    """Card of a trained network.

    Parameters
    ----------
    learned : Learned
        Where there are several stages, a second table says how each went, and which of its
        settings are not those of the last one.
    test_loss : float or None
        On catalogues that were neither in the training nor in the validation.
    own : mapping
        Entries of the table that not all networks have, by name.

    Returns
    -------
    str
    """
    settings = learned.stages[-1][0]
    data = settings["data"]
    rows = {
        "network": listed(settings["network"]),
        "preset": settings["preset"],
        **{role: _plugin(settings[role]) for role in _PLUGINS if role in settings},
        "catalogues": f"{data['train']} for training, {data['validation']} for validation, "
        f"{data['test']} for the test, seed {data['seed']}",
        "seed": settings["seed"],
        **own,
        "hours": f"{hours(learned)}, on {load_keras().backend.backend()}",
        **{name: listed(settings[name]) for name in _TABLES if name in settings},
        **_outcome(learned, test_loss),
    }
    lines = [f"| {name} | {value} |" for name, value in rows.items()]
    title = f"# {settings['network']['name']}, trained for {settings['preset']}"
    table = [title, "", "| | |", "|---|---|", *lines, ""]
    return "\n".join([*table, *(_stages(learned) if len(learned.stages) > 1 else [])])


def hours(learned: Learned) -> str:
    """Time that all epochs took together."""
    return f"{sum(_hours(rows) for _, rows in learned.stages):.2f}"


def _outcome(learned: Learned, test_loss: float | None) -> dict[str, str]:
    """Rows on how it ended: which weights are kept, their losses, and who made them when."""
    best, record = best_row(learned.stages[-1][1]), learned.record
    return {
        "weights": f"of epoch {best['epoch']:.0f}, whose validation loss is the lowest",
        "loss of training, validation": f"{best['loss']:.5f}, {best['val_loss']:.5f}",
        "loss of the test": "not tested" if test_loss is None else f"{test_loss:.5f}",
        "made by": f"{record['creator']}, {record['date']}",
    }


def _plugin(entry: Mapping[str, Any]) -> str:
    """Name and options of a plugin."""
    return listed({"name": entry["name"], **entry["options"]})


def listed(values: Mapping[str, Any]) -> str:
    """Names and values in one line."""
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _stages(learned: Learned) -> Iterator[str]:
    """Table of the stages."""
    yield "| stage | epochs | hours | loss of the validation | other than in the last stage |"
    yield "|---|---|---|---|---|"
    last = dict(_flat(learned.stages[-1][0]))
    for number, (settings, rows) in enumerate(learned.stages, start=1):
        best, own = best_row(rows), dict(_flat(settings))
        other = {name: value for name, value in own.items() if last.get(name) != value}
        other |= {name: "not given" for name in last if name not in own}
        loss = f"{best['val_loss']:.5f} in epoch {best['epoch']:.0f}"
        yield f"| {number} | {len(rows)} | {_hours(rows):.2f} | {loss} | {listed(other)} |"
    yield ""


def _hours(rows: Sequence[Row]) -> float:
    return sum(row["seconds"] for row in rows) / 3600


def _flat(settings: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Settings by their dotted names."""
    for name, value in settings.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value
