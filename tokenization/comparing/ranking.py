"""Which tokenizer to use, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

SIGNIFICANT = 0.05


def rank(
    name: str,
    text: str,
    bits: Mapping[str, Mapping[str, float]],
    against_best: Mapping[str, Mapping[str, float]],
    lossy: Sequence[str],
) -> dict[str, Any]:
    """The order by bits per character, fewest first, and one sentence.

    Args:
        name: the language's name, for the sentence.
        text: the text that decides.
        bits: tokenizer -> bits per character with its interval.
        against_best: every other tokenizer less the best one, with Holm-corrected p (`extrinsic.compare_with`).
        lossy: tokenizers that do not give the text back; what they lose costs them nothing, so they are not ranked.
    """
    order = sorted((tokenizer for tokenizer in bits if tokenizer not in lossy), key=lambda key: bits[key]["value"])
    best = order[0]
    tied = [other for other in order[1:] if against_best[other]["p_holm"] >= SIGNIFICANT]
    worse = len(order) - 1 - len(tied)
    value = bits[best]
    sentence = (
        f"For {name}, use {best}: {value['value']:.3f} bits per character [{value['low']:.3f}, {value['high']:.3f}]"
    )
    if tied:
        sentence += f", though {_listed(tied)} {'is' if len(tied) == 1 else 'are'} not proven worse"
        if worse:
            sentence += f" (the other {worse} {'is' if worse == 1 else 'are'}, p < 0.05 after Holm)"
    elif worse:
        nearest = against_best[order[1]]
        sentence += (
            f", fewer than {'the other' if worse == 1 else f'all {worse} others'} (p < 0.05 after Holm; the nearest, "
            f"{order[1]}, is {nearest['value']:.3f} [{nearest['low']:.3f}, {nearest['high']:.3f}] above)"
        )
    return {
        "text": text,
        "order": order,
        "best": best,
        "tied": tied,
        "against_best": {other: dict(against_best[other]) for other in order[1:]},
        "sentence": sentence + ".",
    }


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
