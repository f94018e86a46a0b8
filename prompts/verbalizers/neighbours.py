"""The rows of the vocabulary nearest to class names (NPPrompt, Zhao et al. 2023), by identifiers and never by text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

import torch

from corpora.errors import UserError

Shared = Literal["nearest", "delete", "keep"]
Key = tuple[str, str, str]
"""Class, language and name."""


def cosines(anchors: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    """Cosine of every anchor, (a, d), with every row of a table, (V, d): float32, shape (a, V); 0 for empty rows."""
    anchors = torch.nn.functional.normalize(anchors.float(), dim=1)
    lengths = torch.linalg.vector_norm(table, dim=1, dtype=torch.float32).clamp_min(1e-12)
    return (anchors.to(table.dtype) @ table.T).float() / lengths


def allowed_rows(
    similarity: torch.Tensor,
    classes: Sequence[int],
    own: Sequence[Sequence[int]],
    speaking: torch.Tensor,
    shared: Shared = "nearest",
) -> torch.Tensor:
    """Which rows may stand for each anchor, bool, shape (a, V).

    `similarity`: (a, V). `classes`: the class of each anchor. `own`: the pieces of its name. `speaking`: (V,);
    a name of one piece speaks in any case. A piece of a class's name is open to that class only, and a piece that names
    of several classes share to none. With `nearest`, every other row is open only to the class that it is nearest to,
    in any language.
    """
    anchors, size = similarity.shape
    member = torch.tensor(classes)
    pieces = torch.zeros(max(classes) + 1, size, dtype=torch.bool)
    for number, ids in zip(classes, own, strict=True):
        pieces[number, list(ids)] = True
    allowed = speaking.expand(anchors, size).clone()
    for number, ids in enumerate(own):
        if len(ids) == 1:
            allowed[number, ids[0]] = True
    allowed &= ~pieces.any(0) | (pieces[member] & (pieces.sum(0) == 1))
    if shared == "nearest":
        best = torch.stack([similarity[member == c].amax(0) for c in range(len(pieces))])
        allowed &= (best.argmax(0) == member.unsqueeze(1)) | pieces[member]
    return allowed


def nearest(
    similarity: torch.Tensor, allowed: torch.Tensor, classes: Sequence[int], k: int, shared: Shared = "nearest"
) -> list[list[int]]:
    """At most `k` allowed rows per anchor, nearest first.

    With `delete`, rows that fell to several classes are then taken from all of them (NPPrompt's common words).
    """
    if k < 1:
        raise UserError(f"{k} neighbours are none; ask for at least one.")
    masked = similarity.masked_fill(~allowed, -torch.inf)
    order = masked.topk(min(k, masked.shape[1]), dim=1).indices
    found = [[int(row) for row in rows if ok[row]] for rows, ok in zip(order, allowed, strict=True)]
    if shared == "delete":
        claims = Counter(row for _, row in {(c, row) for c, rows in zip(classes, found, strict=True) for row in rows})
        found = [[row for row in rows if claims[row] == 1] for rows in found]
    return found


def anchor_rows(
    pieces: Mapping[Key, Sequence[int]], table: torch.Tensor, subtokens: Literal["mean", "first"] = "mean"
) -> dict[Key, torch.Tensor]:
    """A name's place in the table, (d,): the mean of all its pieces' rows, or the row of the first."""
    return {
        key: table[list(ids) if subtokens == "mean" else list(ids[:1])].float().mean(0) for key, ids in pieces.items()
    }
