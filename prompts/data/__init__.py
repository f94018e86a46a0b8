"""Labelled texts: one adapter per data set, splits into seen and unseen classes, and the choice of few examples."""

from prompts.data.ag_news import ag_news_items
from prompts.data.indic_news import indic_news_items
from prompts.data.items import Item, sample
from prompts.data.masking import masked
from prompts.data.massive import massive_items
from prompts.data.mtop import mtop_items
from prompts.data.reading import READERS, read_items
from prompts.data.selection import few_shot, margins, uncertain_and_diverse
from prompts.data.sib200 import SIB200_COLUMNS, sib200_items, sib200_path
from prompts.data.splits import Split, check_disjoint, of_classes, rotations, split_groups, transfer
from prompts.data.themes import katha72_items, theme_items

__all__ = [
    "READERS",
    "SIB200_COLUMNS",
    "Item",
    "Split",
    "ag_news_items",
    "check_disjoint",
    "few_shot",
    "indic_news_items",
    "katha72_items",
    "margins",
    "masked",
    "massive_items",
    "mtop_items",
    "of_classes",
    "read_items",
    "rotations",
    "sample",
    "sib200_items",
    "sib200_path",
    "split_groups",
    "theme_items",
    "transfer",
    "uncertain_and_diverse",
]
