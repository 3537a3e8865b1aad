"""How many rows each process holds that are not yet written, kept where a kill does not take it along: a number in a
small file beside the log, locked as long as its process lives. Whoever finds one that nobody locks knows what was lost.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

PREFIX = "querylog.in-hand-"
_BYTES = 8


class InHand:
    """The number of this process. A record lock (fcntl) ends with its process, and no forked child inherits it."""

    def __init__(self, data_dir: Path) -> None:
        """Raises OSError."""
        data_dir.mkdir(parents=True, exist_ok=True)
        self._descriptor, name = tempfile.mkstemp(prefix=_own_prefix(), dir=data_dir)
        self._file = Path(name)
        fcntl.lockf(self._descriptor, fcntl.LOCK_EX)
        os.posix_fallocate(self._descriptor, 0, _BYTES)  # only then others look at it; a full disk is told here

    def set(self, rows: int) -> None:
        """Takes a microsecond, and no room on the disk."""
        os.pwrite(self._descriptor, rows.to_bytes(_BYTES, "big"), 0)

    def remove(self) -> None:
        """When all is written and the process ends. Raises OSError."""
        self._file.unlink(missing_ok=True)


def left_by_the_dead(data_dir: Path) -> Iterator[tuple[int, str]]:
    """Rows that a process took along, and the day (UTC); each is removed once the loop goes on, and none told twice."""
    for file in data_dir.glob(f"{PREFIX}*"):
        if file.name.startswith(_own_prefix()):
            continue  # to open and close it would give up its lock
        try:
            descriptor = os.open(file, os.O_RDWR)
        except OSError:
            continue  # somebody was faster, or it is another user's
        try:
            if _is_nobodys(descriptor):
                day = datetime.fromtimestamp(os.fstat(descriptor).st_mtime, UTC)
                yield int.from_bytes(os.pread(descriptor, _BYTES, 0), "big"), f"{day:%Y-%m-%d}"
                file.unlink(missing_ok=True)
        finally:
            os.close(descriptor)


def _is_nobodys(descriptor: int) -> bool:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    state = os.fstat(descriptor)
    return state.st_size == _BYTES and state.st_nlink > 0


def _own_prefix() -> str:
    return f"{PREFIX}{os.getpid()}-"
