"""The engine's commands as real processes: what they print where, and how they end."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from builders import record_of, write_corpus
from cli_folders import ANSWERS, URL, assert_one_chinese_sentence, built_once, folder
from store_builders import flip_bit, write_files, yiwen

from indexer.store.audit_log import read_acts, terminal_actor
from indexer.store.generations import build_lock

__all__ = ["built_once", "folder"]

PAGE = """<html><head><meta charset="gb2312"><title>面肌痉挛会自己好吗</title></head><body><h1>面肌痉挛会自己好吗</h1>
<p>面肌痉挛很少自己好，多数会慢慢加重，从眼皮扩展到嘴角。</p><p>症状明显时可以打肉毒素，先到神经内科检查。</p></body></html>"""
EXTRACT_KEYS = {
    *("path", "name", "url", "keep", "reason", "encoding", "title", "text", "headings", "author", "date"),
    *("views", "likes", "topic", "qa_pairs", "disclaimers", "removed"),
}
COMMANDS = {
    "build",
    "check",
    "doctor",
    "evaluate",
    "extract",
    "generations",
    "prune",
    "roll-back",
    "search",
    "switch",
    "take-down",
}


def test_help_lists_each_command_in_chinese(tmp_path: Path) -> None:
    listing = yiwen("--help", cwd=tmp_path)
    assert (listing.returncode, listing.stderr) == (0, "")
    found = dict(re.findall(r"^  ([a-z-]+) +(\S.*)$", listing.stdout, re.MULTILINE))
    assert found.keys() >= COMMANDS
    assert [name for name in COMMANDS if not re.search("[一-龥]", found[name])] == []


def test_build_speaks_on_standard_error_only_and_serves_what_it_built(tmp_path: Path) -> None:
    write_files(tmp_path / "corpus", {"b.html": "", "c.jsonl": "坏行\n"})
    write_corpus(tmp_path / "corpus", ANSWERS)
    process = yiwen("build", "--corpus", tmp_path / "corpus", "--data", tmp_path / "data", cwd=tmp_path)
    assert (process.returncode, process.stdout) == (0, "")
    assert "gen-000001：4 个页面，4 条答案，未收录 2 个" in process.stderr
    assert "空页面 1 个：b.html" in process.stderr and "记录格式错误 1 个：c.jsonl:1" in process.stderr
    assert process.stderr.endswith("已启用 gen-000001。\n")
    assert (tmp_path / "data" / "CURRENT").read_text() == "gen-000001\n"


def test_a_refused_build_ends_with_3_and_the_old_generation_goes_on(folder: Path) -> None:
    build = ("build", "--corpus", "corpus", "--data", "data")
    assert yiwen(*build, cwd=folder).returncode == 0  # a copy's corpus is another one: nothing to compare with
    write_corpus(folder / "corpus", ANSWERS[:1])
    process = yiwen(*build, cwd=folder)
    assert (process.returncode, process.stdout) == (3, "")
    assert "gen-000004 没有启用" in process.stderr and "从 4 条减少到 1 条" in process.stderr
    assert "yiwen compare gen-000004" in process.stderr
    assert "yiwen switch gen-000004 --override --reason 原因" in process.stderr
    assert searched(folder, "面肌痉挛")["generation"] == "gen-000003"
    switch = ("switch", "gen-000004", "--data", "data")
    process = yiwen(*switch, cwd=folder)
    assert process.returncode == 1 and "从 4 条减少到 1 条" in process.stderr and "--override" in process.stderr
    assert yiwen(*switch, "--override", "--reason", "语料本来就要缩小", cwd=folder).returncode == 0
    assert searched(folder, "面肌痉挛")["generation"] == "gen-000004"


def test_a_second_build_at_the_same_time_ends_with_4(folder: Path) -> None:
    with build_lock(folder / "data"):
        process = yiwen("build", "--corpus", "corpus", "--data", "data", cwd=folder)
    assert_one_chinese_sentence(process, 4, "正在建立另一代索引")
    assert len(list((folder / "data" / "generations").iterdir())) == 2


def searched(folder: Path, query: str, *options: str) -> dict[str, object]:
    process = yiwen("search", query, "--data", "data", "--json", *options, cwd=folder)
    assert (process.returncode, process.stderr) == (0, "")
    result = json.loads(process.stdout)
    assert isinstance(result, dict)
    return result


def test_search_prints_one_json_object_and_nothing_else(built_once: Path) -> None:
    result = searched(built_once, "面肌痉挛怎么治", "--limit", "1")
    assert result["query"] == "面肌痉挛怎么治" and result["generation"] == "gen-000002"
    hits = result["hits"]
    assert isinstance(hits, list) and [hit["id"] for hit in hits] == ["a1"]
    assert {key: hits[0][key] for key in ("rank", "answer", "author", "date", "url", "site", "copies")} == {
        "rank": 1,
        "answer": "面肌痉挛可以打肉毒素。",
        "author": "王医生",
        "date": "2016-01-02",
        "url": URL,
        "site": "甲站",
        "copies": 1,
    }


def test_search_prints_ranked_answers_for_reading(built_once: Path) -> None:
    process = yiwen("search", "面肌痉挛怎么治", "--data", "data", cwd=built_once)
    assert (process.returncode, process.stderr) == (0, "")
    first, *_ = process.stdout.splitlines()
    assert first == "1. 面肌痉挛怎么治"
    shown = ("面肌痉挛可以打肉毒素。", "王医生", "甲站", "2016-01-02", "同文 2 篇")
    assert [word for word in shown if word not in process.stdout] == []
    assert "失眠" not in process.stdout


def test_an_emergency_is_told_also_where_nothing_can_be_searched(tmp_path: Path) -> None:
    process = yiwen("search", "我妈突然胸口剧痛喘不上气", "--data", "missing", cwd=tmp_path)
    card, sentence = process.stderr.rstrip().rsplit("\n", 1)
    assert (process.returncode, process.stdout) == (1, "")
    assert "120" in card and "yiwen build" in sentence


def test_nothing_found_is_no_error_and_nothing_on_standard_output(built_once: Path) -> None:
    process = yiwen("search", "房贷利率", "--data", "data", cwd=built_once)
    assert_one_chinese_sentence(process, 0, "没有找到")
    assert searched(built_once, "房贷利率")["hits"] == []


def test_the_data_directory_may_come_from_the_settings_file(built_once: Path, tmp_path: Path) -> None:
    write_files(tmp_path, {"yiwen.toml": f'data = "{built_once / "data"}"\n'})
    assert "失眠怎么调理" in yiwen("search", "失眠", cwd=tmp_path).stdout


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("build", "--corpus", "nowhere", "--data", "data"), 1, ("nowhere", "--corpus")),
        (("build", "--corpus", "empty", "--data", "data"), 1, ("empty", "没有可读的文件")),
        (("build", "--corpus", "useless", "--data", "data"), 1, ("useless", "空页面 1 个")),
        (("build", "--corpus", "corpus", "--data", "data", "--resources", "nowhere"), 1, ("nowhere", "--resources")),
        (("search", "面肌痉挛", "--data", "nowhere"), 1, ("nowhere", "yiwen build")),
        (("search", "", "--data", "data"), 1, ("没有可以检索的文字",)),
        (("search", "？！", "--data", "data", "--json"), 1, ("没有可以检索的文字",)),
        (("generations", "--data", "nowhere"), 1, ("yiwen build",)),
        (("switch", "gen-000009", "--data", "data"), 1, ("gen-000009", "gen-000001、gen-000002")),
        (("switch", "../data", "--data", "data"), 1, ("没有名为 ../data 的一代索引",)),
        (("roll-back", "--data", "nowhere"), 1, ("yiwen build",)),
        (("check", "--data", "nowhere"), 1, ("yiwen build",)),
        (("check", "gen-000009", "--data", "data"), 1, ("gen-000009",)),
        (("extract", "nowhere.html"), 1, ("nowhere.html",)),
        (("evaluate", "--queries", "nowhere", "--qrels", "nowhere", "--data", "data"), 1, ("nowhere",)),
        (("search", "面肌痉挛", "--dta", "data"), 2, ("--dta", "--data", "yiwen search --help")),
        (("search", "面肌痉挛", "--limit", "0"), 2, ("--limit", "1 到 200")),
        (("search",), 2, ("yiwen search --help",)),
        (("build",), 2, ("--corpus", "yiwen build --help")),
        (("extract",), 2, ("yiwen extract --help",)),
        (("switch",), 2, ("yiwen switch --help",)),
        (("take-down", "a1", "--data", "data"), 2, ("--reason",)),
        (("evaluate", "--queries", "corpus/answers.jsonl"), 2, ("--qrels",)),
    ],
)
def test_a_wrong_call_ends_with_one_sentence_that_says_what_and_what_to_do(
    folder: Path, arguments: tuple[str, ...], status: int, words: tuple[str, ...]
) -> None:
    write_files(folder, {"empty/a.pdf": "x", "useless/a.html": ""})
    assert_one_chinese_sentence(yiwen(*arguments, cwd=folder), status, *words)
    assert not (folder / "nowhere").exists()


def test_a_damaged_generation_is_passed_over_with_a_notice(folder: Path) -> None:
    (folder / "data" / "generations" / "gen-000002" / "pages.jsonl").unlink()
    process = yiwen("search", "失眠", "--data", "data", "--json", cwd=folder)
    assert process.returncode == 0
    assert json.loads(process.stdout)["generation"] == "gen-000001"
    [notice] = process.stderr.splitlines()
    assert "gen-000002 的文件 pages.jsonl 缺失" in notice and "现在使用的是 gen-000001" in notice


def test_with_all_generations_damaged_a_search_names_the_file_and_the_cure(folder: Path) -> None:
    for name in ("gen-000001", "gen-000002"):
        (folder / "data" / "generations" / name / "pages.jsonl").unlink()
    process = yiwen("search", "失眠", "--data", "data", cwd=folder)
    assert_one_chinese_sentence(process, 1, "gen-000002", "pages.jsonl 缺失", "yiwen build")


def test_generations_are_listed_with_the_served_one_marked_and_damage_told(folder: Path) -> None:
    process = yiwen("generations", "--data", "data", cwd=folder)
    assert (process.returncode, process.stderr) == (0, "")
    assert [line.split()[:2] for line in process.stdout.splitlines()] == [
        ["gen-000001", process.stdout.split()[1]],
        ["*", "gen-000002"],
    ]
    assert process.stdout.count("4 条答案") == 2
    (folder / "data" / "generations" / "gen-000001" / "manifest.json").unlink()
    damaged = yiwen("generations", "--data", "data", cwd=folder)
    assert damaged.returncode == 0
    assert "gen-000001  已损坏" in damaged.stdout and "manifest.json" in damaged.stdout


def test_switching_and_rolling_back_say_which_one_is_served_now(folder: Path) -> None:
    for arguments, sentence, served in (
        (("roll-back",), "已回到 gen-000001。", "gen-000001"),
        (("switch", "gen-000002"), "已启用 gen-000002。", "gen-000002"),
    ):
        assert_one_chinese_sentence(yiwen(*arguments, "--data", "data", cwd=folder), 0, sentence)
        assert searched(folder, "失眠")["generation"] == served
    yiwen("roll-back", "--data", "data", cwd=folder)
    assert_one_chinese_sentence(yiwen("roll-back", "--data", "data", cwd=folder), 1, "gen-000001 之前没有")


def acts_of(folder: Path) -> list[tuple[str, str, str]]:
    """Action, object and detail of all acts, oldest first; all were done at the terminal."""
    acts = list(reversed(read_acts(folder / "data")))
    assert {act.actor for act in acts} == {terminal_actor()}
    return [(act.action, act.object, act.detail) for act in acts]


def test_what_commands_do_to_generations_is_in_the_log_of_acts(folder: Path, built_once: Path) -> None:
    corpus = str((built_once / "corpus").resolve())
    built = [("建立索引", corpus, f"gen-00000{number}，已启用") for number in (1, 2)]
    assert acts_of(folder) == built
    assert yiwen("build", "--corpus", "corpus", "--data", "data", cwd=folder).returncode == 0
    write_corpus(folder / "corpus", ANSWERS[:1])
    for arguments in (
        ("build", "--corpus", "corpus"),
        ("switch", "gen-000004", "--override", "--reason", "旧站已关闭"),
        ("roll-back",),
        ("switch", "gen-000001"),
        ("prune", "--keep", "0", "--dry-run"),
        ("prune", "--keep", "0"),
        ("prune", "--keep", "0"),
        ("switch", "gen-000009"),
        ("build", "--corpus", "nowhere"),
        ("build", "--corpus", "corpus", "--if-missing"),
    ):
        yiwen(*arguments, "--data", "data", cwd=folder)
    here = str((folder / "corpus").resolve())
    *done, pruned = acts_of(folder)
    assert done == [
        *built,
        ("建立索引", here, "gen-000003，已启用"),
        ("建立索引", here, "gen-000004，没有通过检查，没有启用"),
        ("启用未通过检查的索引", "gen-000004", "旧站已关闭"),
        ("回到上一代", "gen-000003", ""),
        ("启用索引", "gen-000001", ""),
    ]
    assert pruned[:2] == ("删去旧的各代索引", "gen-000002、gen-000003、gen-000004") and "留下 gen-000001" in pruned[2]


def test_a_log_that_cannot_be_written_undoes_nothing(folder: Path) -> None:
    (folder / "data" / "state.sqlite3").write_bytes(b"no database" * 100)
    process = yiwen("roll-back", "--data", "data", cwd=folder)
    assert process.returncode == 0 and "没能写进操作记录" in process.stderr and "已回到 gen-000001" in process.stderr


def test_check_finds_one_flipped_bit_in_the_generation_it_is_asked_about(folder: Path) -> None:
    flip_bit(folder / "data" / "generations" / "gen-000001" / "resources" / "weights" / "ranking.toml")
    assert_one_chinese_sentence(yiwen("check", "--data", "data", cwd=folder), 0, "gen-000002", "完好")
    process = yiwen("check", "gen-000001", "--data", "data", cwd=folder)
    assert_one_chinese_sentence(process, 1, "gen-000001", "resources/weights/ranking.toml", "与校验值不符")


def test_a_take_down_hides_at_once_and_says_how_many(folder: Path) -> None:
    process = yiwen("take-down", URL, "--reason", "侵权", "--data", "data", cwd=folder)
    assert_one_chinese_sentence(process, 0, URL, "有 2 条答案因此隐藏")
    assert searched(folder, "偏头痛")["hits"] == []
    process = yiwen("take-down", "a9", "--reason", "登记在先", "--data", "data", cwd=folder)
    assert_one_chinese_sentence(process, 0, "a9", "没有这个编号或网址的答案")
    process = yiwen("build", "--corpus", "corpus", "--data", "data", cwd=folder)
    assert process.returncode == 0 and "已下架 2 个" in process.stderr


def test_a_take_down_in_a_directory_that_is_none_is_refused(tmp_path: Path) -> None:
    process = yiwen("take-down", "a9", "--reason", "登记在先", "--data", "data", cwd=tmp_path)
    assert_one_chinese_sentence(process, 1, "data", "不存在")
    assert not (tmp_path / "data").exists()


def test_a_take_down_is_undone(folder: Path) -> None:
    yiwen("take-down", "a3", "--reason", "登记错了", "--data", "data", cwd=folder)
    assert searched(folder, "失眠")["total"] == 0
    assert_one_chinese_sentence(yiwen("take-down", "a3", "--undo", "--data", "data", cwd=folder), 0, "已撤销下架：a3")
    assert searched(folder, "失眠")["total"] == 1


def test_a_take_down_may_come_before_there_is_an_index(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    process = yiwen("take-down", "a9", "--reason", "登记在先", "--data", "data", cwd=tmp_path)
    assert_one_chinese_sentence(process, 0, "已登记下架：a9")


def test_extract_prints_a_line_for_each_page_in_path_order_with_all_keys(tmp_path: Path) -> None:
    records = json.dumps(record_of(ANSWERS[0])) + "\n坏行\n"
    pages: dict[str, str | bytes] = {
        "b/1.html": PAGE.encode("gb2312"),
        "a.html": b"\xff\xff\xff",
        "z.txt": "",
        "c.jsonl": records,
        "b.pdf": "x",
    }
    write_files(tmp_path / "pages", pages)
    process = yiwen("extract", "pages", "--json", cwd=tmp_path)
    assert (process.returncode, process.stderr) == (0, "")
    lines = [json.loads(line) for line in process.stdout.splitlines()]
    assert [EXTRACT_KEYS - line.keys() for line in lines] == [set()] * 5
    assert [(line["path"], line["keep"]) for line in lines] == [
        ("a.html", False),
        ("b/1.html", True),
        ("c.jsonl:a1", True),
        ("c.jsonl:2", False),
        ("z.txt", False),
    ]
    assert [line["reason"] is None for line in lines] == [line["keep"] for line in lines]
    bad, page, record, *_ = lines
    assert bad["reason"] == "bad_charset" and "UTF-8" in bad["detail"]
    assert [bad[key] for key in ("text", "headings", "encoding")] == [None, [], None]
    assert (page["name"], page["encoding"], page["title"]) == ("1", "gb18030", "面肌痉挛会自己好吗")
    assert page["text"].splitlines() == [
        "面肌痉挛很少自己好，多数会慢慢加重，从眼皮扩展到嘴角。",
        "症状明显时可以打肉毒素，先到神经内科检查。",
    ]
    assert (record["text"], record["author"], record["url"]) == ("面肌痉挛可以打肉毒素。", "王医生", URL)


def test_extract_takes_files_and_folders_in_the_order_given(tmp_path: Path) -> None:
    write_files(tmp_path, dict.fromkeys(["z.html", "pages/2.HTML", "pages/1.html"], PAGE))
    process = yiwen("extract", "z.html", "pages", cwd=tmp_path)
    assert [json.loads(line)["path"] for line in process.stdout.splitlines()] == ["z.html", "1.html", "2.HTML"]
