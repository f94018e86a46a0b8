"""What is kept of an answer, and what is not."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.katha import read_katha
from corpora.languages import LANGUAGES
from corpora.llm.checks import Checks, check, finished
from corpora.llm.inflection import words
from corpora.llm.prompts import Prompts
from corpora.llm.tidy import tidy

GOOD = {
    "hi": "नदी के किनारे एक बूढ़ा ऊँट रहता था। वह हर शाम धीरे-धीरे चलकर पानी पीने आता और बच्चों को देखकर सिर हिलाता। एक दिन "
    "बच्चों ने उसके गले में छोटी-सी घंटी बाँध दी। अब जब भी घंटी बजती, सब समझ जाते कि उनका दोस्त आ गया है।",
    "mr": "नदीच्या काठावर एक म्हातारा उंट राहत होता. तो रोज संध्याकाळी हळूहळू चालत पाणी प्यायला यायचा आणि मुलांना पाहून मान "
    "हलवायचा. एका दिवशी मुलांनी त्याच्या गळ्यात छोटी घंटा बांधली. आता घंटा वाजली की सगळ्यांना कळते, आपला मित्र आला आहे.",
    "bn": "নদীর ধারে এক বুড়ো উট থাকত। সে রোজ বিকেলে ধীরে ধীরে হেঁটে জল খেতে আসত আর বাচ্চাদের দেখে মাথা নাড়ত। "
    "একদিন বাচ্চারা তার গলায় ছোট একটা ঘণ্টা বেঁধে দিল। এখন ঘণ্টা বাজলেই সবাই বোঝে, তাদের বন্ধু এসে গেছে।",
    "en": "By the river lived an old camel. Every evening it came to drink, slowly, and shook its head when it saw the "
    "children. One day the children tied a small bell around its neck. Now, when the bell rings, they all know that "
    "their friend has come.",
}
WORDS = {
    "hi": ("घंटी", "बाँधना", "बूढ़ा"),
    "mr": ("घंटा", "बांधणे", "म्हातारा"),
    "bn": ("ঘণ্টা", "বাঁধা", "বুড়ো"),
    "en": ("bell", "tie", "old"),
}


def prompt(language):
    noun, verb, adjective = WORDS[language]
    asked = Prompts([language], levels=["1"]).prompt(language, 0)
    return replace(asked, noun=noun, verb=verb, adjective=adjective)


def reason(text, language, **options):
    return check(text, prompt(language), Checks(**options))[0]


@pytest.mark.parametrize("language", GOOD)
def test_a_story_that_does_what_was_asked_is_kept(language):
    assert check(GOOD[language], prompt(language), Checks()) == ("", "")


@pytest.mark.parametrize("language", GOOD)
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda text: "", "empty"),
        (lambda text: text[:70], "short"),
        (lambda text: text * 4, "long"),
        (lambda text: text[:-5], "ending"),
        (lambda text: text + " https://op.wtf", "advertising"),
        (lambda text: text + "\n\nPowered by Pollinations.AI", "advertising"),
        (lambda text: text + "<end_of_turn>", "instructions"),
        (lambda text: "user: x\n" + text, "instructions"),
        (lambda text: "Sure! Here is a story for you:\n\n" + text, "instructions"),
        (lambda text: "I'm sorry, but as an AI language model I cannot do that.", "refusal"),
        (lambda text: text[:60] + " 故事 " + text[60:], "script"),
    ],
    ids=[
        "empty",
        "short",
        "long",
        "ending",
        "link",
        "advertisement",
        "marker",
        "role",
        "preamble",
        "refusal",
        "letters",
    ],
)
def test_answers_that_are_not_are_not(language, change, expected):
    assert reason(change(GOOD[language]), language) == expected


@pytest.mark.parametrize("language", GOOD)
def test_each_missing_word_is_named(language):
    noun, verb, adjective = WORDS[language]
    other = replace(prompt(language), noun="zzz", verb="zzzा")
    assert check(GOOD[language], other, Checks()) == ("words", "zzz, zzzा")
    assert check(GOOD[language], other, Checks(missing_words=2)) == ("", "")


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("hi", GOOD["mr"], "language"),
        ("mr", GOOD["hi"], "language"),
        ("bn", GOOD["hi"], "script"),
        ("hi", GOOD["en"], "script"),
        ("hi", "माफ़ कीजिए, मैं यह कहानी नहीं लिख सकता।", "refusal"),
        ("mr", "क्षमस्व, मी ही गोष्ट लिहू शकत नाही.", "refusal"),
        ("bn", "দুঃখিত, আমি এই গল্প লিখতে পারছি না।", "refusal"),
        ("hi", "ज़रूर! यह रही आपकी कहानी:\n\n" + GOOD["hi"], "instructions"),
        ("mr", "नक्कीच! ही घ्या गोष्ट:\n\n" + GOOD["mr"], "instructions"),
        ("bn", "অবশ্যই! এখানে একটি গল্প:\n\n" + GOOD["bn"], "instructions"),
        ("hi", GOOD["hi"] + "\n\n(शब्द संख्या: 60)", "instructions"),
    ],
)
def test_each_languages_own_signs(language, text, expected):
    assert reason(text, language) == expected


def test_a_character_may_say_sorry():
    text = GOOD["hi"].replace("बाँध दी।", "बाँध दी। “माफ़ करना,” ऊँट ने कहा, “मैं नाच नहीं सकता।”")
    assert reason(text, "hi", length=2.0) == ""


@pytest.mark.parametrize("language", GOOD)
def test_human_stories_pass_all_but_the_words(language):
    for katha in read_katha([language])[:12]:
        story = katha.as_story()
        length = len(words(story.text, language))
        asked = replace(prompt(language), least=length, most=length)
        assert check(story.text, asked, Checks(missing_words=3)) == ("", "")


@pytest.mark.parametrize("end", ["।", "!", "।”", "?' ", ".)", "। 😊", "!**"])
def test_closing_marks_may_follow_the_end(end):
    assert finished("वह हँसा" + end, LANGUAGES["hi"].sentence_final)


@pytest.mark.parametrize("end", ["", ",", " और", "।और", ":"])
def test_an_open_end_is_seen(end):
    assert not finished("वह हँसा" + end, LANGUAGES["hi"].sentence_final)


@pytest.mark.parametrize(
    ("answer", "title", "text"),
    [
        ("**ऊँट**\n\nवह आया।", "ऊँट", "वह आया।"),
        ("# ऊँट #\nवह आया।", "ऊँट", "वह आया।"),
        ("```\nवह आया।\n```", "", "वह आया।"),
        ("<think>write…</think>\n\nवह आया।", "", "वह आया।"),
        ("वह आया।\n \n\nवह गया।\n\n**समाप्त**", "", "वह आया।\n\nवह गया।"),
        ("He came.\n\nThe End.", "", "He came."),
        ("क\u093cलम", "", "क\u093cलम"),
    ],
)
def test_the_wrapping_is_taken_off(answer, title, text):
    assert tidy(answer) == (title, text)


@given(st.text(alphabet="कखािी।.!? \n*#`<>\u200d", max_size=60))
def test_tidying_twice_changes_no_text_and_loses_no_marks(answer):
    _, once = tidy(answer)
    assert once.count("ि") <= answer.count("ि")
    assert "\n\n\n" not in once
    check(once, prompt("hi"), Checks())  # whatever comes, there is a verdict
