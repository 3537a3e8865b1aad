"""The log of acts, for commands that have done something already."""

from __future__ import annotations

from pathlib import Path

import click

from indexer.errors import StateError
from indexer.store.audit_log import record_act, terminal_actor


def log_done(data: Path, action: str, object: str, detail: str = "") -> None:
    """Write down what whoever is at the terminal has done. A log that cannot be written undoes nothing, so it is told
    on standard error and changes no exit status.
    """
    try:
        record_act(data, terminal_actor(), action, object, detail)
    except StateError as error:
        click.echo(f"已经做完，但没能写进操作记录：{error}", err=True)
