"""The piece explorer: cuts in code points, aksharas drawn whole, sentences that show the script."""

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer as Backend
from tokenizers import models, pre_tokenizers

from tokenization.comparing.explorer import Akshara, choose_sentences, drawn, explore, packed
from tokenization.opening.tokenizer import FastTokenizer


@pytest.fixture(scope="module")
def words() -> FastTokenizer:
    backend = Backend(models.WordLevel({"?": 0, "राजा": 1}, unk_token="?"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return FastTokenizer("words", "words", 2, False, "", backend=backend)


def test_cuts_are_code_points_of_the_sentence(words):
    found = explore([words], ["🙂 राजा", "एक"])
    assert found == {"sentences": ["🙂 राजा", "एक"], "cuts": {"words": [[[0, 1], [2, 6]], [[0, 2]]]}}


@pytest.mark.parametrize(
    ("sentence", "spans", "expected"),
    [
        # क्ष is one akshara of three code points, मा one of two.
        ("क्षमा", [[0, 3], [3, 5]], [[("क्ष", 1, False)], [("मा", 1, False)]]),
        ("क्षमा", [[0, 5]], [[("क्ष", 1, False), ("मा", 1, False)]]),
        ("क्षमा", [[0, 1], [1, 2], [2, 5]], [[("क्ष", 3, False), ("मा", 1, False)]]),
        ("क्षमा", [[0, 3], [3, 4], [4, 5]], [[("क्ष", 1, False)], [("मा", 2, False)]]),
        # One code point in three byte pieces, one in two.
        ("कख", [[0, 1], [0, 1], [0, 1], [1, 2], [1, 2]], [[("क", 3, True)], [("ख", 2, True)]]),
        # A piece that ends one character and begins another.
        ("कख", [[0, 1], [0, 2], [1, 2]], [[("क", 2, True), ("ख", 2, True)]]),
        # A space that no token holds parts at its first edge.
        ("क ख", [[0, 1], [2, 3]], [[("क", 1, False)], [(" ", 1, False), ("ख", 1, False)]]),
        # র‍্যা with its joiner is one akshara; a cut behind the joiner breaks it.
        ("র‍্যা", [[0, 2], [2, 5]], [[("র‍্যা", 2, False)]]),
        ("कख", [[0, 0], [0, 2], [2, 2]], [[("क", 1, False), ("ख", 1, False)]]),
        ("कख", [], [[("क", 1, False), ("ख", 1, False)]]),
        ("", [], []),
    ],
)
def test_aksharas_are_drawn_whole(sentence, spans, expected):
    assert drawn(sentence, spans) == [[Akshara(*akshara) for akshara in group] for group in expected]


@given(st.text("कख्षिाড়্যা\u200d\u200c🙂 a", max_size=25), st.data())
def test_no_akshara_is_torn_and_no_boundary_lost(text, data):
    edges = sorted(data.draw(st.sets(st.integers(1, max(len(text) - 1, 1)))) & set(range(1, len(text))))
    spans = list(map(list, zip([0, *edges], [*edges, len(text)], strict=True))) if text else []
    groups = drawn(text, spans)
    aksharas = [akshara for group in groups for akshara in group]
    assert [akshara.text for akshara in aksharas] == regex.findall(r"\X", text)
    assert max(len(groups) - 1, 0) + sum(akshara.tokens - 1 for akshara in aksharas) == len(edges)
    runs = [run if isinstance(run, str) else run[0] for group in packed(groups) for run in group]
    assert "".join(runs) == text


def test_packed_runs():
    groups = [[Akshara("क", 1, False), Akshara("ख", 1, False), Akshara("क्ष", 2, True), Akshara("म", 1, False)]]
    assert packed(groups) == [["कख", ["क्ष", 2, 1], "म"]]


def test_sentences_are_diverse_short_and_different():
    plain = [f"वह घर गया और {'सो ' * number}सब काम कर के आया।" for number in range(6, 20)]
    special = "उसने १२ ज़ेवर देखे और “स्त्री” से कहा कि विद्यालय चलो।"
    texts = [" ".join([*plain, special]), special, "छोटा।", "क" * 200 + "।"]
    chosen = choose_sentences(texts, "hi", 5)
    assert chosen[0] == special and len(set(chosen)) == 5
    assert all(30 <= len(sentence) <= 160 for sentence in chosen)
    assert chosen == choose_sentences(texts, "hi", 5)
    assert choose_sentences(["छोटा।"], "hi") == []


def test_a_sentence_with_joiners_is_worth_showing():
    joined = "त्याच्या घरात दोन नव्या कुऱ्हाडी आणि वार्‍या होत्या."
    chosen = choose_sentences([f"तो मुलगा दररोज {n} वेळा शाळेत जात होता." for n in range(9)] + [joined], "mr", 3)
    assert joined in chosen
