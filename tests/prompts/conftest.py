import json

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from tokenizers.trainers import BpeTrainer
from transformers import (
    AutoModelForCausalLM,
    BloomConfig,
    GPT2Config,
    LlamaConfig,
    PreTrainedTokenizerFast,
    XGLMConfig,
)

from corpora.folders import new_folder, write_manifest
from corpora.stories import Story, write_split
from prompts.verbalizers import Names

SENTENCES = {
    "friendship": "मीरा और राजू पक्के दोस्त थे। दोनों साथ खेलते थे।",
    "courage": "छोटी चिड़िया डरी नहीं। उसने साहस से उड़ान भरी।",
    "honesty": "रवि ने सच बोला। ईमानदारी से उसका मन हल्का हुआ।",
    "sharing": "गीता ने अपनी रोटी सबमें बाँटी। सब खुश हुए।",
}
THEMES = Names(
    "hi",
    "\n\nयह कहानी किस बारे में है: ",
    {"friendship": ("दोस्ती", "मित्रता"), "courage": ("साहस",), "honesty": ("ईमानदारी", "सच्चाई"), "sharing": ("बाँटना",)},
    ("", "…", "कुछ"),
)


@pytest.fixture(scope="session")
def tokenizer():
    """BPE over ▁-marked words with byte fallback and BOS, like those of Kathalab."""
    bpe = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True))
    bpe.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never", split=True)
    bpe.decoder = decoders.Metaspace(prepend_scheme="never")
    specials = ["<unk>", "<s>", "</s>", "<pad>", *(f"<0x{byte:02X}>" for byte in range(256))]
    text = [*SENTENCES.values(), THEMES.template, "a b c"]
    bpe.train_from_iterator(text, BpeTrainer(vocab_size=420, special_tokens=specials, show_progress=False))
    bpe.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe, unk_token="<unk>", bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )


@pytest.fixture(scope="session")
def build_model(tokenizer):
    """A function that makes a tiny random model; weights are scaled so that attention depends on the text."""

    def build(kind="llama", context=256, seed=0):
        size = {"vocab_size": len(tokenizer), "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 3}
        config = {
            "llama": lambda: LlamaConfig(
                hidden_size=32,
                intermediate_size=64,
                num_hidden_layers=2,
                num_attention_heads=2,
                max_position_embeddings=context,
                **size,
            ),
            "gpt2": lambda: GPT2Config(n_embd=32, n_layer=2, n_head=2, n_positions=context, **size),
            "bloom": lambda: BloomConfig(hidden_size=32, n_layer=2, n_head=2, **size),
            "xglm": lambda: XGLMConfig(
                d_model=32, ffn_dim=64, num_layers=2, attention_heads=2, max_position_embeddings=context, **size
            ),
        }[kind]()
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_config(config).eval()
        for parameter in model.parameters():
            parameter.data *= 4 if parameter.ndim > 1 else 1
        return model

    return build


@pytest.fixture(scope="session")
def model_folder(build_model, tokenizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    build_model().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def write_corpus(folder, stories_per_theme=(6, 4), prompt=lambda theme: json.dumps({"plot": "p", "theme": theme})):
    """A corpus of Hindi stories: so many per theme in train and test."""
    with new_folder(folder) as partial:
        for split, count in zip(("train", "test"), stories_per_theme, strict=True):
            stories = [
                Story(
                    id=f"{split}-{theme}-{number}",
                    language="hi",
                    text=f"{text} {'वह हँसा। ' * number}".strip(),
                    source="test",
                    group=f"{split}-{theme}-{number}",
                    prompt=prompt(theme),
                )
                for theme, text in SENTENCES.items()
                for number in range(count)
            ]
            write_split(partial, split, stories)
        write_manifest(partial, "corpus", {})
    return folder


@pytest.fixture
def corpus(tmp_path):
    return write_corpus(tmp_path / "corpus")


@pytest.fixture
def sib200(tmp_path):
    """Two topics in Hindi and English, six sentences per split; one text holds a quote that opens and never closes."""
    rows = [
        ("sports", 'टीम ने "मैच जीता।', 'The team won "the match.'),
        ("health", "डॉक्टर ने दवा दी।", "The doctor came."),
    ]
    for folder, column in (("hin_Deva", 1), ("eng_Latn", 2)):
        place = tmp_path / "sib200" / folder
        place.mkdir(parents=True)
        for split in ("train", "test"):
            lines = [f"{i}\t{rows[i % 2][0]}\t{rows[i % 2][column]} {i}" for i in range(6)]
            place.joinpath(f"{split}.tsv").write_text("\n".join(["index_id\tcategory\ttext", *lines]) + "\n")
    return tmp_path / "sib200"


@pytest.fixture
def themes():
    return THEMES


@pytest.fixture
def sentences():
    return list(SENTENCES.values())


@pytest.fixture
def make_corpus():
    return write_corpus
