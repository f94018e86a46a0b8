"""Scaling laws: what is known is recovered, what cannot be known is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest

import kathalab
from corpora.errors import UserError
from corpora.folders import new_folder, write_manifest, write_text
from tinymodels.powerlaw import PowerLaw, fit
from tinymodels.runs import Run, read_runs
from tinymodels.scaling import scaling

TRUTH = {"E": 0.5, "A": 60.0, "alpha": 0.4, "B": 300.0, "beta": 0.35}
SIZES, LENGTHS = (200_000, 750_000, 4_500_000), (500_000, 2_000_000, 8_000_000)


def run(size: int, tokens: int, noise: float = 0.0, passes: float = 1.0, name: str = "run") -> Run:
    """A run whose loss is the known law's, times 1 + noise; four characters a token."""
    bits = TRUTH["E"] + TRUTH["A"] / size ** TRUTH["alpha"] + TRUTH["B"] / (4 * tokens) ** TRUTH["beta"]
    return Run(name, size + 100_000, size, tokens, 4 * tokens, passes, bits * (1 + noise))


def grid(noise: float = 0.0, seeds: int = 1) -> list[Run]:
    generator = np.random.default_rng(5)
    return [
        run(size, tokens, noise * generator.standard_normal())
        for size in SIZES
        for tokens in LENGTHS
        for _ in range(seeds)
    ]


def test_the_fit_is_that_of_another_library():
    """Golden: scipy 1.17.1's L-BFGS-B on the same Huber loss from 432 starts (maxiter 5000, ftol 1e-15)."""
    generator = np.random.default_rng(0)
    n, d = (v.ravel() for v in np.meshgrid([2e5, 7.5e5, 1.6e6, 4.5e6, 9e6], [2e6, 4e6, 8e6, 16e6, 32e6]))
    loss = np.exp(np.log(0.5 + 60 / n**0.4 + 300 / d**0.35) + 0.005 * generator.standard_normal(25))
    law = fit(np.stack([n, d], axis=1), loss)
    assert law.floor == pytest.approx(0.547674175, rel=1e-6)
    assert law.coefficients == pytest.approx([54.9989094, 367.081722], rel=1e-5)
    assert law.exponents == pytest.approx([0.392870566, 0.365728053], rel=1e-6)


def test_a_law_without_noise_is_found_exactly():
    found = scaling(grid(), resamples=20)
    for name, interval in found.estimates.items():
        assert interval.value == pytest.approx(TRUTH[name], rel=1e-6)
        assert interval.low == pytest.approx(TRUTH[name], rel=1e-4) == interval.high


def test_known_parameters_lie_in_their_intervals():
    found = scaling(grid(noise=0.004, seeds=2))
    assert len(found.draws.floor) == 1000
    for name, interval in found.estimates.items():
        assert interval.low <= TRUTH[name] <= interval.high, name
        assert interval.low < interval.value < interval.high
        assert interval.high < 12 * interval.low, f"the interval of {name} says nothing"


def test_what_the_law_misses_is_told():
    assert scaling(grid(), resamples=20).typical_error < 1e-6
    assert 0.001 < scaling(grid(noise=0.01, seeds=2), resamples=20).typical_error < 0.02


def test_a_floor_that_does_not_show_is_told():
    runs = [run(size, 2_000_000) for size in (*SIZES, 9_000_000)]
    falling = [replace(each, bits_per_character=100 / each.non_embedding_parameters**0.3) for each in runs]
    assert any("E is as good as 0" in note for note in scaling(falling, resamples=20).notes)
    assert not scaling(runs, resamples=20).notes[1:]


def test_one_run_gone_wrong_moves_the_law_little():
    runs = grid(noise=0.002, seeds=2)
    found = scaling([*runs[:-1], run(SIZES[-1], LENGTHS[-1], noise=0.3)], resamples=20)
    assert found.estimates["beta"].value == pytest.approx(TRUTH["beta"], rel=0.15)


def test_the_compute_optimum_is_the_lowest_loss_on_its_line_of_equal_compute():
    found = scaling(grid(noise=0.003), resamples=50)
    (size,), (characters,), (bits,) = found.optimum([1e13]).values()
    assert 6 * size.value * characters.value / 4 == pytest.approx(1e13)
    others = size.value * np.geomspace(0.2, 5, 401)
    losses = found.law(np.stack([others, 1e13 * 4 / 6 / others], axis=1))
    assert losses.min() == pytest.approx(bits.value) and others[losses.argmin()] == pytest.approx(size.value, rel=0.02)
    assert size.low <= size.value <= size.high


def test_runs_that_differ_in_one_thing_give_a_law_in_that():
    by_size = scaling([run(size, LENGTHS[0]) for size in (*SIZES, 9_000_000)], resamples=20)
    assert by_size.formula == "E + A / N^alpha"
    assert by_size.estimates["alpha"].value == pytest.approx(TRUTH["alpha"], rel=1e-4)
    by_length = scaling([run(SIZES[0], tokens) for tokens in LENGTHS], resamples=20)
    assert by_length.formula == "B / D^beta" and set(by_length.estimates) == {"B", "beta"}
    assert any("size of the model is the same" in note for note in by_length.notes)
    assert any("no floor E" in note for note in by_length.notes)


def test_text_read_many_times_is_told():
    runs = [run(SIZES[0], tokens, passes=passes) for tokens, passes in zip(LENGTHS, (1, 4, 16), strict=True)]
    assert any("read its stories 16 times" in note for note in scaling(runs, resamples=20).notes)


@pytest.mark.parametrize(
    ("runs", "told"),
    [
        (grid()[:2], "at least three runs, and 2 were given"),
        (grid()[:4], "4 runs of 2 sizes and 3 lengths of training do not determine a law"),
        ([run(SIZES[0], LENGTHS[0])] * 7, "7 runs of 1 sizes and 1 lengths"),
        ([run(2**k * 100_000, 2**k * 900_000) for k in range(8)], "three lengths that do not rise together"),
    ],
)
def test_too_few_runs_are_refused(runs, told):
    with pytest.raises(UserError, match=told):
        scaling(runs)


def test_a_law_computes_losses():
    law = PowerLaw(np.array(1.0), np.array([8.0, 9.0]), np.array([1.0, 0.5]))
    assert law([[4.0, 9.0]]) == pytest.approx([1 + 2 + 3])


# ---- folders ----


@pytest.fixture
def folder(tmp_path):
    """`folder(run, corpus="c", …)`: a run folder as `fit` leaves it."""
    number = iter(range(1000))

    def make(made: Run, corpus="c", tokenizer="t", languages=("hi",), data=None, model=None, **facts):
        path = tmp_path / f"run{next(number)}"
        with new_folder(path) as partial:
            write_text(partial / "metrics.csv", f"step,epoch\n1,0.5\n2,{made.passes}\n")
            facts = {
                "tokens": made.tokens,
                "characters": made.characters,
                "parameters": made.parameters,
                "non_embedding_parameters": made.non_embedding_parameters,
                "validation": {"loss": 1.0, "bits_per_character": made.bits_per_character},
                **facts,
            }
            data = {"corpus": "stories", "validation_stories": 60, "sequence_length": 256} | (data or {})
            write_manifest(
                partial,
                "run",
                {"model": {"schedule": "wsd", "decay": 0.5} | (model or {}), "data": data},
                {"corpus": corpus, "tokenizer": tokenizer},
                languages=list(languages),
                **{name: value for name, value in facts.items() if value is not None},
            )
        return path

    return make


def command(*paths, output):
    return kathalab.main(["tinymodels", "scaling", *map(str, paths), "--output", str(output)])


def test_the_command_writes_law_table_and_picture(folder, tmp_path, capsys):
    paths = [folder(each) for each in grid(noise=0.003, seeds=2)]
    assert command(*paths, output=tmp_path / "law") == 0
    told = capsys.readouterr().out.splitlines()
    assert told[-1] == (
        f"bits per character = E + A / N^alpha + B / D^beta over 18 runs: the law is in '{tmp_path / 'law'}'."
    )
    assert sum(line.endswith(str(path)) for line in told for path in paths) == 18
    law = json.loads((tmp_path / "law" / "scaling.json").read_text())
    assert law["estimates"]["alpha"]["low"] < TRUTH["alpha"] < law["estimates"]["alpha"]["high"]
    assert law["runs"][0]["run"] == str(paths[0]) and len(law["runs"]) == 18
    assert [row["compute"] for row in law["optimum"]] == [1e11, 1e12, 1e13, 1e14, 1e15]
    assert len((tmp_path / "law" / "runs.csv").read_text().splitlines()) == 19
    assert (tmp_path / "law" / "scaling.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((tmp_path / "law" / "manifest.json").read_text())["kind"] == "scaling"


def test_runs_of_one_size_are_drawn_too(folder, tmp_path):
    assert command(*(folder(run(SIZES[0], tokens)) for tokens in LENGTHS), output=tmp_path / "law") == 0
    assert (tmp_path / "law" / "scaling.png").is_file()
    assert "optimum" not in json.loads((tmp_path / "law" / "scaling.json").read_text())


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"corpus": "d"}, "differ in the corpus (c and d)"),
        ({"tokenizer": "u"}, "differ in the tokenizer (t and u)"),
        ({"languages": ("hi", "mr")}, "differ in the languages (hi and hi, mr)"),
        ({"data": {"validation_stories": 100}}, "differ in data.validation_stories (60 and 100)"),
        ({"data": {"sequence_length": 512}}, "differ in data.sequence_length (256 and 512)"),
        ({"validation": {}}, "was never validated"),
        ({"model": {"decay": 0.0}}, "ends at its full learning rate"),
        ({"model": {"schedule": "constant"}}, "ends at its full learning rate"),
        ({"trunk": {"tokens": 1, "corpora": [["other", ["hi"]]]}}, "annealed on another corpus than its trunk"),
        ({"data": {"stages": [{"until": 1.0}]}}, "differ in data.stages"),
        ({"characters": None}, "does not say how many characters it read"),
    ],
)
def test_runs_that_are_not_to_be_compared_are_refused(folder, tmp_path, capsys, other, told):
    paths = [folder(run(size, LENGTHS[0])) for size in SIZES]
    paths.append(folder(run(9_000_000, LENGTHS[0]), **other))
    assert command(*paths, output=tmp_path / "law") == 1
    error = capsys.readouterr().err
    assert told in error and str(paths[-1]) in error and "Traceback" not in error
    assert not (tmp_path / "law").exists()


def test_a_branch_counts_what_its_trunk_has_read(folder):
    """Two million tokens of its own and six of its trunk, at four characters each; its `decay` is the trunk's."""
    trunk = {"tokens": 6_000_000, "corpora": [["stories", ["hi"]]]}
    (branch,) = read_runs([folder(run(SIZES[0], 2_000_000), trunk=trunk, model={"schedule": "constant"})])
    assert (branch.tokens, branch.characters) == (8_000_000, 32_000_000)


def test_an_unfinished_run_is_refused(folder, tmp_path, capsys):
    (tmp_path / "half").mkdir()
    assert command(folder(grid()[0]), tmp_path / "half", output=tmp_path / "law") == 1
    assert "half' is not a finished run folder" in capsys.readouterr().err


def test_a_run_says_how_many_characters_it_read(finished, corpus):
    """Tokens read times characters per token of the training split, begin and end counted as tokens."""
    from corpora.stories import read_corpus
    from tokenization import load_tokenizer

    tokenizer = load_tokenizer(str(finished / "tokenizer"))
    texts = [story.text for story in read_corpus(corpus, "train")]
    tokens = sum(len(tokenizer.encode(text, add_special_tokens=False)) + 2 for text in texts)
    manifest = json.loads((finished / "manifest.json").read_text())
    assert manifest["characters"] == round(manifest["tokens"] * sum(map(len, texts)) / tokens)


def test_a_run_made_before_characters_were_counted_gains_them_without_training(finished, fit, tmp_path):
    import shutil

    old = shutil.copytree(finished, tmp_path / "old")
    (old / "manifest.json").unlink()
    before = (old / "metrics.csv").read_bytes()
    assert fit(old, "--checkpoints.every=1", "--checkpoints.keep=100", "--ckpt_path=last") == 0
    read = [json.loads((path / "manifest.json").read_text()) for path in (old, finished)]
    assert read[0]["characters"] == read[1]["characters"] > 0 and read[0]["validation"] == read[1]["validation"]
    assert (old / "metrics.csv").read_bytes() == before
