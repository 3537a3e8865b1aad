"""What of an answer is turned into vectors: nothing is left out, sentences stay whole, neighbours overlap."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from indexer.meaning.passages import (
    MAX_PASSAGES,
    OVERLAP_CHARS,
    PASSAGE_CHARS,
    QUESTION_CHARS,
    passages_of,
)

TEXT = st.text(st.sampled_from("面肌痉挛可以打针，。！\n 　\0ab"), max_size=2_000)


def test_a_short_answer_is_one_piece_with_its_question() -> None:
    assert passages_of("面肌痉挛怎么治", "可以打肉毒素。\n\n 也可以手术。") == [
        "面肌痉挛怎么治\n可以打肉毒素。\n也可以手术。"
    ]


def test_without_a_question_there_is_the_text_alone_and_never_nothing() -> None:
    assert passages_of("", "可以手术。") == ["可以手术。"]
    assert passages_of("", "") == [""]


def test_pieces_end_with_a_sentence_where_one_ends_near() -> None:
    sentences = [f"第{number:02}句说的是面肌痉挛的一种治法和它的好处坏处。" for number in range(30)]
    pieces = passages_of("", "".join(sentences))
    assert len(pieces) > 3 and all(piece.endswith("。") for piece in pieces)
    assert all(any(sentence in piece for piece in pieces) for sentence in sentences), "each is whole in one"


@given(TEXT)
def test_pieces_hold_all_of_the_text_and_overlap(text: str) -> None:
    whole = "\n".join(filter(None, (" ".join(line.replace("\0", " ").split()) for line in text.splitlines())))
    pieces = passages_of("", text)
    assert all(len(piece) <= PASSAGE_CHARS for piece in pieces)
    assert "\0" not in "".join(pieces)
    at = 0
    for number, piece in enumerate(pieces):
        place = whole.find(piece, max(at - OVERLAP_CHARS - 1, 0))
        assert place >= 0 and (number == 0 or place <= at), "no gap"
        at = place + len(piece)
    assert len(pieces) == MAX_PASSAGES or whole[at:].strip() == ""


def test_what_is_very_long_is_cut_and_a_long_question_too() -> None:
    pieces = passages_of("问" * 500, "字" * 100_000)
    assert len(pieces) == MAX_PASSAGES
    assert all(piece.startswith("问" * QUESTION_CHARS + "\n") for piece in pieces)
