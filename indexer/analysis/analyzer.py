"""Text to index terms. Words alone are not enough in Chinese: bigrams and characters stand beside them.

What each adds, measured on four judged sets, stands in docs/quality.md.
"""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from indexer.analysis.aspects import Aspects, load_aspects
from indexer.analysis.lexicon import Lexicon, Mention, open_lexicon, read_lexicon
from indexer.analysis.normalize import Normalized
from indexer.analysis.question import QuestionRules, character_weights, found_in, load_question_rules, main_entity
from indexer.analysis.segment import Segmenter, make_segmenter, open_segmenter
from indexer.analysis.spelling import SlipIndex
from indexer.analysis.vocabulary import Word
from indexer.errors import GenerationDamaged
from indexer.native import keep_compiled
from indexer.records import Token
from indexer.resources import fingerprint

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
#: a run of Han characters, or one Latin word or number (39.5 and 2.5 stay whole)
_RUN = re.compile(rf"[{_HAN}]+|[a-z0-9]+(?:\.[0-9]+)*")
_HAS_CONTENT = re.compile(r"\w")
_BETWEEN_HAN = re.compile(rf"(?<=[{_HAN}]) (?=[{_HAN}])")
_LEXICON = "lexicon.json"
_MEDICAL = frozenset(("disease", "symptom", "drug", "examination", "procedure", "department"))
_MAX_LOADED = 4
_LOADED: dict[str, Analyzer] = {}  #: by the fingerprint of their resources; a process serves few
_LOADING = threading.Lock()


@dataclass(frozen=True)
class Terms:
    """The terms of one text, in order of appearance, repetitions included."""

    words: tuple[str, ...]
    bigrams: tuple[str, ...]
    characters: tuple[str, ...]


@dataclass(frozen=True)
class WeightedTerms:
    """The different terms of a question, each with how often it counts."""

    words: Mapping[str, float]
    bigrams: Mapping[str, float]
    characters: Mapping[str, float]


@dataclass(frozen=True)
class QuestionTerms:
    """What is asked for by a question."""

    text: str  #: normalised
    weights: tuple[float, ...]  #: how much each of its characters is looked for, 0 to 1
    mentions: tuple[Mention, ...]  #: the terms that it names
    terms: WeightedTerms  #: its own, and the names behind other words for a term
    content_words: tuple[str, ...]  #: what it is about, terms by their names; empty for 怎么办 alone
    entity: str | None  #: name of the term that it is mainly about
    confusable: tuple[str, ...]  #: names of other terms that it is easily taken for (`Lexicon.confusable`)
    is_medical: bool  #: it names an illness, a complaint, a drug, an examination, a procedure or a department
    aspects: tuple[str, ...]
    populations: tuple[str, ...]  #: 小儿 孕妇 老人 ...
    sides: tuple[str, ...]
    duration: str | None  #: as it stands in the question: 三个月

    @property
    def is_bare(self) -> bool:
        """It is the name of its entity and no more: 高血压."""
        return self.entity is not None and all(word in self.entity for word in self.content_words)


class Analyzer:
    """The same for answers and questions; safe to share between threads."""

    def __init__(self, segmenter: Segmenter, lexicon: Lexicon, rules: QuestionRules, aspects: Aspects) -> None:
        self.lexicon = lexicon
        self.segmenter = segmenter
        self.rules = rules
        self.aspects = aspects
        self._lock = threading.Lock()
        self._slips: SlipIndex | None = None

    def slips(self, words: Iterable[Word]) -> SlipIndex:
        """The lexicon by its slips, made of the first vocabulary that comes: its terms are the same in all."""
        with self._lock:
            if self._slips is None:
                self._slips = SlipIndex(words)
            return self._slips

    def save(self, folder: Path) -> None:
        """Write what `open_analyzer` needs besides the resources."""
        folder.mkdir()
        self.lexicon.save(folder / _LEXICON)
        self.segmenter.save(folder)

    def terms(self, text: str) -> Terms:
        """What is indexed of a text: also the names of the terms that it mentions in other words."""
        normal = self.normalized(text).text
        words, mentions = self._cut(normal)
        names = [mention.name for mention in outermost(mentions) if mention.name != mention.surface]
        bigrams, characters = _grams(normal)
        return Terms((*(word.text for word in words), *names), tuple(bigrams), tuple(characters))

    def words(self, text: str, among: Collection[str] | None = None) -> list[Token]:
        """Words with their place in the original text; only those `among` these, which takes a fraction of the time."""
        normalized = self.normalized(text)
        normal = normalized.text
        if among is None:
            words, _ = self._cut(normal)
        elif not any(word in normal for word in among):
            return []
        else:
            spans = dict.fromkeys([*self.segmenter.spans(normal), *self.segmenter.mention_spans(normal)])
            words = [Token(normal[start:end], start, end) for start, end in spans if normal[start:end] in among]
        return [Token(word.text, *normalized.original_span(word.start, word.end)) for word in words]

    def _cut(self, normal: str) -> tuple[list[Token], list[Mention]]:
        """jieba's words, then the lexicon's that stand in the text but not in jieba's cut; and all places of these.

        Also 月经 in 三个月经常: a term is found wherever it stands verbatim.
        """
        words = [token for token in self.segmenter.cut(normal) if _HAS_CONTENT.search(token.text)]
        mentions = self.segmenter.mentions(normal)
        cut_out = {(word.start, word.end) for word in words}
        hidden = [mention for mention in mentions if (mention.start, mention.end) not in cut_out]
        return words + [Token(mention.surface, mention.start, mention.end) for mention in hidden], mentions

    def normalized(self, text: str) -> Normalized:
        """The one form in which texts are indexed and questions asked."""
        return self.lexicon.normalized(text)

    def is_word(self, word: str) -> bool:
        """Whether a normalised word stands in the lexicon or in jieba's dictionary."""
        return word in self.lexicon.names or self.segmenter.has(word)

    def dictionary_words(self, text: str) -> list[tuple[int, int]]:
        """Spans of the words of a normalised text, what no dictionary knows character by character."""
        return self.segmenter.dictionary_words(text)

    def question_terms(self, question: str) -> QuestionTerms:
        """What is asked for: the question's terms, weighed, and what an answer would call it."""
        text = _BETWEEN_HAN.sub("", self.normalized(question).text)  # people space what they type: 面 肌 痉挛
        tokens = [token for token in self.segmenter.cut(text) if _HAS_CONTENT.search(token.text)]
        mentions = _meant(self.segmenter.mentions(text), tokens)
        weights = character_weights(text, tokens, mentions, self.rules)
        mentions = [mention for mention in mentions if weights[mention.start]]  # 医生您好 is about no doctor
        duration = self.rules.duration.search(text)
        entity = main_entity(mentions, self.lexicon)
        return QuestionTerms(
            text=text,
            weights=tuple(weights),
            mentions=tuple(mentions),
            terms=self._weighted(text, tokens, mentions, weights),
            content_words=_content_words(tokens, mentions, weights),
            entity=entity,
            confusable=self.lexicon.confusable(entity) if entity else (),
            is_medical=any(self.lexicon.terms[mention.name].kind in _MEDICAL for mention in mentions),
            aspects=self.aspects.find(text, mentions, self.lexicon),
            populations=found_in(self.rules.populations, text),
            sides=found_in(self.rules.sides, text),
            duration=duration[0] if duration else None,
        )

    def with_near_terms(self, asked: QuestionTerms) -> QuestionTerms:
        """The same, with the narrower and related terms of what it is about: for a term that stands in no answer, so
        that none of them can come before it.
        """
        near = self.lexicon.near(asked.entity) if asked.entity else ()
        words = {**dict.fromkeys(near, self.rules.near_weight), **asked.terms.words}
        content = tuple(dict.fromkeys([*asked.content_words, *near]))
        return replace(asked, terms=replace(asked.terms, words=words), content_words=content)

    def _weighted(
        self,
        text: str,
        tokens: Sequence[Token],
        mentions: Sequence[Mention],
        weights: Sequence[float],
    ) -> WeightedTerms:
        """The question's terms: its own, and names that it does not use itself."""
        words: defaultdict[str, float] = defaultdict(float)
        bigrams: defaultdict[str, float] = defaultdict(float)
        characters: defaultdict[str, float] = defaultdict(float)
        for token in tokens:
            words[token.text] += min(weights[token.start : token.end])
        for mention in mentions:
            words.setdefault(mention.surface, 1.0)
        for match in _RUN.finditer(text):
            pairs = [(i, i + 2) for i in range(match.start(), match.end() - 1)]
            singles = [(i, i + 1) for i in range(*match.span())]
            if match[0].isascii():
                pairs = singles = [match.span()]
            for counted, spans in ((bigrams, pairs), (characters, singles)):
                for start, end in spans:
                    counted[text[start:end]] += min(weights[start:end])
        for name in (mention.name for mention in mentions if mention.surface != mention.name):
            words[name] += self.rules.name_weight
            for counted, added in zip((bigrams, characters), _grams(name), strict=True):
                for term in added:
                    counted[term] = max(counted[term], self.rules.alias_weight)
        return WeightedTerms(*map(_positive, (words, bigrams, characters)))


def _positive(weights: Mapping[str, float]) -> dict[str, float]:
    return {term: weight for term, weight in weights.items() if weight > 0}


def outermost(mentions: Sequence[Mention]) -> Iterator[Mention]:
    """The mentions that are no part of a longer one: 伤风 in 破伤风 is no cold."""
    end = -1
    for mention in mentions:  # by their start, longer ones first
        if mention.end > end:
            yield mention
            end = mention.end


def _meant(mentions: Sequence[Mention], words: Sequence[Token]) -> list[Mention]:
    """The mentions that a reader would see: the longest ones, and two characters only where jieba's words begin and end
    (用药 does not stand in 能用药膏).
    """
    edges = {edge for word in words for edge in (word.start, word.end)}
    chosen: list[Mention] = []
    for mention in mentions:
        on_edges = mention.start in edges and mention.end in edges
        if (on_edges or mention.end - mention.start > 2) and (not chosen or mention.start >= chosen[-1].end):
            chosen.append(mention)
    return chosen


def _content_words(tokens: Sequence[Token], mentions: Sequence[Mention], weights: Sequence[float]) -> tuple[str, ...]:
    """Words of full weight, in order; for a term under another word its name, not the parts of that word."""
    found = [(mention.start, mention.name) for mention in mentions]
    renamed = [mention for mention in mentions if mention.name != mention.surface]
    for token in tokens:
        inside = any(mention.start <= token.start and token.end <= mention.end for mention in renamed)
        if not inside and min(weights[token.start : token.end]) == 1.0:
            found.append((token.start, token.text))
    return tuple(dict.fromkeys(word for _, word in sorted(found, key=lambda pair: pair[0])))


def _grams(normal: str) -> tuple[list[str], list[str]]:
    """Bigrams and characters of a normalised text; a Latin word or a number counts as one of each."""
    bigrams: list[str] = []
    characters: list[str] = []
    for run in _RUN.findall(normal):
        if run[0].isascii():
            bigrams.append(run)
            characters.append(run)
        else:
            bigrams.extend(run[i : i + 2] for i in range(len(run) - 1))
            characters.extend(run)
    return bigrams, characters


def gram_spans(normal: str) -> Iterator[tuple[int, int]]:
    """Where the characters of a normalised text stand, a Latin word or a number being one."""
    for match in _RUN.finditer(normal):
        if match[0].isascii():
            yield match.span()
        else:
            yield from ((i, i + 1) for i in range(*match.span()))


def load_analyzer(resources: Path, cache_dir: Path | None = None) -> Analyzer:
    """The analyzer that these resources define, which takes a second to make; the same one for the same content.

    `cache_dir` is where compiled code may be kept. Raises ResourceError.
    """

    def make() -> tuple[Segmenter, Lexicon]:
        lexicon = read_lexicon(resources)
        return make_segmenter(lexicon), lexicon

    return _loaded(resources, cache_dir, make)


def open_analyzer(folder: Path, cache_dir: Path | None = None) -> Analyzer:
    """The analyzer of a generation, from its `resources` and what `save` wrote into its `analysis`.

    Raises ResourceError, and GenerationDamaged for what cannot be read.
    """

    def read() -> tuple[Segmenter, Lexicon]:
        try:
            lexicon, segmenter = open_segmenting(folder)
            return segmenter, lexicon
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise GenerationDamaged(
                f"索引 {folder.name} 的词典 analysis/ 读不出来（{type(error).__name__}）；请用 yiwen build 重建。"
            ) from error

    return _loaded(folder / "resources", cache_dir, read)


def open_segmenting(folder: Path) -> tuple[Lexicon, Segmenter]:
    """The part of a generation's analyzer that indexing needs, from its `analysis`. Raises OSError and others."""
    lexicon = open_lexicon(folder / "analysis" / _LEXICON)
    return lexicon, open_segmenter(folder / "analysis", lexicon)


def _loaded(resources: Path, cache_dir: Path | None, make: Callable[[], tuple[Segmenter, Lexicon]]) -> Analyzer:
    """Most generations of a data directory have the same resources."""
    keep_compiled(cache_dir)
    content = fingerprint(resources)
    with _LOADING:
        if content not in _LOADED:
            while len(_LOADED) >= _MAX_LOADED:
                _LOADED.pop(next(iter(_LOADED)))
            segmenter, lexicon = make()
            _LOADED[content] = Analyzer(segmenter, lexicon, load_question_rules(resources), load_aspects(resources))
        return _LOADED[content]
