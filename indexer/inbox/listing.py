"""What the lists of a batch's pages show: a line for each page, and what they come to together."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from indexer.errors import InboxError
from indexer.inspected import InspectedPage
from indexer.records import host_of
from indexer.store.batches import facts_folder

INSPECTED, LISTING, SUMMARY = "inspected.jsonl", "listing.jsonl", "summary.json"
#: much of a page was taken out when this share of its characters was
MUCH_REMOVED = 0.8

#: filters of a batch's list, by what a form sends, as people read them
INBOX_FILTERS: Mapping[str, str] = {
    "": "全部",
    "kept": "收录的",
    "rejected": "不能收录的",
    "untouched": "什么都没去掉的",
    "stripped": "去掉很多的",
    "known": "已有的",
    "left_out": "留出不收的",
}
#: why a page is known
KNOWN_LABELS: Mapping[str, str] = {"bytes": "内容完全相同", "address": "网址相同", "id": "编号相同"}


@dataclass(frozen=True)
class ListedPage:
    """One page of a batch, as its list shows it."""

    number: int  #: its place in the batch, from 1
    path: str  #: within the batch; an archive's page with its number, a record's with its line
    key: str  #: path by which builds know it within the batch: a record's has its id
    media: str
    title: str
    site: str  #: "" when nothing says
    charset: str
    rejected: str  #: the reason's label; "" for a page of which something is searched
    answers: int
    blocks: int
    removed_blocks: int
    removed_share: float  #: of its characters, 0 to 1
    known: str  #: a key of KNOWN_LABELS; "" for a page that is new

    @property
    def known_label(self) -> str:
        """Why it is known, for people; "" when it is not."""
        return KNOWN_LABELS.get(self.known, "")


@dataclass(frozen=True)
class Summary:
    """What a batch comes to. Counts by label, the largest first."""

    at: str  #: when it was inspected; UTC, YYYY-MM-DDTHH:MM:SSZ
    pages: int
    answers: int
    rejected: dict[str, int]
    charsets: dict[str, int]
    sites: dict[str, int]
    known: dict[str, int]

    @property
    def rejected_count(self) -> int:
        """Pages of which nothing is searched."""
        return sum(self.rejected.values())


def listed(number: int, page: InspectedPage, known: str) -> ListedPage:
    """The line of a page."""
    chars = sum(len(block.text) for block in page.blocks)
    removed = [block for block in page.blocks if not block.is_kept]
    is_record = page.media == "record" and bool(page.answers)
    return ListedPage(
        number=number,
        path=page.path,
        key=f"{page.path.rpartition(':')[0]}:{page.answers[0].id}" if is_record else page.path,
        media=page.media,
        title=page.title or "",
        site=page.site or host_of(page.url) or (page.path.split("/")[0] if "/" in page.path else ""),
        charset=page.charset,
        rejected=page.rejected.partition("：")[0],
        answers=len(page.answers),
        blocks=len(page.blocks),
        removed_blocks=len(removed),
        removed_share=sum(len(block.text) for block in removed) / chars if chars else 0.0,
        known=known,
    )


def summary_of(pages: Iterable[ListedPage], at: str) -> Summary:
    """What they come to."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in ("rejected", "charsets", "sites", "known")}
    number = answers = 0
    for number, page in enumerate(pages, 1):  # noqa: B007 - the last number is how many there are
        answers += page.answers
        for name, label in (
            ("rejected", page.rejected),
            ("charsets", page.charset),
            ("sites", page.site),
            ("known", page.known_label),
        ):
            if label:
                counts[name][label] += 1
    return Summary(at, number, answers, *(dict(counter.most_common()) for counter in counts.values()))


def write_listing(pages: Iterable[ListedPage], file: Path) -> None:
    """One page a line, as JSON."""
    with open(file, "w", encoding="utf-8") as out:
        for page in pages:
            out.write(json.dumps(asdict(page), ensure_ascii=False) + "\n")


def write_summary(summary: Summary, file: Path) -> None:
    """As JSON."""
    file.write_text(json.dumps(asdict(summary), ensure_ascii=False), encoding="utf-8")


def read_summary(data: Path, number: int) -> Summary | None:
    """Of a batch; None when it was not inspected yet. Raises InboxError when the file is damaged."""
    file = facts_folder(data, number) / SUMMARY
    try:
        return Summary(**json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise InboxError(f"第 {number} 批的检查结果 {file} 读不出来（{error}）；请重新检查这一批。") from error


def list_inbox_pages(data: Path, number: int) -> Iterator[ListedPage]:
    """The pages of a batch that was inspected, in order; else none. Raises InboxError when the file is damaged."""
    file = facts_folder(data, number) / LISTING
    try:
        with open(file, encoding="utf-8") as lines:
            yield from (ListedPage(**json.loads(line)) for line in lines)
    except FileNotFoundError:
        return
    except (OSError, ValueError, TypeError) as error:
        raise InboxError(f"第 {number} 批的检查结果 {file} 读不出来（{error}）；请重新检查这一批。") from error


def fits_filter(page: ListedPage, wanted: str, site: str | None, is_left_out: bool) -> bool:
    """Whether a filter (a key of INBOX_FILTERS) and a site let a page into the list; None for any site."""
    if site is not None and page.site != site:
        return False
    match wanted:
        case "kept":
            return not page.rejected and not is_left_out
        case "rejected":
            return bool(page.rejected)
        case "untouched":
            return bool(page.blocks) and not page.removed_blocks
        case "stripped":
            return page.removed_share >= MUCH_REMOVED
        case "known":
            return bool(page.known)
        case "left_out":
            return is_left_out
        case _:
            return True
