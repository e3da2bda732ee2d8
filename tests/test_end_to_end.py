"""The real default model on the project's own articles: what a stranger asks first."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from eval.reading import read_questions
from index import HashingEmbedder, update_index
from index.paths import Home, project_seeds
from rag import Chatbot, load_settings, open_chatbot
from rag.refusing import REFUSAL

pytestmark = [pytest.mark.model, pytest.mark.timeout(1800)]

QUESTIONS_CHECKED = 30


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Home:
    """A home of its own with the models that the set-up fetched, so that no test touches anybody's index."""
    root = tmp_path_factory.mktemp("home")
    (root / "models").symlink_to(Home.from_environment().models)
    return Home(root)


@pytest.fixture(scope="module")
def chatbot(home) -> Chatbot:
    return open_chatbot(load_settings(home, environment={}), home=home)


def test_the_sales_of_xinjiang_products_are_signed_with_the_very_sentence(chatbot):
    answer = chatbot.answer("How much did products from Xinjiang generate in sales on Tmall?")
    assert "$212 million" in answer.text
    assert [citation.quote for citation in answer.citations] == [
        "Products from Xinjiang generated $212 million in sales on Tmall, up 68.7% from last year."
    ]


def test_the_peak_of_alibaba_is_signed(chatbot):
    answer = chatbot.answer("How big was Alibaba at its peak?")
    assert "$858 billion" in answer.text
    assert any("$858 billion" in citation.quote for citation in answer.citations)


@pytest.fixture(scope="module")
def ahead(home) -> Iterator[Chatbot]:
    """The same with all four articles read ahead, as the page has them soon after its start."""
    with closing(open_chatbot(load_settings(home, environment={}), home=home)) as opened:
        opened.read_ahead(wait=True)
        yield opened


@pytest.fixture(params=["cold", "read ahead"])
def either(request) -> Chatbot:
    return request.getfixturevalue("chatbot" if request.param == "cold" else "ahead")


def test_what_was_read_ahead_is_not_read_again(chatbot, ahead):
    question = "How much did products from Xinjiang generate in sales on Tmall?"
    cold, hot = chatbot.answer(question, seconds=60), ahead.answer(question, seconds=60)
    assert "$212 million" in cold.text
    assert "$212 million" in hot.text
    assert [citation.quote for citation in hot.citations] == [citation.quote for citation in cold.citations]
    first_cold, first_hot = (
        next(step.tokens_read for step in answer.explanation.steps if step.name == "answerable")
        for answer in (cold, hot)
    )
    assert first_cold > 200
    assert first_hot < 60


def test_what_three_articles_tell_differently_is_quoted_side_by_side(either):
    answer = either.answer("What is Alibaba worth?")
    for figure, date in (("$476 billion", "19 July 2018"), ("$300 billion", "date unknown"), ("$858 billion", "2020")):
        assert figure in answer.text
        assert date in answer.text
        assert any(figure in citation.quote for citation in answer.citations)


@pytest.mark.parametrize(
    "question",
    ["What was Alibaba's revenue in fiscal 2024?", "Who is the CEO of Snapdeal?", "What is the capital of France?"],
)
def test_what_the_articles_do_not_tell_is_refused(either, question):
    answer = either.answer(question)
    assert answer.abstained
    assert answer.text == REFUSAL
    assert answer.citations == ()
    assert answer.passages[0].rank == 1


def test_every_offset_of_thirty_answers_points_at_its_quote(home):
    # The small model with the gates open: offsets do not depend on the model, and nothing is refused unanswered.
    opened = {"model": "small", "wrong_per_hundred": 100}
    chatbot = open_chatbot(load_settings(home, environment={}, overrides=opened), home=home)
    file = Path(__file__).parent.parent / "eval" / "seed_questions.jsonl"
    asked = [question for question in read_questions(file) if question.answerable][:QUESTIONS_CHECKED]
    originals = {path.name: path.read_text(encoding="utf-8") for path in project_seeds().iterdir()}
    cited = 0
    for question in asked:
        answer = chatbot.answer(question.question)
        assert answer.abstained == (not answer.citations)
        for citation in answer.citations:
            cited += 1
            assert chatbot.article(citation.article_id).text[citation.start : citation.end] == citation.quote
            assert originals[Path(citation.path).name][citation.start : citation.end] == citation.quote
            assert answer.text[citation.answer_start : citation.answer_end].strip() != ""
        for passage in answer.passages:
            assert chatbot.article(passage.article_id).text[passage.start : passage.end] == passage.text
    assert len(asked) == QUESTIONS_CHECKED
    assert cited >= QUESTIONS_CHECKED // 2


def test_it_answers_with_the_network_shut(home):
    """After the set-up nothing may reach out: every attempt to connect or look up a name ends the program."""
    program = """
import socket, sys
def shut(*arguments, **options):
    print("network:", arguments[:2], file=sys.stderr); sys.stderr.flush()
    raise SystemExit(99)
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = shut
from rag import answer
print(answer("How much did products from Xinjiang generate in sales on Tmall?"))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"BYLINE_HOME": str(home.root), "PATH": "/usr/bin:/bin", "HOME": str(home.root)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "$212 million" in done.stdout


def test_an_index_of_another_embedder_is_refused_with_both_names(home, tmp_path, monkeypatch):
    from index.errors import EmbedderMismatch

    folder = tmp_path / "other"
    update_index(folder, [project_seeds()], embedder=HashingEmbedder())
    settings = load_settings(home, environment={}, overrides={"index": str(folder)})
    with pytest.raises(EmbedderMismatch) as caught:
        open_chatbot(settings, home=home)
    assert caught.value.asked_with == "minilm"
    assert caught.value.indexed_with == "hashing"
    assert "--rebuild" in (caught.value.help or "")
