"""Morphs are found where words share them, and no merge is learnt across their boundaries."""

import random

import pytest

from tokenization.training.character_bpe import vocabulary
from tokenization.training.morphology import find_morphs, train_morphology

STEMS = ["लिख", "पढ़", "चल", "देख", "सुन", "समझ", "बोल", "हँस"]
ENDINGS = ["ता", "ती", "ते", "ना", "ने", "ूँगा", "ेगी"]


@pytest.fixture(scope="module")
def verbs():
    """Each stem with each ending, and alone."""
    return {stem + ending: 2 for stem in STEMS for ending in ["", *ENDINGS]}


def test_stems_and_endings_are_parted(verbs):
    assert find_morphs(verbs) == {
        stem + ending: [stem, ending] if ending else [stem] for stem in STEMS for ending in ["", *ENDINGS]
    }


def test_no_merge_crosses_a_morph_boundary(verbs):
    text = " ".join([*verbs, *verbs])
    pieces = vocabulary(train_morphology([text], 316).tokenizer)
    learnt = [piece for piece in pieces[260:] if len(piece) > 1]
    assert {"ता", " लिख"} < set(learnt)
    assert all(any(piece in morph for morph in [*(" " + stem for stem in STEMS), *ENDINGS]) for piece in learnt)


def test_words_are_encoded_without_morfessor(verbs, monkeypatch):
    tokenizer = train_morphology([" ".join([*verbs, *verbs])], 316).tokenizer
    monkeypatch.setattr("morfessor.BaselineModel", None)
    assert tokenizer.encode(" लिखता हँसती").tokens == [" लिख", "ता", " हँस", "ती"]


def test_no_boundary_inside_a_conjunct_or_before_a_nukta():
    stems = ["बड", "पढ", "कढ", "गढ", "मढ", "लड", "सड", "जड", "चढ", "दौड"]
    words = [stem + end for stem in stems for end in ("", "़", "्य", "्‍य", "़ा")]
    for parts in find_morphs(dict.fromkeys(words, 2)).values():
        assert not any(part[0] in "़्‍" for part in parts)
        assert not any(part[-1] in "्‍" for part in parts)


def test_the_order_of_words_and_the_state_of_random_do_not_matter_and_stay():
    draw = random.Random(0)
    syllables = ["क", "का", "खि", "ग", "ती", "ना", "रो", "पन"]
    words = {"".join(draw.choices(syllables, k=draw.randint(2, 5))): draw.randint(1, 9) for _ in range(300)}
    random.seed(7)
    state = random.getstate()
    first = find_morphs(words)
    assert random.getstate() == state
    random.seed(8)
    assert find_morphs(dict(reversed(words.items()))) == first
    assert max(map(len, first.values())) > 1


def test_the_noncharacter_of_the_boundaries_is_text_like_other_text():
    tokenizer = train_morphology(["राजा \ufdd3 रा\ufdd3नी"], 300 - 32).tokenizer
    assert tokenizer.decode(tokenizer.encode("रा\ufdd3जा").ids) == "रा\ufdd3जा"
