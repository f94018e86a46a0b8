"""What a tokenizer does to the same text in another spelling: Unicode variants and typing noise, by sentences.

To be read beside fertility: a tokenizer that cuts everywhere moves no boundary and gains few tokens, whatever is done
to the text.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import regex

from evaluation.intervals import bootstrap_ratio, proportion
from evaluation.words import sentences
from tokenization.measures.definitions import Definition, Measured, point
from tokenization.measures.noise import RATE, noise_edits
from tokenization.measures.variants import VARIANTS, Edit, apply_edits, variants
from tokenization.opening.tokenizer import Encoded, Tokenizer

FEWEST = 10
"""A variant that changes fewer sentences has no value."""

_TITLES = {variant.name: variant.title for variant in VARIANTS} | {"typing_noise": f"{RATE:.0%} of the words misspelt"}

DEFINITIONS = {
    measure: definition
    for name, title in _TITLES.items()
    for measure, definition in {
        f"{name}_tokens": Definition(
            f"{title}: change in tokens",
            "tokens of the variant / tokens of the original − 1, over the sentences that the variant changes",
            style="percent",
            group="robustness",
        ),
        f"{name}_recut": Definition(
            f"{title}: words cut anew",
            "of the words that a change touches, those with a token boundary moved that is not in or at the edge of a "
            "changed akshara",
            better="lower",
            style="percent",
            group="robustness",
        ),
        f"{name}_round_trip": Definition(
            f"{title}: exact round trip",
            "sentences of the variant that decode(encode(·)) gives back exactly / sentences that the variant changes",
            better="higher",
            style="percent",
            group="robustness",
        ),
    }.items()
}
"""Three measures for each variant; where a language does not have the variant, the three have no value."""

_AKSHARA = regex.compile(r"\X")
_WORD = regex.compile(r"\S+")


@dataclass(frozen=True)
class Pair:
    """A sentence in two spellings."""

    original: str
    changed: str
    edits: tuple[Edit, ...]
    """From the original to the other."""
    zones: tuple[tuple[int, int], ...]
    """Code points of the original from the first akshara that each edit changes to the end of the last."""
    words: tuple[tuple[int, int], ...]
    """Code points of the original's words that an edit touches, inside or at the edge."""


def measure_robustness(
    tokenizer: Tokenizer,
    texts: Sequence[str],
    language: str,
    most: int = 300,
    fewest: int = FEWEST,
    resamples: int = 2000,
) -> dict[str, Measured]:
    """Every measure of `DEFINITIONS`, each with a 95 % interval over sentences (round trips: Wilson's, else bootstrap).

    `texts`: documents of the language (ISO 639-1). Of their sentences, at most `most` that a variant changes are drawn,
    the same for every tokenizer; a variant that changes fewer than `fewest` (1 or more) has no value.
    """
    found = {name: point(None) for name in DEFINITIONS}
    samples = {name: pairs for name, pairs in pairs_of(tuple(texts), language, most).items() if len(pairs) >= fewest}
    spellings = list(
        {text: None for pairs in samples.values() for pair in pairs for text in (pair.original, pair.changed)}
    )
    encoded = dict(zip(spellings, tokenizer.encode_batch(spellings), strict=True))
    for name, pairs in samples.items():
        before = np.array([len(encoded[pair.original].ids) for pair in pairs])
        after = np.array([len(encoded[pair.changed].ids) for pair in pairs])
        if before.sum():
            found[f"{name}_tokens"] = dict(bootstrap_ratio(after - before, before, resamples=resamples).as_dict())
        touched = [len(pair.words) for pair in pairs]
        if sum(touched):
            recut = [count_recut(pair, encoded[pair.original], encoded[pair.changed]) for pair in pairs]
            found[f"{name}_recut"] = dict(bootstrap_ratio(recut, touched, resamples=resamples).as_dict())
        exact = [tokenizer.decode(encoded[pair.changed].ids.tolist()) == pair.changed for pair in pairs]
        found[f"{name}_round_trip"] = dict(proportion(exact).as_dict())
    return found


def count_recut(pair: Pair, before: Encoded, after: Encoded) -> int:
    """Of the words that an edit touches, those with a token boundary outside every zone in one spelling only.

    A boundary counts with how often it stands at its place: bytes of one code point have several. The edge of a zone is
    no place outside it, for there a boundary has a changed akshara on one side.
    """
    old = Counter(_outside(_places(before), pair.zones))
    new = Counter(_outside(_in_original(_places(after), pair.edits), pair.zones))
    moved = np.array(sorted((old - new) + (new - old)))
    return sum(bool(np.any((moved > 2 * start) & (moved < 2 * end))) for start, end in pair.words)


@lru_cache(maxsize=4)
def pairs_of(texts: tuple[str, ...], language: str, most: int) -> dict[str, list[Pair]]:
    """For each variant of the language, and for typing noise, up to `most` sentences that it changes, both spellings.

    The sentences are drawn with a fixed seed.
    """
    drawn = [sentence for text in texts for sentence in sentences(text, language)]
    random.Random(0).shuffle(drawn)
    changes: dict[str, Callable[[str], list[Edit]]] = {
        name: variant.edits for name, variant in variants(language).items()
    }
    changes["typing_noise"] = lambda sentence: noise_edits(sentence, language)
    found = {}
    for name, change in changes.items():
        pairs: list[Pair] = []
        for sentence in drawn:
            if len(pairs) == most:
                break
            if edits := change(sentence):
                pairs.append(make_pair(sentence, edits))
        found[name] = pairs
    return found


def make_pair(original: str, edits: Sequence[Edit]) -> Pair:
    """A sentence and the same with these edits, with the aksharas and the words that they touch."""
    changed = apply_edits(original, edits)
    # Where an akshara begins or ends in both spellings, in code points of the original.
    shared = set(_edges(original)) & {
        int(place) // 2 for place in _in_original(2 * np.array(_edges(changed), dtype=np.int64), edits)
    }
    edges = np.array(sorted(shared | {0, len(original)}))
    zones = [(int(edges[edges <= edit.start].max()), int(edges[edges >= edit.end].min())) for edit in edits]
    spans = [match.span() for match in _WORD.finditer(original)]
    words = [span for span in spans if any(edit.start <= span[1] and edit.end >= span[0] for edit in edits)]
    return Pair(original, changed, tuple(edits), tuple(zones), tuple(words))


def _edges(text: str) -> list[int]:
    return [0, *(match.end() for match in _AKSHARA.finditer(text))]


def _places(encoded: Encoded) -> np.ndarray:
    """Twice the code point at which each boundary between two tokens stands, less one where it cuts a code point."""
    inside = encoded.starts[1:] < encoded.ends[:-1]
    return 2 * encoded.ends[:-1].astype(np.int64) - inside


def _in_original(places: np.ndarray, edits: Sequence[Edit]) -> np.ndarray:
    """Places (twice the code point) of the changed text in the original; those inside a replacement are left out."""
    kept, low, shift = [], -1, 0
    for edit in edits:
        start = 2 * (edit.start + shift)
        kept.append(places[(places >= low) & (places <= start)] - 2 * shift)
        low = start + 2 * len(edit.replacement)
        shift += len(edit.replacement) - (edit.end - edit.start)
    return np.concatenate([*kept, places[places >= low] - 2 * shift])


def _outside(places: np.ndarray, zones: Sequence[tuple[int, int]]) -> list[int]:
    """Those places that lie neither inside nor at the edge of a zone."""
    outside = np.ones(len(places), dtype=bool)
    for start, end in zones:
        outside &= (places < 2 * start) | (places > 2 * end)
    return places[outside].tolist()
