"""What a change of site files would do to pages: each page that may be concerned is cleaned with the change and
without it, in worker processes, and what differs is told.

It is what the next build makes of each page by itself; lines that a whole site repeats, and copies, only a build knows.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from indexer.build import corpus_files, inbox_files
from indexer.cleaning import Progress, guarded, no_progress, work_on
from indexer.errors import CorpusError, GenerationDamaged, GenerationMissing, ResourceError, cause_of
from indexer.extract import SiteTemplates, load_site_templates
from indexer.inspected import InspectedPage, inspect_page
from indexer.jobs import Job, Outcome
from indexer.own_resources import with_changes
from indexer.quality import QualityRules, load_quality_rules
from indexer.read import decoded_page, find_files, read_file
from indexer.records import RawPage, Rejected, SavedPage
from indexer.resources import effective_resources, fingerprint
from indexer.settings import Settings, load_settings
from indexer.store import generations
from indexer.store.batches import files_folder, find_batch, list_batches, path_in_builds

KIND = "rule_effects"
#: files that are looked through within a request; of more a task is made
MAX_QUICK_FILES = 120
MAX_QUICK_BYTES = 20_000_000
#: changed pages that are told one by one
MAX_TOLD = 200
_FOLDER = "rule_effects"
_KEPT_PROPOSALS = 50
_MAX_BATCHES = 1_000


@dataclass(frozen=True)
class AnswerEffect:
    """An answer that appears, vanishes or reads otherwise."""

    question: str
    before: str  #: "" for one that appears
    after: str  #: "" for one that vanishes


@dataclass(frozen=True)
class PageEffect:
    """What becomes other on one page."""

    path: str  #: as builds call it
    url: str
    title: str
    rejected_before: str  #: why nothing of it is searched, a sentence; "" when something is
    rejected_after: str
    gone: tuple[str, ...]  #: blocks that were kept and are taken out
    come: tuple[str, ...]  #: blocks that were taken out and are kept
    answers: tuple[AnswerEffect, ...]


@dataclass(frozen=True)
class RuleEffects:
    """What becomes other on all pages."""

    looked_at: int  #: pages
    concerned: int  #: of them, those that name a site or address of the change
    changed: int
    failed: int  #: pages that cleaning could not end
    pages: tuple[PageEffect, ...]  #: the first MAX_TOLD of those that change


@dataclass(frozen=True)
class Compared:
    """What a worker found on one page."""

    is_concerned: bool
    effect: PageEffect | None


def effects_of(
    data: Path,
    changes: Mapping[str, str | None],
    settings: Settings,
    files: Iterable[tuple[Path, str]],
    progress: Progress = no_progress,
) -> RuleEffects:
    """What changes of site files (path below the resources -> text) do to the pages of files.

    Raises ResourceError for changes that cannot be read, naming what is wrong.
    """
    before = effective_resources(data, settings.resources)
    with tempfile.TemporaryDirectory(prefix="yiwen-effects-") as folder:
        after = Path(folder)
        with_changes(data, changes, after, settings.resources)
        try:
            names = _names(load_site_templates(after), load_site_templates(before), changes)
        except ResourceError as error:
            raise ResourceError(str(error).replace(f"{after}/", "")) from error
        work = partial(compare_page, after=after, names=names)
        looked_at = concerned = changed = failed = 0
        told: list[PageEffect] = []
        for done in work_on(list(files), work, before, settings, progress):
            looked_at += 1
            if not isinstance(done.item, Compared):
                failed += 1
                continue
            concerned += done.item.is_concerned
            if done.item.effect is not None:
                changed += 1
                if len(told) < MAX_TOLD:
                    told.append(done.item.effect)
    return RuleEffects(looked_at, concerned, changed, failed, tuple(told))


def compare_page(
    saved: SavedPage, templates: SiteTemplates, rules: QualityRules, after: Path, names: tuple[str, ...]
) -> Compared | Rejected:
    """One page with the resources that are there, and with others, when it names one of these sites or addresses."""

    def compared(saved: SavedPage, templates: SiteTemplates, rules: QualityRules) -> Compared | Rejected:
        raw = decoded_page(saved)
        if not isinstance(raw, RawPage):
            return Compared(False, None)
        said = f"{saved.url or ''}\n{saved.path}\n{raw.text}".lower()
        if not any(name in said for name in names):
            return Compared(False, None)
        one, other = inspect_page(saved, templates, rules), inspect_page(saved, *_tools(after))
        return Compared(True, page_effect(one, other))

    return guarded(compared, saved, templates, rules)


def page_effect(before: InspectedPage, after: InspectedPage) -> PageEffect | None:
    """What differs; None when nothing does."""
    was = {block.number: block for block in before.blocks}
    gone = tuple(b.text for b in after.blocks if not b.is_kept and b.number in was and was[b.number].is_kept)
    come = tuple(b.text for b in after.blocks if b.is_kept and b.number in was and not was[b.number].is_kept)
    answers = tuple(_answer_effects(before, after))
    if not answers and before.rejected == after.rejected:
        return None
    title, url = after.title or before.title or "", after.url or before.url or ""
    return PageEffect(after.path, url, title, before.rejected, after.rejected, gone, come, answers)


def _answer_effects(before: InspectedPage, after: InspectedPage) -> Iterable[AnswerEffect]:
    old = {answer.id: answer for answer in before.answers}
    new = {answer.id: answer for answer in after.answers}
    for key in [*old, *(key for key in new if key not in old)]:
        one, other = old.get(key), new.get(key)
        was, is_now = (one.text if one else ""), (other.text if other else "")
        if was != is_now:
            shown = other or one
            assert shown is not None
            yield AnswerEffect(shown.question, was, is_now)


def files_known(data: Path, batch: int | None = None) -> list[tuple[Path, str]]:
    """Files of a batch, or of all batches that wait and of all that the next build of the served corpus would read.

    Raises InboxError for a batch that is not there, or StateError.
    """
    if batch is not None:
        return _batch_files(data, batch)
    found: list[tuple[Path, str]] = []
    for each in list_batches(data, _MAX_BATCHES):
        if each.state == "waiting":
            found += _batch_files(data, each.number)
    try:
        manifest = generations.open_manifest(data, generations.current(data))
        found += corpus_files(Path(manifest.corpus), data)
    except (GenerationMissing, GenerationDamaged, CorpusError):  # nothing is served, or its corpus was moved
        found += inbox_files(data)
    return found


def _batch_files(data: Path, number: int) -> list[tuple[Path, str]]:
    folder = files_folder(data, find_batch(data, number))
    return [(file, path_in_builds(number, path)) for file, path in find_files([folder])]


def find_page(data: Path, path: str, max_page_bytes: int) -> SavedPage | None:
    """A page of these files, by its path; None when it is not there any more. Raises StateError."""
    for file, name in files_known(data):
        if name == path or name == path.rpartition(":")[0]:
            for saved in read_file(file, name, max_page_bytes):
                if isinstance(saved, SavedPage) and saved.path == path:
                    return saved
    return None


def are_few(files: list[tuple[Path, str]]) -> bool:
    """Whether files can be looked through while somebody waits."""
    if len(files) > MAX_QUICK_FILES:
        return False
    return sum(file.stat().st_size for file, _ in files if file.is_file()) <= MAX_QUICK_BYTES


# proposals: changes that are looked at before they are saved


def keep_proposal(data: Path, said: Mapping[str, Any], changes: Mapping[str, str | None], chosen: Path | None) -> str:
    """Write down what somebody thinks of changing; gives its name, the same for the same change of the same files."""
    state = fingerprint(effective_resources(data, chosen))
    content = json.dumps({"said": said, "changes": changes, "resources": state}, ensure_ascii=False, sort_keys=True)
    name = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    folder = data / "cache" / _FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for old in sorted(folder.glob("*.json"), key=os.path.getmtime)[: -2 * _KEPT_PROPOSALS]:
            old.unlink(missing_ok=True)
        _write(folder / f"{name}.json", content)
    except OSError as error:
        raise ResourceError(f"{error.filename} 写不进去：{cause_of(error)}；请检查磁盘空间和权限。") from error
    return name


def read_proposal(data: Path, name: str) -> tuple[Mapping[str, Any], Mapping[str, str | None]]:
    """What was said, and the changes. Raises ResourceError when there is none of that name."""
    if not name.isalnum() or len(name) > 16:
        raise ResourceError("没有这个预览；请重新填写。")
    try:
        content = json.loads((data / "cache" / _FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        return content["said"], content["changes"]
    except (OSError, ValueError, KeyError) as error:
        raise ResourceError("这个预览已经过期；请重新填写。") from error


def read_effects(data: Path, name: str) -> RuleEffects | None:
    """What was found for a proposal; None when it was not looked for yet."""
    try:
        content = json.loads((data / "cache" / _FOLDER / f"{name}-found.json").read_text(encoding="utf-8"))
        pages = tuple(
            PageEffect(
                **{
                    **page,
                    "gone": tuple(page["gone"]),
                    "come": tuple(page["come"]),
                    "answers": tuple(AnswerEffect(**answer) for answer in page["answers"]),
                }
            )
            for page in content["pages"]
        )
        return RuleEffects(**{**content, "pages": pages})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def find_effects(data: Path, name: str, settings: Settings, progress: Progress = no_progress) -> RuleEffects:
    """Look for what a proposal changes, and keep it. Raises ResourceError or StateError."""
    _, changes = read_proposal(data, name)
    found = effects_of(data, changes, settings, files_known(data), progress)
    _write(data / "cache" / _FOLDER / f"{name}-found.json", json.dumps(asdict(found), ensure_ascii=False))
    return found


def run(data: Path, job: Job, progress: Progress) -> Outcome:
    """The job of that kind; its subject is a proposal's name."""
    found = find_effects(data, job.subject, load_settings({"data": data}), progress)
    return Outcome(f"看了 {found.looked_at} 个页面，其中 {found.concerned} 个可能有关，{found.changed} 个会改变。")


def _names(after: SiteTemplates, before: SiteTemplates, changes: Mapping[str, str | None]) -> tuple[str, ...]:
    """Hosts and addresses of the files that change, one of which stands on every page that can change; an empty one
    for files that fit by their layout alone.
    """
    files = {path.rpartition("/")[2] for path in changes}
    concerned = [each for rules in (after, before) for each in rules.editors if each.file in files]
    if files - {each.file for each in concerned} or any(not each.hosts and each.fingerprint for each in concerned):
        return ("",)
    names = {name.lower() for each in concerned for name in (*each.hosts, *each.pages)}
    return tuple(sorted(names))


@lru_cache(maxsize=1)
def _tools(resources: Path) -> tuple[SiteTemplates, QualityRules]:
    """Of a worker process: the resources with the change."""
    return load_site_templates(resources), load_quality_rules(resources)


def _write(file: Path, content: str) -> None:
    draft = file.with_suffix(f".{os.getpid()}.partial")
    try:
        draft.write_text(content, encoding="utf-8")
        os.replace(draft, file)
    finally:
        draft.unlink(missing_ok=True)
