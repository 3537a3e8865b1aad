"""A site's own terms, words of questions and urgency rules, as texts that are changed and read."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import pytest
from builders import RESOURCES
from hypothesis import given, settings
from hypothesis import strategies as st
from store_builders import small_resources

from indexer.analysis.lexicon import KINDS, REMOVED, Term, make_lexicon, parse_terms, read_lexicon
from indexer.analysis.own_terms import (
    TermDesk,
    add_list,
    add_synonym,
    line_of,
    objections,
    open_terms,
    remove_term,
    restore_term,
    set_term,
    split_words,
)
from indexer.analysis.own_words import change_words, word_lists
from indexer.analysis.question import load_question_rules
from indexer.answer.own_rules import (
    OwnRules,
    RuleText,
    known_rules,
    own_rules_text,
    parse_own_rules,
    set_rule,
    switch_rule,
    urgent_sentences,
    weakened_rules,
)
from indexer.answer.urgency import load_urgency
from indexer.errors import ResourceError

WORDS = st.text(st.sampled_from("甲乙丙丁戊己庚辛"), min_size=2, max_size=4)
SHIPPED = {
    "头痛": (Term("头痛", "symptom", ("头疼", "脑袋疼")), "lexicon/symptoms.tsv"),
    "咳嗽": (Term("咳嗽", "symptom", ("干咳",)), "lexicon/symptoms.tsv"),
}
EMPTY = TermDesk(SHIPPED, "", {})
RULE = RuleText("own-rule", "emergency", "标题", "怎么做", "依据", signs=("玻璃粉 & 眼睛",), phones=("120",))


@lru_cache(maxsize=1)
def resources() -> Path:
    return small_resources()


def with_own(folder: Path, path: str, text: str) -> Path:
    """The small resources with one more file."""
    there = folder / "resources"
    shutil.copytree(resources(), there, dirs_exist_ok=True)
    (there / path).write_text(text, encoding="utf-8")
    return there


def test_own_terms_replace_add_and_take_away(tmp_path: Path) -> None:
    text = "# 备注\n头痛\tsymptom\t脑阔痛\n呱啦麻麻症\tdisease\n腰椎\tremoved\n没有的词条\tremoved\n"
    lexicon = read_lexicon(with_own(tmp_path, "lexicon/own.tsv", text))
    assert lexicon.names["脑阔痛"] == "头痛" and "脑袋疼" not in lexicon.names
    assert lexicon.names["呱啦麻麻症"] == "呱啦麻麻症"
    assert "腰椎" not in lexicon.names and "没有的词条" not in lexicon.names
    with pytest.raises(ResourceError, match="removed"):
        read_lexicon(with_own(tmp_path, "lexicon/other.tsv", "头晕\tremoved\n"))


def test_what_comes_back_to_the_shipped_term_leaves_nothing_behind() -> None:
    added = add_synonym(EMPTY, "头疼", "脑壳疼")
    assert parse_terms(Path("own.tsv"), added) == [Term("头痛", "symptom", ("头疼", "脑袋疼", "脑壳疼"))]
    desk = replace(EMPTY, text=f"# 备注\n{added}")
    assert set_term(desk, SHIPPED["头痛"][0]) == restore_term(desk, "头痛") == "# 备注\n"
    gone = replace(EMPTY, text=remove_term(EMPTY, "干咳"))
    assert gone.own["咳嗽"].kind == REMOVED and "干咳" not in gone.names
    found = gone.find("咳嗽")
    assert found is not None and found.is_removed
    with pytest.raises(ResourceError, match="没有“咳嗽”"):
        remove_term(gone, "咳嗽")
    with pytest.raises(ResourceError, match="没有改过"):
        restore_term(EMPTY, "头痛")


def test_a_taken_word_is_moved_or_merged_only_when_asked() -> None:
    with pytest.raises(ResourceError, match=r"“干咳”已是词条“咳嗽”的同义词（症状，lexicon/symptoms\.tsv）"):
        add_synonym(EMPTY, "头痛", "干咳")
    moved = replace(EMPTY, text=add_synonym(EMPTY, "头痛", "干咳", take_over=True))
    assert moved.names["干咳"] == "头痛" and moved.names["咳嗽"] == "咳嗽"
    merged = replace(EMPTY, text=add_synonym(EMPTY, "头痛", "咳嗽", take_over=True))
    assert merged.names["咳嗽"] == merged.names["干咳"] == "头痛" and "咳嗽" not in merged.terms


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(WORDS, st.sampled_from(KINDS), st.lists(WORDS, max_size=3), st.booleans(), st.booleans()), max_size=8
    )
)
def test_whatever_is_set_the_terms_stay_a_lexicon(edits: list[tuple[str, str, list[str], bool, bool]]) -> None:
    """No word belongs to two terms after any sequence of changes, and the text says what the changes did."""
    desk = EMPTY
    for name, kind, same, take_over, remove in edits:
        term = Term(name, kind, tuple(dict.fromkeys(word for word in same if word != name)))
        try:
            text = remove_term(desk, name) if remove else set_term(desk, term, take_over)
        except ResourceError:
            continue
        desk = replace(desk, text=text)
        if not remove:
            assert desk.names[name] == name
            assert all(desk.names[word] == name for word in same)
    made = make_lexicon(desk.terms.values())
    assert dict(made.names) == desk.names
    assert [line_of(term) for term in desk.own.values()] == desk.text.splitlines()


@given(st.lists(WORDS, unique=True), st.sampled_from(["、", "，", ",", " ", "\n", "\r\n", "；"]))
def test_words_are_parted_however_people_part_them(words: list[str], mark: str) -> None:
    assert split_words(mark.join(words)) == tuple(words)


def test_a_list_adds_what_is_new() -> None:
    terms = [Term("新词一", same=("头疼", "新词二")), Term("头痛"), Term("新词一"), Term("新药", "drug")]
    text, added, known = add_list(EMPTY, terms, "disease")
    assert added == [Term("新词一", "disease", ("新词二",)), Term("新药", "drug")] and known == ["头痛", "新词一"]
    assert parse_terms(Path("own.tsv"), text) == added
    with pytest.raises(ResourceError, match="没有可添加的"):
        add_list(EMPTY, [Term("头痛")], "disease")


def test_own_words_of_questions_are_laid_over_the_shipped_ones(tmp_path: Path) -> None:
    before = load_question_rules(resources())
    text = change_words(resources(), None, "asking", "咋弄", add=True)
    text = change_words(resources(), text, "particles", "吗", add=False)
    text = change_words(resources(), text, "population.小儿", "崽(崽", add=True)  # a word, never a pattern
    text = change_words(resources(), text, "duration", "一宿", add=True)
    rules = load_question_rules(with_own(tmp_path, "lexicon/own_questions.toml", text))
    assert "咋弄" in rules.asking - before.asking and rules.asking_pattern.search("这咋弄")
    assert before.particles - rules.particles == {"吗"}
    assert rules.populations["小儿"].search("我家崽(崽") and rules.duration.search("疼了一宿")
    assert not before.populations["小儿"].search("我家崽(崽")
    back = change_words(resources(), text, "particles", "吗", add=True)
    assert next(one for one in word_lists(resources(), back) if one.name == "particles").own.remove == ()
    for wrong in ('[nothing]\nadd = ["词"]', '[asking]\nadds = ["词"]', '[asking]\nadd = "词"', "asking = 1", "["):
        with pytest.raises(ResourceError, match="own_questions"):
            load_question_rules(with_own(tmp_path, "lexicon/own_questions.toml", wrong))


@given(st.builds(replace, st.just(RULE), title=st.text(min_size=1), examples=st.lists(st.text(min_size=1)).map(tuple)))
def test_own_rules_are_read_back_as_they_were_written(rule: RuleText) -> None:
    own = OwnRules({"甲": ["乙", '"']}, {rule.id: rule}, {"stroke": '引号"和\\反斜杠\x7f'})
    assert parse_own_rules(own_rules_text(own)) == own


def test_rules_are_added_reworded_and_switched_off(tmp_path: Path) -> None:
    known = known_rules(resources(), None)
    stroke = known["stroke"]
    text = set_rule(None, RULE, None)
    text = set_rule(text, replace(stroke.rule, title="本站的标题"), stroke.shipped)
    text = switch_rule(text, "burns", known, "试")
    urgency = load_urgency(with_own(tmp_path, "urgency/own.toml", text))
    cards = {rule.card.id: rule.card for rule in urgency.rules}
    assert cards["own-rule"].phones == ("120",) and cards["stroke"].title == "本站的标题" and "burns" not in cards
    assert urgency.card("我妈突然嘴歪了，右手抬不起来，说话含糊") == cards["stroke"]
    assert weakened_rules(load_urgency(resources()), urgency) == ["burns"]
    assert set_rule(text, stroke.rule, stroke.shipped) == switch_rule(set_rule(None, RULE, None), "burns", known, "试")
    fewer = set_rule(None, replace(stroke.rule, signs=stroke.rule.signs[1:]), stroke.shipped)
    weaker = load_urgency(with_own(tmp_path, "urgency/own.toml", fewer))
    assert weakened_rules(load_urgency(resources()), weaker) == ["stroke"]


def test_the_urgent_sentences_get_an_emergency_card() -> None:
    urgency = load_urgency(RESOURCES)
    sentences = urgent_sentences(RESOURCES)
    levels = [card.level if (card := urgency.card(sentence)) else None for sentence in sentences]
    assert set(levels) == {"emergency"}
    covered = {card.id for sentence in sentences if (card := urgency.card(sentence))}
    assert covered == {rule.card.id for rule in urgency.rules if rule.card.level == "emergency"}


def test_every_shipped_term_may_be_edited_as_it_is() -> None:
    desk = open_terms(RESOURCES, None)
    assert [told for term in desk.terms.values() for told in objections(desk, term)] == []
