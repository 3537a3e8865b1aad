"""What many tests share: the analyzer over the corpus's own resources, and small built generations."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from builders import RESOURCES
from fakes import FakeEngine
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings
from log_databases import database, kept, postgresql

from indexer.analysis.analyzer import Analyzer, load_analyzer
from indexer.analysis.lexicon import Lexicon, read_lexicon
from indexer.analysis.segment import Segmenter, make_segmenter
from indexer.build import build_generation
from indexer.engine import open_engine
from indexer.native import keep_compiled
from indexer.settings import Settings
from webapp import create_app

__all__ = ["database", "kept", "postgresql"]

# A slow machine is no failure. Continuous integration asks the same examples each time, so that a red run is the
# change's own; everybody else, and scripts/test --long, looks for new ones.
settings.register_profile("untimed", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("untimed")


keep_compiled(None)


@pytest.fixture(scope="session")
def analyzer() -> Analyzer:
    """The analyzer that corpus/resources defines."""
    return load_analyzer(RESOURCES)


@pytest.fixture(scope="session")
def lexicon() -> Lexicon:
    """The lexicon of corpus/resources."""
    return read_lexicon(RESOURCES)


@pytest.fixture(scope="session")
def segmenter(lexicon: Lexicon) -> Segmenter:
    """jieba with that lexicon."""
    return make_segmenter(lexicon)


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of a build of corpus/; made once, since that takes ten seconds."""
    folder = tmp_path_factory.mktemp("demonstration")
    build_generation(RESOURCES.parent, folder)
    return folder


@pytest.fixture(scope="session")
def texts(lexicon: Lexicon, demonstration: Path) -> list[str]:
    """Questions and texts of all answers of the demonstration, normalised."""
    answers = list(open_engine(demonstration).answers())
    return [lexicon.normal(text) for answer in answers for text in (answer.question, answer.text)]


@pytest.fixture
def engine() -> FakeEngine:
    """What the site is tested over where the index does not matter."""
    return FakeEngine()


@pytest.fixture
def app(tmp_path: Path, engine: FakeEngine) -> Flask:
    """The site over `engine`."""
    return create_app(tmp_path, Settings(), engine)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser's requests to `app`."""
    return app.test_client()
