"""Bits per character of a small model trained on each tokenizer: equal parameters, equal text, several seeds.

Loss per token says nothing about tokenizers that cut a text into different numbers of tokens. Here every tokenizer gets
a Llama of the same total number of parameters (what its embedding table saves goes into its feed-forward layers), the
same stories in the same order and the same number of optimisation steps, and what is compared is the cost of whole
held-out stories in bits per character. Not equal: the compute, for more tokens per story cost more of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from corpora.errors import UserError
from corpora.stories import Story
from evaluation.token_bytes import token_bytes
from tokenization.probe.settings import ProbeSettings

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

IGNORED = -100


@dataclass(frozen=True)
class Size:
    """The size of one probe model."""

    vocabulary: int
    feed_forward: int
    parameters: int
    embedding_parameters: int

    @property
    def other_parameters(self) -> int:
        """Parameters outside the (tied) embedding table."""
        return self.parameters - self.embedding_parameters


def solve_sizes(vocabularies: Sequence[int], settings: ProbeSettings) -> list[Size]:
    """One model size per vocabulary, all with the same total of parameters to within one unit of feed-forward width.

    With tied embeddings a Llama of width d and L blocks has V·d + L·(4d² + 3·d·f + 2d) + d parameters; f is solved.
    UserError if `settings.parameters` leaves the largest vocabulary a feed-forward width below `settings.width`.
    """
    width, layers = settings.width, settings.layers

    def total(vocabulary: int, feed_forward: int) -> int:
        return vocabulary * width + layers * (4 * width**2 + 3 * width * feed_forward + 2 * width) + width

    largest = max(vocabularies)
    wanted = settings.parameters or total(largest, 4 * width)
    if wanted < (least := total(largest, width)):
        raise UserError(
            f"probe.parameters is {wanted}, but a vocabulary of {largest} at width {width} needs at least {least}; "
            "raise it, or lower probe.width."
        )
    sizes = []
    for vocabulary in vocabularies:
        feed_forward = round((wanted - total(vocabulary, 0)) / (3 * layers * width))
        sizes.append(Size(vocabulary, feed_forward, total(vocabulary, feed_forward), vocabulary * width))
    return sizes


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


class WindowedReader:
    """Turns stories into windows of tokens that hold the same text whatever the tokenizer."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, longest: int) -> None:
        self.tokenizer = tokenizer
        self.longest = longest
        self.pieces, self.prepends_space = token_bytes(tokenizer)

    def read(self, text: str) -> list[list[int]]:
        """The story `[BOS] + ids + [EOS]` in windows that overlap by one token.

        The story is encoded whole and then cut, so its tokens are those of real use. A window's first token is its only
        context from before; the others are what it is to predict, so that each token is predicted once. A token that
        crosses a cut goes to the window in which it begins, so a window can be left with nothing to predict.
        """
        ids = self.tokenizer.encode(text, add_special_tokens=False)
        ends = np.cumsum([len(self.pieces[number]) for number in ids])
        lengths = np.cumsum([0, *(len(character.encode()) for character in text)]) + int(self.prepends_space)
        cuts = np.searchsorted(ends, lengths[cut_positions(text, self.longest)[:-1]], "left") + 1
        story = [self.tokenizer.bos_token_id, *ids, self.tokenizer.eos_token_id]
        return [story[start : end + 1] for start, end in pairwise([0, *cuts.tolist(), len(story) - 1])]


def train_and_score(
    tokenizer: PreTrainedTokenizerFast,
    size: Size,
    training: Sequence[str],
    held_out: Sequence[str],
    settings: ProbeSettings,
    seed: int,
    on_step: Callable[[], object] = lambda: None,
) -> list[float]:
    """Train one probe and return the cost of each held-out story in nats, its end-of-story token included.

    Order and windows are a function of the text and the seed alone, so each step reads the same text with every
    tokenizer. `on_step` is called `steps(training, settings)` times.
    """
    import torch

    reader = WindowedReader(tokenizer, settings.window_characters)
    windows = [window for text in training for window in reader.read(text)]
    batches = _batches(len(windows), settings, seed)
    with _repeatable(seed, settings.threads):
        model = build_model(size, settings, tokenizer)
        optimizer = torch.optim.AdamW(
            model.parameters(), lr=settings.learning_rate, betas=(0.9, 0.98), weight_decay=0.01, foreach=True
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, len(batches)))
        for batch in batches:
            nats, tokens = window_nats(model, [windows[number] for number in batch])
            (nats.sum() / max(1, tokens)).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            schedule.step()
            on_step()
        model.eval()
        with torch.inference_mode():
            return [float(window_nats(model, reader.read(text))[0].sum()) for text in held_out]


def steps(training: Sequence[str], settings: ProbeSettings) -> int:
    """Optimisation steps of one training."""
    windows = sum(len(cut_positions(text, settings.window_characters)) for text in training)
    return settings.passes * math.ceil(windows / settings.windows_per_step)


def _batches(windows: int, settings: ProbeSettings, seed: int) -> list[list[int]]:
    generator = np.random.default_rng(seed)
    size = settings.windows_per_step
    orders = [generator.permutation(windows).tolist() for _ in range(settings.passes)]
    return [order[start : start + size] for order in orders for start in range(0, windows, size)]


def build_model(size: Size, settings: ProbeSettings, tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=size.vocabulary,
            hidden_size=settings.width,
            intermediate_size=size.feed_forward,
            num_hidden_layers=settings.layers,
            num_attention_heads=settings.width // 32,
            tie_word_embeddings=True,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            use_cache=False,
        )
    )


def _rate(step: int, steps: int) -> float:
    rise = max(1, steps // 10)
    return (step + 1) / rise if step < rise else (steps - step) / (steps - rise + 1)


def window_nats(model: LlamaForCausalLM, windows: Sequence[list[int]]) -> tuple[torch.Tensor, int]:
    """Negative log-likelihood of each window, shape (windows,), and the number of tokens predicted.

    Windows are padded on the right, where causal attention keeps the padding from being seen.
    """
    import torch
    from torch.nn.functional import cross_entropy

    length = max(map(len, windows))
    ids = torch.tensor([window + [0] * (length - len(window)) for window in windows])
    targets = torch.tensor([window[1:] + [IGNORED] * (length - len(window)) for window in windows])
    logits = model(input_ids=ids[:, :-1]).logits
    losses = cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="none")
    return losses.view_as(targets).sum(dim=1, dtype=torch.float64), int((targets != IGNORED).sum())


@contextmanager
def _repeatable(seed: int, threads: int) -> Iterator[None]:
    """Seed torch and fix its threads inside the block; leave both as they were found."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(before)


def bits_per_character(nats: Sequence[float], characters: Sequence[int]) -> float:
    """Σ nats / (ln 2 · Σ code points) over whole documents."""
    return math.fsum(nats) / (math.log(2) * sum(characters))
