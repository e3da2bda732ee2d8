"""The whole way of a question, offline: hashing embedder, copying generator, a real index of a tiny corpus."""

import dataclasses
import json
from contextlib import closing
from datetime import date

import pytest

from index import Filters, HashingEmbedder, SavedIndex, remove_articles
from index.errors import InputError
from rag import Chatbot, DoneEvent, Message, PassagesEvent, Settings, StatusEvent, TextEvent
from rag.chatbot import LONGEST_QUESTION
from rag.excerpts import whole_article
from rag.fakes import CopyingGenerator
from rag.periods import Period
from rag.refusing import REFUSAL

NO_FILTERS = {"articles": None, "sources": [], "tags": [], "since": None, "until": None, "undated": False}
TODAY = date(2026, 11, 25)


@pytest.fixture
def chatbot(tiny_index):
    with SavedIndex.open(tiny_index, embedder=HashingEmbedder()) as index:
        yield Chatbot(index, CopyingGenerator(), today=lambda: TODAY)


def test_an_answer_is_signed_with_the_very_sentence(chatbot):
    answer = chatbot.answer("What became of repairs of the harbour of Porto Claro?")
    assert not answer.abstained
    assert answer.reason is None
    assert answer.text == "The harbour of Porto Claro reopened on Monday."
    (citation,) = answer.citations
    article = chatbot.article(citation.article_id)
    assert article.text[citation.start : citation.end] == citation.quote == answer.text
    assert answer.text[citation.answer_start : citation.answer_end] == answer.text
    assert citation.path == "articles/harbour.txt"
    assert citation.date == "2021-03-03"
    assert citation.support == 1.0


def test_what_the_articles_do_not_tell_is_refused_with_the_nearest_passages(chatbot):
    answer = chatbot.answer("Which volcano destroyed Pompeii?")
    assert answer.abstained
    assert answer.text == REFUSAL
    assert answer.citations == ()
    assert answer.reason.startswith("No article mentions “Pompeii”. The closest sentence says: “")
    assert [passage.rank for passage in answer.passages] == list(range(1, len(answer.passages) + 1))
    assert answer.timings.first_token_s is None


class Inventing(CopyingGenerator):
    """Says something that no article holds, though the gate is open; `second` is what it thinks of what is cited."""

    def __init__(self, second: float) -> None:
        super().__init__()
        self.odds, self.second = 5.0, second

    def log_odds(self, messages):
        return self.odds

    def generate(self, messages, *, max_tokens):
        yield "Repairs cost "
        yield "$1.5 billion."
        self.odds = self.second


def test_an_invented_figure_is_never_shown(chatbot):
    answer = Chatbot(chatbot.index, Inventing(second=-5.0)).answer("How much did repairs cost?")
    assert answer.abstained
    assert "1.5" not in answer.text
    assert answer.reason == "A draft was written, but the passages do not contain “1.5 billion”, so it was not shown."


def test_quotes_are_given_where_the_draft_does_not_stand_if_quotes_are_wanted(chatbot):
    quoting = dataclasses.replace(chatbot.settings, answer_style="quote")
    answer = Chatbot(chatbot.index, Inventing(second=5.0), settings=quoting).answer("How much did repairs cost?")
    assert answer.text == "“Repairs cost 12 million euros, the mayor said.”"
    (citation,) = answer.citations
    assert citation.quote == "Repairs cost 12 million euros, the mayor said."
    assert (citation.answer_start, citation.answer_end) == (0, len(answer.text))
    assert [(item.text, item.kept) for item in answer.explanation.draft] == [("Repairs cost $1.5 billion.", False)]


class Misreading(CopyingGenerator):
    """Puts the words of a sentence together wrongly where it reads much, and not where it reads that sentence alone."""

    name = "default"  # whose confidence rests on that

    def __init__(self, second: float = 5.0) -> None:
        super().__init__()
        self.odds, self.second, self.again = 5.0, second, 0

    def log_odds(self, messages):
        return self.odds

    def generate(self, messages, *, max_tokens):
        if "shortest exact phrase" in messages[-1].content:
            self.again += 1
            yield "12 million euros"
        else:
            yield "Repairs cost the mayor."
            self.odds = self.second


def test_what_is_read_in_the_cited_sentences_alone_is_compared(chatbot):
    model = Misreading(1.0)
    answer = Chatbot(chatbot.index, model).answer("What did repairs cost?")
    # Once in what the draft cites, and once in all of the evidence, for another draft, which is no better.
    assert (answer.abstained, answer.signals.agreement, model.again) == (True, 0.0, 2)
    model = Misreading(1.0)
    everything = Settings(wrong_per_hundred=100)
    answer = Chatbot(chatbot.index, model, settings=everything).answer("What did repairs cost?")
    assert (answer.text, answer.signals.agreement, model.again) == ("Repairs cost the mayor.", 0.0, 1)


@pytest.mark.parametrize(
    ("question", "style", "second"),
    [("What did repairs cost?", "quote", 5.0), ("Did repairs cost the mayor?", "sentence", 5.0),
     ("What did repairs cost?", "sentence", 5.0), ("What did repairs cost?", "sentence", -5.0)],
)  # fmt: skip
def test_it_is_not_read_again_where_that_changes_nothing(chatbot, question, style, second):
    model = Misreading(second)
    answer = Chatbot(chatbot.index, model, settings=Settings(answer_style=style)).answer(question)
    # A draft that is doubted is written again, from a phrase that is read in all of the evidence.
    assert (answer.abstained, answer.signals.agreement, model.again) == (second < 0, None, int(second < 0))


class Evading(CopyingGenerator):
    """Writes something true that is not what was asked for."""

    def log_odds(self, messages):
        return 5.0

    def generate(self, messages, *, max_tokens):
        yield "The mayor said repairs cost euros."


def test_a_figure_that_is_asked_for_must_be_given(chatbot):
    answer = Chatbot(chatbot.index, Evading()).answer("How much did repairs cost?")
    assert answer.abstained
    assert answer.reason.startswith(
        "A draft was written, but it gives no figure, which is what is asked for. The closest"
    )


def test_in_the_style_quote_every_sentence_is_one_of_an_article(chatbot):
    asked = "What became of the railway line between Linz and Passau?"
    own = chatbot.answer(asked)
    quoting = dataclasses.replace(chatbot.settings, answer_style="quote")
    answer = Chatbot(chatbot.index, chatbot.generator, settings=quoting).answer(asked)
    assert [item.quote for item in answer.citations] == list(dict.fromkeys(item.quote for item in own.citations))
    assert answer.text == " ".join(f"“{item.quote.strip()}”" for item in answer.citations)
    for item in answer.citations:
        assert answer.text[item.answer_start : item.answer_end] == f"“{item.quote.strip()}”"


def test_events_come_in_order_and_end_with_the_answer(chatbot):
    events = list(chatbot.stream("What became of the railway line between Linz and Passau?"))
    assert next(event.type for event in events if event.type != "status") == "passages"
    assert isinstance(events[0], StatusEvent)
    assert events[0].text == "Searching 3 articles"
    draft = "".join(event.text for event in events if isinstance(event, TextEvent))
    done = events[-1]
    assert isinstance(done, DoneEvent)
    assert draft == done.answer.text
    assert [event.type for event in events[-2:]] == ["citations", "done"]
    found = next(event for event in events if isinstance(event, PassagesEvent))
    assert found.passages == done.answer.passages
    json.dumps([event.to_dict() for event in events])


def test_stop_ends_the_stream_without_an_answer(chatbot):
    seen = []
    for event in chatbot.stream(
        "What became of the railway line between Linz and Passau?",
        stop=lambda: any(isinstance(event, TextEvent) for event in seen),
    ):
        seen.append(event)
    assert [event.type for event in seen].count("text") == 1
    assert seen[-1].type == "text"
    # and the model is free again
    assert chatbot.answer("How much did the railway line cost?").model == "copying"


@pytest.mark.parametrize(
    "remove",
    [
        lambda chatbot, folder: remove_articles(folder, ["harbour.txt"]),
        lambda chatbot, folder: chatbot.remove_articles(["harbour.txt"]),
    ],
    ids=["by another process", "by the chatbot"],
)
def test_a_removed_article_is_gone_from_the_next_answer_on(chatbot, tiny_index, remove):
    question = "What became of repairs of the harbour of Porto Claro?"
    assert chatbot.answer(question).citations[0].path == "articles/harbour.txt"
    remove(chatbot, tiny_index)
    assert all(passage.path != "articles/harbour.txt" for passage in chatbot.answer(question).passages)


def test_a_follow_up_is_searched_together_with_the_question_before(chatbot):
    history = [Message("user", "When was the rye loaf of Olga Brandt first baked?"), Message("assistant", "In 1954.")]
    alone = chatbot.answer("Who gave the prize?")
    together = chatbot.answer("And what did she win?", history=history)
    assert together.passages[0].path == "articles/bakery.md"
    assert alone.question == "Who gave the prize?"


@pytest.mark.parametrize(
    ("question", "message"),
    [("  ", "The question is empty."), ("x" * (LONGEST_QUESTION + 1), "The question has 2,001 characters")],
)
def test_bad_questions_are_errors_that_say_so(chatbot, question, message):
    with pytest.raises(InputError, match=message):
        chatbot.answer(question)


def test_the_answer_as_json_has_the_promised_fields(chatbot):
    value = json.loads(json.dumps(chatbot.answer("How much did repairs of the harbour cost?").to_dict()))
    assert list(value) == [
        "question", "text", "abstained", "confidence", "reason", "citations", "passages", "timings", "model", "index",
        "usage", "searched", "signals", "notes", "skipped",
    ]  # fmt: skip
    assert value["searched"] == {
        "questions": ["How much did repairs of the harbour cost?"],
        "filters": NO_FILTERS,
        "inferred": NO_FILTERS,
        "periods": [],
        "latest": False,
        "notes": [],
    }
    assert set(value["timings"]) == {"search_s", "first_token_s", "total_s"}
    assert {"article_id", "start", "end", "text", "score", "rank", "used"} <= set(value["passages"][0])
    assert list(value["citations"][0]) == [
        "number", "answer_start", "answer_end", "article_id", "title", "source", "date", "url", "path", "start", "end",
        "quote", "support", "also_in", "page",
    ]  # fmt: skip


def test_settings_reach_the_search(chatbot):
    one = Chatbot(chatbot.index, CopyingGenerator(), settings=dataclasses.replace(Settings(), passages_per_question=1))
    assert len(one.answer("What reopened?").passages) == 1


def test_example_questions_name_what_the_articles_are_about(chatbot):
    questions = chatbot.example_questions()
    assert len(questions) == len(set(questions))
    assert all(question.startswith("What do the articles say about ") for question in questions)


def test_an_answer_may_be_limited_to_some_articles(chatbot):
    question = "What became of repairs of the harbour of Porto Claro?"
    ids = {article.path.rsplit("/", 1)[1]: article.id for article in chatbot.articles()}
    answer = chatbot.answer(question, articles=[ids["bakery.md"]])
    assert {passage.article_id for passage in answer.passages} == {ids["bakery.md"]}
    assert answer.abstained
    nothing = chatbot.answer(question, articles=[])
    assert (nothing.passages, nothing.abstained) == ((), True)


def paths(hits_or_passages):
    return [item.path.rsplit("/", 1)[1] for item in hits_or_passages]


def test_an_answer_may_be_limited_by_filters(chatbot):
    question = "What became of repairs of the harbour of Porto Claro?"
    filters = Filters(since="2021")
    answer = chatbot.answer(question, filters=filters)
    assert (paths(answer.passages), answer.abstained) == (["harbour.txt"], False)
    assert (answer.searched.filters, answer.searched.inferred) == (filters, Filters())
    wide = chatbot.answer(question, filters=dataclasses.replace(filters, undated=True))
    assert sorted(paths(wide.passages)) == ["harbour.txt", "railway.txt"]
    (bakery,) = [article.id for article in chatbot.articles() if article.path.endswith("bakery.md")]
    none = chatbot.answer(question, filters=filters, articles=[bakery])
    assert (none.passages, none.abstained) == ((), True)
    assert none.reason == "No article in the index is one of those named and from 2021 or later."
    assert chatbot.answer(question, filters=Filters(sources=("Reuters",), until="2018-07")).reason == (
        "No article in the index is from Reuters and from July 2018 or earlier."
    )
    assert [hit.article.id for hit in chatbot.search(question, filters=Filters(sources=("town gazette",)))] == [bakery]


def test_what_a_question_says_plainly_limits_the_search_and_is_said(chatbot):
    question = "According to the Town Gazette, who won the national bread prize in 2020?"
    events = list(chatbot.stream(question))
    note = "Only articles by Town Gazette, as the question says “According to the Town Gazette”"
    preferring = "Preferring articles of 2020, as the question says “in 2020”"
    assert events[0].text == f"Searching 1 of 3 articles. {note}. {preferring}"
    searched = events[-1].answer.searched
    assert paths(events[-1].answer.passages) == ["bakery.md"]
    assert (searched.filters, searched.inferred) == (Filters(), Filters(sources=("Town Gazette",)))
    assert (searched.periods, searched.latest, searched.notes) == ((Period("2020", "2020"),), False, (note, preferring))


def test_explicit_filters_are_never_overridden(chatbot):
    question = "According to the Town Gazette, who won the national bread prize in 2020?"
    answer = chatbot.answer(question, filters=Filters(articles=tuple(one.id for one in chatbot.articles())))
    assert len(answer.passages) == 3
    assert answer.searched.inferred == Filters()
    dated = chatbot.answer(question, filters=Filters(since="2021"))
    assert dated.passages == ()
    assert (dated.searched.periods, dated.searched.inferred) == ((), Filters(sources=("Town Gazette",)))


def test_a_preference_that_nothing_found_meets_is_not_noted(chatbot):
    answer = chatbot.answer("How much did repairs of the harbour cost in 1950?")
    assert (answer.searched.periods, answer.searched.notes) == ((Period("1950", "1950"),), ())


def test_a_follow_up_says_all_that_was_searched(chatbot):
    history = [Message("user", "When was the rye loaf first baked?"), Message("assistant", "In 1954.")]
    answer = chatbot.answer("And what did she win?", history=history)
    assert answer.searched.questions == (
        "And what did she win?", "When was the rye loaf first baked? And what did she win?",
    )  # fmt: skip


def test_the_work_of_the_model_is_counted(chatbot):
    answer = chatbot.answer("What became of repairs of the harbour of Porto Claro?")
    # The gate, the answer, and a look at the cited sentences.
    assert answer.usage.passes == 3
    assert answer.usage.tokens_read > 100
    assert answer.usage.tokens_written == len(answer.text.split())
    refused = chatbot.answer("Which volcano destroyed Pompeii?")
    assert (refused.usage.passes, refused.usage.tokens_written) == (1, 0)


class Phrase(CopyingGenerator):
    """Says one phrase, whatever it is asked."""

    def __init__(self, phrase):
        super().__init__()
        self.phrase = phrase

    def log_odds(self, messages):
        return 5.0

    def generate(self, messages, *, max_tokens):
        assert messages[-1].content.endswith(
            ("with Yes or No alone.", "shortest exact phrase from the excerpts. Add nothing else.")
        )
        yield self.phrase


@pytest.mark.parametrize(
    ("phrase", "quote"),
    [
        ("12 million euros", "Repairs cost 12 million euros, the mayor said."),
        ("Monday", "The harbour of Porto Claro reopened on Monday."),
        # A verdict has no words of its own: the sentence that fits the question is cited.
        ("Yes", "Repairs cost 12 million euros, the mayor said."),
    ],
)
def test_a_phrase_is_signed_with_the_sentence_that_holds_it_and_fits_the_question(chatbot, phrase, quote):
    asked = Chatbot(chatbot.index, Phrase(phrase), settings=Settings(answer_style="phrase"))
    answer = asked.answer("Did the repairs cost what the mayor of Porto Claro said?")
    assert answer.text == phrase
    (citation,) = answer.citations
    assert citation.quote == quote
    assert (citation.answer_start, citation.answer_end) == (0, len(phrase))


@pytest.mark.parametrize("phrase", ["13 million euros", "Ana Brandt", ""])
def test_a_phrase_that_stands_nowhere_is_never_shown(chatbot, phrase):
    asked = Chatbot(chatbot.index, Phrase(phrase), settings=Settings(answer_style="phrase"))
    answer = asked.answer("What became of repairs of the harbour of Porto Claro?")
    assert (answer.abstained, answer.citations) == (True, ())


def test_a_question_that_asks_two_things_gets_the_part_that_is_known(chatbot):
    question = "How much did repairs cost, and which volcano destroyed Pompeii?"
    events = list(chatbot.stream(question))
    answer = events[-1].answer
    assert answer.text == (
        "Repairs cost 12 million euros, the mayor said. The articles do not tell: “Which volcano destroyed Pompeii?”"
    )
    (citation,) = answer.citations
    assert answer.text[citation.answer_start : citation.answer_end] == citation.quote
    assert [event.type for event in events].count("passages") == 1
    assert [event.type for event in events[-2:]] == ["citations", "done"]
    assert answer.question == question


def test_what_is_searched_for_is_what_evidence_is_chosen_by(chatbot):
    history = [Message("user", "How much did repairs of the harbour cost?"), Message("assistant", "12 million euros.")]
    for question in ("And who said so?", "No, I meant the railway line."):
        answer = chatbot.answer(question, history=history)
        assert chatbot.searched_as(question, history=history) == answer.searched.questions[-1]
    assert chatbot.searched_as("Who won the prize?") == "Who won the prize?"


def test_the_same_question_again_is_answered_as_before_until_the_articles_change(chatbot):
    first = chatbot.answer("How much did the repairs cost?")
    again = chatbot.answer("How much did the repairs cost?")
    assert (again.text, again.citations, again.signals) == (first.text, first.citations, first.signals)
    assert (first.usage.passes > 0, again.usage.passes) == (True, 0)
    history = (Message("user", "Where is Porto Claro?"), Message("assistant", "In the south."))
    assert chatbot.answer("How much did the repairs cost?", history=history).usage.passes > 0
    assert chatbot.answer("How much did the repairs cost?", articles=[first.citations[0].article_id]).usage.passes > 0
    chatbot.forget()
    assert chatbot.answer("How much did the repairs cost?").usage.passes == first.usage.passes


class ReadingAhead(CopyingGenerator):
    """Notes what it is given to read ahead, and which extracts its prompts have."""

    def __init__(self):
        super().__init__()
        self.read, self.extracts = [], []

    def read_ahead(self, messages, *, most_tokens, stop=lambda: False):
        self.read.append((messages[-1].content, most_tokens))
        return True

    def has_read(self, messages):
        return messages[-1].content in {content for content, _ in self.read}

    def log_odds(self, messages):
        self.extracts.append(messages[-1].extracts)
        return super().log_odds(messages)


HARBOUR = "What became of repairs of the harbour of Porto Claro?"


def test_few_articles_are_all_read_ahead_and_prompts_tell_what_was(tiny_index):
    generator = ReadingAhead()
    with closing(Chatbot(SavedIndex.open(tiny_index, embedder=HashingEmbedder()), generator)) as chatbot:
        before = chatbot.answer(HARBOUR)
        assert (generator.read, set(generator.extracts)) == ([], {()})
        chatbot.read_ahead(wait=True)
        wholes = {whole_article(article).text for article in chatbot.articles()}
        assert {content for content, _ in generator.read} == wholes
        assert len(generator.read) == len(wholes) == chatbot.article_count()
        assert {tokens for _, tokens in generator.read} == {8_000}
        generator.extracts.clear()
        chatbot.forget()
        after = chatbot.answer(HARBOUR)
        assert (after.text, after.citations) == (before.text, before.citations)
        assert {extract.whole for extract in generator.extracts[0]} <= wholes
        assert generator.extracts[0]
        # What is cited is judged by itself, without what stands around it.
        assert generator.extracts[1:] == [()] * (len(generator.extracts) - 1)


def test_where_there_is_no_room_for_all_what_was_asked_about_is_read(tiny_index):
    generator = ReadingAhead()
    index = SavedIndex.open(tiny_index, embedder=HashingEmbedder())
    with closing(Chatbot(index, generator, settings=Settings(read_ahead_tokens=30))) as chatbot:
        chatbot.read_ahead(wait=True)
        assert generator.read == []
        cited = chatbot.answer(HARBOUR).citations[0].article_id
        chatbot.read_ahead(wait=True)
        assert whole_article(chatbot.article(cited)).text in {content for content, _ in generator.read}


@pytest.mark.parametrize("generator", [CopyingGenerator(), ReadingAhead()], ids=["cannot", "may not"])
def test_nothing_is_read_ahead_by_what_cannot_or_may_not(tiny_index, generator):
    index = SavedIndex.open(tiny_index, embedder=HashingEmbedder())
    settings = Settings(read_ahead_tokens=0 if hasattr(generator, "read") else 8_000)
    with closing(Chatbot(index, generator, settings=settings)) as chatbot:
        chatbot.read_ahead(wait=True)
        assert chatbot.answer(HARBOUR).citations[0].path == "articles/harbour.txt"
    assert getattr(generator, "read", []) == []
