"""The probe: equal parameters, equal text, repeatable, and likelihoods that are right."""

import dataclasses
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.errors import UserError
from corpora.stories import Story
from tokenization.probe.probing import (
    WindowedReader,
    bits_per_character,
    build_model,
    choose_text,
    cut_positions,
    solve_sizes,
    steps,
    train_and_score,
    window_nats,
)
from tokenization.probe.settings import ProbeSettings

TINY = ProbeSettings(width=32, layers=1, window_characters=64, learning_rate=6e-3)


def test_sizes_are_the_models_sizes_and_equal_within_one_percent(tokenizers):
    probe = ProbeSettings()
    sizes = solve_sizes([350, 2048, 8192], probe)
    tokenizer = tokenizers["characters"]
    for size in sizes:
        model = build_model(size, probe, tokenizer)
        assert model.num_parameters() == size.parameters
        assert model.get_input_embeddings().weight.numel() == size.embedding_parameters
        assert abs(size.parameters / sizes[-1].parameters - 1) < 0.01
    assert sizes[-1].feed_forward == 4 * probe.width


def test_a_budget_is_met_or_refused():
    (size,) = solve_sizes([2048], ProbeSettings(parameters=250_000))
    assert size.parameters == pytest.approx(250_000, rel=0.01)
    with pytest.raises(UserError, match="needs at least") as caught:
        solve_sizes([8192, 300], ProbeSettings(parameters=250_000))
    least = int(str(caught.value).split("at least ")[1].split(";")[0])
    assert solve_sizes([8192, 300], ProbeSettings(parameters=least))[0].feed_forward == 64


@pytest.mark.parametrize(
    "change", [{"width": 48}, {"layers": 0}, {"parameters": 0}, {"learning_rate": 0.0}, {"held_out_characters": -1}]
)
def test_impossible_settings_are_refused(change):
    with pytest.raises(UserError, match=f"probe.{next(iter(change))}"):
        ProbeSettings(**change)


@given(st.text(alphabet="कख ा\n"), st.integers(1, 12))
@settings(max_examples=200, deadline=None)
def test_windows_cut_a_text_without_loss_and_are_short(text, longest):
    cuts = cut_positions(text, longest)
    assert cuts == sorted(cuts) and cuts[-1] == len(text)
    pieces = [text[start:end] for start, end in zip([0, *cuts], cuts, strict=False)]
    assert "".join(pieces) == text
    assert all(len(piece) <= longest for piece in pieces)


def test_windows_hold_the_same_text_with_every_tokenizer(tokenizers, texts):
    def windows(tokenizer):
        return [
            [tokenizer.decode(window[1:], skip_special_tokens=True).strip() for window in reader.read(text)]
            for reader in [WindowedReader(tokenizer, 64)]
            for text in texts[:20]
        ]

    found = [windows(tokenizer) for tokenizer in tokenizers.values()]
    assert found[0][0][0] and all(other == found[0] for other in found)


@given(text=st.text(), longest=st.integers(1, 9))
@settings(max_examples=100, deadline=None)
def test_every_token_is_predicted_once(tokenizers, text, longest):
    for tokenizer in tokenizers.values():
        windows = WindowedReader(tokenizer, longest).read(text)
        assert len(windows) == len(cut_positions(text, longest))
        assert windows[0][0] == tokenizer.bos_token_id
        predicted = [number for window in windows for number in window[1:]]
        assert predicted == [*tokenizer.encode(text, add_special_tokens=False), tokenizer.eos_token_id]
        assert all(left[-1] == right[0] for left, right in zip(windows, windows[1:], strict=False))


def test_padding_changes_no_likelihood_and_the_model_agrees(tokenizers):
    torch.manual_seed(0)
    tokenizer = tokenizers["characters"]
    (size,) = solve_sizes([len(tokenizer)], TINY)
    model = build_model(size, TINY, tokenizer).eval()
    windows = [[1, 300, 301, 302, 2], [1, 310, 2]]
    with torch.inference_mode():
        together, tokens = window_nats(model, windows)
        alone = [float(window_nats(model, [window])[0]) for window in windows]
        ids = torch.tensor(windows[:1])
        mean = float(model(input_ids=ids, labels=ids).loss)
    assert tokens == 6
    assert together.tolist() == pytest.approx(alone, rel=1e-5)
    assert alone[0] == pytest.approx(4 * mean, rel=1e-5)


def test_an_untrained_model_is_near_uniform_and_a_trained_one_far_better(tokenizers, texts):
    tokenizer = tokenizers["characters"]
    (size,) = solve_sizes([len(tokenizer)], TINY)
    held_out = texts[:2]
    characters = [len(text) for text in held_out]
    barely = dataclasses.replace(TINY, learning_rate=1e-9)
    before = bits_per_character(train_and_score(tokenizer, size, texts[2:4], held_out, barely, 0), characters)
    after = bits_per_character(train_and_score(tokenizer, size, texts[2:40], held_out, TINY, 0), characters)
    tokens_per_character = 1 + 1 / (sum(characters) / 2)
    assert before == pytest.approx(math.log2(len(tokenizer)) * tokens_per_character, rel=0.05)
    assert after < 0.7 * before


def test_equal_seeds_give_equal_results_and_others_differ(tokenizers, texts):
    tokenizer = tokenizers["sentencepiece-bpe"]
    (size,) = solve_sizes([len(tokenizer)], TINY)
    called = []
    runs = [
        train_and_score(tokenizer, size, texts[:5], texts[5:7], TINY, seed, lambda: called.append(1))
        for seed in (0, 0, 1)
    ]
    assert runs[0] == runs[1] != runs[2]
    assert len(called) == 3 * steps(texts[:5], TINY)


def test_the_caller_s_random_state_and_threads_stay(tokenizers, texts):
    tokenizer = tokenizers["characters"]
    (size,) = solve_sizes([len(tokenizer)], TINY)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    train_and_score(tokenizer, size, texts[:1], texts[1:2], TINY, 0)
    assert torch.equal(before, torch.get_rng_state()) and threads == torch.get_num_threads()


def test_text_is_chosen_whole_and_within_the_limit():
    stories = [Story(str(number), "hi", "क" * 30, "s") for number in range(10)]
    assert len(choose_text(stories, 100)) == 3
    assert choose_text(stories, 100) == choose_text(stories, 100)
    assert len(choose_text(stories, 5)) == 1
    assert sorted(story.id for story in choose_text(stories, 10_000)) == sorted(story.id for story in stories)


def test_bits_per_character_by_hand():
    assert bits_per_character([math.log(2) * 6, math.log(2) * 2], [3, 1]) == pytest.approx(2)
