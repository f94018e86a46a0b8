"""Filters: each finds its fault and nothing else, and leaves good stories alone."""

import os
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.cleaning.faults import Text, unfinished
from corpora.cleaning.filters import FILTERS, Filters
from corpora.cleaning.normalize import normalize
from corpora.cleaning.repeats import repeats
from corpora.cleaning.wordorder import BREAK, COMMA, END, NUMBER, parts, word_order
from corpora.errors import UserError
from corpora.languages import get_language
from corpora.sources import Generator, Katha72, Markdown

STORY = {
    "hi": "एक गाँव में एक छोटी लड़की रहती थी। उसका नाम मीना था। एक दिन वह अपनी माँ के साथ बाज़ार गई। वहाँ उसने एक लाल "
    "पतंग देखी। माँ ने उसे पतंग खरीद दी। मीना बहुत खुश हुई और घर आकर पतंग उड़ाने लगी।",
    "mr": "एका गावात एक छोटी मुलगी राहत होती. तिचे नाव मीना होते. एके दिवशी ती आपल्या आईबरोबर बाजारात गेली. तिथे तिला एक लाल "
    "पतंग दिसला. आईने तिला तो पतंग घेऊन दिला. मीना खूप खूश झाली आणि घरी येऊन पतंग उडवू लागली.",
    "bn": "এক গ্রামে একটি ছোট মেয়ে থাকত। তার নাম ছিল মিনা। একদিন সে তার মায়ের সঙ্গে বাজারে গেল। সেখানে সে একটা লাল ঘুড়ি "
    "দেখতে পেল। মা তাকে ঘুড়িটা কিনে দিলেন। মিনা খুব খুশি হল আর বাড়ি এসে ঘুড়ি ওড়াতে লাগল।",
    "en": "Once a little girl lived in a village. Her name was Meena. One day she went to market with "
    "her mother. There she saw a red kite. Her mother bought it for her, and Meena was very happy.",
}
STORY = {language: normalize(text, language) for language, text in STORY.items()}


@pytest.mark.parametrize("language", STORY)
def test_a_story_passes(language):
    assert Filters().check(STORY[language], language) is None


@pytest.mark.parametrize(
    ("language", "change", "reason", "evidence"),
    [
        ("hi", lambda text: text[:60], "length", "14 words"),
        ("hi", lambda text: text * 120, "length", "words"),
        ("hi", lambda text: f"<p>{text}</p>", "html", "<p>"),
        ("bn", lambda text: text.replace("। ", "।&nbsp;", 1), "html", "&nbsp;"),
        ("mr", lambda text: text + "<!-- end", "html", "<!--"),
        ("hi", lambda text: text + text[:50].encode().decode("cp1252", "replace"), "mojibake", "à¤"),
        ("bn", lambda text: text + text[:50].encode().decode("latin-1"), "mojibake", "à¦"),
        ("mr", lambda text: text.replace("पतंग", "प\ufffd\ufffd"), "mojibake", "\ufffd"),
        ("hi", lambda text: text + " ???? ?? ????? ???.", "mojibake", "????"),
        ("en", lambda text: text.replace("Her", "â€œHerâ€"), "mojibake", "â€"),
        ("en", lambda text: text + " It isn’t red.".encode().decode("latin-1"), "mojibake", "isnât"),
        ("hi", lambda text: STORY["en"], "script", "0.00 of the letters are Devanagari"),
        ("en", lambda text: text + " एक दिन वह अपनी माँ के साथ बाज़ार गई।", "script", "0.8"),
        ("hi", lambda text: STORY["mr"], "language", "'mr'"),
        ("mr", lambda text: STORY["hi"], "language", "'hi'"),
        ("hi", lambda text: text + " मग ती आपल्या घरी गेली आणि झोपली.", "mixed languages", "मग ती"),
        ("mr", lambda text: text + " फिर वह अपने घर गई और सो गई।", "mixed languages", "फिर वह"),
        ("hi", lambda text: text + " मुझे meena.k@example.org पर लिखो।", "personal data", "meena.k@example.org"),
        ("en", lambda text: text + " See www.example.com now.", "personal data", "www.example.com"),
        ("hi", lambda text: text + " मेरा नंबर +91 98765 43210 है।", "personal data", "98765 43210"),
        ("bn", lambda text: text + " তার নম্বর ০১৭১২-৩৪৫৬৭৮।", "personal data", "০১৭১২-৩৪৫৬৭৮"),
        ("hi", lambda text: text + " आधार 2345 6789 0123 है।", "personal data", "2345 6789 0123"),
        ("hi", lambda text: text + " वह हत्यारा था।", "violent words", "हत्यारा"),
        ("en", lambda text: text + " Murder!", "violent words", "murder"),
        ("bn", lambda text: text + " ধর্ষণ।", "adult words", "ধর্ষণ"),
        ("hi", lambda text: text + " और वह हँसी" * 9 + "।", "repetition", "'और वह हँसी' again and again"),
        ("mr", lambda text: text + " खूप" * 30 + ".", "repetition", "'खूप'"),
        ("bn", lambda text: text + "\n\n" + text, "repetition", "in one piece stood there before"),
        ("hi", lambda text: text + " फिर वह अपनी सहेली के साथ", "unfinished", "सहेली के साथ"),
        ("mr", lambda text: text + "\n\nती म्हणाली,", "unfinished", "ती म्हणाली,"),
        ("hi", lambda text: text + "\n\nऔर", "unfinished", "और"),
    ],
)
def test_each_fault_is_found_with_evidence(language, change, reason, evidence):
    text = normalize(change(STORY[language]), language)
    found = Filters().check(text, language)
    assert found is not None and found.reason == reason and evidence in found.evidence
    others = Filters(without=[reason]).check(text, language)
    assert others is None or others.reason != reason


@pytest.mark.parametrize("language", STORY)
def test_shuffled_words_are_found(language):
    stories = [story.text for story in Katha72([language])][:40]
    rng, found = random.Random(0), 0
    for text in stories:
        tokens = text.split()
        rng.shuffle(tokens)
        found += word_order(language).score(" ".join(tokens)) < 0
    assert found >= 0.9 * len(stories)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("सामग्री:\n\n१. दो कप चावल\n\n२. एक चम्मच नमक", "hi"),
        ("वह बोला, “चलो”", "hi"),
        ("- The End -", "en"),
        ("Dear Grandma, come soon. Meena", "en"),
        ("मुलगी म्हणाली, 'हो!'", "mr"),
        ("সে চলে গেল… 😀", "bn"),
        ("तारे चमके\nचंदा आया", "hi"),
    ],
)
def test_lists_verses_and_quotations_are_no_unfinished_stories(text, language):
    assert unfinished(Text(text, get_language(language))) == ""


@pytest.mark.parametrize(
    "text",
    ["उसके पास 12,000 रुपये और 3.5 लीटर दूध था।", "सन 1947 में, 15.08.1947 को।", "3 < 5 और A & B।", "क्या??? सच!!!!"],
)
def test_numbers_signs_and_excitement_are_no_faults(text):
    assert Filters(least_words=1).check(normalize(STORY["hi"] + " " + text, "hi"), "hi") is None


def test_repeats():
    assert repeats(["क", "ख", "ग", "घ"]) == (0, "", 0)
    assert repeats(["टप"] * 6) == (6, "टप", 5)
    assert repeats(["अ", "चलो", "घर", "चलो", "घर", "चलो", "घर", "ब"]) == (6, "चलो घर", 4)
    words = [str(i) for i in range(50)]
    assert repeats(words + words) == (0, "", 50)
    assert repeats(words + ["x"] + words[10:30]) == (0, "", 20)


@given(st.lists(st.sampled_from("abc"), max_size=40))
def test_repeats_are_really_there(tokens):
    found = repeats(tokens)
    if found.loop:
        phrase = found.phrase.split()
        whole = (phrase * len(tokens))[: found.loop]
        assert any(tokens[i : i + found.loop] == whole for i in range(len(tokens)))
    if found.copied:
        pieces = [tuple(tokens[i : i + found.copied]) for i in range(len(tokens) - found.copied + 1)]
        assert len(pieces) > len(set(pieces))


def test_parts_of_tokens():
    assert parts("“चलो!”") == ["चलो", END]
    assert parts("घर,") == ["घर", COMMA]
    assert parts("१२") == [NUMBER]
    assert parts("—") == [COMMA]
    assert parts("कर्\u200dया") == ["कर्\u200dया"]
    kinds = word_order("hi").kinds
    of = kinds.tokens
    assert [kinds.names[kind] for kind in kinds.of("वह,\nऔर\n\nहै। ४")] == [
        END,
        "वह",
        COMMA,
        BREAK,
        "और",
        BREAK,
        "है",
        END,
        NUMBER,
    ]
    assert kinds.names[of["क्क्क्"][0]] == "-" and kinds.names[of["लड़कियाँ"][0]].startswith("-")


def test_unknown_filters_are_refused():
    with pytest.raises(UserError, match="there is no filter 'spelling'; choose from length, html"):
        Filters(without=["spelling"])


def test_filters_can_all_be_left_out():
    assert Filters(without=list(FILTERS)).check("", "hi") is None


@pytest.mark.parametrize("language", STORY)
def test_our_own_stories_pass(language):
    stories = [*Katha72([language]), *Generator([language], 20)]
    rejected = [(story.id, found) for story in stories if (found := Filters().check(story.text, language))]
    assert len(rejected) <= 0.02 * len(stories), rejected


@pytest.mark.real
@pytest.mark.skipif("KATHALAB_DATA" not in os.environ, reason="KATHALAB_DATA names no folder")
@pytest.mark.parametrize("language", STORY)
def test_published_stories_pass(language):
    books = list(Markdown(str(Path(os.environ["KATHALAB_DATA"]) / "pratham"), [language]))
    passed = [Filters().check(normalize(book.text, language), language) is None for book in books]
    assert sum(passed) / len(passed) >= (0.93 if language == "bn" else 0.97)
