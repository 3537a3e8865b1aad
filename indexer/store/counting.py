"""From the code points of answers to postings, compiled: what `impact_writer.py` collects while a segment is written.

A term is known by its key, a 64-bit hash of its code points. Two of ten million different terms share one with a
probability of about three in a million; they would then be taken for one term.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer.analysis import cutting
from indexer.native import kernel

EMPTY = np.uint64(0)  #: no term's key
MAX_FREQUENCY = 65_535  #: a term that stands more often in one field of one answer counts as standing so often
BREAK = 0  #: stands in a sequence of characters where words of punctuation stood
_FIRST_LONG = 0xE000  #: characters from this number on take two units
_LONG_BITS = 13

_FNV_OFFSET, _FNV_PRIME = np.uint64(0xCBF2_9CE4_8422_2325), np.uint64(0x0000_0100_0000_01B3)
_MIX_1, _MIX_2 = np.uint64(0xBF58_476D_1CE4_E5B9), np.uint64(0x94D0_49BB_1331_11EB)


class Table(NamedTuple):
    """Terms of one kind with their postings, growing; the arrays are longer than what is used of them."""

    slots: NDArray[np.uint64]  #: open addressing, a power of two long: keys, or EMPTY
    numbers: NDArray[np.int32]  #: of the terms in the slots, by first appearance
    keys: NDArray[np.uint64]  #: per term
    last: NDArray[np.int64]  #: per term: its newest posting
    documents: NDArray[np.uint16]  #: per posting
    terms: NDArray[np.int32]  #: per posting: number of the term
    in_question: NDArray[np.uint16]  #: per posting: frequency, MAX_FREQUENCY at most
    in_answer: NDArray[np.uint16]
    used: NDArray[np.int64]  #: shape (2,): terms, postings


@kernel
def key_of(codes: Any, start: Any, end: Any) -> Any:
    """FNV-1a over code points with the finish of SplitMix64, so that all bits of the key are even."""
    key = _FNV_OFFSET
    for i in range(start, end):
        key = (key ^ np.uint64(codes[i])) * _FNV_PRIME
    key = (key ^ (key >> np.uint64(30))) * _MIX_1
    key = (key ^ (key >> np.uint64(27))) * _MIX_2
    key ^= key >> np.uint64(31)
    return key if key != EMPTY else np.uint64(1)


@kernel
def keys_of(codes: Any, ends: Any, keys: Any) -> None:
    """Keys of several terms whose code points stand one after another."""
    start = 0
    for i in range(len(ends)):
        keys[i] = key_of(codes, start, ends[i])
        start = ends[i]


@kernel
def rehash(table: Any) -> None:
    """Fill empty slots anew from the keys."""
    mask = len(table.slots) - 1
    for number in range(table.used[0]):
        place = np.int64(table.keys[number] >> np.uint64(20)) & mask
        while table.slots[place] != EMPTY:
            place = (place + 1) & mask
        table.slots[place] = table.keys[number]
        table.numbers[place] = number


@kernel
def _count(table: Any, keys: Any, document: Any, in_question: Any, numbers: Any, new: Any) -> Any:
    """One more place of each term: `numbers` gets the terms' numbers, `new` which ones are new. Gives how many are."""
    # arrays taken from a tuple within a loop are counted each time, which takes thrice as long as all the rest
    slots, known, table_keys, last = table.slots, table.numbers, table.keys, table.last
    documents, terms = table.documents, table.terms
    counts = table.in_question if in_question else table.in_answer
    others = table.in_answer if in_question else table.in_question
    used_terms, used_postings = table.used[0], table.used[1]
    mask = len(slots) - 1
    n = 0
    for i in range(len(keys)):
        key = keys[i]
        place = np.int64(key >> np.uint64(20)) & mask
        while slots[place] != key and slots[place] != EMPTY:
            place = (place + 1) & mask
        if slots[place] == EMPTY:
            slots[place] = key
            known[place] = used_terms
            table_keys[used_terms] = key
            last[used_terms] = -1
            new[n] = i
            n += 1
            used_terms += 1
        number = known[place]
        numbers[i] = number
        posting = last[number]
        if posting < 0 or documents[posting] != document:
            posting = used_postings
            used_postings += 1
            last[number] = posting
            documents[posting] = document
            terms[posting] = number
            counts[posting] = 0
            others[posting] = 0
        if counts[posting] < MAX_FREQUENCY:
            counts[posting] += 1
    table.used[0], table.used[1] = used_terms, used_postings
    return n


@kernel
def words_of(dictionary: Any, codes: Any) -> Any:
    """Words of a text as they are indexed: jieba's, then the lexicon's that stand in the text but not in jieba's cut,
    then the names of the terms that it mentions in other words.

    Gives (spans, shape (words, 2), and how many of them are spans; of the rest the first column is the number of the
    lexicon's word that is the name).
    """
    n = len(codes)
    cuts = np.empty((3 * n, 2), np.int32)
    found = cutting.cut_for_search(dictionary, codes, cuts)
    room = 2 * n + 8
    places, words = np.empty((room, 2), np.int32), np.empty(room, np.int32)
    mentioned = cutting.mentions(dictionary, codes, places, words)
    if mentioned > room:
        places, words = np.empty((mentioned, 2), np.int32), np.empty(mentioned, np.int32)
        cutting.mentions(dictionary, codes, places, words)
    spans = np.empty((found + 2 * mentioned, 2), np.int32)
    seen = np.zeros(n, np.uint64)  # lengths of the words that start at each character, a bit each
    k = 0
    for i in range(found):
        start, end = cuts[i, 0], cuts[i, 1]
        for j in range(start, end):
            if cutting.is_letter(dictionary, codes[j]):
                spans[k] = cuts[i]
                k += 1
                if end - start < 64:
                    seen[start] |= np.uint64(1) << np.uint64(end - start)
                break
    for i in range(mentioned):
        start, length = places[i, 0], places[i, 1] - places[i, 0]
        if length >= 64 or not (seen[start] >> np.uint64(length)) & np.uint64(1):
            spans[k] = places[i]
            k += 1
    whole = k
    outer = -1
    for i in range(mentioned):
        if places[i, 1] > outer:
            outer = places[i, 1]
            if dictionary.same[words[i]] != words[i]:
                spans[k, 0] = dictionary.same[words[i]]
                spans[k, 1] = 0
                k += 1
    return spans[:k], whole


@kernel
def _count_words(words: Any, pool: Any, pool_ends: Any, dictionary: Any, codes: Any, document: Any, asked: Any) -> Any:
    """Words of one text; gives how many, or -1 when there is no room, and then none was counted. The code points of new
    ones go to the pool.
    """
    spans, whole = words_of(dictionary, codes)
    known, word_codes, word_ends = words.used[0], dictionary.word_codes, dictionary.word_ends
    keys = np.empty(len(spans), np.uint64)
    at = pool_ends[known - 1] if known else np.int64(0)
    letters = at
    for i in range(len(spans)):
        if i < whole:
            keys[i] = key_of(codes, spans[i, 0], spans[i, 1])
            letters += spans[i, 1] - spans[i, 0]
        else:
            start, end = word_ends[spans[i, 0]], word_ends[spans[i, 0] + 1]
            keys[i] = key_of(word_codes, start, end)
            letters += end - start
    if not (_has_room(words, len(spans)) and known + len(spans) <= len(pool_ends) and letters <= len(pool)):
        return -1
    new = np.empty(len(spans), np.int64)
    for i in new[: _count(words, keys, document, asked, np.empty(len(spans), np.int32), new)]:
        if i < whole:
            text = codes[spans[i, 0] : spans[i, 1]]
        else:
            text = word_codes[word_ends[spans[i, 0]] : word_ends[spans[i, 0] + 1]]
        for code in text:
            pool[at] = code
            at += 1
        pool_ends[known] = at
        known += 1
    return len(spans)


@kernel
def _has_room(table: Any, places: Any) -> Any:
    """Whether so many places fit, were each a new term in a new posting."""
    used_terms, used_postings = table.used
    return used_postings + places <= len(table.documents) and 2 * (used_terms + places) <= len(table.slots)


@kernel
def is_han(code: Any) -> Any:
    """A Han character, as analyzer.py has them."""
    return (
        0x3400 <= code <= 0x4DBF or 0x4E00 <= code <= 0x9FFF or 0xF900 <= code <= 0xFAFF or 0x20000 <= code <= 0x3FFFF
    )


@kernel
def _is_digit(code: Any) -> Any:
    return 48 <= code <= 57


@kernel
def _is_latin(code: Any) -> Any:
    return 97 <= code <= 122 or _is_digit(code)


@kernel
def next_gram(codes: Any, i: Any) -> Any:
    """End of the gram at i: a Han character, a Latin word, or a number with its points (39.5); i itself for no gram."""
    if is_han(codes[i]):
        return i + 1
    j = i
    while j < len(codes) and _is_latin(codes[j]):
        j += 1
    while i < j < len(codes) - 1 and codes[j] == 46 and _is_digit(codes[j + 1]):
        j += 1
        while j < len(codes) and _is_digit(codes[j]):
            j += 1
    return j


@kernel
def _append(units: Any, n: Any, number: Any) -> Any:
    """Write the number of a character behind a sequence of n units; gives how many units there are then."""
    if number < _FIRST_LONG:
        units[n] = number
        return n + 1
    units[n] = _FIRST_LONG + ((number - _FIRST_LONG) >> _LONG_BITS)
    units[n + 1] = (number - _FIRST_LONG) & ((1 << _LONG_BITS) - 1)
    return n + 2


@kernel
def next_character(units: Any, i: Any) -> Any:
    """The number at i of a sequence and the place of the next one."""
    unit = np.int64(units[i])
    if unit < _FIRST_LONG:
        return unit, i + 1
    return _FIRST_LONG + ((unit - _FIRST_LONG) << _LONG_BITS) + np.int64(units[i + 1]), i + 2


@kernel
def _count_grams(
    bigrams: Any, characters: Any, units: Any, n: Any, codes: Any, document: Any, asked: Any, counts: Any
) -> Any:
    """Bigrams and characters of one text: `counts` gets how many of each. Gives the length of `units` then."""
    pair_keys, single_keys = np.empty(len(codes), np.uint64), np.empty(len(codes), np.uint64)
    breaks = np.zeros(len(codes) + 1, np.bool_)  # after which characters something else stands
    pairs = singles = 0
    before = -1  # where the Han character before this one stands
    i = 0
    while i < len(codes):
        end = next_gram(codes, i)
        if end == i:
            breaks[singles] = True
            before = -1
            i += 1
            continue
        single = key_of(codes, i, end)
        single_keys[singles] = single
        singles += 1
        if is_han(codes[i]):
            if before >= 0:
                pair_keys[pairs] = key_of(codes, before, end)
                pairs += 1
            before = i
        else:
            pair_keys[pairs] = single
            pairs += 1
            before = -1
        i = end
    numbers, new = np.empty(len(codes), np.int32), np.empty(len(codes), np.int64)
    _count(bigrams, pair_keys[:pairs], document, asked, numbers, new)
    _count(characters, single_keys[:singles], document, asked, numbers, new)
    for k in range(singles):
        n = _append(units, n, np.int64(numbers[k]) + 1)
        if breaks[k + 1]:
            units[n] = BREAK
            n += 1
    counts[0], counts[1] = pairs, singles
    return n


@kernel
def count(
    words: Any,
    pool: Any,
    pool_ends: Any,
    bigrams: Any,
    characters: Any,
    units: Any,
    unit_ends: Any,
    lengths: Any,
    dictionary: Any,
    codes: Any,
    ends: Any,
    first: Any,
) -> Any:
    """Count a batch of texts, `codes` one after another and `ends` where each ends: question, answer, question, answer.

    Text number `first + i` belongs to document `(first + i) // 2`. `lengths`, shape (texts, 3), gets the number of
    words, bigrams and characters; `units` and `unit_ends` the texts as sequences of characters. Gives how many texts
    were counted: fewer than all when room is missing for the next one.
    """
    start = 0
    for i in range(len(ends)):
        text = codes[start : ends[i]]
        number = first + i
        document, asked = np.uint16(number // 2), number % 2 == 0
        at = unit_ends[number - 1] if number else 0
        room = _has_room(bigrams, len(text)) and _has_room(characters, len(text)) and at + 2 * len(text) <= len(units)
        found = _count_words(words, pool, pool_ends, dictionary, text, document, asked) if room else -1
        if found < 0:
            return i
        lengths[number, 0] = found
        unit_ends[number] = _count_grams(bigrams, characters, units, at, text, document, asked, lengths[number, 1:])
        start = ends[i]
    return len(ends)


@kernel
def grouped(table: Any, order: Any, starts: Any, documents: Any, in_question: Any, in_answer: Any) -> None:
    """The postings term by term, the terms in `order`; `starts`, shape (terms + 1,), gets where each begins."""
    place = np.empty(len(order), np.int64)
    for i in range(len(order)):
        place[order[i]] = i
    starts[:] = 0
    for posting in range(table.used[1]):
        starts[place[table.terms[posting]] + 1] += 1
    for i in range(len(order)):
        starts[i + 1] += starts[i]
    free = starts[:-1].copy()
    for posting in range(table.used[1]):
        at = free[place[table.terms[posting]]]
        free[place[table.terms[posting]]] = at + 1
        documents[at] = table.documents[posting]
        in_question[at] = table.in_question[posting]
        in_answer[at] = table.in_answer[posting]


@kernel
def count_character(units: Any, unit_ends: Any, part: Any, wanted: Any, frequencies: Any) -> None:
    """How often the character with this number stands in one part of each document."""
    for document in range(len(frequencies)):
        text = 2 * document + part
        i = unit_ends[text - 1] if text else 0
        while i < unit_ends[text]:
            number, i = next_character(units, i)
            if number == wanted:
                frequencies[document] += 1
