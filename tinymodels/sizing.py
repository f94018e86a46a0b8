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


def size_for(
    parameters: int,
    vocabulary_size: int,
    width: int | None = None,
    layers: int | None = None,
    heads: int | None = None,
    kv_heads: int | None = None,
    feed_forward: int | None = None,
) -> ModelSize:
    """The best-shaped model of about `parameters` weights in all, the embedding table included.

    Widths are multiples of 64; heads are 64 wide (32 in a model of width 64); the feed-forward width
    is the multiple of 32 that comes nearest to the budget. Among the shapes that do, the one closest to the usual
    feed-forward ratio and depth is taken. A part of the shape that is given stays as given and the rest follows from
    it; where width, layers and feed-forward width all are, nothing is left to the budget.

    Raises:
        UserError: the embedding table alone, or with one small block, is larger than the budget; or the given parts
            leave no sensible feed-forward width.
    """
    if width and layers and feed_forward:
        return _with_heads(vocabulary_size, width, layers, heads, kv_heads, feed_forward)
    widths = WIDTHS if width is None else [width]
    if vocabulary_size * widths[0] >= parameters:
        raise UserError(
            f"a vocabulary of {vocabulary_size:,} needs {vocabulary_size * widths[0]:,} parameters for its embedding "
            f"table alone (width {widths[0]}), which exceeds the budget of {parameters:,}; "
            "raise `parameters` or train a smaller tokenizer."
        )
    candidates = [
        _with_heads(vocabulary_size, each, depth, heads, kv_heads, feed_forward or inner)
        for each in widths
        for depth in (range(1, MOST_LAYERS + 1) if layers is None else [layers])
        for inner in [_feed_forward(parameters, vocabulary_size, each, depth)]
        if feed_forward or each / 2 <= inner <= 6 * each
    ]
    if not candidates and (width or layers):
        given = " and ".join([f"width {width}"] * bool(width) + [f"{layers} layers"] * bool(layers))
        raise UserError(
            f"{parameters:,} parameters do not make a model of {given}: its feed-forward layer would be narrower than "
            "half its width or wider than six times; change one of them, or give `feed_forward` too."
        )
    if not candidates:
        raise UserError(
            f"{parameters:,} parameters leave too little for even one block beside an embedding table of "
            f"{vocabulary_size:,} pieces; raise `parameters` or train a smaller tokenizer."
        )
    return min(candidates, key=lambda size: _oddness(size, parameters))


def _feed_forward(parameters: int, vocabulary_size: int, width: int, layers: int) -> int:
    """The feed-forward width with which a model of this width and depth comes nearest to the budget."""
    blocks = parameters - vocabulary_size * width - width
    return 32 * round((blocks / layers - 4 * width * width - 2 * width) / (3 * width * 32))


def _with_heads(
    vocabulary_size: int, width: int, layers: int, heads: int | None, kv_heads: int | None, feed_forward: int
) -> ModelSize:
    heads = heads or max(1, width // (32 if width < 128 else 64))
    return ModelSize(vocabulary_size, width, layers, heads, kv_heads or heads, feed_forward)


def _oddness(size: ModelSize, parameters: int) -> float:
    """How far a shape is from the usual proportions and from the budget (0 = neither)."""
    ratio = abs(math.log(size.feed_forward / size.width / FEED_FORWARD_RATIO))
    depth = abs(math.log(size.width / size.layers / WIDTH_PER_LAYER))
    miss = abs(size.total - parameters) / parameters
    alone = 1.0 if size.layers == 1 else 0.0  # one layer cannot copy from the story so far (induction needs two)
    return ratio + depth + 10 * miss + alone
