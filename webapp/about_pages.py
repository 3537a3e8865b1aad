"""What the site says of itself: to readers, to browsers and to crawlers."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template

from webapp.services import services

blueprint = Blueprint("about", __name__)

#: Results and answers are other people's texts, and addresses of searches speak of someone's health.
ROBOTS = """\
User-agent: *
Disallow: /search
Disallow: /answers/
Disallow: /topics/
Disallow: /display
Disallow: /api/
Disallow: /desk
"""


@blueprint.get("/about")
def about() -> str:
    """What 医问 is, what it never does, what it keeps, and how to report something."""
    settings = services().settings
    return render_template(
        "about.html", min_sessions=settings.log_min_sessions, retention_days=settings.log_retention_days
    )


@blueprint.get("/opensearch.xml")
def opensearch() -> Response:
    """The description by which browsers offer this search (OpenSearch 1.1, draft 6)."""
    response = make_response(render_template("opensearch.xml"))
    response.content_type = "application/opensearchdescription+xml; charset=utf-8"
    return response


@blueprint.get("/robots.txt")
def robots() -> Response:
    """What crawlers should leave alone (RFC 9309)."""
    return Response(ROBOTS, mimetype="text/plain")
