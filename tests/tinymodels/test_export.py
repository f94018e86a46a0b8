"""The exported folder opens in plain transformers and is the model that was trained."""

import json
import re
import shutil

import pytest
import torch

import kathalab
from tinymodels.checkpoints import list_checkpoints, load

PROMPT = "एक राजा था"


def test_plain_transformers_gives_the_same_logits(finished, model, tokenizer):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from tinymodels.module import StoryModel
    from tokenization import load_tokenizer

    checkpoint = load(list_checkpoints(finished)[-1])
    trained = StoryModel(parameters=60_000, vocabulary_size=340, context=16)
    trained.load_state_dict(checkpoint["state_dict"])
    exported = AutoModelForCausalLM.from_pretrained(model)
    assert type(exported).__name__ == "LlamaForCausalLM"
    ids = AutoTokenizer.from_pretrained(model)(PROMPT, return_tensors="pt").input_ids
    assert ids.tolist() == load_tokenizer(tokenizer)(PROMPT, return_tensors="pt").input_ids.tolist()
    with torch.no_grad():
        torch.testing.assert_close(exported(ids).logits, trained(ids), rtol=1e-5, atol=1e-5)


def test_the_folder_holds_what_was_promised(model):
    names = {path.name for path in model.iterdir()}
    assert names == {
        "LICENSE",
        "README.md",
        "config.json",
        "generation_config.json",
        "manifest.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer.model",
        "tokenizer_config.json",
    }
    config = json.loads((model / "config.json").read_text())
    assert config["architectures"] == ["LlamaForCausalLM"] and config["tie_word_embeddings"] is True
    assert "auto_map" not in config and config["max_position_embeddings"] == 16
    generation = json.loads((model / "generation_config.json").read_text())
    assert (generation["bos_token_id"], generation["eos_token_id"], generation["pad_token_id"]) == (1, 2, 3)
    assert generation["do_sample"] is True and generation["temperature"] == 0.8
    assert "Apache License" in (model / "LICENSE").read_text()
    manifest = json.loads((model / "manifest.json").read_text())
    assert manifest["kind"] == "model" and set(manifest["inputs"]) == {"corpus", "tokenizer", "checkpoint"}
    assert manifest["licenses"] == ["CC0-1.0"]
    assert manifest["sources"] == [
        {"source": "salad", "license": "CC0-1.0", "stories": 60, "attributions": ["the cook"]}
    ]


def test_generation_stops_at_the_end_of_a_story(model):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    opened, tokens = AutoModelForCausalLM.from_pretrained(model), AutoTokenizer.from_pretrained(model)
    written = opened.generate(tokens(PROMPT, return_tensors="pt").input_ids, do_sample=False)
    assert written.shape[1] <= 16 + 10


def test_exporting_again_gives_the_same_files(finished, model, tmp_path):
    assert kathalab.main(["tinymodels", "export", str(finished), f"--output={tmp_path / 'tiny'}"]) == 0
    for name in ("model.safetensors", "config.json", "tokenizer.json", "README.md"):
        assert (tmp_path / "tiny" / name).read_bytes() == (model / name).read_bytes()


def test_a_run_without_checkpoint_and_a_swapped_tokenizer_are_refused(finished, make, tmp_path, capsys):
    assert kathalab.main(["tinymodels", "export", str(tmp_path), f"--output={tmp_path / 'out'}"]) == 1
    assert "there is no checkpoint" in capsys.readouterr().err
    run = shutil.copytree(finished, tmp_path / "run")
    shutil.rmtree(run / "tokenizer")
    make.tokenizer(run / "tokenizer", make.corpus(tmp_path / "corpus", train=40), 330)
    assert kathalab.main(["tinymodels", "export", str(run), f"--output={tmp_path / 'out'}"]) == 1
    assert "not the one this run was trained with" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_sampling_is_seeded_and_starts_with_the_prompt(model, tmp_path, capsys):
    def sample(seed: int) -> str:
        output = tmp_path / f"{seed}.json"
        arguments = ["sample", str(model), "--prompt", PROMPT, "--stories=2", f"--seed={seed}", f"--output={output}"]
        assert kathalab.main(["tinymodels", *arguments]) == 0
        stories = [row["story"] for row in json.loads(output.read_text())]
        assert len(stories) == 2 and all(story.startswith(PROMPT) for story in stories)
        printed = capsys.readouterr().out
        assert stories[0] in printed and printed.splitlines()[-1].startswith("2 stories by")
        return printed.replace(str(output), "")

    assert sample(1) == sample(1) != sample(2)


def test_sampled_stories_are_held_to_script_words_and_length(model, tmp_path, capsys):
    def sample(*options: str) -> list[str]:
        output = tmp_path / "stories.json"
        arguments = ["--stories=5", "--longest=15", f"--output={output}", *options]
        assert kathalab.main(["tinymodels", "sample", str(model), *arguments]) == 0
        return [row["story"] for row in json.loads(output.read_text())]

    for story in sample("--script=hi", "--words=[राजा|राजे]", "--length=10", "--batch-size=2"):
        assert "राजा" in story or "राजे" in story
        assert not re.search(r"[A-Za-z\ufffd]", story)
    plain = sample("--batch-size=2")
    assert plain == sample("--batch-size=64")
    for option in ("--top-k=1", "--min-p=1", "--top-p=0"):
        assert len(set(sample(option))) == 1  # nothing is left to chance
    assert sample("--repetition-penalty=1.5") != plain


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--script=xx"], "language 'xx' is not known"),
        (["--script=hi", "--words=[king]"], "the required word 'king'"),
        (["--length=300"], "target of 300 tokens is beyond"),
        (["--temperature=0", "--top-k=3"], "top-k"),
    ],
)
def test_sampling_options_that_contradict_each_other_are_refused(model, capsys, options, told):
    assert kathalab.main(["tinymodels", "sample", str(model), *options]) == 1
    error = capsys.readouterr().err
    assert told in error and "Traceback" not in error and error.rstrip().endswith(".")


def test_sampling_refuses_what_is_no_model(tmp_path, capsys):
    for name in (str(tmp_path), str(tmp_path / "nothing")):
        assert kathalab.main(["tinymodels", "sample", name]) == 1
        told = capsys.readouterr().err
        assert name in told and "Traceback" not in told


@pytest.mark.parametrize("size", [330, 360])
def test_a_tokenizer_that_is_not_the_models_is_refused(model, make, corpus, tmp_path, capsys, size):
    mixed = shutil.copytree(model, tmp_path / "mixed")
    make.tokenizer(tmp_path / "other", corpus, size)
    shutil.copyfile(tmp_path / "other" / "tokenizer.json", mixed / "tokenizer.json")
    assert kathalab.main(["tinymodels", "sample", str(mixed)]) == 1
    told = capsys.readouterr().err
    assert "tokenizer" in told and "Traceback" not in told


def test_a_tokenizer_of_the_same_size_but_other_pieces_is_refused(model, make, tmp_path, capsys):
    mixed = shutil.copytree(model, tmp_path / "mixed")
    text = (mixed / "tokenizer.json").read_text()
    (mixed / "tokenizer.json").write_text(text.replace('"▁राजा"', '"▁राज्य"'))
    assert (mixed / "tokenizer.json").read_text() != text
    assert kathalab.main(["tinymodels", "sample", str(mixed)]) == 1
    assert "not the one the model was exported with" in capsys.readouterr().err
