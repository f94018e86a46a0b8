"""Soft prompts as modules: plain vectors, vectors behind a small network, keys and values for every layer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from prompts.soft.layout import Layout, Place


class SoftPrompt(nn.Module):
    """What is trained while the model stays frozen. Use one of the kinds below.

    `layout` says where vectors stand, `width` is that of the model the prompt is for.
    """

    kind: str

    def __init__(self, layout: Layout, width: int):
        super().__init__()
        self.layout = layout
        self.width = width

    def all_vectors(self) -> Tensor:
        """What stands in the input, prefix, infix and suffix one below the other; [layout.length, width].

        In the scale that the model's first block is fed with (`AnswerModel.embed`).
        """
        raise NotImplementedError

    def vectors(self, place: Place) -> Tensor:
        """The vectors of one place, [length, width]; no rows where nothing stands."""
        return self.all_vectors()[self.layout.span(place)]

    def deep_states(self) -> Tensor | None:
        """Keys and values of the prefix, [layers, 2, heads, length, head width]; None but for deep prompts."""
        return None

    def folded(self) -> SoftPrompt:
        """A copy without what only training needs; it does the same and can be saved."""
        raise NotImplementedError


class ShallowPrompt(SoftPrompt):
    """Vectors that the model reads as if they were embedded tokens: prompt tuning (Lester et al. 2021).

    `vectors`: [layout.length, width], where they start. They are the whole of what is trained.
    """

    kind = "shallow"

    def __init__(self, layout: Layout, vectors: Tensor):
        if vectors.ndim != 2 or len(vectors) != layout.length:
            raise ValueError(f"vectors of shape {tuple(vectors.shape)} for a layout of {layout.length}")
        super().__init__(layout, vectors.shape[1])
        self.matrix = nn.Parameter(vectors.detach().float().clone())

    def all_vectors(self) -> Tensor:
        return self.matrix

    def folded(self) -> ShallowPrompt:
        return ShallowPrompt(self.layout, self.all_vectors())


class ReparameterisedPrompt(ShallowPrompt):
    """Vectors that a bottleneck with a residual connection moves: P = E + W₂ ReLU(W₁ LayerNorm(E) + b₁) + b₂.

    E is [length, width], W₁ [hidden, width], W₂ [width, hidden]; one network for all vectors, so that they learn from
    each other's gradients (residual prompt tuning, Razdaibiedina et al. 2023, but with the normalisation before the
    network: behind it, it would force the vectors out of the embeddings' scale). W₂ and b₂ start at 0, so the prompt
    starts as E, whatever W₁ the seed draws.
    """

    kind = "reparameterised"

    def __init__(self, layout: Layout, vectors: Tensor, hidden: int = 64, seed: int = 0):
        super().__init__(layout, vectors)
        self.norm = nn.LayerNorm(self.width)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.down = nn.Linear(self.width, hidden)
            self.up = nn.Linear(hidden, self.width)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def all_vectors(self) -> Tensor:
        return self.matrix + self.up(self.down(self.norm(self.matrix)).relu())


class DeepPrompt(SoftPrompt):
    """Keys and values of a prefix, trained for each layer by themselves (P-tuning v2, Liu et al. 2022).

    They are the key-value cache of positions 0 … prefix − 1; the text follows from position `prefix` on. Nothing
    stands in the input itself, so `vectors` has no rows.

    `states`: [layers, 2 (keys, values), heads, prefix, head width], where they start.
    """

    kind = "deep"

    def __init__(self, states: Tensor, width: int):
        if states.ndim != 5 or states.shape[1] != 2:
            raise ValueError(f"states of shape {tuple(states.shape)} are no keys and values of layers")
        super().__init__(Layout(prefix=states.shape[3]), width)
        self.states = nn.Parameter(states.detach().float().clone())

    def all_vectors(self) -> Tensor:
        return self.states.new_empty(0, self.width)

    def deep_states(self) -> Tensor:
        return self.states

    def folded(self) -> DeepPrompt:
        return DeepPrompt(self.states, self.width)
