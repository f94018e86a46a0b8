"""Train, validation and test, decided for whole groups by a hash of the group's name and the seed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from corpora.errors import UserError
from corpora.languages import get_language
from corpora.stories import SPLITS, Story


@dataclass(frozen=True)
class Split:
    """How stories are shared out.

    Args:
        validation: share of the groups that go to the validation split.
        test: share of the groups that go to the test split.
    """

    validation: float = 0.05
    test: float = 0.05

    def __post_init__(self) -> None:
        if min(self.validation, self.test) <= 0 or self.validation + self.test >= 1:
            raise UserError(
                f"the shares of validation ({self.validation}) and test ({self.test}) must be above 0, and their sum "
                "below 1."
            )


def split(
    stories: Sequence[Story], options: Split = Split(), seed: int = 0, given: Mapping[str, str] = {}
) -> dict[str, list[Story]]:
    """The stories of each split, in their order; all stories of a group are in one split.

    `given`: group -> split, for stories that come with splits of their own: then nothing is shared out.

    A group's split is a function of its name, the seed and the shares only, so that it stays when other stories come
    or go. The exception is a small corpus: where a language would have no story in a split, the group of its training
    stories whose hash lies nearest to that split is moved there.

    UserError if a language has fewer than three groups.
    """
    if given:
        return {name: [story for story in stories if given[story.group] == name] for name in SPLITS}
    position = {story.group: _position(story.group, seed) for story in stories}
    place = {group: _place(x, options) for group, x in position.items()}
    groups: dict[str, set[str]] = {}
    for story in stories:
        groups.setdefault(story.language, set()).add(story.group)
    for language, members in groups.items():
        if len(members) < len(SPLITS):
            what = "group of stories" if len(members) == 1 else "groups of stories"
            raise UserError(
                f"the {get_language(language).name} corpus has only {len(members)} {what} after cleaning, but at least "
                f"{len(SPLITS)} are needed for train, validation and test; add more stories."
            )
    for language, members in sorted(groups.items()):
        for wanted in ("test", "validation", "train"):
            if not any(place[group] == wanted for group in members):
                place[_nearest(wanted, members, groups, place, position, language)] = wanted
    return {name: [story for story in stories if place[story.group] == name] for name in SPLITS}


def _position(group: str, seed: int) -> float:
    """A number in [0, 1), uniform over groups."""
    digest = hashlib.sha256(f"{seed}/{group}".encode()).digest()
    return int.from_bytes(digest[:7], "big") / 2**56


def _place(position: float, options: Split) -> str:
    """Test lies at the end, validation before it, train first."""
    if position >= 1 - options.test:
        return "test"
    return "validation" if position >= 1 - options.test - options.validation else "train"


def _nearest(
    wanted: str,
    members: set[str],
    groups: dict[str, set[str]],
    place: dict[str, str],
    position: dict[str, float],
    language: str,
) -> str:
    """The group to move: one whose own split can spare it in every language, nearest to the wanted split."""

    def spared(group: str) -> bool:
        others = (groups[code] - {group} for code, names in groups.items() if group in names)
        return all(any(place[other] == place[group] for other in names) for names in others)

    candidates = [group for group in members if spared(group)]
    if not candidates:
        raise UserError(
            f"the {get_language(language).name} stories cannot be shared out over train, validation and test together "
            "with the other languages; add more stories."
        )
    largest_first = sorted(candidates, key=lambda group: (-position[group], group))
    from_train = [group for group in largest_first if place[group] == "train"]
    return largest_first[-1] if wanted == "train" else (from_train or largest_first)[0]
