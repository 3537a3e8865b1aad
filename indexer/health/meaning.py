"""Meaning beside the words: the model, the vectors of the served generation, what dead processes left."""

from __future__ import annotations

from collections.abc import Iterator

from indexer.errors import GenerationDamaged, GenerationMissing, MeaningError, StateError
from indexer.health.finding import Finding, broken, well
from indexer.jobs import Job, list_jobs
from indexer.meaning.choosing import is_wanted, open_embedder
from indexer.meaning.embedder import ModelFacts
from indexer.meaning.making import is_making, is_of_model, leftovers
from indexer.meaning.vector_cache import DAMAGED, other_files
from indexer.settings import Settings
from indexer.store import generations, vectors_folder

_SUBJECT = "按意思查找"
_BY_WORDS = "检索照常按词语进行"


def meaning(settings: Settings) -> Iterator[Finding]:
    """One line where it is off, but for what is left over."""
    yield from _left_over(settings)
    if not is_wanted(settings):
        yield well("meaning", _SUBJECT, "没有启用（设置 meaning_model），只按词语查找。")
        return
    try:
        embedder = open_embedder(settings)
    except MeaningError as error:
        yield broken("model_unusable", _SUBJECT, f"{error}{_BY_WORDS}。")
        return
    assert embedder is not None  # it is wanted
    yield well("model", _SUBJECT, f"模型 {embedder.facts.name} 可以使用，{embedder.facts.dimension} 维。")
    yield from _served(settings, embedder.facts)
    yield from _cached(settings, embedder.facts)


def _served(settings: Settings, model: ModelFacts) -> Iterator[Finding]:
    """Whether the served generation has vectors of this model, every byte as it was written."""
    try:
        name = generations.current(settings.data)
        generations.open_manifest(settings.data, name)
        manifest = vectors_folder.check_files(settings.data, name)
    except (GenerationMissing, GenerationDamaged):
        return  # said of the generations
    except MeaningError as error:
        yield broken("vectors_damaged", _SUBJECT, str(error))
        return
    if manifest is None:
        yield _missing(settings, name)
    elif not is_of_model(manifest, model):
        known = manifest.model
        yield broken(
            "vectors_of_other_model",
            _SUBJECT,
            f"{name} 的意思向量由 {known.get('name')}（{known.get('dimension')} 维）生成，"
            f"现在的模型是 {model.name}（{model.dimension} 维）；{_BY_WORDS}，请运行 yiwen vectors 重新生成。",
        )
    else:
        counts = manifest.counts
        yield well("vectors", _SUBJECT, f"{name} 的意思向量完好：{counts['answers']} 条答案，{counts['passages']} 段。")


def _missing(settings: Settings, name: str) -> Finding:
    job = _last_job(settings, name)
    if job is not None and job.status == "running":
        return well("vectors", _SUBJECT, f"{name} 的意思向量正在生成（{job.done}/{job.total} 段）；{_BY_WORDS}。")
    if is_making(settings.data):
        return well("vectors", _SUBJECT, f"意思向量正在生成；{_BY_WORDS}。")
    last = f"上一次（任务 {job.number}）没有做成：{job.sentence}" if job is not None and job.status != "done" else ""
    sentence = f"{name} 还没有意思向量，{_BY_WORDS}；运行网站时会自动生成，也可以运行 yiwen vectors。{last}"
    return broken("vectors_missing", _SUBJECT, sentence)


def _last_job(settings: Settings, name: str) -> Job | None:
    try:
        return next((job for job in list_jobs(settings.data, kind="vectors") if job.subject == name), None)
    except StateError:
        return None  # said of the state database


def _left_over(settings: Settings) -> Iterator[Finding]:
    """Half-written vectors of processes that died."""
    left = leftovers(settings.data)
    if left and not is_making(settings.data):
        yield broken(
            "vectors_leftovers",
            _SUBJECT,
            f"中途退出的进程留下了 {left[0]} 等 {len(left)} 个目录；"
            "下一次生成意思向量时会清除，也可以直接删除，不影响检索。",
        )


def _cached(settings: Settings, model: ModelFacts) -> Iterator[Finding]:
    """What of the cache is of no use to this model."""
    files = other_files(settings.data, model)
    if not files:
        return
    size = sum(path.stat().st_size for path in files if path.exists()) / 1_000_000
    damaged = any(path.suffix == DAMAGED for path in files)
    what = "别的模型的向量，或损坏后移开的文件" if damaged else "别的模型的向量"
    yield well(
        "vectors_cache",
        _SUBJECT,
        f"缓存中有{what}（{files[0]} 等 {len(files)} 个，{size:.1f} MB）；可以随时删除。",
    )
