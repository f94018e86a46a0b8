"""Levenshtein distance against its textbook table."""

from hypothesis import given
from hypothesis import strategies as st

from tokenization.measures.edits import distance


def table(first, second):
    row = list(range(len(second) + 1))
    for place, letter in enumerate(first):
        new = [place + 1]
        for other, second_letter in enumerate(second):
            new.append(min(new[-1] + 1, row[other + 1] + 1, row[other] + (letter != second_letter)))
        row = new
    return row[-1]


def test_by_hand():
    assert distance("kitten", "sitting") == 3
    assert distance("क़लम", "कलम") == 1
    assert distance("", "अब") == distance("अब", "") == 2


@given(first=st.text("abक़", max_size=12), second=st.text("abक़", max_size=12))
def test_is_the_table_s(first, second):
    assert distance(first, second) == distance(second, first) == table(first, second)


def test_a_story_takes_no_time():
    story = "एक राजा था। " * 500
    assert distance(story.replace("राजा", "रानी"), story) == 2 * 500  # ज becomes न, the vowel sign changes
