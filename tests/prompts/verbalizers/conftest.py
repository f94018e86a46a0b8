import math
from types import SimpleNamespace

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from prompts.verbalizers import LabelSet, Names

# piece -> direction of its row in degrees (rows are unit vectors of the plane but for <unk>, which is zero)
ANGLES = {
    "<unk>": None,
    "<s>": 0,
    "<0xE0>": 0,
    "topic:": 270,
    "▁sport": 0,
    "▁health": 80,
    "▁care": 100,
    "ames": 20,  # inside a word
    "▁play": 10,
    ".": 5,
    "▁the": 1,
    "▁doctor": 85,
    "▁both": 44,  # nearer to sport (44 degrees) than to health care (46)
    "▁खेल": -12,
    "▁स्वास्थ्य": 112,
    "ि": 2,
    "विषय:": 270,
    "am": 200,
    "es": 200,
    "<unused1>": 0,
}
ROW = {piece: number for number, piece in enumerate(ANGLES)}


@pytest.fixture(scope="session")
def pieces():
    """Piece -> row."""
    return ROW


@pytest.fixture(scope="session")
def toy():
    """A Unigram tokenizer of these pieces; `am` + `es` is likelier than `ames`, so it is not read back."""
    scores = {"ames": -9.0, "<0xE0>": -99.0}
    unigram = models.Unigram([(piece, scores.get(piece, -1.0)) for piece in ANGLES], unk_id=0)
    tokenizer = Tokenizer(unigram)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never", split=True)
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="never")
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>")


@pytest.fixture(scope="session")
def table():
    """The rows, shape (pieces, 2)."""
    degrees = [0 if angle is None else angle for angle in ANGLES.values()]
    rows = torch.tensor([[math.cos(math.radians(a)), math.sin(math.radians(a))] for a in degrees])
    rows[0] = 0
    return rows


@pytest.fixture(scope="session")
def label_set():
    return LabelSet(
        {
            "en": Names("en", "topic: ", {"sports": ("sport",), "health": ("health care",)}),
            "hi": Names("hi", "विषय: ", {"sports": ("खेल",), "health": ("स्वास्थ्य",)}),
        }
    )


@pytest.fixture(scope="session")
def cosine():
    """The cosine of an angle in degrees."""
    return lambda degrees: math.cos(math.radians(degrees))


@pytest.fixture
def foretelling(toy, table):
    """A stand-in for `AnswerModel`: after a name and any template it has the state that it is given for the name."""

    def build(states):
        return SimpleNamespace(
            tokenizer=toy,
            head=table,
            ask=lambda texts, template: [(text, template) for text in texts],
            answer_states=lambda asked: torch.tensor([states[question] for question in asked]),
        )

    return build
