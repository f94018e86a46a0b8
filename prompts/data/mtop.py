"""MTOP: utterances to a voice assistant in six languages, Hindi among them, parallel by id (Li et al. 2021)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from corpora.errors import UserError
from prompts.data.items import Item
from prompts.data.tables import existing, some

COLUMNS = ("id", "intent", "slots", "utterance", "domain", "locale", "decoupled form", "tokens")


def mtop_items(
    folder: str | os.PathLike[str], split: str, language: str, label: Literal["domain", "intent"] = "domain"
) -> list[Item]:
    """The utterances of `FOLDER/LANGUAGE/SPLIT.txt` with their domain (11) or intent (117, without its `IN:`).

    The file is the publisher's: tab-separated, no header, no quoting, the columns of `COLUMNS`. `dev` is MTOP's `eval`.
    UserError if the file is absent or empty, or a line has other columns.
    """
    path = existing(Path(folder) / language / f"{'eval' if split == 'dev' else split}.txt", "MTOP")
    items = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1):
        if not line.strip():
            continue
        fields = line.split("\t")
        if len(fields) != len(COLUMNS):
            raise UserError(f"line {number} of {str(path)!r} has {len(fields)} columns; an MTOP file has eight.")
        row = dict(zip(COLUMNS, fields, strict=True))
        if not row["utterance"] or not row[label]:
            raise UserError(f"line {number} of {str(path)!r} has an empty field; mend or remove the line.")
        name = row[label].removeprefix("IN:")
        items.append(Item(row["id"], language, row["utterance"], name, row["id"], f"mtop {label}"))
    return some(items, path)
