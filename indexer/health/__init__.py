"""What `yiwen doctor` looks at: one question a function, each with its answer and the cure.

directory.py     the data directory: permissions, owner, key, lock, what dead processes left, cache, clock
indexes.py       the generations: CURRENT, seals, hashes, counts, resources, a search
databases.py     state and query log
inbox.py         what editors took in
meaning.py       the model that finds answers by their meaning, and its vectors
surroundings.py  installed packages, room on disk, the site that runs
"""

from __future__ import annotations

from collections.abc import Iterator

from indexer.errors import cause_of
from indexer.health import databases, directory, inbox, indexes, meaning, surroundings
from indexer.health.finding import Finding, broken
from indexer.settings import Settings

__all__ = ["Finding", "findings"]


def findings(settings: Settings) -> Iterator[Finding]:
    """Look at everything, from the installation to a search. Nothing raises: what cannot be looked at is a finding."""
    for look in (
        surroundings.packages,
        directory.access,
        directory.owner,
        directory.key,
        surroundings.disk,
        directory.lock,
        directory.leftovers,
        directory.cache,
        directory.clock,
        inbox.inbox,
        indexes.served,
        indexes.others,
        indexes.resources_match,
        indexes.golden_questions,
        indexes.how_many,
        meaning.meaning,
        databases.state,
        databases.query_log,
        surroundings.site,
    ):
        try:
            yield from look(settings)
        except OSError as error:
            place = f" {error.filename}" if error.filename else ""
            yield broken("unreadable", "数据目录", f"文件{place} 无法读取：{cause_of(error)}；请检查路径、权限和磁盘。")
