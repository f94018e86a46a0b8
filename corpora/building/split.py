"""Train, validation and test, decided for whole groups by a hash of the group's name and the seed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from corpora.errors import UserError
from corpora.languages import get_language
from corpora.stories import SPLITS

TRAIN, VALIDATION, TEST = range(len(SPLITS))


@dataclass(frozen=True)
class Split:
    """How stories are shared out.

    Args:
        validation: share of the groups that go to the validation split.
        test: share of the groups that go to the test split.
        by_prompt: whether stories that were written from one prompt stay together.
    """

    validation: float = 0.05
    test: float = 0.05
    by_prompt: bool = True

    def __post_init__(self) -> None:
        if min(self.validation, self.test) <= 0 or self.validation + self.test >= 1:
            raise UserError(
                f"the shares of validation ({self.validation}) and test ({self.test}) must be above 0, and their sum "
                "below 1."
            )


def place_groups(
    names: Sequence[str], members: Mapping[str, np.ndarray], options: Split = Split(), seed: int = 0
) -> np.ndarray:
    """The split of every group, as an index into SPLITS, (groups,) of int8.

    A group's split is a function of its name, the seed and the shares only, so that it stays when other stories come
    or go. The exception is a small corpus: where a language would have no story in a split, the group of its training
    stories whose hash lies nearest to that split is moved there.

    Args:
        names: the groups' names.
        members: for each language, the distinct numbers of the groups that have a story in it.
        options: the shares.
        seed: another seed, another split.

    Raises:
        UserError: a language has fewer than three groups.
    """
    position = np.fromiter((_position(name, seed) for name in names), np.float64, len(names))
    places = np.zeros(len(names), np.int8)
    places[position >= 1 - options.test - options.validation] = VALIDATION
    places[position >= 1 - options.test] = TEST
    for language, groups in members.items():
        if len(groups) < len(SPLITS):
            what = "group of stories" if len(groups) == 1 else "groups of stories"
            raise UserError(
                f"the {get_language(language).name} corpus has only {len(groups)} {what} after cleaning, but at least "
                f"{len(SPLITS)} are needed for train, validation and test; add more stories."
            )
    for language in sorted(members):
        for wanted in (TEST, VALIDATION, TRAIN):
            if not (places[members[language]] == wanted).any():
                places[_nearest(wanted, language, members, places, position, names)] = wanted
    return places


def _position(group: str, seed: int) -> float:
    """A number in [0, 1), uniform over groups."""
    digest = hashlib.sha256(f"{seed}/{group}".encode()).digest()
    return int.from_bytes(digest[:7], "big") / 2**56


def _nearest(
    wanted: int,
    language: str,
    members: Mapping[str, np.ndarray],
    places: np.ndarray,
    position: np.ndarray,
    names: Sequence[str],
) -> int:
    """The group to move: one whose own split can spare it in every language, nearest to the wanted split."""
    counts = {code: np.bincount(places[groups], minlength=len(SPLITS)) for code, groups in members.items()}
    spared = np.ones(len(names), bool)
    for code, groups in members.items():
        spared[groups] &= counts[code][places[groups]] > 1
    candidates = [int(group) for group in members[language] if spared[group]]
    if not candidates:
        raise UserError(
            f"the {get_language(language).name} stories cannot be shared out over train, validation and test together "
            "with the other languages; add more stories."
        )
    largest_first = sorted(candidates, key=lambda group: (-position[group], names[group]))
    from_train = [group for group in largest_first if places[group] == TRAIN]
    return largest_first[-1] if wanted == TRAIN else (from_train or largest_first)[0]
