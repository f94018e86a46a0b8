"""Impossible sequences: what breaks a word is found, what a language legally writes is let through."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.hygiene import impossible_sequences, inspect

VIRAMA, ZWJ, ZWNJ = "\u094d", "\u200d", "\u200c"


def found(text: str) -> set[str]:
    return {name for name, number in impossible_sequences(text).items() if number}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("वह \u093fकताब", "mark_at_word_start"),
        ("\u0902", "mark_at_word_start"),
        ("a,\u094db", "mark_at_word_start"),
        (f"क{VIRAMA}{VIRAMA}ष", "double_virama"),
        (f"क{VIRAMA}{ZWJ}{VIRAMA}", "double_virama"),
        ("बंसी\u0947", "two_vowel_signs"),
        ("সু\u09c1রু", "two_vowel_signs"),
        ("आअ\u094b", "vowel_sign_on_independent_vowel"),
        ("\u0985\u09beমি", "vowel_sign_on_independent_vowel"),
        (f"क{VIRAMA}\u093e", "vowel_sign_without_consonant"),
        ("कं\u093e", "vowel_sign_without_consonant"),
        (f"कि{VIRAMA}", "virama_without_consonant"),
        (f"अ{VIRAMA}य", "virama_without_consonant"),
        (f"क{VIRAMA}\u093cा", "nukta_without_consonant"),
        ("कुत्\ufffdड़ों", "broken_bytes"),
        ("हूँ\u0902", "doubled_sign_after_vowel"),
    ],
)
def test_finds(text, name):
    assert name in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "कहाँ ज़मीन लड़का पढ़ाई क्षत्रिय श्री हूँ दुःख",
        "ज\u093cरा ड\u093c",  # nukta as a second code point
        "ॲप ऑफिस अ\u0945प कॅमेरा",
        "दऱ्या दर्‍या वाऱ्यावर",
        f"क{VIRAMA}{ZWJ}ष क{VIRAMA}{ZWNJ}ष",
        "অ্যাপ এ্যাকাউন্ট র‍্যাব র্য উৎসব চাঁদ বড় দুঃখ হয় কৌশল কো",
        "गाड\u093fयाँ ऽ ॐ १२३ Hello, naïve",
    ],
)
def test_lets_pass_what_is_legal(text):
    assert found(text) == set()


def test_decomposed_bengali_vowel_signs_are_one_sign():
    assert sum(inspect("ক\u09c7\u09be ক\u09c7\u09d7", "bn").impossible.values()) == 0


@given(st.text(alphabet="कखगघङ ािीु", max_size=30))
def test_counts_agree_with_a_reading_by_hand(text):
    """On consonants, vowel signs and spaces only, a sign is right exactly after a consonant."""
    signs = set("ािीु")
    after_sign = sum(1 for a, b in zip(text, text[1:], strict=False) if a in signs and b in signs)
    at_start = sum(1 for a, b in zip(" " + text, text, strict=False) if a == " " and b in signs)
    counts = impossible_sequences(text)
    assert (counts["two_vowel_signs"], counts["mark_at_word_start"]) == (after_sign, at_start)
    assert sum(counts.values()) == after_sign + at_start


def test_letters_and_words_by_script():
    counted = inspect("राजा said হ্যাঁ है", "hi")
    # राजा 4, said 4, হ্যাঁ 5, है 2 letters and marks.
    assert (counted.letters, counted.own_letters) == (15, 6)
    assert (counted.words, counted.stray_words) == (4, 2)
    assert inspect("A cat — 3 dogs!", "en").stray_words == 0


@pytest.mark.real
@pytest.mark.parametrize("language", ["hi", "mr", "bn", "en"])
def test_real_stories_have_next_to_none(language):
    stories = sorted((Path(os.environ["KATHALAB_DATA"]) / "pratham" / language).glob("*.md"))
    impossible = letters = own = 0
    for story in stories:
        text = re.sub(r"(?m)^#.*$", "", story.read_text(encoding="utf-8").split("* License")[0])
        # Two Bengali files of this set spell আ as অ + া throughout: real mistakes, counted as such above.
        counted = inspect(text.replace("\u0985\u09be", "আ"), language)
        impossible += sum(counted.impossible.values())
        letters, own = letters + counted.letters, own + counted.own_letters
    assert letters > 40_000
    assert impossible / letters < 3e-4
    assert own / letters > 0.999
