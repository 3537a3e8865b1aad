"""Features: from 0 to 1, open where the question leaves it open, and higher for what agrees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from builders import RESOURCES, make_answer
from hypothesis import given, settings
from hypothesis import strategies as st
from store_builders import impacts_of, plain_analyzer

from indexer import Engine, open_engine
from indexer.analysis.about import About
from indexer.analysis.analyzer import QuestionTerms, load_analyzer
from indexer.ranking.features import FEATURES, Compared, values_of
from indexer.ranking.likeness import MEASURES
from indexer.ranking.ranker import Ranker
from indexer.records import Answer, Kind, QualityFact
from indexer.resources import read_ranking_weights
from indexer.store.answer_facts import ANSWER_FACTS, answer_facts
from indexer.verdicts import Flaw

WEIGHTS = read_ranking_weights(RESOURCES)
NAMES = [feature.name for feature in FEATURES]


def compared(
    question: str, answers: Sequence[tuple[Answer, About]], entity: Sequence[tuple[int, int]] | None = None
) -> Compared:
    """Answers beside a question, alike in all that is not said."""
    n = len(answers)
    rows = b"".join(answer_facts(answer, about) for answer, about in answers)
    return Compared(
        asked=load_analyzer(RESOURCES).question_terms(question),
        parts=np.ones((n, 3)),
        coverage=np.ones(n),
        measures=np.ones((n, len(MEASURES))),
        in_question=np.ones(n),
        entity=np.array(entity or [(0, 1)] * n, np.int64),
        terms_held=np.ones(n),
        facts=np.frombuffer(rows, ANSWER_FACTS),
    )


def of(name: str, seen: Compared) -> list[float]:
    return [round(float(value), 6) for value in values_of(seen)[:, NAMES.index(name)]]


PLAIN = make_answer("a", "面肌痉挛怎么治", "看医生。")
ABOUT = About(("面肌痉挛",), ("治疗",), ())


@pytest.mark.parametrize(
    ("name", "better", "worse"),
    [
        ("entity", (PLAIN, ABOUT), (PLAIN, About(("肠痉挛",), ("治疗",), ()))),
        ("no_other_entity", (PLAIN, ABOUT), (PLAIN, About(("面肌痉挛", "面瘫"), ("治疗",), ()))),
        ("aspect", (PLAIN, ABOUT), (PLAIN, About(("面肌痉挛",), ("病因",), ()))),
        ("only_aspect", (PLAIN, ABOUT), (PLAIN, About(("面肌痉挛",), ("治疗", "病因"), ()))),
        ("no_other_population", (PLAIN, ABOUT), (PLAIN, About(("面肌痉挛",), ("治疗",), ("孕妇",)))),
        *(
            (
                name,
                (PLAIN, ABOUT),
                (make_answer("b", "面肌痉挛怎么治", "看医生。", quality=(QualityFact(flaw, ""),)), ABOUT),
            )
            for name, flaw in (
                ("whole", Flaw.CUT_OFF),
                ("clean", Flaw.MASKED),
                ("clean", Flaw.SPUN),
                ("clean", Flaw.CURE_PROMISE),
                ("original", Flaw.COPY),
                ("original", Flaw.STOCK_ANSWER),
            )
        ),
        (
            "signed",
            (make_answer("b", "", "看。", author="甲", date="2020-01-02"), ABOUT),
            (make_answer("c", "", "看。"), ABOUT),
        ),
        (
            "doctor",
            (make_answer("b", "", "看。", kind=Kind.DOCTOR_ANSWER), ABOUT),
            (make_answer("c", "", "看。", kind=Kind.ARTICLE), ABOUT),
        ),
    ],
)
def test_what_agrees_and_what_is_sound_stands_higher(
    name: str, better: tuple[Answer, About], worse: tuple[Answer, About]
) -> None:
    values = of(name, compared("面肌痉挛怎么治", [better, worse]))
    assert values[0] > values[1]


def test_the_people_that_the_question_names_count() -> None:
    pregnant, child = (About((), (), (people,)) for people in ("孕妇", "小儿"))
    assert of("population", compared("孕妇失眠", [(PLAIN, pregnant), (PLAIN, child)])) == [1.0, 0.0]
    assert of("population", compared("失眠", [(PLAIN, pregnant), (PLAIN, child)])) == [0.5, 0.5]


def test_an_answer_that_only_mentions_the_entity_stands_between() -> None:
    nothing = About((), (), ())
    seen = compared("面肌抽搐怎么治", [(PLAIN, ABOUT), (PLAIN, nothing), (PLAIN, nothing)], [(0, 0), (0, 2), (0, 0)])
    assert of("entity", seen) == [1.0, 0.5, 0.0]


def test_what_the_question_leaves_open_is_open_for_all() -> None:
    seen = compared("咖啡", [(PLAIN, ABOUT), (PLAIN, About((), (), ()))])
    assert of("entity", seen) == of("aspect", seen) == [0.5, 0.5]


def test_equals_in_retrieval_have_one_place_whatever_their_numbers() -> None:
    seen = compared("面肌痉挛", [(PLAIN, ABOUT)] * 3)
    assert of("place", seen) == [1.0, 1.0, 1.0]


written = st.text("失眠头痛药，三叉神经mri", max_size=12)


@settings(max_examples=30)
@given(st.lists(st.tuples(written, written), min_size=1, max_size=5), written)
def test_all_features_are_from_0_to_1(index: list[tuple[str, str]], question: str) -> None:
    asked: QuestionTerms = plain_analyzer().question_terms(question)
    with impacts_of(index, 3) as impacts:
        ranker = Ranker(impacts, WEIGHTS)
        words: Mapping[str, float] = ranker.word_weights(asked.content_words)
        documents, values = ranker.features(asked, words)
    assert values.shape == (len(documents), len(FEATURES))
    assert np.isfinite(values).all()
    assert ((values >= 0) & (values <= 1 + 1e-6)).all()


def test_an_illness_whose_name_only_ends_alike_is_told_apart() -> None:
    answers = [(PLAIN, About((name,), (), ())) for name in ("肠痉挛", "面肌痉挛", "面瘫")]
    assert of("not_confused", compared("面肌痉挛怎么治", answers, [(0, 0), (0, 0), (0, 0)])) == [0.0, 1.0, 1.0]
    assert of("not_confused", compared("面肌痉挛怎么治", answers, [(0, 3), (0, 0), (0, 0)])) == [1.0, 1.0, 1.0]


def test_names_and_labels_are_each_their_own() -> None:
    assert len({feature.name for feature in FEATURES}) == len({feature.label for feature in FEATURES}) == len(FEATURES)


@pytest.fixture(scope="module")
def engine(demonstration: object) -> Engine:
    return open_engine(str(demonstration))


@pytest.mark.parametrize("question", ["小儿痉挛怎么治", "游泳抽筋怎么办", "肠痉挛怎么治"])
def test_another_spasm_is_not_answered_by_the_facial_one(engine: Engine, question: str) -> None:
    first = engine.search(question, limit=1).hits
    assert not first or "面肌痉挛" not in first[0].answer.question
