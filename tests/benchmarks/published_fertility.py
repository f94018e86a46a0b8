"""Fertility and round trip of the published vocabularies on FLORES, beside the figures published for its 997 lines.

Run: python tests/benchmarks/published_fertility.py DATA   (DATA/flores/{en,hi,mr,bn}.txt; kathalab tokenization unpack)
"""

import sys
import unicodedata
from pathlib import Path

from tokenization.opening.formats import open_tokenizer
from tokenization.opening.published import unpacked, vocabularies_folder

PUBLISHED = {
    "r50k": (7.796, 11.104, 13.253),
    "cl100k": (5.035, 7.191, 8.142),
    "o200k": (1.635, 2.567, 2.348),
    "tekken": (1.929, 3.138, 2.754),
    "llama-3": (2.656, 3.969, 8.083),
    "qwen-3": (4.743, 6.682, 7.073),
    "gemma-3": (1.383, 1.990, 1.673),
    "rwkv": (4.397, 6.299, 7.388),
    "akshara": (1.362, 2.782, 1.667),
}
"""hi, mr, bn; tokens per whitespace word of all 997 NFC lines of FLORES-200 dev, measured before with other code."""


def main(data: Path) -> None:
    lines = {code: (data / f"flores/{code}.txt").read_text("utf-8").splitlines() for code in ("en", "hi", "mr", "bn")}
    print("| tokenizer | ids | en | hi | mr | bn | off, hi/mr/bn, % | exact, raw en/hi/mr/bn |\n" + "|---" * 8 + "|")
    for name in unpacked(vocabularies_folder()):
        tokenizer = open_tokenizer(f"published:{name}")
        found, exact = {}, []
        for code, raw in lines.items():
            texts = [unicodedata.normalize("NFC", line) for line in raw]
            tokens = sum(len(encoded.ids) for encoded in tokenizer.encode_batch(texts))
            found[code] = tokens / sum(len(text.split()) for text in texts)
            encoded = tokenizer.encode_batch(raw)
            exact.append(sum(tokenizer.decode(e.ids.tolist()) == line for e, line in zip(encoded, raw, strict=True)))
        off = [
            f"{100 * (found[code] / known - 1):+.1f}"
            for code, known in zip(("hi", "mr", "bn"), PUBLISHED.get(name, ()), strict=False)
        ]
        fertilities = " | ".join(f"{found[code]:.3f}" for code in lines)
        exactly = "/".join(f"{count}" for count in exact)
        print(f"| {name} | {tokenizer.vocabulary_size:,} | {fertilities} | {' '.join(off)} | {exactly} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
