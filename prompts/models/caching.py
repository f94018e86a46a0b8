"""Texts that a causal model has read once: under a causal mask nothing that follows can change their keys and values.

So prompts that stand behind the text (infix, suffix) can be trained on the positions after it alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from transformers import DynamicCache

Layers = list[tuple[torch.Tensor, torch.Tensor]]
"""Keys and values of every layer."""


@dataclass(frozen=True)
class TextCache:
    """Keys and values of texts, found by their ids, so that no text can get those of another."""

    states: Mapping[tuple[int, ...], Layers]
    """For each text, tensors of shape (heads, length, head width)."""

    def past(self, texts: Sequence[Sequence[int]], device: torch.device) -> tuple[DynamicCache, torch.Tensor]:
        """The cache of some texts as a model takes it, and which of its slots are real, shape (texts, longest).

        Shorter texts are padded on the left, so that what follows touches each: distances by slot, which sliding
        windows and ALiBi measure, remain those of the text. KeyError if a text has not been read.
        """
        rows = [self.states[tuple(text)] for text in texts]
        lengths = [len(text) for text in texts]
        longest = max(lengths)
        layers = [
            tuple(_pad_left([row[layer][part] for row in rows], longest) for part in (0, 1))
            for layer in range(len(rows[0]))
        ]
        real = torch.arange(longest, device=device) >= longest - torch.tensor(lengths, device=device).unsqueeze(1)
        return DynamicCache(layers), real


def layers_of(cache: DynamicCache) -> Layers:
    """The keys and values of a filled cache, each of shape (rows, heads, length, head width).

    AttributeError if some layer keeps another kind of memory.
    """
    return [(layer.keys, layer.values) for layer in cast(Any, cache.layers)]


def split_rows(cache: DynamicCache, lengths: Sequence[int]) -> list[Layers]:
    """The keys and values of each row of a cache padded on the right, without its padding."""
    layers = layers_of(cache)
    return [
        [(keys[row, :, :length].clone(), values[row, :, :length].clone()) for keys, values in layers]
        for row, length in enumerate(lengths)
    ]


def deep_past(states: torch.Tensor, rows: int, like: torch.Tensor) -> DynamicCache:
    """Trained keys and values, shape (layers, 2, heads, length, head width), as the cache of so many rows."""
    states = states.to(like.device, like.dtype)
    return DynamicCache([tuple(part.expand(rows, -1, -1, -1) for part in layer) for layer in states])


def _pad_left(parts: Sequence[torch.Tensor], length: int) -> torch.Tensor:
    padded = parts[0].new_zeros(len(parts), parts[0].shape[0], length, parts[0].shape[2])
    for row, part in enumerate(parts):
        padded[row, :, length - part.shape[1] :] = part
    return padded
