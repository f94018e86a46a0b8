"""Sentence pairs: aligned by the words that go together, and chrF."""

import random

import pytest

from corpora.stories import Story
from corpora.translation.chrf import chrf
from corpora.translation.pairs import WordTable, align, parallel_paragraphs, sentence_pairs

NOUNS = {"cat": "बिल्ली", "dog": "कुत्ता", "bird": "चिड़िया", "fish": "मछली", "girl": "लड़की", "crow": "कौआ"}
VERBS = {"ran": "भागा", "slept": "सोया", "laughed": "हँसा", "sang": "गाया", "ate": "खाया", "jumped": "कूदा"}


def sentences(rng):
    noun, verb = rng.choice(list(NOUNS)), rng.choice(list(VERBS))
    return f"The {noun} {verb}.", f"{NOUNS[noun]} ज़ोर से {VERBS[verb]}।"


@pytest.fixture(scope="module")
def table():
    rng = random.Random(1)
    paragraphs = [tuple(map(list, zip(*[sentences(rng) for _ in range(2)], strict=True))) for _ in range(300)]
    return WordTable(paragraphs)


def test_the_words_find_each_other(table):
    for ours, theirs in (NOUNS | VERBS).items():
        word = table.ids[0][ours[:5]]
        best = max((nats.get(word, 0.0), made) for made, nats in table.forward.items())[1]
        assert list(table.ids[1])[best] == theirs[:5]


def test_sentences_in_another_order_of_division_are_joined(table):
    english = ["The cat ran.", "The dog slept.", "The bird sang."]
    hindi = ["बिल्ली ज़ोर से भागा, कुत्ता ज़ोर से सोया।", "चिड़िया ज़ोर से गाया।"]
    found = list(align(english, hindi, table))
    assert [(one, two) for one, two, _ in found] == [
        ("The cat ran. The dog slept.", hindi[0]),
        ("The bird sang.", hindi[1]),
    ]
    assert all(0.5 < support <= 1 for *_, support in found)


def test_support_tells_a_translation_from_another_sentence(table):
    ((*_, right),) = align(["The fish ate."], ["मछली ज़ोर से खाया।"], table)
    ((*_, half),) = align(["The fish ate."], ["मछली ज़ोर से गाया।"], table)
    ((*_, wrong),) = align(["The fish ate."], ["लड़की ज़ोर से गाया।"], table)
    assert right > half + 0.2 > wrong + 0.4


def test_a_sentence_without_counterpart_is_left_out(table):
    found = list(align(["The cat ran.", "The dog slept."], ["बिल्ली ज़ोर से भागा।"], table))
    assert [two for _, two, _ in found] == ["बिल्ली ज़ोर से भागा।"]
    assert list(align([], ["बिल्ली ज़ोर से भागा।"], table)) == []


def test_paragraphs_and_titles_of_parallel_stories_correspond():
    def story(language, text, group, title):
        return Story(group + language, language, text, "tests", title=title, group=group)

    english = [story("en", "A cat. It ran.\n\nThe end.", "1", "Cat"), story("en", "One.\n\nTwo.", "2", "")]
    hindi = [
        story("hi", "बिल्ली थी। भागी।\n\nअंत।", "1", "बिल्ली"),
        story("hi", "एक।", "2", ""),
        story("hi", "न।", "3", ""),
    ]
    assert parallel_paragraphs(english, hindi) == (
        [(["Cat"], ["बिल्ली"]), (["A cat.", "It ran."], ["बिल्ली थी।", "भागी।"]), (["The end."], ["अंत।"])],
        1,
    )


def test_pairs_come_once(table):
    paragraph = (["The cat ran.", "The cat ran."], ["बिल्ली ज़ोर से भागा।", "बिल्ली ज़ोर से भागा।"])
    (pair,) = sentence_pairs([paragraph, paragraph], "hi", table)
    assert (pair.source, pair.target, pair.language) == ("The cat ran.", "बिल्ली ज़ोर से भागा।", "hi")


def test_chrf_has_the_numbers_of_sacrebleu():
    # sacrebleu 2.6.0: CHRF().corpus_score(translations, [references]).score
    translations = ["वह घर गया।", "the cat sat on the mat", "ক", "", "abc"]
    references = ["वह अपने घर चला गया।", "a cat is on the mat", "কলা", "x", "abcdefghijkl"]
    assert chrf(translations, references) == pytest.approx(30.2086582026401)
    each = [20.874574586222693, 53.81922884524024, 38.46153846153846, 0.0, 21.218715995647443]
    assert [chrf([one], [two]) for one, two in zip(translations, references, strict=True)] == pytest.approx(each)
    assert chrf(references, references) == pytest.approx(100)
