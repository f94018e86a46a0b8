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
_BEGIN, _END, _EMPTY, _NOTHING = 0, 1, 2, 3
"""Numbers of a story's beginning and end, of the word between two spaces, and of what an empty story holds."""


def words_are_apart(tokenizer: Any) -> bool:
    """Whether a `tokenizers.Tokenizer` gives a text the ids of its words (what stands between spaces) in turn.

    So it is with SentencePiece's BPE as the lab converts it: a space becomes the first character of the word after it,
    and no piece has it elsewhere; so no merge reaches across a word's beginning, and a merge in one word changes
    nothing in another. (A unigram model is left out: how it rounds a text's score can decide between equal ways.)
    """
    state = json.loads(tokenizer.to_str())
    model, normalizer = state["model"], state["normalizer"] or {}
    steps = normalizer.get("normalizers", [])
    spaces = [
        {"type": "Prepend", "prepend": SPACE},
        {"type": "Replace", "pattern": {"String": " "}, "content": SPACE},
    ]
    return (
        model["type"] == "BPE"
        and not any(model.get(name) for name in ("dropout", "ignore_merges", "end_of_word_suffix"))
        and not model.get("continuing_subword_prefix")
        and state["pre_tokenizer"] is None
        and state["truncation"] is None
        and all(token["special"] for token in state["added_tokens"])
        and steps[-2:] == spaces
        and all(
            step["type"] == "Replace" and " " not in step["pattern"].get("String", " ") and " " not in step["content"]
            for step in steps[:-2]
        )
        and SPACE in model["vocab"]
        and not any(SPACE in piece[1:] for piece in model["vocab"])
    )


class WordEncoder:
    """The ids of documents by a tokenizer for which `words_are_apart`; words stay known from call to call."""

    def __init__(self, tokenizer: Any, begin: int, end: int) -> None:
        self.tokenizer = tokenizer
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
            found = [encoding.ids for encoding in self.tokenizer.encode_batch_fast(new, add_special_tokens=False)]
            self.numbers |= zip(new, range(len(self.lengths), len(self.lengths) + len(new)), strict=True)
            self.lengths = np.concatenate([self.lengths, [len(ids) for ids in found]])
            self.ids = np.concatenate([self.ids, *(np.array(ids, dtype=np.int64) for ids in found)])
            self.starts = np.cumsum(self.lengths) - self.lengths
        return np.fromiter((self.numbers[word] for word in words), np.int64, len(words))
