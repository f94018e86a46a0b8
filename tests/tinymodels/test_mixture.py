"""Multi-stage mixtures: what was asked for is what is read, and a batch is a function of its number."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.errors import UserError
from tinymodels.best_fit import PADDING
from tinymodels.checkpoints import list_checkpoints
from tinymodels.mixture import Mixture, Part, Stage
from tinymodels.packing import Tokens

ORIGINS = [("bn", "web"), ("hi", "books"), ("hi", "web")]
LENGTHS = {0: 40, 1: 30, 2: 90}
"""Documents of ten tokens: 400, 300 and 900 tokens."""


def corpus_tokens(each: tuple[int, ...] = (10, 10, 10)) -> Tokens:
    """Every token tells which of the origins it is of, and no token stands twice; `each`: tokens of a document."""
    origin = np.repeat(list(LENGTHS), list(LENGTHS.values())).astype(np.int32)
    origin = np.random.default_rng(1).permutation(origin)
    lengths = np.array(each)[origin]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    ids = 10 + np.arange(offsets[-1]) + 100_000 * np.repeat(origin, lengths)
    return Tokens(ids, offsets, np.full(len(origin), 30), ORIGINS, origin)


def mixture(stages, batches=400, packing="stream", batch_size=4, before=(), each=(10, 10, 10)) -> Mixture:
    return Mixture(corpus_tokens(each), 12, batch_size, 7, packing, [*before, Part(stages, batches, batches)])


def read(mixed: Mixture, first: int, last: int) -> np.ndarray:
    """Share of the targets of batches first … last - 1 that is of each origin."""
    batches = [mixed.batch(number)[:, 1:] for number in range(first, last)]
    targets = np.concatenate([batch[batch != PADDING] for batch in batches])
    return np.bincount(targets // 100_000, minlength=3) / len(targets)


@pytest.mark.parametrize("packing", ["stream", "best-fit"])
def test_the_realised_mixture_is_the_one_asked_for_stage_by_stage(packing):
    stages = [
        Stage(until=0.25),
        Stage(until=0.5, weights={"hi": 2, "bn": 1}, temperature=1e9),
        Stage(until=0.75, weights={"books": 1}),
        Stage(until=1.0, weights={"web": 1}, temperature=2, replay=0.5),
    ]
    mixed = mixture(stages, packing=packing)
    web = np.array([400**0.5, 0, 900**0.5]) / (400**0.5 + 900**0.5)
    expected = [
        np.array([4, 3, 9]) / 16,  # as the corpus has them
        np.array([1, 1, 1]) / 3,  # two thirds of Hindi, halved among its sources
        np.array([0, 1, 0]),
        0.5 * web + 0.5 * np.array([0, 1, 0]),
    ]
    for number, shares in enumerate(expected):
        assert read(mixed, 100 * number, 100 * number + 100) == pytest.approx(shares, abs=0.015)
        assert read(mixed, 100 * number, 100 * number + 10) == pytest.approx(shares, abs=0.1)
    assert list(mixed.asked().values()) == pytest.approx(np.mean(expected, axis=0))
    counts = mixed.realised(400)
    assert np.array(list(counts.values())) / sum(counts.values()) == pytest.approx(read(mixed, 0, 400))


@pytest.mark.parametrize("packing", ["stream", "best-fit"])
def test_shares_are_of_tokens_and_not_of_padding(packing):
    """Documents of 7 and 13 tokens in windows of 13: best-fit fills the former windows to a half only."""
    mixed = mixture([Stage(weights={"hi": 1, "bn": 1})], packing=packing, each=(7, 13, 13))
    assert read(mixed, 0, 400) == pytest.approx([0.5, 0.5 * 3 / 12, 0.5 * 9 / 12], abs=0.01)
    assert mixed.asked()["bn", "web"] == pytest.approx(0.5)
    assert (mixed.utilisation == 1) == (packing == "stream")


@pytest.mark.parametrize("packing", ["stream", "best-fit"])
def test_each_origin_goes_on_from_stage_to_stage(packing):
    """No story comes twice before all of its language and source have come once."""
    mixed = mixture([Stage(until=0.5, weights={"books": 1, "web": 3}), Stage(weights={"bn": 1})], 40, packing)
    for origin, documents in LENGTHS.items():
        found = np.concatenate([mixed.batch(number).ravel() for number in range(40)])
        found = found[found != PADDING]
        starts = (found[found // 100_000 == origin] - 100_000 * origin - 10) // 10
        stories = starts[np.append(True, np.diff(starts) != 0)]
        first = stories[:documents]
        assert len(set(first)) == len(first)


def test_a_batch_size_schedule_counts_its_tokens():
    mixed = mixture([Stage(until=0.5, batch_size=2), Stage(batch_size=6)], batches=10)
    assert [len(mixed.batch(number)) for number in range(10)] == [2] * 5 + [6] * 5
    assert [mixed.tokens_before(number) // 12 for number in (0, 1, 5, 6, 10)] == [0, 2, 10, 16, 40]
    assert mixed.epochs_before(10) == 40 * 12 / 1600


STAGES = st.sampled_from(
    [
        [Stage(weights={"hi": 1, "bn": 3})],
        [Stage(until=0.3, temperature=5), Stage(weights={"books": 1}, replay=0.2, batch_size=1)],
        [Stage(until=0.01), Stage(until=0.5, batch_size=5), Stage(weights={"bn": 0, "hi": 2})],
    ]
)


@settings(deadline=None, max_examples=25)
@given(STAGES, st.sampled_from(["stream", "best-fit"]), st.integers(1, 40), st.data())
def test_any_batch_alone_is_the_batch_in_turn(stages, packing, batches, data):
    mixed = mixture(stages, batches, packing)
    in_turn = [mixed.batch(number) for number in range(batches)]
    number = data.draw(st.integers(0, batches - 1))
    alone = mixture(stages, batches, packing)
    assert np.array_equal(alone.batch(number), in_turn[number])
    assert alone.tokens_before(number) == sum(int((batch[:, 1:] != PADDING).sum()) for batch in in_turn[:number])


def test_what_was_read_before_a_branch_is_not_read_again():
    """A branch's batches follow on those of its trunk, which stopped in its second stage."""
    trunk = [Stage(until=0.5), Stage(weights={"bn": 1})]
    whole, branch = mixture(trunk, 20), mixture([Stage()], 10, before=[Part(trunk, 20, 12)])
    for number in range(12):
        assert np.array_equal(whole.batch(number), branch.batch(number))
    before = set(np.concatenate([branch.batch(number)[:, 1:].ravel() for number in range(12)]))
    after = np.concatenate([branch.batch(number)[:, 1:].ravel() for number in range(12, 22)])
    assert not before & set(after) and len(set(after)) == len(after)


@pytest.mark.parametrize(
    ("stages", "told"),
    [
        ([Stage(until=0.5)], "`data.stages` end at 0.5"),
        ([Stage(until=0.5), Stage(until=0.4), Stage()], "end at 0.5, 0.4, 1.0"),
        ([], "end at nothing"),
        ([Stage(weights={"mr": 1})], "name 'mr', which the training stories do not have"),
        ([Stage(weights={"hi": 1, "web": 1})], "name languages and sources"),
        ([Stage(weights={"hi": 0})], "are all 0"),
        ([Stage(replay=0.5)], "no stage before it"),
    ],
)
def test_stages_that_make_no_sense_are_one_sentence(stages, told):
    with pytest.raises(UserError, match=told):
        mixture(stages)


# ---- runs ----


def options_of(stages: list[dict]) -> list[str]:
    return [f"--data.stages={json.dumps(stages)}"]


@pytest.fixture(scope="module")
def two(make, tmp_path_factory):
    """A corpus in two languages."""
    return make.corpus(tmp_path_factory.mktemp("two") / "corpus", languages=("hi", "bn"))


STAGED = [{"until": 0.5, "weights": {"hi": 3, "bn": 1}}, {"until": 1.0, "temperature": 100, "batch_size": 4}]


def test_a_run_in_stages_logs_its_mixture_and_resumes_the_same(fit, two, tmp_path):
    options = [f"--data.corpus={two}", *options_of(STAGED), "--data.packing=best-fit", "--checkpoints.keep=100"]
    whole, run = tmp_path / "whole", tmp_path / "run"
    assert fit(whole, *options) == 0
    with open(whole / "mixture.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    with open(whole / "metrics.csv", newline="") as file:
        metrics = list(csv.DictReader(file))
    assert list(rows[0]) == ["step", "language:bn", "language:hi", "source:salad"]
    assert [row["step"] for row in rows] == [row["step"] for row in metrics]
    assert [row["source:salad"] for row in rows] == [row["tokens"] for row in metrics]
    manifest = json.loads((whole / "manifest.json").read_text())
    asked, found = manifest["mixture"]["asked"], manifest["mixture"]["realised"]
    assert asked["language:hi"] == pytest.approx((12 * 0.75 + 24 * 0.5) / 36, abs=0.02)
    assert found["language:hi"] == pytest.approx(asked["language:hi"], abs=0.15)
    assert manifest["tokens"] == manifest["mixture"]["tokens"]["source:salad"] == int(metrics[-1]["tokens"])
    assert 0.5 < manifest["utilisation"] < 1
    assert fit(run, *options) == 0
    (run / "manifest.json").unlink()
    for path in list_checkpoints(run):
        if int(path.stem.split("=")[1]) > 6:
            path.unlink()
    assert fit(run, *options, "--ckpt_path=last") == 0
    for name in ("metrics.csv", "mixture.csv", "samples.jsonl", "checkpoints/step=12.ckpt"):
        assert (whole / name).read_bytes() == (run / name).read_bytes(), name


def test_other_stages_are_another_run(fit, two, tmp_path, capsys):
    run = tmp_path / "run"
    assert fit(run, f"--data.corpus={two}", *options_of(STAGED)) == 0
    other = [STAGED[0] | {"until": 0.25}, STAGED[1]]
    assert fit(run, f"--data.corpus={two}", *options_of(other), "--ckpt_path=last") == 1
    assert "data.stages was [{'until': 0.5" in capsys.readouterr().err


def test_no_stages_leave_no_mixture_file(finished):
    assert not (Path(finished) / "mixture.csv").exists()


def test_stages_need_a_length_in_updates(fit, two, tmp_path, capsys):
    options = ("--trainer.max_steps=-1", "--trainer.max_epochs=2")
    assert fit(tmp_path / "run", f"--data.corpus={two}", *options_of(STAGED), *options) == 1
    assert "give `--trainer.max_steps`" in capsys.readouterr().err
