"""Duplicates: exact similarities by hand, what is removed and what is tied, and that nothing similar is missed."""

import random

import numpy as np
import pytest

from corpora.deduplicate import Duplicates, Groups, deduplicate, similar_pairs
from corpora.errors import UserError
from corpora.stories import Story

WORDS = [f"शब्द{a}{b}" for a in "कखगघचछजझ" for b in "टठडढतथदध"]


def story(identifier, text, language="hi", group=""):
    return Story(identifier, language, text, "test", group=group or identifier)


def salad(seed, length=60):
    rng = random.Random(seed)
    return [rng.choice(WORDS) for _ in range(length)]


def changed(words, places, seed=9):
    """The words with every one at `places` replaced by a new one."""
    rng = random.Random(seed)
    return " ".join(f"नया{rng.randrange(10**6)}" if i in places else word for i, word in enumerate(words))


def test_similarity_is_the_jaccard_of_word_trigrams():
    # a b c d e has 3 trigrams, b c d e f has 3, they share 2 of 4
    assert similar_pairs(["क ख ग घ च", "ख ग घ च छ"], threshold=0.3) == [(0, 1, 0.5)]
    assert similar_pairs(["क ख ग घ च", "ख ग घ च छ"], threshold=0.51) == []
    # case, punctuation and spaces do not count; vowel signs do
    assert similar_pairs(["Once upon a time.", "once, upon  a TIME!"], threshold=0.9) == [(0, 1, 1.0)]
    assert similar_pairs(["फल फल फल फल", "फूल फूल फूल फूल"], threshold=0.1) == []
    # a text shorter than a trigram is one shingle
    assert similar_pairs(["एक", "एक", "दो", "..."], threshold=0.5) == [(0, 1, 1.0)]
    assert similar_pairs([], 0.5) == similar_pairs(["एक"], 0.5) == []


def test_similarities_agree_with_sets_of_trigrams():
    words = salad(1)
    texts = [" ".join(words)] + [changed(words, set(range(0, n * 4, 4)), seed=n) for n in range(1, 8)]

    def trigrams(text):
        tokens = text.split()
        return {tuple(tokens[i : i + 3]) for i in range(len(tokens) - 2)}

    expected = {}
    for b in range(len(texts)):
        for a in range(b):
            one, two = trigrams(texts[a]), trigrams(texts[b])
            expected[a, b] = len(one & two) / len(one | two)
    found = {(a, b): similarity for a, b, similarity in similar_pairs(texts, 0.3)}
    assert found == pytest.approx({pair: value for pair, value in expected.items() if value >= 0.3})


def test_pairs_at_the_threshold_are_found():
    """300 pairs a little above 0.6 among 600 stories: at least 95 % must be found, and nothing else."""
    texts, wanted = [], set()
    for number in range(300):
        words = salad(number)
        wanted.add((len(texts), len(texts) + 1))
        texts += [" ".join(words), changed(words, {5, 20, 35, 50}, seed=number)]
    # each of the 4 changed words breaks 3 of 58 trigrams: J = 46 / 70
    pairs = similar_pairs(texts, 0.6)
    assert all(similarity >= 0.6 for _, _, similarity in pairs)
    assert {(a, b) for a, b, _ in pairs} <= wanted
    assert len(pairs) >= 0.95 * 300


def test_first_story_stays_and_the_reason_is_recorded():
    words = salad(1)
    stories = [
        story("a", " ".join(words)),
        story("b", " ".join(salad(2))),
        story("c", " ".join(words)),
        story("d", changed(words, {3})),
        story("e", changed(words, {3, 20, 30, 40})),
        story("f", " ".join(words), language="mr"),
    ]
    result = deduplicate(stories)
    assert [s.id for s in result.stories] == ["a", "b", "e", "f"]
    assert (
        result.exact == {"hi": 1, "mr": 0}
        and result.near == {"hi": 1, "mr": 0}
        and result.related == {"hi": 1, "mr": 0}
    )
    assert [(r["id"], r["kept"], r["reason"]) for r in result.removed] == [("c", "a", "exact"), ("d", "a", "near")]
    assert result.removed[1]["similarity"] == round(55 / 61, 4)
    groups = {s.id: s.group for s in result.stories}
    assert groups["e"] == groups["a"] == "a" and groups["b"] == "b" and groups["f"] == "f"


def test_a_chain_removes_only_for_a_story_that_stays():
    words = salad(4)
    near_b, near_c = {3}, {3, 30}
    stories = [
        story("a", " ".join(words)),
        story("b", changed(words, near_b)),
        story("c", changed(words, near_c, seed=9)),
    ]
    # a-b 0.9; b-c 0.9 would remove c for b, but b is gone; a-c is 52/64 = 0.8125
    result = deduplicate(stories, Duplicates(remove=0.85, relate=0.5))
    assert [s.id for s in result.stories] == ["a", "c"]
    assert len({s.group for s in result.stories}) == 1


def test_groups_are_tied_over_languages():
    words = salad(5)
    stories = [
        story("1-hi", " ".join(words), group="1"),
        story("2-hi", changed(words, {1, 15, 30}), group="2"),
        story("2-mr", " ".join(salad(6)), "mr", group="2"),
        story("3-mr", " ".join(salad(7)), "mr", group="3"),
        story("3-hi", " ".join(words), group="3"),
    ]
    result = deduplicate(stories)
    assert {s.id: s.group for s in result.stories} == {"1-hi": "1", "2-hi": "1", "2-mr": "1", "3-mr": "1"}


def test_two_thousand_copies_of_a_story_with_one_word_changed_leave_one():
    words = salad(8)
    result = deduplicate([story(str(n), changed(words, {n % 60}, seed=n)) for n in range(2000)])
    assert [s.id for s in result.stories] == ["0"]


def test_result_does_not_depend_on_the_seed_or_the_hash_of_strings():
    words = salad(3)
    stories = [story(str(n), changed(words, set(range(n)))) for n in range(12)]
    assert deduplicate(stories, seed=1).removed == deduplicate(stories, seed=2).removed


def test_groups_take_the_name_that_came_first():
    groups = Groups()
    assert [groups.find(name) for name in "abcd"] == [*"abcd"]
    groups.tie("d", "c")
    groups.tie("c", "b")
    assert [groups.find(name) for name in "abcd"] == [*"abbb"]


@pytest.mark.parametrize(("remove", "relate", "words"), [(0.5, 0.6, 3), (0.8, 0.0, 3), (0.8, 0.6, 0), (np.nan, 0.6, 3)])
def test_impossible_thresholds_are_refused(remove, relate, words):
    with pytest.raises(UserError):
        Duplicates(remove, relate, words)
