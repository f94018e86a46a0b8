"""Stories written by a model: batched, with a key-value cache, and the same whatever the size of the batch.

All rows of a batch begin at position 0 and advance together, one token at a time; a row whose prompt is longer than
the others' is fed the rest of it as it goes. So nothing is padded, positions and sliding windows are the model's own,
and no mask is needed. A row that has ended makes way for the last one. The cache has its final size from the start.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from corpora.errors import UserError
from corpora.progress import progress as show
from corpora.stories import Story
from evaluation.constraints import Requirements, Watch, Words, end_bias, ends_sentence
from evaluation.models import boundary_tokens, check_match, context_length, embedding_table
from evaluation.words import sentences

if TYPE_CHECKING:
    import numpy as np
    import torch
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
    words: Words = ()
    """Words that the story must hold, each with the forms that will do."""


@dataclass(frozen=True)
class Sampling:
    """How the next token is drawn from the logits."""

    temperature: float = 0.8
    """Logits are divided by it; 0 takes the likeliest token."""
    top_p: float = 1.0
    """Draw from the likeliest tokens that together have this probability (Holtzman et al. 2020, arXiv 1904.09751)."""
    top_k: int = 0
    """Draw from this many of the likeliest tokens; 0: from all."""
    min_p: float = 0.0
    """Draw from tokens of at least this share of the likeliest one's probability (Nguyen et al., arXiv 2407.01082)."""
    repetition_penalty: float = 1.0
    """Logits of tokens already in the story, if positive, are divided by it, else multiplied (Keskar et al. 2019,
    CTRL, arXiv 1909.05858); 1: none."""

    def __post_init__(self) -> None:
        if not self.temperature >= 0:
            raise UserError(f"the temperature must be 0 or more, not {self.temperature}.")
        if not 0 <= self.top_p <= 1 or not 0 <= self.min_p <= 1:
            raise UserError(f"top-p and min-p are shares from 0 to 1, not {self.top_p} and {self.min_p}.")
        if self.top_k < 0 or not self.repetition_penalty > 0:
            raise UserError(
                f"top-k must be 0 (off) or more and the repetition penalty above 0 (1 is off), "
                f"not {self.top_k} and {self.repetition_penalty}."
            )
        if self.temperature == 0 and (self.top_k or self.min_p):
            raise UserError(
                "temperature 0 takes the likeliest token each time, so top-k and min-p would do nothing; "
                "leave them out or raise the temperature."
            )


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
    top_k: int = 0,
    min_p: float = 0.0,
    repetition_penalty: float = 1.0,
    script: str | None = None,
    length: int | None = None,
    seed: int = 0,
    batch_size: int = 64,
    progress: bool = False,
) -> list[Generation]:
    """Continue each prompt to the end of the story, to `max_new_tokens` or to the model's context; in the order given.

    For the drawing of tokens see `Sampling`. `script`: an ISO 639-1 code; only whole characters of this language's
    script, and those common to several, are written. `length`: tokens after the prompt to end near (`end_bias`). The
    words of a prompt are put in the story as `Watch` tells. Prompts are `[BOS] text`.

    Story number n draws from a generator of its own, made of (`seed`, n), so that neither `batch_size` nor the other
    stories matter. Between sizes of batch the logits differ in their last bits; the way of drawing turns that into
    another token about as seldom as those bits are small.

    UserError when there are no prompts, when tokenizer and model do not match, when a prompt or a target leaves no room
    in the model's context, when words cannot be written, when the model is recurrent, or when its logits are no
    numbers.
    """
    import torch

    sampling = Sampling(temperature, top_p, top_k, min_p, repetition_penalty)
    if not prompts:
        raise UserError("there are no prompts to write stories from; give at least one (it may be empty).")
    if max_new_tokens < 1 or batch_size < 1 or (length is not None and length < 1):
        raise UserError("the longest story, the batch and the target length must be at least 1.")
    if getattr(model, "_is_stateful", False):
        raise UserError("a recurrent model cannot write stories here, only one of attention layers; choose another.")
    check_match(model, len(tokenizer))
    begin, _ = boundary_tokens(tokenizer)
    encoded = [[begin, *tokenizer.encode(prompt.text, add_special_tokens=False)] for prompt in prompts]
    context = context_length(model) or 2**31
    longest = max(map(len, encoded))
    if longest >= context:
        raise UserError(f"a prompt of {longest} tokens leaves no room in a context of {context}.")
    if length is not None and length > min(max_new_tokens, context - longest):
        raise UserError(
            f"the target of {length} tokens is beyond what there is room for ({max_new_tokens} tokens at most, in a "
            f"context of {context} of which the prompt takes {longest}); lower it."
        )
    requirements = None
    if script is not None or any(prompt.words for prompt in prompts):
        requirements = Requirements(tokenizer, script, length)
    stories = []
    for number, (prompt, ids) in enumerate(zip(prompts, encoded, strict=True)):
        budget = min(max_new_tokens, context - len(ids))
        watch = Watch(requirements, prompt.text, prompt.words, budget) if requirements else None
        stories.append(_Story(ids, len(ids), budget, _generator(seed, number), watch))

    writer = _Writer(model, sampling, tokenizer, length, shared=min(map(len, encoded)))
    by_length = sorted(stories, key=lambda story: story.start)
    starts = range(0, len(stories), batch_size)
    with torch.inference_mode():
        for start in show(starts, "writing", unit="batch") if progress else starts:
            writer.write(by_length[start : start + batch_size])
    results = []
    for prompt, story in zip(prompts, stories, strict=True):
        text = str(tokenizer.decode(story.ids[: -1 if story.finished else None], skip_special_tokens=True))
        if length is not None and story.finished:
            text = text.rstrip()  # The end may have come where the model had begun a new paragraph.
        tokens = len(story.ids) - story.start
        results.append(Generation(prompt.text, text, prompt.language, prompt.story, story.finished, tokens))
    return results


@dataclass
class _Story:
    """One story as it is being written."""

    ids: list[int]
    """Beginning, prompt and what was written."""
    start: int
    """Length of beginning and prompt."""
    budget: int
    """Tokens that may be written."""
    generator: np.random.Generator
    watch: Watch | None
    finished: bool = False


@dataclass
class _Writer:
    """What all batches of a call have in common."""

    model: PreTrainedModel
    sampling: Sampling
    tokenizer: PreTrainedTokenizerBase
    length: int | None
    shared: int
    """Length of the shortest prompt, whose positions are fed in one go."""

    def __post_init__(self) -> None:
        self.end = boundary_tokens(self.tokenizer)[1]
        self.vocabulary = len(self.tokenizer)  # A model may have rows beyond them.

    def write(self, stories: list[_Story]) -> None:
        """Write these stories to their ends."""
        import torch
        from transformers import Cache

        model: Any = self.model
        device = embedding_table(self.model).device
        room = max(story.start + story.budget for story in stories)
        cache = Cache(layers=[_layer(room) for _ in range(model.config.get_text_config().num_hidden_layers)])
        rows = list(stories)
        done = self.shared - 1
        if done:
            first = torch.tensor([story.ids[:done] for story in rows], device=device)
            model.base_model(input_ids=first, past_key_values=cache, use_cache=True)
        while rows:
            column = torch.tensor([[story.ids[done]] for story in rows], device=device)
            logits = model(input_ids=column, past_key_values=cache, use_cache=True).logits[:, -1, : self.vocabulary]
            done += 1
            numbers = [number for number, story in enumerate(rows) if len(story.ids) == done]
            writing = [rows[number] for number in numbers]
            if writing:
                self._advance(writing, logits if len(writing) == len(rows) else logits[numbers])
            over = {
                number
                for number, story in enumerate(rows)
                if story.finished or len(story.ids) == story.start + story.budget
            }
            if over:
                rows = _without(over, rows, cache)

    def _advance(self, stories: list[_Story], logits: torch.Tensor) -> None:
        """Write one token of each story; logits: (stories, vocabulary)."""
        logits = self._adjusted(stories, logits.float())
        chosen = draw(logits, self.sampling, [story.generator for story in stories]).tolist()
        for story, token in zip(stories, chosen, strict=True):
            if story.watch is not None:
                token = story.watch.choose(token)
            story.ids.append(token)
            story.finished = token == self.end

    def _adjusted(self, stories: list[_Story], logits: torch.Tensor) -> torch.Tensor:
        import torch

        if not torch.isfinite(logits.amax(-1)).all():
            raise UserError("the model's logits are not finite numbers, so its weights are of no use; train it anew.")
        if self.sampling.repetition_penalty != 1:
            logits = penalised(logits, [story.ids for story in stories], self.sampling.repetition_penalty)
        if self.length is not None:
            bias = [
                end_bias(
                    len(story.ids) - story.start, self.length, ends_sentence(str(self.tokenizer.decode(story.ids[-8:])))
                )
                for story in stories
            ]
            logits = logits.clone()
            logits[:, self.end] += torch.tensor(bias, device=logits.device)
        if stories[0].watch is not None:
            masks = torch.stack([story.watch.mask() for story in stories if story.watch is not None])
            logits = logits.masked_fill(~masks.to(logits.device), -torch.inf)
        return logits


def penalised(logits: torch.Tensor, ids: Sequence[Sequence[int]], penalty: float) -> torch.Tensor:
    """Logits (rows, tokens) after CTRL's repetition penalty for the tokens in each row's `ids`."""
    import torch

    seen = torch.zeros(logits.shape, dtype=torch.bool)
    for row, written in enumerate(ids):
        seen[row, list(set(written))] = True
    lowered = torch.where(logits > 0, logits / penalty, logits * penalty)
    return torch.where(seen.to(logits.device), lowered, logits)


def draw(logits: torch.Tensor, sampling: Sampling, generators: Sequence[np.random.Generator]) -> torch.Tensor:
    """One token for each row of logits (rows, tokens), by a generator of its own.

    Takes argmax p / e with e standard exponential for each token, which follows p exactly (the Gumbel-max trick in
    other words). A difference of the logits in their last bits changes the token only where two quotients come as near
    to each other, while a walk along the cumulated probabilities would feel it at every step.
    """
    import numpy as np
    import torch

    if sampling.temperature == 0:
        return logits.argmax(-1)
    noise = np.empty(logits.shape, dtype=np.float32)
    for row, generator in zip(noise, generators, strict=True):
        generator.standard_exponential(dtype=np.float32, out=row)
    scale = torch.from_numpy(noise).clamp_(min=1e-30).to(logits.device)
    probabilities = (logits / sampling.temperature).softmax(-1)
    kept = probabilities >= smallest_kept(probabilities, sampling)
    return (probabilities / scale).masked_fill_(~kept, -1).argmax(-1)


def smallest_kept(probabilities: torch.Tensor, sampling: Sampling) -> torch.Tensor:
    """The smallest probability of each row (rows, tokens) that top-k, then top-p of what is left, then min-p keep.

    Shape (rows, 1). Tokens as likely as the last one kept are kept too.
    """
    import torch

    tokens = probabilities.shape[-1]
    floor = sampling.min_p * probabilities.amax(-1, keepdim=True)
    mass = torch.ones_like(floor)
    if 0 < sampling.top_k < tokens:
        least = probabilities.topk(sampling.top_k).values[:, -1:]
        floor = torch.maximum(floor, least)
        mass = torch.where(probabilities >= least, probabilities, 0).sum(-1, keepdim=True)
    if sampling.top_p < 1:
        # The head of the order is nearly always enough, and much quicker to find than the whole order.
        size = 128
        while True:
            likeliest = probabilities.topk(min(size, tokens)).values
            inside = likeliest.cumsum(-1) - likeliest < sampling.top_p * mass
            if size >= tokens or not inside[:, -1].any():
                break
            size *= 4
        last = (inside.sum(-1, keepdim=True) - 1).clamp(min=0)
        floor = torch.maximum(floor, likeliest.gather(-1, last))
    return floor


def _generator(seed: int, number: int) -> np.random.Generator:
    import numpy as np

    return np.random.default_rng([seed % 2**64, number])


def _layer(room: int) -> Any:
    """One layer's part of a cache, of a given number of positions; attention layers of any kind keep all of them."""
    from transformers.cache_utils import DynamicLayer

    class Layer(DynamicLayer):
        stored: tuple[torch.Tensor, ...] = ()
        """Keys and values, shape (rows, heads, room, width of a head) each."""
        length = 0

        def update(
            self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
        ) -> tuple[torch.Tensor, torch.Tensor]:
            new = key_states, value_states
            if not self.stored:
                self.stored = tuple(each.new_empty((*each.shape[:2], room, each.shape[3])) for each in new)
            past, self.length = self.length, self.length + key_states.shape[2]
            for stored, each in zip(self.stored, new, strict=True):
                stored[:, :, past : self.length] = each
            keys, values = (stored[:, :, : self.length] for stored in self.stored)
            return keys, values

        def get_seq_length(self) -> int:
            return self.length

        def keep(self, rows: int, moved: list[int], places: list[int]) -> None:
            """Keep this many rows, after some were moved to other places."""
            for stored in self.stored:
                stored[places, :, : self.length] = stored[moved, :, : self.length]
            self.stored = tuple(stored[:rows] for stored in self.stored)

    return Layer()


def _without(over: set[int], rows: list[_Story], cache: Any) -> list[_Story]:
    """The rows that go on; those at the back take the places of those that are over, in the cache too."""
    count = len(rows) - len(over)
    places = [number for number in sorted(over) if number < count]
    moved = [number for number in range(count, len(rows)) if number not in over]
    for layer in cache.layers:
        layer.keep(count, moved, places)
    for place, number in zip(places, moved, strict=True):
        rows[place] = rows[number]
    return rows[:count]
