"""Encoding each distinct word once, where that gives the same ids as encoding whole stories."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

SPACE = "▁"
MOST_WORDS = 1_000_000
"""Distinct words kept between two calls; past it the encoder starts anew, so that its memory is bounded."""
WORDS_PER_TEXT = 100
"""New words that are encoded together."""
_BEGIN, _END, _EMPTY, _NOTHING = 0, 1, 2, 3
"""Numbers of a story's beginning and end, of the word between two spaces, and of what an empty story holds."""


def words_are_apart(tokenizer: Any) -> bool:
    """Whether a `tokenizers.Tokenizer` gives a text the ids of its words (what stands between spaces) in turn.

    So it is with SentencePiece's BPE as the lab converts it: a space becomes the first character of the word after it,
    and no piece has it elsewhere; so no merge reaches across a word's beginning, and a merge in one word changes
    nothing in another. (A unigram model is left out: how it rounds a text's score can decide between equal ways.)
    """
    model, normalizer = tokenizer.model, tokenizer.normalizer
    steps = json.loads(normalizer.__getstate__()).get("normalizers", []) if normalizer else []
    before, last = steps[:-2], steps[-2:]
    spaces = [
        {"type": "Prepend", "prepend": SPACE},
        {"type": "Replace", "pattern": {"String": " "}, "content": SPACE},
    ]
    vocabulary = tokenizer.get_vocab(with_added_tokens=False)
    return (
        type(model).__name__ == "BPE"
        and not any((model.dropout, model.ignore_merges, model.continuing_subword_prefix, model.end_of_word_suffix))
        and tokenizer.pre_tokenizer is None
        and tokenizer.truncation is None
        and all(token.special for token in tokenizer.get_added_tokens_decoder().values())
        and last == spaces
        and all(step["type"] == "Replace" and not {" ", SPACE} & set(step["content"]) for step in before)
        # what looks like a space is written otherwise, and nothing else looks at spaces
        and [step["pattern"].get("String") for step in before].count(SPACE) == 1
        and all(" " not in step["pattern"].get("String", " ") for step in before)
        and SPACE in vocabulary
        and not any(SPACE in piece[1:] for piece in vocabulary)
    )


class WordEncoder:
    """The ids of documents by a tokenizer for which `words_are_apart`; words stay known from call to call."""

    def __init__(self, tokenizer: Any, begin: int, end: int) -> None:
        self.tokenizer = tokenizer
        self.starts_word = np.zeros(tokenizer.get_vocab_size(), dtype=bool)
        self.starts_word[[number for piece, number in tokenizer.get_vocab().items() if piece.startswith(SPACE)]] = True
        self.first = [begin, end, tokenizer.token_to_id(SPACE)]
        self._forget()

    def _forget(self) -> None:
        self.numbers = {"": _EMPTY}
        self.ids = np.array(self.first, dtype=np.int64)
        self.lengths = np.array([1, 1, 1, 0])
        self.starts = np.arange(4)

    def __call__(self, texts: pa.Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The ids of all documents in one array, and the length of each; a document is begin, the text's ids, end."""
        words = pc.split_pattern(texts, " ")
        per_text = words.value_lengths().to_numpy()
        coded = words.flatten().dictionary_encode()
        number = self._numbers(coded.dictionary.to_pylist())[coded.indices.to_numpy()]
        # a story's beginning and end are words like the others
        ends = np.cumsum(per_text + 2)
        index = np.full(len(number) + 2 * len(per_text), _END)
        index[ends - per_text - 2] = _BEGIN
        index[np.arange(len(number)) + np.repeat(2 * np.arange(len(per_text)) + 1, per_text)] = number
        index[ends[pc.binary_length(texts).to_numpy() == 0] - 2] = _NOTHING
        lengths = self.lengths[index]
        after = np.cumsum(lengths)
        place = np.repeat(self.starts[index] - after + lengths, lengths) + np.arange(after[-1])
        return self.ids[place], np.diff(after[ends - 1], prepend=0)

    def _numbers(self, words: list[str]) -> npt.NDArray[np.int64]:
        """The number of each word, by which its ids are found; new words are encoded."""
        if len(self.numbers) > MOST_WORDS:
            self._forget()
        new = [word for word in words if word not in self.numbers]
        if new:
            # many words in a text: each begins with a piece that begins with a space
            texts = [" ".join(new[first : first + WORDS_PER_TEXT]) for first in range(0, len(new), WORDS_PER_TEXT)]
            encodings = self.tokenizer.encode_batch_fast(texts, add_special_tokens=False)
            ids = np.concatenate([np.array(encoding.ids, dtype=np.int64) for encoding in encodings])
            begins = np.flatnonzero(self.starts_word[ids])
            self.numbers |= zip(new, range(len(self.lengths), len(self.lengths) + len(new)), strict=True)
            self.lengths = np.concatenate([self.lengths, np.diff(begins, append=len(ids))])
            self.ids = np.concatenate([self.ids, ids])
            self.starts = np.cumsum(self.lengths) - self.lengths
        return np.fromiter((self.numbers[word] for word in words), np.int64, len(words))
