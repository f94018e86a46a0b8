import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

from corpora.errors import UserError
from corpora.folders import read_manifest
from prompts.models import AnswerModel
from prompts.soft import Layout, ReparameterisedPrompt, ShallowPrompt, deepened, initialise
from prompts.soft.facts import Facts
from prompts.soft.saving import load_prompt, save_prompt
from prompts.verbalizers import LabelWord, of_words

FACTS = Facts(
    templates={"hi": "\nविषय: ", "en": "\nTopic: "},
    languages=("en",),
    verbalizer=of_words(
        ["sports", "health"],
        ["en"],
        [
            LabelWord("sports", "en", "sports", 300, "x", "x", 0.1, 0.7),
            LabelWord("sports", "en", "sports", 310, "y", "y", 0.9, 0.5),
            LabelWord("health", "en", "health", 320, "z", "z", 1.0),
        ],
    ),
    neighbours={"k": 2, "temperature": 0.5},
    calibration="content-free",
    content_free={"en": ("", "something")},
    gamma=0.25,
    seen=("sports",),
    training={"texts per class": 8, "learning_rate": 0.05},
    accuracy={"hi": 0.5},
    evaluated_on="four sentences",
    base_model="user/tiny",
)


def drawn(opened, seed=1, **lengths):
    return initialise(Layout(**lengths), opened, "random", seed=seed)


@pytest.mark.parametrize(
    "lengths", [{"prefix": 3}, {"infix": 2}, {"suffix": 1}, {"prefix": 1, "infix": 2, "suffix": 3}]
)
def test_vectors_and_facts_come_back(answer_model, tmp_path, lengths):
    opened = answer_model()
    prompt = drawn(opened, **lengths)
    save_prompt(tmp_path / "p", prompt, opened, FACTS)
    saved = load_prompt(tmp_path / "p", opened)
    assert saved.prompt.kind == "shallow" and saved.prompt.layout == prompt.layout
    assert torch.equal(saved.prompt.all_vectors(), prompt.all_vectors())
    assert replace(saved.facts, verbalizer=None) == replace(FACTS, verbalizer=None)
    logits = torch.randn(5, 420, generator=torch.Generator().manual_seed(0))
    assert torch.equal(saved.facts.verbalizer.scores(logits), FACTS.verbalizer.scores(logits))
    files = {path.name for path in (tmp_path / "p").iterdir()}
    adapter = {"adapter_config.json", "adapter_model.safetensors"}
    vectors = adapter if list(lengths) == ["prefix"] else {"rosprompt.safetensors"}
    assert files == {"rosprompt.json", "README.md", "manifest.json"} | vectors
    assert read_manifest(tmp_path / "p")["kind"] == "prompt"


def test_reparameterised_prompts_are_folded_and_deep_ones_kept(answer_model, tmp_path):
    opened = answer_model()
    start = drawn(opened, prefix=2)
    folded = ReparameterisedPrompt(start.layout, start.all_vectors(), hidden=4)
    folded.up.bias.data += 0.5
    save_prompt(tmp_path / "folded", folded, opened, FACTS)
    assert list(load_file(tmp_path / "folded" / "adapter_model.safetensors")) == ["prompt_embeddings"]
    back = load_prompt(tmp_path / "folded", opened).prompt
    torch.testing.assert_close(back.all_vectors(), start.all_vectors() + 0.5)

    deep = deepened(start, opened)
    save_prompt(tmp_path / "deep", deep, opened, FACTS)
    assert not (tmp_path / "deep" / "adapter_config.json").exists()
    back = load_prompt(tmp_path / "deep", opened).prompt
    assert back.kind == "deep" and torch.equal(back.deep_states(), deep.deep_states())


def test_saving_twice_gives_the_same_bytes(answer_model, tmp_path):
    for name in ("a", "b"):
        save_prompt(tmp_path / name, drawn(answer_model(), infix=2), answer_model(), FACTS)
    assert read_manifest(tmp_path / "a")["files"] == read_manifest(tmp_path / "b")["files"]


def test_another_model_is_refused(answer_model, tokenizer, tmp_path):
    opened = answer_model()
    save_prompt(tmp_path / "p", drawn(opened, infix=2), opened, FACTS)
    with pytest.raises(
        UserError, match=r"another model \(its weights differ\); open the one it was made for: user/tiny\.$"
    ):
        load_prompt(tmp_path / "p", answer_model("llama", seed=1))
    with pytest.raises(UserError, match="another model .its model_type is llama"):
        load_prompt(tmp_path / "p", answer_model("gpt2"))
    other = PreTrainedTokenizerFast.from_pretrained(saved_tokenizer(tokenizer, tmp_path / "tokenizer"))
    other.add_tokens(["कखग"])
    with pytest.raises(UserError, match="its tokenizer differs"):
        load_prompt(tmp_path / "p", SimpleNamespace(model=opened.model, tokenizer=other))


def saved_tokenizer(tokenizer, folder):
    tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("kind", ["gpt2", "llama", "xglm", "bloom", "gemma3", "mt5"])
def test_the_same_model_read_from_files_is_recognised(answer_model, tokenizer, tmp_path, kind):
    opened = answer_model(kind)
    save_prompt(tmp_path / "p", drawn(opened, infix=1), opened, FACTS)
    opened.model.save_pretrained(tmp_path / "model")
    saved_tokenizer(tokenizer, tmp_path / "model")
    tokenizer("पढ़ा", padding="max_length", max_length=20, truncation=True)  # leaves its mark on the tokenizer
    model = type(opened.model).from_pretrained(tmp_path / "model")
    again = PreTrainedTokenizerFast.from_pretrained(tmp_path / "model")
    load_prompt(tmp_path / "p", AnswerModel(model, again))


def test_widened_weights_are_the_same_weights(make_model, tokenizer, tmp_path):
    narrow = make_model().bfloat16()
    narrow.save_pretrained(tmp_path / "model")
    wide = AutoModelForCausalLM.from_pretrained(tmp_path / "model", dtype=torch.float32)
    opened = AnswerModel(wide, tokenizer)
    save_prompt(tmp_path / "p", drawn(opened, infix=1), opened, FACTS)
    load_prompt(tmp_path / "p", SimpleNamespace(model=narrow, tokenizer=tokenizer))


def test_one_changed_weight_is_noticed(make_model, tokenizer, answer_model, tmp_path):
    save_prompt(tmp_path / "p", drawn(answer_model(), infix=1), answer_model(), FACTS)
    changed = make_model()
    next(changed.parameters()).data[7, 3] += 1e-3
    with pytest.raises(UserError, match="its weights differ"):
        load_prompt(tmp_path / "p", AnswerModel(changed, tokenizer))


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("no folder", "is not a finished prompt folder"),
        ("no facts", "has no sound rosprompt.json"),
        ("half a file", "is not valid JSON"),
        ("later format", "is of format 2, but this Kathalab reads format 1"),
        ("no template", "is damaged"),
        ("unknown kind", "is damaged (there is no kind 'wide')"),
        ("no vectors", "is damaged"),
        ("torn vectors", "is damaged"),
        ("other length", "is damaged (the tensors do not fit the layout)"),
        ("not a number", "is damaged (numbers that are not finite)"),
        ("a pickle", "is damaged"),
    ],
)
def test_damaged_folders_are_one_sentence(answer_model, tmp_path, damage, told):
    opened, folder = answer_model(), tmp_path / "p"
    save_prompt(folder, drawn(opened, infix=2), opened, FACTS)
    facts, vectors = folder / "rosprompt.json", folder / "rosprompt.safetensors"
    content = json.loads(facts.read_text())
    if damage == "no folder":
        shutil.rmtree(folder)
    elif damage == "no facts":
        facts.unlink()
    elif damage == "half a file":
        facts.write_text(facts.read_text()[:200])
    elif damage == "later format":
        facts.write_text(json.dumps(content | {"format": 2}))
    elif damage == "no template":
        del content["templates"]
        facts.write_text(json.dumps(content))
    elif damage == "unknown kind":
        facts.write_text(json.dumps(content | {"kind": "wide"}))
    elif damage == "no vectors":
        vectors.unlink()
    elif damage == "torn vectors":
        vectors.write_bytes(vectors.read_bytes()[:50])
    elif damage == "other length":
        save_file({"infix": torch.zeros(3, 32)}, vectors)
    elif damage == "not a number":
        save_file({"infix": torch.full((2, 32), float("nan"))}, vectors)
    elif damage == "a pickle":
        torch.save({"infix": torch.zeros(2, 32)}, vectors)
    with pytest.raises(UserError) as error:
        load_prompt(folder, opened)
    assert told in str(error.value) and "\n" not in str(error.value)


def test_what_is_not_finite_is_not_saved(answer_model, tmp_path):
    with pytest.raises(UserError, match="not finite"):
        save_prompt(
            tmp_path / "p", ShallowPrompt(Layout(infix=1), torch.full((1, 32), torch.inf)), answer_model(), FACTS
        )
    assert not list(tmp_path.iterdir())


def test_no_paths_and_no_tokens_inside(answer_model, tmp_path):
    secret = "hf_" + "a1B2" * 8
    model = tmp_path / "models" / "mine"
    model.mkdir(parents=True)
    told = {
        "model": str(model),
        "data": [model / "x.tsv", "~/texts"],
        "note": f"used {secret}",
        "other": "C:\\data\\x.tsv",
    }
    facts = replace(FACTS, training=told, base_model=str(model), evaluated_on=f"{tmp_path}/sib200")
    save_prompt(tmp_path / "p", drawn(answer_model(), prefix=1), answer_model(), facts)
    for path in (tmp_path / "p").iterdir():
        content = path.read_bytes().decode(errors="replace")
        assert str(tmp_path) not in content and secret not in content and "C:\\" not in content, path
        assert "~/" not in content
    content = json.loads((tmp_path / "p" / "rosprompt.json").read_text())
    assert content["training"] == {"model": "mine", "data": ["x.tsv", "texts"], "note": "used …", "other": "x.tsv"}
    assert content["base_model"] == "" and content["evaluated_on"] == "sib200"


def test_the_card_tells_what_is_known(answer_model, tmp_path):
    save_prompt(tmp_path / "p", drawn(answer_model(), infix=2), answer_model(), replace(FACTS, base_license="gemma"))
    card = (tmp_path / "p" / "README.md").read_text()
    assert "license: apache-2.0" in card and "base_model: user/tiny" in card and "- hi" in card
    assert "| Trained on texts in | English |" in card and "| Templates in | Hindi, English |" in card
    assert "| learning rate | 0.05 |" in card and "| Hindi | 50.0% |" in card and "on four sentences" in card
    assert "64 trained numbers (shallow, vectors: 2 as infix)" in card
    assert "PEFT cannot express this layout" in card and "its own terms: gemma" in card
    bare = Facts(templates={"hi": "\nविषय: "})
    save_prompt(tmp_path / "q", drawn(answer_model(), prefix=2), answer_model(), bare)
    card = (tmp_path / "q" / "README.md").read_text()
    assert "Not measured." in card and "library_name: peft" in card and "a model without a public name" in card


@pytest.mark.parametrize(("values", "told"), [({"templates": {}}, "template"), ({"accuracy": {"hi": 76.5}}, "share")])
def test_impossible_facts(values, told):
    with pytest.raises(UserError, match=told):
        replace(FACTS, **values)
