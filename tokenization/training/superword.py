"""Superword BPE: merges inside words first, then across spaces, never across a sentence's end.

The idea is that of SuperBPE (Liu et al. 2025, arXiv:2503.13423) and BoundlessBPE (Schmidt et al. 2025,
arXiv:2504.00178), with the sentence as the limit as in IndicSuperTokenizer (arXiv:2511.03237).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer

from tokenization.folder import TrainedTokenizer
from tokenization.training.character_bpe import (
    WORDS,
    Merges,
    assemble,
    isolate,
    learn,
    merges,
    smallest_size,
)
from tokenization.training.sizes import too_large, too_small

KIND = "superword-bpe"

WORD_SHARE = 0.9
"""Of all ids, those given to pieces inside words before any merge crosses a space (IndicSuperTokenizer's ~90 %)."""

_BREAKS = "\n\r\v\f\x85\u2028\u2029"
_ENDS = "।॥.?!…"
SENTENCES = f"[^{_ENDS}{_BREAKS}]*[{_ENDS}]+[\"'”’»)\\]]*|[^{_ENDS}{_BREAKS}]+|[{_BREAKS}]+"
"""A sentence with the signs that end and close it, a rest without end, or line breaks. All text is one of the three."""

MOST_PIECES = 2 * 65_534
"""Private-use characters of planes 15 and 16, one of which stands for each piece in the second stage."""


def train_superword(texts: Iterable[str], size: int) -> TrainedTokenizer:
    """A `superword-bpe` tokenizer of `size` ids, special tokens and byte pieces included.

    Args:
        texts: the stories.
        size: number of ids; `WORD_SHARE` of them are learnt inside words.

    Raises:
        UserError: the texts cannot give a vocabulary of that size; the message names the largest, or smallest.
    """
    smallest = smallest_size(texts)
    if size < smallest:
        raise too_small(KIND, size, smallest)
    if size > MOST_PIECES:
        raise too_large(KIND, size, MOST_PIECES)

    def two_stages(size: int) -> tuple[list[str], Merges]:
        return _two_stages(texts, size, max(smallest, round(WORD_SHARE * size)))

    pieces, joined = two_stages(size)
    if len(pieces) < size:
        raise too_large(KIND, size, _largest(len(pieces), lambda size: len(two_stages(size)[0])))
    return TrainedTokenizer(KIND, assemble(pieces, joined, isolate(SENTENCES)))


def _largest(size: int, reached: Callable[[int], int]) -> int:
    """A size that is reached while the next is not: how far merging gets depends on where the first stage stops."""
    while (found := reached(size)) < size:
        size = found
    while reached(size + 1) > size:
        size += 1
    return size


def _two_stages(texts: Iterable[str], size: int, first: int) -> tuple[list[str], Merges]:
    """Pieces and merges: `first` ids from merges inside words, then up to `size` from merges inside sentences."""
    pieces, inside = learn(texts, first, isolate(SENTENCES, WORDS))
    mapped = _as_private_use(texts, assemble(pieces, inside, isolate(SENTENCES, WORDS)))
    across = _learn_across(list(mapped), pieces, size - len(pieces))
    return [*pieces, *(left + right for left, right in across)], [*inside, *across]


def _as_private_use(texts: Iterable[str], tokenizer: Tokenizer) -> Iterator[str]:
    """Every sentence of the texts as one string, one private-use character for each of its tokens."""
    for text in texts:
        sentences = [span for _, span in isolate(SENTENCES).pre_tokenize_str(text)]
        starts = {start for start, _ in sentences}
        encoding = tokenizer.encode(text)
        cuts = [number for number, (start, _) in enumerate(encoding.offsets) if start in starts]
        for begin, end in pairwise([*cuts, len(encoding.ids)]):
            yield "".join(map(_private_use, encoding.ids[begin:end]))


def _private_use(number: int) -> str:
    plane, place = divmod(number, 65_534)
    return chr((15 + plane) * 0x10000 + place)


def _learn_across(sentences: Sequence[str], pieces: Sequence[str], wanted: int) -> Merges:
    """At most `wanted` merges of the pieces that the sentences consist of.

    Each gives a piece that is new: had its letters been one piece before, they would have been merged to it, since the
    merges within a stretch of text depend on nothing around it.
    """
    tokenizer = Tokenizer(BPE())
    alphabet = len(set().union(*sentences))
    tokenizer.train_from_iterator(sentences, BpeTrainer(vocab_size=alphabet + wanted, show_progress=False))
    spelt = {_private_use(number): piece for number, piece in enumerate(pieces)}
    across = []
    for left, right in merges(tokenizer):
        across.append((spelt[left], spelt[right]))
        spelt[left + right] = spelt[left] + spelt[right]
    return across
