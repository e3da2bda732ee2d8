"""A question put to a whole chatbot (offline), and the rows of a run on disk."""

import dataclasses
import json

import pytest

from eval.asking import Asker
from eval.baselines import always_answer, always_refuse, baseline_outcomes, keyword_only
from eval.outcomes import GoldEvidence, Place, locate
from eval.provenance import Provenance
from eval.questions import EvidenceQuote, Question
from eval.run import ROWS_FILE, read_rows, run_questions
from index import HashingEmbedder, SavedIndex, update_index
from index.errors import InputError
from rag import Chatbot
from rag.fakes import CopyingGenerator

REPAIRS = "Repairs cost 12 million euros, the mayor said."
WITH = Provenance("abc", "2026-01-01", {"answer_style": "sentence"}, {}, {"articles": 3}, {}, {})
QUESTIONS = (
    Question(
        "cost",
        "What became of repairs of the harbour of Porto Claro?",
        answers=(("12 million",),),
        answerable=True,
        evidence=(EvidenceQuote("harbour.txt", REPAIRS),),
    ),
    Question("volcano", "Which volcano destroyed Pompeii?", answers=(), answerable=False, evidence=()),
    Question("loaf", "Since when has the rye loaf been baked?", articles=("bakery.md",), task="search"),
)


@pytest.fixture
def chatbot(tiny_index):
    with SavedIndex.open(tiny_index, embedder=HashingEmbedder()) as index:
        yield Chatbot(index, CopyingGenerator())


@pytest.fixture
def asker(chatbot):
    return Asker(chatbot)


def text_at(chatbot: Chatbot, place: Place) -> str:
    (article,) = [item for item in chatbot.articles() if item.path.endswith("/" + place.article)]
    return article.text[place.start : place.end]


def test_the_outcome_holds_what_was_found_read_and_said(asker, chatbot):
    outcome = asker.ask(QUESTIONS[0]).outcome
    (gold,) = outcome.gold
    assert [text_at(chatbot, place) for place in gold.places] == [REPAIRS]
    assert outcome.ranking[0].article == "harbour.txt"
    assert gold.found_in(outcome.ranking[0])
    assert REPAIRS in [text_at(chatbot, place) for place in outcome.chosen]
    assert outcome.answer == dataclasses.replace(
        chatbot.answer(QUESTIONS[0].question),
        timings=outcome.answer.timings,
        usage=outcome.answer.usage,
        explanation=outcome.answer.explanation,
    )
    assert outcome.tokens_in == outcome.answer.usage.tokens_read > 0
    assert outcome.tokens_out == len(outcome.answer.text.split())
    assert [text_at(chatbot, place) for place in outcome.cited] == [c.quote for c in outcome.answer.citations]


def test_a_scope_limits_search_and_baseline(asker):
    row = asker.ask(QUESTIONS[2])
    assert {place.article for place in row.outcome.ranking} == {"bakery.md"}
    assert {place.article for place in row.keyword.ranking} == {"bakery.md"}
    assert row.outcome.answer is None
    assert row.outcome.gold is None


def test_a_claim_is_judged_by_its_own_task(asker):
    claim = Question("c", "Trains will run from 2031.", answerable=True, articles=("railway.txt",), task="support")
    row = asker.ask(claim)
    # The copying generator: ten times the share of the claim's words in the best sentence, less six.
    assert row.outcome.support_score == pytest.approx(10 * 1.0 - 6)
    assert row.keyword.support_score == 1.0
    assert row.outcome.answer is None


def test_the_keyword_baseline_quotes_the_sentence_with_most_words_and_refuses_only_without_any(asker):
    row = asker.ask(QUESTIONS[0])
    assert row.keyword.answer.text == "The harbour of Porto Claro reopened on Monday."
    assert row.keyword.answer.confidence == pytest.approx(3 / 5)  # harbour, porto, claro; not become, repair
    assert asker.ask(QUESTIONS[1]).keyword.answer.abstained
    assert keyword_only(row) is row.keyword


def test_baselines_change_nothing_but_whether_it_is_answered(asker):
    answered, refused = asker.ask(QUESTIONS[0]), asker.ask(QUESTIONS[1])
    assert always_refuse(answered).reply == ""
    assert always_answer(answered) == answered.outcome
    assert refused.outcome.reply == ""
    assert always_answer(refused).reply == refused.nearest.quote
    assert always_answer(refused).answer.citations == (refused.nearest,)
    assert list(baseline_outcomes([answered, refused])) == ["always-refuse", "always-answer", "keyword-only"]
    assert list(baseline_outcomes([asker.ask(QUESTIONS[2])])) == ["keyword-only"]


def test_quotes_that_are_not_there_are_told_and_not_scored(asker):
    question = Question(
        "q", "?", evidence=(EvidenceQuote("harbour.txt", "No such words."), EvidenceQuote("none.txt", "x"))
    )
    assert asker.check([question]) == (
        "q: harbour.txt does not contain “No such words.”",
        "q: the article none.txt is not in the index",
    )
    outcome = asker.ask(question).outcome
    assert outcome.gold is None
    assert outcome.unfound == ("No such words.", "x")


def test_a_group_of_quotes_is_one_thing_to_be_found(asker):
    question = Question(
        "q",
        "Harbour?",
        evidence=(
            EvidenceQuote("harbour.txt", REPAIRS, "cost"),
            EvidenceQuote("railway.txt", "The line will cost 4.6 billion euros.", "cost"),
            EvidenceQuote("bakery.md"),
        ),
    )
    alternatives, whole = asker.ask(question).outcome.gold
    assert [place.article for place in alternatives.places] == ["harbour.txt", "railway.txt"]
    assert whole.whole_article
    assert whole.found_in(Place("bakery.md", 3, 4))
    assert not whole.found_in(Place("harbour.txt", 3, 4))


def test_articles_of_the_same_name_cannot_be_judged(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.txt").write_text(f"The {folder} harbour reopened on Monday.")
    update_index(tmp_path / "index", [tmp_path / "a", tmp_path / "b"], embedder=HashingEmbedder())
    with (
        SavedIndex.open(tmp_path / "index", embedder=HashingEmbedder()) as index,
        pytest.raises(InputError, match="Two articles of the index are called same"),
    ):
        Asker(Chatbot(index, CopyingGenerator()))


def test_a_quote_is_located_whatever_its_white_space():
    text = "It cost  12\nmillion. It cost 12 million."
    assert [text[start:end] for start, end in locate("cost 12 million.", text)] == [
        "cost  12\nmillion.",
        "cost 12 million.",
    ]
    assert locate("cost 13", text) == ()
    assert locate(" ", text) == ()


@pytest.mark.parametrize(
    ("span", "found"), [((0, 10), True), ((5, 15), True), ((6, 16), False), ((2, 4), True), ((10, 20), False)]
)
def test_evidence_is_found_where_half_of_the_shorter_span_is_shared(span, found):
    assert GoldEvidence((Place("a", 0, 10),)).found_in(Place("a", *span)) is found
    assert not GoldEvidence((Place("a", 0, 10),)).found_in(Place("b", *span))


def test_rows_come_back_from_disk_as_they_were(asker, tmp_path):
    run = run_questions(QUESTIONS, asker, folder=tmp_path, provenance=WITH)
    assert run.complete
    assert run.peak_memory_mb > 10
    assert [row.outcome.question.id for row in run.rows] == ["cost", "volcano", "loaf"]
    assert read_rows(tmp_path / ROWS_FILE) == run.rows


class Interrupted(Asker):
    """Ctrl-C at the second question."""

    def ask(self, question):
        if question.id == "volcano":
            raise KeyboardInterrupt
        return super().ask(question)


def test_an_interrupted_run_keeps_what_is_done_and_goes_on(chatbot, asker, tmp_path):
    broken = run_questions(QUESTIONS, Interrupted(chatbot), folder=tmp_path, provenance=WITH)
    assert not broken.complete
    assert [row.outcome.question.id for row in broken.rows] == ["cost"]
    # A kill in the middle of a line leaves half a row.
    with open(tmp_path / ROWS_FILE, "a", encoding="utf-8") as file:
        file.write('{"outcome": {"quest')
    asked = []

    class Counting(Asker):
        def ask(self, question):
            asked.append(question.id)
            return super().ask(question)

    run = run_questions(QUESTIONS, Counting(chatbot), folder=tmp_path, provenance=WITH, resume=True)
    assert asked == ["volcano", "loaf"]
    assert run.complete
    assert run.rows[0] == broken.rows[0]
    assert run.peak_memory_mb is None
    assert [row.outcome.question.id for row in read_rows(tmp_path / ROWS_FILE)] == ["cost", "volcano", "loaf"]


@pytest.mark.parametrize(
    "changed",
    [{"settings": {"answer_style": "phrase"}}, {"index": {"articles": 4}}, {"commit": "abd"}, {"models": {"x": {}}}],
)
def test_rows_of_another_configuration_are_not_mixed_in(asker, tmp_path, changed):
    run_questions(QUESTIONS[:1], asker, folder=tmp_path, provenance=WITH)
    other = dataclasses.replace(WITH, **changed)
    with pytest.raises(InputError, match="was made with other questions, code, settings, models or articles"):
        run_questions(QUESTIONS[:1], asker, folder=tmp_path, provenance=other, resume=True)
    with pytest.raises(InputError, match="other questions"):
        run_questions(QUESTIONS[1:2], asker, folder=tmp_path, provenance=WITH, resume=True)
    # The machine and the day change nothing that a row depends on.
    elsewhere = dataclasses.replace(WITH, machine={"cores": 64}, date="2027-01-01")
    assert run_questions(QUESTIONS[:1], asker, folder=tmp_path, provenance=elsewhere, resume=True).complete


def test_a_file_that_holds_no_rows_is_a_clear_error(tmp_path):
    for content in (None, "", "{}\n", "not json\n"):
        if content is not None:
            (tmp_path / ROWS_FILE).write_text(content)
        with pytest.raises(InputError, match="does not hold the rows of a run"):
            read_rows(tmp_path / ROWS_FILE)


def test_progress_counts_the_questions(asker, tmp_path):
    said = []
    run_questions(QUESTIONS[:2], asker, folder=tmp_path, provenance=WITH, progress=lambda *step: said.append(step))
    assert said == [("asking", 0, 2), ("asking", 1, 2), ("asking", 2, 2)]
    assert json.loads((tmp_path / ROWS_FILE).read_text().splitlines()[0])["byline_rows"] == 1
