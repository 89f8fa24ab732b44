"""A catalogue for programs that run on the same machine, by SAMP."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gammafind.catalogue.export import write_catalogue
from gammafind.errors import MissingBackendError, OptionError
from gammafind.pipeline.inputs import Table, table_of
from gammafind.pipeline.result import Result

if TYPE_CHECKING:
    from pyvo.samp import SAMPIntegratedClient

_MESSAGE = "table.load.votable"
_SECONDS = 60
"""Time for a program to load the table."""


def send(catalogue: Table | Result, *, to: str = "", name: str = "gammafind") -> tuple[str, ...]:
    """Send a catalogue to TOPCAT, Aladin, DS9 and others that run, as a VOTable.

    Parameters
    ----------
    catalogue : Result, str, path-like or QTable
    to : str
        Part of the name of a program; to all of them by default.
    name : str
        Of the table, as the programs show it.

    Returns
    -------
    tuple of str
        Names of the programs that loaded it.

    Raises
    ------
    MissingBackendError
        If pyvo is not installed.
    OptionError
        If no hub runs, or no program that takes tables.
    TableError
        If VOTable cannot hold the catalogue.

    Examples
    --------
    >>> import gammafind
    >>> gammafind.send("found.ecsv", to="topcat")  # doctest: +SKIP
    ('topcat',)
    """
    table = catalogue.catalogue if isinstance(catalogue, Result) else table_of(catalogue)
    client = _connected()
    try:
        receivers = _receivers(client, to)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "catalogue.vot"
            write_catalogue(table, path)
            return tuple(
                name_of
                for identity, name_of in receivers.items()
                if _loaded(client, identity, path, name)
            )
    finally:
        client.disconnect()


def _connected() -> SAMPIntegratedClient:
    """Client of the hub that runs."""
    try:
        from pyvo.samp import SAMPHubError, SAMPIntegratedClient
    except ImportError:
        raise MissingBackendError(
            "sending needs pyvo", remedy="Install it with: pip install 'gammafind[vo]'"
        ) from None
    client = SAMPIntegratedClient(name="gammafind", description="catalogues of gamma-ray sources")
    try:
        client.connect()
    except SAMPHubError:
        raise OptionError(
            "no SAMP hub runs", remedy="Start TOPCAT or Aladin: they bring one."
        ) from None
    return client


def _receivers(client: SAMPIntegratedClient, to: str) -> dict[str, str]:
    """Programs that take tables, by their identity."""
    found = {
        identity: str(client.get_metadata(identity).get("samp.name", identity))
        for identity in client.get_subscribed_clients(_MESSAGE)
    }
    chosen = {one: name for one, name in found.items() if to.lower() in name.lower()}
    if not chosen:
        running = ", ".join(found.values()) or "none"
        what = f"called {to!r}" if to else "that takes tables"
        raise OptionError(f"no program {what} runs", remedy=f"There are: {running}.")
    return chosen


def _loaded(client: SAMPIntegratedClient, identity: str, path: Path, name: str) -> bool:
    """Send the address of the table, and wait until the program has read it."""
    answer: dict[str, Any] = client.ecall_and_wait(
        identity, _MESSAGE, str(_SECONDS), url=path.as_uri(), name=name
    )
    return answer.get("samp.status") == "samp.ok"
