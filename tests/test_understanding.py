"""Slips of questions to the demonstration corpus: what is read otherwise, what is left alone, and what is offered."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import build_data, make_answer

from indexer import Query, open_engine
from indexer.analysis.lexicon import Lexicon
from indexer.analysis.pinyin import syllables
from indexer.analysis.vocabulary import Word, read_vocabulary
from indexer.engine import Engine
from indexer.opened import open_generation
from indexer.store.generations import folder_of
from indexer.understanding import Understanding


@pytest.fixture(scope="module")
def engine(demonstration: Path) -> Engine:
    return open_engine(demonstration)


@pytest.fixture(scope="module")
def understanding(demonstration: Path, engine: Engine) -> Understanding:
    return open_generation(demonstration, engine.generation).understanding


@pytest.fixture(scope="module")
def names(demonstration: Path, engine: Engine) -> list[Word]:
    """Names of terms that stand in answers, all Chinese."""
    words = list(read_vocabulary(folder_of(demonstration, engine.generation)))
    return [word for word in words if word.is_name and word.answers and len(word.sounds) == len(word.text) > 2]


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("mianjijingluan", "面肌痉挛"),
        ("mianji jingluan zenme zhi", "面肌痉挛怎么治"),
        ("mjjl", "面肌痉挛"),
        ("HPV yimiao", "hpv疫苗"),
        ("面积痉挛怎么治", "面肌痉挛怎么治"),
        ("面肌痉孪", "面肌痉挛"),
        ("糖鸟病吃什么", "糖尿病吃什么"),
        ("湿诊用什么药膏", "湿疹用什么药膏"),
        ("高血丫", "高血压"),
        ("三叉神神经痛", "三叉神经痛"),
        ("甲状线结节", "甲状腺结节"),
    ],
)
def test_slips_are_read_as_what_was_meant(understanding: Understanding, typed: str, read: str) -> None:
    assert understanding.ask(typed).corrected == read


@pytest.mark.parametrize(
    "right",
    [
        "面肌痉挛怎么治",
        "景点",
        "经典",
        "三个月经常头痛",
        "孕妇可以吃螃蟹吗",
        "血压低是怎么回事",
        "CT和核磁哪个好",
        "来月经前胸口胀",
    ],
)
def test_what_is_right_is_left_alone(understanding: Understanding, right: str) -> None:
    assert understanding.ask(right).corrected is None


def swapped(word: Word, chance: random.Random) -> str:
    i = chance.randrange(len(word.text) - 1)
    return word.text[:i] + word.text[i + 1] + word.text[i] + word.text[i + 2 :]


@pytest.mark.parametrize(
    ("slip", "share"),
    [
        (lambda word, chance: "".join(word.sounds), 0.92),
        (lambda word, chance: " ".join(word.sounds), 0.92),
        (swapped, 0.92),
    ],
    ids=["pinyin", "pinyin in pieces", "swapped"],
)
def test_slips_in_terms_are_mended(
    understanding: Understanding, names: list[Word], slip: Callable[[Word, random.Random], str], share: float
) -> None:
    chance = random.Random(7)
    tried = [(slip(word, chance), word.text) for word in chance.sample(names, 100)]
    known = {word.text for word in names}
    tried = [(typed, right) for typed, right in tried if typed not in known]
    mended = 0
    for typed, right in tried:
        asked = understanding.ask(typed)
        same_sound = asked.corrected is not None and syllables(asked.corrected) == syllables(right)
        mended += asked.corrected == right or right in asked.others or (typed.isascii() and same_sound)
    assert mended >= share * len(tried)


def test_what_was_typed_can_be_searched_all_the_same(engine: Engine) -> None:
    read = engine.search("面积痉挛怎么治")
    assert (read.corrected, read.hits[0].answer.question) == ("面肌痉挛怎么治", "面肌痉挛怎么治疗？")
    typed = engine.search(Query("面积痉挛怎么治", as_typed=True))
    assert (typed.corrected, typed.entity) == (None, None)
    assert [hit.answer.id for hit in typed.hits] != [hit.answer.id for hit in read.hits]


@pytest.mark.parametrize(
    "variant",
    ["面肌痙攣怎麼治", "ｍｒｉ　检查前要注意什么", "医生您好，请问面肌痉挛怎么治？谢谢", "面 肌 痉 挛 怎么治"],
)
def test_other_ways_of_writing_find_the_same(engine: Engine, variant: str) -> None:
    plain = "mri检查前要注意什么" if "ｍ" in variant else "面肌痉挛怎么治"
    first = [hit.answer.id for hit in engine.search(plain).hits]
    other = [hit.answer.id for hit in engine.search(variant).hits]
    assert len(set(first) & set(other)) >= 0.95 * len(first)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("面肌", "面肌痉挛"),
        ("mianji", "面肌痉挛"),
        ("面肌jing", "面肌痉挛"),
        ("面肌痉挛", "面肌痉挛怎么治"),
        ("面肌痉挛吃", "面肌痉挛吃什么药"),
        ("tangniaob", "糖尿病"),
        ("面积痉挛", "面肌痉挛"),
        ("痉挛", "面肌痉挛"),
    ],
)
def test_what_a_question_may_become_is_offered(engine: Engine, typed: str, offered: str) -> None:
    found = [suggestion.text for suggestion in engine.suggest(typed)]
    assert offered in found
    assert typed not in found and len(found) == len(set(found)) <= 8


@pytest.mark.parametrize("typed", ["", " ", "？", "zzzzqq", "🙂"])
def test_nothing_is_offered_for_nothing(engine: Engine, typed: str) -> None:
    assert engine.suggest(typed) == []


def test_a_term_that_stands_nowhere_finds_what_is_near_it(engine: Engine, understanding: Understanding) -> None:
    asked = understanding.ask("全秃")
    assert "斑秃" in asked.terms.terms.words or engine.search("全秃").total


def test_what_stands_letter_for_letter_as_typed_comes_before_what_was_read_instead(tmp_path: Path) -> None:
    answers = [make_answer(f"a{n}", f"面肌痉挛的第{n}问", f"面肌痉挛第{n}条，打针能管几个月。") for n in range(30)]
    slip = make_answer("slip", "左脸老跳是不是病", "有人写作面积痉挛，其实是面部的肌肉在抽。")
    engine = open_engine(build_data(tmp_path, [*answers, slip]))
    result = engine.search("面积痉挛")
    assert result.corrected == "面肌痉挛"
    assert result.hits[0].answer.id == "slip"
    assert {hit.answer.id for hit in result.hits[1:]} <= {answer.id for answer in answers}
    assert result.total == 31


def test_a_narrower_or_related_term_does_not_come_before_the_one_asked_for(engine: Engine) -> None:
    lexicon = lexicon_of(engine)
    wrong = []
    for name in ("面瘫", "乙型肝炎", "糖尿病", "高血压", "湿疹", "心肌梗死", "脑卒中", "肺炎", "贫血", "哮喘"):
        term = lexicon.term_of(name)
        assert term is not None
        words = [lexicon.normal(word) for word in (term.name, *term.same)]
        first = [f"{hit.answer.question}\n{hit.answer.text}" for hit in engine.search(name, limit=10).hits]
        if not all(any(word in lexicon.normal(text) for word in words) for text in first):
            wrong.append(name)
    assert wrong == []


def lexicon_of(engine: Engine) -> Lexicon:
    return engine._generation().understanding.lexicon
