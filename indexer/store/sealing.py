"""What makes files ours and lasting: a data directory's own secret, seals made with it, hashes, the way to disk."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from indexer.errors import GenerationDamaged

_KEY_BYTES = 32


def sha256_of(path: Path) -> str:
    """Of a file's bytes, 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Force a file, or a folder's names, to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def seal_of(content: Mapping[str, Any], key: bytes) -> str:
    """HMAC-SHA-256 of a manifest (RFC 2104)."""
    return hmac.new(key, json.dumps(content, sort_keys=True).encode(), "sha256").hexdigest()


def data_key(data: Path, create: bool = False) -> bytes:
    """The data directory's secret, 32 bytes; made once, whole or not at all. Raises GenerationDamaged."""
    file = data / "key"
    if create and not file.exists():
        draft = data / f"key.{os.getpid()}"
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
                out.write(secrets.token_hex(_KEY_BYTES))
            sync(draft)
            with suppress(FileExistsError):
                os.link(draft, file)
        finally:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
        sync(data)
    try:
        key = bytes.fromhex(file.read_text(encoding="ascii").strip())
    except FileNotFoundError:
        key = b""
    except ValueError:
        key = b"?"
    if len(key) != _KEY_BYTES:
        raise GenerationDamaged(
            f"数据目录 {data} 的签名密钥 key {'内容损坏' if key else '缺失或为空'}，各代索引都无法核实；"
            "请从备份恢复 key，或者删除它并用 yiwen build 重建。"
        )
    return key
