"""Asking a language model: against a real server on this machine that fails in every way a server can."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import kathalab
from corpora.errors import UserError
from corpora.llm import client
from corpora.llm.budget import Budget
from corpora.llm.endpoint import Endpoint
from corpora.sources import Llm
from corpora.stories import read_corpus

KEY = "sk-test-0123456789abcdef"
STORY = {
    "hi": "{0} को देखकर मीना ने कहा कि वह {2} है। उसके भाई को {1} अच्छा लगता था, और वह भी साथ आ गया। दोनों ने मिलकर एक खेल "
    "खेला और शाम को घर लौट गए। माँ ने उन्हें गरम रोटी दी।",
    "mr": "मीनाने {0} पाहून सांगितले की ते {2} आहे. तिच्या भावाला {1} आवडत होते आणि तो पण आला. दोघांनी मिळून एक खेळ मांडला आणि "
    "संध्याकाळी ते घरी गेले. आईने त्यांना गरम पोळी दिली.",
}


class Server:
    """Answers chat completions with a fitting story, unless `script(attempt, prompt)` returns something else to do."""

    def __init__(self):
        self.attempts = Counter()
        self.times, self.bodies, self.keys = [], [], set()
        self.script = lambda attempt, prompt: None
        self.delay, self.now, self.most = 0.0, 0, 0
        self.lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):  # noqa: N802 - the library's name
                outer.handle(self)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def handle(self, request):
        body = json.loads(request.rfile.read(int(request.headers["content-length"])))
        prompt = body["messages"][0]["content"]
        with self.lock:
            self.attempts[prompt] += 1
            self.times.append(time.monotonic())
            self.bodies.append(body)
            self.keys.add(request.headers["authorization"])
            self.now += 1
            self.most = max(self.most, self.now)
            attempt = self.attempts[prompt]
        try:
            time.sleep(self.delay)
            self.reply(request, prompt, self.script(attempt, prompt) or {})
        finally:
            with self.lock:
                self.now -= 1

    def reply(self, request, prompt, plan):
        if plan.get("hang"):
            time.sleep(plan["hang"])
        if plan.get("cut"):
            request.send_response(200)
            request.send_header("content-length", "1000")
            request.end_headers()
            request.wfile.write(b'{"choices": [{"mess')
            request.wfile.flush()
            request.connection.shutdown(socket.SHUT_RDWR)
            return
        text = plan.get("text", fitting(prompt))
        answer = {
            "model": "storyteller-1",
            "choices": [{"message": {"content": text}, "finish_reason": plan.get("finish", "stop")}],
            "usage": {"prompt_tokens": 100, "completion_tokens": 50},
        }
        content = plan.get("body", json.dumps(answer)).encode()
        request.send_response(plan.get("status", 200))
        for name, value in {"content-type": "application/json", **plan.get("headers", {})}.items():
            request.send_header(name, value)
        request.send_header("content-length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)


def fitting(prompt):
    """A story for a prompt of level 1, with its words in the dictionary form."""
    return STORY["mr" if "गोष्ट" in prompt else "hi"].format(*re.findall("“([^”]+)”", prompt)[:3])


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(client, "FIRST_PAUSE", 0.01)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()


def source(server, folder, prompts=4, endpoint=None, **options):
    endpoint = {"model": "storyteller", "url": server.url, "timeout": 30.0, "retries": 3, **(endpoint or {})}
    return Llm(str(folder), options.pop("languages", ["hi"]), prompts, Endpoint(**endpoint), levels=["1"], **options)


def lines(folder, name):
    path = folder / name
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_a_corpus_is_built_and_nothing_is_asked_twice(server, tmp_path, capsys):
    arguments = ["corpora", "build", "--source", "Llm", "--source.folder", str(tmp_path / "answers")]
    arguments += ["--source.languages", "[hi,mr]", "--source.prompts", "12", "--source.levels", "['1']"]
    arguments += ["--source.endpoint.model", "storyteller", "--source.endpoint.url", server.url]
    arguments += ["--source.endpoint.settings", '{"max_tokens": 700, "temperature": 0.7}', "--deduplicate", "false"]
    arguments += ["--source.budget", '{"input_price": 1, "output_price": 4}', "--output", str(tmp_path / "corpus")]
    kathalab.main(arguments)
    assert "A corpus of 24 stories in hi, mr" in capsys.readouterr().out
    assert len(server.times) == 24
    assert server.bodies[0]["max_tokens"] == 700 and server.bodies[0]["temperature"] == 0.7
    record = lines(tmp_path / "answers", "answers.jsonl")[0]
    assert record["model"] == "storyteller-1" and record["settings"] == {"max_tokens": 700, "temperature": 0.7}
    assert (record["input_tokens"], record["output_tokens"], record["lost_tokens"]) == (100, 50, 0)
    assert record["cost"] == pytest.approx((100 * 1 + 50 * 4) / 1e6)
    manifest = json.loads((tmp_path / "corpus" / "manifest.json").read_text())
    assert manifest["configuration"]["source"]["endpoint"]["model"] == "storyteller"
    assert set(manifest["inputs"]) == {"answers.jsonl", "failures.jsonl"}
    assert "storyteller-1" in (tmp_path / "corpus" / "README.md").read_text()
    # The same ideas in both languages share a group, so they lie in the same split.
    for split in ("train", "validation", "test"):
        stories = read_corpus(tmp_path / "corpus", split)
        groups = {code: {s.group for s in stories if s.language == code} for code in ("hi", "mr")}
        assert groups["hi"] == groups["mr"]
    server.http.shutdown()
    kathalab.main(arguments)  # everything is in the folder of answers
    assert len(server.times) == 24


def test_stories_come_in_the_order_of_prompts_whatever_the_order_of_answers(server, tmp_path):
    slow = {}
    server.script = lambda attempt, prompt: {"hang": 0.3} if slow.setdefault("first", prompt) == prompt else None
    stories = list(source(server, tmp_path, 6, languages=["hi", "mr"]))
    order = [f"llm-{code}-{index:09d}" for index in range(6) for code in ("hi", "mr")]
    assert [story.id for story in stories] == order
    assert [record["id"] for record in lines(tmp_path, "answers.jsonl")] != [name[4:] for name in order]


@pytest.mark.parametrize(
    ("fault", "lost"),
    [
        ({"status": 500, "body": "out of memory"}, False),
        ({"status": 429, "headers": {"retry-after": "0.05"}, "body": "{}"}, False),
        ({"status": 503, "headers": {"retry-after-ms": "20"}, "body": "{}"}, False),
        ({"hang": 2.5}, True),
        ({"cut": True}, True),
        ({"body": '{"choices": [{"mess'}, True),
        ({"body": '{"choices": []}'}, True),
        ({"body": "<html>gateway</html>", "headers": {"content-type": "text/html"}}, True),
    ],
    ids=["500", "429", "503", "hang", "cut", "broken JSON", "no choices", "HTML"],
)
def test_a_fault_is_overcome_by_asking_again(server, tmp_path, fault, lost):
    server.script = lambda attempt, prompt: fault if attempt == 1 else None
    stories = list(source(server, tmp_path, 3, {"timeout": 1.2 if "hang" in fault else 30.0}))
    assert len(stories) == 3
    assert [record["attempts"] for record in lines(tmp_path, "answers.jsonl")] == [2, 2, 2]
    assert all((record["lost_tokens"] > 0) == lost for record in lines(tmp_path, "answers.jsonl"))
    assert not lines(tmp_path, "failures.jsonl")


def test_what_fails_every_time_is_kept_with_its_reason_and_asked_again_next_time(server, tmp_path):
    ill = {}
    server.script = lambda attempt, prompt: {"status": 500, "body": "no"} if ill.setdefault(prompt, not ill) else None
    assert len(list(source(server, tmp_path, 4, {"retries": 2, "concurrency": 1}))) == 3
    (failure,) = lines(tmp_path, "failures.jsonl")
    assert (failure["reason"], failure["attempts"]) == ("unanswered", 3) and "HTTP 500" in failure["found"]
    server.script = lambda attempt, prompt: None
    assert len(list(source(server, tmp_path, 4))) == 4
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["answers"] == {"hi": 4} and report["failures"] == {}


def test_a_server_that_is_gone_stops_the_run_with_one_sentence(server, tmp_path):
    server.http.shutdown()
    server.http.server_close()
    with pytest.raises(UserError, match="failed 3 prompts in a row"):
        list(source(server, tmp_path, 50, {"retries": 1, "concurrency": 2}))
    assert all(record["lost_tokens"] == 0 for record in lines(tmp_path, "failures.jsonl"))


@pytest.mark.parametrize(
    ("plan", "sentence"),
    [
        ({"status": 401, "body": json.dumps({"error": {"message": f"bad key {KEY}"}})}, "refuses the key"),
        ({"status": 404, "body": "{}"}, "has no model 'storyteller'"),
        ({"status": 429, "body": '{"error": {"code": "insufficient_quota", "message": "pay"}}'}, "quota is used up"),
        ({"status": 429, "body": "{}", "headers": {"retry-after": "7200"}}, "asks to wait 2.0 hours"),
    ],
    ids=["key", "model", "quota", "wait"],
)
def test_what_cannot_succeed_is_not_tried_again(server, tmp_path, plan, sentence):
    server.script = lambda attempt, prompt: plan
    with pytest.raises(UserError, match=sentence) as raised:
        list(source(server, tmp_path, 40, {"concurrency": 2}))
    assert KEY not in str(raised.value)
    assert len(server.times) <= 2


def test_retry_after_holds_everybody_back(server, tmp_path):
    server.script = lambda attempt, prompt: (
        {"status": 429, "headers": {"retry-after": "0.6"}, "body": "{}"} if len(server.times) == 1 else None
    )
    list(source(server, tmp_path, 6, {"concurrency": 1}))
    assert server.times[1] - server.times[0] >= 0.6
    assert server.times[-1] - server.times[1] < 0.6  # and nobody afterwards


def test_an_exhausted_rate_limit_is_waited_out_before_the_next_request(server, tmp_path):
    limits = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "250ms"}
    server.script = lambda attempt, prompt: {"headers": limits}
    list(source(server, tmp_path, 3, {"concurrency": 1}))
    assert all(later - earlier >= 0.25 for earlier, later in zip(server.times, server.times[1:], strict=False))
    assert len(server.times) == 3  # not one was refused


def test_concurrency_is_bounded(server, tmp_path):
    server.delay = 0.05
    list(source(server, tmp_path, 24, {"concurrency": 6}))
    assert server.most == 6


def test_answers_that_are_no_story_are_kept_apart_with_their_reason(server, tmp_path):
    plans = [
        {"text": "I'm sorry, but I can't write that story."},
        {"text": "मीनाने झाड पाहिले आणि ती हसली. तो आला होता. ते घरी गेले आहेत."},
        {"finish": "length"},
        {"text": ""},
        {"text": "मीना ने कहा कि वह खुश है। उसके भाई को भी अच्छा लगा और वह साथ आ गया। " * 2},
    ]
    server.script = lambda attempt, prompt: plans[len(server.times) - 1]
    with pytest.raises(UserError, match="not one answer may stay"):
        list(source(server, tmp_path, 5, {"concurrency": 1}))
    failures = lines(tmp_path, "failures.jsonl")
    assert [failure["reason"] for failure in failures] == ["refusal", "language", "cut off", "empty", "words"]
    assert failures[0]["text"] == "I'm sorry, but I can't write that story."
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["failures"]["hi"] == {"refusal": 1, "language": 1, "cut off": 1, "empty": 1, "words": 1}
    with pytest.raises(UserError, match="not one answer may stay"):
        list(source(server, tmp_path, 5))
    assert len(server.times) == 5  # a bad answer is an answer


def test_a_budget_stops_cleanly_and_is_never_overrun(server, tmp_path, capsys):
    settings = {"max_tokens": 100}

    def worst(prompt):
        return len(prompt.encode()) + 64 + 100

    budget = 5000
    stories = list(source(server, tmp_path, 30, {"settings": settings}, budget=Budget(tokens=budget)))
    assert "budget is reached" in capsys.readouterr().err
    spent = 150 * len(stories)
    longest = max(map(worst, server.attempts))
    assert budget - longest < spent <= budget
    # The next run knows what the first one spent, and money counts likewise.
    list(source(server, tmp_path, 30, {"settings": settings}, budget=Budget(tokens=budget)))
    assert len(server.times) == len(stories)
    price = Budget(money=0.004, input_price=1.0, output_price=2.0)
    assert len(list(source(server, tmp_path, 60, {"settings": settings}, budget=price))) > len(stories)
    cost = sum(record["cost"] for record in lines(tmp_path, "answers.jsonl"))
    dearest = ((longest - 100) * 1.0 + 100 * 2.0) / 1e6
    assert 0.004 - dearest < cost <= 0.004


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"budget": Budget(tokens=10), "endpoint": {"settings": {}}}, "put max_tokens into"),
        ({"budget": Budget(money=1.0)}, "needs prices"),
        ({"endpoint": {"settings": {"top_q": 1}}}, "'top_q' is no setting of chat completions"),
        ({"endpoint": {"settings": {"extra_headers": {"a": "b"}}}}, "may not hold 'extra_headers'"),
        ({"endpoint": {"url": "http://me:secret@127.0.0.1/v1"}}, "put the key into OPENAI_API_KEY"),
        ({"endpoint": {"url": "localhost:8000"}}, "is no URL"),
        ({"endpoint": {"concurrency": 0}}, "at least 1"),
    ],
)
def test_options_that_cannot_be_right_are_refused(server, tmp_path, options, sentence):
    with pytest.raises(UserError, match=sentence) as raised:
        list(source(server, tmp_path, 2, **options))
    assert "secret" not in str(raised.value)
    assert not server.times


def test_the_key_reaches_the_server_and_no_file_or_message(server, tmp_path, capfd):
    server.script = lambda attempt, prompt: (
        {"status": 400, "body": json.dumps({"error": {"message": f"{KEY} may not do this"}})}
        if len(server.times) == 1
        else None
    )
    list(source(server, tmp_path, 2, {"concurrency": 1}))
    assert server.keys == {f"Bearer {KEY}"}
    assert "may not do this" in (tmp_path / "failures.jsonl").read_text()
    captured = capfd.readouterr()
    written = "".join(file.read_text() for file in tmp_path.iterdir()) + captured.out + captured.err
    assert KEY not in written and "sk-" not in written


def test_the_missing_package_is_named(server, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(UserError, match=r"pip install 'kathalab\[llm\]'"):
        list(source(server, tmp_path))


def test_a_folder_belongs_to_one_set_of_prompts_and_one_writer(server, tmp_path):
    list(source(server, tmp_path, 1))
    with pytest.raises(UserError, match="holds answers to other 'hi' prompts"):
        list(source(server, tmp_path, 1, seed=1))
    with source(server, tmp_path)._records.writing(), pytest.raises(UserError, match="another process is writing"):
        list(source(server, tmp_path, 2))


def test_a_killed_run_goes_on_where_it_was(server, tmp_path):
    server.delay = 0.05
    code = (
        "from corpora.sources import Llm; from corpora.llm.endpoint import Endpoint; import sys; "
        "list(Llm(sys.argv[1], ['hi'], 40, Endpoint('storyteller', sys.argv[2], concurrency=2), levels=['1']))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    folder = tmp_path / "answers"
    child = subprocess.Popen([sys.executable, "-c", code, str(folder), server.url], env=environment)
    while len(lines(folder, "answers.jsonl")) < 10:
        assert child.poll() is None
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    before = (folder / "answers.jsonl").read_text().splitlines()
    assert 10 <= len(before) < 40
    with open(folder / "answers.jsonl", "a") as file:
        file.write('{"id": "hi-0000')  # a line that the kill tore
    stories = list(source(server, folder, 40))
    after = (folder / "answers.jsonl").read_text().splitlines()
    assert after[: len(before)] == before
    assert sorted(json.loads(line)["index"] for line in after) == list(range(40))
    assert len(stories) == 40
    assert sum(count - 1 for count in server.attempts.values()) <= 2  # only what was on its way was asked again
