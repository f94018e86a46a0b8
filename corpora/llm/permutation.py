"""A seeded permutation of 0 … n-1 that is computed item by item, for drawing without replacement at any size."""

from __future__ import annotations

from hashlib import blake2b

_ROUNDS = 8


class Permutation:
    """A bijection of `range(n)` onto itself: no list is kept, so any part can be computed alone.

    A balanced Feistel network over the smallest even number of bits that holds n - 1, its round function BLAKE2b keyed
    by the seed; a value that falls outside the range goes through the network again until it falls inside (cycle
    walking; Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002). The network's domain is less than
    4 n, so that takes fewer than four passes on average.
    """

    def __init__(self, n: int, seed: int = 0):
        if n < 1:
            raise ValueError(f"a permutation needs at least one item, not {n}")
        self.n = n
        self._half = max(1, ((n - 1).bit_length() + 1) // 2)
        self._mask = (1 << self._half) - 1
        self._keys = [blake2b(f"{seed}/{number}".encode(), digest_size=32).digest() for number in range(_ROUNDS)]

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: int) -> int:
        if not 0 <= index < self.n:
            raise IndexError(f"index {index} is outside 0 … {self.n - 1}")
        value = self._network(index)
        while value >= self.n:
            value = self._network(value)
        return value

    def _network(self, value: int) -> int:
        left, right = value >> self._half, value & self._mask
        for key in self._keys:
            digest = blake2b(right.to_bytes(8, "little"), digest_size=8, key=key).digest()
            left, right = right, left ^ (int.from_bytes(digest, "little") & self._mask)
        return left << self._half | right
