"""The vectors of a generation: a folder that is added to it after it was sealed, with a manifest of its own.

    generations/gen-000042/vectors/   arrays, manifest.json {"generation", "index", "model", "files", "hmac"}

Whoever reads it finds all of it or nothing: it is written aside and takes its name in one move. Nothing in it is
needed to serve the generation.
"""

from __future__ import annotations

import hmac
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.errors import GenerationDamaged, GenerationMissing, MeaningError
from indexer.store import generations
from indexer.store.generations import MANIFEST, VECTORS, VECTORS_DRAFT
from indexer.store.sealing import data_key, seal_of, sha256_of, sync


@dataclass(frozen=True)
class VectorsManifest:
    """What is known of a generation's vectors."""

    generation: str
    index: str  #: fingerprint of the generation whose answers they are of
    model: Mapping[str, Any]  #: name, dimension, fingerprint, prefixes
    counts: Mapping[str, int]  #: answers and passages
    created: str  #: UTC, YYYY-MM-DDTHH:MM:SSZ
    files: Mapping[str, Mapping[str, Any]]  #: name -> {"sha256", "bytes"}


def folder_of(data: Path, name: str) -> Path:
    """Where the vectors of a generation lie, or would. Raises GenerationMissing."""
    return generations.folder_of(data, name) / VECTORS


def add_vectors(data: Path, name: str, facts: Mapping[str, Any], write: Callable[[Path], None]) -> VectorsManifest:
    """Let `write` fill a folder, seal it and give it its name; what was there before goes. `facts`: index, model,
    counts, created.

    Raises GenerationMissing when the generation was deleted meanwhile, and what `write` raises; then nothing is left.
    """
    generation = generations.folder_of(data, name)
    draft, final = generation / VECTORS_DRAFT, generation / VECTORS
    shutil.rmtree(draft, ignore_errors=True)
    try:
        draft.mkdir()
        write(draft)
        paths = sorted(draft.iterdir())
        files = {path.name: {"sha256": sha256_of(path), "bytes": path.stat().st_size} for path in paths}
        content: dict[str, Any] = {"generation": name, **facts, "files": files}
        content["hmac"] = seal_of(content, data_key(data))
        (draft / MANIFEST).write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
        for path in [*paths, draft / MANIFEST, draft]:
            sync(path)
        shutil.rmtree(final, ignore_errors=True)  # of another model: searches that use it keep their files
        draft.rename(final)
        sync(generation)
    except FileNotFoundError as error:
        if generation.is_dir():
            raise
        raise GenerationMissing(f"{name} 已被删除，它的意思向量没有做完。") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return _manifest_of(content)


def open_manifest(data: Path, name: str) -> VectorsManifest | None:
    """Read and verify the manifest of a generation's vectors: our seal, each file there with its size. None when there
    are none. Raises MeaningError for damaged ones, or such as belong to another generation.
    """
    try:
        folder = folder_of(data, name)
        if not folder.is_dir():
            return None
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        is_ours = hmac.compare_digest(str(content.pop("hmac")), seal_of(content, data_key(data)))
        manifest = _manifest_of(content)
        index = generations.open_manifest(data, name).fingerprint
    except (GenerationMissing, GenerationDamaged):
        return None  # opening it says why
    except FileNotFoundError:
        raise _damaged(name, MANIFEST, "缺失") from None
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        raise _damaged(name, MANIFEST, "内容损坏") from None
    if not is_ours:
        raise _damaged(name, MANIFEST, "不带本数据目录的签名（被改动过，或来自别处）")
    if manifest.generation != name or manifest.index != index:
        raise _damaged(name, MANIFEST, "属于另一份索引")
    for path, facts in manifest.files.items():
        if not (folder / path).is_file():
            raise _damaged(name, path, "缺失")
        if (folder / path).stat().st_size != facts["bytes"]:
            raise _damaged(name, path, f"应有 {facts['bytes']} 字节，实有 {(folder / path).stat().st_size} 字节")
    return manifest


def check_files(data: Path, name: str) -> VectorsManifest | None:
    """As `open_manifest`, and every byte of every file against its hash."""
    manifest = open_manifest(data, name)
    if manifest is not None:
        for path, facts in manifest.files.items():
            if sha256_of(folder_of(data, name) / path) != facts["sha256"]:
                raise _damaged(name, path, "内容与校验值不符")
    return manifest


def _manifest_of(content: Mapping[str, Any]) -> VectorsManifest:
    return VectorsManifest(**{field: content[field] for field in VectorsManifest.__dataclass_fields__})


def _damaged(name: str, path: str, what: str) -> MeaningError:
    return MeaningError(f"索引 {name} 的意思向量文件 {path} {what}；检索照常按词语进行，请用 yiwen vectors 重新生成。")
