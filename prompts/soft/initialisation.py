"""Where a soft prompt starts. Every vector is in the scale that the model's first block is fed with.

Embeddings are taken through `AnswerModel.embed`, so that XGLM's and Gemma's scaling is in them (a start from the bare
table would be 32 times too small for XGLM-564M). BLOOM normalises what it is fed, so there the norm decides only how
far a step of the optimiser goes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from corpora.errors import UserError
from prompts.soft.layout import PLACES, Layout
from prompts.soft.prompt import DeepPrompt, ShallowPrompt, SoftPrompt

if TYPE_CHECKING:
    from prompts.models.answering import AnswerModel

Start = Literal["text", "labels", "frequent", "mean", "prompt", "random"]
MOST_FREQUENT = 5000
"""How many of the commonest tokens `frequent` draws from (as Lester et al. 2021)."""
CHUNK = 8192


def initialise(
    layout: Layout,
    answer_model: AnswerModel,
    how: Start = "text",
    *,
    text: str | Mapping[str, str] = "",
    names: Sequence[str] = (),
    texts: Iterable[str] = (),
    prompt: SoftPrompt | None = None,
    seed: int = 0,
) -> ShallowPrompt:
    """A shallow prompt that starts from

    - `text`: the embedded tokens of a text, repeated or cut to each place's length; `text` may be given by place;
    - `labels`: class `names`, each the mean of its tokens, dealt out over the prompt's vectors (a vector that gets
      several is their mean; names are repeated when they are fewer than the vectors);
    - `frequent`: different tokens drawn by the seed from the `MOST_FREQUENT` commonest of `texts`, specials left out;
    - `mean`: the mean of the vocabulary's embeddings, in every vector;
    - `prompt`: the vectors of another prompt, repeated or cut to each place's length;
    - `random`: a normal distribution with mean and standard deviation of the vocabulary's embeddings in each dimension.

    UserError if what the start is made from is missing, or is not of this model.
    """
    if how == "text":
        by_place = text if isinstance(text, Mapping) else dict.fromkeys(PLACES, text)
        parts = [_of_text(answer_model, by_place.get(place, ""), getattr(layout, place)) for place in PLACES]
        vectors = torch.cat(parts)
    elif how == "labels":
        vectors = _of_names(answer_model, names, layout.length)
    elif how == "frequent":
        vectors = _of_frequent(answer_model, texts, layout.length, seed)
    elif how == "mean":
        vectors = _moments(answer_model)[0].expand(layout.length, -1)
    elif how == "prompt":
        vectors = _of_prompt(answer_model, prompt, layout)
    else:
        mean, deviation = _moments(answer_model)
        noise = torch.randn(layout.length, len(mean), generator=torch.Generator().manual_seed(seed))
        vectors = mean + deviation * noise.to(mean.device)
    return ShallowPrompt(layout, vectors)


def deepened(prompt: SoftPrompt, answer_model: AnswerModel) -> DeepPrompt:
    """The deep prompt that starts as this prefix: the keys and values that the frozen model computes for its vectors.

    Before training it gives the same answers as the prefix. UserError for prompts with vectors elsewhere, and for
    models that have an encoder or keep no such cache.
    """
    if not prompt.layout.only_prefix:
        raise UserError("only a prefix can be deep; leave infix and suffix out of the layout, or train it shallow.")
    if answer_model.seq2seq:
        raise UserError("only causal models take a deep prompt; train a shallow one for a model with an encoder.")
    vectors = prompt.vectors("prefix").to(answer_model.model.device)
    with torch.no_grad():
        output = answer_model.model(inputs_embeds=vectors.unsqueeze(0), use_cache=True)
    layers = getattr(getattr(output, "past_key_values", None), "layers", [])
    states = [tensor[0] for layer in layers for tensor in (layer.keys, layer.values) if tensor is not None]
    alike = {tensor.shape for tensor in states}
    if len(states) != 2 * len(layers) or len(alike) != 1 or states[0].shape[1] != len(vectors):
        raise UserError(
            f"this model does not keep keys and values of {len(vectors)} positions, alike in every layer, so it takes "
            "no deep prompt of that length; train a shorter or a shallow one."
        )
    return DeepPrompt(torch.stack(states).unflatten(0, (-1, 2)), prompt.width)


def token_counts(answer_model: AnswerModel, texts: Iterable[str]) -> Counter[int]:
    """How often each token occurs in texts, special tokens left out."""
    tokenizer = answer_model.tokenizer
    counts: Counter[int] = Counter()
    for text in texts:
        counts.update(tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])
    for special in tokenizer.all_special_ids:
        counts.pop(special, None)
    return counts


def _of_text(answer_model: AnswerModel, text: str, length: int) -> Tensor:
    if length == 0:
        return torch.empty(0, answer_model.width, device=answer_model.model.device)
    return _to_length(_embed(answer_model, _ids(answer_model, text)), length)


def _of_names(answer_model: AnswerModel, names: Sequence[str], length: int) -> Tensor:
    if not names:
        raise UserError("a prompt that starts from class names needs some; give them, or choose another start.")
    means = torch.stack([_embed(answer_model, _ids(answer_model, " " + name)).mean(dim=0) for name in names])
    if len(means) <= length:
        return _to_length(means, length)
    return torch.stack([means[start::length].mean(dim=0) for start in range(length)])


def _ids(answer_model: AnswerModel, text: str) -> list[int]:
    ids = answer_model.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"] if text.strip() else []
    if not ids:
        raise UserError("a prompt that starts from a text needs one; give it, or choose another start.")
    return list(ids)


def _of_frequent(answer_model: AnswerModel, texts: Iterable[str], length: int, seed: int) -> Tensor:
    counts = token_counts(answer_model, texts)
    # ids break ties, so that the pool does not depend on the order of the texts
    pool = sorted(counts, key=lambda token: (-counts[token], token))[:MOST_FREQUENT]
    if len(pool) < length:
        raise UserError(
            f"the texts hold only {len(pool)} different tokens, but {length} vectors are to start from them; give more."
        )
    drawn = torch.randperm(len(pool), generator=torch.Generator().manual_seed(seed))[:length]
    return _embed(answer_model, [pool[index] for index in drawn.tolist()])


def _of_prompt(answer_model: AnswerModel, prompt: SoftPrompt | None, layout: Layout) -> Tensor:
    if prompt is None:
        raise UserError("a prompt that starts from another needs it; give its folder, or choose another start.")
    if prompt.deep_states() is not None:
        raise UserError("a deep prompt has no vectors that another could start from; give a shallow one.")
    if prompt.width != answer_model.width:
        raise UserError(
            f"the prompt to start from is {prompt.width} numbers wide, but this model's embeddings are "
            f"{answer_model.width}; give a prompt of this model."
        )
    whole = prompt.all_vectors().detach()
    parts = []
    for place in PLACES:
        own = prompt.vectors(place).detach()
        parts.append(_to_length(own if len(own) else whole, getattr(layout, place)))
    return torch.cat(parts)


def _moments(answer_model: AnswerModel) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of the vocabulary's embeddings in each dimension, specials left out; each [width]."""
    special = set(answer_model.tokenizer.all_special_ids)
    ids = [token for token in range(len(answer_model.tokenizer)) if token not in special]
    total = square = torch.zeros(answer_model.width, dtype=torch.float64)
    for start in range(0, len(ids), CHUNK):
        rows = _embed(answer_model, ids[start : start + CHUNK]).double().cpu()
        total, square = total + rows.sum(dim=0), square + rows.square().sum(dim=0)
    mean = total / len(ids)
    return mean.float(), (square / len(ids) - mean.square()).clamp(min=0).sqrt().float()


def _embed(answer_model: AnswerModel, ids: Sequence[int]) -> Tensor:
    """[ids, width] as the model's first block is fed."""
    with torch.no_grad():
        return answer_model.embed(torch.tensor(ids, dtype=torch.long, device=answer_model.model.device)).detach()


def _to_length(vectors: Tensor, length: int) -> Tensor:
    """The vectors over and over until there are `length`; the last ones cut off."""
    return vectors[torch.arange(length, device=vectors.device) % max(1, len(vectors))]
