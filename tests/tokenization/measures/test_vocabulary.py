"""What pieces are for, by hand."""

import numpy as np

from tokenization.measures.vocabulary import CLASSES, DEFINITIONS, allocate, classify, measure_use

PIECES = {
    "काम": "Devanagari",
    " बर": "Devanagari",
    "ा": "Devanagari",
    "বা": "Bengali",
    " the": "Latin",
    "कab": "Latin",
    "कa": "Devanagari",
    "дом": "other",
    "।": "none",
    "12": "none",
    " ": "none",
    "<|endoftext|>": "none",
    "[UNK]": "none",
    "<unused7>": "none",
    b"\xe0\xa4": "bytes",
    b" \x95\xe0": "bytes",
}


def test_classes_by_hand(scripted):
    tokenizer = scripted({"": [(piece, 0, 0) for piece in PIECES]})
    found = [CLASSES[number] for number in classify(tokenizer)]
    assert dict(zip(PIECES, found[1:], strict=True)) == PIECES
    assert found[0] == "none"
    assert allocate(tokenizer) == {"Devanagari": 4, "Bengali": 1, "Latin": 2, "other": 1, "bytes": 2, "none": 7}


def test_byte_pieces_are_bytes_whatever_they_spell(scripted):
    tokenizer = scripted({"": [("a", 0, 0), ("b", 0, 0)]}, byte_ids=frozenset([2]))
    assert allocate(tokenizer)["Latin"] == allocate(tokenizer)["bytes"] == 1


def test_ids_without_a_piece_are_none(scripted):
    assert allocate(scripted({"": [("a", 0, 0)]}, vocabulary_size=9))["none"] == 8


def test_use_by_hand():
    classes = np.array([CLASSES.index(name) for name in ("none", "bytes", "Latin", "Devanagari", "other")])
    found = measure_use(np.array([0, 0, 3, 0, 0]), classes)
    assert set(found) == set(DEFINITIONS)
    assert found["vocabulary_use"]["value"] == 1 / 5
    assert found["dead_pieces"]["value"] == 2  # neither the special token nor the byte piece
