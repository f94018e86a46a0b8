"""Intrinsic measures of a tokenizer on running text, with bootstrap intervals over texts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluation.intervals import proportion
from tokenization.measures import entropy, vocabulary
from tokenization.measures.definitions import Definition, Measured, point
from tokenization.measures.edits import distance
from tokenization.measures.prepared import PreparedTexts
from tokenization.measures.resampling import bootstrap_ratios
from tokenization.opening.tokenizer import Tokenizer

WINDOW = 512
"""Tokens of a context window, those for a text's beginning and end among them."""

_WORD = "words are whitespace-separated runs without the punctuation at their edges"
_RUST = "Rust et al. 2021, How Good is Your Tokenizer?"

_DEFINITIONS = {
    "fertility": Definition("Fertility", "tokens / whitespace-separated words of running text", _RUST, "lower"),
    "characters_per_token": Definition("Characters/token", "Unicode code points / tokens", "", "higher"),
    "bytes_per_token": Definition("Bytes/token", "UTF-8 bytes / tokens", "", "higher"),
    "aksharas_per_token": Definition(
        "Aksharas/token", "extended grapheme clusters (\\X) / tokens", "Unicode UAX 29 with GB9c", "higher"
    ),
    "akshara_splitting_rate": Definition(
        "Aksharas split",
        "boundaries inside an extended grapheme cluster (\\X), those inside a code point among them / boundaries "
        "between tokens of a text",
        "Unicode UAX 29 with GB9c",
        "lower",
        "percent",
    ),
    "code_point_splitting_rate": Definition(
        "Code points split",
        "boundaries inside a code point / boundaries between tokens of a text",
        "",
        "lower",
        "percent",
    ),
    "continued_word_rate": Definition(
        "Words cut", f"words with a boundary inside / words; {_WORD}", _RUST, "lower", "percent"
    ),
    "single_token_word_rate": Definition(
        "Words of one token",
        "words inside one known token that has the space before them too, where they follow one or begin the text / "
        f"words; {_WORD}",
        "single token retention rate: Nayeem et al. 2025, Beyond Fertility",
        "higher",
        "percent",
    ),
    "unknown_rate": Definition("Unknown tokens", "tokens for unknown text / tokens", "", "lower", "percent"),
    "byte_fallback_rate": Definition(
        "Byte tokens", "tokens that are a byte piece or not valid UTF-8 / tokens", "", "lower", "percent"
    ),
    "round_trip_rate": Definition(
        "Exact round trips",
        "texts that decode(encode(text)) gives back exactly / texts; Wilson's interval",
        "",
        "higher",
        "percent",
    ),
    "round_trip_character_error": Definition(
        "Round-trip errors",
        "Levenshtein distance of decode(encode(text)) to the text / code points",
        "character error rate: Levenshtein 1966",
        "lower",
        "percent",
    ),
    "characters_per_window": Definition(
        f"Characters in {WINDOW} tokens", f"{WINDOW} × code points / tokens, two more a text", "", "higher", "whole"
    ),
    "whole_in_window": Definition(
        f"Whole in {WINDOW} tokens",
        f"texts of at most {WINDOW} tokens, their beginning and end among them / texts; Wilson's interval",
        "",
        "higher",
        "percent",
    ),
}

DEFINITIONS: dict[str, Definition] = {**_DEFINITIONS, **vocabulary.DEFINITIONS, **entropy.DEFINITIONS}
"""Its keys are those of `measure_text`."""


@dataclass(frozen=True)
class Tokens:
    """The tokens of all texts in one row; positions are those of `PreparedTexts`."""

    ids: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    texts: np.ndarray
    """Number of the text that each token stands in; every array here has shape (tokens,)."""
    counts: np.ndarray
    """Tokens of each text, shape (texts,)."""


def encode(tokenizer: Tokenizer, texts: PreparedTexts) -> Tokens:
    """Encode all texts."""
    encoded = tokenizer.encode_batch(texts.texts)
    counts = np.array([len(one.ids) for one in encoded], dtype=np.int64)
    numbers = np.repeat(np.arange(len(encoded)), counts)
    none = [np.empty(0, dtype=np.int64)]
    return Tokens(
        np.concatenate(none + [one.ids for one in encoded]),
        np.concatenate(none + [one.starts for one in encoded]) + texts.offsets[numbers],
        np.concatenate(none + [one.ends for one in encoded]) + texts.offsets[numbers],
        numbers,
        counts,
    )


def measure_text(
    tokenizer: Tokenizer, texts: PreparedTexts, classes: np.ndarray | None = None, resamples: int = 2000
) -> dict[str, Measured]:
    """Every measure of `DEFINITIONS` on whole texts, with 95 % intervals over texts (their clusters, where given).

    `classes`: those of `vocabulary.classify(tokenizer)`, found here if not given. A ratio with an empty denominator (no
    boundary at all, no text) has no value.
    """
    if classes is None:
        classes = vocabulary.classify(tokenizer)
    tokens = encode(tokenizer, texts)
    errors = _round_trip_errors(tokenizer, texts, tokens)
    bytes_ = np.isin(classes, vocabulary.CLASSES.index("bytes"))
    unknown = tokens.ids == (-1 if tokenizer.unknown_id is None else tokenizer.unknown_id)
    splits = count_splits(tokens, texts)
    cut, single = count_words(tokens, texts, unknown)
    found = bootstrap_ratios(
        {
            "fertility": (tokens.counts, texts.runs),
            "characters_per_token": (texts.characters, tokens.counts),
            "bytes_per_token": (texts.bytes, tokens.counts),
            "aksharas_per_token": (texts.aksharas, tokens.counts),
            "akshara_splitting_rate": (splits.in_aksharas, splits.boundaries),
            "code_point_splitting_rate": (splits.in_code_points, splits.boundaries),
            "continued_word_rate": (cut, texts.words),
            "single_token_word_rate": (single, texts.words),
            "unknown_rate": (_per_text(tokens.texts[unknown], texts), tokens.counts),
            "byte_fallback_rate": (_per_text(tokens.texts[bytes_[tokens.ids]], texts), tokens.counts),
            "round_trip_character_error": (errors, texts.characters),
            "characters_per_window": (WINDOW * texts.characters, tokens.counts + 2),
        },
        texts.clusters,
        resamples,
    )
    counts = np.bincount(tokens.ids, minlength=tokenizer.vocabulary_size)
    return {
        **found,
        "round_trip_rate": _share(errors == 0, texts),
        "whole_in_window": _share(tokens.counts + 2 <= WINDOW, texts),
        **vocabulary.measure_use(counts, classes),
        **entropy.measure_efficiency(tokens.ids, tokens.texts, tokenizer.vocabulary_size, texts.clusters),
    }


@dataclass(frozen=True)
class Splits:
    """Boundaries between the tokens of each text, each of shape (texts,)."""

    boundaries: np.ndarray
    in_aksharas: np.ndarray
    in_code_points: np.ndarray


def count_splits(tokens: Tokens, texts: PreparedTexts) -> Splits:
    """Boundaries strictly inside each text, and those of them inside an akshara and inside a code point."""
    ends, starts, owners = _boundaries(tokens, texts)
    inside = (ends > texts.offsets[owners]) & (starts < texts.offsets[owners + 1] - 1)
    ends, starts, owners = ends[inside], starts[inside], owners[inside]
    in_code_point = starts < ends
    # A boundary may cover a gap (a space that belongs to no token): it splits only where no akshara begins in it.
    in_akshara = in_code_point | (texts.before[starts + 1] == texts.before[ends])
    return Splits(
        _per_text(owners, texts), _per_text(owners[in_akshara], texts), _per_text(owners[in_code_point], texts)
    )


def count_words(tokens: Tokens, texts: PreparedTexts, unknown: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Words of each text that a boundary cuts, and that lie in one known token with the space before them.

    `unknown`: whether each token stands for unknown text, shape (tokens,).
    """
    ends, starts, _ = _boundaries(tokens, texts)
    cut = np.zeros(len(texts.word_starts) + 1, dtype=bool)  # one more, for positions in no word (-1)
    within = (ends > 0) & (starts < len(texts.word_at))
    left, right = texts.word_at[ends[within] - 1], texts.word_at[starts[within]]
    cut[right[left == right]] = True
    single = ~cut
    first = np.full(len(texts.word_at) + 1, -1, dtype=np.int64)
    first[texts.word_starts[texts.spaced]] = np.flatnonzero(texts.spaced)
    single[first[starts[starts == ends]]] = False  # its space belongs to the token before
    for edge in (tokens.starts, tokens.ends - 1):
        single[texts.word_at[np.minimum(edge[unknown], len(texts.word_at) - 1)]] = False
    covered = np.cumsum(
        np.bincount(tokens.starts, minlength=len(texts.word_at) + 1)
        - np.bincount(tokens.ends, minlength=len(texts.word_at) + 1)
    )
    single[:-1] &= covered[texts.word_starts] > 0
    return _per_text(texts.word_texts[cut[:-1]], texts), _per_text(texts.word_texts[single[:-1]], texts)


def _boundaries(tokens: Tokens, texts: PreparedTexts) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each two neighbours in one text: the first one's end, the second one's start, and the text's number."""
    same = tokens.texts[1:] == tokens.texts[:-1]
    return tokens.ends[:-1][same], tokens.starts[1:][same], tokens.texts[1:][same]


def _share(hits: np.ndarray, texts: PreparedTexts) -> Measured:
    """Share of texts, with Wilson's interval: often all are hits or none is, where the bootstrap has no width."""
    return dict(proportion(hits, clusters=texts.clusters).as_dict()) if len(texts) else point(None)


def _per_text(owners: np.ndarray, texts: PreparedTexts) -> np.ndarray:
    return np.bincount(owners, minlength=len(texts))


def _round_trip_errors(tokenizer: Tokenizer, texts: PreparedTexts, tokens: Tokens) -> np.ndarray:
    """Levenshtein distance of each text to what its tokens decode to, shape (texts,)."""
    parts = np.split(tokens.ids, np.cumsum(tokens.counts)[:-1]) if len(texts) else []
    return np.array(
        [distance(tokenizer.decode(ids.tolist()), text) for ids, text in zip(parts, texts.texts, strict=True)],
        dtype=np.int64,
    )
