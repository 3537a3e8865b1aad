"""Names and passwords of users: one spelling, what is refused, and hashes that cost the same for everybody."""

from __future__ import annotations

import unicodedata

import pytest
from argon2 import PasswordHasher
from argon2.profiles import RFC_9106_LOW_MEMORY
from hypothesis import assume, given
from hypothesis import strategies as st

from webapp import passwords
from webapp.passwords import (
    MAX_NAME_CHARS,
    MAX_PASSWORD_CHARS,
    BadCredential,
    attempted_name,
    check_password,
    hash_password,
    is_password,
    needs_rehash,
    normal_name,
)

NAMES = st.text(st.sampled_from("abzABZ019._-张三ａＢ９Ｋ㈱豈\u212a ﬁß"), min_size=1, max_size=12) | st.text(
    max_size=10
)


@given(NAMES)
def test_a_name_has_one_spelling(name: str) -> None:
    try:
        normal = normal_name(name)
    except BadCredential:
        assume(False)
        return
    assert normal_name(normal) == normal == attempted_name(name)
    for other in (name.upper(), name.lower(), unicodedata.normalize("NFKD", name), f" {name} "):
        assert attempted_name(other) == normal
    assert 2 <= len(normal) <= MAX_NAME_CHARS
    assert not set(normal) & set("/\\ \t\n=+@<>\"'&%")
    assert normal[0] not in "-._"


@pytest.mark.parametrize(("typed", "name"), [("Ａdmin", "admin"), (" 张三 ", "张三"), ("Li.Si-2", "li.si-2")])
def test_width_and_case_do_not_matter(typed: str, name: str) -> None:
    assert normal_name(typed) == name


@pytest.mark.parametrize(
    "name", ["", "a", "x" * 33, "-rf", ".a", "a b", "a/b", "аdmin", "a\u200bb", "admin\n", "张三😀", "é1"]
)
def test_names_that_could_be_taken_for_something_else_are_refused(name: str) -> None:
    if name.strip() != name:
        assert normal_name(name) == name.strip()  # a line end that was pasted along
        return
    with pytest.raises(BadCredential, match="用户名"):
        normal_name(name)


@pytest.mark.parametrize(
    "password",
    [
        "123456789",
        "1234567890",
        "0987654321",
        "aaaaaaaaaaaa",
        "abababababab",
        "abc123abc123abc123",
        "password123!",
        "Ｐassword2024",
        "qwertyuiop",
        "1qaz2wsx3edc",
        "abcdefghijkl",
        "zhangsan88",
        "ZhangSan2024",
        "iloveyouforever",
        "woaini5201314",
        "admin@2024!!",
    ],
)
def test_what_is_tried_first_is_refused(password: str) -> None:
    with pytest.raises(BadCredential):
        check_password(password, "zhangsan")


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "蓝色的茶壶会唱歌吗今天",
        "tulip-7-mortar",
        "xkqvbwztpl",
        "8301947462",
        "zhangsan likes tea a lot",
    ],
)
def test_long_ones_of_any_kind_are_taken(password: str) -> None:
    check_password(password, "zhangsan")


def test_length_is_counted_in_characters_as_they_are_kept() -> None:
    check_password("茶壶蓝色唱歌今天会吗", "zhangsan")
    with pytest.raises(BadCredential, match="太短"):
        check_password("茶壶蓝色唱歌今天会", "zhangsan")
    with pytest.raises(BadCredential, match="太长"):
        check_password("茶壶" * MAX_PASSWORD_CHARS, "zhangsan")


def test_hashes_are_argon2id_with_todays_parameters_and_a_salt_each() -> None:
    one, other = hash_password("correct horse battery"), hash_password("correct horse battery")
    profile = RFC_9106_LOW_MEMORY
    numbers = f"m={profile.memory_cost},t={profile.time_cost},p={profile.parallelism}"
    assert one != other and one.startswith(f"$argon2id$v=19${numbers}$")
    assert is_password("correct horse battery", one) and is_password("correct horse battery", other)
    assert is_password("ｃorrect horse battery", one)  # the same keys with another input method
    assert not is_password("correct horse batterz", one) and not is_password("", one)
    assert not needs_rehash(one)
    assert needs_rehash(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("x"))


def test_for_nobody_the_same_work_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[str] = []
    hasher = PasswordHasher(time_cost=2, memory_cost=64, parallelism=1)

    class Watched:
        """Notes which hashes are worked on."""

        def __getattr__(self, name: str) -> object:
            return getattr(hasher, name)

        def verify(self, hashed: str, password: str) -> bool:
            verified.append(hashed)
            return hasher.verify(hashed, password)

    monkeypatch.setattr(passwords, "_hasher", Watched())
    real = hash_password("correct horse battery")
    assert not is_password("correct horse batterz", real)
    assert not is_password("correct horse battery", None)
    assert not is_password("x" * 100_000, None)
    assert [hashed.rsplit("$", 2)[0] for hashed in verified] == [real.rsplit("$", 2)[0]] * 3
    assert [list(map(len, hashed.split("$"))) for hashed in verified] == [list(map(len, real.split("$")))] * 3


@given(st.text(max_size=20))
def test_any_text_can_be_a_password(text: str) -> None:
    hasher, passwords._hasher = passwords._hasher, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    try:
        assert is_password(text, hash_password(text))
        assert not is_password(f"{text}x", hash_password(text))
    finally:
        passwords._hasher = hasher


def test_a_hash_that_is_none_is_nobodys() -> None:
    assert not is_password("x", "no hash") and not is_password("x", "$argon2id$v=19$broken")
