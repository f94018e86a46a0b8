"""Publishing, end to end against a server that speaks the Hub's routes, in a process that can reach nothing else."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import kathalab

SENTINEL = "hf_sentinelTokenThatMustNotLeak"

PUSH_AND_OPEN = """
import json, os, socket, sys
from urllib.parse import urlsplit
here = urlsplit(os.environ["HF_ENDPOINT"])
elsewhere = []
connect = socket.socket.connect
def guarded(self, address, *rest):
    if isinstance(address, tuple) and address[:2] != (here.hostname, here.port):
        elsewhere.append(str(address))
        raise OSError("network is blocked")
    return connect(self, address, *rest)
socket.socket.connect = guarded
import kathalab
code = kathalab.main(["tinymodels", "publish", sys.argv[1], "--repo", "user/tiny-hi"])
result = {"code": code, "elsewhere": elsewhere}
if code == 0:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    tokenizer = AutoTokenizer.from_pretrained("user/tiny-hi")
    ids = tokenizer("एक राजा था", return_tensors="pt").input_ids
    with torch.no_grad():
        result["logits"] = AutoModelForCausalLM.from_pretrained("user/tiny-hi")(ids).logits.flatten().tolist()
    result["ids"] = ids[0].tolist()
print("RESULT" + json.dumps(result))
"""


@pytest.fixture
def hub():
    path = Path(__file__).with_name("hub_server.py")
    spec = importlib.util.spec_from_file_location("hub_server", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with module.running_hub() as server:
        yield server


def push_and_open(hub, model: Path, home: Path):
    """Publish in a fresh process; its result, and everything it printed."""
    settings = {
        "HF_ENDPOINT": hub.url,
        "HF_TOKEN": SENTINEL,
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_OFFLINE": "0",
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", PUSH_AND_OPEN, str(model)],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=Path(kathalab.__file__).parent,
    )
    line = next((line for line in done.stdout.splitlines() if line.startswith("RESULT")), None)
    assert line, done.stderr
    return json.loads(line.removeprefix("RESULT")), done.stdout + done.stderr


def test_what_was_pushed_opens_from_the_hub_with_the_same_logits(hub, model, tmp_path):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    (model / "left-behind.ckpt").write_bytes(b"a pickle")
    try:
        result, printed = push_and_open(hub, model, tmp_path / "home")
    finally:
        (model / "left-behind.ckpt").unlink()
    assert result["code"] == 0, printed
    assert result["elsewhere"] == []
    assert f"files were uploaded; the model is at {hub.url}/user/tiny-hi." in printed

    files = hub.repositories["user/tiny-hi"]
    assert {"model.safetensors", "config.json", "tokenizer.json", "README.md", "LICENSE", "manifest.json"} <= set(files)
    assert not [name for name in files if name.endswith((".ckpt", ".pt", ".pkl", ".bin"))]
    assert files["model.safetensors"] == (model / "model.safetensors").read_bytes()
    assert ("POST", "/api/repos/create") in hub.requests
    assert ("POST", "/api/models/user/tiny-hi/commit/main") in hub.requests

    ids = AutoTokenizer.from_pretrained(model)("एक राजा था", return_tensors="pt").input_ids
    assert result["ids"] == ids[0].tolist()
    with torch.no_grad():
        here = AutoModelForCausalLM.from_pretrained(model)(ids).logits.flatten()
    torch.testing.assert_close(torch.tensor(result["logits"]), here, rtol=0, atol=1e-5)

    # the token went to the Hub and nowhere else
    assert hub.tokens == {SENTINEL}
    assert SENTINEL not in printed
    for path in [*model.rglob("*"), *(tmp_path / "home").rglob("*")]:
        assert not path.is_file() or SENTINEL.encode() not in path.read_bytes(), path


@pytest.fixture
def publish_here(hub, model, monkeypatch, capsys):
    """Publish in this process, which may then only meet refusals; gives the exit code and what stood on stderr."""
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_TOKEN", SENTINEL)

    def publish(endpoint: str):
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", endpoint)
        code = kathalab.main(["tinymodels", "publish", str(model), "--repo", "user/tiny-hi"])
        return code, capsys.readouterr().err

    return publish


@pytest.mark.parametrize(("status", "told"), [(401, "does not accept the token"), (403, "may not write")])
def test_refusals_of_the_hub_are_one_sentence(hub, publish_here, status, told):
    hub.refuse_with = status
    code, printed = publish_here(hub.url)
    assert code == 1
    assert told in printed and "Traceback" not in printed and SENTINEL not in printed
    assert hub.repositories == {}


def test_an_unreachable_hub_is_one_sentence(publish_here):
    code, printed = publish_here("http://127.0.0.1:9")
    assert code == 1
    assert "cannot be reached" in printed and "Traceback" not in printed


def test_dry_run_uploads_nothing_and_lists_the_files(model, capsys):
    assert kathalab.main(["tinymodels", "publish", str(model), "--repo", "user/x", "--dry_run"]) == 0
    printed = capsys.readouterr()
    assert "would upload model.safetensors" in printed.err
    assert printed.out.splitlines()[-1].startswith("nothing was uploaded")


def test_a_changed_file_is_refused(model, tmp_path, capsys):
    import shutil

    changed = shutil.copytree(model, tmp_path / "changed")
    (changed / "config.json").write_text("{}")
    assert kathalab.main(["tinymodels", "publish", str(changed), "--repo", "user/x", "--dry_run"]) == 1
    assert "config.json" in capsys.readouterr().err
