"""The probe: equal parameters, equal text, repeatable, and likelihoods that are right."""

import dataclasses
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.errors import UserError
from corpora.stories import Story
from tokenization.opening.formats import open_tokenizer
from tokenization.probe.runs import Probed, run_probes
from tokenization.probe.settings import ProbeSettings
from tokenization.probe.sizes import operations, solve_sizes
from tokenization.probe.training import bits_per_character, build_model, run_probe, spent_on, window_nats
from tokenization.probe.windows import choose_text, cut_positions, read_windows

TINY = ProbeSettings(width=32, layers=1, window_characters=64, generated=0)


@pytest.fixture(scope="session")
def opened(folders):
    return {kind: open_tokenizer(folder) for kind, folder in folders.items()}


def stories(texts, name="s"):
    return [Story(f"{name}{number}", "hi", text, "salad") for number, text in enumerate(texts)]


def test_sizes_are_the_models_sizes_and_equal_within_one_percent():
    probe = ProbeSettings()
    sizes = solve_sizes([350, 2048, 8192], probe)
    for size in sizes:
        model = build_model(size, probe)
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


def test_windows_hold_the_same_text_with_every_tokenizer(opened, texts):
    def windows(tokenizer):
        return [
            [tokenizer.decode(window[1:]).strip() for window in story]
            for story in read_windows(tokenizer, texts[:20], 64)
        ]

    lossless = [kind for kind in opened if kind not in ("wordpiece", "superword-bpe")]
    found = [windows(opened[kind]) for kind in lossless]
    assert found[0][0][0] and all(other == found[0] for other in found)


@given(text=st.text(), longest=st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_every_token_is_predicted_once(opened, text, longest):
    for tokenizer in opened.values():
        (windows,) = read_windows(tokenizer, [text], longest)
        assert len(windows) == len(cut_positions(text, longest))
        assert windows[0][0] == 1
        predicted = [number for window in windows for number in window[1:]]
        assert predicted == [*tokenizer.encode_batch([text])[0].ids.tolist(), 2]
        assert all(left[-1] == right[0] for left, right in zip(windows, windows[1:], strict=False))


def test_padding_changes_no_likelihood_and_the_model_agrees():
    torch.manual_seed(0)
    (size,) = solve_sizes([320], TINY)
    model = build_model(size, TINY).eval()
    windows = [[1, 300, 301, 302, 2], [1, 310, 2]]
    with torch.inference_mode():
        together, tokens = window_nats(model, windows)
        alone = [float(window_nats(model, [window])[0]) for window in windows]
        ids = torch.tensor(windows[:1])
        mean = float(model(input_ids=ids, labels=ids).loss)
    assert tokens == 6
    assert together.tolist() == pytest.approx(alone, rel=1e-5)
    assert alone[0] == pytest.approx(4 * mean, rel=1e-5)


def test_operations_by_hand():
    (size,) = solve_sizes([1000], dataclasses.replace(TINY, parameters=60_000))
    assert operations(size, [10, 5], TINY) == 6 * size.parameters * 15 + 6 * 1 * 32 * (100 + 25)


def probe(opened, tokenizers, kind, training, texts, settings, seed, **more):
    (size,) = solve_sizes([opened[kind].vocabulary_size], settings)
    return run_probe(
        opened[kind], tokenizers[kind], size, stories(training), {"test": stories(texts, "t")}, settings, seed, **more
    )


def test_an_untrained_model_is_near_uniform_and_a_trained_one_far_better(opened, tokenizers, texts):
    held_out = texts[:2]
    characters = [len(text) for text in held_out]
    barely = dataclasses.replace(TINY, learning_rate=1e-9)

    def bits(settings):
        run = probe(opened, tokenizers, "characters", texts[2:40], held_out, settings, 0)
        return bits_per_character(run.nats["test"], characters)

    tokens_per_character = 1 + 1 / (sum(characters) / 2)
    uniform = math.log2(opened["characters"].vocabulary_size) * tokens_per_character
    assert bits(barely) == pytest.approx(uniform, rel=0.05)
    assert bits(TINY) < 0.5 * uniform


def test_equal_seeds_give_equal_results_and_others_differ(opened, tokenizers, texts):
    called = []
    runs = [
        probe(opened, tokenizers, "sentencepiece-bpe", texts[:5], texts[5:7], settings, seed, on_step=step)
        for settings in [dataclasses.replace(TINY, generated=2)]
        for step in [lambda: called.append(1)]
        for seed in (0, 0, 1)
    ]
    assert runs[0] == runs[1] != runs[2]
    assert len(called) == 3 * runs[0].steps
    assert len(runs[0].stories) == 2 and all({"prompt", "text", "finished"} == set(story) for story in runs[0].stories)


def test_equal_text_or_equal_compute(opened, tokenizers, texts):
    two = dataclasses.replace(TINY, passes=2)
    plain = probe(opened, tokenizers, "characters", texts[:6], texts[6:7], two, 0)
    assert plain.characters == 2 * sum(map(len, texts[:6]))
    (size,) = solve_sizes([opened["sentencepiece-bpe"].vocabulary_size], two)
    budget = spent_on(opened["sentencepiece-bpe"], size, stories(texts[:6]), two)
    limited = probe(opened, tokenizers, "characters", texts[:6], texts[6:7], two, 0, budget=budget)
    assert budget <= limited.operations < 1.3 * budget < plain.operations
    assert limited.characters < plain.characters


def test_a_comparison_that_was_killed_goes_on_after_the_last_run(opened, folders, texts, tmp_path, monkeypatch):
    candidates = [
        Probed(opened[kind], folders[kind], size)
        for kind, size in zip(
            ("characters", "sentencepiece-bpe"),
            solve_sizes([opened[kind].vocabulary_size for kind in ("characters", "sentencepiece-bpe")], TINY),
            strict=True,
        )
    ]
    done = []
    import tokenization.probe.training as training

    real = training.run_probe

    def counted(*arguments):
        done.append(arguments[6])
        if len(done) == 3:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(training, "run_probe", counted)
    read = (stories(texts[:3]), {"test": stories(texts[3:5], "t")}, TINY, 2, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run_probes(candidates, "characters", *read)
    found = run_probes(candidates, "characters", *read)
    assert done == [0, 1, 0, 0, 1]
    assert found == run_probes(candidates, "characters", *read) and len(done) == 5
    other = dataclasses.replace(TINY, learning_rate=0.01)
    run_probes(candidates[:1], "characters", *read[:2], other, *read[3:])
    assert len(done) == 7


def test_the_caller_s_random_state_and_threads_stay(opened, tokenizers, texts):
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    probe(opened, tokenizers, "characters", texts[:1], texts[1:2], TINY, 0)
    assert torch.equal(before, torch.get_rng_state()) and threads == torch.get_num_threads()


def test_text_is_chosen_whole_and_within_the_limit():
    stories = [Story(str(number), "hi", "क" * 30, "s") for number in range(10)]
    assert len(choose_text(stories, 100)) == 3
    assert choose_text(stories, 100) == choose_text(stories, 100)
    assert len(choose_text(stories, 5)) == 1
    assert sorted(story.id for story in choose_text(stories, 10_000)) == sorted(story.id for story in stories)


def test_bits_per_character_by_hand():
    assert bits_per_character([math.log(2) * 6, math.log(2) * 2], [3, 1]) == pytest.approx(2)
