"""The sites whose pages are HTML, in the state and the encodings such sites really had."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from page_templates import wording
from page_templates.addresses import address_of, encoding_of
from page_templates.contexts import CONTEXTS
from page_templates.source import SourcePage


def render_html(page: SourcePage) -> bytes:
    """The page as its server sent it; a character its encoding lacks becomes a numeric reference."""
    context = CONTEXTS[page.site](page)
    template = _environment().get_template(page.site.replace("-", "_") + ".html")
    encoding = encoding_of(page)
    html = template.render(page=page, url=address_of(page), charset=encoding.declared, words=wording, **context)
    return html.encode(encoding.codec, errors="xmlcharrefreplace")


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
