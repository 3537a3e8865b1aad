"""A corpus of three sites and a web archive, and its generation, made once; each test breaks a copy of them."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from builders import RESOURCES, record_of
from store_builders import small_resources, spasm_answers
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from indexer.build import BuildReport, build_generation
from indexer.settings import Settings

RAW = RESOURCES.parent / "raw"
JUDGEMENTS = RESOURCES.parent / "judgements"
SITES = {"jibing.example": 16, "luntan.example": 16, "yiku.example": 16}
#: grows the corpus
ANOTHER_SITE = ("m.zhangyi.example", 16)
ARCHIVE = "archive/pages.warc"
ARCHIVED = ("changjian.example", 12)
RECORDS = 24
_QUESTIONS = 50


@dataclass(frozen=True)
class World:
    """Where a test's corpus, resources and data directory lie."""

    corpus: Path
    data: Path
    resources: Path

    def site(self, name: str) -> list[Path]:
        """The files of a site."""
        return sorted((self.corpus / "raw" / name).iterdir())

    def rewrite(self, site: str, change: Callable[[str], str]) -> None:
        """Change the text of all files of a site."""
        for file in self.site(site):
            before = read_page(file)
            after = change(before)
            assert after != before, file
            file.write_text(after, encoding="utf-8")

    def build(self, update: bool = False) -> BuildReport:
        """Build one generation more."""
        return build_generation(self.corpus, self.data, Settings(resources=self.resources, workers=1), update=update)


def read_page(file: Path) -> str:
    """The text of a page of the demonstration corpus, to be written as UTF-8."""
    content = file.read_bytes()
    for charset in ("utf-8", "gb18030", "big5"):
        try:
            text = content.decode(charset)
        except UnicodeDecodeError:
            continue
        return text.replace(f'charset="{charset}"', 'charset="utf-8"')
    raise AssertionError(file)


def make_world(folder: Path) -> World:
    """The corpus with its judgements and resources, and its first generation."""
    raw = folder / "corpus" / "raw"
    for site, count in SITES.items():
        copy_site(raw, site, count)
    write_archive(raw / ARCHIVE, *ARCHIVED)
    records = [{**record_of(answer), "site": "jilu.example"} for answer in spasm_answers(RECORDS)]
    (raw / "records.jsonl").write_text(
        "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8"
    )
    write_judgements(folder / "corpus" / "judgements", raw)
    resources = shutil.copytree(small_resources(), folder / "resources")
    world = World(folder / "corpus", folder / "data", resources)
    report = world.build()
    assert report.manifest.objections == [], report.manifest.objections
    assert report.manifest.counts["answers"] > 200
    return world


def copy_site(raw: Path, site: str, count: int) -> None:
    """The first pages of a site of the demonstration corpus that are kept there."""
    (raw / site).mkdir(parents=True)
    pages = (file for file in sorted((RAW / site).iterdir()) if file.name not in _rejected())
    for file, _ in zip(pages, range(count), strict=False):
        shutil.copy(file, raw / site)


def _rejected() -> set[str]:
    labels = (json.loads(line) for line in (RAW.parent / "labels.jsonl").read_text(encoding="utf-8").splitlines())
    return {Path(label["path"]).name for label in labels if not label["keep"]}


def write_archive(file: Path, site: str, count: int) -> None:
    """A web archive of pages of the demonstration corpus."""
    file.parent.mkdir(parents=True)
    with open(file, "wb") as out:
        writer = WARCWriter(out, gzip=False)
        for page in sorted((RAW / site).glob("*.html"))[:count]:
            headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
            record = writer.create_warc_record(
                f"https://{site}/{page.name}", "response", payload=io.BytesIO(page.read_bytes()), http_headers=headers
            )
            writer.write_record(record)


def write_judgements(folder: Path, raw: Path) -> None:
    """The demonstration's judgements of questions about conditions that the corpus has a page of."""
    folder.mkdir(parents=True)
    names = [file.name.replace("-", "_") for file in raw.rglob("*.*")]
    lines = (JUDGEMENTS / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    queries = [json.loads(line) for line in lines]
    chosen = [
        query
        for query in queries
        if "twin_of" not in query and any(name.startswith(query["id"].split("-")[0]) for name in names)
    ]
    assert len(chosen) > 30
    text = "".join(json.dumps(query, ensure_ascii=False) + "\n" for query in chosen[:_QUESTIONS])
    (folder / "queries.jsonl").write_text(text, encoding="utf-8")
    shutil.copy(JUDGEMENTS / "qrels.tsv", folder)
