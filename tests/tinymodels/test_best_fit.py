"""Best-fit packing: whole documents, each once an epoch, in an order that is a function of (seed, epoch)."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tinymodels.best_fit import PADDING, BestFit, BestFitRows, best_fit_decreasing
from tinymodels.packing import Tokens

FIRST = 10
"""Smallest id of these documents, above the special ones."""


def tokens_of(lengths: list[int]) -> Tokens:
    """Documents of tokens in turn, with a gap between two documents, so that a token tells its document and place."""
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    ids = FIRST + np.arange(offsets[-1]) + np.repeat(np.arange(len(lengths)), lengths)
    return Tokens(ids, offsets, np.array(lengths))


def test_best_fit_decreasing_by_hand():
    # 7 and 5 open windows of 8; 3 fits the second exactly; 2 needs a third; 1 fits the fullest, which is the first
    assert best_fit_decreasing(np.array([7, 5, 3, 2, 1]), [], 8).tolist() == [0, 1, 1, 2, 0]
    # a window that is there already with 2 free
    assert best_fit_decreasing(np.array([5, 2, 2]), [2], 8).tolist() == [1, 0, 1]


def test_windows_by_hand():
    rows = BestFitRows(tokens_of([5, 3, 12]), sequence_length=7, seed=1)
    # the long document's pieces are 8 and (with one token twice) 5 tokens; the 5 and the 3 fill a window of their own
    found = sorted(rows.row(number).tolist() for number in range(3))
    assert found == [
        [10, 11, 12, 13, 14, 16, 17, 18],
        [20, 21, 22, 23, 24, 25, 26, 27],
        [27, 28, 29, 30, 31, PADDING, PADDING, PADDING],
    ]
    assert rows.per_epoch == 3 and rows.length == 4 + 7 + 7 and rows.utilisation == 18 / 21


LENGTHS = st.lists(st.integers(2, 40), min_size=1, max_size=30)


@settings(deadline=None, max_examples=80)
@given(LENGTHS, st.integers(2, 20), st.integers(0, 2**32))
def test_every_document_stands_once_in_an_epoch_and_is_not_cut(lengths, sequence_length, seed):
    tokens = tokens_of(lengths)
    rows = BestFitRows(tokens, sequence_length, seed)
    starts = tokens.ids[tokens.offsets[:-1]].tolist()
    for epoch in range(2):
        seen: list[int] = []
        for number in range(epoch * rows.per_epoch, (epoch + 1) * rows.per_epoch):
            row = rows.row(number)
            filled = row[row != PADDING]
            assert (row[len(filled) :] == PADDING).all() and len(filled) > 1
            breaks = np.flatnonzero(np.diff(filled) != 1) + 1
            for place, piece in enumerate(np.split(filled, breaks)):
                document = np.searchsorted(starts, piece[0], side="right") - 1
                whole = lengths[document] <= sequence_length + 1
                assert piece[0] in starts or (not whole and place == 0), "a piece follows another story"
                assert len(piece) == lengths[document] or not whole, "a document is cut"
                # the first token of a later piece is the last of the one before
                seen += piece[0 if piece[0] in starts else 1 :].tolist()
        assert sorted(seen) == tokens.ids.tolist()
    assert rows.tokens_before(2 * rows.per_epoch) == 2 * rows.length


@settings(deadline=None, max_examples=40)
@given(LENGTHS, st.integers(2, 20), st.integers(1, 4), st.integers(0, 2**32))
def test_any_batch_alone_is_the_batch_in_turn(lengths, sequence_length, batch_size, seed):
    tokens = tokens_of(lengths)
    batches = BestFit(tokens, sequence_length, batch_size, seed)
    in_turn = [batches.batch(number) for number in range(2 * batches.per_epoch + 1)]
    counted = 0
    for number, batch in enumerate(in_turn):
        assert batch.shape == (batch_size, sequence_length + 1)
        assert BestFit(tokens, sequence_length, batch_size, seed).tokens_before(number) == counted
        counted += int((batch[:, 1:] != PADDING).sum())
    for number in reversed(range(len(in_turn))):
        assert (BestFit(tokens, sequence_length, batch_size, seed).batch(number) == in_turn[number]).all()


def test_epochs_and_seeds_have_their_own_order():
    tokens = tokens_of([4] * 50)
    orders = {tuple(BestFitRows(tokens, 8, seed).row(epoch * 25)) for seed in (1, 2) for epoch in range(3)}
    assert len(orders) == 6
    partners = {
        tuple(BestFit(tokens, 7, 25, seed=1).batch(epoch)[:, 4] - BestFit(tokens, 7, 25, 1).batch(epoch)[:, 0])
        for epoch in range(3)
    }
    assert len(partners) == 3, "the same documents share a window in every epoch"


def test_windows_are_nearly_full():
    lengths = np.random.default_rng(1).integers(20, 250, 2000).tolist()
    assert BestFitRows(tokens_of(lengths), 256, seed=1).utilisation > 0.98
