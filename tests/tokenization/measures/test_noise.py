"""Misspellings: never what the script cannot write, the same for the same seed, as many as asked for."""

import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from evaluation.hygiene import impossible_sequences
from tokenization.measures.noise import SOUND_ALIKE, _candidates, noise_edits, noisy
from tokenization.measures.variants import apply_edits

TEXTS = {
    "hi": "एक जंगल में शेर रहता था। उसकी गुफ़ा पहाड़ी के पास थी और क्षमा करना विद्यार्थियों का काम नहीं।",
    "mr": "एका गावात एक हुशार मुलगा राहत होता. पाऱ्याचा वाऱ्यावर त्याने आईला शाळेतली गोष्ट सांगितली.",
    "bn": "একদিন ছেলেটি বাড়ি গেল। র\u200d্যাব হঠাৎ উৎসব শেষ করে দিল, মা বললেন চাঁদের পাহাড়ে যেতে ক্ষমা নেই।",
}
CLUSTERS = {
    "hi": ["क", "रा", "जी", "षि", "क्ष", "स्त्री", "ड़ों", "नु", "ण", "माँ", "श्", "इ", "ऊँ", "त्\u200dय", "दुः", "।", "a", "१"],
    "mr": ["क", "ळा", "ऱ्या", "र्\u200dया", "णि", "शी", "ॲ", "नू", "ई", "चं", "श्र", "ष्ट", "\u200c", ".", "दुः"],
    "bn": ["ক", "রি", "ড়ী", "য়ে", "ৎ", "র\u200d্যা", "ক্ষ", "ষু", "শো", "ণ", "ঈ", "উঁ", "সং", "ঃ", "দ্\u200cয", "অ্যা", "।"],
}


def mistakes(word, language):
    return {kind: {apply_edits(word, [edit]) for edit in edits} for kind, edits in _candidates(word, language).items()}


def test_mistakes_by_hand():
    assert mistakes("पानी", "hi") == {"sound-alike": {"पानि"}, "sign left out": {"पनी", "पान"}}
    assert mistakes("में", "hi") == {"sign left out": {"मे"}}
    assert mistakes("शाळेत", "mr") == {
        "sound-alike": {"षाळेत", "शालेत"},
        "sign left out": {"शळेत", "शाळत"},
        "akshara swapped": {"शातळे"},
        "akshara left out": {"शात", "शाळे"},
        "akshara doubled": {"शाळेळेत", "शाळेतत"},
    }
    assert mistakes("ধরণ", "bn")["sound-alike"] == {"ধরন"}
    assert mistakes("ধরন", "bn")["sound-alike"] == {"ধরণ"}
    assert mistakes("ক্ষমা", "bn") == {"sign left out": {"ক্ষম"}}


def test_a_sentence_by_hand():
    # Every word is hit; एक can lose nothing and is mistaken for nothing, 12 and ok are no words of Hindi.
    assert noisy("एक 12 ok", "hi", 1) == "एक 12 ok"
    assert noisy("में", "hi", 1) == "मे"


@pytest.mark.parametrize("language", SOUND_ALIKE)
def test_rate_and_seed(language):
    text = " ".join([TEXTS[language]] * 40)
    assert noisy(text, language, 0) == text
    assert noisy(text, language, 0.2, seed=3) == noisy(text, language, 0.2, seed=3)
    assert noisy(text, language, 0.2, seed=3) != noisy(text, language, 0.2, seed=4)
    words = len(text.split())
    possible = len(noise_edits(text, language, 1)) / words
    assert 0.7 < possible < 1
    assert len(noise_edits(text, language, 0.2)) / words == pytest.approx(0.2 * possible, abs=0.05)
    assert set(noise_edits(text, language, 0.1)) < set(noise_edits(text, language, 0.3))


def test_other_languages_keep_their_text():
    assert noisy("Once upon a time", "en", 1) == "Once upon a time"
    assert noisy(TEXTS["hi"], "xx", 1) == TEXTS["hi"]


def test_a_rate_is_a_share():
    with pytest.raises(ValueError, match="between 0 and 1"):
        noisy("पानी", "hi", 1.5)


@pytest.mark.parametrize("language", SOUND_ALIKE)
@given(data=st.data())
def test_clean_words_stay_possible(language, data):
    words = st.lists(st.sampled_from(CLUSTERS[language]), min_size=1, max_size=6).map("".join)
    text = unicodedata.normalize("NFC", " ".join(data.draw(st.lists(words, min_size=1, max_size=4))))
    assume(not any(impossible_sequences(text).values()))
    found = noisy(text, language, 1, data.draw(st.integers(0, 9)))
    assert not any(impossible_sequences(unicodedata.normalize("NFC", found)).values())
    assert len(found.split()) == len(text.split())


@given(text=st.text("कनरषशिी़ंँ्इअ।\u200c ", max_size=12), seed=st.integers(0, 3))
def test_unclean_words_get_no_worse(text, seed):
    before = impossible_sequences(unicodedata.normalize("NFC", text))
    after = impossible_sequences(unicodedata.normalize("NFC", noisy(text, "hi", 1, seed)))
    assert all(after[name] <= before[name] for name in before)


def test_a_swap_of_equals_is_no_mistake():
    # Of the three aksharas only the last two could be swapped, and नन stays नन; one is left out or doubled instead.
    assert {noisy("कनन", "hi", 1, seed) for seed in range(40)} == {"कन", "कननन"}


@pytest.mark.parametrize("language", SOUND_ALIKE)
@given(text=st.text(), seed=st.integers(0, 3))
def test_any_text_is_taken(language, text, seed):
    edits = noise_edits(text, language, 1, seed)
    assert apply_edits(text, edits) == noisy(text, language, 1, seed)
    assert len(edits) <= len(text.split())
