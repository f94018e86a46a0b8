"""Tokens on disk, and the order of training data as a pure function of (seed, epoch, step)."""

import json
import os
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.errors import UserError
from corpora.folders import sha256
from corpora.stories import read_corpus
from tinymodels.packing import Tokens, Windows, pack, whole_documents
from tokenization import load_tokenizer


def tokens_of(*documents: list[int]) -> Tokens:
    ids = np.array([token for document in documents for token in document], dtype=np.uint16)
    offsets = np.concatenate([[0], np.cumsum([len(document) for document in documents])])
    return Tokens(ids, offsets, np.array([10 * len(document) for document in documents]))


def test_documents_are_beginning_ids_end(corpus, tokenizer, tmp_path):
    tokens = pack(corpus, tokenizer, "train", ["hi"], tmp_path)
    stories, opened = read_corpus(corpus, "train"), load_tokenizer(tokenizer)
    assert tokens.documents == len(stories) == 60
    for number in (0, 17, 59):
        ids = opened.encode(stories[number].text, add_special_tokens=False)
        assert tokens.document(number).tolist() == [1, *ids, 2]
        assert tokens.characters[number] == len(stories[number].text)
    assert tokens.ids.dtype == np.uint16


def test_the_cache_is_used_again_and_keyed_by_everything(corpus, tokenizer, make, tmp_path, monkeypatch):
    pack(corpus, tokenizer, "train", None, tmp_path)
    (folder,) = tmp_path.iterdir()
    written = (folder / "tokens.bin").stat().st_mtime_ns
    monkeypatch.setattr("tinymodels.packing.encode_split", lambda *_: pytest.fail("encoded twice"))
    pack(corpus, tokenizer, "train", None, tmp_path)
    assert (folder / "tokens.bin").stat().st_mtime_ns == written
    monkeypatch.undo()
    pack(corpus, tokenizer, "train", ["hi"], tmp_path)
    pack(corpus, tokenizer, "validation", None, tmp_path)
    pack(make.corpus(tmp_path.parent / "other", train=61), tokenizer, "train", None, tmp_path)
    assert len(list(tmp_path.iterdir())) == 4


def test_a_cut_off_cache_is_refused(corpus, tokenizer, tmp_path):
    pack(corpus, tokenizer, "train", None, tmp_path)
    (file,) = tmp_path.glob("*/tokens.bin")
    file.write_bytes(file.read_bytes()[:-2])
    with pytest.raises(UserError, match="damaged"):
        pack(corpus, tokenizer, "train", None, tmp_path)


def test_one_flipped_bit_of_the_cache_is_refused(corpus, tokenizer, tmp_path):
    pack(corpus, tokenizer, "train", None, tmp_path)
    (folder,) = tmp_path.iterdir()
    for name in ("tokens.bin", "offsets.npy", "characters.npy", "origin.npy"):
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(UserError, match=f"{name}' is damaged"):
            pack(corpus, tokenizer, "train", None, tmp_path)
        (folder / name).write_bytes(whole)


@pytest.mark.parametrize("changed", ["corpus", "tokenizer"])
def test_inputs_that_do_not_match_their_fingerprint_are_not_encoded(corpus, tokenizer, tmp_path, changed):
    """Else two runs could read different stories under one fingerprint."""
    folders = {"corpus": corpus, "tokenizer": tokenizer}
    folders[changed] = shutil.copytree(folders[changed], tmp_path / changed)
    name = {"corpus": "train-hi-00000-of-00001.parquet", "tokenizer": "tokenizer.json"}[changed]
    shutil.copy(corpus / "validation-hi-00000-of-00001.parquet", tmp_path / changed / name)
    with pytest.raises(UserError, match=f"{name}' is damaged or was changed"):
        pack(folders["corpus"], folders["tokenizer"], "train", None, tmp_path / "cache")


def test_pickled_arrays_in_the_cache_are_not_unpickled(corpus, tokenizer, tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "mark"),)

    pack(corpus, tokenizer, "train", None, tmp_path / "cache")
    (folder,) = (tmp_path / "cache").iterdir()
    np.save(folder / "offsets.npy", np.array([Evil()], dtype=object), allow_pickle=True)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["offsets.npy"] = sha256(folder / "offsets.npy")
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(UserError, match="something other than numbers"):
        pack(corpus, tokenizer, "train", None, tmp_path / "cache")
    assert not (tmp_path / "mark").exists()


def test_vocabularies_past_uint16_use_uint32(corpus, tokenizer, tmp_path, monkeypatch):
    monkeypatch.setattr("tinymodels.encoding.LARGEST_UINT16_VOCABULARY", 100)
    tokens = pack(corpus, tokenizer, "test", None, tmp_path)
    assert tokens.ids.dtype == np.uint32
    assert tokens.ids.max() >= 100


def test_a_batch_by_hand():
    # one document, so that its order is known: a batch of 2 windows of 3 tokens, each with the next token after it
    windows = Windows(tokens_of(list(range(1, 15))), sequence_length=3, batch_size=2, seed=5)
    assert windows.per_epoch == 2
    assert windows.batch(0).tolist() == [[1, 2, 3, 4], [4, 5, 6, 7]]
    assert windows.batch(1).tolist() == [[7, 8, 9, 10], [10, 11, 12, 13]]
    assert windows.batch(2).tolist() == windows.batch(0).tolist()  # the next epoch


DOCUMENTS = st.lists(st.integers(2, 30), min_size=3, max_size=20)


@settings(deadline=None, max_examples=60)
@given(DOCUMENTS, st.integers(1, 8), st.integers(1, 3), st.integers(0, 2**32))
def test_any_batch_alone_is_the_batch_in_turn(lengths, sequence_length, batch_size, seed):
    starts = np.concatenate([[0], np.cumsum(lengths)])
    tokens = tokens_of(*[list(range(a, b)) for a, b in zip(starts, starts[1:], strict=False)])
    if starts[-1] <= batch_size * sequence_length:
        return
    windows = Windows(tokens, sequence_length, batch_size, seed)
    in_turn = [windows.batch(number).copy() for number in range(3 * windows.per_epoch)]
    for number in (2 * windows.per_epoch, 0, len(in_turn) - 1, 1 % len(in_turn)):
        fresh = Windows(tokens, sequence_length, batch_size, seed)
        assert (fresh.batch(number) == in_turn[number]).all()
    for epoch in range(3):
        # laid end to end, an epoch is whole documents one after the other, none twice
        read = np.concatenate(
            [batch[:, :-1].ravel() for batch in in_turn[epoch * windows.per_epoch :][: windows.per_epoch]]
        )
        assert len(np.unique(read)) == len(read)
        jumps = np.flatnonzero(np.diff(read) != 1)
        assert set(read[jumps + 1]) <= set(starts)


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_any_number_of_loader_workers_reads_the_same_batches(corpus, tokenizer, tmp_path, workers):
    """Training has none (a batch takes 50 µs), but a batch is a function of its number, so they may come at any time:
    here a run is killed after batch 80, in its second epoch, and goes on with other workers."""
    from torch.utils.data import DataLoader, Dataset

    class Batches(Dataset):
        def __init__(self):
            self.windows = Windows(pack(corpus, tokenizer, "train", None, tmp_path), 16, 2, seed=1)

        def __getitem__(self, number):
            return self.windows.batch(number).copy()

    batches = Batches()
    assert batches.windows.per_epoch < 80
    expected = [batches[number] for number in range(100)]
    loaded = DataLoader(batches, batch_size=None, sampler=range(80, 100), num_workers=workers)
    assert all((one.numpy() == other).all() for one, other in zip(loaded, expected[80:], strict=True))


def test_epochs_and_seeds_have_their_own_order():
    tokens = tokens_of(*[[number] * 4 for number in range(50)])
    first = Windows(tokens, 4, 4, seed=1)
    orders = {tuple(first.batch(epoch * first.per_epoch).ravel()) for epoch in range(4)}
    orders.add(tuple(Windows(tokens, 4, 4, seed=2).batch(0).ravel()))
    assert len(orders) == 5


def test_too_little_text_for_a_batch_is_refused():
    with pytest.raises(UserError, match="6 tokens in 1 story, fewer than one batch of 2 windows of 4"):
        Windows(tokens_of([1, 2, 3, 4, 5, 6]), sequence_length=4, batch_size=2, seed=1)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(2, 40), min_size=1, max_size=12), st.integers(2, 9), st.integers(1, 4))
def test_whole_documents_score_every_token_once(lengths, sequence_length, batch_size):
    starts = np.concatenate([[0], np.cumsum(lengths)])
    tokens = tokens_of(*[list(range(a, b)) for a, b in zip(starts, starts[1:], strict=False)])
    targets, pieces = [], whole_documents(tokens, sequence_length, batch_size)
    for batch in pieces:
        assert batch.inputs.shape[1] <= sequence_length and len(batch.inputs) <= batch_size
        scored = batch.targets != -100
        assert (batch.targets[scored] == batch.inputs[scored] + 1).all()  # the token after the input
        targets += batch.targets[scored].tolist()
    expected = [token for a, b in zip(starts, starts[1:], strict=False) for token in range(a + 1, b)]
    assert sorted(targets) == expected


def test_a_limit_spreads_over_the_documents():
    tokens = tokens_of(*[[number, number] for number in range(9)])
    documents = np.concatenate([batch.documents for batch in whole_documents(tokens, 4, 8, limit=3)])
    assert sorted(documents.tolist()) == [0, 4, 8]
