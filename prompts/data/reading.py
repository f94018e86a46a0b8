"""Every data set by the name that configurations and plans call it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal, cast

from corpora.errors import UserError
from prompts.data.ag_news import ag_news_items
from prompts.data.indic_news import indic_news_items
from prompts.data.items import Item
from prompts.data.massive import massive_items
from prompts.data.mtop import mtop_items
from prompts.data.sib200 import sib200_items
from prompts.data.themes import katha72_items, theme_items
from prompts.verbalizers.labels import load_aliases

Dataset = Literal["sib200", "themes", "katha72", "mtop", "massive", "agnews", "indicnews"]
Reader = Callable[[str, str, str], list[Item]]
"""Folder, split and language -> items."""

READERS: dict[Dataset, Reader] = {
    "sib200": sib200_items,
    "themes": theme_items,
    "katha72": lambda folder, split, language: katha72_items(split, language),
    "mtop": mtop_items,
    "massive": massive_items,
    "agnews": ag_news_items,
    "indicnews": indic_news_items,
}
"""Each name is that of the labels file that goes with the data set, too."""
WITHOUT_FOLDER = frozenset({"katha72"})
"""Data sets that come with the package."""


def read_items(dataset: str, folder: str | None, split: str, language: str, labels: str | None = None) -> list[Item]:
    """The items of one split of a data set in one language, with the labels' aliases (`load_aliases`) resolved.

    `folder`: where the data set lies (see its own reader), or for SIB-200 a data set on the Hub. `labels`: the labels
    file, by default the data set's. UserError if there is no such data set, or as its reader has it.
    """
    if dataset not in READERS:
        raise UserError(f"there is no data set {dataset!r}; choose from {', '.join(READERS)}.")
    if folder is None and dataset not in WITHOUT_FOLDER:
        raise UserError(f"the data set {dataset!r} does not come with the package; give the folder that it lies in.")
    aliases = load_aliases(labels or dataset)
    items = READERS[cast(Dataset, dataset)](folder or "", split, language)
    return [replace(item, label=aliases.get(item.label, item.label)) for item in items] if aliases else items
