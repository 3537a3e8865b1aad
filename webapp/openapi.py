"""The API's document (OpenAPI 3.1), made of what serves it: the declared operations, and the types of replies."""

from __future__ import annotations

from functools import cache
from http import HTTPStatus
from typing import Any

import msgspec

from webapp.api_examples import REPLIES
from webapp.api_types import ErrorReply
from webapp.etags import program_version
from webapp.operations import OPERATIONS, Operation

ADDRESS = "/api/openapi.json"

#: codes of errors by status, with what they mean; a status may gain codes
ERRORS: dict[int, dict[str, str]] = {
    400: {
        "bad_parameter": "参数的值不能用、写了两次，或没有这个参数",
        "bad_query": "问题为空，或没有说是哪种病或什么不舒服",
        "bad_request": "请求无法理解",
    },
    404: {"not_found": "没有这个接口、回答或主题，或者内容已经下架"},
    405: {"method_not_allowed": "只接受 GET 和 HEAD；可用的方法见 Allow"},
    413: {"too_large": "请求带了超过 16 KB 的内容"},
    414: {"too_long": "地址超过 32 KB"},
    429: {"too_many": "请求太多；请在 Retry-After 所说的秒数之后再试"},
    500: {"internal": "服务器内部出错"},
    503: {
        "no_index": "还没有索引",
        "index_damaged": "索引损坏",
        "unavailable": "暂时不能搜索；请在 Retry-After 所说的秒数之后再试",
    },
}
#: what any call may give
EVERYWHERE = (405, 413, 429, 500)

_TAGS = {
    "搜索": "找回答，联想问题",
    "内容": "一条回答、一个主题",
    "运维": "程序是否在运行、能否搜索",
}
_ABOUT = (
    "医问的接口：从已收录的医学文章和问答里查找有出处的回答。只查找，不做诊断，也不能代替医生；"
    "结果里有急症提示（urgency）时，请放在最前面显示。\n\n"
    "所有文字都是 UTF-8。空的参数等于没写；没有声明的参数、写了两次的参数会被拒绝（400）。"
    "以后只会增加字段和参数，请忽略不认识的字段。"
)
_REFS = "#/components/schemas/{name}"
_ETAG = {
    "description": "结果的标记。下次请求用 If-None-Match 带上它，结果没有变时得到 304，不必再传",
    "schema": {"type": "string"},
}
_RETRY_AFTER = {"description": "多少秒后再试", "schema": {"type": "integer", "minimum": 1}}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "以前得到的 ETag",
    "schema": {"type": "string"},
}


@cache
def document(root: str) -> dict[str, Any]:
    """The whole document; `root` is the path below which the site is served, "" for none."""
    schemas = _schemas()
    return {
        "openapi": "3.1.0",
        "info": {"title": "医问", "version": program_version(), "description": _ABOUT},
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "servers": [{"url": root or "/", "description": "本站"}],
        "tags": [{"name": name, "description": description} for name, description in _TAGS.items()],
        "paths": {operation.path: {"get": _operation(operation)} for operation in OPERATIONS},
        "components": {
            "schemas": schemas,
            "responses": {_response_name(status): _error(status) for status in ERRORS},
            "parameters": {"IfNoneMatch": _IF_NONE_MATCH},
            "headers": {"ETag": _ETAG, "RetryAfter": _RETRY_AFTER},
        },
    }


def _schemas() -> dict[str, Any]:
    types = [*(operation.reply for operation in OPERATIONS), ErrorReply]
    _, schemas = msgspec.json.schema_components(types, ref_template=_REFS)
    return schemas


def _operation(operation: Operation) -> dict[str, Any]:
    parameters = [parameter.as_dict() for parameter in operation.parameters]
    if operation.part is not None:
        parameters.insert(0, operation.part.as_dict())
    responses: dict[str, Any] = {"200": _reply(operation)}
    if operation.is_versioned:
        parameters.append({"$ref": "#/components/parameters/IfNoneMatch"})
        responses["304"] = {
            "description": "结果与 If-None-Match 所说的相同",
            "headers": {"ETag": {"$ref": "#/components/headers/ETag"}},
        }
    for status in sorted({*operation.errors, *EVERYWHERE}):
        responses[str(status)] = {"$ref": f"#/components/responses/{_response_name(status)}"}
    return {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description,
        "parameters": parameters,
        "responses": responses,
    }


def _reply(operation: Operation) -> dict[str, Any]:
    content = {
        "schema": {"$ref": _REFS.format(name=operation.reply.__name__)},
        "example": REPLIES[operation.id],
    }
    # A reply that may be another next time (a question that was cut, time that ran out) has no ETag.
    headers = {"headers": {"ETag": {"$ref": "#/components/headers/ETag"}}} if operation.is_versioned else {}
    return {"description": "成功", **headers, "content": {"application/json": content}}


def _error(status: int) -> dict[str, Any]:
    codes = ERRORS[status]
    examples = {
        code: {"summary": meaning, "value": {"error": {"code": code, "message": f"{meaning}。"}}}
        for code, meaning in codes.items()
    }
    waits = {"headers": {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}}} if status in (429, 503) else {}
    return {
        "description": "；".join(f"{code}：{meaning}" for code, meaning in codes.items()),
        **waits,
        "content": {"application/json": {"schema": {"$ref": _REFS.format(name="ErrorReply")}, "examples": examples}},
    }


def _response_name(status: int) -> str:
    """The name of a status among the components, e.g. "NotFound"."""
    return HTTPStatus(status).phrase.title().replace(" ", "").replace("-", "")
