"""Exact likelihood of whole documents under a causal model, in units that any two tokenizers share.

A document is `[BOS] text [EOS]`: the BOS conditions and costs nothing, the EOS is predicted and counts. Bits are
divided by the characters of the raw text (the EOS adds bits, no character), so that a tokenizer gains nothing by
cutting the text into fewer pieces.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from corpora.errors import UserError
from corpora.progress import progress as show
from corpora.stories import Story
from evaluation.intervals import Interval, bootstrap_ratio
from evaluation.models import boundary_tokens, check_match, context_length, embedding_table
from evaluation.words import count_aksharas

if TYPE_CHECKING:
    import numpy as np
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_LOGITS_AT_ONCE = 2**25


@dataclass(frozen=True)
class DocumentScore:
    """What one document costs, and its length in every unit."""

    id: str
    group: str
    nats: float
    """−ln p(text, end of document)."""
    tokens: int
    """Predicted tokens, the end of the document among them."""
    unknown: int
    """Tokens that stand for text the tokenizer cannot spell; if there are any, the bits are an underestimate."""
    characters: int
    """Unicode code points of the raw text."""
    aksharas: int
    """Extended grapheme clusters (Unicode UAX 29)."""
    bytes: int
    """UTF-8 bytes."""


@dataclass(frozen=True)
class _Window:
    document: int
    start: int
    """Position of the first input token."""
    end: int
    """Position after the last input token; it predicts the token at `end`."""
    first: int
    """Position of the first token that this window scores; it scores `first` … `end`."""


def score_documents(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    stories: Sequence[Story],
    *,
    context: int | None = None,
    stride: int | None = None,
    batch_tokens: int = 4096,
    progress: bool = False,
) -> list[DocumentScore]:
    """Score each story whole; results in the order given.

    `context`: tokens the model may see at once (default what its configuration says). A longer document is read in
    windows of `context` tokens that advance by `stride` (default half the context); each token is scored once, and
    from the second window on with at least `context − stride` tokens before it. UserError if the tokenizer yields
    identifiers that the model has no embedding for, or has no end-of-sequence token.
    """
    begin, end = boundary_tokens(tokenizer)
    encoded = [tokenizer.encode(story.text, add_special_tokens=False) for story in stories]
    unknown = tokenizer.unk_token_id
    nats = token_nats(
        model,
        [[begin, *ids, end] for ids in encoded],
        context=context,
        stride=stride,
        batch_tokens=batch_tokens,
        progress=progress,
    )
    return [
        DocumentScore(
            id=story.id,
            group=story.group or story.id,
            nats=float(costs.sum()),
            tokens=len(costs),
            unknown=0 if unknown is None or unknown in (begin, end) else ids.count(unknown),
            characters=len(story.text),
            aksharas=count_aksharas(story.text),
            bytes=len(story.text.encode()),
        )
        for story, ids, costs in zip(stories, encoded, nats, strict=True)
    ]


def token_nats(
    model: PreTrainedModel,
    sequences: Sequence[Sequence[int]],
    *,
    context: int | None = None,
    stride: int | None = None,
    batch_tokens: int = 4096,
    progress: bool = False,
) -> list[np.ndarray]:
    """−ln p(token | what precedes it) in float64, for every token but the first of each sequence.

    Windows of like length are batched, at most `batch_tokens` padded tokens at once (fewer when the vocabulary is so
    large that the logits would fill the memory). Padding stands on the right, where a causal model never looks.
    """
    import numpy as np
    import torch

    check_match(model, 1 + max((max(sequence, default=0) for sequence in sequences), default=0))
    context = context or context_length(model) or max(len(sequence) for sequence in sequences)
    stride = stride or max(1, context // 2)
    if stride > context:
        raise UserError(f"the stride ({stride}) must not be larger than the context ({context}).")
    table = embedding_table(model)
    limit = max(1, min(batch_tokens, _LOGITS_AT_ONCE // table.shape[0]))
    windows = [
        window
        for document, sequence in enumerate(sequences)
        for window in _windows(document, len(sequence), context, stride)
    ]
    nats = [np.zeros(len(sequence) - 1) for sequence in sequences]
    batches = list(_batches(windows, limit))
    with torch.inference_mode():
        for batch in show(batches, "scoring", unit="batch") if progress else batches:
            width = max(window.end - window.start for window in batch)
            inputs = torch.zeros(len(batch), width, dtype=torch.long)
            targets = torch.zeros(len(batch), width, dtype=torch.long)
            for row, window in enumerate(batch):
                ids = torch.tensor(sequences[window.document][window.start : window.end + 1])
                inputs[row, : len(ids) - 1], targets[row, : len(ids) - 1] = ids[:-1], ids[1:]
            logits = model(input_ids=inputs.to(table.device), use_cache=False).logits.float()
            costs = torch.nn.functional.cross_entropy(
                logits.flatten(0, 1), targets.to(table.device).flatten(), reduction="none"
            )
            rows = costs.view(len(batch), width).double().cpu().numpy()
            for row, window in enumerate(batch):
                nats[window.document][window.first - 1 : window.end] = rows[
                    row, window.first - 1 - window.start : window.end - window.start
                ]
    return nats


def summarise(scores: Sequence[DocumentScore], seed: int = 0) -> dict[str, Interval]:
    """Bits per character, akshara and byte and nats per token: ratios of sums, documents resampled by group."""
    groups = [score.group for score in scores]
    nats = [score.nats for score in scores]
    bits = [value / math.log(2) for value in nats]

    def per(unit: str, costs: list[float]) -> Interval:
        return bootstrap_ratio(costs, [getattr(score, unit) for score in scores], clusters=groups, seed=seed)

    return {
        "bits_per_character": per("characters", bits),
        "bits_per_akshara": per("aksharas", bits),
        "bits_per_byte": per("bytes", bits),
        "loss_per_token": per("tokens", nats),
    }


def _windows(document: int, length: int, context: int, stride: int) -> Iterator[_Window]:
    """Cover the tokens 1 … length − 1 once; a window's input has at most `context` tokens."""
    last, scored = length - 1, 0
    while scored < last:
        end = min(context if not scored else scored + stride, last)
        yield _Window(document, max(0, end - context), end, scored + 1)
        scored = end


def _batches(windows: list[_Window], limit: int) -> Iterator[list[_Window]]:
    """Longest first, so that a batch that does not fit in memory fails at once."""
    batch: list[_Window] = []
    for window in sorted(windows, key=lambda window: window.start - window.end):
        width = (batch[0].end - batch[0].start) if batch else 0
        if batch and width * (len(batch) + 1) > limit:
            yield batch
            batch = []
        batch.append(window)
    if batch:
        yield batch
