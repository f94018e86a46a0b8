"""A real small model behind `transformers serve`, which KATHALAB_LLM names as a folder (see the class's docstring)."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

from corpora.errors import UserError
from corpora.llm.endpoint import Endpoint
from corpora.sources import Llm

PLAIN = "{{ bos_token }}{{ messages[-1]['content'] }}\n\n"
"""For a base model, which knows no roles: the prompt, and then whatever the model writes on."""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Base URL and name of the model, which serves until the tests are over."""
    model = Path(os.environ["KATHALAB_LLM"]).resolve()
    folder = tmp_path_factory.mktemp("served") / model.name
    folder.mkdir()
    for file in model.iterdir():
        (folder / file.name).symlink_to(file)
    if not (folder / "chat_template.jinja").exists():
        (folder / "chat_template.jinja").write_text(PLAIN)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = "import sys; from transformers.cli.transformers import main; sys.argv[1:1] = ['serve']; main()"
    command = [sys.executable, "-c", code, str(folder), "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    log = open(folder.parent / "log", "w+")  # noqa: SIM115 - open as long as the server
    server = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "HF_HUB_OFFLINE": "1"})
    try:
        for _ in range(180):
            assert server.poll() is None, Path(log.name).read_text()[-2000:]
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2)
                break
            except OSError:
                time.sleep(1)
        yield f"http://127.0.0.1:{port}/v1", str(folder)
    finally:
        server.terminate()
        server.wait(30)


@pytest.mark.real
def test_every_answer_of_a_real_model_gets_a_verdict(served, tmp_path):
    url, model = served
    settings = {"temperature": 0.8, "max_tokens": 120, "seed": 1}
    endpoint = Endpoint(model, url, settings, concurrency=1, timeout=280, retries=1)
    source = Llm(str(tmp_path), ["hi", "mr", "bn"], 2, endpoint, levels=["1"])
    stories = []
    with suppress(UserError):  # not one may stay of what a base model writes
        stories += source
    report = source._records.report()
    print("\n" + source.about)
    assert len(stories) == sum(report["answers"].values())
    assert len(stories) + sum(sum(reasons.values()) for reasons in report["failures"].values()) == 6
    assert all("unanswered" not in reasons for reasons in report["failures"].values())
    (spent,) = report["models"].values()
    assert 0 < spent["output_tokens"] <= 6 * 120 and spent["lost_tokens"] == 0
