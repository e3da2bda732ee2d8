"""A model on a server: what is sent, what is made of what comes back, and what is said when it does not."""

import itertools
import json
import socket
from contextlib import closing

import pytest
from served_material import MODEL, Manners, served

from index.errors import ModelError, ServerError
from rag.chatbot import Chatbot
from rag.completions import Completions
from rag.fakes import CopyingGenerator
from rag.remote import NO_LOG_PROBABILITIES, RemoteGenerator, estimated_tokens
from rag.settings import Settings
from rag.types import Message, Usage

ASK = (
    Message("system", "You answer."),
    Message(
        "user", "Excerpts:\n\nFrom A\nRepairs cost 12 million euros.\n\nQuestion: What did repairs cost?\n\nAnswer."
    ),
)
CHOICE = {"index": 0, "delta": {"content": "Hm"}}


def remote(url: str, model: str = MODEL, *, key: str | None = None, answer_s: float = 5.0):
    return closing(RemoteGenerator(Completions(url, model, key=key, answer_s=answer_s), name=model))


def test_a_request_is_greedy_and_holds_the_messages_alone():
    with served() as server, remote(server.url) as generator:
        text = "".join(generator.generate(ASK, max_tokens=7))
        generator.log_odds(ASK)
    (path, headers, written), (_, _, judged) = server.manners.requests
    assert text == "Repairs cost 12 million euros."
    assert path == "/v1/chat/completions"
    assert "Authorization" not in headers
    assert written == {
        "model": MODEL,
        "messages": [{"role": message.role, "content": message.content} for message in ASK],
        "max_tokens": 7,
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert (judged["max_tokens"], judged["logprobs"], judged["top_logprobs"]) == (1, True, 20)


def test_nothing_but_the_address_is_spoken_to(tiny_saved_index, monkeypatch):
    """A whole question; proxies of the environment get nothing."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://proxy.invalid:3128")
    met, connect = [], socket.socket.connect
    monkeypatch.setattr(socket.socket, "connect", lambda self, to: met.append(to) or connect(self, to))
    settings = Settings(wrong_per_hundred=100)
    question = "What did the repairs of the harbour cost?"
    with served() as server, remote(server.url) as generator:
        answer = Chatbot(tiny_saved_index, generator, settings=settings).answer(question)
        port = int(server.url.split(":")[2].split("/")[0])
    assert set(met) == {("127.0.0.1", port)}
    alone = Chatbot(tiny_saved_index, CopyingGenerator(), settings=settings).answer(question)
    assert "12 million euros" in answer.text
    assert (answer.text, answer.citations, answer.confidence) == (alone.text, alone.citations, alone.confidence)
    assert answer.model == MODEL


def test_closing_a_reply_ends_the_request():
    with served(Manners(endless=True)) as server, remote(server.url) as generator:
        pieces = generator.generate(ASK, max_tokens=40)
        assert "".join(itertools.islice(pieces, 3)) == "Repairs cost 12"
        pieces.close()
        assert server.manners.left.wait(5)


def test_what_the_server_counts_takes_the_place_of_the_estimate():
    with served() as server, remote(server.url) as generator:
        list(generator.generate(ASK, max_tokens=40))
        read = sum(CopyingGenerator().count_tokens(message.content) for message in ASK)
        # Five more that the server kept are not counted.
        assert generator.usage() == Usage(passes=1, tokens_read=read, tokens_written=5)
    with served(Manners(counts=False)) as server, remote(server.url) as generator:
        list(generator.generate(ASK, max_tokens=40))
        read = sum(estimated_tokens(message.content) for message in ASK)
        assert generator.usage() == Usage(passes=1, tokens_read=read, tokens_written=5)


@pytest.mark.parametrize("manners", [Manners(log_probabilities=False), Manners(refuses_fields=("logprobs",))])
def test_a_server_without_log_probabilities_is_coarse_and_says_so(manners):
    with served(manners) as server, remote(server.url) as generator:
        assert generator.notes == ()
        assert generator.log_odds(ASK) == 2.0
        assert generator.notes == (NO_LOG_PROBABILITIES,)
        asked = len(manners.requests)
        assert generator.log_odds(ASK) == 2.0
    assert "logprobs" not in manners.requests[-1][2]  # it is not asked for in vain again
    assert len(manners.requests) == asked + 1


def test_lines_of_other_scripts_do_not_break_a_reply():
    pieces = ["one\u2028two", "\u0085", "three\r\n", "vier 😀"]
    with served(Manners(pieces=pieces)) as server, remote(server.url) as generator:
        assert list(generator.generate(ASK, max_tokens=40)) == pieces


def test_halves_of_characters_are_sent_as_question_marks():
    with served() as server, remote(server.url) as generator:
        generator.log_odds([Message("user", "What is \ud83d?")])
    assert server.manners.requests[0][2]["messages"] == [{"role": "user", "content": "What is ??"}]


def test_nobody_listens():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with remote(url) as generator, pytest.raises(ModelError, match=r"Nobody listens at http://127\.0\.0\.1:") as caught:
        generator.log_odds(ASK)
    assert "BYLINE_MODEL" in caught.value.help


def test_a_wrong_name_gets_the_right_ones():
    with served() as server, remote(server.url, "nope") as generator:
        with pytest.raises(ServerError, match=r"'nope' was refused with 404 .* not found") as caught:
            "".join(generator.generate(ASK, max_tokens=5))
        assert caught.value.help == "Its models: copying, other"
        assert caught.value.status == 404


@pytest.mark.parametrize("key", [None, "wrong-secret"])
def test_a_bad_key_is_told_without_showing_it(key):
    with served(Manners(key="right-secret")) as server, remote(server.url, key=key) as generator:
        with pytest.raises(ServerError, match="401") as caught:
            generator.log_odds(ASK)
        assert "BYLINE_API_KEY" in caught.value.help
        assert "secret" not in str(caught.value)


def test_the_right_key_is_sent_and_stands_in_no_representation():
    with served(Manners(key="right-secret")) as server, remote(server.url, key="right-secret") as generator:
        assert generator.log_odds(ASK) > 0
        assert "secret" not in repr(generator) + repr(generator._completions._client.headers)


@pytest.mark.parametrize(
    ("status", "body", "said", "help"),
    [
        (403, {"error": "forbidden"}, "403 .*: forbidden", "BYLINE_API_KEY"),
        (500, {"error": {"message": "out of memory"}}, "500 .*: out of memory", "own log"),
        (400, {"error": {"message": "exceeds the context size"}}, "400", "evidence_tokens"),
        (302, {}, "302", "Name the address itself"),
        (503, "busy", "503 .*: busy", "own log"),
    ],
)
def test_refusals(status, body, said, help):
    with served(Manners(refusal=(status, body))) as server, remote(server.url) as generator:
        with pytest.raises(ServerError, match=said) as caught:
            "".join(generator.generate(ASK, max_tokens=5))
        assert help in caught.value.help
        assert caught.value.status == status
    assert len([path for path, _, body in server.manners.requests if body]) == 1


def test_silence_ends_some_day():
    with served(Manners(silent_s=0.5)) as server, remote(server.url, answer_s=0.1) as generator:
        with pytest.raises(ModelError, match=r"Silence for 0.1 s from the server at http://127") as caught:
            generator.log_odds(ASK)
        assert "smaller" in caught.value.help


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("<html>Welcome</html>", "it is not JSON"),
        ("[]", "it is no JSON object"),
        ("{}", "it holds no message"),
        (json.dumps({"choices": []}), "it holds no message"),
        (json.dumps({"error": {"message": "no slot free"}}), "no slot free"),
    ],
)
def test_malformed_judgements(raw, why):
    with served(Manners(raw=raw)) as server, remote(server.url) as generator:
        with pytest.raises(ModelError, match=f"cannot be used: {why}") as caught:
            generator.log_odds(ASK)
        assert "chat completions" in caught.value.help


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("data: {\n\n", "it is not JSON"),
        (f"data: {json.dumps({'choices': [CHOICE]})}\n\n", "it stopped in the middle"),
        ('data: {"error": {"message": "the slot died"}}\n\n', "the slot died"),
        ("<html>Welcome</html>\n", "it stopped in the middle"),
    ],
)
def test_malformed_streams(raw, why):
    with served(Manners(raw=raw)) as server, remote(server.url) as generator:
        pieces = generator.generate(ASK, max_tokens=5)
        with pytest.raises(ModelError, match=f"cannot be used: {why}"):
            "".join(pieces)


def test_a_stream_may_end_without_the_word_for_it():
    """Some servers close after the last choice."""
    events = [{"choices": [CHOICE]}, {"choices": [{"delta": {}, "finish_reason": "length"}]}]
    raw = "".join(f"data:{json.dumps(event)}\n" for event in events)
    with served(Manners(raw=raw)) as server, remote(server.url) as generator:
        assert "".join(generator.generate(ASK, max_tokens=5)) == "Hm"


def test_a_cut_connection_is_an_error_and_not_a_short_answer():
    with served(Manners(breaks_after=2)) as server, remote(server.url) as generator:
        pieces = generator.generate(ASK, max_tokens=40)
        assert list(itertools.islice(pieces, 2)) == ["Repairs", " cost"]
        with pytest.raises(ModelError, match="cannot be used"):
            next(pieces)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("The harbour reopened on Monday.", 7),  # 6 for the default model
        ("$212 million, up 68.7 %", 12),
        ("internationalisation", 3),
        ("Größe", 4),
        ("東京の港", 6),
        ("a\n\n\nb", 3),
        ("\ud83d", 1),
    ],
)
def test_estimated_tokens(text, tokens):
    assert estimated_tokens(text) == tokens
