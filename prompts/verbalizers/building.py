"""Verbalizers from a labels file: of the names' own pieces, of their neighbours, of what a model foretells of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, cast

import torch
from transformers import PreTrainedTokenizerBase

from corpora.errors import UserError
from prompts.verbalizers.labels import LabelSet
from prompts.verbalizers.neighbours import Key, Shared, allowed_rows, anchor_rows, cosines, nearest
from prompts.verbalizers.pieces import name_pieces, speaking
from prompts.verbalizers.verbalizer import Combine, LabelWord, Pool, Verbalizer, of_words
from prompts.verbalizers.vetoes import Veto, vetoed

if TYPE_CHECKING:
    from prompts.models import AnswerModel

Subtokens = Literal["mean", "first"]
Which = Literal["multilingual", "target_only", "source_only"]
Space = Literal["input", "output"]


def chosen_languages(which: Which, source: str, target: str, every: Sequence[str]) -> list[str]:
    """The languages whose names speak when the texts are in `target`: all of `every`, the target's, the source's."""
    return {"multilingual": list(dict.fromkeys(every)), "target_only": [target], "source_only": [source]}[which]


def from_names(
    label_set: LabelSet,
    languages: Sequence[str],
    tokenizer: PreTrainedTokenizerBase,
    subtokens: Subtokens = "mean",
    combine: Combine = "union",
    pool: Pool = "logit",
) -> Verbalizer:
    """The names' own pieces, at the one position after the template.

    A language has mass 1 / languages (1 with `combine` ≠ union), a name 1 / names of it, spread evenly over all its
    pieces or given to the first. Pieces that names of two classes share speak for both. `prompts.zero_shot` scores
    whole names by their log-probability instead.
    """
    pieces = _pieces(label_set, languages, tokenizer)
    words = []
    for key, ids in pieces.items():
        used = list(ids) if subtokens == "mean" else list(ids[:1])
        share = _name_mass(label_set, languages, key, combine) / len(used)
        words += [_word(tokenizer, key, row, share * used.count(row)) for row in dict.fromkeys(used)]
    return of_words(label_set.classes, languages, words, combine, pool)


def nonparametric(
    label_set: LabelSet,
    languages: Sequence[str],
    tokenizer: PreTrainedTokenizerBase,
    table: torch.Tensor,
    k: int = 12,
    temperature: float = 1.0,
    subtokens: Subtokens = "mean",
    shared: Shared = "nearest",
    combine: Combine = "union",
    pool: Pool = "logit",
    stop: Sequence[str] = (),
    word_start: bool = False,
    veto: Sequence[Veto] = (),
    anchors: Mapping[Key, torch.Tensor] | None = None,
) -> Verbalizer:
    """NPPrompt: every name speaks through the `k` rows of `table`, (V, d), nearest to it by cosine.

    Within a name w_v = softmax(cos / temperature); masses of languages and names as in `from_names`. Neighbours found
    are logits' rows whatever table they are found in (the input embeddings, as in NPPrompt, or the head's rows).
    `shared`: a row near several classes goes to the `nearest`, is taken from all (`delete`), or stays with all (`keep`,
    as NPPrompt's code does); pieces of other classes' names are never neighbours. `stop`, `word_start`: see `speaking`.
    `veto`: rows that a person has struck out; others move up. `anchors`: what to search near instead of the names'
    own rows.
    """
    if temperature <= 0:
        raise UserError(f"the neighbours' temperature must be positive, not {temperature}.")
    pieces = _pieces(label_set, languages, tokenizer)
    keys = list(pieces)
    anchors = anchor_rows(pieces, table, subtokens) if anchors is None else anchors
    with torch.no_grad():
        similarity = cosines(torch.stack([anchors[key] for key in keys]).to(table.device), table).cpu()
    speaks = torch.zeros(len(table), dtype=torch.bool)
    usable = speaking(tokenizer, stop, word_start)[: len(table)]
    speaks[: len(usable)] = usable
    own = [pieces[key] for key in keys]
    members = [label_set.classes.index(label) for label, _, _ in keys]
    allowed = allowed_rows(similarity, members, own, speaks, shared)
    for number, (label, language, _) in enumerate(keys):
        allowed[number, vetoed(veto, label, language, tokenizer, label_set)] = False
    found = nearest(similarity, allowed, members, k, shared)
    words = []
    heard = [key for key, rows in zip(keys, found, strict=True) if rows]
    for number, key in enumerate(keys):
        values = similarity[number, found[number]].double()
        shares = (values / temperature).softmax(0) * _name_mass(label_set, languages, key, combine, heard)
        for row, share, value in zip(found[number], shares.tolist(), values.tolist(), strict=True):
            words.append(_word(tokenizer, key, row, share, value))
    return of_words(label_set.classes, languages, words, combine, pool)


def contextual(label_set: LabelSet, languages: Sequence[str], model: AnswerModel, **options: Any) -> Verbalizer:
    """As `nonparametric`, near what the model foretells when the text is nothing but the name.

    A name's vector is the answer state after name + template, less the mean of all such states of its language (what
    the template alone foretells); its neighbours are rows of the head, for states live in their space.
    """
    anchors: dict[Key, torch.Tensor] = {}
    for language in languages:
        own = label_set[language]
        keys: list[Key] = [(label, language, name) for label, names in own.names.items() for name in names]
        with torch.no_grad():
            states = model.answer_states(model.ask([name for _, _, name in keys], own.template))
        anchors |= dict(zip(keys, states - states.mean(0), strict=True))
    tokenizer = cast(PreTrainedTokenizerBase, model.tokenizer)
    return nonparametric(label_set, languages, tokenizer, model.head, anchors=anchors, **options)


def search_table(model: AnswerModel, space: Space = "input") -> torch.Tensor:
    """The rows to find neighbours in: the model's input embeddings or its head's rows; the same where they are tied."""
    return cast(Any, model.model.get_input_embeddings()).weight.detach() if space == "input" else model.head.detach()


def _pieces(label_set: LabelSet, languages: Sequence[str], tokenizer: PreTrainedTokenizerBase) -> dict[Key, list[int]]:
    """The identifiers of every name in these languages."""
    if not languages or len(set(languages)) < len(languages):
        raise UserError("a verbalizer needs one or more languages, each once.")
    return {
        (label, language, name): ids
        for language in languages
        for label, names in name_pieces(tokenizer, label_set[language]).items()
        for name, ids in names.items()
    }


def _name_mass(
    label_set: LabelSet, languages: Sequence[str], key: Key, combine: Combine, heard: Sequence[Key] | None = None
) -> float:
    """A name's share of its class. Names and languages that no row speaks for (all vetoed) leave theirs to the rest."""
    label, language, _ = key
    if heard is None:
        heard = [(label, code, name) for code in languages for name in label_set[code].names[label]]
    names = {code: sum(one[0] == label and one[1] == code for one in heard) for code in languages}
    spoken = sum(count > 0 for count in names.values())
    if combine != "union" and spoken < len(languages):
        silent = next(code for code, count in names.items() if count == 0)
        raise UserError(f"no row speaks for {label!r} in {silent!r}; veto fewer rows, or combine languages by union.")
    if not names[language]:
        return math.nan  # never used: the name has no rows
    return 1 / names[language] / (spoken if combine == "union" else 1)


def _word(
    tokenizer: PreTrainedTokenizerBase, key: Key, row: int, weight: float, cosine: float | None = None
) -> LabelWord:
    piece, text = tokenizer.convert_ids_to_tokens(row), tokenizer.decode([row])
    return LabelWord(*key, row, str(piece), str(text), weight, cosine)
