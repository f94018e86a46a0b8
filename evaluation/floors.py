"""Two floors that any language model worth training must be under, on the same test text.

The compressor (xz) knows the training text as its dictionary; the character n-gram model is interpolated Witten–Bell.
Both also pay for the end of every document, as the neural models do.
"""

from __future__ import annotations

import lzma
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from corpora.errors import UserError

END_OF_DOCUMENT = "\x03"
_COMPRESSOR_MEMORY = 16 * 2**20
_CODE_POINTS = 0x110000 - 0x800


@dataclass(frozen=True)
class CompressorFloor:
    """Bits per character of the test text under xz."""

    given_training: float
    """(size of training + test − size of training) / characters: the floor."""
    alone: float
    """Size of the test text by itself / characters."""
    training_bytes: int
    """How much training text xz was shown (the last 16 MiB at most)."""


def compressor_floor(training: Sequence[str], test: Sequence[str]) -> CompressorFloor:
    """xz at preset 9e, raw LZMA2 stream, with a dictionary that holds all of the text; one byte ends a document."""
    before = _joined(training)[-_COMPRESSOR_MEMORY:]
    text = _joined(test)
    size = max(4096, len(before) + len(text))
    characters = sum(map(len, test))
    given = _xz_bytes(before + text, size) - _xz_bytes(before, size)
    return CompressorFloor(8 * given / characters, 8 * _xz_bytes(text, size) / characters, len(before))


def _joined(texts: Sequence[str]) -> bytes:
    return "".join(text + END_OF_DOCUMENT for text in texts).encode()


def _xz_bytes(data: bytes, dictionary: int) -> int:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": dictionary}]
    return len(lzma.compress(data, format=lzma.FORMAT_RAW, filters=filters))


class CharacterNgram:
    """An interpolated Witten–Bell model of characters, all orders from 1 to `maximum_order` at once.

        p_n(c | h) = (C(h c) + T(h) · p_{n−1}(c | h')) / (C(h) + T(h))

    with C counts in the training text, T(h) the number of different symbols seen after h, h' the history without its
    oldest symbol, and p_0 uniform (Bell, Cleary & Witten, Text Compression, 1990; Witten & Bell 1991, method C). After
    a history never seen, p_n = p_{n−1}. The symbols are the training text's characters (the 253 most frequent, should
    there be more), the end of the document, and one for every other character, which then pays for its code point too,
    uniformly among those Unicode has left: the model is a probability over all texts.

    An n-gram of up to 8 symbols is one 64-bit number, its last symbol in the lowest byte, so that sorting the numbers
    puts what follows one history side by side.
    """

    BEGIN, END, UNKNOWN = 0, 1, 2
    _FIRST_CHARACTER = 3

    def __init__(self, training: Sequence[str], maximum_order: int = 8) -> None:
        """Count the n-grams of the training documents; UserError without text, ValueError unless 1 ≤ order ≤ 8."""
        if not 1 <= maximum_order <= 8:
            raise ValueError(f"the order must lie between 1 and 8, not {maximum_order}")
        if not any(training):
            raise UserError("the character n-gram floor needs training text, and there is none; check the corpus.")
        self.maximum_order = maximum_order
        frequent = Counter[str]()
        for text in training:
            frequent.update(text)
        alphabet = sorted(character for character, _ in frequent.most_common(256 - self._FIRST_CHARACTER))
        self.symbols = {character: number for number, character in enumerate(alphabet, self._FIRST_CHARACTER)}
        self._lookup = np.full(0x110000, self.UNKNOWN, dtype=np.uint8)
        self._lookup[[ord(character) for character in alphabet]] = np.arange(
            self._FIRST_CHARACTER, self._FIRST_CHARACTER + len(alphabet)
        )
        grams, _ = self._grams(training)
        self._tables = [_Table.count(_suffix(grams, order)) for order in range(1, maximum_order + 1)]

    def nats(self, texts: Sequence[str]) -> np.ndarray:
        """−ln p of each document with its end, for every order: shape (maximum_order, texts), order 1 first."""
        grams, owners = self._grams(texts)
        costs = -np.log(self._probabilities(grams))
        costs[:, (grams & np.uint64(0xFF)) == self.UNKNOWN] += np.log(_CODE_POINTS - len(self.symbols))
        return np.stack([np.bincount(owners, weights=row, minlength=len(texts)) for row in costs])

    def distribution(self, history: str, order: int) -> dict[str, float]:
        """p(symbol | history) for every character of the alphabet, the end of the document and `<unk>`."""
        encoded = [self.BEGIN] * 8 + [int(self._lookup[ord(character)]) for character in history]
        packed = np.uint64(int.from_bytes(bytes(encoded[-7:] + [0]), "big"))
        names = {self.END: END_OF_DOCUMENT, self.UNKNOWN: "<unk>"} | {
            number: character for character, number in self.symbols.items()
        }
        grams = packed | np.array(list(names), dtype=np.uint64)
        return dict(zip(names.values(), self._probabilities(grams)[order - 1].tolist(), strict=True))

    def _grams(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """For every predicted symbol: the packed 8-gram that ends with it, and the number of its document."""
        lengths = np.array([len(text) for text in texts])
        # Every document becomes 7 × BEGIN, its characters, END.
        ends = np.cumsum(lengths + 8) - 1
        stream = np.zeros(ends[-1] + 1, dtype=np.uint8)
        owners = np.repeat(np.arange(len(texts)), lengths + 8)
        within = np.arange(len(stream)) - (ends - lengths - 7)[owners]
        predicted = within >= 7
        stream[ends] = self.END
        code_points = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        stream[predicted & (within < 7 + lengths[owners])] = self._lookup[code_points]
        grams = np.zeros(len(stream), dtype=np.uint64)
        for distance in range(8):
            grams[distance:] |= stream[: len(stream) - distance].astype(np.uint64) << np.uint64(8 * distance)
        return grams[predicted], owners[predicted]

    def _probabilities(self, grams: np.ndarray) -> np.ndarray:
        """p of the last symbol of each packed 8-gram for every order, shape (maximum_order, grams)."""
        # Uniform over the alphabet, END and UNKNOWN.
        probabilities = np.full(len(grams), 1 / (len(self.symbols) + 2))
        rows = []
        for order, table in enumerate(self._tables, start=1):
            seen, total, types = table.look_up(_suffix(grams, order))
            with np.errstate(invalid="ignore"):
                mixed = (seen + types * probabilities) / (total + types)
            probabilities = np.where(total > 0, mixed, probabilities)
            rows.append(probabilities)
        return np.stack(rows)


@dataclass(frozen=True)
class _Table:
    """Counts of one order: n-grams and their histories, as sorted numbers."""

    grams: np.ndarray
    counts: np.ndarray
    histories: np.ndarray
    totals: np.ndarray
    types: np.ndarray

    @classmethod
    def count(cls, grams: np.ndarray) -> _Table:
        unique, counts = _count_sorted(np.sort(grams))
        histories, types = _count_sorted(unique >> np.uint64(8))
        totals = np.add.reduceat(counts, np.cumsum(types) - types)
        return cls(unique, counts, histories, totals, types)

    def look_up(self, grams: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """C(h c), C(h) and T(h) of each n-gram; zero where it was never seen."""
        histories = grams >> np.uint64(8)
        where, known = _find(self.histories, histories)
        total, types = np.where(known, self.totals[where], 0), np.where(known, self.types[where], 0)
        where, known = _find(self.grams, grams)
        return np.where(known, self.counts[where], 0), total, types


def _suffix(grams: np.ndarray, order: int) -> np.ndarray:
    """The last `order` symbols of packed 8-grams."""
    return grams & np.uint64(2 ** (8 * order) - 1)


def _count_sorted(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different values of a sorted array and how often each occurs."""
    starts = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
    return values[starts], np.diff(np.append(starts, len(values)))


def _find(table: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Position of each wanted value in a sorted table, and whether it is really there."""
    where = np.minimum(np.searchsorted(table, wanted), len(table) - 1)
    return where, table[where] == wanted


@dataclass(frozen=True)
class NgramFloor:
    """What the character n-gram model of the chosen order makes of the test documents."""

    order: int
    nats: np.ndarray
    """One per test document."""
    validation_bits_per_character: list[float]
    """By order, 1 first: what the choice was made from."""


def ngram_floor(
    training: Sequence[str], validation: Sequence[str], test: Sequence[str], maximum_order: int = 8
) -> NgramFloor:
    """Train on one split, choose the order on another, score the third."""
    model = CharacterNgram(training, maximum_order)
    by_order = model.nats(validation).sum(axis=1) / np.log(2) / sum(map(len, validation))
    order = int(np.argmin(by_order)) + 1
    return NgramFloor(order, model.nats(test)[order - 1], by_order.tolist())
