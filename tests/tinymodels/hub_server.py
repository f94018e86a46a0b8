"""A small Hugging Face Hub on 127.0.0.1: the routes that creating, uploading to and reading a repository use."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

LARGE = (".safetensors", ".model", ".parquet", ".bin")
COMMIT = "0" * 39 + "1"


class Hub(ThreadingHTTPServer):
    """Repositories are dictionaries of file name to bytes; every request is kept in `requests`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.private: dict[str, bool] = {}
        self.objects: dict[str, bytes] = {}
        self.requests: list[tuple[str, str]] = []
        self.tokens: set[str] = set()
        self.refuse_with: int | None = None
        """A status that every writing request is answered with."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def running_hub():
    hub = Hub()
    thread = threading.Thread(target=hub.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def log_message(self, *arguments) -> None:
        pass

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def answer(self, status: int, content=b"", headers: dict[str, str] | None = None, head: bool = False) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        sent = {"Content-Type": "application/json", "Content-Length": str(len(data))} | (headers or {})
        for name, value in sent.items():
            self.send_header(name, value)
        self.end_headers()
        if not head:
            self.wfile.write(data)

    def missing(self, code: str) -> None:
        self.answer(404, {"error": code}, {"X-Error-Code": code}, head=self.command == "HEAD")

    def handle_request(self) -> None:
        path, data, hub = unquote(urlsplit(self.path).path), self.body(), self.server
        hub.requests.append((self.command, path))
        if authorization := self.headers.get("Authorization"):
            hub.tokens.add(authorization.removeprefix("Bearer "))
        writing = self.command == "POST" or (self.command == "PUT")
        if hub.refuse_with and writing:
            return self.answer(hub.refuse_with, {"error": "refused"})
        if path == "/api/whoami-v2":
            return self.answer(200, {"name": "user", "type": "user", "orgs": [], "auth": {"accessToken": {}}})
        if path == "/api/validate-yaml":
            return self.answer(200, {"errors": [], "warnings": []})
        if path == "/api/repos/create":
            return self.create(json.loads(data))
        if match := re.fullmatch(r"/lfs/(\w+)", path):
            hub.objects[match[1]] = data
            return self.answer(200)
        if match := re.fullmatch(r"/(.+)\.git/info/lfs/objects/batch", path):
            return self.large_files(json.loads(data))
        if match := re.fullmatch(r"/api/(?:models|datasets)/([^/]+/[^/]+)(/.*)?", path):
            return self.api(match[1], match[2] or "", data)
        if match := re.fullmatch(r"/(?:datasets/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            known = match[2] in ("main", COMMIT) or match[1] not in hub.repositories
            return self.file(match[1], match[3]) if known else self.missing("RevisionNotFound")
        return self.answer(404, {"error": "no such route"}, head=self.command == "HEAD")

    do_GET = do_HEAD = do_POST = do_PUT = handle_request  # noqa: N815 - http.server's names

    def create(self, asked: dict) -> None:
        name = f"{asked.get('organization') or 'user'}/{asked['name']}"
        exists = name in self.server.repositories
        self.server.repositories.setdefault(name, {})
        self.server.private.setdefault(name, asked.get("visibility") == "private" or bool(asked.get("private")))
        self.answer(409 if exists else 200, {"url": f"{self.server.url}/{name}", "name": name})

    def large_files(self, asked: dict) -> None:
        objects = [
            {
                "oid": each["oid"],
                "size": each["size"],
                "authenticated": True,
                "actions": {"upload": {"href": f"{self.server.url}/lfs/{each['oid']}", "header": {}}},
            }
            for each in asked["objects"]
        ]
        self.answer(200, {"transfer": "basic", "objects": objects}, {"Content-Type": "application/vnd.git-lfs+json"})

    def api(self, repository: str, rest: str, data: bytes) -> None:
        files = self.server.repositories.get(repository)
        if files is None:
            return self.missing("RepoNotFound")
        if rest.startswith("/preupload/"):
            modes = [
                {
                    "path": each["path"],
                    "uploadMode": "lfs" if each["path"].endswith(LARGE) else "regular",
                    "shouldIgnore": False,
                }
                for each in json.loads(data)["files"]
            ]
            return self.answer(200, {"files": modes})
        if rest.startswith("/commit/"):
            for line in map(json.loads, data.splitlines()):
                value = line["value"]
                if line["key"] == "file":
                    files[value["path"]] = base64.b64decode(value["content"])
                elif line["key"] == "lfsFile":
                    files[value["path"]] = self.server.objects[value["oid"]]
            where = f"{self.server.url}/{repository}/commit/{COMMIT}"
            return self.answer(200, {"commitUrl": where, "commitOid": COMMIT, "success": True})
        if rest.startswith("/tree/"):
            under = rest.split("/", 3)[3] + "/" if rest.count("/") > 2 else ""
            found = [name for name in files if name.startswith(under)]
            if under and not found:
                return self.missing("EntryNotFound")
            if "recursive=true" in self.path.lower():
                return self.answer(200, [_entry(name, files[name]) for name in found])
            folders = sorted({name.removeprefix(under).split("/")[0] for name in found if "/" in name[len(under) :]})
            entries = [_entry(name, files[name]) for name in found if "/" not in name[len(under) :]]
            return self.answer(
                200, entries + [{"type": "directory", "path": under + name, "oid": "0"} for name in folders]
            )
        if rest.startswith("/paths-info/"):
            asked = parse_qs(data.decode())["paths"] if data[:1] != b"{" else json.loads(data)["paths"]
            return self.answer(200, [_entry(name, files[name]) for name in asked if name in files])
        if rest == "" or rest.startswith("/revision/"):
            if rest and rest.removeprefix("/revision/") not in ("main", COMMIT):
                return self.missing("RevisionNotFound")
            siblings = [{"rfilename": name} for name in files]
            front = files.get("README.md", b"").decode().split("---\n")
            card = yaml.safe_load(front[1]) if len(front) > 2 else {}
            about = {"sha": COMMIT, "siblings": siblings, "tags": [], "cardData": card}
            return self.answer(200, {"id": repository, "modelId": repository, **about})
        return self.answer(404, {"error": "no such route"})

    def file(self, repository: str, name: str) -> None:
        files = self.server.repositories.get(repository)
        if files is None:
            return self.missing("RepoNotFound")
        if name not in files:
            return self.missing("EntryNotFound")
        headers = {"ETag": f'"{_oid(files[name])}"', "X-Repo-Commit": COMMIT, "Content-Type": "text/plain"}
        if name.endswith(LARGE):
            headers |= {"X-Linked-Size": str(len(files[name])), "X-Linked-Etag": headers["ETag"]}
        content, status = files[name], 200
        if match := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or ""):
            first, last = int(match[1]), min(int(match[2] or len(content)), len(content) - 1)
            headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
            content, status = content[first : last + 1], 206
        return self.answer(status, content, headers, head=self.command == "HEAD")


def _entry(name: str, content: bytes) -> dict:
    return {"type": "file", "path": name, "size": len(content), "oid": _oid(content)}


def _oid(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
