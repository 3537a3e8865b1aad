"""The web room of 医问: a skin over the engine's front door."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from indexer.settings import Settings
    from webapp.lazy_engine import SearchEngine

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
    import secrets

    from flask import Flask
    from werkzeug.middleware.proxy_fix import ProxyFix

    from indexer.settings import load_settings
    from webapp import (
        about_pages,
        api_pages,
        auth,
        clicks,
        compression,
        demonstration,
        display,
        editor_console,
        errors,
        feedback,
        headers,
        json_api,
        metrics,
        presentation,
        rate_limit,
        search_pages,
        services,
        topic_pages,
    )

    settings = settings or load_settings()
    app = Flask(__name__)
    app.secret_key = secrets.token_bytes(32)  # of the running site: forms are signed by it, nothing is kept with it
    if settings.trusted_proxies:
        layers = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, layers, layers, layers)  # type: ignore[method-assign]
    data_dir = Path(data_dir) if data_dir is not None else settings.data
    services.register(app, data_dir, settings, engine)
    demonstration.register(app, data_dir)
    metrics.register(app)
    compression.register(app)
    rate_limit.register(app)
    presentation.register(app)
    headers.register(app)
    errors.register(app)
    feedback.register(app)
    clicks.register(app)
    display.register(app)
    app.register_blueprint(search_pages.blueprint)
    app.register_blueprint(topic_pages.blueprint)
    app.register_blueprint(about_pages.blueprint)
    app.register_blueprint(json_api.blueprint)
    app.register_blueprint(api_pages.blueprint)
    auth.register(app)
    editor_console.register(app)
    return app
