"""Duplicates: exact similarities by hand, what is removed and what is tied, and that nothing similar is missed."""

import hashlib
import random
import subprocess
import sys

import numpy as np
import pytest

from corpora.building.deduplicate import Duplicates, cluster, tied
from corpora.building.signatures import number_words, sign, words
from corpora.building.similarity import Collection, similar_pairs
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


DUPLICATES = Duplicates()


def deduplicate(stories, options=DUPLICATES, seed=0, parts=2):
    """The clusters of some stories, signed in several parts: ids left, group by id, ids removed, and all."""
    cut = [stories[len(stories) * n // parts : len(stories) * (n + 1) // parts] for n in range(parts)]
    signed = [sign([s.text for s in part], options.words, seed) for part in cut]
    hashes = [hashlib.md5(f"{s.language}/{s.text}".encode()).digest() for s in stories]
    texts = np.frombuffer(b"".join(hashes), np.uint64).reshape(-1, 2)
    codes, names = (
        list(dict.fromkeys(values)) for values in zip(*((s.language, s.group) for s in stories), strict=True)
    )
    found = cluster(
        Collection(signed, options.words),
        texts,
        np.array([codes.index(s.language) for s in stories]),
        codes,
        np.array([names.index(s.group) for s in stories]),
        options,
    )
    left = [s.id for s, kept in zip(stories, found.kept, strict=True) if kept]
    groups = {s.id: names[group] for s, group, kept in zip(stories, found.groups, found.kept, strict=True) if kept}
    removed = [(stories[a].id, stories[b].id, reason, similarity) for a, b, reason, similarity in found.removed]
    return left, groups, removed, found


def test_words_are_cut_at_white_space_and_punctuation_and_keep_their_signs():
    assert words("“फूल!” फल—फैल... Aha") == ["फूल", "फल", "फैल", "Aha"]
    numbers, starts = number_words(["फूल,फल फैल  --फूल", "", "- FAR far र्‍य", "।"])
    assert starts.tolist() == [0, 4, 4, 7, 7]
    assert len(set(numbers[:3].tolist())) == 3 and numbers[0] == numbers[3] and numbers[4] == numbers[5]
    # the same numbers in whatever company, process or order: BLAKE2b of the word, four bytes, little-endian
    assert numbers[1] == int.from_bytes(hashlib.blake2b("फल".encode(), digest_size=4).digest(), "little")


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
    told = salad(1)
    texts = [" ".join(told)] + [changed(told, set(range(0, n * 4, 4)), seed=n) for n in range(1, 8)]

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
        told = salad(number)
        wanted.add((len(texts), len(texts) + 1))
        texts += [" ".join(told), changed(told, {5, 20, 35, 50}, seed=number)]
    # each of the 4 changed words breaks 3 of 58 trigrams: J = 46 / 70
    pairs = similar_pairs(texts, 0.6)
    assert all(similarity >= 0.6 for _, _, similarity in pairs)
    assert {(a, b) for a, b, _ in pairs} <= wanted
    assert len(pairs) >= 0.95 * 300


def test_first_story_stays_and_the_reason_is_recorded():
    told = salad(1)
    stories = [
        story("a", " ".join(told)),
        story("b", " ".join(salad(2))),
        story("c", " ".join(told)),
        story("d", changed(told, {3})),
        story("e", changed(told, {3, 20, 30, 40})),
        story("f", " ".join(told), language="mr"),
    ]
    left, groups, removed, found = deduplicate(stories)
    assert left == ["a", "b", "e", "f"]
    assert (found.exact, found.near, found.related) == ({"hi": 1, "mr": 0}, {"hi": 1, "mr": 0}, {"hi": 1, "mr": 0})
    assert removed == [("c", "a", "exact", 1.0), ("d", "a", "near", pytest.approx(55 / 61))]
    assert groups["e"] == groups["a"] == "a" and groups["b"] == "b" and groups["f"] == "f"


def test_a_chain_removes_only_for_a_story_that_stays():
    told = salad(4)
    near_b, near_c = {3}, {3, 30}
    stories = [
        story("a", " ".join(told)),
        story("b", changed(told, near_b)),
        story("c", changed(told, near_c, seed=9)),
    ]
    # a-b 0.9; b-c 0.9 would remove c for b, but b is gone; a-c is 52/64 = 0.8125
    left, groups, _, _ = deduplicate(stories, Duplicates(remove=0.85, relate=0.5))
    assert left == ["a", "c"]
    assert set(groups.values()) == {"a"}


def test_groups_are_tied_over_languages():
    told = salad(5)
    stories = [
        story("1-hi", " ".join(told), group="1"),
        story("2-hi", changed(told, {1, 15, 30}), group="2"),
        story("2-mr", " ".join(salad(6)), "mr", group="2"),
        story("3-mr", " ".join(salad(7)), "mr", group="3"),
        story("3-hi", " ".join(told), group="3"),
    ]
    assert deduplicate(stories)[1] == {"1-hi": "1", "2-hi": "1", "2-mr": "1", "3-mr": "1"}


def test_two_thousand_copies_of_a_story_with_one_word_changed_leave_one():
    told = salad(8)
    assert deduplicate([story(str(n), changed(told, {n % 60}, seed=n)) for n in range(2000)])[0] == ["0"]


def test_result_does_not_depend_on_the_seed_or_the_hash_of_strings():
    told = salad(3)
    stories = [story(str(n), changed(told, set(range(n)))) for n in range(12)]
    assert deduplicate(stories, seed=1)[2] == deduplicate(stories, seed=2)[2] == deduplicate(stories, parts=5)[2]


def test_groups_take_the_name_that_came_first():
    groups = np.array([0, 1, 2, 3, 2])
    assert tied(groups, np.array([3, 2]), np.array([2, 1])).tolist() == [0, 1, 1, 1, 1]
    assert tied(groups, np.zeros(0, int), np.zeros(0, int)).tolist() == groups.tolist()


@pytest.mark.parametrize(("remove", "relate", "words"), [(0.5, 0.6, 3), (0.8, 0.0, 3), (0.8, 0.6, 0), (np.nan, 0.6, 3)])
def test_impossible_thresholds_are_refused(remove, relate, words):
    with pytest.raises(UserError):
        Duplicates(remove, relate, words)


def test_workers_can_sign_after_their_parent_has():
    """A fork of a process in which rensa had made its threads would wait for them for ever."""
    program = (
        "from corpora.building.processes import spread\n"
        "from corpora.building.signatures import sign\n"
        "texts = [f'one two three four {number}' for number in range(3000)]\n"
        "sign(texts, 3)\n"
        "print(sum(len(made) for made in spread(sign, [(texts, 3)] * 3, 2)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout == "9000\n", done.stderr
