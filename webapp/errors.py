"""The one place where what went wrong becomes a page or JSON."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask import Flask, Response, current_app, jsonify, make_response, render_template, request
from werkzeug.exceptions import (
    HTTPException,
    MethodNotAllowed,
    RequestEntityTooLarge,
    RequestURITooLarge,
    TooManyRequests,
)

from indexer import UrgencyCard
from indexer.errors import BadQuery, GenerationDamaged, GenerationMissing, IndexerError, StateError
from webapp.asking import BadParameter, NotHeld, read_question
from webapp.query_log import LogUnreadable
from webapp.roles import NotLoggedIn, RoleTooLow
from webapp.services import services
from webapp.uploads import MAX_PARTS, is_upload
from webapp.urgent import urgency_of

#: Addresses that programs read; everything else is read by people.
JSON_PREFIXES = ("/api/", "/healthz", "/readyz")

RETRY_SECONDS = 30

#: A call's address has room for a question of some thousand characters, nine bytes each.
MAX_CALL_BYTES = 32 * 1024


@dataclass(frozen=True)
class Problem:
    """What a person or a program is told."""

    status: int
    code: str  #: stable, for programs
    title: str
    message: str  #: what happened and what to do, in Chinese


FORBIDDEN = Problem(403, "forbidden", "没有执行", "这个请求不是从本站的页面发出的。请在本站的页面上再试一次。")
NOT_LOGGED_IN = Problem(
    401, "not_logged_in", "请先登录", "这一步要登录才能做，或者您的登录已经过期。登录后请再试一次。"
)
NOT_FOUND = Problem(404, "not_found", "没有这个页面", "地址可能写错了，或者内容已经下架。可以回到首页重新搜索。")
BAD_REQUEST = Problem(400, "bad_request", "请求有误", "这个请求无法理解，请检查地址，或回到首页重新搜索。")
NOT_ALLOWED = Problem(405, "method_not_allowed", "不支持这种请求", "请用页面上的搜索框、链接或按钮。")
NO_CALL = Problem(404, "not_found", "没有这个接口", "没有这个接口；可用的接口见 /api/openapi.json 或 /about/api。")
CALL_NOT_ALLOWED = Problem(405, "method_not_allowed", "不支持这种请求", "接口只接受 GET 和 HEAD 请求。")
TOO_LONG = Problem(414, "too_long", "地址太长", "请求的地址太长。请缩短问题，再试一次。")
TOO_LARGE = Problem(413, "too_large", "请求太大", "请求带的内容太多。请缩短问题，从首页重新搜索。")
UPLOAD_TOO_LARGE = Problem(413, "too_large", "上传的文件太大", "一次上传的文件太多或太大。请分几次上传。")
TOO_MANY = Problem(429, "too_many", "请求太频繁", "短时间里的请求太多，请稍等片刻再试。")
INTERNAL = Problem(500, "internal", "服务出错了", "服务器内部出错，已经记下。请稍后再试；总是这样请告诉管理员。")

#: What searchers read when there is no index: paths and commands are for the log, /readyz and `yiwen doctor`.
UNAVAILABLE = "索引正在准备或维护，请过一会儿再试。网站管理员可运行 yiwen doctor 查看原因。"
STATE_UNAVAILABLE = "保存用户和操作的状态库暂时读写不了，刚才的操作没有执行。请稍后再试，或运行 yiwen doctor 查看原因。"
DESK_UNAVAILABLE = "索引暂时打不开，这一步没有完成。可以在“各代索引”换用另一代，或请管理员运行 yiwen doctor 查看原因。"
#: where operators look, and are told the cause
OPERATORS_ADDRESS = "/readyz"

#: what programs are told instead
_FOR_CALLS = {NOT_FOUND: NO_CALL, NOT_ALLOWED: CALL_NOT_ALLOWED}
_BY_STATUS = {
    problem.status: problem
    for problem in (BAD_REQUEST, FORBIDDEN, NOT_FOUND, NOT_ALLOWED, TOO_LONG, TOO_LARGE, TOO_MANY)
}


def describe(error: Exception) -> Problem:
    """Say what an exception means. Only messages written for people are passed on."""
    if isinstance(error, BadParameter):
        return Problem(400, "bad_parameter", "参数有误", str(error))
    if isinstance(error, NotHeld):
        return Problem(404, "not_found", "没有收录", str(error.description))
    if isinstance(error, NotLoggedIn):
        return NOT_LOGGED_IN
    if isinstance(error, RoleTooLow):
        return Problem(403, "role_too_low", "没有权限", str(error.description))
    if isinstance(error, BadQuery):
        return Problem(400, "bad_query", "这个问题没法搜索", str(error))
    if isinstance(error, StateError) and is_desk():
        return Problem(503, "state_unavailable", "编辑台暂时不能使用", STATE_UNAVAILABLE)
    if isinstance(error, LogUnreadable):
        return Problem(503, "log_unreadable", "这一页暂时不能使用", "查询日志读不出来；请运行 yiwen doctor 查看原因。")
    if isinstance(error, IndexerError) and is_desk():
        return Problem(503, "unavailable", "这一页暂时不能使用", DESK_UNAVAILABLE)
    if isinstance(error, GenerationMissing):
        return Problem(503, "no_index", "暂时还不能搜索", UNAVAILABLE)
    if isinstance(error, GenerationDamaged):
        return Problem(503, "index_damaged", "暂时不能搜索", UNAVAILABLE)
    if isinstance(error, RequestEntityTooLarge) and is_upload():
        return UPLOAD_TOO_LARGE
    if isinstance(error, OSError) and is_upload():
        return Problem(507, "disk", "没有收下", "服务器的磁盘写不进去，文件没有收下。请告诉管理员运行 yiwen doctor。")
    if isinstance(error, IndexerError):
        return Problem(503, "unavailable", "暂时不能搜索", UNAVAILABLE)
    if isinstance(error, HTTPException) and error.code is not None and error.code < 500:
        return _BY_STATUS.get(error.code, BAD_REQUEST)
    return INTERNAL


def is_desk() -> bool:
    """Whether the request is for a page of the editors' desk."""
    return request.path == "/desk" or request.path.startswith("/desk/")


def register(app: Flask) -> None:
    """Answer every error of the app from here."""
    app.register_error_handler(Exception, handle)
    app.before_request(refuse_large_body)
    app.before_request(refuse_long_call)


def refuse_large_body() -> None:
    """Werkzeug checks a body's size only when someone reads it, which no page here does."""
    larger = current_app.extensions.get("yiwen.larger_bodies", {}).get(request.endpoint)
    if larger is not None:
        request.max_content_length = larger
        if is_upload():
            request.max_form_parts = MAX_PARTS
        else:
            request.max_form_memory_size = larger
    if (request.content_length or 0) > (larger or current_app.config["MAX_CONTENT_LENGTH"]):
        raise RequestEntityTooLarge


def refuse_long_call() -> None:
    """Pages cut what is too long; a program is told."""
    address = request.environ.get("PATH_INFO", "") + request.environ.get("QUERY_STRING", "")
    if request.path.startswith("/api/") and len(address) > MAX_CALL_BYTES:
        raise RequestURITooLarge


def handle(error: Exception) -> Response | HTTPException:
    """The response to an exception; redirects, which are exceptions too, pass as they are."""
    if isinstance(error, HTTPException) and (error.code is None or error.code < 400):
        return error
    problem = describe(error)
    if problem.status == 500:
        current_app.logger.error("unhandled error in %s", request.endpoint, exc_info=error)
    elif problem.status == 503:
        current_app.logger.warning("%s", error)
        if request.path == OPERATORS_ADDRESS:
            problem = replace(problem, message=str(error))
    # Whatever failed, somebody in an emergency is told what to do.
    question = read_question(request.args)
    card = urgency_of(question.whole, services().settings.resources, services().data_dir)
    is_for_programs = request.path.startswith(JSON_PREFIXES)
    if is_for_programs:
        problem = _FOR_CALLS.get(problem, problem)
    response = _as_json(problem, card) if is_for_programs else _as_page(problem, question.text, card)
    response.status_code = problem.status
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    if problem is NOT_LOGGED_IN:
        response.headers["WWW-Authenticate"] = 'Form realm="desk"'
    if isinstance(error, TooManyRequests):
        response.headers["Retry-After"] = str(error.retry_after)
    if problem.status == 503:
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def _as_json(problem: Problem, card: UrgencyCard | None) -> Response:
    error = {"code": problem.code, "message": problem.message}
    return jsonify(error=error, urgency=card.as_dict()) if card else jsonify(error=error)


def _as_page(problem: Problem, question: str, card: UrgencyCard | None) -> Response:
    # The typed question stays in the box, so that it can be changed instead of written again.
    return make_response(
        render_template("error.html", problem=problem, question=question, card=card, is_desk=is_desk())
    )
