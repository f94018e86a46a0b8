"""The text a probe reads: the same stories in the same windows whatever the tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from corpora.stories import Story
from tokenization.opening.tokenizer import Tokenizer
from tokenization.specials import BEGIN, END, SPECIALS

BEGIN_ID, END_ID = SPECIALS.index(BEGIN), SPECIALS.index(END)


def choose_text(stories: Sequence[Story], characters: int) -> list[Story]:
    """Whole stories in a fixed shuffled order, as many as fit into `characters` code points (at least one)."""
    chosen: list[Story] = []
    room = characters
    for number in np.random.default_rng(0).permutation(len(stories)):
        story = stories[number]
        if not chosen or len(story.text) <= room:
            chosen.append(story)
            room -= len(story.text)
    return chosen


def cut_positions(text: str, longest: int) -> list[int]:
    """Where a story's windows end, the last at its end: before a space, or after `longest` code points without one."""
    cuts = []
    start = 0
    while len(text) - start > longest:
        space = text.rfind(" ", start + 1, start + longest + 1)
        start = space if space > start else start + longest
        cuts.append(start)
    return [*cuts, len(text)]


def read_windows(tokenizer: Tokenizer, texts: Sequence[str], longest: int) -> list[list[list[int]]]:
    """Each story `<s> ids </s>` in windows that overlap by one token.

    A story is encoded whole and then cut, so its tokens are those of real use. A window's first token is its only
    context from before; the others are what it is to predict, so that each token is predicted once. A token that
    crosses a cut goes to the window in which it begins, so a window can be left with nothing to predict.
    """
    found = []
    for text, encoded in zip(texts, tokenizer.encode_batch(texts), strict=True):
        cuts = np.searchsorted(encoded.starts, cut_positions(text, longest)[:-1], "left")
        story = [BEGIN_ID, *encoded.ids.tolist(), END_ID]
        found.append([story[start : end + 1] for start, end in pairwise([0, *cuts.tolist(), len(story) - 1])])
    return found
