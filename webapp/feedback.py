"""What readers say of an answer: 有用, 没用, or a report of an advertisement or an error. Works without script.

Forged votes are kept out three ways: a browser says which site a form came from (same_site.py), a form carries a token
that is signed for one answer and one day, and a client may send only so many.
"""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, Flask, abort, current_app, redirect, request, url_for
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from webapp.asking import BadParameter
from webapp.display import local_address
from webapp.query_log import Feedback
from webapp.rate_limit import RateLimit, client_of, refuse_after
from webapp.same_site import refuse_cross_site
from webapp.services import services

blueprint = Blueprint("feedback", __name__)

TOKEN_SECONDS = 24 * 60 * 60
MAX_NOTE_CHARS = 200
VERDICTS = ("useful", "useless")
REASONS = {
    "advertisement": "广告",
    "wrong": "内容有误",
    "outdated": "已经过时",
    "unreadable": "看不懂",
    "other": "其他",
}
PER_MINUTE, AT_ONCE = 10, 10


def register(app: Flask) -> None:
    """Give the forms their addresses and tokens. Tokens of a site that has been restarted are refused, kindly."""
    app.extensions["yiwen.feedback"] = RateLimit(PER_MINUTE, AT_ONCE)
    app.add_template_global(form_token)
    app.jinja_env.globals.update(REPORT_REASONS=REASONS, MAX_NOTE_CHARS=MAX_NOTE_CHARS)
    app.register_blueprint(blueprint)


def form_token(answer_id: str) -> str:
    """What a form about this answer must send along."""
    return _signer().dumps(answer_id)


@blueprint.post("/answers/<path:answer_id>/feedback")
def vote(answer_id: str) -> Response:
    """Count an answer as useful or not."""
    verdict = request.form.get("verdict", "")
    if verdict not in VERDICTS:
        raise BadParameter("请选择“有用”或“没用”。")
    return _kept(answer_id, verdict, "", "vote")


@blueprint.post("/answers/<path:answer_id>/report")
def report(answer_id: str) -> Response:
    """Tell the editors what is wrong with an answer."""
    reason = request.form.get("reason", "")
    if reason not in REASONS:
        raise BadParameter("请选择一个原因：" + "、".join(REASONS.values()) + "。")
    note = " ".join(request.form.get("note", "").split())
    if len(note) > MAX_NOTE_CHARS:
        raise BadParameter(f"说明太长：最多 {MAX_NOTE_CHARS} 个字。")
    return _kept(answer_id, reason, note, "report")


def _kept(answer_id: str, verdict: str, note: str, thanks: str) -> Response:
    refuse_cross_site()
    # This machine's own address is no exception here: nobody votes for a living.
    refuse_after(current_app.extensions["yiwen.feedback"].wait_s(client_of(request.remote_addr) or "local"))
    _check(request.form.get("token", ""), answer_id)
    engine = services().engine.get()
    if engine.answer(answer_id) is None:
        abort(404)
    event = Feedback.of(datetime.now(UTC), answer_id, engine.generation, verdict, note)
    if not services().query_log.record_feedback(event):
        raise BadParameter("这次没有记下来，请稍后再试。")
    back = request.form.get("back") or url_for("pages.answer", answer_id=answer_id)
    path, _, _ = local_address(back).partition("#")
    return redirect(f"{path}{'&' if '?' in path else '?'}thanks={thanks}#feedback", 303)


def _check(token: str, answer_id: str) -> None:
    """Raises BadParameter for a token that is not this site's, not this answer's, or too old."""
    try:
        signed_for = _signer().loads(token, max_age=TOKEN_SECONDS)
    except BadSignature:
        signed_for = None
    if signed_for != answer_id:
        raise BadParameter("这一页打开得太久了，请刷新后再提交。")


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="feedback")
