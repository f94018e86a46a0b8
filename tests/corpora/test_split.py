"""Splits: whole groups, a pure function of group and seed, and no empty side."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.building.split import Split, place_groups
from corpora.errors import UserError
from corpora.stories import SPLITS, Story


def stories(groups, languages=("hi",)):
    return [Story(f"{g}-{code}", code, "कहानी", "test", group=str(g)) for g in groups for code in languages]


DEFAULT = Split()


def split(stories, options=DEFAULT, seed=0):
    """The stories of each split."""
    names = list(dict.fromkeys(story.group for story in stories))
    codes = dict.fromkeys(story.language for story in stories)
    number = {name: i for i, name in enumerate(names)}
    members = {code: np.array(sorted({number[s.group] for s in stories if s.language == code})) for code in codes}
    places = place_groups(names, members, options, seed)
    return {split: [s for s in stories if SPLITS[places[number[s.group]]] == split] for split in SPLITS}


def test_large_corpus_has_the_shares_asked_for():
    parts = split(stories(range(20_000)), Split(validation=0.05, test=0.1))
    assert len(parts["validation"]) == pytest.approx(1000, abs=100)
    assert len(parts["test"]) == pytest.approx(2000, abs=140)
    assert sum(len(part) for part in parts.values()) == 20_000


def test_split_of_a_group_is_its_hash():
    for name, part in split(stories(range(500)), Split(0.1, 0.2), seed=7).items():
        for story in part:
            position = int(hashlib.sha256(f"7/{story.group}".encode()).hexdigest()[:14], 16) / 16**14
            assert name == ("test" if position >= 0.8 else "validation" if position >= 0.7 else "train")


def test_split_stays_when_stories_come_and_go_and_changes_with_the_seed():
    large, small = split(stories(range(1000))), split(stories(range(0, 1000, 2)))
    for name in SPLITS:
        assert {s.id for s in small[name]} <= {s.id for s in large[name]}
    assert {s.id for s in split(stories(range(1000)), seed=1)["test"]} != {s.id for s in large["test"]}


@given(
    st.lists(st.tuples(st.integers(0, 30), st.sampled_from(["hi", "mr", "bn"])), min_size=1, max_size=40),
    st.integers(0, 5),
    st.sampled_from([Split(), Split(0.3, 0.3), Split(0.49, 0.49)]),
)
def test_groups_stay_whole_and_no_split_is_empty(pairs, seed, options):
    corpus = [Story(f"{i}", code, "x", "t", group=str(group)) for i, (group, code) in enumerate(pairs)]
    counts = {code: len({s.group for s in corpus if s.language == code}) for code in ("hi", "mr", "bn")}
    try:
        parts = split(corpus, options, seed)
    except UserError as error:
        assert any(0 < count < 3 for count in counts.values()) or "cannot be shared out" in str(error)
        return
    assert all(count == 0 or count >= 3 for count in counts.values())
    assert sorted((s.id for part in parts.values() for s in part), key=int) == [s.id for s in corpus]
    sides = [{s.group for s in part} for part in parts.values()]
    assert not (sides[0] & sides[1] or sides[0] & sides[2] or sides[1] & sides[2])
    for code, count in counts.items():
        assert not count or all(any(s.language == code for s in part) for part in parts.values())


def test_three_groups_give_one_to_each_split():
    parts = split(stories("abc", ("hi", "mr")))
    assert [len({s.group for s in part}) for part in parts.values()] == [1, 1, 1]


def test_fewer_than_three_groups_are_refused():
    with pytest.raises(UserError, match=r"Hindi corpus has only 1 group of stories .* at least 3 are needed"):
        split(stories("a"))
    with pytest.raises(UserError, match="Marathi corpus has only 2 groups"):
        split(stories("abcd") + stories("ab", ("mr",)))


@pytest.mark.parametrize("shares", [(0.0, 0.1), (0.1, -0.1), (0.5, 0.5)])
def test_impossible_shares_are_refused(shares):
    with pytest.raises(UserError, match="must be above 0"):
        Split(*shares)
