"""Generations on disk: written aside, sealed, then switched to in one atomic move.

data directory:
    generations/gen-000042/   whoosh/ resources/ pages.jsonl rejected.jsonl manifest.json
                              vectors/, if wanted: made later, with a manifest of its own (vectors_folder.py)
    CURRENT                   the name of the generation that is served
    key                       this data directory's own secret, for the seal of its manifests
    build.lock                held by the build that runs

Whoosh's files hold pickles, so a generation is opened only when its manifest carries our HMAC and every file has
the size written there: that keeps out indexes from elsewhere and what a crash cut off. `check_files` compares all
hashes too, before a switch and for `yiwen check`. Nothing here protects against someone who may write into the data
directory: the key lies there as well.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from indexer.errors import BuildRunning, GenerationDamaged, GenerationMissing, GenerationRefused
from indexer.store.overrides import record_override
from indexer.store.sealing import data_key, seal_of, sha256_of, sync

MANIFEST = "manifest.json"
_NAME = re.compile(r"gen-\d{6,}")
VECTORS = "vectors"  #: folder of what meaning/ adds to a sealed generation
VECTORS_DRAFT = "vectors.partial"
PARTIAL = ".partial"  #: of the folder of a generation that is written, or deleted


@dataclass(frozen=True)
class Manifest:
    """What a generation holds and how it was made."""

    generation: str
    created: str  #: UTC, YYYY-MM-DDTHH:MM:SSZ
    parent: str | None  #: the generation that was served when this one was built
    corpus: str  #: absolute path of the folder it was built from
    counts: Mapping[str, int]  #: pages, answers, rejected, and rejected by reason
    resources: str  #: fingerprint of the resources
    code_version: str
    objections: Sequence[str]  #: why the quality gate refused it; empty when it passed
    collected: Mapping[str, str]  #: SHA-256 of what the build left in the cache for the next update
    files: Mapping[str, Mapping[str, Any]]  #: path -> {"sha256", "bytes"}

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the hashes of its files: another generation of the same name has another."""
        return hashlib.sha256(json.dumps(self.files, sort_keys=True, default=dict).encode()).hexdigest()


@dataclass(frozen=True)
class Draft:
    """A generation that is being written; nobody reads it yet."""

    data: Path
    name: str

    @property
    def folder(self) -> Path:
        """Where the files go."""
        return self.data / "generations" / f"{self.name}{PARTIAL}"


@contextmanager
def build_lock(data: Path) -> Iterator[None]:
    """Hold the data directory for one build. Raises BuildRunning when another process has it."""
    data.mkdir(parents=True, exist_ok=True)
    with open(data / "build.lock", "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BuildRunning(f"数据目录 {data} 正在建立另一代索引；请等它结束后再试。") from None
        yield


@contextmanager
def serving_lock(data: Path) -> Iterator[None]:
    """Hold still what is served and what is there, for a moment: what is about to be served is not deleted, nor the
    other way round.
    """
    folder = os.open(data / "generations", os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def begin(data: Path) -> Draft:
    """Start a new generation, after clearing what an interrupted build left. The build lock must be held.

    Raises GenerationDamaged for a spoilt key: better now than when hours of work are to be sealed with it.
    """
    folder = data / "generations"
    folder.mkdir(parents=True, exist_ok=True)
    data_key(data, create=True)
    clear_leftovers(data)
    numbers = [int(path.name[4:]) for path in folder.iterdir() if _NAME.fullmatch(path.name)]
    draft = Draft(data, f"gen-{max(numbers, default=0) + 1:06d}")
    draft.folder.mkdir()
    return draft


def leftovers(data: Path) -> list[Path]:
    """What processes that died have left: drafts of generations, of CURRENT and of the key. While the build lock is
    held, by whom ever, drafts of generations may be in use.
    """
    drafts = sorted((data / "generations").glob(f"*{PARTIAL}"))
    names = (path for pattern in ("CURRENT.*", "key.*") for path in sorted(data.glob(pattern)))
    return [*drafts, *(path for path in names if not _is_alive(path.suffix[1:]))]


def clear_leftovers(data: Path) -> None:
    """Delete them. The build lock must be held."""
    for leftover in leftovers(data):
        if leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink(missing_ok=True)


def _is_alive(process: str) -> bool:
    """True for what is no process's number: then the file is not ours."""
    if not process.isdecimal():
        return True
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return int(process) != os.getpid()


def discard(draft: Draft) -> None:
    """Remove a draft that will not become a generation, also one whose sealing failed at the last moment. Where even
    that fails, the next build clears it.
    """
    shutil.rmtree(draft.folder, ignore_errors=True)
    sealed = draft.data / "generations" / draft.name
    if sealed.exists():
        with suppress(OSError):
            sealed.rename(draft.folder)
            shutil.rmtree(draft.folder, ignore_errors=True)


def seal(
    draft: Draft, facts: Mapping[str, Any], linked: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
) -> Manifest:
    """Write the manifest, force everything to disk and give the folder its final name. `linked` are files that another
    generation has too, as its manifest describes them: they lie on disk already.
    """
    paths = {path.relative_to(draft.folder).as_posix(): path for path in _files(draft.folder)}
    files = {
        name: linked.get(name) or {"sha256": sha256_of(path), "bytes": path.stat().st_size}
        for name, path in paths.items()
    }
    content = {"generation": draft.name, **facts, "files": files}
    content["hmac"] = seal_of(content, data_key(draft.data))
    (draft.folder / MANIFEST).write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    own = [path for name, path in paths.items() if name not in linked]
    for path in [*own, draft.folder / MANIFEST, *(p for p in draft.folder.rglob("*") if p.is_dir()), draft.folder]:
        sync(path)
    final = draft.data / "generations" / draft.name
    draft.folder.rename(final)
    sync(final.parent)
    return _manifest_of(content)


def list_generations(data: Path) -> list[str]:
    """Names of all generations, oldest first."""
    folder = data / "generations"
    return sorted(path.name for path in folder.iterdir() if _NAME.fullmatch(path.name)) if folder.is_dir() else []


def list_manifests(data: Path) -> list[Manifest]:
    """Manifests of the generations that are whole by their sizes, oldest first; `check` and `doctor` tell of others."""
    found = []
    for name in list_generations(data):
        with suppress(GenerationDamaged, GenerationMissing):
            found.append(open_manifest(data, name))
    return found


def current(data: Path) -> str:
    """The name that CURRENT holds. Raises GenerationMissing."""
    try:
        name = (data / "CURRENT").read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        if list_generations(data):
            raise GenerationMissing(
                f"数据目录 {data} 中没有 CURRENT 文件；请用 yiwen switch 指定要使用的一代。"
            ) from None
        raise GenerationMissing(
            f"数据目录 {data} 中还没有可用的索引；请先运行 yiwen build --corpus 语料目录 --data {data}。"
        ) from None
    if not _NAME.fullmatch(name):
        raise GenerationMissing(f"数据目录 {data} 的 CURRENT 文件内容损坏；请用 yiwen switch 指定要使用的一代。")
    return name


def folder_of(data: Path, name: str) -> Path:
    """The folder of a generation. Raises GenerationMissing."""
    folder = data / "generations" / name
    if not _NAME.fullmatch(name) or not folder.is_dir():
        known = "、".join(list_generations(data)) or "无"
        raise GenerationMissing(f"没有名为 {name} 的一代索引；现有：{known}。")
    return folder


def open_manifest(data: Path, name: str) -> Manifest:
    """Read and verify a manifest: our seal, and each file there with its size, none besides.

    Raises GenerationMissing, or GenerationDamaged naming the file and the cure.
    """
    folder = folder_of(data, name)
    key = data_key(data)
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        sealed = hmac.compare_digest(str(content.pop("hmac")), seal_of(content, key))
    except FileNotFoundError:
        raise _damaged(name, MANIFEST, "缺失") from None
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        raise _damaged(name, MANIFEST, "内容损坏") from None
    if not sealed:
        raise _damaged(name, MANIFEST, "不带本数据目录的签名（被改动过，或来自别处）")
    try:
        manifest = _manifest_of(content)
    except KeyError as error:
        raise _damaged(name, MANIFEST, f"没有 {error} 一项（由另一版本的程序建立）") from None
    found = {path.relative_to(folder).as_posix(): path.stat().st_size for path in _files(folder)}
    for path, facts in manifest.files.items():
        if path not in found:
            raise _damaged(name, path, "缺失")
        if found[path] != facts["bytes"]:
            raise _damaged(name, path, f"应有 {facts['bytes']} 字节，实有 {found[path]} 字节")
    if foreign := sorted(set(found) - set(manifest.files) - {MANIFEST}):
        raise _damaged(name, foreign[0], "不属于这一代")
    return manifest


def check_files(data: Path, name: str) -> Manifest:
    """As `open_manifest`, and every byte of every file against its hash."""
    manifest = open_manifest(data, name)
    verify_hashes(data, manifest)
    return manifest


def verify_hashes(data: Path, manifest: Manifest) -> None:
    """Compare every byte with the hashes of an opened manifest. Raises GenerationDamaged naming the file."""
    folder = folder_of(data, manifest.generation)
    for path, facts in manifest.files.items():
        if sha256_of(folder / path) != facts["sha256"]:
            raise _damaged(manifest.generation, path, "内容与校验值不符")


def switch_to(data: Path, name: str, override_reason: str | None = None) -> Manifest:
    """Serve this generation from now on, after checking every byte of it. One that the quality gate refused needs a
    reason, which is kept (overrides.py).

    Raises GenerationMissing, GenerationDamaged, GenerationRefused or StateError, changing nothing.
    """
    manifest = check_files(data, name)
    if manifest.objections:
        reason = " ".join((override_reason or "").split())
        if not reason:
            raise GenerationRefused(
                f"{name} 没有通过检查，不能启用：{' '.join(manifest.objections)}"
                f"查看差异请运行 yiwen compare {name}；确认无误后运行 yiwen switch {name} --override --reason 原因。"
            )
        record_override(data, name, reason)
    serve(data, name)
    return manifest


def serve(data: Path, name: str) -> None:
    """Make CURRENT name a generation that is known to be whole. Raises GenerationMissing when it was just deleted."""
    draft = data / f"CURRENT.{os.getpid()}"
    try:
        draft.write_text(f"{name}\n", encoding="utf-8")
        sync(draft)
        with serving_lock(data):
            folder_of(data, name)
            os.replace(draft, data / "CURRENT")
    except (OSError, GenerationMissing):
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
    sync(data)


def roll_back(data: Path) -> Manifest:
    """Serve the generation that was served before this one, or the newest whole one that is older."""
    now = current(data)
    for name in substitutes(data, now):
        with suppress(GenerationDamaged):
            manifest = check_files(data, name)  # a refused one is here only when it was served, by an override
            serve(data, name)
            return manifest
    raise GenerationMissing(f"{now} 之前没有完好的一代索引，无法回退；请用 yiwen build 重建。")


def substitutes(data: Path, name: str) -> list[str]:
    """Generations that may stand in for another, best first: the one that was served when it was built, then the
    older ones, newest first. None that the quality gate refused, and never a newer one, which was switched away
    from or refused.
    """
    older = [other for other in reversed(list_generations(data)) if other < name]
    with suppress(GenerationMissing, GenerationDamaged):
        parent = open_manifest(data, name).parent
        if parent in older:
            return [parent, *(other for other in older if other != parent and _passed_the_gate(data, other))]
    return [other for other in older if _passed_the_gate(data, other)]


def _passed_the_gate(data: Path, name: str) -> bool:
    """True also for a damaged one: opening it will say so."""
    with suppress(GenerationMissing, GenerationDamaged):
        return not open_manifest(data, name).objections
    return True


def _manifest_of(content: Mapping[str, Any]) -> Manifest:
    return Manifest(**{name: content[name] for name in Manifest.__dataclass_fields__})


def _damaged(name: str, path: str, what: str) -> GenerationDamaged:
    return GenerationDamaged(
        f"索引 {name} 的文件 {path} {what}；请运行 yiwen roll-back 回到上一代，或用 yiwen build 重建。"
    )


def _files(folder: Path) -> list[Path]:
    """All but the vectors, which come later and are sealed by themselves."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in found if path.relative_to(folder).parts[0] not in (VECTORS, VECTORS_DRAFT))


def check_key(data: Path) -> None:
    """Raises GenerationDamaged when the data directory's secret is missing or spoilt, OSError when it is unreadable."""
    data_key(data)
