"""Questions to results: search cases kept as data, paging, folding, and which generation answers."""

from __future__ import annotations

import json
import math
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from builders import build_data, built, make_answer, write_corpus
from hypothesis import given, settings
from hypothesis import strategies as st
from store_builders import PATIENCE_SECONDS, spasm_answers

from indexer import Engine, Query, build_generation, open_engine, switch_to
from indexer.errors import BadQuery, GenerationDamaged, GenerationMissing
from indexer.records import SearchResult
from indexer.store.generations import list_generations, open_manifest, roll_back

CASES = Path(__file__).parent / "cases" / "search"
#: what a search may say: comment, query, site, and what must come of it
CASE_KEYS = {"comment", "query", "site", "first", "all", "absent", "total", "copies"}
MANY = 23
RESULT_KEYS = {"query", "corrected", "aspects", "entity", "generation", "total", "partial", "answer", "urgency", "hits"}
HIT_KEYS = {"rank", "id", "score", "kind", "question", "answer", "snippet", "author", "date", "url", "site"}


def searches() -> Iterator[Any]:
    for file in sorted(CASES.glob("*/searches.json")):
        for search in json.loads(file.read_text(encoding="utf-8")):
            yield pytest.param(file.parent, search, id=f"{file.parent.name}: {search['query']}: {search['comment']}")


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Engine]:
    """An engine for each case, made when it is first asked for."""
    folder = tmp_path_factory.mktemp("cases")
    made = {}
    for case in CASES.iterdir():
        build_generation(case, folder / case.name)
        made[case.name] = open_engine(folder / case.name)
    return made


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """An engine over many answers that all hold 面肌痉挛, and one that does not."""
    answers = [*spasm_answers(MANY), make_answer("other", "失眠怎么办", "睡前不要看手机，定时起床。")]
    return open_engine(build_data(tmp_path_factory.mktemp("many"), answers))


def found(result: SearchResult) -> list[str]:
    return [hit.answer.id for hit in result.hits]


@pytest.mark.parametrize(("case", "search"), list(searches()))
def test_search_case(engines: dict[str, Engine], case: Path, search: dict[str, Any]) -> None:
    assert search.keys() <= CASE_KEYS and len(search.keys() - {"comment", "query", "site"}) >= 1
    result = engines[case.name].search(Query(search["query"], limit=100, site=search.get("site")))
    ids = found(result)
    known = {json.loads(line)["id"] for line in (case / "answers.jsonl").read_text(encoding="utf-8").splitlines()}
    expected = {*search.get("all", []), *search.get("absent", []), *search.get("copies", {}), search.get("first")}
    assert expected <= known | {None}, "a search case names an answer that its folder does not have"
    assert "first" not in search or ids[:1] == [search["first"]]
    assert "all" not in search or sorted(ids) == sorted(search["all"])
    assert not set(ids) & set(search.get("absent", []))
    assert result.total == search.get("total", result.total) == len(ids)
    assert search.get("copies", {}).items() <= {hit.answer.id: hit.copies for hit in result.hits}.items()


def test_a_result_has_the_keys_that_others_rely_on(many: Engine) -> None:
    result = many.search("面肌痉挛怎么治", limit=3).as_dict()
    assert result.keys() >= RESULT_KEYS
    assert all(hit.keys() >= HIT_KEYS for hit in result["hits"]) and len(result["hits"]) == 3
    assert (result["query"], result["total"], result["partial"]) == ("面肌痉挛怎么治", MANY, False)
    assert result["generation"] == "gen-000001"
    assert json.loads(json.dumps(result)) == result


def test_a_hit_tells_all_that_is_known_of_its_answer(engines: dict[str, Engine]) -> None:
    [hit] = engines["questions-without-answers"].search("过敏性鼻炎", limit=1).as_dict()["hits"]
    assert {key: hit[key] for key in HIT_KEYS - {"score", "snippet"}} == {
        "rank": 1,
        "id": "两样都有",
        "kind": "article",
        "question": "过敏性鼻炎怎么治",
        "answer": "避开过敏原，坚持用鼻用激素，必要时做脱敏治疗。",
        "author": "李医生",
        "date": "2018-04-05",
        "url": "https://bi.example.com/1",
        "site": "bi.example.com",
    }
    assert hit["snippet"] and hit["snippet"] in hit["answer"] and hit["score"] > 0


def test_ranks_count_from_one_and_scores_never_rise(many: Engine) -> None:
    hits = many.search("面肌痉挛跳到嘴角", limit=100).hits
    assert [hit.rank for hit in hits] == list(range(1, MANY + 1))
    assert all(before.score >= after.score for before, after in pairwise(hits))
    assert all(math.isfinite(hit.score) and hit.score > 0 for hit in hits)


@pytest.mark.parametrize("limit", [1, 4, MANY - 1, MANY, MANY + 1])
def test_pages_together_show_every_result_once_in_order(many: Engine, limit: int) -> None:
    whole = many.search(Query("面肌痉挛", limit=100))
    pages = [many.search(Query("面肌痉挛", limit, page)) for page in range(1, MANY // limit + 3)]
    assert [hit for page in pages for hit in page.hits] == list(whole.hits)
    assert {page.total for page in pages} == {MANY}
    assert all(len(page.hits) <= limit for page in pages) and pages[-1].hits == ()


def test_the_limit_is_how_many_are_shown_not_how_many_there_are(many: Engine) -> None:
    assert [len(many.search("面肌痉挛", limit=limit).hits) for limit in (1, 5)] == [1, 5]
    assert len(many.search("面肌痉挛").hits) == 10
    assert many.search("面肌痉挛", limit=1).total == MANY


@pytest.mark.parametrize("text", ["", " ", "\u3000\n\t", "？！。，", "…—·", "（）《》", "\u200b\ufeff"])
def test_a_question_without_a_word_is_a_sentence_that_shows_one(many: Engine, text: str) -> None:
    with pytest.raises(BadQuery, match="没有可以检索的文字；请写上疾病或症状的名称，例如"):
        many.search(text)


@pytest.mark.parametrize("text", ["怎么办", "请问医生这是怎么回事啊", "的"])
def test_a_question_about_nothing_is_asked_back(many: Engine, text: str) -> None:
    with pytest.raises(BadQuery, match="没有说是哪种病"):
        many.search(text)


@given(st.text(max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_question_is_answered_or_refused_in_words(many: Engine, text: str) -> None:
    refusal = None
    try:
        result = many.search(text, limit=100)
    except BadQuery as error:
        refusal = str(error)
    if refusal is not None:
        assert "请写上疾病或症状的名称" in refusal
        return
    assert result.query.text == text
    assert result.total == len(result.hits) == len(set(found(result)))


def test_what_exceeds_the_longest_question_is_not_searched(many: Engine) -> None:
    assert many.search("失眠" + "面肌痉挛" * 100).hits[0].rank == 1
    assert found(many.search("，" * 198 + "失眠" + "面肌痉挛" * 50)) == ["other"]
    with pytest.raises(BadQuery):
        many.search("，" * 200 + "面肌痉挛")


def test_a_site_is_asked_for_by_its_exact_name(tmp_path: Path) -> None:
    answers = [replace(answer, site=("甲站", "甲站分站", None)[n % 3]) for n, answer in enumerate(spasm_answers(9))]
    engine = open_engine(build_data(tmp_path, answers))
    for site in ("甲站", "甲站分站"):
        result = engine.search(Query("面肌痉挛", site=site))
        assert set(found(result)) == {answer.id for answer in answers if answer.site == site}
        assert result.total == 3
    assert engine.search(Query("面肌痉挛", site="甲")).total == 0
    assert engine.search(Query("面肌痉挛", site=None)).total == 9


def test_copies_are_counted_and_left_out_of_the_total_and_the_pages(tmp_path: Path) -> None:
    texts = ["面肌痉挛打针。", "面肌痉挛手术。", "面肌痉挛打针。", "面肌痉挛打针。", "面肌痉挛手术。", "面肌痉挛吃药。"]
    answers = [make_answer(f"a{number}", text=text) for number, text in enumerate(texts)]
    engine = open_engine(build_data(tmp_path, answers))
    result = engine.search("面肌痉挛")
    assert {(hit.answer.text, hit.copies) for hit in result.hits} == {(text, texts.count(text) - 1) for text in texts}
    assert result.total == len(result.hits) == 3
    assert [hit["copies"] for hit in result.as_dict()["hits"]] == [hit.copies for hit in result.hits]
    second = engine.search(Query("面肌痉挛", limit=1, page=2))
    assert second.hits == result.hits[1:2] and second.total == 3


def test_retrieval_for_evaluation_folds_nothing_and_has_no_threshold(tmp_path: Path) -> None:
    answers = [make_answer(f"a{number}", text="面肌痉挛打针。") for number in range(3)]
    engine = open_engine(build_data(tmp_path, [*answers, make_answer("other", text="失眠怎么治")]))
    ranking = engine.retrieve("面肌痉挛怎么治", 1000)
    assert sorted(id for id, _ in ranking) == ["a0", "a1", "a2", "other"]
    assert [score for _, score in ranking] == sorted((score for _, score in ranking), reverse=True)
    assert len(engine.retrieve("面肌痉挛怎么治", 2)) == 2


def test_an_answer_is_given_by_its_id(many: Engine) -> None:
    answer = many.answer("s3")
    assert answer is not None and answer.text == spasm_answers(4)[3].text
    assert many.answer("s") is None and many.answer("") is None


def test_many_threads_get_the_answers_that_one_gets(many: Engine) -> None:
    questions = [f"面肌痉挛跳到{place}" for place in ("眼皮", "嘴角", "脸颊", "下巴", "额头", "鼻翼")] * 4
    expected = [found(many.search(question, limit=100)) for question in questions]
    fresh = open_engine(many._data)
    together = threading.Barrier(6)

    def ask(number: int) -> list[str]:
        if number < 6:
            together.wait(PATIENCE_SECONDS)
        return found(fresh.search(questions[number], limit=100))

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(ask, range(len(questions)))) == expected


def two_generations(folder: Path) -> Path:
    """The first of three answers, the second, served, of four."""
    build_data(folder, spasm_answers(3))
    return build_data(folder, spasm_answers(4))


def test_an_open_engine_follows_each_switch(tmp_path: Path) -> None:
    data = two_generations(tmp_path)
    engine = open_engine(data)
    seen = [(engine.generation, engine.search("面肌痉挛").total)]
    for name in ("gen-000001", "gen-000002"):
        switch_to(data, name)
        result = engine.search("面肌痉挛")
        seen.append((result.generation, result.total))
    built(tmp_path, spasm_answers(5))
    seen.append((engine.generation, engine.search("面肌痉挛").total))
    assert seen == [("gen-000002", 4), ("gen-000001", 3), ("gen-000002", 4), ("gen-000003", 5)]
    assert engine.problems == ()


def test_a_damaged_generation_is_passed_over_for_the_one_before_and_said_so(tmp_path: Path) -> None:
    data = two_generations(tmp_path)
    (data / "generations" / "gen-000002" / "pages.jsonl").unlink()
    engine = open_engine(data)
    assert (engine.generation, engine.search("面肌痉挛").total) == ("gen-000001", 3)
    [problem] = engine.problems
    assert "gen-000002" in problem and "pages.jsonl" in problem and "yiwen" in problem
    built(tmp_path, spasm_answers(5))
    assert (engine.generation, engine.problems) == ("gen-000003", ())


def test_a_generation_that_is_gone_is_passed_over_too(tmp_path: Path) -> None:
    data = two_generations(tmp_path)
    shutil.rmtree(data / "generations" / "gen-000002")
    engine = open_engine(data)
    assert engine.generation == "gen-000001"
    assert [("gen-000002" in problem) for problem in engine.problems] == [True]


@pytest.mark.parametrize("file", ["*.toc", "*.trm"])
def test_an_index_that_cannot_be_read_is_passed_over_though_its_size_is_right(tmp_path: Path, file: str) -> None:
    data = two_generations(tmp_path)
    [damaged] = (data / "generations" / "gen-000002" / "whoosh").glob(file)
    damaged.write_bytes(b"\xff" * damaged.stat().st_size)
    engine = open_engine(data)
    assert (engine.generation, engine.search("面肌痉挛").total) == ("gen-000001", 3)
    assert ["gen-000002" in problem and "whoosh/" in problem for problem in engine.problems] == [True]


@pytest.mark.parametrize("content", ["gen-000009\n", "", None])
def test_an_open_engine_goes_on_when_current_names_nothing_and_says_so(tmp_path: Path, content: str | None) -> None:
    data = two_generations(tmp_path)
    switch_to(data, "gen-000001")
    engine = open_engine(data)
    (data / "CURRENT").unlink()
    if content is not None:
        (data / "CURRENT").write_text(content)
    assert (engine.generation, engine.search("面肌痉挛").total) == ("gen-000001", 3)
    assert ["CURRENT" in problem or "gen-000009" in problem for problem in engine.problems] == [True]
    switch_to(data, "gen-000002")
    assert (engine.generation, engine.problems) == ("gen-000002", ())


def test_with_no_whole_generation_the_first_fault_is_the_error(tmp_path: Path) -> None:
    data = two_generations(tmp_path)
    for name, file in (("gen-000001", "pages.jsonl"), ("gen-000002", "manifest.json")):
        (data / "generations" / name / file).unlink()
    with pytest.raises(GenerationDamaged, match=r"gen-000002 的文件 manifest\.json 缺失"):
        open_engine(data)


def test_a_newer_generation_is_never_a_substitute(tmp_path: Path) -> None:
    data = two_generations(tmp_path)
    switch_to(data, "gen-000001")
    (data / "generations" / "gen-000001" / "pages.jsonl").unlink()
    with pytest.raises(GenerationDamaged, match="gen-000001"):
        open_engine(data)


def test_a_data_directory_without_an_index_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(GenerationMissing, match=f"yiwen build --corpus 语料目录 --data {tmp_path}"):
        open_engine(tmp_path)
    write_corpus(tmp_path / "corpus", spasm_answers(1))
    build_generation(tmp_path / "corpus", tmp_path)
    assert open_engine(str(tmp_path)).generation == "gen-000001"


def test_what_the_gate_refused_is_no_substitute(tmp_path: Path) -> None:
    answers = [make_answer(f"a{number}", "面肌痉挛", f"面肌痉挛第{number}种说法。") for number in range(10)]
    for some in (answers, answers[:1], answers):
        data = build_data(tmp_path, some)
    assert [bool(open_manifest(data, name).objections) for name in list_generations(data)] == [False, True, False]
    (data / "generations" / "gen-000003" / "pages.jsonl").unlink()
    assert open_engine(data).generation == "gen-000001"
    assert roll_back(data).generation == "gen-000001"


def test_equal_texts_stand_apart_when_nothing_is_to_be_folded(tmp_path: Path) -> None:
    twins = [make_answer("a1", "面肌痉挛", "打针有用。"), make_answer("a2", "面肌痉挛吗", "打针有用。")]
    engine = open_engine(build_data(tmp_path, twins))
    assert [hit.copies for hit in engine.search(Query("面肌痉挛")).hits] == [1]
    assert [hit.copies for hit in engine.search(Query("面肌痉挛", fold=False)).hits] == [0, 0]


@pytest.mark.parametrize("query", [Query("面肌痉挛", limit=0), Query("面肌痉挛", limit=-2), Query("面肌痉挛", page=0)])
def test_a_page_that_cannot_be_is_refused(many: Engine, query: Query) -> None:
    with pytest.raises(BadQuery, match="大于 0"):
        many.search(query)
