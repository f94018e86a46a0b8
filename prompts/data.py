"""Labelled texts to classify: the themes of generated stories, the topics of SIB-200."""

from __future__ import annotations

import csv
import json
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from corpora.errors import UserError
from corpora.languages import get_language
from corpora.stories import read_corpus

SIB200_COLUMNS = ("index_id", "category", "text")


@dataclass(frozen=True)
class Item:
    """One text with its label."""

    id: str
    language: str
    text: str
    label: str
    group: str
    """Items of one group are drawn together when intervals are made."""


def theme_items(corpus: str | os.PathLike[str], split: str, language: str) -> list[Item]:
    """The stories of one split of a corpus folder with the theme that they were written from.

    UserError if a story has no theme (`prompt` is JSON with `theme` in the embedded generator's stories and Katha-72).
    """
    items = []
    for story in read_corpus(corpus, split, [language]):
        try:
            theme = json.loads(story.prompt)["theme"]
        except (json.JSONDecodeError, TypeError, KeyError):
            raise UserError(
                f"the story {story.id!r} of {os.fspath(corpus)!r} has no theme in its prompt; themes can be classified "
                "in corpora of the embedded generator and of Katha-72 only."
            ) from None
        items.append(Item(story.id, language, story.text, theme, story.group or story.id))
    return items


def sib200_items(folder: str | os.PathLike[str], split: str, language: str) -> list[Item]:
    """The sentences of `FOLDER/hin_Deva/SPLIT.tsv` (or the language's folder) with their topics.

    UserError if the file is absent, empty, or lacks a column or a value.
    """
    path = sib200_path(folder, split, language)
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        missing = [column for column in SIB200_COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise UserError(f"{str(path)!r} lacks the columns {', '.join(missing)}; a SIB-200 file has all three.")
        items = []
        for row in reader:
            if not all(row[column] for column in SIB200_COLUMNS):
                raise UserError(f"line {reader.line_num} of {str(path)!r} has an empty field; mend or remove the line.")
            items.append(Item(row["index_id"], language, row["text"], row["category"], row["index_id"]))
    if not items:
        raise UserError(f"{str(path)!r} holds no sentences; download the file again.")
    return items


def sib200_path(folder: str | os.PathLike[str], split: str, language: str) -> Path:
    """Where SIB-200 keeps a split of a language; UserError if it is not there, with the splits that are."""
    place = Path(folder) / get_language(language).flores
    path = place / f"{split}.tsv"
    if not path.is_file():
        found = ", ".join(sorted(file.stem for file in place.glob("*.tsv"))) or "none"
        raise UserError(f"there is no {str(path)!r} (splits there: {found}); check --sib200 and --split.")
    return path


def sample(items: Sequence[Item], count: int | None, seed: int = 0) -> list[Item]:
    """`count` items drawn by the seed (all, if there are no more), in their old order.

    Equal sizes draw equal places, so parallel data sets keep the same items in every language.
    """
    if count is None or count >= len(items):
        return list(items)
    if count < 1:
        raise UserError(f"{count} items cannot be classified; ask for at least one.")
    return [items[i] for i in sorted(random.Random(seed).sample(range(len(items)), count))]
