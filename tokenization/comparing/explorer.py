"""How each tokenizer cuts the same few sentences, and how a page draws that without tearing an akshara."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import regex

from evaluation.words import sentences
from tokenization.opening.tokenizer import Tokenizer

SHORTEST, LONGEST = 30, 160
"""Code points of a sentence that is shown."""

_MOST_CANDIDATES = 2000
_CLUSTER = regex.compile(r"\X")
_CONTROL = regex.compile(r"[\p{Cc}\p{Cs}]")
_TRAITS = {
    "nukta": regex.compile("[\u093c\u09bc\u0929\u0931\u0934\u0958-\u095f\u09dc-\u09df]"),
    "joiner": regex.compile("[\u200c\u200d]"),
    "digit": regex.compile(r"\p{Nd}"),
    "quotation": regex.compile(r"[\"'\p{Pi}\p{Pf}]"),
    "long word": regex.compile(r"(?:(?!\s)\X){9}"),
    "Latin": regex.compile(r"\p{Script=Latin}"),
}
_CONJUNCT = regex.compile("[\u094d\u09cd].")


class Akshara(NamedTuple):
    """One extended grapheme cluster of a sentence."""

    text: str
    tokens: int
    """Tokens that it is spread over: 1 if it is whole."""
    torn: bool
    """Whether a boundary lies inside one of its code points, so that there are byte pieces."""


def explore(tokenizers: Sequence[Tokenizer], sentences: Sequence[str]) -> dict[str, Any]:
    """`{"sentences", "cuts": {name: [[[start, end], …] of each sentence]}}`, in code points of the sentence."""
    return {
        "sentences": list(sentences),
        "cuts": {
            tokenizer.name: [
                [[int(start), int(end)] for start, end in zip(found.starts, found.ends, strict=True)]
                for found in tokenizer.encode_batch(sentences)
            ]
            for tokenizer in tokenizers
        },
    }


def choose_sentences(texts: Sequence[str], language: str, count: int = 20) -> list[str]:
    """Up to `count` different sentences of 30 to 160 code points that show much of the script.

    Greedy: each time the sentence that adds most, where a trait (nukta, joiner, digit, quotation mark, word of nine
    aksharas, Latin letters) adds 1 / (1 + sentences chosen with it) and every conjunct not yet shown adds 1/10; of
    equal ones the earlier. Equal texts give equal choices.
    """
    found: dict[str, tuple[frozenset[str], frozenset[str]]] = {}
    for text in texts:
        for sentence in map(str.strip, sentences(text, language)):
            if SHORTEST <= len(sentence) <= LONGEST and sentence not in found and not _CONTROL.search(sentence):
                traits = frozenset(name for name, pattern in _TRAITS.items() if pattern.search(sentence))
                conjuncts = frozenset(x for x in _CLUSTER.findall(sentence) if _CONJUNCT.search(x))
                found[sentence] = (traits, conjuncts)
        if len(found) >= _MOST_CANDIDATES:
            break
    chosen: list[str] = []
    shown = dict.fromkeys(_TRAITS, 0)
    seen: set[str] = set()
    while found and len(chosen) < count:
        best = max(found, key=lambda s: sum(1 / (1 + shown[t]) for t in found[s][0]) + len(found[s][1] - seen) / 10)
        traits, conjuncts = found.pop(best)
        for trait in traits:
            shown[trait] += 1
        seen |= conjuncts
        chosen.append(best)
    return chosen


def drawn(sentence: str, spans: Sequence[Sequence[int]]) -> list[list[Akshara]]:
    """The aksharas of a sentence in groups, a new one wherever a token begins between two aksharas.

    A boundary inside an akshara does not part it, for half a conjunct is drawn as another sign: it is counted in
    `Akshara.tokens`. A boundary that covers a gap (a space that no token holds) parts at the gap's first akshara edge.
    """
    clusters = _CLUSTER.findall(sentence)
    owner = [number for number, cluster in enumerate(clusters) for _ in cluster]
    firsts = {0}
    inside = [0] * len(clusters)
    torn = [False] * len(clusters)
    for (_, end), (start, _) in pairwise(spans):
        if start < end:  # inside code point end - 1
            inside[owner[end - 1]] += 1
            torn[owner[end - 1]] = True
            continue
        edges = (at for at in range(max(end, 1), min(start, len(sentence) - 1) + 1) if owner[at] != owner[at - 1])
        edge = next(edges, None)
        if edge is not None:
            firsts.add(owner[edge])
        elif 0 < end < len(sentence):
            inside[owner[end]] += 1
    groups: list[list[Akshara]] = []
    for number, cluster in enumerate(clusters):
        if number in firsts:
            groups.append([])
        groups[-1].append(Akshara(cluster, inside[number] + 1, torn[number]))
    return groups


def packed(groups: Sequence[Sequence[Akshara]]) -> list[list[Any]]:
    """Groups as the page's JSON: runs of whole aksharas are one string, a cut one is `[text, tokens, 0 or 1]`."""
    found = []
    for group in groups:
        runs: list[Any] = []
        for akshara in group:
            if akshara.tokens > 1:
                runs.append([akshara.text, akshara.tokens, int(akshara.torn)])
            elif runs and isinstance(runs[-1], str):
                runs[-1] += akshara.text
            else:
                runs.append(akshara.text)
        found.append(runs)
    return found
