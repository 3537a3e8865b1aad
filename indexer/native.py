"""Functions compiled by Numba, and where their machine code is kept so that it is compiled once, not in each process.

Compiling takes seconds, loading what was compiled milliseconds. The code lies beside ours where that folder can be
written, else in the data directory's cache, else (a read-only installation over a read-only data directory) in a folder
that lives as long as the process, filled from the data directory's.
"""

from __future__ import annotations

import ctypes
import hashlib
import logging
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])

_log = logging.getLogger(__name__)

_PACKAGE = Path(__file__).parent
#: every file with kernels; what is compiled is kept for these as they are (Numba itself looks at a kernel's own file,
#: not at those of the kernels that it calls)
KERNEL_FILES = (
    "analysis/cutting.py",
    "meaning/nearness.py",
    "store/counting.py",
    "store/directory.py",
    "store/postings.py",
    "ranking/scanning.py",
    "ranking/likeness.py",
    "ranking/trees.py",
)
_lock = threading.Lock()
_waiting: list[Any] = []  # kernels that were defined before it was known where to keep them
_kept_in: Path | None = None
_own_folder: TemporaryDirectory[str] | None = None


def kernel(function: Function) -> Function:
    """Compile a function at its first call, for the types of that call; it runs without the interpreter's lock."""
    compiled = numba.njit(nogil=True)(function)
    with _lock:
        if _kept_in is None:
            _waiting.append(compiled)
        else:
            _keep(compiled)
    return cast(Function, compiled)


def keep_compiled(cache_dir: Path | None) -> None:
    """Say, before kernels are called, where machine code may be kept; the first to say so decides for the process."""
    global _kept_in
    with _lock:
        if _kept_in is not None:
            return
        if not os.environ.get("NUMBA_CACHE_DIR"):
            setattr(numba.config, "CACHE_DIR", str(_folder(cache_dir)))  # noqa: B010 - Numba declares no settings
        _kept_in = Path(getattr(numba.config, "CACHE_DIR"))  # noqa: B009
        for compiled in _waiting:
            _keep(compiled)
        _waiting.clear()


def _keep(compiled: Any) -> None:
    """Keep a kernel's machine code. Where it cannot be written (a full disk), it works all the same, compiled anew by
    each process.
    """
    compiled.enable_caching()
    cache = compiled._cache
    save = cache.save_overload

    def save_if_possible(*arguments: Any) -> None:
        try:
            save(*arguments)
        except OSError as error:
            _log.warning("编译结果无法保存，下次会重新编译：%s", error)

    cache.save_overload = save_if_possible


def _folder(cache_dir: Path | None) -> Path:
    global _own_folder
    name = f"compiled-{_sources()}"
    for parent in (_PACKAGE / "__pycache__", cache_dir):
        if parent is not None and _is_writable(parent):
            for outdated in parent.glob("compiled-*"):
                if outdated.name != name:
                    shutil.rmtree(outdated, ignore_errors=True)
            return parent / name
    _own_folder = TemporaryDirectory(prefix="yiwen-")
    if cache_dir is not None and (cache_dir / name).is_dir():
        shutil.copytree(cache_dir / name, Path(_own_folder.name) / name)
    return Path(_own_folder.name) / name


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def _sources() -> str:
    stamps = (f"{path}{(stat := (_PACKAGE / path).stat()).st_mtime_ns} {stat.st_size}\n" for path in KERNEL_FILES)
    return hashlib.sha256("".join(stamps).encode()).hexdigest()[:12]


def give_back_memory() -> None:
    """Return what is free to the system, where the C library can: glibc keeps a third of what a collection took."""
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)
