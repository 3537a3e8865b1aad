"""How the site is shown to one reader: large type, high contrast, light or dark; kept in plain cookies."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from flask import Blueprint, Flask, redirect, request, url_for
from werkzeug.urls import uri_to_iri
from werkzeug.wrappers import Response

from webapp.asking import BadParameter
from webapp.same_site import refuse_cross_site

blueprint = Blueprint("display", __name__)

#: Each switch, which is also the name of its cookie, with the values that are kept; the first other value, which is
#: how the site is shown to begin with, keeps nothing.
CHOICES: Mapping[str, tuple[str, ...]] = {"type": ("large",), "contrast": ("high",), "theme": ("light", "dark")}
NO_CHOICE: Mapping[str, str] = {"type": "normal", "contrast": "normal", "theme": "system"}

COOKIE_SECONDS = 365 * 24 * 60 * 60

#: A form's body is at most 16 KiB, and a Chinese character takes nine bytes in it.
MAX_BACK_CHARS = 2_000
MAX_CURRENT_CHARS = 1_600


@dataclass(frozen=True)
class Display:
    """What one reader has chosen."""

    type: str  #: "normal" or "large"
    contrast: str  #: "normal" or "high"
    theme: str  #: "system", "light" or "dark"


def chosen_display() -> Display:
    """The choices in this request's cookies; anything else that stands there counts as no choice."""
    found = {name: request.cookies.get(name, "") for name in CHOICES}
    return Display(**{name: value if value in CHOICES[name] else NO_CHOICE[name] for name, value in found.items()})


@blueprint.post("/display")
def change() -> Response:
    """Keep the switches that were sent, leave the others, and lead back to where the reader was.

    Raises BadParameter for a value that a switch does not have.
    """
    refuse_cross_site()
    response = redirect(local_address(request.form.get("back", "")), 303)
    for name, kept in CHOICES.items():
        value = request.form.get(name)
        if value is None:
            continue
        if value in kept:
            response.set_cookie(
                name, value, max_age=COOKIE_SECONDS, secure=request.is_secure, httponly=True, samesite="Lax"
            )
        elif value == NO_CHOICE[name]:
            response.delete_cookie(name, secure=request.is_secure, httponly=True, samesite="Lax")
        else:
            raise BadParameter(f"显示方式里没有“{name}”的这个选项。")
    return response


def local_address(given: str) -> str:
    """`given` if it is a path of this site that a browser cannot take for another host, else the home page."""
    leaves = not given.startswith("/") or "//" in given or "\\" in given
    hidden = any(unicodedata.category(char) in ("Cc", "Cs") for char in given)
    return url_for("pages.home") if leaves or hidden or len(given) > MAX_BACK_CHARS else given


def current_address() -> str:
    """The path and query of the page that is shown, for `back`; home where no page can be had again.

    What it is thanked for once (`thanks=`, see `search_pages.answer`) and where it was found (`at=`) are left out.

    Two slashes in a row and backslashes, as ids may have, are written so that `local_address` lets them pass.
    """
    if request.method not in ("GET", "HEAD"):
        return url_for("pages.home")
    path = quote(request.root_path + request.path, safe="/!$&'()*+,:;=@")
    # Bytes above ASCII may stand in it as they are.
    fields = quote(request.query_string, safe="%/?:@!$&'()*+,;=").split("&")
    query = "&".join(field for field in fields if not field.startswith(("thanks=", "at=")))
    address = uri_to_iri(f"{path}?{query}" if query else path).replace("//", "/%2F").replace("\\", "%5C")
    return address if len(address) <= MAX_CURRENT_CHARS else url_for("pages.home")


def register(app: Flask) -> None:
    """Let every page know what its reader has chosen."""
    app.register_blueprint(blueprint)
    app.context_processor(lambda: {"display": chosen_display()})
    app.add_template_global(current_address)
