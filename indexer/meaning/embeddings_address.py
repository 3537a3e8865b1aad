"""A model behind an OpenAI-compatible address: POST {address}/embeddings. Texts leave this machine, questions too."""

from __future__ import annotations

import hashlib
import http.client
import json
import time
from collections.abc import Callable, Sequence
from urllib.parse import SplitResult, urlsplit

import numpy as np

from indexer.errors import MeaningError, cause_of
from indexer.meaning.embedder import ModelFacts, Rows, unit_rows
from indexer.meaning.prefixes import family_of

#: texts in one request
_BATCH = 64
#: a reply is no longer: 64 vectors of 4,096 numbers, 20 characters each
_MOST_BYTES = 8_000_000
#: of a batch of answers, which a slow server may take its time for
_ANSWERS_TIMEOUT_S = 60.0
#: waits before it is tried again, where the server says that it has too much to do, or fails
_WAITS_S = (1.0, 4.0, 15.0)
_TRY_AGAIN = {429, 500, 502, 503, 504}


class EmbeddingsAddress:
    """A server's model. The key and the texts stand in no message."""

    def __init__(
        self,
        address: str,
        name: str,
        key: str,
        question_timeout_s: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Asks for one vector, to know their dimension. `question_timeout_s`: how long a question may take.

        Raises MeaningError when the address cannot be used, or nobody answers there as they should.
        """
        self._parts = _checked(address)
        if not name:
            raise MeaningError("向量接口要指明模型：请在设置 meaning_name 中写上它的名称。")
        self._name, self._key, self._sleep = name, key, sleep
        self._question_timeout_s = question_timeout_s
        family = family_of(name)
        self._prefixes = family.question_prefix, family.answer_prefix
        self._dimension: int | None = None
        dimension = len(self._request(["头痛"], _ANSWERS_TIMEOUT_S)[0])
        self._dimension = dimension
        told = json.dumps([self._parts.netloc.lower(), self._parts.path, name, dimension, *self._prefixes])
        fingerprint = hashlib.sha256(told.encode()).hexdigest()
        self.facts = ModelFacts(f"{name}（{self._parts.hostname}）", dimension, fingerprint, *self._prefixes)

    def embed_questions(self, texts: Sequence[str]) -> Rows:
        """Shape (texts, dimension); tried once, since somebody waits."""
        return self._embed([self._prefixes[0] + text for text in texts], self._question_timeout_s, ())

    def embed_answers(self, texts: Sequence[str]) -> Rows:
        """Shape (texts, dimension)."""
        return self._embed([self._prefixes[1] + text for text in texts], _ANSWERS_TIMEOUT_S, _WAITS_S)

    def _embed(self, texts: Sequence[str], timeout_s: float, waits_s: Sequence[float]) -> Rows:
        batches = [texts[start : start + _BATCH] for start in range(0, len(texts), _BATCH)]
        rows = [self._patiently(batch, timeout_s, waits_s) for batch in batches]
        found = np.concatenate(rows) if rows else np.empty((0, self.facts.dimension), np.float32)
        return unit_rows(found, len(texts), self.facts.dimension, self.facts.name)

    def _patiently(self, texts: Sequence[str], timeout_s: float, waits_s: Sequence[float]) -> Rows:
        for wait_s in waits_s:
            try:
                return self._request(texts, timeout_s)
            except _BusyError:
                self._sleep(wait_s)
        return self._request(texts, timeout_s)

    def _request(self, texts: Sequence[str], timeout_s: float) -> Rows:
        """One request. Redirects are not followed: the key is for this address."""
        body = json.dumps({"model": self._name, "input": list(texts), "encoding_format": "float"}).encode()
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "yiwen"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        assert self._parts.hostname is not None
        connection = kind(self._parts.hostname, self._parts.port, timeout=timeout_s)
        try:
            connection.request("POST", f"{self._parts.path.rstrip('/')}/embeddings", body, headers)
            reply = connection.getresponse()
            content = reply.read(_MOST_BYTES + 1)
        except TimeoutError as error:
            raise _BusyError(self._sentence(f"{timeout_s:g} 秒内没有回答")) from error
        except http.client.HTTPException as error:
            raise _BusyError(self._sentence(f"回答不完整（{type(error).__name__}）")) from error
        except OSError as error:
            raise _BusyError(self._sentence(f"连不上（{cause_of(error)}）")) from error
        finally:
            connection.close()
        if reply.status != 200:
            kind_of_error = _BusyError if reply.status in _TRY_AGAIN else MeaningError
            raise kind_of_error(self._sentence(_of_status(reply.status)))
        if len(content) > _MOST_BYTES:
            raise MeaningError(self._sentence(f"回答超过 {_MOST_BYTES // 1_000_000} MB"))
        if reply.length:  # so many bytes were promised and did not come
            raise _BusyError(self._sentence("回答不完整"))
        return self._vectors(content, len(texts))

    def _vectors(self, content: bytes, count: int) -> Rows:
        """What a reply holds, in the order of the texts."""
        try:
            data = json.loads(content)["data"]
            by_place = {int(each["index"]): each["embedding"] for each in data}
            rows = np.array([by_place[place] for place in range(count)], np.float32)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise MeaningError(self._sentence(f"回答不是向量（{type(error).__name__}）")) from error
        if rows.ndim != 2 or len(data) != count or not rows.shape[1]:
            raise MeaningError(self._sentence(f"要 {count} 个向量，回答的却不是"))
        if self._dimension is not None and rows.shape[1] != self._dimension:
            raise MeaningError(
                self._sentence(f"先前的向量是 {self._dimension} 维，现在是 {rows.shape[1]} 维，不是同一个模型")
            )
        return rows

    def _sentence(self, what: str) -> str:
        where = f"{self._parts.scheme}://{self._parts.netloc}{self._parts.path}"
        return f"向量接口 {where}（模型 {self._name}）{what}；请检查设置 meaning_model、meaning_name 和 meaning_key。"


class _BusyError(MeaningError):
    """What may go better the next time."""


def _checked(address: str) -> SplitResult:
    """Raises MeaningError for an address that cannot be used; one with a password is not repeated."""
    try:
        parts = urlsplit(address)
        _ = parts.port  # raises for one that is no number
    except ValueError as error:
        raise MeaningError(f"设置 meaning_model 的地址写得不对：{error}。") from error
    if "@" in parts.netloc:
        raise MeaningError("向量接口的地址中不能写用户名和密码；密钥请写在设置 meaning_key 中。")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise MeaningError(f"向量接口的地址应形如 https://主机/v1，却是“{address}”。")
    return parts


def _of_status(status: int) -> str:
    reasons: dict[int, str] = {
        401: "不接受密钥",
        403: "不接受密钥",
        404: "没有这个接口或模型",
        413: "嫌一次的文字太多",
        429: "说请求太多",
    }
    if 300 <= status < 400:
        return f"转到了别处（{status}），没有跟去：密钥只给这个地址"
    return f"{reasons.get(status, '没有给出向量')}（{status}）"


def is_address(value: str) -> bool:
    """Whether a setting names an address, and no folder."""
    return value.lower().startswith(("http://", "https://"))
