"""Names and passwords of users: one spelling for each name, what is too easily guessed, and hashes.

After NIST SP 800-63B (5.1.1): length counts, no rules of composition, no expiry; what everybody tries first is refused.
Hashes are Argon2id with the parameters of RFC 9106's second profile (64 MiB), as the library sets them.
"""

from __future__ import annotations

import base64
import os
import re
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_PASSWORD_CHARS = 10
#: far above what anybody types, so that nobody makes the server hash megabytes
MAX_PASSWORD_CHARS = 256
MIN_NAME_CHARS, MAX_NAME_CHARS = 2, 32

#: Letters, digits and Han characters only: no two names look alike, none can be an option or a path.
_NAME = re.compile(r"[0-9a-z\u3400-\u4dbf\u4e00-\u9fff][0-9a-z\u3400-\u4dbf\u4e00-\u9fff._-]*")

#: What is tried first, without the digits and marks before and after it.
COMMON_WORDS = frozenset(
    """
    password passwd passw0rd p@ssw0rd p@ssword pass word admin administrator adm root user guest login test tester
    testing demo default changeme change secret welcome letmein letme qwerty qwert qwertyuiop qwertyui asdfgh asdfghjkl
    asdf zxcvbnm zxcvbn qazwsx qazwsxedc iloveyou loveyou iloveyouforever monkey dragon sunshine princess football
    baseball master superman batman shadow michael computer internet server database mysql oracle linux windows apple
    google baidu taobao weixin wechat alipay tencent xiaomi huawei hello helloworld world trustno hunter freedom
    whatever nothing ninja starwars pokemon charlie jordan killer summer winter spring autumn
    woaini woaiwojia woaini520 aini mima wodemima wodemimashi nihao zhongguo beijing shanghai guangzhou zhang wang liu
    yisheng yiwen yiyuan hospital doctor medicine editor analyst desk bianji guanliyuan
    """.split()
)
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
)

_EDGES = re.compile(r"^[\W\d_]+|[\W\d_]+$")

_hasher = PasswordHasher()


class BadCredential(ValueError):
    """A name or password that cannot be taken; the message is for the person who chose it."""


def normal_name(name: str) -> str:
    """The one spelling of a user's name (NFKC, small letters). Raises BadCredential."""
    normal = _folded(name).strip()
    if not MIN_NAME_CHARS <= len(normal) <= MAX_NAME_CHARS:
        raise BadCredential(f"用户名应为 {MIN_NAME_CHARS} 至 {MAX_NAME_CHARS} 个字符。")
    if not _NAME.fullmatch(normal):
        raise BadCredential("用户名只能用汉字、英文字母、数字和 . _ -，并以前三种开头。")
    return normal


def attempted_name(name: str) -> str:
    """What counts as one name among attempts to log in, whatever was typed."""
    return _folded(name[:1_000]).strip()[:100]


def check_password(password: str, name: str) -> None:
    """Raises BadCredential when a password is too short, too long or among the first that are tried for `name`."""
    password = _normal(password)
    if len(password) < MIN_PASSWORD_CHARS:
        raise BadCredential(f"密码太短：至少 {MIN_PASSWORD_CHARS} 个字符。可以用几个不相干的词连成一句。")
    if len(password) > MAX_PASSWORD_CHARS:
        raise BadCredential(f"密码太长：最多 {MAX_PASSWORD_CHARS} 个字符。")
    if is_guessed_first(password, name):
        raise BadCredential("这个密码太容易猜到：请不要用常见的密码、用户名、重复或连续的字符。")


def is_guessed_first(password: str, name: str) -> bool:
    """Whether a password is a common one, little more than the name, or a run or repetition of a few characters."""
    folded = _folded(password)
    core = _EDGES.sub("", folded)
    if core in COMMON_WORDS or _EDGES.sub("", folded.replace(name, "")) in COMMON_WORDS:
        return True
    rest = folded.replace(name, "") if name else folded
    if len(rest) < len(folded) and len(rest) < MIN_PASSWORD_CHARS - 4:
        return True
    return len(set(folded)) < 4 or _repeats(folded) or _is_run(folded)


def _repeats(text: str) -> bool:
    """Whether it is one part of at most a third of its length, again and again."""
    return any(text == (text[:size] * len(text))[: len(text)] for size in range(1, len(text) // 3 + 1))


def _is_run(text: str) -> bool:
    """Whether nearly all of it goes along the alphabet, the digits or a row of keys, in either direction."""
    pairs = {row[place : place + 2] for row in _ROWS for place in range(len(row) - 1)}
    along = sum(text[place : place + 2] in pairs for place in range(len(text) - 1))
    back = sum(text[place : place + 2][::-1] in pairs for place in range(len(text) - 1))
    return max(along, back) >= 0.8 * (len(text) - 1)


def hash_password(password: str) -> str:
    """The encoded Argon2id hash, with a salt of its own."""
    return _hasher.hash(_normal(password))


def is_password(password: str, hashed: str | None) -> bool:
    """Whether the hash is this password's. `None`, for users who do not exist, takes the same work and is false."""
    if len(password) > MAX_PASSWORD_CHARS:
        password = ""  # no password: the work is done all the same
    try:
        _hasher.verify(hashed or _hash_of_nothing(), _normal(password))
    except (VerificationError, InvalidHashError):
        return False
    return hashed is not None


def needs_rehash(hashed: str) -> bool:
    """Whether the parameters have changed since."""
    return _hasher.check_needs_rehash(hashed)


def _hash_of_nothing() -> str:
    """A hash with today's parameters that no password has: to compare with it costs what a real one costs."""

    def random_text(size_bytes: int) -> str:
        return base64.b64encode(os.urandom(size_bytes)).decode().rstrip("=")

    numbers = f"m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
    return f"$argon2id$v=19${numbers}${random_text(_hasher.salt_len)}${random_text(_hasher.hash_len)}"


def _normal(password: str) -> str:
    """One encoding for what looks the same from any keyboard; lone surrogates, which none gives, are replaced."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace").decode("utf-8")


def _folded(text: str) -> str:
    """NFKC and small letters, until nothing changes."""
    for _ in range(4):
        folded = unicodedata.normalize("NFKC", text).casefold()
        if folded == text:
            break
        text = folded
    return text
