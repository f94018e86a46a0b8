"""Sentence splitting: marks, abbreviations, quotations, and nothing lost."""

import re

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st
from indicnlp.tokenize.sentence_tokenize import sentence_split

from corpora.languages import LANGUAGES
from corpora.sources import Katha72
from corpora.translation.sentences import join_text, split_sentences, split_text

CASES = {
    "en": [
        ["Dr. Rao came at 5.", "He sat with Mr. A. P. J. Kalam."],
        ["“Why?” asked Ravi.", "“I see!” Ravi said.", "“Come.", "Let us go,” she said."],
        ["It was 3.5 km.", "Then... it rained.", "Meera and I.", "“No!”", "They ran."],
        ["1. One thing at a time."],
        ["He waited...", "Then he ran!"],
    ],
    "hi": [
        # a danda does not stop the full stop, and a sentence may end with a number
        ["वह २०१९ था।", "फिर वह गया.", "वह 5 था.", "तब रात हुई।"],
        ["“कौन है?” रवि ने पूछा।", "“आओ।”", "फिर सब सो गए।"],
        ["डॉ. राव आए।", "बी. आर. अंबेडकर आए थे.", "हाँ जी.", "चलो!"],
        ["वह रुका... फिर चला।", "क्यों?!", "पता नहीं।"],
    ],
    "mr": [
        ["माझी आई.", "ती आली.", "मी बरा आहे!", "डॉ. जोशी आले."],
        ["“कोण?” रवी म्हणाला.", "३.५ किमी.", "ते पळाले!"],
    ],
    "bn": [
        ["“ও, তাহলে তুমি!” বলে রবি হেসে ফেলল।", "ড. রায় এলেন।", "সে ছিল ৫।", "তারপর?"],
        ["র‍্যাব এল।", "হঠাৎ বৃষ্টি!"],
    ],
}


@pytest.mark.parametrize(("language", "sentences"), [(code, case) for code in CASES for case in CASES[code]])
def test_sentences_end_where_a_reader_ends_them(language, sentences):
    assert split_sentences(" ".join(sentences), language) == sentences


def test_a_danda_needs_no_space_behind_it():
    assert split_sentences("वह आया।फिर गया।", "hi") == ["वह आया।", "फिर गया।"]


def test_plain_sentences_are_those_of_indic_nlp_library():
    compared = 0
    for story in Katha72(["hi", "mr", "bn"]):
        for paragraph in story.text.split("\n\n"):
            ours = split_sentences(paragraph, story.language)
            plain = not re.search(r"[“”‘’\"…]|\d", paragraph) and all(" " in sentence for sentence in ours)
            if plain:
                assert ours == sentence_split(paragraph, story.language)
                compared += 1
    assert compared > 300


@given(st.text(alphabet="आईकि।.?!…”“\"' \nAb5.", max_size=60), st.sampled_from(list(LANGUAGES)))
def test_nothing_is_lost_and_lines_keep_their_place(text, language):
    lines = split_text(text, language)
    again = join_text(lines)
    assert len(lines) == len(text.split("\n"))
    assert "".join(again.split()) == "".join(text.split())
    assert all(regex.search(r"\S", sentence) for line in lines for sentence in line)
