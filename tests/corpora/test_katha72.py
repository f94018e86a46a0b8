"""Katha-72: every file holds what EDITING.md promises, and the set as a whole gives nothing away."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
from collections import Counter

import pytest
import regex

from corpora.cleaning.normalize import normalize
from corpora.katha import FOLDER, LANGUAGES, THEMES, WORD_KINDS, read_katha
from corpora.languages import get_language

NAMES = [f"{theme}-{number}" for theme in THEMES for number in range(1, 10)]
TEST_NUMBERS = "147"
_PUNCTUATION = {"hi": " \n।,?!“”‘’–…;-", "mr": " \n.,?!“”‘’–…;-", "bn": " \n।,?!“”‘’–…;-", "en": " \n.,?!“”‘’–…;-'"}
_JOINERS = "\u200c\u200d"


@pytest.fixture(scope="module")
def katha():
    return {(story.name, story.language): story for story in read_katha()}


def tokens(text):
    """Words as a reader counts them: what stands between white space, without marks at its edges."""
    stripped = (regex.sub(r"^[^\p{L}\p{M}\p{N}]+|[^\p{L}\p{M}\p{N}\u200c\u200d]+$", "", word) for word in text.split())
    return [word for word in stripped if word]


def sentences(text, language):
    """Sentences by their final mark and a closing quote; within a quotation too."""
    final = get_language(language).sentence_final
    return [
        sentence.strip()
        for paragraph in text.split("\n\n")
        for sentence in re.findall(rf"[^{final}]*[{final}…]+[”’]?(?:\s|$)|[^{final}]+$", paragraph)
        if sentence.strip()
    ]


def test_all_stories_are_there(katha):
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(NAMES)
    assert set(katha) == set(itertools.product(NAMES, LANGUAGES))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
class TestStory:
    @pytest.fixture
    def story(self, katha, name, language):
        return katha[name, language]

    def test_split(self, story, name):
        assert story.split == ("test" if name[-1] in TEST_NUMBERS else "validation")

    def test_length_and_paragraphs(self, story, katha, name):
        assert 90 <= len(story.text.split()) <= 160
        paragraphs = story.text.split("\n\n")
        assert 4 <= len(paragraphs) <= 7
        assert len(paragraphs) == len(katha[name, "en"].text.split("\n\n")), "paragraphs as in English"
        assert not any("\n" in paragraph for paragraph in paragraphs), "one line a paragraph"

    def test_one_form_of_text(self, story, language):
        for text in (story.title, story.text, story.wrong_ending, *(pair.wrong for pair in story.pairs)):
            assert normalize(text, language) == text

    def test_script(self, story, language):
        letters = get_language(language).letters
        texts = (story.title, story.moral, *story.characters, story.text, story.wrong_ending)
        for text in (*texts, *(pair.wrong for pair in story.pairs)):
            strange = {char for char in text if not letters.match(char) and char not in _PUNCTUATION[language]}
            assert not strange - set(_JOINERS if language == "mr" else "")
        quotes = re.sub("[^“”]", "", story.text)
        assert quotes == "“”" * (len(quotes) // 2), "quotes open and close in turn"

    def test_sentences_end(self, story, language):
        final = get_language(language).sentence_final
        for text in (*story.text.split("\n\n"), story.story, story.ending, story.wrong_ending):
            assert regex.search(rf"[{final}…][”’]?$", text), text
        for text in (story.ending, story.wrong_ending):
            assert len(sentences(re.sub(r"“[^”]*”", "x", text), language)) == 1, "one sentence"

    def test_endings(self, story):
        right, wrong = story.ending, story.wrong_ending
        assert right != wrong and wrong not in story.text
        assert abs(len(right.split()) - len(wrong.split())) <= 2
        assert abs(len(right) - len(wrong)) <= 0.2 * len(right) + 1

    def test_pairs(self, story, language):
        assert len(story.pairs) == 3
        for pair in story.pairs:
            right, wrong = tokens(pair.right), tokens(pair.wrong)
            assert len(right) == len(wrong), "the same number of words"
            assert sum(map(str.__ne__, right, wrong)) == 1, "just one word differs"
            before, found, after = story.text.partition(pair.right)
            assert found, f"not in the story: {pair.right}"
            final = get_language(language).sentence_final
            assert not before or regex.search(rf"(?:[{final}…]”?\s+“?|“)$", before), "a whole sentence"
            assert pair.right.count("“") == pair.right.count("”"), "quotes open and close within the sentence"
            assert regex.search(rf"[{final}…][”’]?$", pair.right), "a whole sentence"
        assert len({pair.wrong for pair in story.pairs}) == 3

    def test_words(self, story):
        in_text = tokens(story.text.lower())
        assert [word.kind for word in story.words] == [kind for kind in WORD_KINDS for _ in range(2)]
        for word in story.words:
            form = word.form.lower().split()
            windows = (in_text[i : i + len(form)] for i in range(len(in_text)))
            assert form in windows, f"not in the text: {word.form}"

    def test_moral_is_a_word(self, story):
        assert len(story.moral.split()) == 1

    def test_characters_are_in_the_text(self, story, language):
        text = story.text.lower()
        for who in story.characters:
            stems = [word[: max(2, len(word) - 2)].lower() for word in who.split()]
            assert any(stem in text for stem in stems), who


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_twice(katha, language):
    seen = Counter()
    for name in NAMES:
        # Short formulas ("One day.", "“Yes!”") may come again.
        seen.update({s for s in sentences(katha[name, language].text, language) if len(s.split()) >= 5})
    assert [sentence for sentence, count in seen.items() if count > 1] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_near_duplicates(katha, language):
    shingles = {}
    for name in NAMES:
        words = [word.lower() for word in tokens(katha[name, language].text)]
        shingles[name] = {tuple(words[i : i + 3]) for i in range(len(words) - 2)}
    for first, second in itertools.combinations(NAMES, 2):
        common = len(shingles[first] & shingles[second])
        assert common <= 0.1 * min(len(shingles[first]), len(shingles[second])), (first, second)


@pytest.mark.parametrize("language", LANGUAGES)
def test_openings_vary(katha, language):
    openings = Counter(" ".join(tokens(katha[name, language].text)[:2]) for name in NAMES)
    assert max(openings.values()) <= 4, openings.most_common(3)


def _output(command, text=""):
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize("language", LANGUAGES)
def test_somebody_has_looked_at_every_word_aspell_does_not_know(katha, language):
    if not shutil.which("aspell") or language not in _output(["aspell", "dicts"]):
        pytest.skip(f"needs aspell with its dictionary (Debian: aspell-{language})")
    stories = [katha[name, language] for name in NAMES]
    text = "\n".join(part for story in stories for part in (story.title, story.moral, story.text, story.wrong_ending))
    command = ["aspell", "-l", language, "--encoding=utf-8", "list"]
    unknown = set(_output(command, text))
    lines = (FOLDER / "spelling" / f"{language}.tsv").read_text(encoding="utf-8").splitlines()
    judged = dict(line.split("\t") for line in lines)
    assert all(judged.values()) and sorted(unknown - set(judged)) == []
