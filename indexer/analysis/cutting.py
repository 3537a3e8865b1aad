"""jieba's algorithm and the search for the lexicon's words, compiled: a text in microseconds instead of milliseconds.

The algorithm is that of jieba 0.42.1 (github.com/fxsj/jieba): the likeliest path through the dictionary's words, then a
hidden Markov model for what the dictionary does not know. Every sum is made in jieba's order, so that ties fall as they
do there; `tests/test_segment.py` compares the two on texts of all kinds.

Texts are arrays of code points (uint32). Imported when first needed: Numba takes a moment to load.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer.native import kernel

Codes = NDArray[np.uint32]
Spans = NDArray[np.int32]

ROOT = 0
NO_NODE = -1
EMPTY = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
_GOLDEN = np.uint64(0x9E37_79B9_7F4A_7C15)
_CODE_BITS = np.uint64(21)
_SIX = np.uint64(6)
_ALL_BITS = np.uint64(63)

FIRST_HAN, LAST_HAN = 0x4E00, 0x9FD5  #: what jieba takes for Han
_B, _E, _M, _S = 0, 1, 2, 3  # begin, end, middle, single; as letters they sort like this


class Dictionary(NamedTuple):
    """A trie of jieba's words and the lexicon's, and jieba's Markov model."""

    edges: NDArray[np.uint64]  #: open addressing, a power of two long: node << 21 | code point, or EMPTY
    targets: NDArray[np.int32]  #: the child at the end of each edge
    logs: NDArray[np.float64]  #: per node: log of the word's frequency; -1 where no word of jieba's ends
    words: NDArray[np.int32]  #: per node: number of the lexicon's word that ends there; -1 for none
    log_total: NDArray[np.float64]  #: shape (1,): log of the sum of all frequencies
    start: NDArray[np.float64]  #: shape (4,): log probabilities of begin, end, middle, single
    transition: NDArray[np.float64]  #: shape (4, 4): from, to
    emission: NDArray[np.float64]  #: shape (4, Han characters)
    letters: NDArray[np.uint8]  #: a bit for each code point: does it make a token worth keeping
    same: NDArray[np.int32]  #: per word of the lexicon: number of its term's name
    word_codes: NDArray[np.uint32]  #: the lexicon's words, one after another
    word_ends: NDArray[np.int64]  #: shape (words + 1,): where each begins and ends


@kernel
def _slot(edges: Any, edge: Any) -> Any:
    """Where an edge stands, or the empty place where it would."""
    mask = len(edges) - 1
    place = np.int64((edge * _GOLDEN) >> np.uint64(20)) & mask
    while edges[place] != edge and edges[place] != EMPTY:
        place = (place + 1) & mask
    return place


@kernel
def _child(edges: Any, targets: Any, node: Any, code: Any) -> Any:
    edge = (np.uint64(node) << _CODE_BITS) | np.uint64(code)
    place = _slot(edges, edge)
    return targets[place] if edges[place] == edge else NO_NODE


@kernel
def insert(edges: Any, targets: Any, nodes: Any, codes: Any, ends: Any, found: Any) -> Any:
    """Add words, `codes` one after another and `ends` where each ends; `found` gets the node of each.

    `nodes` is how many there are; gives how many there are then.
    """
    begin = 0
    for word in range(len(ends)):
        node = ROOT
        for i in range(begin, ends[word]):
            edge = (np.uint64(node) << _CODE_BITS) | np.uint64(codes[i])
            place = _slot(edges, edge)
            if edges[place] == EMPTY:
                edges[place] = edge
                targets[place] = nodes
                nodes += 1
            node = targets[place]
        found[word] = node
        begin = ends[word]
    return nodes


@kernel
def moved(old_edges: Any, old_targets: Any, edges: Any, targets: Any) -> None:
    """Put all edges into another table."""
    for i in range(len(old_edges)):
        if old_edges[i] != EMPTY:
            place = _slot(edges, old_edges[i])
            edges[place] = old_edges[i]
            targets[place] = old_targets[i]


@kernel
def node_of(dictionary: Any, codes: Any, start: Any, end: Any) -> Any:
    """The node that a text leads to, or NO_NODE."""
    node = ROOT
    for i in range(start, end):
        node = _child(dictionary.edges, dictionary.targets, node, codes[i])
        if node == NO_NODE:
            break
    return node


@kernel
def _has(dictionary: Any, codes: Any, start: Any, end: Any) -> Any:
    node = node_of(dictionary, codes, start, end)
    return node != NO_NODE and dictionary.logs[node] >= 0


@kernel
def _is_han(code: Any) -> Any:
    return FIRST_HAN <= code <= LAST_HAN


@kernel
def _is_alphanumeric(code: Any) -> Any:
    return 48 <= code <= 57 or 97 <= code <= 122 or 65 <= code <= 90


@kernel
def _is_cut(code: Any) -> Any:
    """jieba's re_han_default: Han, ASCII letters and digits, + # & . _ % -"""
    return (
        _is_han(code)
        or _is_alphanumeric(code)
        or code == 43
        or code == 35
        or code == 38
        or code == 46
        or code == 95
        or code == 37
        or code == 45
    )


@kernel
def is_letter(dictionary: Any, code: Any) -> Any:
    """Whether a token of this character alone says something."""
    return (dictionary.letters[code >> 3] >> (code & 7)) & 1


@kernel
def _best_path(dictionary: Any, codes: Any, lo: Any, hi: Any, last: Any) -> None:
    """`last[i]` becomes the last character of the word at i on the likeliest path, the later one of equals."""
    # arrays taken from a tuple within a loop are counted each time
    edges, targets, logs, log_total = dictionary.edges, dictionary.targets, dictionary.logs, dictionary.log_total[0]
    scores = np.empty(hi - lo + 1)
    scores[hi - lo] = 0.0
    for i in range(hi - 1, lo - 1, -1):
        best = -np.inf
        chosen = -1
        node = _child(edges, targets, ROOT, codes[i])
        j = i
        while node != NO_NODE:
            if logs[node] >= 0:
                score = logs[node] - log_total + scores[j + 1 - lo]
                if score >= best:
                    best = score
                    chosen = j
            j += 1
            if j >= hi:
                break
            node = _child(edges, targets, node, codes[j])
        if chosen < 0:
            best = 0.0 - log_total + scores[i + 1 - lo]
            chosen = i
        scores[i - lo] = best
        last[i] = chosen


@kernel
def _viterbi(dictionary: Any, codes: Any, lo: Any, hi: Any, spans: Any, n: Any) -> Any:
    """Words of a run of Han characters by the Markov model."""
    length = hi - lo
    before = np.empty((length, 4), np.int8)
    score = np.empty(4)
    new = np.empty(4)
    for state in range(4):
        score[state] = dictionary.start[state] + dictionary.emission[state, codes[lo] - FIRST_HAN]
    for t in range(1, length):
        for state in range(4):
            # begin and single follow end or single, end and middle follow begin or middle; the later letter of equals
            low, high = (_E, _S) if state in (_B, _S) else (_B, _M)
            emitted = dictionary.emission[state, codes[lo + t] - FIRST_HAN]
            from_low = score[low] + dictionary.transition[low, state] + emitted
            from_high = score[high] + dictionary.transition[high, state] + emitted
            before[t, state] = high if from_high >= from_low else low
            new[state] = max(from_high, from_low)
        score[:] = new
    states = np.empty(length, np.int8)
    states[length - 1] = _S if score[_S] >= score[_E] else _E
    for t in range(length - 1, 0, -1):
        states[t - 1] = before[t, states[t]]
    begin = 0
    done = 0
    for t in range(length):
        if states[t] == _B:
            begin = t
        elif states[t] == _E or states[t] == _S:
            spans[n, 0] = lo + (begin if states[t] == _E else t)
            spans[n, 1] = lo + t + 1
            n += 1
            done = t + 1
    if done < length:
        spans[n, 0] = lo + done
        spans[n, 1] = hi
        n += 1
    return n


@kernel
def _number_end(codes: Any, i: Any, hi: Any) -> Any:
    """End of [a-zA-Z0-9]+(.digits)?%? from i, or i."""
    j = i
    while j < hi and _is_alphanumeric(codes[j]):
        j += 1
    if j == i:
        return i
    k = j + 1
    while k < hi and codes[j] == 46 and 48 <= codes[k] <= 57:
        k += 1
    if k > j + 1:
        j = k
    if j < hi and codes[j] == 37:
        j += 1
    return j


@kernel
def _unknown(dictionary: Any, codes: Any, lo: Any, hi: Any, spans: Any, n: Any) -> Any:
    """Words of what stands between the dictionary's: Han by the model, letters and numbers whole, the rest whole."""
    i = lo
    while i < hi:
        j = i
        while j < hi and _is_han(codes[j]):
            j += 1
        if j > i:
            n = _viterbi(dictionary, codes, i, j, spans, n)
            i = j
            continue
        j = _number_end(codes, i, hi)
        if j == i:
            while j < hi and not _is_han(codes[j]) and not _is_alphanumeric(codes[j]):
                j += 1
        spans[n, 0] = i
        spans[n, 1] = j
        n += 1
        i = j
    return n


@kernel
def _rest(dictionary: Any, codes: Any, lo: Any, hi: Any, spans: Any, n: Any) -> Any:
    """Words of a run of single characters that the path went through."""
    if hi - lo > 1 and not _has(dictionary, codes, lo, hi):
        return _unknown(dictionary, codes, lo, hi, spans, n)
    for i in range(lo, hi):
        spans[n, 0] = i
        spans[n, 1] = i + 1
        n += 1
    return n


@kernel
def _cut_run(dictionary: Any, codes: Any, lo: Any, hi: Any, last: Any, spans: Any, n: Any, by_model: Any) -> Any:
    """Words of a run of characters that jieba cuts. Without the model, only ASCII letters are kept together."""
    _best_path(dictionary, codes, lo, hi, last)
    i = lo
    begin = lo  # of the single characters before i
    while i < hi:
        end = last[i] + 1
        single = end - i == 1 and (by_model or _is_alphanumeric(codes[i]))
        if not single:
            if i > begin:
                if by_model:
                    n = _rest(dictionary, codes, begin, i, spans, n)
                else:
                    spans[n, 0] = begin
                    spans[n, 1] = i
                    n += 1
            spans[n, 0] = i
            spans[n, 1] = end
            n += 1
            begin = end
        i = end
    if hi > begin:
        if by_model:
            n = _rest(dictionary, codes, begin, hi, spans, n)
        else:
            spans[n, 0] = begin
            spans[n, 1] = hi
            n += 1
    return n


@kernel
def cut(dictionary: Any, codes: Any, spans: Any, by_model: Any) -> Any:
    """jieba's words of a text: `spans`, at least a row for each character, gets their [start, end); gives how many."""
    last = np.empty(len(codes), np.int32)
    n = 0
    i = 0
    while i < len(codes):
        j = i
        while j < len(codes) and _is_cut(codes[j]):
            j += 1
        if j > i:
            n = _cut_run(dictionary, codes, i, j, last, spans, n, by_model)
        else:
            j = i + 2 if codes[i] == 13 and i + 1 < len(codes) and codes[i + 1] == 10 else i + 1
            spans[n, 0] = i
            spans[n, 1] = j
            n += 1
        i = j
    return n


@kernel
def cut_for_search(dictionary: Any, codes: Any, spans: Any) -> Any:
    """The same, before a long word the dictionary's words of two and three characters in it; `spans` needs three rows
    for each character.
    """
    whole = np.empty((len(codes), 2), np.int32)
    n = 0
    for k in range(cut(dictionary, codes, whole, True)):
        start, end = whole[k, 0], whole[k, 1]
        for size in range(2, min(end - start, 4)):
            for i in range(start, end - size + 1):
                if _has(dictionary, codes, i, i + size):
                    spans[n, 0] = i
                    spans[n, 1] = i + size
                    n += 1
        spans[n, 0] = start
        spans[n, 1] = end
        n += 1
    return n


@kernel
def _is_latin(code: Any) -> Any:
    return code < 128 and _is_alphanumeric(code)


@kernel
def mentions(dictionary: Any, codes: Any, spans: Any, words: Any) -> Any:
    """Every place of a normalised text where a word of the lexicon stands, by its start, longer ones first: `spans`
    gets [start, end), `words` which word; gives how many, even where there is no room for them.

    No part of a longer Latin word or number: CT does not stand in direct.
    """
    n = 0
    for start in range(len(codes)):
        first = n
        node = ROOT
        after_latin = start > 0 and _is_latin(codes[start - 1]) and _is_latin(codes[start])
        for i in range(start, len(codes)):
            node = _child(dictionary.edges, dictionary.targets, node, codes[i])
            if node == NO_NODE:
                break
            if dictionary.words[node] < 0 or after_latin:
                continue
            if _is_latin(codes[i]) and i + 1 < len(codes) and _is_latin(codes[i + 1]):
                continue
            if n < len(words):
                spans[n, 0] = start
                spans[n, 1] = i + 1
                words[n] = dictionary.words[node]
            n += 1
        if n <= len(words):
            for k in range((n - first) // 2):
                a, b = first + k, n - 1 - k
                spans[a, 1], spans[b, 1] = spans[b, 1], spans[a, 1]
                words[a], words[b] = words[b], words[a]
    return n
