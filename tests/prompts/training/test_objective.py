"""Targets, losses and penalties against numbers worked out by hand."""

import math

import pytest
import torch

from prompts.training.objective import (
    cross_entropy,
    kl_to_base,
    name_similarity,
    negatives,
    seen_bias,
    smoothed_targets,
    squared_distance,
)

# Two classes of a vocabulary of six: a has the words 0 (weight 3) and 1 (weight 1), b the word 2; 3 to 5 are no one's.
MASS = torch.tensor([[3.0, 1.0, 0, 0, 0, 0], [0, 0, 2.0, 0, 0, 0]])
SIMILARITY = torch.tensor([[0.75, 0.25], [0.5, 0.5]])


@pytest.mark.parametrize(
    ("smoothing", "expected"),
    [
        ("none", [[3 / 4, 1 / 4, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0]]),
        # 0.6 of the class's own, 0.4 / 6 to each of the six
        ("uniform", [[0.45 + 1 / 15, 0.15 + 1 / 15, *[1 / 15] * 4], [1 / 15, 1 / 15, 0.6 + 1 / 15, *[1 / 15] * 3]]),
        # a may use 0, 1, 3, 4, 5 (0.08 each), b 2, 3, 4, 5 (0.1 each)
        ("exclude_negatives", [[0.53, 0.23, 0, 0.08, 0.08, 0.08], [0, 0, 0.7, 0.1, 0.1, 0.1]]),
        # half of the 0.4 to each class's words
        ("class_uniform", [[0.6, 0.2, 0.2, 0, 0, 0], [0.15, 0.05, 0.8, 0, 0, 0]]),
        # of a's 0.4: 0.3 to a, 0.1 to b; of b's: half and half
        ("similarity", [[0.675, 0.225, 0.1, 0, 0, 0], [0.15, 0.05, 0.8, 0, 0, 0]]),
    ],
)
def test_targets(smoothing, expected):
    found = smoothed_targets(MASS, smoothing, 0.4, SIMILARITY)
    assert found.tolist() == [pytest.approx(row, abs=1e-6) for row in expected]
    assert found.sum(dim=1).tolist() == pytest.approx([1, 1], abs=1e-6)


@pytest.mark.parametrize("smoothing", ["uniform", "exclude_negatives", "class_uniform", "similarity"])
def test_no_epsilon_is_no_smoothing(smoothing):
    assert torch.equal(smoothed_targets(MASS, smoothing, 0.0, SIMILARITY), smoothed_targets(MASS, "none", 0.4))


@pytest.mark.parametrize("epsilon", [0.05, 0.5, 1.0])
def test_negatives_get_nothing_and_what_is_no_ones_does(epsilon):
    generator = torch.Generator().manual_seed(1)
    mass = torch.zeros(4, 50)
    for row in range(4):
        mass[row, 5 * row : 5 * row + 5] = torch.rand(5, generator=generator) + 0.1
    found = smoothed_targets(mass, "exclude_negatives", epsilon)
    assert found[negatives(mass)].abs().max() == 0
    assert (found[:, 20:] > 0).all()  # words of classes not trained on keep their share
    assert found.sum(dim=1).tolist() == pytest.approx([1] * 4, abs=1e-6)


def test_a_word_of_two_classes_is_a_negative_of_both():
    shared = torch.tensor([[1.0, 1.0, 0, 0], [0, 1.0, 0, 0]])
    assert negatives(shared).tolist() == [[False, True, False, False], [True, True, False, False]]
    # ε = 0.3: a's share goes to 0, 2, 3, b's to 2, 3; t keeps the shared word
    expected = [[0.35 + 0.1, 0.35, 0.1, 0.1], [0, 0.7, 0.15, 0.15]]
    found = smoothed_targets(shared, "exclude_negatives", 0.3).tolist()
    assert found == [pytest.approx(row, abs=1e-6) for row in expected]


def test_excluding_negatives_among_classes_leaves_the_class_itself():
    assert torch.equal(smoothed_targets(torch.eye(3), "exclude_negatives", 0.3), torch.eye(3))


def test_uniform_over_classes_is_class_uniform():
    both = [smoothed_targets(torch.eye(4), name, 0.2) for name in ("uniform", "class_uniform")]
    assert torch.allclose(*both) and both[0][0].tolist() == pytest.approx([0.85, 0.05, 0.05, 0.05])


def test_similarity_of_names():
    same, across = 1 / 0.5, 0.6 / 0.5  # cosines 1 and 0.6 at temperature 0.5; length does not matter
    found = name_similarity(torch.tensor([[2.0, 0.0], [3.0, 4.0]]), temperature=0.5)
    total = math.exp(same) + math.exp(across)
    expected = [[math.exp(same) / total, math.exp(across) / total]]
    assert found.tolist() == [pytest.approx(expected[0]), pytest.approx(expected[0][::-1])]


LOGITS = torch.tensor([[0.5, 0.25, 0.25], [0.125, 0.125, 0.75]]).log()


def test_cross_entropy_by_hand():
    targets = torch.tensor([[1.0, 0, 0], [0, 0.5, 0.5]])
    expected = (math.log(2) + 0.5 * math.log(8) + 0.5 * math.log(4 / 3)) / 2
    assert cross_entropy(LOGITS, targets).item() == pytest.approx(expected)
    assert cross_entropy(LOGITS + 7, targets).item() == pytest.approx(expected, abs=1e-5)  # logits, not probabilities


def test_cross_entropy_is_that_of_the_library():
    generator = torch.Generator().manual_seed(2)
    logits, targets = torch.randn(5, 30, generator=generator), torch.rand(5, 30, generator=generator).softmax(dim=1)
    expected = torch.nn.functional.cross_entropy(logits, targets).item()
    assert cross_entropy(logits, targets).item() == pytest.approx(expected, rel=1e-6)


def test_kl_by_hand_and_its_direction():
    base = torch.tensor([[0.25, 0.25, 0.5]]).log()
    # Σ p0 log(p0 / p): 0.25 log(0.5) + 0.25 log(1) + 0.5 log(2)
    assert kl_to_base(LOGITS[:1], base).item() == pytest.approx(0.25 * math.log(0.5) + 0.5 * math.log(2))
    # the other way round: 0.5 log(2) + 0.25 log(1) + 0.25 log(0.5) happens to be equal, so a third distribution
    other = torch.tensor([[0.8, 0.1, 0.1]]).log()
    one_way = 0.8 * math.log(0.8 / 0.5) + 0.2 * math.log(0.1 / 0.25)
    assert kl_to_base(LOGITS[:1], other).item() == pytest.approx(one_way)
    assert kl_to_base(other, LOGITS[:1]).item() != pytest.approx(one_way, abs=1e-2)
    assert kl_to_base(LOGITS, LOGITS).item() == pytest.approx(0, abs=1e-7)


def test_seen_bias_counts_only_what_was_added():
    base = torch.tensor([[0.2, 0.2, 0.6], [0.4, 0.2, 0.4]]).log()
    prompted = torch.tensor([[0.5, 0.2, 0.3], [0.1, 0.1, 0.8]]).log()
    seen = torch.tensor([0, 1])
    # first text 0.7 − 0.4 = 0.3; second 0.2 − 0.6 < 0 counts 0, and does not pay for the first
    assert seen_bias(prompted, base, seen).item() == pytest.approx(0.15)
    assert seen_bias(base, base, seen).item() == 0


def test_squared_distance():
    assert squared_distance(torch.tensor([[1.0, 2.0], [0.0, 1.0]]), torch.tensor([[0.0, 0.0], [0.0, 3.0]])).item() == 9


@pytest.mark.parametrize("smoothing", ["none", "uniform", "exclude_negatives", "class_uniform", "similarity"])
def test_gradients_are_finite_where_logits_are_extreme(smoothing):
    logits = torch.tensor([[1e4, -1e4, 0.0, 30.0, -30.0, 5.0]] * 2, requires_grad=True)
    base = torch.zeros(2, 6)
    targets = smoothed_targets(MASS, smoothing, 0.1, SIMILARITY)
    loss = cross_entropy(logits, targets) + kl_to_base(logits, base) + seen_bias(logits, base, torch.tensor([0, 1, 2]))
    loss.backward()
    assert logits.grad.isfinite().all() and logits.grad.abs().max() > 0


def test_the_gradient_of_the_cross_entropy_is_p_less_q():
    logits = LOGITS.clone().requires_grad_()
    targets = torch.tensor([[1.0, 0, 0], [0, 0.5, 0.5]])
    cross_entropy(logits, targets).backward()
    expected = (LOGITS.exp() - targets) / 2
    assert torch.allclose(logits.grad, expected, atol=1e-6)
