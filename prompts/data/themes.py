"""The themes of stories: those of the embedded generator and of Katha-72."""

from __future__ import annotations

import json
import os

from corpora.errors import UserError
from corpora.katha import read_katha
from corpora.stories import read_corpus
from prompts.data.items import Item


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
        items.append(Item(story.id, language, story.text, theme, story.group or story.id, "themes"))
    return items


def katha72_items(split: str, language: str) -> list[Item]:
    """The stories of Katha-72, which comes with the package, with their themes; a group is one in four languages."""
    items = [
        Item(f"{katha.group}-{language}", language, katha.text, katha.theme, katha.group, "katha72")
        for katha in read_katha([language])
        if katha.split == split
    ]
    if not items:
        raise UserError(f"Katha-72 has no split {split!r}; choose validation or test.")
    return items
