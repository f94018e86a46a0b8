"""Stories written by a model: batched, with a key-value cache, seeded, stopped at the end of the story."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from corpora.errors import UserError
from corpora.progress import progress as show
from corpora.stories import Story
from evaluation.models import boundary_tokens, check_match, context_length, embedding_table
from evaluation.words import sentences

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

OPENING_WORDS = 4


@dataclass(frozen=True)
class Prompt:
    """What a story is to begin with."""

    text: str
    """Empty: the model begins by itself."""
    language: str
    story: str = ""
    """The held-out story whose beginning it is."""


@dataclass(frozen=True)
class Generation:
    """One story as the model wrote it."""

    prompt: str
    text: str
    """The whole story, the prompt included."""
    language: str
    story: str
    """The held-out story whose beginning was the prompt."""
    finished: bool
    """Whether the model ended it itself; else it ran into the limit on tokens."""
    tokens: int
    """Tokens written after the prompt, the end of the story among them."""


def openings(stories: Sequence[Story], count: int, seed: int = 0) -> list[Prompt]:
    """`count` prompts from a seeded choice of stories: in turn a first sentence, the first 4 words, and nothing.

    With stories in several languages the empty prompt would leave the language open, so those two kinds alternate.
    Stories are used again when there are too few of them.
    """
    if count < 1 or not stories:
        raise UserError("at least one story must be written, from at least one held-out story; raise the number.")
    shuffled = random.Random(seed).sample(list(stories), len(stories))
    kinds = 3 if len({story.language for story in stories}) == 1 else 2
    prompts = []
    for number in range(count):
        story = shuffled[number % len(shuffled)]
        if number % kinds == 0:
            text = sentences(story.text, story.language)[0]
        elif number % kinds == 1:
            text = " ".join(story.text.split()[:OPENING_WORDS])
        else:
            text = ""
        prompts.append(Prompt(text, story.language, story.id if text else ""))
    return prompts


def generate_stories(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[Prompt],
    *,
    max_new_tokens: int = 300,
    temperature: float = 0.8,
    top_p: float = 0.95,
    seed: int = 0,
    batch_size: int = 64,
    progress: bool = False,
) -> list[Generation]:
    """Continue each prompt to the end of the story or to `max_new_tokens`; results in the order given.

    `temperature` 0 takes the likeliest token each time. Prompts are padded on the left; a prompt is `[BOS] text`. The
    same arguments give the same stories; another `batch_size` gives others. UserError when there are no prompts, when
    tokenizer and model do not match, or when a prompt leaves no room in the model's context.
    """
    import torch
    from transformers import GenerationConfig

    if not prompts:
        raise UserError("there are no prompts to write stories from; give at least one (it may be empty).")
    check_match(model, len(tokenizer))
    begin, end = boundary_tokens(tokenizer)
    padding = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else end
    encoded = [[begin, *tokenizer.encode(prompt.text, add_special_tokens=False)] for prompt in prompts]
    context = context_length(model) or 2**31
    if max(map(len, encoded)) >= context:
        raise UserError(f"a prompt of {max(map(len, encoded))} tokens leaves no room in a context of {context}.")
    sampling = {"do_sample": True, "temperature": temperature, "top_p": top_p, "top_k": 0} if temperature else {}
    device = embedding_table(model).device
    generate = cast(Any, model.generate)
    results: list[Generation] = []
    starts = range(0, len(prompts), batch_size)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for start in show(starts, "writing", unit="batch") if progress else starts:
            batch = encoded[start : start + batch_size]
            width = max(map(len, batch))
            rows = [[padding] * (width - len(ids)) + ids for ids in batch]
            mask = [[0] * (width - len(ids)) + [1] * len(ids) for ids in batch]
            with torch.inference_mode():
                output = generate(
                    torch.tensor(rows, device=device),
                    attention_mask=torch.tensor(mask, device=device),
                    generation_config=GenerationConfig(
                        **sampling,
                        max_new_tokens=min(max_new_tokens, context - width),
                        eos_token_id=end,
                        pad_token_id=padding,
                        bos_token_id=begin,
                    ),
                )
            for prompt, ids, written in zip(prompts[start:], batch, output[:, width:].tolist(), strict=False):
                finished = end in written
                written = written[: written.index(end)] if finished else written
                text = str(tokenizer.decode(ids + written, skip_special_tokens=True))
                results.append(
                    Generation(prompt.text, text, prompt.language, prompt.story, finished, len(written) + finished)
                )
    return results
