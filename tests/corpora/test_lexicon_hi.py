"""Hindi: inflection, the ergative, respect, and sentences in which a wrong gender or case shows."""

import unicodedata

import pytest
import regex

from corpora.grammar import telling
from corpora.grammar.generator import Generator
from corpora.grammar.lexicon import load_lexicon
from corpora.grammar.world import Bound


@pytest.fixture(scope="module")
def hindi():
    return load_lexicon("hi")


def fill(hindi, template, **roles):
    return unicodedata.normalize("NFC", telling.fill(hindi, unicodedata.normalize("NFC", template), roles))


@pytest.mark.parametrize(
    ("concept", "forms"),
    {
        "boy": {"dir": "लड़का", "obl": "लड़के", "pl": "लड़के", "pl.obl": "लड़कों"},
        "girl": {"dir": "लड़की", "obl": "लड़की", "pl": "लड़कियाँ", "pl.obl": "लड़कियों"},
        "house": {"obl": "घर", "pl": "घर", "pl.obl": "घरों"},
        "elephant": {"obl": "हाथी", "pl": "हाथी", "pl.obl": "हाथियों"},
        "laddu": {"pl": "लड्डू", "pl.obl": "लड्डुओं"},
        "doll": {"obl": "गुड़िया", "pl": "गुड़ियाँ", "pl.obl": "गुड़ियों"},
        "book": {"obl": "किताब", "pl": "किताबें", "pl.obl": "किताबों"},
        "garland": {"pl": "मालाएँ", "pl.obl": "मालाओं"},
        "postman": {"obl": "डाकिए", "pl.obl": "डाकियों"},
    }.items(),
)
def test_nouns_decline(hindi, concept, forms):
    for name, expected in forms.items():
        assert hindi.find(concept, ["nouns"]).form(name) == unicodedata.normalize("NFC", expected)


@pytest.mark.parametrize(
    ("verb", "forms"),
    {
        "run": ("दौड़ा", "दौड़े", "दौड़ी", "दौड़ीं"),
        "eat": ("खाया", "खाए", "खाई", "खाईं"),
        "come": ("आया", "आए", "आई", "आईं"),
        "cry": ("रोया", "रोए", "रोई", "रोईं"),
        "drink": ("पिया", "पिए", "पी", "पीं"),
        "go": ("गया", "गए", "गई", "गईं"),
        "do": ("किया", "किए", "की", "कीं"),
        "give": ("दिया", "दिए", "दी", "दीं"),
        "become": ("हुआ", "हुए", "हुई", "हुईं"),
    }.items(),
)
def test_perfectives_agree_in_gender_and_number(hindi, verb, forms):
    found = tuple(hindi.find(verb, ["verbs"]).form("perf", a) for a in ("m.sg", "m.pl", "f.sg", "f.pl"))
    assert found == tuple(unicodedata.normalize("NFC", form) for form in forms)


RAVI = Bound("boy", name="ravi", sex="m")
MEERA = Bound("girl", name="meera", sex="f")


def test_the_perfective_agrees_with_the_unmarked_object_not_with_the_subject(hindi):
    template = "{hero} ने {thing} {give.perf:thing}।"
    assert fill(hindi, template, hero=RAVI, thing=Bound("book")) == "रवि ने किताब दी।"
    assert fill(hindi, template, hero=MEERA, thing=Bound("mirror")) == "मीरा ने आईना दिया।"
    assert fill(hindi, template, hero=MEERA, thing=Bound("mango", plural=True)) == "मीरा ने आम दिए।"
    assert fill(hindi, template, hero=RAVI, thing=Bound("jalebi", plural=True)) == "रवि ने जलेबियाँ दीं।"


def test_adjective_and_possessive_agree_with_the_noun_and_its_case(hindi):
    assert fill(hindi, "{own:thing} {big:thing} {thing}", thing=Bound("umbrella")) == unicodedata.normalize(
        "NFC", "अपना बड़ा छाता"
    )
    assert fill(hindi, "{own.obl:thing} {new.obl:thing} {thing.obl} से", thing=Bound("umbrella")) == "अपने नए छाते से"
    assert fill(hindi, "{hero} {gen:thing} {thing}", hero=RAVI, thing=Bound("clock")) == unicodedata.normalize(
        "NFC", "रवि की घड़ी"
    )


def test_elders_are_spoken_of_with_respect(hindi):
    template = "{hero.pro.gen:elder} {elder} {speak.perf:elder}। {elder.pro.erg} {see.perf:m.sg}।"
    assert fill(hindi, template, hero=RAVI, elder=Bound("grandfather")) == "उसके दादाजी बोले। उन्होंने देखा।"
    assert fill(hindi, template, hero=RAVI, elder=Bound("grandmother")) == "उसकी दादी बोलीं। उन्होंने देखा।"
    assert fill(hindi, "{elder} सो {live.pp:elder} {be.past:elder}।", elder=Bound("mother")) == "माँ सो रही थीं।"


def test_two_together_take_the_plural_feminine_only_if_both_are(hindi):
    template = "दोनों {play.hab:hero+friend} {be.past:hero+friend}।"
    assert fill(hindi, template, hero=MEERA, friend=MEERA) == "दोनों खेलती थीं।"
    assert fill(hindi, template, hero=MEERA, friend=RAVI) == "दोनों खेलते थे।"


def test_plural_food_is_oblique_before_a_postposition(hindi):
    assert fill(hindi, "{fruit.obl} से", fruit=Bound("papaya", plural=True)) == "पपीतों से"


def test_stories_hold_only_devanagari_and_their_punctuation():
    allowed = regex.compile(r"[\p{Script=Devanagari}।,.:?!“”\s\-]+")
    for story in Generator(["hi"], stories=200, seed=2):
        assert allowed.fullmatch(story.text + story.title), story.text
        assert "\u200d" not in story.text and "आा" not in story.text and "आी" not in story.text
        assert unicodedata.is_normalized("NFC", story.text)
