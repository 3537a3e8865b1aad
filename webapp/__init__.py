"""The web room of 医问: a skin over the engine's front door."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from indexer.settings import Settings
    from webapp.services import SearchEngine

__all__ = ["create_app"]


def create_app(
    data_dir: Path | str | None = None,
    settings: Settings | None = None,
    engine: SearchEngine | None = None,
) -> Flask:
    """Make the site.

    `data_dir` wins over the settings' own; `engine` stands in for the one that would be opened there.
    Nothing is opened here: pages work with no index, and an index built later is found.
    """
    from flask import Flask

    from indexer.settings import load_settings
    from webapp import api_pages, errors, headers, json_api, presentation, search_pages, services, topic_pages

    settings = settings or load_settings()
    app = Flask(__name__)
    services.register(app, Path(data_dir) if data_dir is not None else settings.data, settings, engine)
    presentation.register(app)
    headers.register(app)
    errors.register(app)
    app.register_blueprint(search_pages.blueprint)
    app.register_blueprint(topic_pages.blueprint)
    app.register_blueprint(json_api.blueprint)
    app.register_blueprint(api_pages.blueprint)
    return app
