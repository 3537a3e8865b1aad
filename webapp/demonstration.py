"""A data directory whose searches are made up is marked, and every page and report made from it says so."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

FILE_NAME = "demonstration.txt"
REMARK = "演示数据：这里的搜索、点击和访客都由程序模拟，不是真人。"


def mark_demonstration(data_dir: Path) -> None:
    """Mark it; made where it is not there. Raises OSError."""
    data_dir.mkdir(parents=True, exist_ok=True)
    (data_dir / FILE_NAME).write_text(REMARK + "\n", encoding="utf-8")


def is_demonstration(data_dir: Path) -> bool:
    """Whether it is marked."""
    return (data_dir / FILE_NAME).is_file()


def register(app: Flask, data_dir: Path) -> None:
    """Let the pages of a marked directory say it."""
    app.jinja_env.globals["demonstration_remark"] = REMARK if is_demonstration(data_dir) else ""
