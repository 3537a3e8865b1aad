"""The editors' inbox: what the next build will read of it, and what dead processes left there."""

from __future__ import annotations

from collections.abc import Iterator

from indexer.errors import StateError
from indexer.health.finding import Finding, broken, well
from indexer.inbox.adding import leftovers
from indexer.read import find_files
from indexer.settings import Settings
from indexer.store.batches import list_batches, taken_in
from indexer.store.disk import corpus_size


def inbox(settings: Settings) -> Iterator[Finding]:
    """How much was taken in, and whether each batch is known; what half an upload left."""
    data = settings.data
    if not (data / "inbox").is_dir() and not (data / "pages").is_dir():
        return
    if left := leftovers(data):
        yield broken(
            "inbox_leftovers",
            "收件箱",
            f"{left[0]} 等 {len(left)} 个目录是中断的上传或丢弃留下的；下一次上传时会清掉，也可以直接删除它们。",
        )
    taken = taken_in(data)
    try:
        known = {batch.number for batch in list_batches(data, limit=-1)}
    except StateError:
        return  # said of the state database
    if unknown := [number for number, _ in taken if number not in known]:
        yield broken(
            "inbox_unknown",
            "收件箱",
            f"{data / 'pages' / str(unknown[0])} 不是收件箱收进的，但建立索引时会读它；"
            "请从备份恢复 state.sqlite3，或把这个目录移走。",
        )
    files = [found for _, folder in taken for found in find_files([folder])]
    if not left and not unknown:
        size = corpus_size(files)
        yield well("inbox", "收件箱", f"收进了 {len(taken)} 批，{len(files)} 个文件，{size / 1_000_000:.1f} MB。")
