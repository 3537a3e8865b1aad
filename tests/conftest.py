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

from indexer.analysis.analyzer import Analyzer, load_analyzer
from indexer.analysis.lexicon import Lexicon, read_lexicon
from indexer.analysis.segment import Segmenter
from indexer.build import build_generation
from indexer.settings import Settings
from webapp import create_app

# A slow machine is no failure. Continuous integration asks the same examples each time, so that a red run is the
# change's own; everybody else, and scripts/test --long, looks for new ones.
settings.register_profile("untimed", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def jieba_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this test run alone for jieba's dictionary; made once, since that takes a second."""
    return tmp_path_factory.mktemp("jieba")


@pytest.fixture(scope="session")
def analyzer(jieba_cache: Path) -> Analyzer:
    """The analyzer that corpus/resources defines."""
    return load_analyzer(RESOURCES, jieba_cache)


@pytest.fixture(scope="session")
def lexicon() -> Lexicon:
    """The lexicon of corpus/resources."""
    return read_lexicon(RESOURCES)


@pytest.fixture(scope="session")
def segmenter(lexicon: Lexicon, jieba_cache: Path) -> Segmenter:
    """jieba with that lexicon."""
    return Segmenter(lexicon.terms, jieba_cache)


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of a build of corpus/; made once, since that takes ten seconds."""
    folder = tmp_path_factory.mktemp("demonstration")
    build_generation(RESOURCES.parent, folder)
    return folder


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
