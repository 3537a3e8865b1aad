"""Uploads become a batch, or nothing."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from indexer.errors import InboxError, cause_of
from indexer.inbox.names import decoded_name, shown
from indexer.inbox.unpack import Upload, unpack
from indexer.settings import Settings
from indexer.store.batches import INBOX, MAX_NAME_CHARS, add_batch
from indexer.store.disk import disk_faults_told

_DRAFT = ".new-"


def add_uploads(data: Path, uploads: Sequence[Upload], name: str, actor: str, settings: Settings) -> int:
    """Unpack uploads into a batch that waits; gives its number. `name`: what people call it, "" for the first file's.

    Raises UploadRefused, InboxError, StateError or DiskFault; then nothing is kept of them.
    """
    name = " ".join(name.split())
    if len(name) > MAX_NAME_CHARS:
        raise InboxError(f"这一批的名称太长：最多 {MAX_NAME_CHARS} 个字。")
    if not uploads:
        raise InboxError("请选择要上传的文件。")
    with disk_faults_told(data, "收下这一批文件"), draft_folder(data) as folder:
        files = folder / "files"
        files.mkdir()
        found = unpack(uploads, files, settings)
        return add_batch(data, files, name or _name_of(uploads), actor, found.sizes, found.unread)


def add_files(data: Path, files: Sequence[Path], name: str, actor: str, settings: Settings) -> int:
    """The same of files on this machine. Raises InboxError too for a file that cannot be read."""
    with ExitStack() as opened:
        uploads = []
        for path in files:
            try:
                file = opened.enter_context(open(path, "rb"))
            except OSError as error:
                raise InboxError(f"{path} 读不出来：{cause_of(error)}。") from error
            uploads.append(Upload(decoded_name(os.fsencode(path.name)), file, os.fstat(file.fileno()).st_size))
        return add_uploads(data, uploads, name, actor, settings)


@contextmanager
def draft_folder(data: Path) -> Iterator[Path]:
    """A folder of the inbox that is gone afterwards; what processes that died have left goes first."""
    inbox = data / INBOX
    inbox.mkdir(parents=True, exist_ok=True)
    for leftover in leftovers(data):
        shutil.rmtree(leftover, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=_DRAFT, dir=inbox))
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)  # as long as this process lives
        yield folder
    finally:
        os.close(held)
        shutil.rmtree(folder, ignore_errors=True)


def leftovers(data: Path) -> list[Path]:
    """Folders of uploads whose process died, and of batches that were being deleted."""
    drafts = sorted((data / INBOX).glob(f"{_DRAFT}*"))
    return [*(draft for draft in drafts if not _is_held(draft)), *sorted((data / INBOX).glob("*/.gone"))]


def _is_held(folder: Path) -> bool:
    with suppress(OSError):
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(held)
    return False


def _name_of(uploads: Sequence[Upload]) -> str:
    first = shown(uploads[0].name)[: MAX_NAME_CHARS - 20]
    return first if len(uploads) == 1 else f"{first} 等 {len(uploads)} 个文件"
