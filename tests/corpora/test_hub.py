"""`kathalab corpora publish` against a server on 127.0.0.1 that speaks the Hub's upload routes."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import huggingface_hub.constants
import pytest

import kathalab
from corpora.errors import UserError
from corpora.folders import new_folder, write_manifest, write_text
from corpora.publishing.hub import upload
from corpora.publishing.ledger import Ledger
from corpora.stories import Story, write_split

TOKEN = "hf_secretSentinel"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):  # noqa: N802
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        hub = self.server
        hub.requests.append((self.path, self.headers.get("Authorization")))
        if hub.status:
            return self.answer({"error": "You are not welcome."}, hub.status)
        if self.path == "/api/repos/create":
            hub.created.append(json.loads(body))
            return self.answer({"url": f"{hub.url}/datasets/user/stories"})
        if self.path == "/api/validate-yaml":
            return self.answer({"errors": [], "warnings": []})
        if self.path == "/api/datasets/user/stories/preupload/main":
            names = [file["path"] for file in json.loads(body)["files"]]
            return self.answer({"files": [{"path": n, "uploadMode": "regular", "shouldIgnore": False} for n in names]})
        if self.path == "/api/datasets/user/stories/commit/main":
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    hub.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            return self.answer(
                {"success": True, "commitOid": "0" * 40, "commitUrl": f"{hub.url}/datasets/user/stories/commit/0"}
            )
        return self.answer({"error": "unknown"}, 404)

    def do_GET(self):  # noqa: N802
        self.answer({"id": "user/stories", "sha": "0" * 40, "siblings": [], "name": "user"})

    def answer(self, value, status=200):
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def hub(monkeypatch, tmp_path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.requests, server.created, server.files, server.status = [], [], {}, 0
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    constants = huggingface_hub.constants
    server.url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", server.url)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_IMPLICIT_TOKEN", False)
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def corpus(tmp_path):
    with new_folder(tmp_path / "corpus") as folder:
        for split in ("train", "validation", "test"):
            write_split(folder, split, [Story(split, "hi", "एक कहानी।", "test")])
        write_text(folder / "README.md", "---\nlanguage:\n- hi\n---\n\n# Stories\n")
        write_manifest(folder, "corpus", {})
    (tmp_path / "corpus" / "private-notes.txt").write_text("not part of the corpus")
    return tmp_path / "corpus"


def test_publish_uploads_what_the_manifest_lists(hub, corpus, capsys):
    assert kathalab.main(["corpora", "publish", str(corpus), "--repo", "user/stories", "--private", "true"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == f"The corpus {corpus} is published at {hub.url}/datasets/user/stories."
    names = {path.name for path in corpus.iterdir()} - {"private-notes.txt"}
    assert set(hub.files) == names
    assert all(hub.files[name] == (corpus / name).read_bytes() for name in names)
    (created,) = hub.created
    assert created["name"] == "stories" and created["organization"] == "user" and created["type"] == "dataset"
    assert created.get("visibility") == "private" or created.get("private") is True
    assert {token for _, token in hub.requests} == {f"Bearer {TOKEN}"} and TOKEN not in out


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (401, "does not accept the token"),
        (403, "may not write to 'user/stories'"),
        (404, "knows no account or repository"),
        (400, "refused the upload to 'user/stories' (400"),
    ],
)
def test_a_refusal_is_one_sentence(hub, corpus, capsys, status, sentence):
    hub.status = status
    assert kathalab.main(["corpora", "publish", str(corpus), "--repo", "user/stories"]) == 1
    error = capsys.readouterr().err
    assert sentence in error and error.count("\n") == 1 and TOKEN not in error
    assert not hub.files


@pytest.mark.parametrize(
    ("license", "attribution", "sentence"),
    [
        ("CC-BY-NC-4.0", "A", "CC-BY-NC-4.0 forbids commercial use"),
        ("", "", "the licence of some stories is not known"),
        ("CC-BY-4.0", "", "CC-BY-4.0 asks to name the authors, but 1 stories of 'test' name nobody"),
    ],
)
def test_what_may_not_be_published_is_not(hub, tmp_path, capsys, license, attribution, sentence):
    book = Ledger()
    book.add(Story("1", "hi", "एक कहानी।", "test", license=license, attribution=attribution))
    with new_folder(tmp_path / "corpus") as folder:
        write_manifest(folder, "corpus", {}, licenses=[license] * bool(license), ledger=book.rows())
    assert kathalab.main(["corpora", "publish", str(tmp_path / "corpus"), "--repo", "user/stories"]) == 1
    assert sentence in capsys.readouterr().err and not hub.requests


def test_without_a_token_nothing_is_sent(hub, corpus, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(UserError, match="there is no Hub token; set HF_TOKEN"):
        upload(corpus, "user/stories", "dataset")
    assert not hub.requests


@pytest.mark.parametrize("repo", ["stories", "a/b/c", "/b", "a/", "a b/c d", "user/.."])
def test_a_name_that_is_none_is_refused(hub, corpus, repo):
    with pytest.raises(UserError, match="is not a (repository's )?name"):
        upload(corpus, repo, "dataset")
    assert not hub.requests


def test_a_hub_that_cannot_be_reached(hub, corpus, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(UserError, match=r"the Hub at http://127\.0\.0\.1:9 cannot be reached"):
        upload(corpus, "user/stories", "dataset")


def test_offline_mode_is_named(hub, corpus, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match="HF_HUB_OFFLINE is set"):
        upload(corpus, "user/stories", "dataset")
