"""Model cards: on what a network was trained, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gammafind.training.history import Row, best_row

__all__ = ["card", "classifier_card"]


def card(record: Mapping[str, Any], history: Sequence[Row], test_loss: float | None) -> str:
    """Card of a trained network.

    Parameters
    ----------
    record : mapping
        Settings, versions and date.
    history : sequence of Row
    test_loss : float or None
        On catalogues that were neither in the training nor in the validation.

    Returns
    -------
    str
    """
    settings, best = record["settings"], best_row(history)
    data, batches = settings["data"], settings["batches"]
    hours = sum(row["seconds"] for row in history) / 3600
    seen = len(history) * (batches["patches_per_epoch"] // batches["batch_size"])
    rows = {
        "network": _listed(settings["network"]),
        "preset": settings["preset"],
        "population": _plugin(settings["population"]),
        "renderer": _plugin(settings["renderer"]),
        **{f"varying {role}": _ranges(told) for role, told in settings.get("vary", {}).items()},
        "catalogues": f"{data['train']} for training, {data['validation']} for validation, "
        f"{data['test']} for the test, seed {data['seed']}",
        "seed": settings["seed"],
        "begun with": settings.get("start", "random weights"),
        "patches seen": f"{seen * batches['batch_size']:,} in {len(history)} epochs",
        "hours": f"{hours:.2f}, on {record['backend']}",
        "features": _listed(settings["features"]),
        "targets": _listed(settings["targets"]),
        "draw": _listed(settings["draw"]),
        "loss": _listed(settings["loss"]),
        "training": _listed(settings["training"]),
        "weights": f"of epoch {best['epoch']:.0f}, whose validation loss is the lowest",
        "loss of training, validation": f"{best['loss']:.5f}, {best['val_loss']:.5f}",
        "loss of the test": "not tested" if test_loss is None else f"{test_loss:.5f}",
        "made by": f"{record['creator']}, {record['date']}",
    }
    return _page(settings, rows)


def classifier_card(
    record: Mapping[str, Any],
    history: Sequence[Row],
    test_loss: float | None,
    numbers: Mapping[str, int],
    temperature: float,
) -> str:
    """Card of a trained classifier.

    Parameters
    ----------
    record : mapping
    history : sequence of Row
    test_loss : float or None
        These three as for `card`.
    numbers : mapping of str to int
        Detections of each class in the training.
    temperature : float
        Of the catalogues of the validation.

    Returns
    -------
    str
    """
    settings, best = record["settings"], best_row(history)
    data = settings["data"]
    rows = {
        "network": _listed(settings["network"]),
        "preset": settings["preset"],
        "population": _plugin(settings["population"]),
        "renderer": _plugin(settings["renderer"]),
        "localiser": _plugin(settings["localiser"]),
        "catalogues": f"{data['train']} for training, {data['validation']} for validation, "
        f"{data['test']} for the test, seed {data['seed']}",
        "seed": settings["seed"],
        "detections": _listed(settings["detections"]),
        "detections in the training": _listed(numbers),
        "cut-outs": _listed(settings["layout"]),
        "samples": _listed(settings["samples"]),
        "training": _listed(settings["training"]),
        "hours": f"{sum(row['seconds'] for row in history) / 3600:.2f}, on {record['backend']}",
        "weights": f"of epoch {best['epoch']:.0f}, whose validation loss is the lowest",
        "temperature": f"{temperature:.4f}",
        "loss of training, validation": f"{best['loss']:.5f}, {best['val_loss']:.5f}",
        "loss of the test": "not tested" if test_loss is None else f"{test_loss:.5f}",
        "made by": f"{record['creator']}, {record['date']}",
    }
    return _page(settings, rows)


def _page(settings: Mapping[str, Any], rows: Mapping[str, Any]) -> str:
    lines = [f"| {name} | {value} |" for name, value in rows.items()]
    title = f"# {settings['network']['name']}, trained for {settings['preset']}"
    return "\n".join([title, "", "| | |", "|---|---|", *lines, ""])


def _plugin(entry: Mapping[str, Any]) -> str:
    return _listed({"name": entry["name"], **entry["options"]})


def _ranges(options: Mapping[str, Sequence[Any]]) -> str:
    return ", ".join(f"{name} {low} to {high}" for name, (low, high) in options.items())


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
