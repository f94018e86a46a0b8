"""Guided alignment: counterparts are found whatever the order of the words, and attention elsewhere costs."""

import itertools
import math

import pytest
import torch

from corpora.translation.guidance import NOWHERE, align_tokens, guidance_loss

TAG_A, TAG_B, STOP = 1, 2, 0
WORDS = (10, 11, 12, 13, 14)


def test_a_token_is_aligned_to_its_counterpart_in_either_language():
    """Word w is w + 10 in language A, told backwards, and w + 20 in B; in A every sentence has a particle more."""
    examples = []
    for words in itertools.permutations(WORDS, 3):
        source = [*words, STOP]
        examples.append(([TAG_A, *source], [99, *(word + 10 for word in reversed(words)), STOP]))
        examples.append(([TAG_B, *source], [*(word + 20 for word in words), STOP]))
    places = align_tokens(examples)
    for (source, target), found in zip(examples, places, strict=True):
        for token, place in zip(target, found, strict=True):
            if token >= 20 and token != 99:
                assert source[place] == token - (10 if source[0] == TAG_A else 20)
            else:  # what stands in every sentence stands for the tag or the end
                assert place in (0, 4)


def test_a_token_without_a_counterpart_has_none():
    examples = [([TAG_A, word, STOP], [1000 + word * 50 + other]) for word in WORDS for other in range(40)]
    assert all(places == [NOWHERE] for places in align_tokens(examples))


def test_guidance_loss_by_hand():
    attention = torch.tensor([[[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]], [[1.0, 0.0, 0.0], [0.2, 0.2, 0.6]]])
    places = torch.tensor([[1, NOWHERE], [0, 2]])
    wanted = (math.log(4) + 0 - math.log(0.6)) / 3
    assert guidance_loss(attention, places).item() == pytest.approx(wanted)
    assert guidance_loss(attention, torch.full((2, 2), NOWHERE)).item() == 0
