import pytest

from corpora.errors import UserError
from prompts.data import katha72_items, sample, sib200_items, theme_items


def test_themes_of_a_generated_corpus(corpus, sentences):
    items = theme_items(corpus, "test", "hi")
    assert len(items) == 16
    assert (items[0].id, items[0].label, items[0].text) == ("test-friendship-0", "friendship", sentences[0])
    assert items[0].group == "test-friendship-0"


@pytest.mark.parametrize("prompt", ["", "not JSON", '"text"', "[1]", "{}"])
def test_story_without_a_theme_is_named(prompt, tmp_path, make_corpus):
    folder = make_corpus(tmp_path / "other", prompt=lambda theme: prompt)
    with pytest.raises(UserError, match="the story 'test-friendship-0' of .* has no theme"):
        theme_items(folder, "test", "hi")


def test_katha72_is_parallel():
    hindi, bengali = katha72_items("test", "hi"), katha72_items("test", "bn")
    assert [(item.group, item.label) for item in hindi] == [(item.group, item.label) for item in bengali]
    assert len({item.id for item in [*hindi, *bengali]}) == 2 * len(hindi)
    assert len({item.label for item in hindi}) == 8
    with pytest.raises(UserError, match="no split 'train'"):
        katha72_items("train", "hi")


def test_sib200_keeps_quotes_and_reads_the_language_s_folder(sib200):
    items = sib200_items(sib200, "test", "hi")
    assert len(items) == 6
    assert (items[2].id, items[2].label, items[2].text) == ("2", "sports", 'टीम ने "मैच जीता। 2')
    assert sib200_items(sib200, "test", "en")[1].text == "The doctor came. 1"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("index_id\ttext\n1\tक\n", "lacks the columns category;"),
        ("", "lacks the columns index_id, category, text;"),
        ("index_id\tcategory\ttext\n", "holds no sentences"),
        ("index_id\tcategory\ttext\n1\tsports\tक\n2\thealth\n", "line 3 of .* has an empty field"),
    ],
)
def test_damaged_sib200_file(content, message, sib200):
    (sib200 / "hin_Deva" / "test.tsv").write_text(content)
    with pytest.raises(UserError, match=message):
        sib200_items(sib200, "test", "hi")


def test_absent_split_and_language_of_sib200(sib200):
    with pytest.raises(UserError, match="splits there: test, train"):
        sib200_items(sib200, "dev", "hi")
    with pytest.raises(UserError, match="splits there: none"):
        sib200_items(sib200, "test", "bn")


def test_sample_keeps_order_and_places(sib200):
    hindi, english = sib200_items(sib200, "test", "hi"), sib200_items(sib200, "test", "en")
    drawn = sample(hindi, 3, seed=1)
    assert [item.id for item in drawn] == [item.id for item in sample(english, 3, seed=1)]
    assert len(drawn) == 3 and drawn == sorted(drawn, key=hindi.index)
    assert len({tuple(sample(hindi, 3, seed)) for seed in range(20)}) > 5
    assert sample(hindi, None) == sample(hindi, 6) == sample(hindi, 99) == hindi
    with pytest.raises(UserError, match="at least one"):
        sample(hindi, 0)
