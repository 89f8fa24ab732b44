"""How a catalogue was made, in the terms of the provenance data model of the IVOA.

The document is PROV-JSON of the W3C with attributes of the IVOA: entities (files with checksums,
parameters, the catalogue), activities (the steps), agents (the software), and what joins them. The
package ``prov`` reads it.

References
----------
IVOA recommendation Provenance Data Model 1.0, https://www.ivoa.net/documents/ProvenanceDM/;
W3C member submission PROV-JSON, https://www.w3.org/submissions/prov-json/
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gammafind.errors import TableError

PROVENANCE, STEPS = "provenance", "steps"
"""Entries of the metadata: the document, and the steps where there are more than the search."""

_PREFIXES = {
    "prov": "http://www.w3.org/ns/prov#",
    "voprov": "http://www.ivoa.net/documents/ProvenanceDM/voprov/",
    "gf": "urn:gammafind:",
}
_UNSAFE = re.compile(r"[^A-Za-z0-9.-]+")
"""What does not belong in a qualified name."""
_SETTINGS = ("preset", "seed", "min_score", "max_fake", "match_radius", "extended", "selections")
"""Entries of the metadata of a search that are its parameters."""


def step(
    name: str,
    *,
    date: str,
    command: str = "",
    inputs: Sequence[Mapping[str, str]] = (),
    parameters: Mapping[str, Any] | None = None,
    software: str = "",
) -> dict[str, Any]:
    """Record of one step, to append to the entry `STEPS` of the metadata.

    Parameters
    ----------
    name : str
        What was done: the verb.
    date : str
        When it ended, ISO 8601.
    command : str
        Command line.
    inputs : sequence of mapping
        ``name`` and, where they are files, ``sha256`` of what was used next to the catalogue.
    parameters : mapping, optional
        Options and their values, as JSON holds them.
    software : str
        Name and version of the program.
    """
    return {
        "name": name,
        "date": date,
        "command": command,
        "inputs": [dict(one) for one in inputs],
        "parameters": dict(parameters or {}),
        "software": software,
    }


def with_step(meta: Mapping[str, Any], one: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata after one more `step`, with the document of all of them."""
    longer = {**meta, STEPS: [*steps_of(meta), dict(one)]}
    return {**longer, PROVENANCE: prov_document(longer)}


def steps_of(meta: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All steps that the metadata of a catalogue record, the search first.

    Entries of these names that others wrote, of other types, record no steps.
    """
    given = meta.get(STEPS)
    if isinstance(given, list | tuple) and all(map(_is_step, given)):
        return list(given)
    return list(_search(meta))


def prov_document(meta: Mapping[str, Any]) -> dict[str, Any]:
    """Document of how a catalogue was made.

    Parameters
    ----------
    meta : mapping
        Metadata of a catalogue of gammafind.

    Returns
    -------
    dict
        PROV-JSON.

    Raises
    ------
    TableError
        If the metadata do not say how the catalogue was made.
    """
    steps = steps_of(meta)
    if not steps:
        raise TableError(
            "the metadata of the catalogue do not say how it was made",
            remedy="Only catalogues of gammafind do.",
        )
    document: dict[str, Any] = {"prefix": dict(_PREFIXES)}
    before = ""
    for number, one in enumerate(steps, start=1):
        before = _add_step(document, number, one, before)
    return document


def readable(meta: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata for people: without the document, which says the same in more words."""
    return {name: value for name, value in meta.items() if name != PROVENANCE}


def _is_step(one: object) -> bool:
    """Whether this is a record as `step` makes it."""
    return (
        isinstance(one, Mapping)
        and all(isinstance(one.get(key, ""), str) for key in ("name", "date", "command"))
        and bool(one.get("name"))
        and isinstance(one.get("software", ""), str)
        and all(isinstance(one.get(key, {}), Mapping) for key in ("parameters", "libraries"))
        and isinstance(one.get("inputs", []), list | tuple)
        and len(_mappings(one.get("inputs", []))) == len(one.get("inputs", []))
    )


def _mappings(values: object) -> list[Mapping[str, Any]]:
    """Mappings among the entries of a list."""
    listed = values if isinstance(values, list | tuple) else ()
    return [one for one in listed if isinstance(one, Mapping)]


def _search(meta: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The search as a step, or a classification, where the metadata hold only one of them."""
    if "creator" not in meta or "plugins" not in meta:
        return
    parameters = {name: meta[name] for name in _SETTINGS if meta.get(name) is not None}
    inputs = _mappings(meta.get("inputs"))
    plugins = [one for one in _mappings(meta["plugins"]) if {"role", "name"} <= set(one)]
    for plugin in plugins:
        role = str(plugin["role"])
        parameters[role] = f"{plugin['name']} {plugin.get('version', '')}".strip()
        parameters |= {f"{role}.{key}": v for key, v in _mapping(plugin.get("options")).items()}
        inputs += [
            {"name": name, "sha256": checksum}
            for name, checksum in _mapping(plugin.get("files")).items()
        ]
    if isinstance(meta.get("reference"), Mapping):
        inputs.append(dict(meta["reference"]))
    searched = any(plugin["role"] == "localiser" for plugin in plugins)
    made = step(
        "detect" if searched else "classify",
        date=str(meta.get("date", "")),
        command=str(meta.get("command", "")),
        inputs=inputs,
        parameters=parameters,
        software=str(meta["creator"]),
    )
    yield made | {"libraries": _mapping(meta.get("software"))}


def _mapping(value: object) -> dict[str, Any]:
    """Mapping as a dict; an empty one for anything else."""
    return dict(value) if isinstance(value, Mapping) else {}


def _add_step(document: dict[str, Any], number: int, one: Mapping[str, Any], before: str) -> str:
    """Add an activity with all that it used and made; return the name of its catalogue."""
    activity, made = f"gf:activity/{number}", f"gf:catalogue/{number}"
    agent = f"gf:agent/{_UNSAFE.sub('-', one.get('software') or 'gammafind').strip('-')}"
    described = {"voprov:name": one["name"], "prov:label": one["name"]}
    if one.get("date"):
        described["prov:endTime"] = one["date"]
    if one.get("command"):
        described["voprov:comment"] = one["command"]
    document.setdefault("activity", {})[activity] = described
    document.setdefault("agent", {})[agent] = {
        "prov:type": {"$": "prov:SoftwareAgent", "type": "prov:QUALIFIED_NAME"},
        "voprov:name": one.get("software") or "gammafind",
        **{f"gf:{name}": str(value) for name, value in one.get("libraries", {}).items()},
    }
    entities = document.setdefault("entity", {})
    entities[made] = {"voprov:name": "catalogue", "prov:label": f"catalogue after {one['name']}"}
    for place, (name, entity, role) in enumerate(_used(one, number, before), start=1):
        entities.setdefault(name, entity)
        document.setdefault("used", {})[f"_:used{number}.{place}"] = {
            "prov:activity": activity,
            "prov:entity": name,
            "prov:role": role,
        }
    _join(document, "wasGeneratedBy", number, {"prov:entity": made, "prov:activity": activity})
    _join(document, "wasAssociatedWith", number, {"prov:activity": activity, "prov:agent": agent})
    if before:
        pair = {"prov:generatedEntity": made, "prov:usedEntity": before}
        _join(document, "wasDerivedFrom", number, pair)
    return made


def _join(document: dict[str, Any], kind: str, number: int, ends: dict[str, str]) -> None:
    document.setdefault(kind, {})[f"_:{kind}{number}"] = ends


def _used(
    one: Mapping[str, Any], number: int, before: str
) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Name, description and role of each entity that a step used."""
    if before:
        yield before, {}, "catalogue"
    for place, given in enumerate(one.get("inputs", ()), start=1):
        described = {"voprov:name": str(given.get("name", f"input {place}"))}
        described |= {f"gf:{key}": str(value) for key, value in given.items() if key != "name"}
        identity = given.get("sha256") or f"{number}.{place}"
        yield f"gf:file/{str(identity)[:16]}", described, "input"
    for name, value in one.get("parameters", {}).items():
        text = value if isinstance(value, str) else json.dumps(value)
        described = {
            "prov:type": {"$": "voprov:Parameter", "type": "prov:QUALIFIED_NAME"},
            "voprov:name": name,
            "voprov:value": text,
        }
        yield f"gf:parameter/{number}/{name}", described, "parameter"
