"""Which classes are seen in training, which languages train and test, and that no text is on both sides."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from corpora.errors import UserError
from prompts.data.items import Item


@dataclass(frozen=True)
class Split:
    """Classes that occur in training, and classes that do not."""

    seen: tuple[str, ...]
    unseen: tuple[str, ...]

    def __post_init__(self) -> None:
        if both := sorted(set(self.seen) & set(self.unseen)):
            raise UserError(f"a class is either seen or unseen, not both ({', '.join(both)}).")

    @property
    def classes(self) -> tuple[str, ...]:
        """All of them: the full label space of generalized zero-shot classification."""
        return self.seen + self.unseen


def rotations(classes: Sequence[str], unseen: int, seed: int = 0) -> list[Split]:
    """Splits in which every class is unseen equally often: as few of them as can be.

    The classes stand in a circle in an order drawn by the seed; each split hides the next `unseen` of them. After
    C / gcd(C, unseen) splits every class was hidden unseen / gcd(C, unseen) times. Both parts keep the order of
    `classes`. UserError unless at least two classes stay seen and one is hidden.
    """
    count = len(classes)
    if not 1 <= unseen <= count - 2:
        raise UserError(f"{unseen} of {count} classes cannot be unseen; hide at least one and leave at least two.")
    circle = list(classes)
    random.Random(seed).shuffle(circle)
    splits = []
    for turn in range(count // math.gcd(count, unseen)):
        hidden = {circle[(turn * unseen + i) % count] for i in range(unseen)}
        splits.append(
            Split(tuple(name for name in classes if name not in hidden), tuple(n for n in classes if n in hidden))
        )
    return splits


def of_classes(items: Iterable[Item], classes: Iterable[str]) -> list[Item]:
    """The items with one of these labels."""
    wanted = set(classes)
    return [item for item in items if item.label in wanted]


def check_disjoint(training: Iterable[Item], testing: Iterable[Item]) -> None:
    """UserError if a group (a text in any language) stands on both sides; groups are those of one data set."""
    groups = {(item.task, item.group) for item in training}
    if shared := sorted({item.group for item in testing if (item.task, item.group) in groups}):
        raise UserError(
            f"{len(shared)} texts are in training and test at once (the first: {shared[0]!r}), perhaps in another "
            "language; choose splits that share none."
        )


def split_groups(items: Iterable[Item], shares: Mapping[str, float], seed: int = 0) -> dict[str, list[Item]]:
    """Items in parts of about these shares; a group is in one part, with all its languages.

    Equal groups are parted equally, in whatever order the items come. UserError unless the shares sum to 1.
    """
    if not math.isclose(sum(shares.values()), 1) or min(shares.values()) <= 0:
        raise UserError(f"the shares {', '.join(map(str, shares.values()))} of a split must be positive and sum to 1.")
    items = list(items)
    groups = sorted({(item.task, item.group) for item in items})
    random.Random(seed).shuffle(groups)
    part: dict[tuple[str, str], str] = {}
    end, start = 0.0, 0
    for name, share in shares.items():
        end += share
        stop = round(end * len(groups))
        part |= dict.fromkeys(groups[start:stop], name)
        start = stop
    return {name: [item for item in items if part[item.task, item.group] == name] for name in shares}


def transfer(
    training: Iterable[Item], testing: Iterable[Item], split: Split, sources: Sequence[str], targets: Sequence[str]
) -> tuple[list[Item], dict[str, list[Item]]]:
    """What is trained on, and what is tested on by language.

    Training: items of the source languages with seen labels. Testing: items of each target language with any label of
    the split (a source language may be a target too). UserError if a language has no items or a group is on both sides.
    """
    trained = of_classes((item for item in training if item.language in sources), split.seen)
    testing = of_classes(testing, split.classes)
    tested = {language: [item for item in testing if item.language == language] for language in targets}
    for language in sources:
        if not any(item.language == language for item in trained):
            raise UserError(f"there are no training texts in {language} with a seen label; check languages and split.")
    if absent := [language for language, found in tested.items() if not found]:
        raise UserError(f"there are no test texts in {', '.join(absent)}; check languages and split.")
    for found in tested.values():
        check_disjoint(trained, found)
    return trained, tested
