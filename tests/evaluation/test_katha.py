"""Katha-72 as an instrument: choices by probability, golden costs, and chance for what has learned nothing."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import kathalab
from corpora.folders import read_json, read_manifest
from corpora.grammar.generator import Generator
from corpora.katha import LANGUAGES, PHENOMENA, Katha, MinimalPair, read_katha
from evaluation.intervals import proportion
from evaluation.katha import accuracy, choice_nats, hits, score_katha, summarise, table, unigram_nats
from evaluation.likelihood import token_nats


def katha(name, story, ending, wrong, *pairs, language="en"):
    pairs = tuple(MinimalPair("number", right, bad) for right, bad in pairs)
    return Katha(name, language, "animals", "test", "A", "joy", (), (), story, ending, wrong, pairs)


@pytest.fixture(scope="module")
def small():
    return [
        katha("animals-1", "ab abc ab", "ab cab.", "cc cab.", ("ab cc.", "ab cb."), ("cab.", "cac.")),
        katha("animals-2", "cc cab", "ab.", "ac.", ("ab cc ab.", "ab ac ab.")),
    ]


def test_a_choice_costs_what_stands_after_the_common_beginning(model, tokenizer):
    text = lambda ending: tokenizer.encode(f"abc abc {ending}", add_special_tokens=False)  # noqa: E731
    found = choice_nats(model, tokenizer, [("abc.", "abba.")], ["abc abc"], end=True)
    for column, ending in enumerate(("abc.", "abba.")):
        nats = token_nats(model, [[1, *text(ending), 2]])[0]
        assert found[0, column] == pytest.approx(nats[len("abc abc ab") :].sum(), rel=1e-5)


def test_the_common_beginning_may_fall_out_of_the_context(model, tokenizer):
    story = "abc cab " * 40
    found = choice_nats(model, tokenizer, [("abc.", "cba.")], [story.strip()], end=True, context=16)
    for column, ending in enumerate(("abc.", "cba.")):
        ids = tokenizer.encode(story + ending, add_special_tokens=False)
        nats = token_nats(model, [[*ids, 2][-17:]])[0]
        assert found[0, column] == pytest.approx(nats[-len(ending) - 1 :].sum(), rel=1e-5)


def test_without_end_the_end_of_the_document_is_free(model, tokenizer):
    (pair,) = choice_nats(model, tokenizer, [("ab.", "ac.")])
    ids = [1, *tokenizer.encode("ab.", add_special_tokens=False)]
    assert pair[0] == pytest.approx(token_nats(model, [ids])[0][1:].sum(), rel=1e-5)


def test_unigram_counts_the_other_stories_of_the_language(small):
    # Without animals-1 the counts are cc 1, cab 1, ab 1: N = 3, V = 3, so a known word costs ln(7/2), another ln 7.
    (first, *_), _ = unigram_nats(small, [[("ab cab.", "cc bb.")], []])
    assert first == pytest.approx((2 * math.log(7 / 2), math.log(7 / 2) + math.log(7)))
    # Other languages do not count, and the same words in another order cost exactly the same.
    more = [*small, katha("animals-3", "zz zz", "zz.", "zz.", language="hi")]
    (again,), *_ = unigram_nats(more, [[("cab ab zz.", "zz cab, ab.")], [], []])
    assert again[0] == again[1] == pytest.approx(2 * math.log(7 / 2) + math.log(7))


def test_equal_costs_count_half():
    records = [{"right": a, "wrong": b, "group": n} for n, (a, b) in enumerate([(1.0, 2.0), (2.0, 1.0), (1.0, 1.0)])]
    assert accuracy(records).value == 0.5


def test_wilson_interval_by_hand():
    # Newcombe (1998), table I: 81 of 263 gives 0.2553 to 0.3662; 0 of 20 gives 0 to 0.1611.
    some, none = proportion([1] * 81 + [0] * 182), proportion([0] * 20)
    assert (some.low, some.high) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert (none.low, none.high) == pytest.approx((0, 0.1611), abs=1e-4)


def test_items_that_go_together_widen_the_interval():
    hits, clusters = [1, 1, 1, 0, 0, 0] * 10, [i // 3 for i in range(60)]
    together, apart = proportion(hits, clusters=clusters), proportion(hits)
    # Wholly alike in threes: as many independent items as clusters, up to n/(n-1).
    twenty = proportion([1, 0] * 10)
    assert together.low == pytest.approx(twenty.low, abs=0.01) and together.low < apart.low
    assert proportion([1, 0, 1] * 20, clusters=clusters).low == pytest.approx(proportion([1, 0, 1] * 20).low)
    with pytest.raises(ValueError):
        proportion([])


def test_records_and_summary(model, tokenizer, small):
    records = score_katha(model, tokenizer, small)
    assert [record["task"] for record in records] == ["text"] * 2 + ["cloze"] * 2 + ["pair"] * 3
    assert len({record["id"] for record in records}) == 7
    found = summarise(records)["en"]
    texts = records[:2]
    bits = sum(record["nats"] for record in texts) / math.log(2) / sum(len(story.text) for story in small)
    assert found["bits_per_character"]["value"] == pytest.approx(bits)
    pairs = records[4:]
    right = sum(record["right"] < record["wrong"] for record in pairs) / 3
    assert (
        found["minimal_pairs"]["accuracy"]["value"]
        == found["minimal_pairs"]["phenomena"]["number"]["accuracy"]["value"]
        == pytest.approx(right)
    )
    assert found["cloze"]["items"] == 2 and "without_story" in found["cloze"]
    assert "minimal pairs" in table({"en": found})


def share_of_hits(runs, confidence=0.95):
    """The share of right choices over several models' costs, each of shape (choices, 2)."""
    return proportion(np.mean([hits(costs) for costs in runs], 0), confidence=confidence)


def untrained(language, make_model):
    """Random models of five seeds, and a tokenizer that has learned from the embedded generator's stories."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bare = Tokenizer(models.BPE())
    bare.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_next")
    bare.decoder = decoders.Fuse()
    alphabet = sorted({char for story in read_katha([language]) for char in story.text + story.wrong_ending})
    trainer = trainers.BpeTrainer(
        vocab_size=1500, special_tokens=["<s>", "</s>"], initial_alphabet=alphabet, show_progress=False
    )
    bare.train_from_iterator([story.text for story in Generator([language], 300)], trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bare, bos_token="<s>", eos_token="</s>")
    networks = [make_model(len(tokenizer), 256, seed, spread=0.02) for seed in range(5)]
    return networks, tokenizer


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_untrained_model_is_at_chance(language, make_model):
    networks, tokenizer = untrained(language, make_model)
    stories = read_katha([language])
    endings, befores = [(story.ending, story.wrong_ending) for story in stories], [story.story for story in stories]
    pairs = [pair for story in stories for pair in story.pairs]
    sentences = [(pair.right, pair.wrong) for pair in pairs]
    chosen = share_of_hits([choice_nats(model, tokenizer, endings, befores, end=True) for model in networks[:2]])
    assert chosen.low <= 0.5 <= chosen.high, chosen
    costs = [choice_nats(model, tokenizer, sentences) for model in networks]
    chosen = share_of_hits(costs)
    assert chosen.low <= 0.5 <= chosen.high, chosen
    for phenomenon in PHENOMENA[language]:
        mine = [number for number, pair in enumerate(pairs) if pair.phenomenon == phenomenon]
        chosen = share_of_hits([run[mine] for run in costs], 1 - 0.05 / 15)  # fifteen phenomena are tested at once
        assert chosen.low <= 0.5 <= chosen.high, (phenomenon, chosen)


@pytest.mark.parametrize("language", LANGUAGES)
def test_word_frequency_does_not_tell_the_endings_apart(language):
    stories = read_katha([language])
    costs = unigram_nats(stories, [[(story.ending, story.wrong_ending)] for story in stories])
    chosen = share_of_hits([np.array([cost for (cost,) in costs])])
    assert chosen.low <= 0.5 <= chosen.high, chosen


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("length", [len, lambda text: len(text.encode()), lambda text: len(text.split())])
def test_length_does_not_tell_right_from_wrong(language, length):
    def shortest(choices):
        found = [
            0.5 + 0.5 * ((length(right) < length(wrong)) - (length(right) > length(wrong))) for right, wrong in choices
        ]
        return proportion(found)

    stories = read_katha([language])
    endings = shortest([(story.ending, story.wrong_ending) for story in stories])
    pairs = shortest([(pair.right, pair.wrong) for story in stories for pair in story.pairs])
    assert endings.low <= 0.5 <= endings.high and pairs.low <= 0.5 <= pairs.high


def test_any_model_folder_is_scored_without_a_corpus(model_folder, tmp_path, capsys):
    arguments = ["evaluation", "score", str(model_folder), "--output", str(tmp_path / "scores")]
    assert kathalab.main([*arguments, "--katha", "test"]) == 0
    printed = capsys.readouterr().out
    scores = read_json(tmp_path / "scores" / "scores.json")
    assert list(scores["katha72"]["languages"]) == list(LANGUAGES) == scores["languages"]
    for language, found in scores["katha72"]["languages"].items():
        assert found["stories"] == found["cloze"]["items"] == 24 and found["minimal_pairs"]["items"] == 72
        assert f"Katha-72, {language}, 24 stories" in printed
        assert all(f"  {name}" in printed for name in PHENOMENA[language])
    lines = (tmp_path / "scores" / "katha72.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    assert len(records) == 4 * 24 * 5 and {record["split"] for record in records} == {"test"}
    assert summarise(records) == scores["katha72"]["languages"]
    assert read_manifest(tmp_path / "scores", "scores")["licenses"] == ["CC0-1.0"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--katha", "none"], "nothing to score on"),
        (["--languages", "[xx]"], "'xx' is not known"),
        (["--languages", "[]"], "no language was given"),
        (["--languages", "[hi,hi]"], "given twice"),
    ],
)
def test_bad_input(model_folder, tmp_path, capsys, options, said):
    arguments = ["evaluation", "score", str(model_folder), "--output", str(tmp_path / "scores"), *options]
    assert kathalab.main(arguments) != 0
    assert said in capsys.readouterr().err
    assert not (tmp_path / "scores").exists()
