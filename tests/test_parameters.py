"""Parameters of addresses: what is read is within what is declared, and whatever is written, it is read or refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from indexer.errors import BadQuery
from webapp.operations import ASPECT, EXACT, LIMIT, OPERATIONS, PAGE, QUESTION, SITE, SUGGESTION_LIMIT, TYPED
from webapp.parameters import BadParameter, Number, Parameter, Text, read_strictly, without_controls

ALL: list[Parameter[Any]] = [QUESTION, LIMIT, PAGE, SITE, ASPECT, EXACT, TYPED, SUGGESTION_LIMIT]
NUMBERS = [LIMIT, PAGE, SUGGESTION_LIMIT]

#: what people and programs write where a word or a number belongs
WRITTEN = st.one_of(
    st.text(max_size=300),
    st.integers().map(str),
    st.from_regex(r"[ +-]?[0-9٠-٩０-９]{0,12}(\.[0-9]*)?(e[0-9]+)?[ \x00]?", fullmatch=True),
    st.sampled_from(["0", "1", "true", "on", "治疗", " 治疗\n", "null", "None", "NaN", "0x1", "1_0", "²", "½", "一"]),
)


def read_or_refused(read: Callable[[], Any]) -> tuple[Any, str | None]:
    """What is read and no refusal, or the sentence that refuses."""
    try:
        return read(), None
    except (BadParameter, BadQuery) as error:
        return None, str(error)


@given(st.sampled_from(ALL), WRITTEN)
def test_what_is_written_is_read_within_the_bounds_or_refused(parameter: Parameter[Any], written: str) -> None:
    value, refusal = read_or_refused(lambda: parameter.read({parameter.name: written}))
    if refusal is not None:
        assert refusal.endswith("。") and len(refusal) < 200
        assert written
        return
    if not (without_controls(written) if isinstance(parameter, Text) else written):
        assert value == parameter.default
        return
    schema = parameter.schema()
    if schema["type"] == "integer":
        assert int(value) in schema.get("enum", range(schema.get("minimum", 0), schema.get("maximum", 10**9) + 1))
        assert written.lstrip("0") == (str(int(value)) if value else "")
    else:
        assert value == without_controls(written)
        assert value in schema.get("enum", [value])
        assert len(value) <= schema.get("maxLength", len(value))


@given(st.sampled_from(NUMBERS), st.integers(-5, 2000))
def test_exactly_the_numbers_of_the_schema_are_accepted(number: Number, value: int) -> None:
    schema = number.schema()
    if schema["minimum"] <= value <= schema["maximum"]:
        assert number.read({number.name: str(value)}) == value
    else:
        with pytest.raises(BadParameter):
            number.read({number.name: str(value)})


@pytest.mark.parametrize(
    "written", ["²", "１", "٣", "+1", "-1", "1.0", "1e1", "0x1", "1_0", " 1", "\x15", "一", "0", "9" * 400]
)
def test_what_only_looks_like_a_counting_number_is_refused(written: str) -> None:
    with pytest.raises(BadParameter, match="整数"):
        PAGE.read({"page": written})


@given(st.text(max_size=600))
def test_a_site_is_as_long_as_its_bound_says(site: str) -> None:
    if len(without_controls(site)) > 253:
        with pytest.raises(BadParameter, match="253"):
            SITE.read({"site": site})
    else:
        assert SITE.read({"site": site}) == without_controls(site)


@given(st.lists(st.tuples(st.sampled_from(["q", "limit", "Q", "page", "x", ""]), WRITTEN), max_size=6))
def test_programs_get_every_value_or_a_sentence(written: list[tuple[str, str]]) -> None:
    args = MultiDict(written)
    values, refusal = read_or_refused(lambda: read_strictly([QUESTION, LIMIT, PAGE], args))
    names = [name for name, _ in written]
    if refusal is not None:
        assert re.search("[\u4e00-\u9fff]", refusal)
        return
    assert set(names) <= set(values) and len(set(names)) == len(names)
    assert values["q"] and all(
        values[name] == parameter.read(args) for name, parameter in (("limit", LIMIT), ("page", PAGE))
    )


@given(st.text())
def test_controls_become_blanks_and_nothing_else_changes(text: str) -> None:
    cleaned = without_controls(text)
    assert not any(char < " " or "\x7f" <= char <= "\x9f" for char in cleaned)
    assert without_controls(cleaned) == cleaned == cleaned.strip()
    assert [c for c in cleaned if not c.isspace()] == [c for c in text if not c.isspace() and without_controls(c)]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_a_declaration_says_what_it_does(operation: Any) -> None:
    for parameter in operation.parameters:
        assert parameter.read({}) == parameter.default
        assert parameter.read({parameter.name: parameter.example}) is not None
        assert parameter.description.endswith("。") and parameter.bounds
    assert len({parameter.name for parameter in operation.parameters}) == len(operation.parameters)
