"""A tokenizer that cuts as a test says."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from tokenization.opening.tokenizer import Encoded, Tokenizer


@dataclass(frozen=True, kw_only=True)
class Scripted(Tokenizer):
    """`cuts`: text -> [(piece, start, end), …]; ids in the order of first appearance, from 1 on."""

    cuts: dict[str, list[tuple[str | bytes, int, int]]] = field(hash=False)

    @classmethod
    def of(cls, cuts, **facts):
        pieces = {piece for cut in cuts.values() for piece, _, _ in cut}
        described = {"kind": "test", "vocabulary_size": len(pieces) + 1, "byte_level": True, "fingerprint": ""}
        return cls(name="scripted", cuts=cuts, **{**described, **facts})

    def pieces(self):
        named = dict.fromkeys(piece for cut in self.cuts.values() for piece, _, _ in cut)
        return [b"<unk>", *(piece.encode() if isinstance(piece, str) else piece for piece in named)]

    def encode_batch(self, texts):
        numbers = {piece: number for number, piece in enumerate(self.pieces())}
        found = []
        for text in texts:
            cut = [(p.encode() if isinstance(p, str) else p, s, e) for p, s, e in self.cuts[text]]
            columns = np.array([(numbers[p], s, e) for p, s, e in cut], dtype=np.int32).reshape(-1, 3).T
            found.append(Encoded(*columns))
        return found

    def decode(self, ids):
        pieces = self.pieces()
        return b"".join(pieces[number] for number in ids).decode(errors="replace")


@pytest.fixture(scope="session")
def scripted():
    """cuts -> Tokenizer."""
    return Scripted.of
