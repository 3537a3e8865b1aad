"""The generations, and what is asked of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from indexer.build import code_version
from indexer.engine import Engine, open_engine
from indexer.errors import BadQuery, GenerationDamaged, GenerationMissing, IndexerError
from indexer.health.finding import Finding, broken, well
from indexer.records import Answer, Query
from indexer.resources import effective_resources, fingerprint
from indexer.settings import Settings
from indexer.store import generations
from indexer.store.disk import generation_sizes
from indexer.store.generations import Manifest
from indexer.verdicts import Flaw

#: answers whose own question must find them, beside those of GOLDEN
_SAMPLE = 20
_MIN_FOUND_SHARE = 0.8
#: in the data directory, optional: a line for each, the question, a tab, and an answer's id among its first ten
GOLDEN = "golden.tsv"
_MANY = 10


def served(settings: Settings) -> Iterator[Finding]:
    """CURRENT, every byte of what it names, its version and counts, and one search in it."""
    data = settings.data
    try:
        name = generations.current(data)
    except GenerationMissing as error:
        yield broken(_why_no_current(data), "索引", str(error))
        return
    if name not in generations.list_generations(data):
        yield broken(
            "current_dangling",
            "索引",
            f"CURRENT 指向的 {name} 不存在；请运行 yiwen roll-back 回到上一代，或用 yiwen switch 指定一代，"
            "都不行则用 yiwen build 重建。",
        )
        return
    try:
        manifest = generations.check_files(data, name)
    except GenerationDamaged as error:
        sharing = _sharing(data, name, str(error))
        remark = f"这个文件与 {'、'.join(sharing)} 共用（硬链接），它们也坏了，请全部重建。" if sharing else ""
        yield broken("shared_file_damaged" if sharing else _damage(error), "索引", f"{error}{remark}")
        return
    yield from _version(manifest)
    yield from _counts(settings, manifest)
    try:
        result = open_engine(data, settings).search("头痛", limit=1)
    except IndexerError as error:
        yield broken("search_failed", "索引", str(error))
        return
    yield well("index", "索引", f"{name} 完好，检索一次用时 {result.latency_ms:.0f} 毫秒。")


def _why_no_current(data: Path) -> str:
    if (data / "CURRENT").exists():
        return "current_damaged"
    return "current_missing" if generations.list_generations(data) else "no_index"


def _damage(error: GenerationDamaged) -> str:
    """The name of a damage, by what its sentence says."""
    known = {
        "manifest.json 缺失": "manifest_missing",
        "manifest.json 内容损坏": "manifest_damaged",
        "不带本数据目录的签名": "foreign_seal",
        "另一版本": "manifest_of_other_version",
        "签名密钥": "key_wrong",
        "缺失": "file_missing",
        "应有": "file_cut",
        "不属于": "file_foreign",
    }
    return next((name for words, name in known.items() if words in str(error)), "file_changed")


def _sharing(data: Path, name: str, sentence: str) -> list[str]:
    """Other generations that have the damaged file too, as a hard link."""
    with suppress(GenerationMissing, GenerationDamaged, OSError):
        for path in generations.open_manifest(data, name).files:
            if f" {path} " not in sentence:
                continue
            ours = (data / "generations" / name / path).stat()
            others = (other for other in generations.list_generations(data) if other != name)
            return [other for other in others if _is_same(data / "generations" / other / path, ours.st_ino)]
    return []


def _is_same(path: Path, inode: int) -> bool:
    with suppress(OSError):
        return path.stat().st_ino == inode
    return False


def _version(manifest: Manifest) -> Iterator[Finding]:
    if manifest.code_version != code_version():
        yield broken(
            "other_version",
            "程序版本",
            f"{manifest.generation} 由 {manifest.code_version} 版建立，现在的程序是 {code_version()} 版；"
            "请重新运行 yiwen build。",
        )
    else:
        yield well("version", "程序版本", f"{manifest.code_version}，与建立索引时相同。")


def _counts(settings: Settings, manifest: Manifest) -> Iterator[Finding]:
    """Whether pages, answers and rejections are as many as the manifest says."""
    folder = generations.folder_of(settings.data, manifest.generation)
    try:
        found = {
            "pages": _lines(folder / "pages.jsonl"),
            "rejected": _lines(folder / "rejected.jsonl"),
            "answers": sum(1 for _ in open_engine(settings.data, settings).answers()),
        }
    except (IndexerError, OSError) as error:
        yield broken("counts_unknown", "数目", f"{manifest.generation} 数不出来：{error}")
        return
    labels = {"pages": "页面", "rejected": "未收录", "answers": "答案"}
    for key, number in found.items():
        said = manifest.counts.get(key)
        if said != number:
            yield broken(
                "counts_differ",
                "数目",
                f"{manifest.generation} 的{labels[key]}应有 {said}，实有 {number}；"
                "请运行 yiwen roll-back 回到上一代，或用 yiwen build 重建。",
            )
            return
    yield well("counts", "数目", f"{found['pages']} 个页面，{found['answers']} 条答案，与清单相符。")


def _lines(file: Path) -> int:
    with open(file, "rb") as lines:
        return sum(1 for _ in lines)


def others(settings: Settings) -> Iterator[Finding]:
    """Whether the generations that one could go back to are whole, by seals and sizes."""
    names = generations.list_generations(settings.data)
    with suppress(GenerationMissing):
        names = [name for name in names if name != generations.current(settings.data)]
    for name in names:
        try:
            generations.open_manifest(settings.data, name)
        except GenerationDamaged as error:
            cause = str(error).partition("；")[0]
            yield broken(
                "older_damaged",
                "其他各代",
                f"{cause}；不能回到这一代，请运行 yiwen prune 删去旧的各代，"
                f"或删除 {settings.data / 'generations' / name}。",
            )
            return
    yield well("others", "其他各代", f"{len(names)} 代，文件齐全。")


def resources_match(settings: Settings) -> Iterator[Finding]:
    """Whether the served generation was built with the resources that a build would use now."""
    try:
        here = effective_resources(settings.data, settings.resources)
        name = generations.current(settings.data)
        manifest = generations.open_manifest(settings.data, name)
    except IndexerError as error:
        yield broken("resources_unknown", "资源", str(error))
        return
    if fingerprint(here) == manifest.resources:
        yield well("resources", "资源", "与建立索引时一致。")
        return
    there = generations.folder_of(settings.data, name) / "resources"
    changed = _differing(here, there)
    what = "、".join(changed[:3]) + (f" 等 {len(changed)} 个文件" if len(changed) > 3 else "")
    lexicon = any(path.startswith("lexicon/") for path in changed)
    yield broken(
        "lexicon_differs" if lexicon else "resources_differ",
        "资源",
        f"{'词表' if lexicon else '模板、规则或权重'}在建立索引后有改动（{what}）；请重新运行 yiwen build 使其生效。",
    )


def _differing(here: Path, there: Path) -> list[str]:
    paths = {file.relative_to(top).as_posix() for top in (here, there) for file in top.rglob("*") if file.is_file()}
    return sorted(path for path in paths if _bytes(here / path) != _bytes(there / path))


def _bytes(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None


def golden_questions(settings: Settings) -> Iterator[Finding]:
    """Whether answers are found by their own questions, and what GOLDEN lists."""
    try:
        engine = open_engine(settings.data, settings)
        wanted = [(answer.question, answer.id) for answer in _sampled(engine.answers())]
        missed = [question for question, id_ in wanted if not _finds(engine, question, id_, 50)]
    except (GenerationMissing, GenerationDamaged):
        return  # said above
    except IndexerError as error:
        yield broken("golden_failed", "样题", str(error))
        return
    listed = settings.data / GOLDEN
    if listed.is_file():
        for line in listed.read_text(encoding="utf-8").splitlines():
            question, _, id_ = line.partition("\t")
            if id_ and not _finds(engine, question, id_.strip(), 10):
                yield broken(
                    "golden_missed",
                    "样题",
                    f"“{question}”的前 10 条中没有 {id_.strip()}；请用 yiwen search 查看，"
                    "必要时运行 yiwen roll-back，或更正 golden.tsv。",
                )
                return
    if len(missed) > (1 - _MIN_FOUND_SHARE) * len(wanted):
        yield broken(
            "golden_missed",
            "样题",
            f"抽查 {len(wanted)} 个已收录的问题，有 {len(missed)} 个搜不到自己的答案，例如“{missed[0]}”；"
            "请运行 yiwen roll-back 回到上一代，并检查词表和权重。",
        )
        return
    yield well("golden", "样题", f"抽查 {len(wanted)} 个已收录的问题，{len(wanted) - len(missed)} 个找到自己的答案。")


def _sampled(answers: Iterator[Answer]) -> list[Answer]:
    """Some from all over the first ten thousand; none that is folded under another."""
    some = [
        answer
        for answer in itertools.islice(answers, 10_000)
        if answer.question and not any(fact.flaw in (Flaw.COPY, Flaw.STOCK_ANSWER) for fact in answer.quality)
    ]
    return some[:: max(len(some) // _SAMPLE, 1)][:_SAMPLE]


def _finds(engine: Engine, question: str, id_: str, depth: int) -> bool:
    """Whether it is among the first, itself or as a further answer of a page."""
    try:
        hits = engine.search(Query(question, limit=depth)).hits
    except BadQuery:  # a title that asks for nothing
        return True
    ids = {hit.answer.id for hit in hits} | {more.id for hit in hits for more in hit.more}
    return id_ in ids


def how_many(settings: Settings) -> Iterator[Finding]:
    """Whether old generations only take room."""
    names = generations.list_generations(settings.data)
    if len(names) > _MANY:
        size = sum(generation_sizes(settings.data, names).values()) // 1_000_000
        yield broken(
            "many_generations",
            "各代数量",
            f"共有 {len(names)} 代，占 {size} MB；请运行 yiwen prune --keep 3 删去旧的。",
        )
        return
    yield well("how_many", "各代数量", f"{len(names)} 代。")
