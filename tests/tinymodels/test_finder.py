"""The finder: the better of a good and an absurd rate, and the noise scale of gradients whose covariance is known."""

import json
import math

import pytest
import torch

import kathalab
from tinymodels.finder import vertex
from tinymodels.noise import noise_scale, squared_norm


@pytest.fixture(scope="module")
def find(make, corpus, tokenizer, tmp_path_factory):
    """`find("--option=value", …)`: the command on the tiny corpus; its exit code and what it wrote."""
    ours = ("data.", "model.", "trainer.accelerator", "trainer.precision", "trainer.max_steps")

    def run(*options: str):
        output = tmp_path_factory.mktemp("find") / "found"
        options = [f"--find.output={output}", "--find.updates=20", *options]
        shared = [each for each in make.options(corpus, tokenizer, output) if each[2:].startswith(ours)]
        code = kathalab.main(["tinymodels", "find", *shared, *options])
        return code, json.loads((output / "find.json").read_text()) if code == 0 else None, output

    return run


def test_a_good_rate_is_told_from_absurd_ones(find, capsys):
    code, found, output = find(
        "--model.optimizer=adamw",
        "--model.learning_rate=0.01",
        "--find.factors=[0.0001,1,100]",
        "--find.batch_sizes=[2,4]",
        "--find.noise_batches=8",
    )
    assert code == 0
    losses = [run["validation_loss"] or math.inf for run in found["rates"]["runs"]]
    assert losses[1] < min(losses[0], losses[2]) - 0.5
    assert not found["rates"]["at_the_edge"] and 0.01 < found["rates"]["best_factor"] < 10
    assert found["rates"]["best"] == {"learning_rate": pytest.approx(0.01 * found["rates"]["best_factor"])}
    assert [run["batch_size"] for run in found["batch_sizes"]] == [2, 4]
    assert all(run["tokens_per_second"] > 0 for run in found["batch_sizes"])
    assert found["noise"]["batches"] == 8 and found["noise"]["trace"] > 0
    assert (output / "find.png").stat().st_size > 5000
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("best learning rates: learning_rate ") and last.endswith(f"the result is in '{output}'.")


def test_the_same_search_twice_finds_the_same_and_says_where_a_minimum_is_at_the_edge(find, capsys):
    options = ("--find.factors=[0.001,0.01]", "--find.batch_sizes=[2]", "--find.noise_batches=0")
    first, second = find(*options)[1], find(*options)[1]
    assert first["rates"] == second["rates"] and first["noise"] is None
    assert first["rates"]["at_the_edge"] and first["rates"]["best_factor"] == pytest.approx(0.01)
    assert "at the edge of the factors" in capsys.readouterr().out


def test_one_batch_for_the_noise_is_refused(find, capsys):
    assert find("--find.noise_batches=1")[0] == 1
    assert "one batch has no spread" in capsys.readouterr().err


def test_the_vertex_of_a_parabola_by_hand():
    """(x - 0.5)^2 + 3 at -1, 0, 1 and, in unequal steps, at -1, 1, 2."""
    assert vertex([-1, 0, 1], [5.25, 3.25, 3.25], 1) == pytest.approx(0.5)
    assert vertex([-1, 1, 2], [5.25, 3.25, 5.25], 1) == pytest.approx(0.5)
    assert vertex([-1, 0, 1], [3, 4, 5], 0) == -1
    assert vertex([-1, 0, 1], [5, 3, math.inf], 1) == 0


def test_the_noise_scale_of_gradients_of_known_covariance():
    """Gradients of single examples are normal with mean G and covariance diag(1..50): tr = 1275, |G|^2 = 200."""
    generator = torch.Generator().manual_seed(3)
    mean, deviation = torch.full((50,), 2.0), torch.arange(1, 51).double().sqrt()
    examples = mean + deviation * torch.randn(4000, 8, 50, generator=generator, dtype=torch.float64)
    batches = examples.mean(dim=1)  # of 8 examples
    small = sum(squared_norm([batch]) for batch in batches) / len(batches)
    trace, squared = noise_scale(small, squared_norm([batches.mean(dim=0)]), 8, 8 * len(batches))
    assert trace == pytest.approx(1275, rel=0.03)
    assert squared == pytest.approx(200, rel=0.03)
    # exactly, from the expected squared norms
    assert noise_scale(200 + 1275 / 8, 200 + 1275 / 64, 8, 64) == pytest.approx((1275, 200))
