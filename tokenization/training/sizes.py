"""The vocabulary sizes that a text can give, and what is said where it cannot."""

from __future__ import annotations

from corpora.errors import UserError

DEFAULT_SIZE = 2048
"""Number of ids, special tokens and byte pieces included, of kinds whose vocabulary does not follow from the text."""


class TooLargeError(UserError):
    """The text cannot give a vocabulary of that size."""

    def __init__(self, message: str, largest: int) -> None:
        super().__init__(message)
        self.largest = largest
        """The largest vocabulary that the text gives."""


class TooSmallError(UserError):
    """A vocabulary of that size has no room for what every vocabulary of the text holds."""


def too_large(kind: str, size: int, largest: int) -> TooLargeError:
    """The error that names the largest vocabulary of the text."""
    return TooLargeError(
        f"this text gives a {kind} vocabulary of at most {largest}, but {size} was asked for; "
        f"ask for {largest} or fewer, or train on more text.",
        largest,
    )


def too_small(kind: str, size: int, smallest: int) -> TooSmallError:
    """The error that names the smallest vocabulary of the text."""
    return TooSmallError(
        f"a {kind} vocabulary of this text needs at least {smallest} ids (special tokens, bytes and characters), "
        f"but {size} was asked for; ask for {smallest} or more."
    )
