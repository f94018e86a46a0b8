"""Robustness measures, against numbers counted by hand with a tokenizer of a few pieces."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenization.measures.robustness import DEFINITIONS, count_recut, make_pair, measure_robustness, pairs_of
from tokenization.measures.variants import Edit, variants
from tokenization.opening.tokenizer import Encoded, Tokenizer


@dataclass(frozen=True)
class Longest(Tokenizer):
    """Takes the longest of its words that stands next, else one code point, or its bytes where there are `bytes_of`."""

    words: tuple[str, ...] = ()
    bytes_of: str = ""
    loses: str = ""

    def encode_batch(self, texts):
        return [self._encode(text) for text in texts]

    def _encode(self, text):
        at, ids, spans = 0, [], []
        while at < len(text):
            piece = max((word for word in self.words if text.startswith(word, at)), key=len, default=text[at])
            count = len(piece.encode()) if piece in self.bytes_of else 1
            ids += [ord(piece) if len(piece) == 1 else 0x110000 + self.words.index(piece)] + [-1] * (count - 1)
            spans += [(at, at + len(piece))] * count
            at += len(piece)
        spans = np.array(spans, dtype=np.int32).reshape(-1, 2)
        return Encoded(np.array(ids, dtype=np.int32), spans[:, 0], spans[:, 1])

    def decode(self, ids):
        pieces = [self.words[number - 0x110000] if number >= 0x110000 else chr(number) for number in ids if number >= 0]
        return "".join(pieces).replace(self.loses, "") if self.loses else "".join(pieces)

    def pieces(self):
        return []


def tokenizer(*words, bytes_of="", loses=""):
    return Longest("longest", "longest", 9, False, "", words=words, bytes_of=bytes_of, loses=loses)


def recut(tokenizer, text, edits):
    pair = make_pair(text, edits)
    return count_recut(pair, *tokenizer.encode_batch([pair.original, pair.changed]))


def test_aksharas_and_words_that_an_edit_touches():
    # The virama joins शे to the स before it: the akshara स्शे is touched whole. गया lies beside no edit.
    pair = make_pair("घर सशे गया", [Edit(4, 4, "्")])
    assert (pair.changed, pair.zones, pair.words) == ("घर स्शे गया", ((3, 6),), ((3, 6),))
    # A space between words touches both.
    assert make_pair("एक दो तीन", [Edit(2, 3, "  ")]).words == ((0, 2), (3, 5))


def test_boundaries_that_move_by_hand():
    # Devanagari: पानी|पा|न before, पा|नि|पा|न after; nothing moves but around नी, which is changed.
    assert recut(tokenizer("पानी", "पा", "नि"), "पानीपान", [Edit(3, 4, "ि")]) == 0
    # कमल|नी before, क|म|ल|नि after: boundaries in कमल, two aksharas away.
    assert recut(tokenizer("कमलनी", "नि"), "कमलनी", [Edit(4, 5, "ि")]) == 1
    # Bengali: one piece becomes উ|ত|্|ZWJ|স|ব|ট|া. ZWJ joins ত্ to স, so the changed akshara ends before ব; ব|ট moved.
    edits = variants("bn")["khanda_ta_spelled"].edits("উৎসবটা বই")
    assert recut(tokenizer("উৎসবটা"), "উৎসবটা বই", edits) == 1
    assert recut(tokenizer("উৎস", "বটা"), "উৎসবটা বই", edits) == 0
    assert recut(tokenizer(), "উৎসবটা বই", edits) == 0
    # Latin: a doubled space joins no word; a piece that holds the space and a word's start is cut off.
    assert recut(tokenizer("on", "my", " "), "on my", [Edit(2, 3, "  ")]) == 0
    assert recut(tokenizer("on", " my"), "on my", [Edit(2, 3, "  ")]) == 0
    assert recut(tokenizer("on my"), "on my", [Edit(2, 3, "  ")]) == 2


def test_boundaries_inside_a_code_point_are_boundaries():
    # क is three bytes in one spelling only.
    edits = [Edit(3, 4, "ि")]
    pair = make_pair("कनमी", edits)
    before = tokenizer("कन").encode_batch([pair.original])[0]
    after = tokenizer(bytes_of="क").encode_batch([pair.changed])[0]
    assert count_recut(pair, before, after) == 1
    assert count_recut(pair, *tokenizer(bytes_of="क").encode_batch([pair.original, pair.changed])) == 0


def test_measures_by_hand():
    measured = measure_robustness(tokenizer("है।", "है", "घर"), ["घर है।", "घर घर है।"], "hi", fewest=1)
    # घर|␣|है। -> घर|␣|है|. : 3 -> 4 tokens; घर|␣|घर|␣|है। -> 5 -> 6.
    assert measured["full_stop_tokens"]["value"] == pytest.approx(2 / 8)
    assert measured["full_stop_tokens"]["low"] == pytest.approx(1 / 5)
    assert measured["full_stop_tokens"]["high"] == pytest.approx(1 / 3)
    assert measured["full_stop_recut"]["value"] == 0
    assert measured["full_stop_round_trip"]["value"] == 1
    assert measured["full_stop_round_trip"]["low"] < 1
    assert measured["khanda_ta_spelled_tokens"] == {"value": None, "low": None, "high": None}
    # Spaces doubled: 1 more token in 3, 2 in 5.
    assert measured["double_space_tokens"]["value"] == pytest.approx(3 / 8)


def test_a_lossy_tokenizer_is_seen():
    texts = ["উৎসব শেষ।", "হঠাৎ এল।"]
    measured = measure_robustness(tokenizer(loses="\u200d"), texts, "bn", fewest=1)
    assert measured["khanda_ta_spelled_round_trip"]["value"] == 0
    assert measured["full_stop_round_trip"]["value"] == 1
    # ৎ is one code point, ত + hasanta + ZWJ three: 2 more in 9 and in 8.
    assert measured["khanda_ta_spelled_tokens"]["value"] == pytest.approx(4 / 17)


def test_every_measure_is_defined_and_rare_variants_have_no_value():
    texts = ["पानी में मछली थी।"] * 12 + ["उसने कहा “हाँ”।"]
    measured = measure_robustness(tokenizer(), texts, "hi")
    assert set(measured) == set(DEFINITIONS)
    assert measured["full_stop_tokens"]["value"] == 0
    assert measured["straight_quotes_tokens"]["value"] is None
    assert measured["typing_noise_tokens"]["value"] is not None
    assert all(value["value"] is None for value in measure_robustness(tokenizer(), [], "en").values())


def test_the_sentences_are_drawn_once():
    texts = tuple(f"यह घर {number} का है।" for number in range(30))
    drawn = pairs_of(texts, "hi", 5)
    assert drawn is pairs_of(texts, "hi", 5)
    assert len(drawn["full_stop"]) == len(drawn["native_digits"]) == 5
    assert all(pair.original in texts for pair in drawn["full_stop"])


@given(
    text=st.text(alphabet="कमनीि्ड़\u0958ो ে া।. অ\u200d"),
    name=st.sampled_from(["nfd", "nukta_composed", "double_space", "full_stop", "joiners_removed"]),
)
def test_a_tokenizer_of_code_points_never_cuts_anew(text, name):
    # Its boundaries stand everywhere, so none outside the changed aksharas moves.
    assert recut(tokenizer(), text, variants("hi")[name].edits(text)) == 0


@given(text=st.text(alphabet="कमनीि्ड़ ।अ", min_size=1), pieces=st.lists(st.text("कमनीि ।", min_size=2), max_size=4))
def test_the_same_text_is_cut_the_same(text, pieces):
    pair = make_pair(text, [Edit(0, 1, text[0])])
    assert count_recut(pair, *tokenizer(*pieces).encode_batch([text, text])) == 0
