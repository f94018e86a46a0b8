"""What a soft prompt is trained to lower: a cross-entropy towards smoothed targets, and penalties.

Pure functions on tensors. An *outcome* is a token of the vocabulary or a class; `mass` [classes, outcomes] says which
outcomes stand for a class: its verbalizer's weights in the vocabulary, one 1 in its own column among the classes. So
each function serves both spaces.

Label smoothing: Szegedy et al. 2016 (arXiv 1512.00567). The rest is our own reading of published ideas, not
anyone's published formula.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import normalize

Smoothing = Literal["none", "uniform", "exclude_negatives", "class_uniform", "similarity"]


def smoothed_targets(mass: Tensor, smoothing: Smoothing, epsilon: float, similarity: Tensor | None = None) -> Tensor:
    """The distribution that each class is trained towards, (1 − ε) t_y + ε u_y; mass -> [classes, outcomes].

    t_y is the class's own mass, scaled to sum to 1. u_y is, by `smoothing`:

    - `uniform`: every outcome alike.
    - `exclude_negatives`: every outcome alike but those of the other classes, which get nothing (contrastive label
      smoothing). Where the classes of the training data are only some of all, the rows of `mass` are those, and the
      outcomes of all others keep their share.
    - `class_uniform`: the outcomes of all classes, the class's own among them; each class has the same share.
    - `similarity`: likewise, but the shares are `similarity` [classes, classes], whose rows sum to 1.

    An outcome that stands for two classes keeps what t_y gives it, and is a negative of both to u_y.
    """
    own = mass / mass.sum(dim=1, keepdim=True)
    if smoothing == "none" or epsilon == 0:
        return own
    if smoothing == "uniform":
        other = torch.full_like(own, 1 / own.shape[1])
    elif smoothing == "exclude_negatives":
        allowed = (~negatives(own)).to(own.dtype)
        other = allowed / allowed.sum(dim=1, keepdim=True).clamp(min=1)
        other = torch.where(allowed.any(dim=1, keepdim=True), other, own)
    elif smoothing == "class_uniform":
        other = own.mean(dim=0, keepdim=True).expand_as(own)
    else:
        assert similarity is not None
        other = similarity @ own
    return (1 - epsilon) * own + epsilon * other


def negatives(mass: Tensor) -> Tensor:
    """Which outcomes stand for some other class than the row's; boolean [classes, outcomes]."""
    stands = mass > 0
    others = stands.sum(dim=0, keepdim=True) - stands.int()
    return others > 0


def name_similarity(prototypes: Tensor, temperature: float = 0.1) -> Tensor:
    """How alike the classes' vectors [classes, width] are: softmax of cosine / temperature, rows sum to 1."""
    directions = normalize(prototypes, dim=1)
    return (directions @ directions.T / temperature).softmax(dim=1)


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean over items of −Σ q log softmax(logits), in nats; both [items, outcomes].

    Written as logsumexp(z) − Σ q z for q that sums to 1: the vocabulary's log-softmax is never stored.
    """
    return (logits.logsumexp(dim=1) - (targets * logits).sum(dim=1)).mean()


def seen_bias(prompted: Tensor, unprompted: Tensor, seen: Tensor) -> Tensor:
    """How much more of the probability the prompt gives to the seen classes' words where the text says nothing.

    Mean over content-free texts of max(0, Σ_{v seen} p_prompted(v) − Σ_{v seen} p_unprompted(v)); logits
    [texts, outcomes], `seen` the numbers of those words. Between 0 and 1.
    """
    before, after = (logits.softmax(dim=1)[:, seen].sum(dim=1) for logits in (unprompted, prompted))
    return (after - before).clamp(min=0).mean()


def kl_to_base(prompted: Tensor, unprompted: Tensor) -> Tensor:
    """Mean over items of KL(p_unprompted ‖ p_prompted) in nats; logits [items, outcomes].

    Zero where the prompt changes nothing; it grows where the prompt takes probability away from what the model itself
    thinks likely.
    """
    base = unprompted.log_softmax(dim=1)
    return (base.exp() * (base - prompted.log_softmax(dim=1))).sum(dim=1).mean()


def squared_distance(vectors: Tensor, first: Tensor) -> Tensor:
    """‖P − P₀‖² of the prompt to where it started; of one shape."""
    return (vectors - first).square().sum()
