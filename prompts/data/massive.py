"""MASSIVE: utterances to a voice assistant in 51 languages, parallel by id (FitzGerald et al. 2023). No Marathi."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Literal

from corpora.errors import UserError
from prompts.data.items import Item
from prompts.data.tables import existing, some

LOCALES = {"hi": "hi-IN", "bn": "bn-BD", "en": "en-US"}


def massive_items(
    folder: str | os.PathLike[str], split: str, language: str, label: Literal["scenario", "intent"] = "scenario"
) -> list[Item]:
    """The utterances of one partition of `FOLDER/hi-IN.jsonl` with their scenario (18) or intent (60).

    `split`: `train`, `dev` or `test`, the file's `partition`. UserError if the language is not in MASSIVE, the file is
    absent or damaged, or the partition is empty.
    """
    if language not in LOCALES:
        raise UserError(f"MASSIVE has no {language!r}; choose from {', '.join(LOCALES)}.")
    path = existing(Path(folder) / f"{LOCALES[language]}.jsonl", "MASSIVE (1.0/data)")
    items = []
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                row = json.loads(line)
                if row["partition"] != split:
                    continue
                name, text, identifier = row[label], row["utt"], str(row["id"])
            except (json.JSONDecodeError, KeyError, TypeError):
                raise UserError(f"line {number} of {str(path)!r} is no row of MASSIVE; download it again.") from None
            items.append(Item(identifier, language, text, name, identifier, f"massive {label}"))
    return some(items, path)
