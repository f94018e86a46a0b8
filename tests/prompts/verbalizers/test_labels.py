import unicodedata

import pytest

from corpora.errors import UserError
from corpora.languages import LANGUAGES
from prompts.verbalizers import CONTENT_FREE, check_labels, load_verbalizer

CLASSES = {
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
    with pytest.raises(UserError, match="one of katha72, sib200, themes"):
        load_verbalizer(tmp_path / "absent.yaml", "hi")
    with pytest.raises(UserError, match="'xx' is not known"):
        load_verbalizer("themes", "xx")


def test_label_of_the_data_that_the_file_lacks(themes):
    check_labels(["courage", "sharing"], themes)
    with pytest.raises(UserError, match=r"lacks \(envy, greed\)"):
        check_labels(["greed", "courage", "envy"], themes)
