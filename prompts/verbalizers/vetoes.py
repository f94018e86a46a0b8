"""Neighbours that a person who reads the language has struck out.

A veto file is YAML, one line per row of the vocabulary, with the piece as `verbalizer show` prints it (or its number):

    - {piece: ▁खेलकर}                          # nowhere
    - {piece: ▁game, class: sports}            # not for this class
    - {row: 4711, class: health, language: mr} # not for this class's names in this language
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from transformers import PreTrainedTokenizerBase

from corpora.errors import UserError
from prompts.verbalizers.labels import LabelSet

_KEYS = {"piece": str, "row": int, "class": str, "language": str}


@dataclass(frozen=True)
class Veto:
    """One row that may not speak; for one class or language only, if they are given."""

    piece: str | None = None
    row: int | None = None
    label: str | None = None
    language: str | None = None


def load_vetoes(path: str | os.PathLike[str]) -> list[Veto]:
    """Read a veto file; UserError if it is absent or damaged."""
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError):
        raise UserError(f"there is no veto file {os.fspath(path)!r}; check the path.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"the veto file {os.fspath(path)!r} is not valid YAML ({reason}).") from None
    entries: list[Any] = content if isinstance(content, list) else [content]
    for number, entry in enumerate(entries, 1):
        if (
            not isinstance(entry, dict)
            or not all(key in _KEYS and type(value) is _KEYS[key] for key, value in entry.items())
            or ("piece" in entry) == ("row" in entry)
        ):
            raise UserError(
                f"entry {number} of the veto file {os.fspath(path)!r} is not understood; "
                "give {piece: PIECE} or {row: NUMBER}, and class and language where it shall not hold everywhere."
            )
    return [Veto(one.get("piece"), one.get("row"), one.get("class"), one.get("language")) for one in entries]


def vetoed(
    vetoes: Sequence[Veto], label: str, language: str, tokenizer: PreTrainedTokenizerBase, label_set: LabelSet
) -> list[int]:
    """The rows that may not speak for a class in a language; UserError for what is no piece, class or language."""
    rows = []
    for veto in vetoes:
        if veto.label is not None and veto.label not in label_set.classes:
            raise UserError(f"a veto names the class {veto.label!r}, which the labels lack.")
        if veto.language is not None and veto.language not in label_set.languages:
            raise UserError(f"a veto names the language {veto.language!r}, in which the labels were not read.")
        if veto.label in (None, label) and veto.language in (None, language):
            rows.append(_row(veto, tokenizer))
    return rows


def _row(veto: Veto, tokenizer: PreTrainedTokenizerBase) -> int:
    row = veto.row if veto.piece is None else tokenizer.convert_tokens_to_ids(veto.piece)
    if (
        isinstance(row, int)
        and 0 <= row < len(tokenizer)
        and veto.piece in (None, tokenizer.convert_ids_to_tokens(row))
    ):
        return row
    named = veto.row if veto.piece is None else veto.piece
    raise UserError(f"a veto names {named!r}, which is no piece of this tokenizer; see `verbalizer show`.")
