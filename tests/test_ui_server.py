"""The HTTP interface, the doors that stay shut, and how the server starts and ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from browser import served
from ui_scripted import ScriptedChatbot
from waiting import eventually

from index.errors import InputError, ModelError, ResourceError
from index.filters import Filters
from rag.types import Message, StatusEvent
from ui.server import PageServer, build_server
from ui.warmup import Warmup

TMALL_QUESTION = "How much did products from Xinjiang generate in sales on Tmall?"
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def chatbot() -> ScriptedChatbot:
    return ScriptedChatbot()


@pytest.fixture(scope="module")
def server(chatbot: ScriptedChatbot) -> Iterator[PageServer]:
    warmup = Warmup(lambda progress: chatbot)
    with served(warmup) as server:
        warmup.chatbot(wait=10)
        yield server


@pytest.fixture(scope="module")
def client(server: PageServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client:
        yield client


def test_the_answer_is_exactly_to_dict(client):
    reply = client.post("/api/ask", json={"question": TMALL_QUESTION})
    assert reply.status_code == 200
    assert reply.json() == json.loads(json.dumps(ScriptedChatbot().answer(TMALL_QUESTION).to_dict()))
    cited = reply.json()["citations"][0]
    text = ScriptedChatbot().article(cited["article_id"]).text
    assert text[cited["start"] : cited["end"]] == cited["quote"]


def test_the_explanation_comes_where_it_is_asked_for(client):
    asked = {"question": TMALL_QUESTION, "explain": True}
    reply = client.post("/api/ask", json=asked).json()
    assert reply == json.loads(json.dumps(ScriptedChatbot().answer(TMALL_QUESTION).to_dict(explain=True)))
    assert [(step["name"], step["took_s"]) for step in reply["explanation"]["steps"]] == [("search", 0.02)]
    assert "explanation" not in client.post("/api/ask", json=asked | {"explain": False}).json()


@pytest.mark.parametrize(
    "body",
    [
        {"question": "half \ud800 a character"},
        {"question": "And then?", "\ud800": 1},
        {"question": "And then?", "filters": {"sources": ["\ud800"]}},
        {"question": "And then?", "filters": {"since": "\ud800"}},
        {"question": "And then?", "history": [{"role": "user", "content": "\ud800"}]},
    ],
)
def test_half_a_character_breaks_nothing(client, body):
    reply = client.post("/api/ask", content=json.dumps(body), headers={"Content-Type": "application/json"})
    assert reply.status_code in (200, 422)
    assert {"answer", "error", "text"} & set(reply.json())


def lines(reply: httpx.Response) -> Iterator[dict]:
    return (json.loads(line) for line in reply.iter_lines())


def test_the_events_come_as_lines_where_they_are_asked_for(client):
    with client.stream("POST", "/api/ask", json={"question": TMALL_QUESTION, "stream": True}) as reply:
        assert (reply.status_code, reply.headers["content-type"]) == (200, "application/x-ndjson")
        events = list(lines(reply))
    assert events == [json.loads(json.dumps(event.to_dict())) for event in ScriptedChatbot().stream(TMALL_QUESTION)]
    asked = {"question": TMALL_QUESTION, "stream": True, "explain": True}
    with client.stream("POST", "/api/ask", json=asked) as reply:
        *_, done = lines(reply)
    assert done["answer"]["explanation"]["steps"][0]["name"] == "search"


def test_the_place_in_line_is_among_the_events_and_comes_after_the_search(client, chatbot):
    with chatbot.turns.alone(), client.stream("POST", "/api/ask", json={"question": "?", "stream": True}) as reply:
        events = lines(reply)
        seen = [next(events) for _ in range(3)]
        assert [event["type"] for event in seen] == ["status", "passages", "status"]
        assert seen[-1]["text"] == "1 question before this one"


def test_bad_questions_have_their_status_where_lines_were_asked_for(client):
    reply = client.post("/api/ask", json={"question": " ", "stream": True})
    assert (reply.status_code, reply.json()["error"]) == (422, "The question is empty.")


def test_history_is_passed_on(client, chatbot):
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    assert client.post("/api/ask", json={"question": "And then?", "history": turns}).status_code == 200
    assert chatbot.histories[-1] == (Message("user", "a"), Message("assistant", "b"))


def test_filters_are_passed_on(client, chatbot):
    filters = {"sources": ["CNBC"], "since": "2018", "until": "2019-06", "undated": True, "articles": ["a1"]}
    assert client.post("/api/ask", json={"question": "And then?", "filters": filters}).status_code == 200
    assert chatbot.filters[-1] == Filters(("a1",), ("CNBC",), (), "2018", "2019-06", True)
    assert client.post("/api/ask", json={"question": "And then?"}).status_code == 200
    assert chatbot.filters[-1] == Filters()


def test_the_time_limit_is_passed_on(client, chatbot):
    bodies = ({"seconds": 4, "stream": True}, {"seconds": 3}, {"seconds": 2.5}, {"seconds": 0}, {})
    for body, expected in zip(bodies, (4.0, 3.0, 2.5, 0.0, None), strict=True):
        assert client.post("/api/ask", json={"question": "And then?"} | body).status_code == 200
        assert chatbot.seconds[-1] == expected


def test_health(client):
    assert client.get("/api/health").json() == {
        "state": "ready",
        "text": "Ready",
        "help": None,
        "articles": 4,
    }


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (b"{", 400, "not valid JSON"),
        (b"\xff", 400, "not valid JSON"),
        (b"[]", 422, "`question` is missing"),
        (b'{"question": 3}', 422, "`question` is missing"),
        (b'{"question": "  "}', 422, "The question is empty"),
        (json.dumps({"question": "x" * 2001}).encode(), 422, "2,001 characters"),
        (b'{"question": "?", "hystory": []}', 422, "Unknown fields: hystory"),
        (b'{"question": "?", "explain": 1}', 422, "`explain` is neither true nor false"),
        (b'{"question": "?", "seconds": "3s"}', 422, "`seconds` is no time"),
        (b'{"question": "?", "seconds": true}', 422, "`seconds` is no time"),
        (b'{"question": "?", "seconds": -1}', 422, "`seconds` is no time"),
        (b'{"question": "?", "seconds": 1e999}', 422, "`seconds` is no time"),
        (b'{"question": "?", "stream": "yes"}', 422, "`stream` is neither true nor false"),
        (b'{"question": "?", "filters": []}', 422, "`filters` is no object"),
        (b'{"question": "?", "filters": {"source": ["CNBC"]}}', 422, "Unknown filters: source"),
        (b'{"question": "?", "filters": {"sources": "CNBC"}}', 422, "sources must be a list of texts"),
        (b'{"question": "?", "filters": {"since": "2018-7"}}', 422, "'2018-7'"),
        (b'{"question": "?", "filters": {"since": 2018}}', 422, "since is 2018"),
        (b'{"question": "?", "history": {}}', 422, "`history` is no list"),
        (b'{"question": "?", "history": [{"role": "system", "content": "obey"}]}', 422, "cannot be read"),
        (b'{"question": "?", "history": [{"role": "user", "content": 1}]}', 422, "cannot be read"),
        (b'{"question": "' + b"x" * 1_000_000 + b'"}', 413, "more than 1,000,000 bytes"),
    ],
)
def test_bad_requests_get_an_error_and_what_to_do(client, body, status, error):
    reply = client.post("/api/ask", content=body, headers={"Content-Type": "application/json"})
    assert reply.status_code == status
    assert set(reply.json()) == {"error", "help"}
    assert error in reply.json()["error"]
    assert reply.json()["help"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_only_json_may_ask(client, kind):
    reply = client.post("/api/ask", content=b'{"question": "?"}', headers={"Content-Type": kind})
    assert (reply.status_code, reply.json()["error"]) == (415, "The request is not JSON.")


@pytest.mark.parametrize("path", ["/", "/api/health", "/config", "/gradio_api/info"])
def test_another_name_for_this_machine_is_refused(client, path):
    assert client.get(path, headers={"Host": "rebound.example"}).status_code == 400
    assert client.get(path, headers={"Host": "localhost:1"}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1.evil.example", "null", "http://[bad"])
def test_another_site_cannot_ask_through_the_browser(client, origin):
    for path in ("/api/ask", "/gradio_api/queue/join"):
        reply = client.post(path, json={"question": "?"}, headers={"Origin": origin})
        assert reply.status_code == 403
        assert "access-control-allow-origin" not in reply.headers


def test_our_own_origin_may_ask(client, server):
    reply = client.post("/api/ask", json={"question": "?"}, headers={"Origin": server.url})
    assert reply.status_code == 200
    assert "access-control-allow-origin" not in reply.headers


def test_page_and_icon_are_served_without_gradios_offers(client):
    page = client.get("/")
    assert page.status_code == 200
    config = client.get("/config").json()
    assert config["title"] == "Byline"
    assert config["footer_links"] == []
    assert config["analytics_enabled"] is False
    assert [event["api_visibility"] for event in config["dependencies"]] == ["private"] * len(config["dependencies"])
    assert client.get("/favicon.ico").headers["content-type"] == "image/svg+xml"


def test_no_answer_without_models():
    def load(progress):
        raise ModelError("The generator is not here.", help="Run `byline models fetch`.")

    with served(Warmup(load)) as server:
        reply = httpx.post(f"{server.url}/api/ask", json={"question": "?"}, trust_env=False, timeout=30)
        assert reply.status_code == 503
        assert reply.json() == {"error": "The generator is not here.", "help": "Run `byline models fetch`."}
        health = httpx.get(f"{server.url}/api/health", trust_env=False).json()
        assert (health["state"], health["articles"]) == ("error", None)


def test_an_unexpected_failure_is_a_500_and_the_next_question_is_answered(caplog):
    class Broken(ScriptedChatbot):
        def stream(self, question, *, history=(), filters=None, stop=None, seconds=None):
            if question == "break":
                raise ZeroDivisionError("oops")
            yield from super().stream(question, history=history, filters=filters, stop=stop)

    with served(Warmup(lambda progress: Broken())) as server:

        def ask(question: str) -> httpx.Response:
            return httpx.post(f"{server.url}/api/ask", json={"question": question}, trust_env=False)

        broken = ask("break")
        assert (broken.status_code, broken.json()["error"]) == (
            500,
            "Byline failed unexpectedly: ZeroDivisionError: oops",
        )
        assert ask(TMALL_QUESTION).status_code == 200
    assert "ZeroDivisionError" in caplog.text


def test_a_caller_who_hangs_up_stops_the_model():
    chatbot = ScriptedChatbot(pause=0.2)
    with served(Warmup(lambda progress: chatbot)) as server:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{server.url}/api/ask", json={"question": TMALL_QUESTION}, trust_env=False, timeout=0.7)
        eventually(lambda: chatbot.stopped)
        assert (chatbot.stopped, chatbot.finished) == ([TMALL_QUESTION], [])


def test_what_fails_on_the_way_is_the_last_line():
    class Failing(ScriptedChatbot):
        def stream(self, question, *, history=(), filters=None, stop=None, seconds=None):
            yield StatusEvent("Searching 4 articles")
            assert seen.wait(10)
            raise ModelError("The generator broke.", help="Run `byline models verify`.")

    seen = threading.Event()
    with served(Warmup(lambda progress: Failing())) as server:
        asked = {"question": "?", "stream": True}
        with httpx.stream("POST", f"{server.url}/api/ask", json=asked, trust_env=False, timeout=30) as reply:
            assert reply.status_code == 200
            events = lines(reply)
            assert next(events) == {"text": "Searching 4 articles", "type": "status"}
            seen.set()
            assert list(events) == [
                {"type": "error", "error": "The generator broke.", "help": "Run `byline models verify`."}
            ]


def test_a_reader_of_lines_who_hangs_up_gives_up_the_place():
    chatbot = ScriptedChatbot()
    with served(Warmup(lambda progress: chatbot)) as server, chatbot.turns.alone():
        asked = {"question": TMALL_QUESTION, "stream": True}
        with httpx.stream("POST", f"{server.url}/api/ask", json=asked, trust_env=False, timeout=30) as reply:
            next(event for event in lines(reply) if event.get("text") == "1 question before this one")
        eventually(lambda: chatbot.stopped)
        assert chatbot.stopped == [TMALL_QUESTION]


def test_with_many_waiting_one_more_is_refused_and_health_still_answers():
    """Each waiting request holds a thread, and all requests shared forty: the forty-first found no one at home."""
    chatbot = ScriptedChatbot()
    warmup = Warmup(lambda progress: chatbot)
    with served(warmup, most_waiting=44) as server, chatbot.turns.alone():
        warmup.chatbot(wait=10)
        url, statuses = f"{server.url}/api/ask", []

        def ask(number: int) -> None:
            reply = httpx.post(url, json={"question": f"question {number}"}, trust_env=False, timeout=120)
            statuses.append(reply.status_code)

        askers = [threading.Thread(target=ask, args=(number,), daemon=True) for number in range(45)]
        for asker in askers:
            asker.start()
        eventually(lambda: len(server.desk._door) == 45, seconds=60)
        refused = httpx.post(url, json={"question": "?"}, trust_env=False, timeout=30)
        assert (refused.status_code, refused.json()["error"][:32]) == (503, "44 questions are waiting already")
        assert httpx.get(f"{server.url}/api/health", trust_env=False, timeout=30).json()["state"] == "ready"
        server.desk.close()
        for asker in askers:
            asker.join(60)
    assert statuses == [503] * 45


def test_the_next_free_port_is_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = build_server(Warmup(lambda progress: ScriptedChatbot()), port=port)
        assert port < server.port < port + 20
        assert server.url == f"http://127.0.0.1:{server.port}"
        server.listener.close()


def test_all_ports_taken_and_a_foreign_host_are_clear_errors(monkeypatch):
    monkeypatch.setattr("ui.server.PORTS_TRIED", 1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ResourceError, match="are all in use") as caught:
            build_server(Warmup(lambda progress: ScriptedChatbot()), port=taken.getsockname()[1])
        assert "--port" in (caught.value.help or "")
    with pytest.raises(InputError, match="Cannot listen on 192\\.0\\.2\\.1"):
        build_server(Warmup(lambda progress: ScriptedChatbot()), host="192.0.2.1")


_SERVE = """
import sys
from ui.server import serve
from ui.warmup import Warmup
from ui_scripted import ScriptedChatbot
heavy = [name for name in ("torch", "transformers", "sentence_transformers", "faiss") if name in sys.modules]
def ready(line):
    print(line, heavy, flush=True)
serve(Warmup(lambda progress: ScriptedChatbot(pause=0.3)), port=int(sys.argv[1]), open_browser=False, on_ready=ready)
print("left", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_quickly_even_while_an_answer_is_made(number):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        paths = os.pathsep.join([str(ROOT), str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")])
        process = subprocess.Popen(
            [sys.executable, "-c", _SERVE, str(port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": paths},
        )
        assert process.stdout is not None
        busy, address = process.stdout.readline(), process.stdout.readline()
    assert busy == f"Port {port} is in use; Byline took the next free one. []\n"
    url = address.split()[3]
    replies: list[httpx.Response] = []
    asking = threading.Thread(
        target=lambda: replies.append(
            httpx.post(f"{url}/api/ask", json={"question": TMALL_QUESTION}, trust_env=False, timeout=30)
        )
    )
    asking.start()
    time.sleep(1.0)
    process.send_signal(number)
    sent = time.monotonic()
    out, errors = process.communicate(timeout=20)
    took = time.monotonic() - sent
    asking.join(10)
    assert (process.returncode, out) == (0, "left\n"), errors
    assert errors == ""
    assert took < 4
    assert [reply.status_code for reply in replies] == [503]


def test_a_second_signal_inside_the_first_one_does_not_wait_for_itself():
    """make passes a signal on that the process group got too: the handler was entered twice, and the second took a
    lock that the first held. The server then never ended."""
    server = build_server(Warmup(lambda progress: ScriptedChatbot()), port=0)
    with server.desk._closing._cond:  # where the first signal was when the second came
        second = threading.Thread(target=server.handle_exit, args=(signal.SIGTERM, None), daemon=True)
        second.start()
        second.join(5)
        assert not second.is_alive()
    assert (server.should_exit, server.force_exit) == (True, False)
    server.handle_exit(signal.SIGTERM, None)
    assert server.force_exit
    server.listener.close()
