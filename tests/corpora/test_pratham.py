"""The Markdown source and the normaliser on published children's books: KATHALAB_DATA is the folder of pratham/."""

import csv
import os
import re
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

import kathalab
from corpora.cleaning.normalize import normalize
from corpora.sources import Markdown
from corpora.stories import SPLITS, read_corpus

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif("KATHALAB_DATA" not in os.environ, reason="KATHALAB_DATA names no folder"),
]


@pytest.fixture(scope="module")
def books():
    return Path(os.environ["KATHALAB_DATA"]) / "pratham"


def test_every_file_with_words_is_read_with_its_credits(books):
    source = Markdown(str(books))
    stories = list(source)
    assert len(stories) + len(source.skipped) == len(list(books.rglob("*.md")))
    assert all("without words" in reason for reason in source.skipped)
    for story in stories:
        assert (
            story.title and story.license and "text: " in story.attribution and "illustrations: " in story.attribution
        )
        assert not re.search(r"^#|^\* (License|Text|Illustration|Translation|Language):", story.text, re.M)
        assert Path(next(books.glob(f"{story.language}/{story.group[-4:]}_*.md"))).exists()


def test_normalised_text_keeps_every_letter_and_meaningful_joiner(books):
    for story in Markdown(str(books)):
        clean = normalize(story.text, story.language)
        assert normalize(clean, story.language) == clean
        assert unicodedata.is_normalized("NFC", clean)
        assert not re.search("\u2029|\u00a0|  | ।|\n\n\n", clean)
        before, after = (Counter(unicodedata.normalize("NFD", text)) for text in (story.text, clean))
        for sign in "ॲॅऱळ:'\"“”‘’":
            assert after[sign] >= before[sign]
        eyelash = "र्\u200d"
        assert clean.count(eyelash) == story.text.count(eyelash)


def test_build_on_the_real_books(books, tmp_path):
    output = tmp_path / "corpus"
    arguments = ["corpora", "build", "--source", "Markdown", "--source.path", str(books), "--output", str(output)]
    assert kathalab.main([*arguments, "--source.languages", "[hi,mr,bn]"]) == 0
    stories = [story for split in SPLITS for story in read_corpus(output, split)]
    files = sum(len(list((books / code).glob("*.md"))) for code in ("hi", "mr", "bn"))
    assert len(stories) == files
    with open(output / "ATTRIBUTION.csv", encoding="utf-8", newline="") as file:
        named = {(row["attribution"], row["license"]) for row in csv.DictReader(file)}
    assert named == {(story.attribution, story.license) for story in stories}
