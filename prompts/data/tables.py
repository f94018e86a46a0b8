"""What adapters share: finding a split's file, and refusing a data set that yields nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from corpora.errors import UserError
from prompts.data.items import Item


def existing(path: Path, what: str) -> Path:
    """The path of a file; UserError if it is not there, with the files that lie beside it."""
    if not path.is_file():
        found = ", ".join(sorted(file.name for file in path.parent.glob("*") if file.is_file())) or "nothing"
        raise UserError(f"there is no {str(path)!r} ({found} in its folder); give the folder of {what}.")
    return path


def some(items: Sequence[Item], path: Path) -> list[Item]:
    """The items; UserError if there are none."""
    if not items:
        raise UserError(f"{str(path)!r} holds no labelled texts; download the file again.")
    return list(items)
