import os
import unicodedata
from pathlib import Path

import pytest

from corpora.errors import UserError
from tokenization.measures.gold import read_gold
from tokenization.measures.gold.inflection import parts_of_case, parts_of_form
from tokenization.measures.gold.words import Gold, UnclearError, Word


@pytest.mark.parametrize(
    "language, part_of_speech, lemma, parts",
    [
        ("hi", "noun", "लड़का", "लड़क ों"),
        ("hi", "noun", "लड़का", "लड़क े"),
        ("hi", "noun", "किताब", "किताब ें"),
        ("hi", "noun", "भाषा", "भाषा ओं"),
        ("hi", "noun", "शक्ति", "शक्ति यों"),
        ("hi", "adjective", "अच्छा", "अच्छ ी"),
        ("hi", "verb", "करना", "कर ता"),
        ("hi", "verb", "करना", "कर ना"),
        ("hi", "verb", "बनाना", "बना एँगे"),
        ("mr", "verb", "करणे", "कर ण्या त"),
        ("mr", "verb", "बसणे", "बस ल्या"),
        ("mr", "adjective", "मोठा", "मोठ ी"),
        ("mr", "adjective", "जवळचा", "जवळ च्या"),
        ("bn", "noun", "কুকুর", "কুকুর টা কে"),
        ("bn", "noun", "মা", "মা য়ের"),
        ("bn", "verb", "করা", "কর ছিলাম"),
        ("bn", "verb", "করা", "কর ে নি"),
        ("bn", "verb", "বোঝা", "বুঝ লো"),  # the high stem
        ("bn", "verb", "মারা", "মের েছি"),
        ("bn", "verb", "খাওয়া", "খে য়ে"),
        ("bn", "verb", "ধোয়া", "ধু য়ে"),
        ("bn", "verb", "দাঁড়ানো", "দাঁড়া চ্ছেন"),
    ],
)
def test_the_lemma_gives_the_stem_and_the_rest_is_a_listed_ending(language, part_of_speech, lemma, parts):
    lemma, *parts = (unicodedata.normalize("NFC", part) for part in (lemma, *parts.split()))
    assert parts_of_form(language, part_of_speech, lemma, "".join(parts)) == parts


@pytest.mark.parametrize(
    "language, part_of_speech, lemma, form, reason",
    [
        ("hi", "verb", "जाना", "गया", "the stem changes"),
        ("hi", "verb", "करना", "किया", "the stem changes"),
        ("hi", "verb", "करना", "करवाना", "the ending is not listed"),  # a causative of its own
        ("hi", "verb", "करना", "कर", "no ending"),
        ("hi", "noun", "लड़की", "लड़कियाँ", "the stem's long vowel becomes short"),
        ("hi", "noun", "घर", "घर", "the form is the lemma"),
        ("hi", "noun", "राम", "रामायण", "the ending is not listed"),
        ("hi", "adverb", "ऐसा", "ऐसे", "no rule for this part of speech (adverb)"),
        ("mr", "adjective", "दुसरा", "दुसऱ्या", "the stem changes"),
        ("mr", "adjective", "कच्चा", "कच्ची", None),
        ("bn", "verb", "যাওয়া", "গেল", "the stem changes"),
        ("bn", "verb", "করা", "করতেকরতে", "the ending is not listed"),
    ],
)
def test_what_no_rule_states_is_unclear(language, part_of_speech, lemma, form, reason):
    if reason is None:
        assert parts_of_form(language, part_of_speech, lemma, form) == ["कच्च", "ी"]
        return
    with pytest.raises(UnclearError) as unclear:
        parts_of_form(language, part_of_speech, *(unicodedata.normalize("NFC", word) for word in (lemma, form)))
    assert str(unclear.value) == reason


def test_a_marathi_case_ending_is_cut_only_if_the_treebank_states_the_case():
    assert parts_of_case("समुद्र", "समुद्रात", "Loc") == ["समुद्रा", "त"]
    assert parts_of_case("तो", "त्यांना", "Dat") == ["त्यां", "ना"]
    with pytest.raises(UnclearError, match="no case ending"):
        parts_of_case("घात", "घात", "Nom")
    with pytest.raises(UnclearError, match="the form is the lemma"):
        parts_of_case("घात", "घात", "Loc")


def test_a_word_with_two_readings_is_no_gold():
    gold = Gold()
    for word, boundaries, lemma in (("खाते", (2,), "खाना"), ("करता", (2,), "करना"), ("खाते", (3,), "खाता")):
        gold.add(Word(word, boundaries, "x", "hi", lemma))
    gold.add(Word("करता", (2,), "y", "hi", "करना"))
    gold.add(Word("खाते", (2,), "y", "hi", "खाना"))
    assert [item.word for item in gold.items] == ["करता"]
    assert gold.sources == {"x": 1}
    assert gold.dropped == {("x", "two readings"): 2, ("y", "two readings"): 1, ("y", "known already"): 1}


def test_the_published_list_is_stripped_normalised_and_checked(tmp_path):
    folder = tmp_path / "regional-tinystories" / "morphscore"
    folder.mkdir(parents=True)
    rows = [
        "index,full_word,pt1,rest",
        "0,सार्थकता ,सार्थक, ता",
        "1,\u095eिल्मी,\u095eिल्म,ी",  # the precomposed nukta letter, which NFC takes apart
        "2,मनोहर,मनो,रम",
        "3,सार्थकता,सार्थक,ता",
        "4,सबुज मोड़,सबुज,मोड़",
        "5,खाली,,खाली",
        "6,नूडल्स,नूडल,्स",
    ]
    (folder / "hindi_morph_data.csv").write_text("\n".join(rows), encoding="utf-8")
    gold = read_gold(tmp_path, "hi", ["published"])
    assert [item.parts for item in gold.items] == [["सार्थक", "ता"], ["फ\u093cिल्म", "ी"]]
    assert {reason: count for (_, reason), count in gold.dropped.items()} == {
        "the parts do not make the word": 1,
        "known already": 1,
        "more than one word": 1,
        "an empty part": 1,
        "the boundary lies inside a conjunct": 1,
    }


def test_unimorph_with_its_traps(tmp_path):
    (tmp_path / "unimorph").mkdir()
    (tmp_path / "unimorph" / "hin").write_text(
        "\nअध्ययन करना\tअध्ययन कर\tV;2\nकरना\tकरता\tV;IPFV\nकरना\tकरता\tV;PTCP\n"
        "\nकरना\tकिया\tV;PFV\nउठाना\tउठाा\tV;PFV\n",
        encoding="utf-8",
    )
    gold = read_gold(tmp_path, "hi", ["unimorph"])
    assert [(item.parts, item.lemma, item.source) for item in gold.items] == [(["कर", "ता"], "करना", "unimorph")]
    assert gold.dropped == {
        ("unimorph", "more than one word"): 1,
        ("unimorph", "the same form with other features"): 1,
        ("unimorph", "the stem changes"): 1,
        ("unimorph", "a vowel sign without a consonant"): 1,
    }


TREEBANK = """\
# text = तुकड्याचे समुद्रात माझी साधीभोळी फेडण्यासाठी हात
1-2 तुकड्याचे _ _ _ _ _ _ _ _
1 तुकड्या तुकडा NOUN _ Case=Abs 0 root _ _
2 चे चा ADP _ _ 1 case _ _
3 समुद्रात समुद्र NOUN _ Case=Loc|Number=Sing 1 obl _ _
4-5 माझी _ _ _ _ _ _ _ _
4 माझ मी PRON _ _ 1 nmod _ _
5 ची चा ADP _ _ 4 case _ _
6-7 साधीभोळी _ _ _ _ _ _ _ _
6 साधी साधा ADJ _ _ 1 amod _ _
7 भोळी भोळा ADJ _ _ 6 amod _ _
8-9 फेडण्यासाठी _ _ _ _ _ _ _ _
8 फेडण्या फेडणे VERB _ _ 1 obl _ _
9 साठी साठी ADP _ _ 8 case _ _
9.1 _ _ _ _ _ _ _ _ _
10 हात हात NOUN _ Case=Nom 1 obj _ _
11 समुद्रात समुद्र NOUN _ Case=Loc|Number=Sing 1 obl _ _

"""


def test_the_treebank_parts_words_and_states_cases(tmp_path):
    (tmp_path / "ud").mkdir()
    lines = [line if line.startswith("#") else line.replace(" ", "\t") for line in TREEBANK.splitlines()]
    (tmp_path / "ud" / "mr_ufal-ud-dev.conllu").write_text("\n".join(lines), encoding="utf-8")
    gold = read_gold(tmp_path, "mr", ["treebank"])
    assert [item.parts for item in gold.items] == [["तुकड्या", "चे"], ["समुद्रा", "त"], ["फेड", "ण्या", "साठी"]]
    assert {reason: count for (_, reason), count in gold.dropped.items()} == {
        "the parts do not make the word": 1,  # माझ + ची is no spelling of माझी
        "a compound": 1,
        "no case ending": 1,
        "the same word in the same use": 1,
    }


@pytest.mark.parametrize("language", ["hi", "mr", "bn"])
def test_the_grammar_gives_gold_without_data(language):
    gold = read_gold(None, language)
    items = gold.items
    assert gold.sources["grammar"] == len(items) == len({item.word for item in items}) > 2500
    for item in items:
        assert unicodedata.is_normalized("NFC", item.word)
        assert "".join(item.parts) == item.word and all(item.parts)


def test_a_missing_folder_is_told_in_one_sentence_and_english_has_no_gold(tmp_path):
    with pytest.raises(UserError, match="no folder .*nowhere"):
        read_gold(tmp_path / "nowhere", "hi")
    assert not read_gold(None, "en").items


@pytest.mark.real
@pytest.mark.parametrize(
    "language, published, unimorph, treebank",
    [("hi", 946, 1707, 691), ("mr", 700, 0, 572), ("bn", 710, 2640, 25)],
)
def test_counts_on_the_published_files(language, published, unimorph, treebank):
    folder = Path(os.environ["KATHALAB_DATA"])
    assert len(read_gold(folder, language, ["published"]).items) == published
    assert read_gold(folder, language).sources["unimorph"] == unimorph
    assert read_gold(folder, language).sources["treebank"] == treebank
