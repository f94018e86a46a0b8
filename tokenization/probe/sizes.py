"""Models of equally many parameters whatever the vocabulary, and what a training of one costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from corpora.errors import UserError
from tokenization.probe.settings import ProbeSettings


@dataclass(frozen=True)
class Size:
    """The size of one probe model."""

    vocabulary: int
    feed_forward: int
    parameters: int
    embedding_parameters: int

    @property
    def other_parameters(self) -> int:
        """Parameters outside the (tied) embedding table."""
        return self.parameters - self.embedding_parameters


def total_parameters(vocabulary: int, feed_forward: int, settings: ProbeSettings) -> int:
    """V·d + L·(4d² + 3·d·f + 2d) + d: a Llama of width d and L blocks with tied embeddings."""
    width = settings.width
    return vocabulary * width + settings.layers * (4 * width**2 + 3 * width * feed_forward + 2 * width) + width


def least_parameters(vocabulary: int, settings: ProbeSettings) -> int:
    """The fewest parameters that a model of this vocabulary may have: its feed-forward layers as wide as its stream."""
    return total_parameters(vocabulary, settings.width, settings)


def solve_sizes(vocabularies: Sequence[int], settings: ProbeSettings) -> list[Size]:
    """One model size per vocabulary, all with the same total of parameters to within one unit of feed-forward width.

    UserError if `settings.parameters` leaves the largest vocabulary a feed-forward width below `settings.width`.
    """
    width, layers = settings.width, settings.layers
    largest = max(vocabularies)
    wanted = settings.parameters or total_parameters(largest, 4 * width, settings)
    if wanted < (least := least_parameters(largest, settings)):
        raise UserError(
            f"probe.parameters is {wanted}, but a vocabulary of {largest} at width {width} needs at least {least}; "
            "raise it, or lower probe.width."
        )
    sizes = []
    for vocabulary in vocabularies:
        feed_forward = round((wanted - total_parameters(vocabulary, 0, settings)) / (3 * layers * width))
        total = total_parameters(vocabulary, feed_forward, settings)
        sizes.append(Size(vocabulary, feed_forward, total, vocabulary * width))
    return sizes


def operations(size: Size, tokens: Sequence[int], settings: ProbeSettings) -> float:
    """Floating-point operations of training on windows of so many predicted tokens each: 6·P·n + 6·L·d·n².

    Two for a multiplication and an addition, three times the forward pass in all; the tied table counts once, as the
    output layer; attention looks back over half of n × n (Kaplan et al. 2020, arXiv 2001.08361, section 2.1).
    """
    squares = sum(count**2 for count in tokens)
    return 6.0 * size.parameters * sum(tokens) + 6.0 * settings.layers * settings.width * squares
