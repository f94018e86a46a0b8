"""One probe: a small Llama trained on a tokenizer's ids, scored on held-out stories, and what it writes.

Loss per token says nothing about tokenizers that cut a text into different numbers of tokens. Here every tokenizer gets
a Llama of the same total number of parameters (what its embedding table saves goes into its feed-forward layers), the
same stories in the same order and the same number of optimisation steps, and what is compared is the cost of whole
held-out stories in bits per character. Then the compute is not equal, for more tokens per story cost more of it; with
`equal: compute` it is, and the text is not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from corpora.stories import Story
from tokenization.opening.tokenizer import Tokenizer
from tokenization.probe.settings import ProbeSettings
from tokenization.probe.sizes import Size, operations
from tokenization.probe.windows import BEGIN_ID, END_ID, read_windows

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

    from evaluation.generation import Generation

IGNORED = -100
WRITTEN_CHARACTERS = 250
"""About how long the stories are that a probe writes: as long as the windows that it was trained on."""


@dataclass(frozen=True)
class ProbeRun:
    """What one training gave."""

    nats: dict[str, list[float]]
    """Text -> cost of each of its stories, the end-of-story token included."""
    characters: int
    """Code points read in training, every pass counted."""
    tokens: int
    """Tokens predicted in training."""
    operations: float
    steps: int
    stories: list[dict[str, object]]
    """What the model wrote: `prompt`, `text`, `finished`."""


def run_probe(
    tokenizer: Tokenizer,
    fast: PreTrainedTokenizerFast,
    size: Size,
    training: Sequence[Story],
    texts: Mapping[str, Sequence[Story]],
    settings: ProbeSettings,
    seed: int,
    budget: float | None = None,
    on_step: Callable[[], object] = lambda: None,
) -> ProbeRun:
    """Train one probe, score it on the stories of `texts` and let it write.

    Order and windows are a function of the text and the seed alone, so each step reads the same text with every
    tokenizer. `budget`: operations to spend instead of `settings.passes` passes. `fast`: the same tokenizer as
    transformers opens it, for writing.
    """
    import torch

    read = [story.text for story in training]
    windows = [window for story in read_windows(tokenizer, read, settings.window_characters) for window in story]
    batches = _batches(windows, size, settings, seed, budget)
    with _repeatable(seed, settings.threads):
        model = build_model(size, settings)
        _train(model, windows, batches, settings, on_step)
        model.eval()
        with torch.inference_mode():
            nats = {
                name: [
                    float(window_nats(model, story)[0].sum())
                    for story in read_windows(tokenizer, [story.text for story in stories], settings.window_characters)
                ]
                for name, stories in texts.items()
            }
        written = _write(model, fast, next(iter(texts.values())), read, settings, seed)
    tokens = [[len(windows[number]) - 1 for number in batch] for batch in batches]
    predicted = sum(map(sum, tokens))
    once = sum(len(window) - 1 for window in windows)
    return ProbeRun(
        nats=nats,
        characters=round(sum(map(len, read)) * predicted / once),
        tokens=predicted,
        operations=sum(operations(size, batch, settings) for batch in tokens),
        steps=len(batches),
        stories=[{"prompt": story.prompt, "text": story.text, "finished": story.finished} for story in written],
    )


def _batches(
    windows: Sequence[Sequence[int]], size: Size, settings: ProbeSettings, seed: int, budget: float | None
) -> list[list[int]]:
    """Windows of every step, in `settings.passes` shuffled passes or until the budget is spent."""
    generator = np.random.default_rng(seed)
    batches: list[list[int]] = []
    spent, passes = 0.0, 0
    while (spent < budget) if budget is not None else (passes < settings.passes):
        order = generator.permutation(len(windows)).tolist()
        passes += 1
        for start in range(0, len(windows), settings.windows_per_step):
            if budget is not None and spent >= budget:
                break
            batches.append(order[start : start + settings.windows_per_step])
            spent += operations(size, [len(windows[number]) - 1 for number in batches[-1]], settings)
    return batches


def spent_on(tokenizer: Tokenizer, size: Size, training: Sequence[Story], settings: ProbeSettings) -> float:
    """Operations of `settings.passes` passes over the training text."""
    texts = [story.text for story in training]
    stories = read_windows(tokenizer, texts, settings.window_characters)
    tokens = [len(window) - 1 for story in stories for window in story]
    return settings.passes * operations(size, tokens, settings)


def build_model(size: Size, settings: ProbeSettings) -> LlamaForCausalLM:
    """The untrained model."""
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=size.vocabulary,
            hidden_size=settings.width,
            intermediate_size=size.feed_forward,
            num_hidden_layers=settings.layers,
            num_attention_heads=settings.width // 32,
            max_position_embeddings=16_384,
            tie_word_embeddings=True,
            bos_token_id=BEGIN_ID,
            eos_token_id=END_ID,
            use_cache=False,
        )
    )


def _train(
    model: LlamaForCausalLM,
    windows: Sequence[list[int]],
    batches: Sequence[Sequence[int]],
    settings: ProbeSettings,
    on_step: Callable[[], object],
) -> None:
    """Muon (Jordan 2024) for the matrices of the blocks, AdamW for embedding and norms."""
    import torch

    inside = [weights for name, weights in model.named_parameters() if weights.ndim == 2 and "embed" not in name]
    outside = [weights for name, weights in model.named_parameters() if weights.ndim != 2 or "embed" in name]
    rate = settings.learning_rate
    optimizers = [
        torch.optim.Muon(inside, lr=rate, momentum=0.95, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(outside, lr=rate / 2, betas=(0.9, 0.98), weight_decay=0.0, foreach=True),
    ]
    schedules = [
        torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, len(batches))) for optimizer in optimizers
    ]
    for batch in batches:
        nats, tokens = window_nats(model, [windows[number] for number in batch])
        (nats.sum() / max(1, tokens)).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        for schedule in schedules:
            schedule.step()
        on_step()


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


def _write(
    model: LlamaForCausalLM,
    fast: PreTrainedTokenizerFast,
    held_out: Sequence[Story],
    read: Sequence[str],
    settings: ProbeSettings,
    seed: int,
) -> list[Generation]:
    """Stories that the model writes from the beginnings of held-out ones, as many characters for every tokenizer."""
    from evaluation.generation import generate_stories, openings

    if not settings.generated:
        return []
    sample = read[0]
    tokens_per_character = len(fast.encode(sample, add_special_tokens=False)) / max(1, len(sample))
    return generate_stories(
        model,
        fast,
        openings(held_out, settings.generated, seed=0),
        max_new_tokens=max(1, round(WRITTEN_CHARACTERS * tokens_per_character)),
        seed=seed,
    )


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
