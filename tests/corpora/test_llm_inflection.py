"""Required words are found in whatever form a story has them, and not in other words."""

import os
import random
from pathlib import Path

import pytest

from corpora.llm.inflection import fold, forms, uses, words
from corpora.llm.wordlists import KINDS, word_lists

FORMS = {
    "hi": {
        ("noun", "लड़का"): "लड़का लड़के लड़कों",
        ("noun", "चिड़िया"): "चिड़ियाँ चिड़ियों",
        ("noun", "नदी"): "नदियाँ नदियों",
        ("noun", "मिठाई"): "मिठाइयाँ मिठाइयों",
        ("noun", "कुआँ"): "कुएँ कुओं",
        ("noun", "आँख"): "आँखें आंखों",
        ("noun", "झाड़ू"): "झाड़ू झाड़ुओं",
        ("verb", "जाना"): "गया गई गयी गए जाकर जाएगा जाते",
        ("verb", "पीना"): "पिया पीकर पीने पिएगा",
        ("verb", "देना"): "दिया दी देंगे दीजिए देता",
        ("verb", "छूना"): "छुआ छूकर छुएगी",
        ("verb", "हँसना"): "हंसी हँसने हँस हँसते",
        ("adjective", "नया"): "नए नयी नई",
        ("adjective", "छोटा"): "छोटी छोटे",
    },
    "mr": {
        ("noun", "घोडा"): "घोडे घोड्याला घोड्यांना",
        ("noun", "ससा"): "ससे सशाला सशाने",
        ("noun", "फूल"): "फुले फुलं फुलात फुलांच्या",
        ("noun", "नदी"): "नदीच्या नद्या नदीकाठी",
        ("noun", "शाळा"): "शाळेत शाळेच्या शाळेतून",
        ("noun", "पाऊस"): "पावसात पावसाने",
        ("noun", "तारा"): "तारे ताऱ्यांनी",
        ("noun", "उंदीर"): "उंदराने उंदरांनी",
        ("noun", "गाय"): "गाई गायीला गाईने",
        ("noun", "घर"): "घरी घरासमोरच्या घरातूनच",
        ("noun", "विहीर"): "विहिरीत विहिरीजवळ",
        ("noun", "तळे"): "तळ्यात तळ्याकाठी",
        ("verb", "करणे"): "केला करतो करून करायला केलेली",
        ("verb", "पिणे"): "प्यायला पिऊन पितो प्यायचे",
        ("verb", "धुणे"): "धुतले धुवून धुऊन",
        ("verb", "येणे"): "आला येऊन येईल",
        ("verb", "सांगणे"): "सांगितले सांगत",
        ("verb", "पाहणे"): "पाहिले पाहून पाहत",
        ("adjective", "मोठा"): "मोठी मोठ्या मोठं",
    },
    "bn": {
        ("noun", "গাছ"): "গাছের গাছটা গাছগুলোর গাছে",
        ("noun", "মা"): "মায়ের মাকে",
        ("noun", "জুতো"): "জুতা জুতোর",
        ("noun", "রানি"): "রাণী রানীর",
        ("verb", "খাওয়া"): "খেল খেয়ে খায় খাচ্ছে খাবে খেয়েছে",
        ("verb", "যাওয়া"): "গেল গিয়ে যাচ্ছে গিয়েছিল",
        ("verb", "লেখা"): "লিখল লেখে লিখেছে",
        ("verb", "হাসা"): "হেসে হাসল হাসছে",
        ("verb", "আঁকা"): "এঁকে আঁকল",
        ("verb", "আসা"): "এসে এল এলো আসছে",
        ("verb", "বানানো"): "বানাল বানিয়ে বানায়",
        ("verb", "ওঠা"): "উঠে উঠল ওঠে",
        ("verb", "দেওয়া"): "দিল দিয়ে দেয় দাও",
    },
    "en": {
        ("noun", "butterfly"): "butterflies",
        ("noun", "child"): "children",
        ("noun", "leaf"): "leaves",
        ("verb", "run"): "ran running runs",
        ("verb", "hide"): "hid hiding",
        ("adjective", "big"): "bigger",
    },
}
OTHERS = {
    "hi": [("noun", "आम", "आमदनी"), ("noun", "फल", "फूल"), ("verb", "गाना", "गाय"), ("noun", "कान", "मकान")],
    "mr": [("noun", "पान", "पाणी"), ("noun", "मध", "मधुर"), ("verb", "पडणे", "पाडला"), ("noun", "वाघ", "वाट")],
    "bn": [("noun", "জল", "জলদি"), ("noun", "ফুল", "ফল"), ("verb", "পড়া", "পাড়ায়"), ("noun", "মা", "মামা")],
    "en": [("noun", "ant", "want"), ("verb", "eat", "eater"), ("noun", "star", "start"), ("verb", "sing", "single")],
}


@pytest.mark.parametrize("language", FORMS)
def test_inflected_forms_are_found(language):
    for (kind, word), found in FORMS[language].items():
        for form in found.split():
            assert uses(words(f"x {form}।", language), word, kind, language), (word, form)


@pytest.mark.parametrize("language", OTHERS)
def test_other_words_are_not_taken_for_forms(language):
    for kind, word, other in OTHERS[language]:
        assert not uses(words(other, language), word, kind, language), (word, other)


def test_parts_of_a_word_have_to_stand_near_one_another():
    assert uses(words("उसने दरवाज़ा बंद नहीं किया।", "hi"), "बंद करना", "verb", "hi")
    assert not uses(words("उसने काम किया।", "hi"), "बंद करना", "verb", "hi")
    apart = "बंद दुकान के सामने एक बूढ़ा आदमी बैठा था और उसने उस दिन बहुत काम किया।"
    assert not uses(words(apart, "hi"), "बंद करना", "verb", "hi")


@pytest.mark.parametrize("language", FORMS)
def test_words_that_are_asked_for_are_found_in_its_own_form(language):
    lists = word_lists([language])[language]
    for kind in KINDS[:3]:
        for word in getattr(lists, kind)[::10]:
            assert uses(words(word, language), word, kind.removesuffix("s"), language), word


def treebank(language, files):
    """(part of speech, lemma as the word lists have it, form) of a Universal Dependencies treebank."""
    kinds = {"NOUN": "noun", "VERB": "verb", "ADJ": "adjective"}
    infinitive = {"hi": "ना", "mr": "णे", "bn": ""}[language]
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines():
            cells = line.split("\t")
            if len(cells) == 10 and cells[3] in kinds and cells[0].isdigit() and cells[2]:
                lemma = cells[2]
                if cells[3] == "VERB" and not lemma.endswith(infinitive):
                    lemma += infinitive
                yield kinds[cells[3]], lemma, cells[1]


def unimorph(_, files):
    """(part of speech, lemma, form) of UniMorph's single words."""
    kinds = {"N": "noun", "V": "verb", "ADJ": "adjective"}
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines():
            lemma, form, tags, *_ = [*line.split("\t"), "", ""]
            if tags and " " not in lemma + form and (kind := kinds.get(tags.split(";")[0].split(".")[0])):
                yield kind, lemma, form


@pytest.mark.real
@pytest.mark.parametrize(
    ("language", "pattern", "read", "least"),
    [
        ("hi", "ud/hi_*", treebank, 0.97),
        ("mr", "ud/mr_*", treebank, 0.92),
        ("bn", "ud/bn_*", treebank, 0.9),
        ("hi", "unimorph/hin", unimorph, 0.99),
        ("bn", "unimorph/ben", unimorph, 0.98),
    ],
    ids=["UD hi", "UD mr", "UD bn", "UniMorph hi", "UniMorph bn"],
)
def test_forms_of_annotated_text_are_found_and_those_of_other_lemmas_are_not(language, pattern, read, least):
    items = sorted(set(read(language, sorted(Path(os.environ["KATHALAB_DATA"]).glob(pattern)))))
    lemmas = {kind: sorted({lemma for other, lemma, _ in items if other == kind}) for kind, _, _ in items}
    found = sum(bool(forms(lemma, kind, language).fullmatch(fold(form, language))) for kind, lemma, form in items)
    chance = random.Random(0)
    others = [(other, kind, form) for kind, lemma, form in items if (other := chance.choice(lemmas[kind])) != lemma]
    wrong = sum(bool(forms(other, kind, language).fullmatch(fold(form, language))) for other, kind, form in others)
    print(f"\n{language} {read.__name__}: {found} of {len(items)} forms found, {wrong} of a random other lemma")
    assert found / len(items) >= least
    assert wrong / len(items) <= 0.02
