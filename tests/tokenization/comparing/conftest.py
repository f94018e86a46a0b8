"""A comparison of three tokenizers, made by hand."""

from __future__ import annotations

from typing import Any

import pytest

SENTENCES = {
    "hi": [
        "एक दिन क्षमा ने कहा, “स्त्री की पुस्तक १२ पन्नों की है।”",
        "उसने ज़ोर से हँसकर राष्ट्रीय विद्यालय का दरवाज़ा खोला और </script><b>भागी</b>।",
        "लोमड़ी ने कौवे से कहा कि तुम्हारा गीत बहुत मीठा है 🙂 सचमुच!",
    ],
    "bn": [
        "একদিন ক্ষুদ্র পাখিটি স্ত্রীর কাছে গিয়ে বলল, “র‍্যাকেট ১২টি।”",
        "রাষ্ট্রীয় বিদ্যালয়ের দরজা খুলে সে হঠাৎ হেসে উঠল </script>।",
        "শেয়াল কাককে বলল, তোমার গান খুব মিষ্টি 🙂 সত্যিই!",
    ],
}
DEFINITIONS = {
    "fertility": ("Fertility", "tokens / whitespace-separated words", "Ács 2019", "lower", "number", "running text"),
    "characters_per_token": ("Characters per token", "code points / tokens", "", "higher", "number", "running text"),
    "akshara_splitting_rate": ("Aksharas split", "cuts in aksharas / cuts", "", "lower", "percent", "running text"),
    "round_trip_rate": ("Exact round trip", "texts that come back / texts", "", "higher", "percent", "running text"),
    "dead": ("Dead ids", "ids never used & <never>", "", "", "whole", "vocabulary"),
    "boundary_f1": ("Boundary F1", "2PR / (P + R)", "", "higher", "percent", "morphology"),
    "encode_speed": ("Encoding, characters per second", "code points / seconds", "", "higher", "whole", "speed"),
}


def measured(value: float, width: float = 0.01) -> dict[str, float]:
    return {"value": value, "low": value - width, "high": value + width}


def _words(sentence: str) -> list[list[int]]:
    """A piece for every word, the space before it included."""
    ends = [at for at, character in enumerate(sentence) if character == " " and at] + [len(sentence)]
    return [[start, end] for start, end in zip([0, *ends], ends, strict=False)]


def _bytes(sentence: str) -> list[list[int]]:
    return [[at, at + 1] for at, character in enumerate(sentence) for _ in character.encode()]


def build(language: str) -> dict[str, Any]:
    """A whole comparison: words (published), characters, bytes (not probed)."""
    sentences = SENTENCES[language]
    texts = ("test", "katha72")

    def entry(name: str, kind: str, size: int, fertility: float, split: float, **more: Any) -> dict[str, Any]:
        return {
            "name": name,
            "kind": kind,
            "vocabulary_size": size,
            "published": False,
            "byte_level": False,
            "license": "Apache-2.0",
            "fingerprint": name * 8,
            "measures": {
                "fertility": measured(fertility),
                "characters_per_token": measured(5.2 / fertility),
                "akshara_splitting_rate": measured(split, 0.0),
                "round_trip_rate": {"value": 1.0, "low": None, "high": None},
                "dead": {"value": size // 7, "low": None, "high": None},
                "boundary_f1": {"value": None, "low": None, "high": None},
                "encode_speed": measured(1_234_567.0, 10_000.0),
            },
            "scripts": {"Devanagari": size // 2, "Bengali": 0, "Latin": size // 4, "other": 0, "bytes": 256, "none": 9},
            **more,
        }

    def probe(bits: float, share: float, difference: float | None, p: float = 0.0004) -> dict[str, Any]:
        change = None
        if difference is not None:
            change = {text: {**measured(difference, 0.008), "p": p / 2, "p_holm": p} for text in texts}
        return {
            "parameters": 1_000_000,
            "embedding_parameters": int(share * 1_000_000),
            "other_parameters": 1_000_000 - int(share * 1_000_000),
            "feed_forward_width": 192,
            "training_characters": 3_000_000,
            "training_tokens": 700_000,
            "flops": 4.2e12,
            "texts": {
                text: {
                    "bits_per_character": measured(bits + 0.3 * at),
                    "bits_per_akshara": measured(2 * bits),
                    "by_seed": [bits, bits, bits],
                }
                for at, text in enumerate(texts)
            },
            "difference": change,
            "generation": {"rep_4": measured(0.02), "words": measured(120.0, 4.0)},
        }

    return {
        "title": f"Tokenizers compared: {language}",
        "setup": {
            "languages": [language],
            "corpus": "f" * 64,
            "split": "test",
            "documents": 120,
            "characters": 90_000,
            "texts": [
                {"name": "test", "what": "held-out stories", "documents": 120, "characters": 90_000},
                {"name": "katha72", "what": "72 stories for children", "documents": 72, "characters": 40_000},
            ],
            "reference": "characters",
            "probe": {"width": 128, "parameters": 1_000_000, "seeds": [0, 1, 2]},
        },
        "definitions": {
            name: dict(zip(("title", "formula", "source", "better", "style", "group"), values, strict=True))
            for name, values in DEFINITIONS.items()
        },
        "tokenizers": [
            entry("words-8k", "bpe", 8192, 1.3, 0.051, published=True, probe=probe(1.423, 0.8, -0.09)),
            entry("characters", "characters", 512, 5.2, 0.482, probe=probe(1.513, 0.1, None)),
            entry("by|tes<b>", "bytes", 260, 13.25, 0.7, byte_level=True, probe={"skipped": "too large for 1 M."}),
        ],
        "ranking": {
            "text": "test",
            "order": ["words-8k", "characters"],
            "best": "words-8k",
            "tied": [],
            "sentence": "Use words-8k: 0.090 bits per character below characters (p < 0.001).",
        },
        "curve": {
            "kind": "sentencepiece-bpe",
            "points": [
                {
                    "name": f"bpe-{size}",
                    "vocabulary_size": size,
                    "embedding_share": share,
                    "bits_per_character": measured(bits),
                }
                for size, share, bits in (
                    (1024, 0.1, 1.52),
                    (2048, 0.2, 1.47),
                    (4096, 0.35, 1.44),
                    (8192, 0.6, 1.45),
                    (16384, 0.9, 1.55),
                )
            ],
            "optimum": {
                "vocabulary_size": {"value": 5000.0, "low": 3500.0, "high": 7000.0},
                "sentence": "Near 5,000 pieces.",
            },
        },
        "prediction": [
            {"measure": "fertility", "spearman": {"value": 0.5, "low": -0.2, "high": 0.9}, "tokenizers": 9},
            {
                "measure": "characters_per_token",
                "spearman": {"value": -0.7, "low": -0.95, "high": -0.3},
                "tokenizers": 9,
            },
        ],
        "explorer": {
            "sentences": sentences,
            "cuts": {
                "words-8k": [_words(sentence) for sentence in sentences],
                "characters": [[[at, at + 1] for at in range(len(sentence))] for sentence in sentences],
                "by|tes<b>": [_bytes(sentence) for sentence in sentences],
            },
        },
    }


@pytest.fixture
def comparison() -> dict[str, Any]:
    return build("hi")


@pytest.fixture
def comparisons() -> list[dict[str, Any]]:
    return [build("hi"), build("bn")]
