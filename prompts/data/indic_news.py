"""L3Cube-IndicNews: news by subject (CC BY-NC-SA 4.0: read from your own copy, never shipped), its faults mended."""

from __future__ import annotations

import csv
import os
import re
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Literal

from corpora.errors import UserError
from corpora.languages import get_language
from prompts.data.items import Item
from prompts.data.tables import some

SPLITS = ("train", "valid", "test")
KEYS = ("text", "label")
"""What the names of the two columns begin with."""


def indic_news_items(
    folder: str | os.PathLike[str], split: str, language: str, variant: Literal["SHC", "LPC", "LDC"] = "SHC"
) -> list[Item]:
    """The texts of one split of `FOLDER/Hindi/SHC/*.csv` (headlines; LPC paragraphs, LDC documents) with their labels.

    See `read_indic_news` for what is left out. `dev` and `validation` are IndicNews's `valid`.
    """
    return read_indic_news(folder, split, language, variant)[0]


def read_indic_news(
    folder: str | os.PathLike[str], split: str, language: str, variant: str = "SHC"
) -> tuple[list[Item], Counter[str]]:
    """The items of a split, and how many rows were left out for which fault.

    Columns are found by their names in whatever order and case. Left out are `header` rows that were concatenated into
    the data, rows with an `empty` text or label, texts that stand `twice` in the split, and texts that stand in a
    `later` split (train < valid < test), so that the test split stays as it is and nothing of it is trained on.
    Labels are in small letters. UserError if a file is absent or has no text and label column.
    """
    split = "valid" if split in ("dev", "validation") else split
    if split not in SPLITS:
        raise UserError(f"IndicNews has no split {split!r}; choose from {', '.join(SPLITS)}.")
    place = Path(folder) / get_language(language).name / variant
    left_out: Counter[str] = Counter()
    seen: set[str] = set()
    for later in SPLITS[SPLITS.index(split) + 1 :]:
        seen |= {_folded(text) for _, text, _ in _rows(_file(place, later), Counter())}
    path = _file(place, split)
    items, mine = [], set()
    for number, text, label in _rows(path, left_out):
        key = _folded(text)
        if key in seen or key in mine:
            left_out["later" if key in seen else "twice"] += 1
            continue
        mine.add(key)
        identifier = f"{split}-{number}"
        items.append(Item(identifier, language, text, label, f"{language}-{identifier}", f"indic-news {variant}"))
    return some(items, path), left_out


def _file(place: Path, split: str) -> Path:
    """The publishers' names vary: Hindi_SHC_Test.csv, Bengal_SHC_Test.csv, English_test_shc.csv."""
    found = [path for path in sorted(place.glob("*.csv")) if re.search(rf"_{split}", path.name, re.IGNORECASE)]
    if len(found) != 1:
        names = ", ".join(path.name for path in sorted(place.glob("*.csv"))) or "none"
        raise UserError(f"{str(place)!r} has not one CSV file for {split} (its files: {names}); check the folder.")
    return found[0]


def _rows(path: Path, left_out: Counter[str]) -> list[tuple[int, str, str]]:
    """(row number, text, label) of the sound rows; the others are counted."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        header = [name.strip().casefold() for name in next(reader, [])]
        columns = {key: i for i, name in reversed(list(enumerate(header))) for key in KEYS if name.startswith(key)}
        if len(columns) < len(KEYS):
            raise UserError(f"{str(path)!r} has no columns text and label (it has {', '.join(header) or 'none'}).")
        sound = []
        for number, row in enumerate(reader, start=2):
            text, label = (row[columns[key]].strip() if columns[key] < len(row) else "" for key in KEYS)
            text, label = " ".join(text.split()), label.casefold()
            if label in ("label", "labels"):
                left_out["header"] += 1
            elif not text or not label:
                left_out["empty"] += 1
            else:
                sound.append((number, text, label))
    return sound


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()
