import unicodedata

import pytest

from corpora.errors import UserError
from corpora.languages import LANGUAGES
from prompts.verbalizers import CONTENT_FREE, LabelSet, Names, check_labels, load_aliases, load_labels, load_verbalizer

MTOP = "alarm, calling, event, messaging, music, news, people, recipes, reminder, timer, weather"
MASSIVE = (
    "alarm, audio, calendar, cooking, datetime, email, general, iot, lists, music, news, play, qa, recommendation, "
    "social, takeaway, transport, weather"
)
NEWS = (
    "sports, entertainment, politics, health, technology, education, business, auto, crime, national, international, "
    "fashion, devotion, travel, lifestyle, state, kolkata, editorial"
)
CLASSES = {
    "agnews": {"World", "Sports", "Business", "Sci/Tech"},
    "mtop": set(MTOP.split(", ")),
    "massive": set(MASSIVE.split(", ")),
    "indicnews": set(NEWS.split(", ")),
    "themes": {"friendship", "courage", "honesty", "sharing", "kindness", "learning", "perseverance", "care"},
    "sib200": {"science/technology", "travel", "politics", "sports", "health", "entertainment", "geography"},
}
SMALL = "template: {hi: 'विषय: '}\nlabels:\n  a: {hi: [क, ख]}\n  b: {hi: [ग]}\n"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("labels", CLASSES)
def test_built_in_names_are_complete_and_in_the_language_s_script(labels, language):
    verbalizer = load_verbalizer(labels, language)
    assert set(verbalizer.classes) == CLASSES[labels]
    assert "" in verbalizer.content_free
    for text in [verbalizer.template, *(name for names in verbalizer.names.values() for name in names)]:
        assert unicodedata.is_normalized("NFC", text)
        letters = [character for character in text if unicodedata.category(character)[0] in "LM"]
        assert letters and all(LANGUAGES[language].letters.fullmatch(letter) for letter in letters)


def test_file_of_one_s_own(tmp_path):
    path = tmp_path / "labels.yaml"
    path.write_text(SMALL)
    verbalizer = load_verbalizer(path, "hi")
    assert verbalizer.names == {"a": ("क", "ख"), "b": ("ग",)}
    assert verbalizer.template == "विषय: "
    assert verbalizer.content_free == CONTENT_FREE


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: [", "is not valid YAML"),
        ("- a", "needs the keys 'template' and 'labels'"),
        ("labels: {a: {hi: [क]}}", "needs the keys 'template' and 'labels'"),
        (SMALL.replace("hi: 'विषय: '", "mr: 'विषय: '"), "has no template in 'hi'"),
        (SMALL.replace("{hi: [ग]}", "{mr: [ग]}"), "the class 'b' has no names in 'hi'"),
        (SMALL.replace("{hi: [ग]}", "{hi: []}"), "the class 'b' has no names in 'hi'"),
        (SMALL.replace("{hi: [ग]}", "{hi: ग}"), "the class 'b' has no names in 'hi'"),
        (SMALL.replace("{hi: [ग]}", "{hi: [yes]}"), "the class 'b' has no names in 'hi'"),
        (SMALL.replace("{hi: [ग]}", "[ग]"), "must give each class as LANGUAGE: .NAMES., which 'b' does not"),
        (SMALL.replace("[ग]", "['  ']"), "has an empty name for 'b' in 'hi'"),
        (SMALL.replace("[ग]", "[ख]"), "names both 'a' and 'b' 'ख' in 'hi'"),
        (SMALL.replace("  b: {hi: [ग]}\n", ""), "has fewer than two classes"),
        (SMALL + "content_free: [x]\n", "'content_free' that is not given by language"),
        (SMALL + "content_free: {hi: []}\n", "'content_free' in 'hi' is no list"),
    ],
)
def test_damaged_file_gives_one_sentence(content, message, tmp_path):
    path = tmp_path / "labels.yaml"
    path.write_text(content)
    with pytest.raises(UserError, match=message) as raised:
        load_verbalizer(path, "hi")
    assert "\n" not in str(raised.value)


def test_absent_file_and_unknown_language(tmp_path):
    with pytest.raises(UserError, match="one of agnews, indicnews, katha72, massive, mtop, sib200, themes"):
        load_verbalizer(tmp_path / "absent.yaml", "hi")
    with pytest.raises(UserError, match="'xx' is not known"):
        load_verbalizer("themes", "xx")


def test_label_of_the_data_that_the_file_lacks(themes):
    check_labels(["courage", "sharing"], themes)
    with pytest.raises(UserError, match=r"lacks \(envy, greed\)"):
        check_labels(["greed", "courage", "envy"], themes)


def test_english_words_and_template_of_sib200():
    names = load_verbalizer("sib200", "en")
    assert names.template == "\nThis text is about "
    assert names.names == {
        "science/technology": ("science", "technology"),
        "travel": ("travel", "tourism"),
        "politics": ("politics", "government"),
        "sports": ("sports", "games"),
        "health": ("health", "medicine"),
        "entertainment": ("entertainment", "music"),
        "geography": ("geography", "nature"),
    }


def test_label_set_holds_its_languages_and_some_of_its_classes():
    label_set = load_labels("sib200", ["en", "bn"])
    assert label_set.languages == ["en", "bn"]
    assert label_set["bn"] == load_verbalizer("sib200", "bn")
    some = label_set.only(["sports", "travel"])
    assert some.classes == ["sports", "travel"] and some["bn"].names["travel"] == ("ভ্রমণ", "পর্যটন")
    assert some["en"].template == label_set["en"].template
    check_labels(["travel"], some)
    with pytest.raises(UserError, match=r"lacks \(health\)"):
        check_labels(["travel", "health"], some)
    with pytest.raises(UserError, match="unknown: cricket"):
        label_set.only(["cricket"])
    with pytest.raises(UserError, match="stands there twice"):
        label_set.only(["sports", "sports"])
    with pytest.raises(UserError, match="were not read in 'hi', only in en, bn"):
        label_set["hi"]


def test_languages_of_a_label_set_have_the_same_classes():
    hindi, english = Names("hi", ":", {"a": ("क",), "b": ("ख",)}), Names("en", ":", {"b": ("b",), "a": ("a",)})
    with pytest.raises(UserError, match="'en' are not the classes"):
        LabelSet({"hi": hindi, "en": english})
    with pytest.raises(UserError, match="at least one language"):
        LabelSet({})


def test_other_names_of_a_class(tmp_path):
    assert load_aliases("indicnews")["khel"] == "sports"
    assert load_aliases("sib200") == {}
    path = tmp_path / "labels.yaml"
    for aliases, message in [("{x: c}", "an alias of 'c', which is no class"), ("[x]", "not given as LABEL: CLASS")]:
        path.write_text(SMALL + f"aliases: {aliases}\n", encoding="utf-8")
        with pytest.raises(UserError, match=message):
            load_aliases(path)
