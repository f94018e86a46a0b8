"""From a parameter budget and a vocabulary to the shape of a Llama model, counted exactly and without torch."""

from __future__ import annotations

import math
from dataclasses import dataclass

from corpora.errors import UserError

WIDTHS = range(64, 1025, 64)
MOST_LAYERS = 16
FEED_FORWARD_RATIO = 8 / 3
"""SwiGLU's usual feed-forward width over model width (Shazeer 2020: three matrices for the price of two)."""
WIDTH_PER_LAYER = 40
"""Width over depth that tiny story models do well with (llama2.c 15M: 288/6; SimpleStories 5M: 256/6)."""


@dataclass(frozen=True)
class ModelSize:
    """The shape of a Llama model with tied embeddings and no biases."""

    vocabulary_size: int
    width: int
    layers: int
    heads: int
    kv_heads: int
    feed_forward: int

    def __post_init__(self) -> None:
        if self.width % self.heads or (self.width // self.heads) % 2:
            raise UserError(f"a width of {self.width} does not split into {self.heads} heads of even size.")
        if self.heads % self.kv_heads:
            raise UserError(f"{self.heads} heads cannot share {self.kv_heads} key-value heads evenly.")

    @property
    def head_size(self) -> int:
        return self.width // self.heads

    @property
    def embedding(self) -> int:
        """Weights of the embedding table, which is the output layer too."""
        return self.vocabulary_size * self.width

    @property
    def non_embedding(self) -> int:
        """Weights of the blocks and of the final norm."""
        attention = 2 * self.width * self.width + 2 * self.width * self.kv_heads * self.head_size
        block = attention + 3 * self.width * self.feed_forward + 2 * self.width
        return self.layers * block + self.width

    @property
    def total(self) -> int:
        return self.embedding + self.non_embedding

    def __str__(self) -> str:
        return (
            f"{self.total:,} parameters ({self.non_embedding:,} without the embedding): width {self.width}, "
            f"{self.layers} layers, {self.heads} heads, feed-forward {self.feed_forward}, "
            f"vocabulary {self.vocabulary_size:,}"
        )


def size_for(parameters: int, vocabulary_size: int) -> ModelSize:
    """The best-shaped model of about `parameters` weights in all, the embedding table included.

    Widths are multiples of 64; heads are 64 wide (32 in a model of width 64); the feed-forward width
    is the multiple of 32 that comes nearest to the budget. Among the shapes that do, the one closest to the usual
    feed-forward ratio and depth is taken.

    Raises:
        UserError: the embedding table alone, or with one small block, is larger than the budget.
    """
    narrowest = WIDTHS[0]
    if vocabulary_size * narrowest >= parameters:
        raise UserError(
            f"a vocabulary of {vocabulary_size:,} needs {vocabulary_size * narrowest:,} parameters for its embedding "
            f"table alone (width {narrowest}), which exceeds the budget of {parameters:,}; "
            "raise `parameters` or train a smaller tokenizer."
        )
    candidates = [
        size
        for width in WIDTHS
        for layers in range(1, MOST_LAYERS + 1)
        if (size := _shape(parameters, vocabulary_size, width, layers)) is not None
    ]
    if not candidates:
        raise UserError(
            f"{parameters:,} parameters leave too little for even one block beside an embedding table of "
            f"{vocabulary_size:,} pieces; raise `parameters` or train a smaller tokenizer."
        )
    return min(candidates, key=lambda size: _oddness(size, parameters))


def _shape(parameters: int, vocabulary_size: int, width: int, layers: int) -> ModelSize | None:
    """The model of this width and depth nearest to the budget; None if its feed-forward layer would be absurd."""
    heads = width // (32 if width < 128 else 64)
    blocks = parameters - vocabulary_size * width - width
    feed_forward = 32 * round((blocks / layers - 4 * width * width - 2 * width) / (3 * width * 32))
    if not width / 2 <= feed_forward <= 6 * width:
        return None
    return ModelSize(vocabulary_size, width, layers, heads, heads, feed_forward)


def _oddness(size: ModelSize, parameters: int) -> float:
    """How far a shape is from the usual proportions and from the budget (0 = neither)."""
    ratio = abs(math.log(size.feed_forward / size.width / FEED_FORWARD_RATIO))
    depth = abs(math.log(size.width / size.layers / WIDTH_PER_LAYER))
    miss = abs(size.total - parameters) / parameters
    alone = 1.0 if size.layers == 1 else 0.0  # one layer cannot copy from the story so far (induction needs two)
    return ratio + depth + 10 * miss + alone
