"""Verbalizers: the words by which a language names each class, and how a model's logits become class scores."""

from prompts.verbalizers.building import chosen_languages, contextual, from_names, nonparametric, search_table
from prompts.verbalizers.labels import (
    CONTENT_FREE,
    LabelSet,
    Names,
    check_labels,
    labels_path,
    load_aliases,
    load_labels,
    load_verbalizer,
)
from prompts.verbalizers.stopping import stop_words
from prompts.verbalizers.verbalizer import LabelWord, Verbalizer, from_record, of_words
from prompts.verbalizers.vetoes import Veto, load_vetoes

__all__ = [
    "CONTENT_FREE",
    "LabelSet",
    "LabelWord",
    "Names",
    "Verbalizer",
    "Veto",
    "check_labels",
    "chosen_languages",
    "contextual",
    "from_names",
    "from_record",
    "labels_path",
    "load_aliases",
    "load_labels",
    "load_verbalizer",
    "load_vetoes",
    "nonparametric",
    "of_words",
    "search_table",
    "stop_words",
]
