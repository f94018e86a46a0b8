import importlib.util
import json
import pickle
from pathlib import Path

import pytest

import kathalab
from corpora.errors import UserError
from corpora.folders import read_manifest
from prompts.soft import Layout, initialise
from prompts.soft.facts import Facts
from prompts.soft.publishing import local_folder
from prompts.soft.saving import load_prompt, save_prompt

TOKEN = "hf_sentinelTokenThatMustNotLeak"


@pytest.fixture
def prompt(answer_model, tmp_path):
    facts = Facts(templates={"hi": "\nविषय: "}, languages=("en",), training={"learning_rate": 0.05})
    place = tmp_path / "prompt"
    save_prompt(place, initialise(Layout(prefix=3), answer_model(), "random", seed=1), answer_model(), facts)
    return place


def run(*arguments):
    return kathalab.main(["prompts", *map(str, arguments)])


def test_export_adds_what_others_have_to_know(prompt, answer_model, tmp_path, capsys):
    output = tmp_path / "out"
    told = [
        "--base-model=user/tiny",
        "--base-license=gemma",
        "--accuracy={hi: 0.5, mr: 0.25}",
        "--evaluated-on=SIB-200",
    ]
    assert run("export", prompt, "--output", output, *told) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == f"Exported 96 trained numbers with their card; the prompt is in {output}."
    card = (output / "README.md").read_text()
    assert "base_model: user/tiny" in card and "| Marathi | 25.0% |" in card and "on SIB-200" in card
    assert "| learning rate | 0.05 |" in card  # what was known stays
    assert json.loads((output / "adapter_config.json").read_text())["base_model_name_or_path"] == "user/tiny"
    assert (output / "adapter_model.safetensors").read_bytes() == (prompt / "adapter_model.safetensors").read_bytes()
    assert load_prompt(output, answer_model()).facts.accuracy == {"hi": 0.5, "mr": 0.25}
    assert json.loads((prompt / "rosprompt.json").read_text())["base_model"] == ""  # the source is as it was


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--accuracy={hi: 76.5}"], "a share between 0 and 1"),
        (["--base-model=."], "is a folder of this machine"),
        (["--accuracy=high"], "accuracy"),
    ],
)
def test_export_refuses(prompt, tmp_path, capsys, options, told):
    assert run("export", prompt, "--output", tmp_path / "out", *options) != 0
    error = capsys.readouterr().err
    assert told in error and "Traceback" not in error
    assert not (tmp_path / "out").exists()


def test_a_changed_prompt_is_neither_exported_nor_published(prompt, tmp_path, capsys):
    (prompt / "adapter_model.safetensors").write_bytes(b"")
    assert run("export", prompt, "--output", tmp_path / "out") == 1
    assert run("publish", prompt, "--repo", "user/x", "--dry-run") == 1
    assert capsys.readouterr().err.count("is not as it was written") == 2


def test_dry_run_lists_the_prompts_files_and_no_others(prompt, capsys):
    (prompt / "notes.txt").write_text("mine")
    assert run("publish", prompt, "--repo", "user/x", "--dry-run") == 0
    printed = capsys.readouterr()
    assert "would upload adapter_model.safetensors" in printed.err and "notes.txt" not in printed.err
    assert printed.out.splitlines()[-1].startswith("Nothing was uploaded: 5 files")


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A Hub on this machine, and the only one that this process knows."""
    import huggingface_hub.constants

    path = Path(__file__).parents[2] / "tinymodels" / "hub_server.py"
    spec = importlib.util.spec_from_file_location("hub_server", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with module.running_hub() as server:
        settings = {
            "HF_HUB_OFFLINE": False,
            "HF_HUB_DISABLE_XET": True,
            "HF_HUB_CACHE": str(tmp_path / "cache"),
            "ENDPOINT": server.url,
            "HUGGINGFACE_CO_URL_TEMPLATE": server.url + "/{repo_id}/resolve/{revision}/{filename}",
        }
        for name, value in settings.items():
            monkeypatch.setattr(huggingface_hub.constants, name, value)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield server


def test_what_was_published_opens_from_the_hub(hub, prompt, answer_model, capsys):
    (prompt / "model.pkl").write_bytes(pickle.dumps("a pickle"))
    assert run("publish", prompt, "--repo", "user/topics") == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines()[-1] == f"5 files were uploaded; the prompt is at {hub.url}/user/topics."
    assert TOKEN not in printed.out + printed.err
    files = hub.repositories["user/topics"]
    assert set(read_manifest(prompt)["files"]) | {"manifest.json"} <= set(files) and "model.pkl" not in files
    back = load_prompt(local_folder("user/topics"), answer_model())
    assert (back.prompt.all_vectors() - load_prompt(prompt, answer_model()).prompt.all_vectors()).abs().max() == 0
    with pytest.raises(UserError, match="'user/absent' cannot be had"):
        local_folder("user/absent")


@pytest.mark.parametrize("command", ["export", "publish"])
def test_help_says_what_is_read_and_written_and_gives_an_example(command, capsys):
    assert run(command, "--help") == 0
    text = capsys.readouterr().out
    assert "Reads a " in text and "rites " in text and f"Example: kathalab prompts {command} " in text
