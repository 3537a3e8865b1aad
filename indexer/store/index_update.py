"""An index that is another one with some answers removed and some added: its segments stay the same files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from whoosh.codec.whoosh3 import W3Segment
from whoosh.filedb.filestore import FileStorage
from whoosh.index import TOC

from indexer.resources import RankingWeights
from indexer.store import impacts, whoosh_store
from indexer.store.impact_writer import SegmentCounter
from indexer.store.impacts import Impacts, Segment
from indexer.store.index_writer import Analysis
from indexer.store.whoosh_store import WhooshStore
from indexer.store.whoosh_writer import INDEX_NAME, commit

#: gives the new generation a file of the base, by its path in it
Link = Callable[[str, Path], None]


def extend_index(
    base: Path,
    folder: Path,
    removed: Sequence[int],
    added: Sequence[tuple[str, W3Segment]],
    weights: RankingWeights,
    analysis: Analysis,
    link: Link,
) -> None:
    """Make an index in `folder` of the one in `base` without the documents `removed`, and of added segments that were
    written into `folder`. The base's files are linked, but those that say what is removed.
    """
    arrays = Impacts(base / impacts.FOLDER)
    store = WhooshStore(base / whoosh_store.FOLDER)
    segments: list[W3Segment] = TOC.read(FileStorage(str(base / whoosh_store.FOLDER)), INDEX_NAME).segments
    gone = np.array(sorted(removed), np.int64)
    kept: list[tuple[Segment, W3Segment]] = []
    for segment, whoosh in zip(arrays.segments, segments, strict=True):
        here = gone[(gone >= segment.base) & (gone < segment.base + segment.document_count)] - segment.base
        for document in here.tolist():
            whoosh.delete_document(document)
        if whoosh.deleted_count() == segment.document_count:
            continue
        kept.append((segment, whoosh))
        _link_segment(base, folder, segment, whoosh, link, with_removed=not len(here))
        if len(here):
            documents = sorted(whoosh.deleted_docs())
            answers = [store.answer(segment.base + document) for document in documents]
            counter = SegmentCounter(analysis.dictionary)
            for answer in answers:
                counter.add(analysis.normal(answer.question), analysis.normal(answer.text))
            impacts.save_removed(folder / impacts.FOLDER / segment.name, documents, counter.finish())
    (folder / whoosh_store.FOLDER).mkdir(exist_ok=True)
    commit(folder / whoosh_store.FOLDER, [*(whoosh for _, whoosh in kept), *(whoosh for _, whoosh in added)])
    before = {segment.name: arrays.impacts_at[segment.name] for segment, _ in kept}
    impacts.finish(
        folder / impacts.FOLDER,
        [*(segment.name for segment, _ in kept), *(name for name, _ in added)],
        weights,
        before,
        arrays.updates + 1,
    )


def _link_segment(
    base: Path, folder: Path, segment: Segment, whoosh: W3Segment, link: Link, with_removed: bool
) -> None:
    """All files of a segment; without what says which of its documents are removed where that changes."""
    for file in sorted((base / impacts.FOLDER / segment.name).rglob("*")):
        if file.is_file() and (with_removed or impacts.REMOVED not in file.parts):
            link(file.relative_to(base).as_posix(), folder)
    for file in sorted((base / whoosh_store.FOLDER).glob(f"{whoosh.segment_id()}.*")):
        link(file.relative_to(base).as_posix(), folder)
