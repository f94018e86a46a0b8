"""BPE whose merges are learnt inside morphs: Morfessor finds the morphs, BPE the pieces.

Morfessor Baseline (Creutz & Lagus 2005; Virpioja et al. 2013) is needed for training only: the merges apply to whole
words afterwards, and the rank in which they were learnt makes them follow the morphs where the corpus was clear.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import regex
from tokenizers import pre_tokenizers

from tokenization.folder import TrainedTokenizer
from tokenization.training.character_bpe import WORD, WORDS, assemble, isolate, learn, smallest_size
from tokenization.training.sizes import too_large, too_small

if TYPE_CHECKING:
    from morfessor import BaselineModel

KIND = "morphology-bpe"

MOST_TYPES = 20_000
"""Word types that Morfessor is trained on at most, the most frequent; the others are only segmented."""

EPOCHS = 2
"""Passes of Morfessor over the word types; to convergence it takes five or six, for the same boundary F1 on gold."""

# A morph may begin with a vowel sign, as a fifth of the published gold do; but no boundary falls inside a conjunct or
# before a nukta or a joiner, where no morph of Hindi, Marathi or Bengali has one.
_VIRAMAS = "\u094d\u09cd"
_JOINED = f"{_VIRAMAS}\u200c\u200d"
NO_BOUNDARY = f"(?:.[{_JOINED}\u093c\u09bc]|[{_JOINED}].)"
"""Two neighbouring characters with no morph boundary between them, as a pattern of `re`."""

_BOUNDARY = "\ufdd3"
"""A noncharacter that stands for a morph boundary during training."""


def train_morphology(texts: Iterable[str], size: int) -> TrainedTokenizer:
    """A `morphology-bpe` tokenizer of `size` ids, special tokens and byte pieces included.

    Args:
        texts: the stories.
        size: number of ids.

    Raises:
        UserError: the texts cannot give a vocabulary of that size; the message names the largest, or smallest.
    """
    texts = [text.replace(_BOUNDARY, "") for text in texts]
    if size < (smallest := smallest_size(texts)):
        raise too_small(KIND, size, smallest)
    morphs = find_morphs(Counter(word for text in texts for word in regex.findall(WORD, text)))
    cut = pre_tokenizers.Sequence([pre_tokenizers.Split(_BOUNDARY, "removed"), isolate(WORDS)])
    pieces, merges = learn((_mark(text, morphs) for text in texts), size, cut)
    if len(pieces) < size:
        raise too_large(KIND, size, len(pieces))
    return TrainedTokenizer(KIND, assemble(pieces, merges, isolate(WORDS)))


def _mark(text: str, morphs: Mapping[str, Sequence[str]]) -> str:
    """A text with every word's morph boundaries marked."""
    return regex.sub(WORD, lambda word: _BOUNDARY.join(morphs[word[0]]), text)


def find_morphs(counts: Mapping[str, int]) -> dict[str, list[str]]:
    """The morphs of each word: the best path by Morfessor Baseline trained on the words with their counts.

    A word that occurs n times weighs log2(n + 1), rounded, as is usual for Morfessor: between types and tokens.
    """
    model = _train_morfessor(counts)
    return {word: model.viterbi_segment(word)[0] for word in counts}


def _train_morfessor(counts: Mapping[str, int]) -> BaselineModel:
    import morfessor

    frequent = sorted(counts, key=lambda word: (-counts[word], word))[:MOST_TYPES]
    model = morfessor.BaselineModel(nosplit_re=NO_BOUNDARY)
    model.load_data([(counts[word], word) for word in frequent], count_modifier=_damp)
    shown, state = morfessor.utils.show_progress_bar, random.getstate()
    morfessor.utils.show_progress_bar = False
    random.seed(0)  # Morfessor shuffles the words with the global generator
    try:
        model.train_batch(max_epochs=EPOCHS)
    finally:
        random.setstate(state)
        morfessor.utils.show_progress_bar = shown
    return model


def _damp(count: int) -> int:
    return round(math.log2(count + 1))
