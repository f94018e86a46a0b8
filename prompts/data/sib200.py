"""SIB-200: sentences of FLORES-200 by topic, parallel across 205 languages (Adelani et al. 2024)."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from corpora.errors import UserError
from corpora.languages import get_language
from evaluation.models import is_hub_name
from prompts.data.items import Item

SIB200_COLUMNS = ("index_id", "category", "text")


def sib200_items(source: str | os.PathLike[str], split: str, language: str) -> list[Item]:
    """The sentences of `SOURCE/hin_Deva/SPLIT.tsv` (or the language's folder) with their topics.

    `source` may also be a data set on the Hub with such columns and one configuration per language, as Davlan/sib200,
    whose `dev` is `validation`. UserError if the file or data set is absent, empty, or lacks a column or a value.
    """
    if not Path(source).exists() and is_hub_name(os.fspath(source)):
        return _checked(_hub_rows(os.fspath(source), split, language), f"{source} {split} {language}", language)
    path = sib200_path(source, split, language)
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return _checked(reader, str(path), language, reader.fieldnames or ())


def sib200_path(folder: str | os.PathLike[str], split: str, language: str) -> Path:
    """Where SIB-200 keeps a split of a language; UserError if it is not there, with the splits that are."""
    place = Path(folder) / get_language(language).flores
    path = place / f"{split}.tsv"
    if not path.is_file():
        found = ", ".join(sorted(file.stem for file in place.glob("*.tsv"))) or "none"
        raise UserError(f"there is no {str(path)!r} (splits there: {found}); check the folder and the split.")
    return path


def _checked(
    rows: Iterable[Mapping[str, Any]], place: str, language: str, columns: Iterable[str] | None = None
) -> list[Item]:
    rows = list(rows)
    present = set(columns) if columns is not None else set(rows[0] if rows else SIB200_COLUMNS)
    if missing := [column for column in SIB200_COLUMNS if column not in present]:
        raise UserError(f"{place!r} lacks the columns {', '.join(missing)}; a SIB-200 file has all three.")
    items = []
    for line, row in enumerate(rows, start=2):
        if any(row[column] in ("", None) for column in SIB200_COLUMNS):
            raise UserError(f"line {line} of {place!r} has an empty field; mend or remove the line.")
        number = str(row["index_id"])
        items.append(Item(number, language, row["text"], str(row["category"]), number, "sib200"))
    if not items:
        raise UserError(f"{place!r} holds no sentences; download the file again.")
    return items


def _hub_rows(name: str, split: str, language: str) -> list[dict[str, Any]]:
    from datasets import ClassLabel, load_dataset

    try:
        table = load_dataset(name, get_language(language).flores, split="validation" if split == "dev" else split)
    except Exception as error:  # what the Hub, a wrong name and a wrong split raise differs by version
        reason = str(error).strip().split("\n")[0].rstrip(".")
        raise UserError(f"the data set {name!r} cannot be read for {language} {split} ({reason}).") from None
    category = table.features.get("category")
    rows = [dict(row) for row in table]
    if isinstance(category, ClassLabel):
        rows = [{**row, "category": category.int2str(row["category"])} for row in rows]
    return rows
