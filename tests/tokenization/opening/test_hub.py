"""Tokenizers by their name on the Hub: a server on 127.0.0.1, then its cache with no server."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import kathalab

READ = """
import json, sys
from corpora.errors import UserError
from tokenization.opening.formats import open_tokenizer
for source in json.loads(sys.stdin.read()):
    try:
        found = open_tokenizer(source)
        ids = found.encode_batch(["राजा"])[0].ids.tolist()
        result = [found.name, found.license, found.published, found.fingerprint, ids]
    except UserError as error:
        result = str(error)
    print("RESULT" + json.dumps(result))
"""
SOURCES = ["katha/plain", "katha/model", "katha/plain@main", "katha/plain@v9", "katha/absent", "katha/weights"]
COMMIT = "0" * 39 + "1"


def read(sources, home, **settings):
    environment = {"HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1", **settings}
    done = subprocess.run(
        [sys.executable, "-c", READ],
        input=json.dumps(sources),
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=100,
        cwd=Path(kathalab.__file__).parent,
    )
    results = [json.loads(line[6:]) for line in done.stdout.splitlines() if line.startswith("RESULT")]
    assert len(results) == len(sources), done.stderr
    return dict(zip(sources, results, strict=True))


@pytest.fixture(scope="module")
def found(folders, tmp_path_factory):
    path = Path(__file__).parents[2] / "tinymodels" / "hub_server.py"
    spec = importlib.util.spec_from_file_location("hub_server", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    home = tmp_path_factory.mktemp("home")
    with module.running_hub() as server:
        server.repositories |= {
            "katha/plain": {
                "README.md": b"---\nlicense: apache-2.0\n---\n",
                "tokenizer.json": (folders["bytelevel-bpe"] / "tokenizer.json").read_bytes(),
                "tokenization_evil.py": b"raise SystemExit",
            },
            "katha/model": {"tokenizer.model": (folders["sentencepiece-bpe"] / "tokenizer.model").read_bytes()},
            "katha/weights": {"pytorch_model.bin": b"\x80\x04."},
        }
        online = read(SOURCES, home, HF_ENDPOINT=server.url, HF_HUB_OFFLINE="0")
        asked = {path for _, path in server.requests}
    offline = read(["katha/plain", "katha/model", "katha/other"], home, HF_HUB_OFFLINE="1")
    return online, offline, asked


def test_a_tokenizer_of_the_hub_is_opened_at_its_commit(found, tokenizers):
    online, offline, asked = found
    name, license, published, fingerprint, ids = online["katha/plain"]
    assert (name, license, published) == ("plain", "apache-2.0", True)
    assert fingerprint.endswith("@" + COMMIT) and len(fingerprint) == 64 + 1 + 40
    assert ids == tokenizers["bytelevel-bpe"].encode("राजा", add_special_tokens=False)
    assert online["katha/plain@main"] == online["katha/plain"] == offline["katha/plain"]
    assert online["katha/model"][0] == "model" and offline["katha/model"] == online["katha/model"]
    assert not [path for path in asked if path.endswith((".py", ".bin"))]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("katha/plain@v9", "'katha/plain' has no revision 'v9'"),
        ("katha/absent", "the Hub shows no model 'katha/absent'"),
        ("katha/weights", "'katha/weights' holds no tokenizer that is known here"),
    ],
)
def test_what_is_not_there_is_one_sentence(found, source, said):
    assert said in found[0][source] and "\n" not in found[0][source]


def test_offline_is_one_sentence(found):
    assert "'katha/other' is not in the Hub's cache and the Hub cannot be reached" in found[1]["katha/other"]
