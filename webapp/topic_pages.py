"""One page for each illness or other term: all that is held about it, by aspect."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from webapp.asking import read_name
from webapp.services import services

blueprint = Blueprint("topics", __name__)

#: How people ask about each aspect; what stands behind the topic's name when its page leads back to the search.
ASPECT_QUESTIONS = {
    "病因": "是什么原因引起的",
    "症状": "有哪些症状",
    "检查": "要做什么检查",
    "诊断": "怎么诊断",
    "治疗": "怎么治疗",
    "用药": "吃什么药",
    "饮食": "饮食要注意什么",
    "护理": "怎么护理",
    "预防": "怎么预防",
    "预后": "能治好吗",
    "就医": "看什么科",
    "费用": "要花多少钱",
}


@blueprint.get("/topics/<path:name>")
def topic(name: str) -> AnyResponse:
    """What is held about a term. Another of its names leads to the page under the first."""
    known = read_name(name)
    found = services().engine.get().topic(known) if known else None
    if found is None:
        return _missing(known)
    if found.name != name:
        return redirect(url_for("topics.topic", name=found.name))  # not for ever: the lexicon changes
    return make_response(render_template("topic.html", topic=found, questions=ASPECT_QUESTIONS))


def _missing(name: str | None) -> Response:
    response = make_response(render_template("topic_missing.html", name=name))
    response.status_code = 404
    return response
