#!/usr/bin/env python3
"""Make a case of a page: copy it, and write down what is found in it now, to be corrected by hand.

    scripts/save_case.py saved/1234.html --name forum-with-two-doctors --comment "two doctors, one layman"

The case is a folder with `page.html` (or .txt) and `right.json`, which scripts/measure_extraction.py measures.
"""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
from measure_extraction import extracted

from indexer.records import Page, Rejected

_ENDINGS = {".html": ".html", ".htm": ".html", ".txt": ".txt"}
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def right_of(item: Page | Rejected, comment: str) -> dict[str, Any]:
    """What right.json holds when all that was found is right."""
    page = item if isinstance(item, Page) else None
    return {
        "comment": comment,
        "keep": page is not None,
        **({"reason": item.reason.value} if isinstance(item, Rejected) else {}),
        "title": page.title if page else None,
        "author": page.author if page else None,
        "author_title": page.author_title if page else None,
        "hospital": page.hospital if page else None,
        "date": page.date if page else None,
        "views": page.views if page else None,
        "likes": page.likes if page else None,
        "topic": page.topic if page else None,
        "encoding": item.charset,
        "text": page.text.split("\n") if page else [],
        "headings": list(page.headings) if page else [],
        "qa_pairs": [dataclasses.asdict(pair) for pair in page.qa_pairs] if page else [],
        "disclaimers": list(page.disclaimers) if page else [],
        "leaks": [],
    }


def save_case(page: Path, case: Path, comment: str) -> Page | Rejected:
    """Write the case; gives what was found. The folder appears whole or not at all."""
    case.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=case.parent, prefix=".") as draft:
        folder = Path(draft, case.name)
        folder.mkdir()
        shutil.copyfile(page, folder / f"page{_ENDINGS[page.suffix.lower()]}")
        item = extracted(folder)
        right = json.dumps(right_of(item, comment), ensure_ascii=False, indent=1)
        (folder / "right.json").write_text(f"{right}\n", encoding="utf-8")
        folder.rename(case)
    return item


@click.command(help=__doc__)
@click.argument("page", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--name", required=True, help="of the case: lower-case words with hyphens")
@click.option("--comment", default="", help="what the page is a case of")
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), default=Path("tests/cases/sites"))
def main(page: Path, name: str, comment: str, folder: Path) -> None:
    """Save the case and say what is left to do."""
    case = folder / name
    if page.suffix.lower() not in _ENDINGS:
        raise click.ClickException(f"只能保存 {'、'.join(_ENDINGS)} 文件，{page.name} 不是。")
    if not _NAME.fullmatch(name):
        raise click.ClickException(f"名称 {name} 只能由小写字母、数字和连字符组成，例如 forum-with-two-doctors。")
    if case.exists():
        raise click.ClickException(f"{case} 已经存在，不会覆盖；请换一个 --name。")
    item = save_case(page, case, comment)
    found = "收录" if isinstance(item, Page) else f"未收录：{item.reason.label}"
    click.echo(f"已保存 {case}（目前的结果：{found}）。", err=True)
    click.echo(
        f"{case / 'right.json'} 里是程序现在得出的结果，不一定对：请对照原网页逐项改正，"
        "并在 leaks 中列出不该混进正文的文字。",
        err=True,
    )


if __name__ == "__main__":
    sys.exit(main())
