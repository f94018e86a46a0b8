"""AG News and files like it: `train.csv`, `test.csv` and `classes.txt`, as published with Zhang et al. 2015."""

from __future__ import annotations

import csv
import html
import os
import re
from pathlib import Path

from corpora.errors import UserError
from prompts.data.items import Item
from prompts.data.tables import existing, some

_BARE_ENTITY = re.compile(r"(?<![&\w])(#\d+|quot|amp|lt|gt|nbsp);")


def ag_news_items(folder: str | os.PathLike[str], split: str, language: str = "en") -> list[Item]:
    """The texts of `FOLDER/SPLIT.csv` with the classes that `FOLDER/classes.txt` names, one a line.

    A row is the number of its class, from 1, and one or more fields of text (AG News: title, description), which are
    joined by a space. The backslashes that stand for line breaks and the character references that lost their `&` in
    the published files are mended. UserError if a file is absent, or a row has no text or no class of the list.
    """
    path = existing(Path(folder) / f"{split}.csv", "a data set like AG News")
    names = existing(Path(folder) / "classes.txt", "a data set like AG News").read_text(encoding="utf-8").split("\n")
    classes = {str(number): name.strip() for number, name in enumerate(names, start=1) if name.strip()}
    items = []
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.reader(file), start=1):
            if not row:
                continue
            text = _mended(" ".join(row[1:]))
            if row[0].strip() not in classes or not text:
                raise UserError(f"row {number} of {str(path)!r} has no text or no class of classes.txt; mend it.")
            identifier = f"{split}-{number}"
            items.append(Item(identifier, language, text, classes[row[0].strip()], identifier, Path(folder).name))
    return some(items, path)


def _mended(text: str) -> str:
    text = re.sub(r" ?(?<!&)#39;", "'", text.replace("\\", " "))
    return " ".join(html.unescape(_BARE_ENTITY.sub(r"&\1;", text)).split())
