"""Extraction rules as data: what all sites share (sites/general.toml) and what single sites add to it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from indexer.errors import ResourceError
from indexer.records import Kind
from indexer.resources import read_toml

#: characters that the rules name, in traditional pages
_SIMPLIFIED = str.maketrans(
    "網頁題醫師藥護員專關閱讀點擊發佈時間瀏覽評論復復覆錄冊聲責參診斷據療據續區場預約線詢電話購買價優領優費廣體驗載號類標籤門診團隊學會員導覽總編輯來訪問無聯絡權權轉載圖視頻訊錄檢舉報貼樓訂單貸車徵過項條則後請們這個"
    "數資證處規聞聽氣熱歲說詳細關廳廠劑劃劉張陳黃楊吳趙鄭馮蔣韓葉蘇盧鍾譚龔蘭賴鄧蕭謝許羅詹紀潘範錢嚴萬應單顧龐賀歐陽",
    "网页题医师药护员专关阅读点击发布时间浏览评论复复复录册声责参诊断据疗据续区场预约线询电话购买价优领优费广体验载号类标签门诊团队学会员导览总编辑来访问无联络权权转载图视频讯录检举报贴楼订单贷车征过项条则后请们这个"
    "数资证处规闻听气热岁说详细关厅厂剂划刘张陈黄杨吴赵郑冯蒋韩叶苏卢钟谭龚兰赖邓萧谢许罗詹纪潘范钱严万应单顾庞贺欧阳",
)
_GROUP_NAME = re.compile(r"\(\?P<\w+>")


class Patterns(tuple[re.Pattern[str], ...]):
    """Patterns in the order of the file, and one that matches where any of them does."""

    either: re.Pattern[str]

    def __new__(cls, patterns: Iterable[re.Pattern[str]]) -> Patterns:
        self = super().__new__(cls, patterns)
        together = "|".join(f"(?:{_GROUP_NAME.sub('(?:', pattern.pattern)})" for pattern in self)
        self.either = re.compile(together or r"(?!)")
        return self

    def __add__(self, other: Patterns) -> Patterns:  # type: ignore[override]
        return Patterns((*self, *other))


@dataclass(frozen=True)
class Rules:
    """Compiled rules for one page; every pattern sees `plain` text. The TOML file says what each is for."""

    navigation: Patterns
    controls: re.Pattern[str]  #: a line of nothing but buttons
    breadcrumb: Patterns
    breadcrumb_separator: Patterns
    byline: Patterns
    views: Patterns
    likes: Patterns
    author: Patterns
    date: Patterns
    date_label: Patterns
    statistics: Patterns
    not_author: Patterns
    author_title: Patterns
    hospital: Patterns
    no_hospital: Patterns
    person: re.Pattern[str]  #: a Chinese person's name between marks or blanks
    no_topic: Patterns
    affiliation: Patterns
    doctor_says: Patterns
    asker_says: Patterns
    about_reply: Patterns
    doctor_notice: Patterns
    lay_line: Patterns
    system_says: Patterns
    card: Patterns
    post_line: Patterns
    related_heading: Patterns
    links_heading: Patterns
    comments_heading: Patterns
    answer_count: Patterns
    disclaimer: Patterns
    advertisement: Patterns
    footer: Patterns
    no_answer_page: Patterns
    unrelated_topic: Patterns
    site_line: Patterns = field(default_factory=lambda: Patterns(()))
    breadcrumb_root: tuple[str, ...] = ()
    kind: Kind = Kind.ARTICLE  #: of the page's main text
    chrome: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  #: reason -> names of elements
    answers: tuple[str, ...] = ()  #: names of elements that hold an answer
    crumb_names: tuple[str, ...] = ()  #: names of elements that hold the path to the page


@dataclass(frozen=True)
class SiteTemplate:
    """A known layout."""

    name: str
    media: str
    fingerprint: Patterns
    rules: Rules

    def fits(self, lines: Sequence[str]) -> bool:
        """Each pattern of the fingerprint matches some line."""
        return all(any(pattern.search(line) for line in lines) for pattern in self.fingerprint)


@dataclass(frozen=True)
class SiteTemplates:
    """The general rules and all templates."""

    general: Rules
    templates: tuple[SiteTemplate, ...]

    def rules_for(self, media: str, lines: Sequence[str]) -> Rules:
        """Rules of the first template whose fingerprint fits, else the general ones; `lines` are plain."""
        fitting = (t.rules for t in self.templates if t.media == media and t.fits(lines))
        return next(fitting, self.general)


def plain(text: str) -> str:
    """Text as patterns see it: compatibility forms folded (full-width colon to half), white space single, trimmed."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


@lru_cache(maxsize=4096)
def simplified(text: str) -> str:
    """Text of the same length in which the traditional characters that the rules name are simplified."""
    return text.translate(_SIMPLIFIED)


def first_match(patterns: Patterns, text: str) -> re.Match[str] | None:
    """The first pattern's match, in the order of the file; traditional characters match simplified ones."""
    text = simplified(text)
    if patterns.either.search(text) is None:
        return None
    return next(match for pattern in patterns if (match := pattern.search(text)))


def load_site_templates(resources: Path) -> SiteTemplates:
    """Read `sites/*.toml`. Raises ResourceError naming the file and what is wrong in it."""
    folder = resources / "sites"
    general = _apply(None, folder / "general.toml")
    templates = tuple(_template(general, file) for file in sorted(folder.glob("*.toml")) if file.name != "general.toml")
    return SiteTemplates(general, templates)


def _template(general: Rules, file: Path) -> SiteTemplate:
    content = read_toml(file)
    missing = {"name", "media", "fingerprint"} - set(content)
    if missing:
        raise ResourceError(f"站点模板 {file} 缺少 {'、'.join(sorted(missing))}。")
    fingerprint = _compile(content["fingerprint"], file)
    return SiteTemplate(content["name"], content["media"], fingerprint, _apply(general, file))


def _apply(general: Rules | None, file: Path) -> Rules:
    """The general rules with what a file adds; without general rules the file must hold them all."""
    content = read_toml(file)
    values: dict[str, Any] = {}
    for item in fields(Rules):
        if item.name not in content:
            continue
        value = content[item.name]
        if item.name == "kind":
            values["kind"] = Kind(value)
        elif item.name in ("breadcrumb_root", "crumb_names"):
            values[item.name] = tuple(value)
        elif item.name == "controls":
            values["controls"] = _buttons(value)
        elif item.name == "person":
            values["person"] = _names(value)
        elif item.name == "chrome":
            values["chrome"] = {reason: tuple(names) for reason, names in value.items()}
        elif item.name == "answers":
            values["answers"] = tuple(value["names"])
        else:
            own = _compile(value, file)
            values[item.name] = own + getattr(general, item.name) if general else own
    unknown = set(content) - {item.name for item in fields(Rules)} - {"name", "media", "fingerprint"}
    if unknown:
        raise ResourceError(f"站点模板 {file} 中有不认识的项“{sorted(unknown)[0]}”。")
    try:
        return replace(general, **values) if general else Rules(**values)
    except TypeError as error:
        raise ResourceError(f"站点规则 {file} 不完整：{error}") from error


def _buttons(names: str) -> re.Pattern[str]:
    """One or more of the names, with numbers and marks between them."""
    one = "|".join(re.escape(name) for name in sorted(names.split(), key=len, reverse=True))
    return re.compile(rf"^[\W\d_]*(?:(?:{one})(?:[\W\d_]|[万wk](?=\W|$))*)+$")


def _names(surnames: str) -> re.Pattern[str]:
    """A surname and one or two characters more, with nothing but marks, or a title, around them."""
    single = "".join(name for name in surnames.split() if len(name) == 1)
    double = "|".join(name for name in surnames.split() if len(name) > 1)
    return re.compile(
        rf"(?<![\u4e00-\u9fff])(?:(?:{double})[\u4e00-\u9fff]{{1,2}}|[{single}][\u4e00-\u9fff]{{1,2}})"
        r"(?=[^\u4e00-\u9fff]|$|主任|副主任|主治|住院|医师|医生|大夫|教授|药师)"
    )


def _compile(value: str | Iterable[str], file: Path) -> Patterns:
    patterns = [value] if isinstance(value, str) else value
    try:
        return Patterns(re.compile(pattern) for pattern in patterns)
    except re.error as error:
        raise ResourceError(f"站点规则 {file} 中的正则表达式 {error.pattern!r} 有误：{error}") from error
