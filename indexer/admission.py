"""Which answers of cleaned pages are taken: each id once, none that was taken down, no page that an editor left out,
nothing of excluded sites.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from indexer.records import Answer, Page, Rejected
from indexer.verdicts import Reason


class Admission:
    """Looks at pages in order."""

    def __init__(
        self,
        taken_down: frozenset[str],
        left_out: Mapping[str, str] = {},
        excludes: Callable[[str | None], bool] | None = None,
    ) -> None:
        """`taken_down`: ids and addresses. `left_out`: paths, with the reason of each. `excludes`: whether nothing of a
        site is taken; None when all are.
        """
        self._taken_down = taken_down
        self._left_out = left_out
        self._excludes = excludes
        self._seen: dict[str, str] = {}  # id -> path of its page, a record's without its id: there may be millions

    def admits(self, path: str, ids_and_urls: Iterable[tuple[str, str | None]]) -> bool:
        """Whether all answers of a page are taken; then they have been. False also where only the page itself can say,
        because some sites are excluded.
        """
        if self._excludes or path in self._left_out:
            return False
        ids = [id_ for id_, _ in ids_and_urls]
        repeated = len(set(ids)) < len(ids) or any(id_ in self._seen for id_ in ids)
        if repeated or any(id_ in self._taken_down or url in self._taken_down for id_, url in ids_and_urls):
            return False
        for id_ in ids:
            self._see(id_, path)
        return True

    def admitted(self, item: Page | Rejected) -> Iterator[Page | Rejected]:
        """What is left of a page: a rejection for each answer that is not taken, then the page with the others."""
        if isinstance(item, Rejected):
            yield item
            return
        if item.path in self._left_out:
            yield Rejected(item.path, Reason.LEFT_OUT, self._left_out[item.path])
            return
        taken: list[Answer] = []
        for answer in item.answers:
            if answer.id in self._seen:
                detail = f"编号 {answer.id} 已用于 {self._first_path(answer.id)}。"
                yield Rejected(item.path, Reason.DUPLICATE_ID, detail)
                continue
            self._see(answer.id, item.path)
            if answer.id in self._taken_down or answer.url in self._taken_down:
                yield Rejected(item.path, Reason.TAKEN_DOWN, f"答案 {answer.id} 已下架。")
            elif self._excludes and self._excludes(answer.site):
                yield Rejected(item.path, Reason.TAKEN_DOWN, f"来源 {answer.site} 已设为不收录。")
            else:
                taken.append(answer)
        if taken:
            yield item if len(taken) == len(item.answers) else replace(item, answers=tuple(taken))

    def _see(self, id_: str, path: str) -> None:
        self._seen[id_] = sys.intern(path.removesuffix(id_))

    def _first_path(self, id_: str) -> str:
        path = self._seen[id_]
        return path + id_ if path.endswith(":") else path
