"""scripts/save_case.py: a page and what is found in it now become a case, never over another one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import save_case
from click.testing import CliRunner, Result
from measure_extraction import score
from store_builders import ROOT, write_files

FIRST = "面肌痉挛可以打肉毒素，一般能维持三到六个月，之后要再打。"
SECOND = "症状轻的时候可以先观察，少熬夜，少喝咖啡，几个月后再复查。"
THIRD = "每天记下抽动的次数和时间，复查的时候带给医生看。"
PAGE = f"""<html><head><meta charset="gb2312"><title>面肌痉挛怎么治_江北健康网</title></head><body>
<h1>面肌痉挛怎么治</h1><p>作者：王建国 主任医师 2020-05-06 浏览：321</p>
<div><p>{FIRST}</p><h2>生活上要注意什么</h2><p>{SECOND}</p><p>{THIRD}</p></div>
<p>免责声明：本文仅供参考，不能代替医生的诊断。</p>
<h3>相关问答</h3><p>面瘫会自己好吗？</p><p>多数人三个月内会好，早期要保护眼睛，睡前涂一点眼膏。</p></body></html>"""
KEYS = (
    "comment keep title author author_title hospital date views likes topic encoding text headings qa_pairs "
    "disclaimers leaks"
).split()


def save(page: Path, *options: str | Path) -> Result:
    return CliRunner().invoke(save_case.main, [str(page), *map(str, options)])


def saved(folder: Path, file: str, content: str | bytes, *options: str) -> tuple[Path, dict[str, Any]]:
    """The case made of this page, and its right.json."""
    write_files(folder, {file: content})
    result = save(folder / file, "--name", "a-page", "--folder", folder / "cases", *options)
    assert (result.exit_code, result.stdout) == (0, ""), result.stderr
    case = folder / "cases" / "a-page"
    return case, json.loads((case / "right.json").read_text(encoding="utf-8"))


def test_a_case_holds_the_page_byte_for_byte_and_what_is_found_in_it(tmp_path: Path) -> None:
    data = PAGE.encode("gb18030")
    case, right = saved(tmp_path, "原页.html", data, "--comment", "署名行在标题下")
    assert sorted(file.name for file in case.iterdir()) == ["page.html", "right.json"]
    assert (case / "page.html").read_bytes() == data
    assert list(right) == KEYS
    assert right == {
        "comment": "署名行在标题下",
        "keep": True,
        "title": "面肌痉挛怎么治",
        "author": "王建国",
        "author_title": "主任医师",
        "hospital": None,
        "date": "2020-05-06",
        "views": 321,
        "likes": None,
        "topic": None,
        "encoding": "gb18030",
        "text": [FIRST, "生活上要注意什么", SECOND, THIRD],
        "headings": ["生活上要注意什么"],
        "qa_pairs": [
            {
                "question": "面瘫会自己好吗？",
                "answer": "多数人三个月内会好，早期要保护眼睛，睡前涂一点眼膏。",
                "date": None,
            }
        ],
        "disclaimers": ["免责声明：本文仅供参考，不能代替医生的诊断。"],
        "leaks": [],
    }


def test_what_is_found_now_measures_as_right(tmp_path: Path) -> None:
    case, _ = saved(tmp_path, "a.html", PAGE.encode("gb18030"))
    measured = score(case)
    assert (measured.f1, measured.keep_right, measured.charset_right, measured.media) == (1.0, True, True, "html")
    assert set(measured.facts.values()) == {True}
    assert (measured.pairs_found, measured.pairs_right, measured.pairs_wanted) == (1, 1, 1)


@pytest.mark.parametrize(("file", "kept_as"), [("a.htm", "page.html"), ("A.HTML", "page.html"), ("a.txt", "page.txt")])
def test_the_copy_is_named_by_its_kind(tmp_path: Path, file: str, kept_as: str) -> None:
    text = PAGE.replace("gb2312", "utf-8") if kept_as == "page.html" else f"面肌痉挛怎么治\n{FIRST}\n{SECOND}"
    case, right = saved(tmp_path, file, text)
    assert (case / kept_as).read_text(encoding="utf-8") == text
    assert (right["comment"], right["title"], right["keep"]) == ("", "面肌痉挛怎么治", True)


@pytest.mark.parametrize(("content", "reason"), [("<p>404 页面不存在</p>", "no_content"), ("", "empty")])
def test_a_page_that_is_rejected_is_a_case_too(tmp_path: Path, content: str, reason: str) -> None:
    case, right = saved(tmp_path, "a.html", content)
    assert list(right) == [*KEYS[:2], "reason", *KEYS[2:]]
    assert (right["keep"], right["reason"], right["encoding"], right["text"]) == (False, reason, "utf-8", [])
    assert score(case).keep_right


def test_the_json_is_for_people_to_edit(tmp_path: Path) -> None:
    case, right = saved(tmp_path, "a.html", PAGE.encode("gb18030"))
    text = (case / "right.json").read_text(encoding="utf-8")
    assert text == json.dumps(right, ensure_ascii=False, indent=1) + "\n"
    assert f'\n  "{FIRST}",\n' in text


def test_one_is_told_in_chinese_what_is_left_to_do(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.html": PAGE.encode("gb18030"), "b.html": ""})
    kept = save(tmp_path / "a.html", "--name", "a", "--folder", tmp_path)
    rejected = save(tmp_path / "b.html", "--name", "b", "--folder", tmp_path)
    assert str(tmp_path / "a" / "right.json") in kept.stderr
    assert "改正" in kept.stderr and "收录）" in kept.stderr and "leaks" in kept.stderr
    assert "未收录：空页面" in rejected.stderr


def test_an_existing_case_is_never_overwritten(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.html": PAGE.encode("gb18030"), "cases/one/right.json": "由人改过"})
    result = save(tmp_path / "a.html", "--name", "one", "--folder", tmp_path / "cases")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "已经存在" in result.stderr and str(tmp_path / "cases" / "one") in result.stderr
    assert [file.name for file in (tmp_path / "cases" / "one").iterdir()] == ["right.json"]
    assert (tmp_path / "cases" / "one" / "right.json").read_text(encoding="utf-8") == "由人改过"


@pytest.mark.parametrize("name", ["../outside", "a/b", "", "面瘫", "A", "a_b", ".", "-a"])
def test_a_name_is_lower_case_words_with_hyphens(tmp_path: Path, name: str) -> None:
    write_files(tmp_path, {"a.html": PAGE.encode("gb18030")})
    result = save(tmp_path / "a.html", f"--name={name}", "--folder", tmp_path / "cases")
    assert result.exit_code == 1 and "小写字母" in result.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["a.html"]


@pytest.mark.parametrize("file", ["a.pdf", "a.jsonl", "html"])
def test_only_pages_become_cases(tmp_path: Path, file: str) -> None:
    write_files(tmp_path, {file: PAGE})
    result = save(tmp_path / file, "--name", "one", "--folder", tmp_path / "cases")
    assert result.exit_code == 1 and file in result.stderr and ".htm" in result.stderr
    assert not (tmp_path / "cases").exists()


def test_a_page_that_cannot_be_read_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(case: Path) -> None:
        raise RuntimeError(case.name)

    monkeypatch.setattr(save_case, "extracted", fail)
    write_files(tmp_path, {"a.html": PAGE})
    result = save(tmp_path / "a.html", "--name", "one", "--folder", tmp_path / "cases")
    assert isinstance(result.exception, RuntimeError)
    assert list((tmp_path / "cases").iterdir()) == []


def test_it_runs_as_a_script_and_saves_where_the_other_cases_are(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.html": PAGE.encode("gb18030")})
    script = ROOT / "scripts" / "save_case.py"
    done = subprocess.run(
        [sys.executable, script, "a.html", "--name", "one"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert (tmp_path / "tests" / "cases" / "sites" / "one" / "right.json").is_file()
