"""Questions about one article are answered from what it says of itself, or refused, and never guessed."""

from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import Filters, HashingEmbedder, SavedIndex, update_index
from rag import Chatbot
from rag.fakes import CopyingGenerator
from rag.one_article import ArticleQuestion, find_article_answer, parse_article_question
from rag.refusing import REFUSAL

TODAY = date(2026, 11, 26)
SOURCES = ("CNBC", "Daily Times")
TIMES = {"sources": ("Daily Times",)}
JULY = {"since": "2018-07", "until": "2018-07"}


def parse(question):
    return parse_article_question(question, sources=SOURCES, today=TODAY)


def asked(detail, about=None, **filters):
    return ArticleQuestion(detail, about, Filters(**filters))


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Who wrote the article about the eWTP?", asked("author", "the eWTP")),
        ("who is the author of that story on alibaba's rally", asked("author", "alibaba's rally")),
        ("What is the name of the author of the Daily Times article?", asked("author", **TIMES)),
        ("By whom was the news article about storms written?", asked("author", "storms")),
        ("Can you tell me who wrote the article titled “Harbour reopens”?", asked("author", "Harbour reopens")),
        ("When was the Daily Times article published?", asked("date", **TIMES)),
        ("On what day did the Daily Times publish its piece on Alibaba?", asked("date", "Alibaba", **TIMES)),
        ("What is the publication date of the report about trains?", asked("date", "trains")),
        ("In which newspaper was the article of July 2018 published?", asked("source", **JULY)),
        ("Where was the article about trains published?", asked("source", "trains")),
        ("Which newspaper published the story about Snapdeal?", asked("source", "Snapdeal")),
        ("What is the headline of the CNBC article?", asked("title", sources=("CNBC",))),
        ("the title of the article about bread", asked("title", "bread")),
        ("Who wrote the article?", asked("author")),
    ],
)
def test_questions_about_one_article(question, expected):
    assert parse(question) == expected


@pytest.mark.parametrize(
    "question",
    [
        "Who wrote the letter about the eWTP?",
        "Who wrote the article about the eWTP, and what is the author's position?",
        "Who wrote the article about Alibaba and when did it appear?",
        "In which fields does the writer of the Daily Times article do research?",
        "Who wrote the law that the article about trains mentions?",
        "When was the company in the article about trains founded?",
        "Who published the report?!: what did it say",
        "When was the report on revenue released in May 2024 by CNBC published in the Daily Times?",
        "Which articles mention Snapdeal?",
        "Who founded Alibaba?",
    ],
)
def test_other_questions_go_the_ordinary_way(question):
    assert parse(question) is None


def told(index, question, **scope):
    found = find_article_answer(index, question, scope=Filters(**scope), today=TODAY)
    return None if found is None else (found.text, found.reason, [citation.quote for citation in found.citations])


def test_details_are_signed_by_the_sentence_that_states_them(tiny_saved_index):
    name = "“Harbour reopens after storm”"
    assert told(tiny_saved_index, "Who wrote the article about the harbour after the storm?") == (
        f"The article {name} was written by Ana Silva.", None, ["By Ana Silva"],
    )  # fmt: skip
    assert told(tiny_saved_index, "When was the article about the harbour after the storm published?") == (
        f"The article {name} was published on 3 March 2021.", None, ["Published on March 3, 2021"],
    )  # fmt: skip
    assert told(tiny_saved_index, "What is the headline of the article about the harbour after the storm?") == (
        f"The headline of the article is {name}.", None, ["Harbour reopens after storm"],
    )  # fmt: skip


def test_what_stands_beside_the_text_is_told_without_a_citation(tiny_saved_index):
    found = find_article_answer(
        tiny_saved_index, "Who published the article about the bakery's prize?", scope=Filters(), today=TODAY
    )
    assert found.text == "The article “Bakery wins prize” was published by Town Gazette."
    assert (found.citations, found.notes) == (
        (), ("No sentence of the article says so: its file states it beside the text.",),
    )  # fmt: skip


def test_what_an_article_does_not_say_of_itself_is_refused(tiny_saved_index):
    assert told(tiny_saved_index, "Who wrote the article about the railway line between Linz and Passau?") == (
        REFUSAL, "The article “New railway line approved” does not say who wrote it.", [],
    )  # fmt: skip


def test_only_an_article_that_is_clearly_meant_is_answered_about(tiny_saved_index):
    assert told(tiny_saved_index, "Who wrote the article?") is None
    assert told(tiny_saved_index, "Who wrote the article about the sea of tranquility?") is None
    assert told(tiny_saved_index, "When was the Town Gazette article published?")[0] == (
        "The article “Bakery wins prize” was published on 17 May 2020."
    )
    assert told(tiny_saved_index, "Who wrote the article of March 2021?")[0].endswith("was written by Ana Silva.")
    assert told(tiny_saved_index, "Who wrote the article of March 2019?") is None
    # The only one of that time, but about something else.
    assert told(tiny_saved_index, "Who wrote the article of March 2021 about the harbour?")[0].endswith("by Ana Silva.")
    assert told(tiny_saved_index, "Who wrote the article of March 2021 about volcanoes?") is None


def test_an_article_without_a_headline_is_named_by_its_citation(tmp_path):
    article = tmp_path / "000_0932.txt"
    article.write_text("the mill was sold in may, and nobody knows why. Published in Daily Times, July 19th 2018.\n")
    update_index(tmp_path / "index", [article], embedder=HashingEmbedder())
    with SavedIndex.open(tmp_path / "index", embedder=HashingEmbedder()) as index:
        found = find_article_answer(
            index, "When was the article about the mill published?", scope=Filters(), today=TODAY
        )
        assert found.text == "The article was published on 19 July 2018."
        assert [(Path(c.path).name, c.quote) for c in found.citations] == [
            ("000_0932.txt", "Published in Daily Times, July 19th 2018."),
        ]


def test_articles_about_the_same_are_told_apart_by_their_own_words(tmp_path):
    for name, text in (("a", "Jo Berg bought a mill."), ("b", "Jo Berg sold a ship.")):
        (tmp_path / f"{name}.md").write_text(f"---\nauthor: Writer {name.upper()}\n---\n\n{text}\n", encoding="utf-8")
    update_index(tmp_path / "index", [tmp_path / "a.md", tmp_path / "b.md"], embedder=HashingEmbedder())
    with SavedIndex.open(tmp_path / "index", embedder=HashingEmbedder()) as index:
        assert (
            told(index, "Who wrote the article about Jo Berg's ship?")[0] == "The article b.md was written by Writer B."
        )
        assert told(index, "Who wrote the article about Jo Berg?") is None
        assert told(index, "Who wrote the article about Jo Berg's arrest in a shipyard?") is None


def test_only_articles_within_the_filters_are_looked_at(tiny_saved_index):
    question = "Who wrote the article about the harbour after the storm?"
    assert told(tiny_saved_index, question, since="2021") is not None
    assert told(tiny_saved_index, question, since="2022") is None


def test_a_name_that_is_only_spoken_of_signs_nothing(tmp_path):
    article = tmp_path / "a.md"
    article.write_text(
        "---\ntitle: Rye\nauthor: Ana Silva\n---\n\nRye was praised by critics. Many asked who Ana Silva was.\n",
        encoding="utf-8",
    )
    update_index(tmp_path / "index", [article], embedder=HashingEmbedder())
    with SavedIndex.open(tmp_path / "index", embedder=HashingEmbedder()) as index:
        assert told(index, "Who wrote the article about rye?") == (
            "The article “Rye” was written by Ana Silva.",
            None,
            [],
        )


def test_the_chatbot_answers_and_refuses_without_the_model(tiny_saved_index):
    with closing(Chatbot(tiny_saved_index, CopyingGenerator())) as chatbot:
        answer = chatbot.answer("Who wrote the article about the harbour after the storm?")
        assert (answer.text, answer.abstained, answer.confidence) == (
            "The article “Harbour reopens after storm” was written by Ana Silva.", False, 1.0,
        )  # fmt: skip
        assert answer.usage.passes == 0
        [citation] = answer.citations
        assert (citation.quote, answer.text[citation.answer_start : citation.answer_end]) == (
            "By Ana Silva",
            answer.text,
        )
        refusal = chatbot.answer("Who wrote the article about the railway line between Linz and Passau?")
        assert (refusal.text, refusal.abstained, refusal.confidence) == (REFUSAL, True, 0.0)
        assert refusal.passages[0].title == "New railway line approved"


@given(st.text(max_size=60))
def test_any_question_can_be_read(text):
    parse(f"Who wrote the article about {text}?")
    parse(f"{text} the article of {text}")
