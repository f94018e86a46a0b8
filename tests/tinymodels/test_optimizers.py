"""Muon and AdamW behind one optimizer step as they do alone, and the loss falls by the gradient it should."""

import copy

import pytest
import torch
from torch.optim import AdamW, Muon

from tinymodels import optimizers
from tinymodels.architecture import build
from tinymodels.optimizers import make_optimizer, orthogonalise
from tinymodels.sizing import ModelSize

SIZE = ModelSize(50, 64, 2, 2, 2, 64)
OPTIONS = {
    "matrix_learning_rate": 0.02,
    "learning_rate": 0.01,
    "momentum": 0.9,
    "betas": (0.9, 0.95),
    "weight_decay": 0.1,
}


def gradients(model, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=generator)


def test_together_they_step_as_they_do_alone(monkeypatch):
    five = [(3.4445, -4.7750, 2.0315)] * 5  # torch's polynomials, the first of them for matrices 1.01 times as large
    first = tuple(coefficient * 1.01**power for coefficient, power in zip(five[0], (1, 3, 5), strict=True))
    monkeypatch.setattr(optimizers, "POLAR", (first, *five[1:]))
    model = build(SIZE, 16, seed=1)
    twin = copy.deepcopy(model)
    ours = make_optimizer(model, "muon", **OPTIONS)
    named = dict(twin.named_parameters())
    assert "lm_head.weight" not in named  # tied
    matrices = [value for name, value in named.items() if value.ndim == 2 and "embed" not in name]
    assert len(matrices) == 2 * 7
    norms = [value for value in named.values() if value.ndim == 1]
    muon = Muon(matrices, lr=0.02, weight_decay=0.1, momentum=0.9)
    embedding = AdamW([named["model.embed_tokens.weight"]], lr=0.01, betas=(0.9, 0.95), weight_decay=0.1)
    plain = AdamW(norms, lr=0.01, betas=(0.9, 0.95), weight_decay=0.0)
    for seed in range(3):
        for each in (model, twin):
            gradients(each, seed)
        for optimizer in (ours, muon, embedding, plain):
            optimizer.step()
    for (name, one), other in zip(model.named_parameters(), twin.parameters(), strict=True):
        # Muon's updates are of size 0.02 and in bfloat16, whose products round otherwise in batches
        close = {"rtol": 1e-5, "atol": 1e-6} if one.ndim == 1 or "embed" in name else {"rtol": 0, "atol": 5e-4}
        torch.testing.assert_close(one, other, **close)


@pytest.mark.parametrize("shape", [(3, 64, 64), (2, 96, 32), (2, 32, 96)])
def test_orthogonalised_matrices_keep_their_directions_and_lose_their_sizes(shape):
    matrices = (
        torch.randn(shape, generator=torch.Generator().manual_seed(1))
        * torch.tensor([1e-6, 1, 1e3])[: shape[0], None, None].clone()
    )
    for found, matrix in zip(orthogonalise(matrices).float(), matrices, strict=True):
        left, before, right = torch.linalg.svd(matrix, full_matrices=False)
        sizes = torch.diag(left.T @ found @ right.T)
        large = before > 0.0103 * before.norm()
        assert large.sum() >= 32 and sizes[large].min() > 0.7 and sizes.max() < 1.3  # 0.73 and 1.27, and bfloat16
        assert (left.T @ found @ right.T - torch.diag(sizes)).abs().max() < 0.05


def test_singular_values_from_a_hundredth_of_the_largest_on_come_near_one():
    left, right = (torch.linalg.qr(torch.randn(64, 64, generator=torch.Generator().manual_seed(n)))[0] for n in (1, 2))
    sizes = torch.cat([torch.logspace(-1.9, 0, 63), torch.tensor([0.0])])
    sizes /= sizes.norm()
    found = orthogonalise((left * sizes @ right.T)[None]).float()[0]
    turned = torch.diag(left.T @ found @ right)
    large = sizes > 0.0103
    assert large.sum() > 40
    assert turned[large].min() > 0.7 and turned[large].max() < 1.3
    assert turned[-1].abs() < 0.1


@pytest.mark.parametrize("name", ["muon", "adamw"])
def test_a_loaded_state_goes_on_in_the_same_bits(name):
    whole = build(SIZE, 16, seed=1)
    optimizer = make_optimizer(whole, name, **OPTIONS)
    for seed in range(4):
        if seed == 2:
            stopped, state = copy.deepcopy(whole), copy.deepcopy(optimizer.state_dict())
        gradients(whole, seed)
        optimizer.step()
    resumed = make_optimizer(stopped, name, **OPTIONS)
    resumed.load_state_dict(state)
    for seed in (2, 3):
        gradients(stopped, seed)
        resumed.step()
    for one, other in zip(whole.parameters(), stopped.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_schedule_may_write_into_the_groups_after_loading():
    model = build(SIZE, 16, seed=1)
    optimizer = make_optimizer(model, "muon", **OPTIONS)
    optimizer.load_state_dict(optimizer.state_dict())
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    before = [parameter.clone() for parameter in model.parameters()]
    gradients(model, 0)
    optimizer.step()
    assert all(torch.equal(one, other) for one, other in zip(before, model.parameters(), strict=True))


def test_the_first_weights_depend_on_the_seed_alone():
    torch.manual_seed(3)
    one = build(SIZE, 16, seed=1)
    drawn = torch.rand(1)
    torch.manual_seed(3)
    assert torch.equal(drawn, torch.rand(1))  # building draws nothing from the global generator
    same, other = build(SIZE, 16, seed=1), build(SIZE, 16, seed=2)
    weights = [model.state_dict()["model.layers.0.self_attn.q_proj.weight"] for model in (one, same, other)]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])
