import os
import random
from pathlib import Path

import numpy as np
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, pre_tokenizers, trainers

from tokenization.measures.gold import Gold, Word, read_gold
from tokenization.measures.gold.readers import read_published
from tokenization.measures.morphology import DEFINITIONS, measure_morphology
from tokenization.opening.tokenizer import Encoded, FastTokenizer, Tokenizer


class Cutter(Tokenizer):
    """Cuts each word at given code points; `halves` are cut through their middle as well."""

    def __init__(self, cuts, halves=()):
        super().__init__("cutter", "", 1, False, "")
        object.__setattr__(self, "cuts", cuts)
        object.__setattr__(self, "halves", halves)

    def encode_batch(self, texts):
        found = []
        for text in texts:
            start = text.find(" ") + 1
            word = text[start:]
            edges = [0, *(start + cut for cut in self.cuts.get(word, ())), len(text)]
            spans = list(zip(edges, edges[1:], strict=False))
            for half in self.halves:
                number = next(n for n, (low, high) in enumerate(spans) if low <= start + half < high)
                low, high = spans[number]
                spans[number : number + 1] = [(low, start + half + 1), (start + half, high)]
            starts, ends = np.array(spans, dtype=np.int32).T
            found.append(Encoded(np.zeros(len(spans), dtype=np.int32), starts, ends))
        return found

    def decode(self, ids):
        raise NotImplementedError

    def pieces(self):
        raise NotImplementedError


def gold(*words):
    return [
        Word("".join(parts), tuple(np.cumsum([len(part) for part in parts])[:-1].tolist()), "x", "hi")
        for parts in words
    ]


def values(tokenizer, words, **options):
    measured = measure_morphology(tokenizer, words, resamples=50, **options)
    assert measured.keys() == DEFINITIONS.keys()
    return {name: found["value"] for name, found in measured.items()}


def test_every_score_by_hand():
    # करता = कर + ता: cut right, and once more wrongly; बनाना = बना + ना: cut wrongly; सोना: not cut
    words = gold(("कर", "ता"), ("बना", "ना"), ("सो", "ना"))
    found = values(Cutter({"करता": [1, 2], "बनाना": [1]}), words)
    assert found["boundary_precision"] == pytest.approx(1 / 3)
    assert found["boundary_recall"] == pytest.approx(1 / 3)
    assert found["boundary_f1"] == pytest.approx(2 * 1 / (3 + 3))
    assert found["boundary_f1_split"] == pytest.approx(2 * 1 / (3 + 2))
    # random cuts: 2 of 3 places, 1 of 4, 0 of 3
    chance = (2 / 3 + 1 / 4 + 0) / 3
    assert found["boundary_kappa"] == pytest.approx((1 / 3 - chance) / (1 - chance))
    by_chance = 2 * (2 / 3 + 1 / 4) / (3 + 3)
    assert found["boundary_f1_corrected"] == pytest.approx((1 / 3 - by_chance) / (1 - by_chance))
    assert found["morphscore_v1"] == pytest.approx(1 / 2)
    assert found["morphscore_v1_chance"] == pytest.approx((2 / 3 + 1 / 4) / 2)
    assert found["morphscore_v2_recall"] == pytest.approx((1 + 0 + 1) / 3)
    assert found["morphscore_v2_precision"] == pytest.approx((1 / 2 + 0 + 1) / 3)
    assert found["morphology_words_split"] == pytest.approx(2 / 3)
    assert found["akshara_ceiling"] == 1


def test_the_corrected_f1_is_cohens_kappa_of_the_places():
    # 7 places; cut and boundary at 2, cut alone at 3 and 6, boundary alone at 5, neither at 1, 4 and 7
    words = [Word("करताराहन", (2, 5), "x", "hi")]
    assert len(words[0].word) == 8
    found = values(Cutter({words[0].word: [2, 3, 6]}), words)
    both, cut_only, gold_only, neither = 1, 2, 1, 3
    agreement = (both + neither) / 7
    chance = ((both + cut_only) * (both + gold_only) + (gold_only + neither) * (cut_only + neither)) / 49
    assert found["boundary_f1_corrected"] == pytest.approx((agreement - chance) / (1 - chance))


def test_cutting_nearly_everywhere_is_found_out_by_the_corrected_f1():
    words = gold(("कर", "ता"), ("बना", "ना"), ("देख", "ना"))
    cuts = {word.word: list(range(1, len(word.word))) for word in words}
    cuts["बनाना"].remove(1)
    found = values(Cutter(cuts), words)
    assert found["boundary_kappa"] == 1
    assert 0 < found["boundary_f1_corrected"] < 0.15


def test_three_parts_are_half_right_with_one_of_two_boundaries():
    # কুকুর + টা + কে, 9 code points, 8 places; one boundary hit by one of two cuts
    words = gold(("কুকুর", "টা", "কে"))
    found = values(Cutter({"কুকুরটাকে": [5, 6]}), words)
    assert found["boundary_recall"] == found["morphscore_v2_recall"] == found["boundary_precision"] == 0.5
    assert found["boundary_kappa"] == pytest.approx((1 - 2 * 2 / 8) / (2 - 2 * 2 / 8))
    # two random cuts of 8 places miss both boundaries in 6 · 5 of 8 · 7 cases
    assert found["morphscore_v1_chance"] == pytest.approx(1 - 6 * 5 / (8 * 7))
    assert found["morphscore_v1"] == 1


def test_a_boundary_before_a_vowel_sign_moves_to_the_beginning_of_its_akshara():
    words = gold(("लड़क", "े"), ("कर", "ता"))  # aksharas ल ड़ के and क र ता
    assert len(words[0].word) == 5
    safe = values(Cutter({"लड़के": [3], "करता": [1]}), words)
    assert safe["akshara_ceiling"] == 0.5
    assert safe["boundary_recall"] == 0
    assert safe["boundary_recall_akshara"] == 0.5
    # two places between three aksharas in each word, one of them cut
    assert safe["boundary_kappa_akshara"] == pytest.approx((1 - (1 / 2 + 1 / 2)) / (2 - (1 / 2 + 1 / 2)))
    right = values(Cutter({"लड़के": [4]}), words)
    assert right["boundary_recall"] == 0.5
    assert (
        right["boundary_recall_akshara"] == right["boundary_precision_akshara"] == 0
    )  # its cut lies inside an akshara


def test_a_word_of_one_akshara_has_no_boundary_between_aksharas():
    found = values(Cutter({"দে": [1]}), gold(("দ", "ে")))
    assert found["boundary_recall"] == 1 and found["akshara_ceiling"] == 0
    assert all(found[name] is None for name in DEFINITIONS if name.endswith("_akshara"))


def test_cuts_inside_a_code_point_lower_the_precision_and_hit_nothing():
    found = values(Cutter({"करता": [2]}, halves=(0, 3)), gold(("कर", "ता")))
    assert found["boundary_recall"] == 1
    assert found["boundary_precision"] == pytest.approx(1 / 3)
    assert found["boundary_kappa"] == pytest.approx((1 - 1 / 3) / (1 - 1 / 3))


def test_nothing_to_measure_has_no_value():
    assert all(value is None for value in values(Cutter({}), []).values())
    found = values(Cutter({}), gold(("कर", "ता")))
    assert found["boundary_precision"] is found["morphscore_v1"] is None
    assert found["boundary_kappa"] == found["boundary_f1"] == 0


TEXT = ["लड़का घर गया और लड़के घर आए", "मुलगा घरी गेला आणि मुलाला खाऊ दिला", "ছেলেটি বাড়ি গেল আর মেয়েটিকে ডাকল"]


def byte_level(vocabulary_size):
    backend = Backend(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    backend.train_from_iterator(TEXT, trainer)
    return FastTokenizer("bytes", "bytelevel-bpe", vocabulary_size, True, "", backend=backend)


@pytest.mark.parametrize("language", ["hi", "mr", "bn"])
def test_who_cuts_everywhere_has_morphscore_one_and_kappa_zero(language):
    words = random.Random(0).sample(read_gold(None, language).items, 300)
    found = values(byte_level(256), words)
    assert found["morphscore_v1"] == found["morphscore_v2_recall"] == found["boundary_recall"] == 1
    assert found["boundary_kappa"] == found["boundary_kappa_akshara"] == 0
    assert found["boundary_f1_corrected"] == pytest.approx(0, abs=1e-12)
    assert found["boundary_f1"] < 0.2
    # A cut at every boundary and nowhere else: v1 tells the two apart by nothing, kappa by everything.
    perfect = values(Cutter({word.word: word.boundaries for word in words}), words)
    assert perfect["morphscore_v1"] == perfect["boundary_kappa"] == perfect["boundary_f1"] == 1
    assert perfect["boundary_f1_corrected"] == 1


def test_random_cuts_have_kappa_about_zero():
    words = read_gold(None, "mr").items
    draw = random.Random(1)
    cuts = {
        word.word: sorted(draw.sample(range(1, len(word.word)), draw.randint(0, len(word.word) - 1))) for word in words
    }
    measured = measure_morphology(Cutter(cuts), words)
    for name in ("boundary_kappa", "boundary_kappa_akshara", "boundary_f1_corrected"):
        assert measured[name]["low"] < 0 < measured[name]["high"]
        assert abs(measured[name]["value"]) < 0.05
    chance, score = measured["morphscore_v1_chance"], measured["morphscore_v1"]
    assert score["value"] == pytest.approx(chance["value"], abs=0.03)


def test_a_word_is_encoded_behind_a_space_unless_told_otherwise():
    class Spied(Cutter):
        def encode_batch(self, texts):
            seen.extend(texts)
            return super().encode_batch(texts)

    seen = []
    values(Spied({}), gold(("कर", "ता")))
    values(Spied({}), gold(("कर", "ता")), leading_space=False)
    assert seen == ["। करता", "करता"]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_counts_agree_with_sets(data):
    letters = st.text(st.sampled_from("कर्िाेंঅক্ষি\u200d"), min_size=2, max_size=8)
    forms = data.draw(st.lists(letters, min_size=1, max_size=5, unique=True))
    words, cuts = [], {}
    for form in forms:
        places = st.sets(st.integers(1, len(form) - 1), min_size=1)
        words.append(Word(form, tuple(sorted(data.draw(places))), "x", "hi"))
        cuts[form] = sorted(data.draw(st.sets(st.integers(1, len(form) - 1))))
    found = values(Cutter(cuts), words)
    hits = sum(len(set(word.boundaries) & set(cuts[word.word])) for word in words)
    total = sum(len(word.boundaries) for word in words)
    assert found["boundary_recall"] == pytest.approx(hits / total)
    edges = {word.word: {match.end() for match in regex.finditer(r"\X", word.word)} for word in words}
    safe = sum(len(set(word.boundaries) & edges[word.word]) for word in words)
    assert found["akshara_ceiling"] == pytest.approx(safe / total)
    snapped = {
        w.word: {max(edge for edge in edges[w.word] | {0} if edge <= b) for b in w.boundaries} - {0} for w in words
    }
    if any(snapped.values()):
        between = sum(len(snapped[form] & set(cuts[form])) for form in forms)
        assert found["boundary_recall_akshara"] == pytest.approx(between / sum(map(len, snapped.values())))


PUBLISHED = {
    "gemma-3/tokenizer.json": ((0.689, 0.355, 0.464), (0.673, 0.367, 0.457), (0.690, 0.316, 0.420)),
    "o200k/o200k_base.tiktoken": ((0.669, 0.481, 0.359), (0.745, 0.485, 0.420), (0.591, 0.502, 0.259)),
    "tekken/tekken_240911.json": ((0.704, 0.537, 0.347), (0.788, 0.591, 0.384), (0.599, 0.552, 0.241)),
    "llama-3/tokenizer.json": ((0.521, 0.618, 0.231), (0.705, 0.631, 0.321), (0.759, 0.776, 0.126)),
    "cl100k/cl100k_base.tiktoken": ((0.798, 0.809, 0.195), (0.891, 0.790, 0.228), (0.759, 0.776, 0.126)),
    "rwkv/rwkv_vocab_v20230424.txt": ((0.996, 0.980, 0.285), (0.996, 0.969, 0.305), (1.0, 1.0, 0.211)),
    "r50k/r50k_base.tiktoken": ((1.0, 1.0, 0.155), (1.0, 1.0, 0.163), (1.0, 1.0, 0.109)),
}
"""MorphScore v1, the same by chance, and F1 in Hindi, Marathi and Bengali, as another program measured them."""


@pytest.mark.real
@pytest.mark.skipif("KATHALAB_VOCABULARIES" not in os.environ, reason="KATHALAB_VOCABULARIES names no folder")
@pytest.mark.parametrize("file", PUBLISHED)
def test_published_vocabularies_score_as_measured_elsewhere(file):
    from tokenization.opening.formats import open_tokenizer

    tokenizer = open_tokenizer(Path(os.environ["KATHALAB_VOCABULARIES"]) / file)
    folder = Path(os.environ["KATHALAB_DATA"]) / "regional-tinystories" / "morphscore"
    for language, name, expected in zip(
        ("hi", "mr", "bn"), ("hindi", "marathi", "bengali"), PUBLISHED[file], strict=True
    ):
        lists = Gold()
        read_published(lists, folder / f"{name}_morph_data.csv", language, conjuncts=True)
        found = values(tokenizer, lists.items, leading_space=False)
        scores = [found[score] for score in ("morphscore_v1", "morphscore_v1_chance", "boundary_f1")]
        assert scores == pytest.approx(expected, abs=0.0015)
