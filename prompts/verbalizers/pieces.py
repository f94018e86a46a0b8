"""Names as token identifiers, and which tokens can speak for a class at all."""

from __future__ import annotations

import os
from collections.abc import Sequence

import regex
import torch
from transformers import PreTrainedTokenizerBase

from corpora.errors import UserError
from prompts.verbalizers.labels import Names

_LETTER = regex.compile(r"\p{L}")
_MARKUP = regex.compile(r"<.*>|\[.*\]", flags=regex.DOTALL)
_WORD_START = ("▁", "Ġ", " ")


def name_pieces(tokenizer: PreTrainedTokenizerBase, names: Names) -> dict[str, dict[str, list[int]]]:
    """Class -> name -> the identifiers that write it after the language's template.

    Template and name are tokenized together, for a piece may hold the space between them (`▁name`); what the template
    without its last spaces makes alone is taken off. So the pieces follow `AnswerModel.ask(texts, template)`, asked
    without names, for those of one language may share a first piece that the others' lack. UserError if the tokenizer
    lacks a name's letters.
    """
    every = [(label, name) for label, words in names.names.items() for name in words]
    strings = [names.template.rstrip(" "), *(names.template + name for _, name in every)]
    template, *whole = tokenizer(strings, add_special_tokens=False)["input_ids"]
    found: dict[str, dict[str, list[int]]] = {label: {} for label in names.names}
    for (label, name), ids in zip(every, whole, strict=True):
        pieces = list(ids[len(os.path.commonprefix([template, ids])) :])
        if not pieces or (tokenizer.unk_token_id is not None and tokenizer.unk_token_id in pieces):
            raise UserError(f"the tokenizer cannot write the class name {name!r}; give a name that it knows.")
        found[label][name] = pieces
    return found


def speaking(tokenizer: PreTrainedTokenizerBase, stop: Sequence[str] = (), word_start: bool = False) -> torch.Tensor:
    """Which identifiers may be neighbours of a name, bool, shape (len(tokenizer),).

    Not: special and added tokens, markup (`<unused1>`), fragments of bytes (`<0xE0>`, or a piece that decodes to
    U+FFFD), pieces without a letter (punctuation, digits, bare vowel signs), and words of the stop list (letter case
    aside). With `word_start`, only pieces with a space before them. Pieces are decoded to be looked at; their
    identifiers stay what they are.
    """
    ids = list(range(len(tokenizer)))
    pieces = tokenizer.convert_ids_to_tokens(ids)
    texts = tokenizer.batch_decode([[number] for number in ids], clean_up_tokenization_spaces=False)
    barred = {*tokenizer.all_special_ids, *tokenizer.added_tokens_decoder}
    stopped = {word.casefold() for word in stop}

    def speaks(number: int, piece: str | None, text: str) -> bool:
        return (
            number not in barred
            and piece is not None
            and _MARKUP.fullmatch(piece) is None
            and "\ufffd" not in text
            and _LETTER.search(text) is not None
            and text.strip().casefold() not in stopped
            and (not word_start or piece.startswith(_WORD_START))
        )

    return torch.tensor([speaks(*token) for token in zip(ids, pieces, texts, strict=True)])
