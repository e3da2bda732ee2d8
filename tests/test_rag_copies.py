"""One report in several articles: what is a copy, what is not, and that nothing is lost by it."""

import dataclasses

import pytest

from index import Filters, HashingEmbedder, SavedIndex, update_index
from index.types import Article, Hit, Passage, Sentence
from rag import Chatbot
from rag.copies import collapse_copies, find_copies, says_the_same
from rag.evidence import choose_evidence
from rag.fakes import CopyingGenerator

REPORT = (
    "The harbour of Porto Claro reopened on Monday after a storm.",
    "Repairs of the northern pier cost 12 million euros, the mayor said.",
    "Fishing boats had waited three weeks outside the bay.",
    "Ferries to the islands sail again from Thursday, the port authority said.",
)
LEAD = "PORTO CLARO, March 3 (Agency) - Boats are back at sea."
OTHER_REPORT = (
    "Boats returned to Porto Claro on Monday as its harbour opened again.",
    "The mayor put the bill for the northern pier at 12 million euros.",
    "A storm had closed the bay for three weeks.",
)


def article(name, *texts):
    return Article(
        id=name, path=f"{name}.txt", location=f"/{name}", text=" ".join(texts), source=f"{name} News", date="2021"
    )


def hit(name, *texts, score=0.5, rank=1, scores=None):
    whole, found, start = article(name, *texts), [], 0
    for text in texts:
        found.append(Sentence(name, start, start + len(text), text))
        start += len(text) + 1
    passage = Passage(rank, name, 0, len(whole.text), whole.text, tuple(found))
    return Hit(passage, whole, score, rank, tuple(scores or [score] * len(found)))


def grouped(*hits):
    return [(kept.article.id, [copy.article.id for copy in kept.copies]) for kept in collapse_copies(hits)]


def test_an_exact_copy_is_named_at_the_better_hit():
    assert grouped(hit("a", *REPORT), hit("b", *REPORT)) == [("a", ["b"])]
    assert grouped(hit("b", *REPORT), hit("a", *REPORT)) == [("b", ["a"])]


def test_a_copy_may_have_a_lead_of_its_own_and_small_edits():
    edited = (
        LEAD,
        REPORT[0].replace("on Monday", "on Monday, March 3,"),
        *REPORT[1:3],
        "Ferries to the islands will sail again from Thursday, the port authority said.",
    )
    assert grouped(hit("a", *REPORT), hit("b", *edited)) == [("a", ["b"])]
    assert grouped(hit("b", *edited), hit("a", *REPORT)) == [("b", ["a"])]


def test_three_copies_are_one():
    assert grouped(hit("a", *REPORT), hit("b", LEAD, *REPORT), hit("x", *OTHER_REPORT), hit("c", *REPORT[:3])) == [
        ("a", ["b", "c"]),
        ("x", []),
    ]


def test_passages_of_a_copy_need_not_begin_where_those_of_the_original_do():
    first, second = hit("a", *REPORT[:2]), hit("a", *REPORT[2:], rank=2)
    assert grouped(first, second, hit("b", *REPORT[1:3])) == [("a", ["b"]), ("a", [])]


@pytest.mark.parametrize(
    "other",
    [
        OTHER_REPORT,
        # A statement that both quote, in reports of their own.
        (REPORT[1], *OTHER_REPORT[:1], *OTHER_REPORT[2:]),
        # The same form with other figures, and with the opposite.
        [text.replace("12", "15").replace("three", "four").replace("Monday", "Friday") for text in REPORT[:3]],
        [text.replace("reopened", "closed").replace("had waited", "never waited") for text in REPORT[::2]],
    ],
)
def test_another_report_of_the_same_event_is_none(other):
    assert grouped(hit("a", *REPORT), hit("b", *other)) == [("a", []), ("b", [])]


def test_an_article_that_repeats_itself_is_no_copy():
    assert grouped(hit("a", *REPORT), hit("a", *REPORT, rank=2)) == [("a", []), ("a", [])]


def test_sentences_that_any_article_may_hold_make_no_copies():
    assert grouped(hit("a", "Read more here."), hit("b", "Read more here.")) == [("a", []), ("b", [])]


@pytest.mark.parametrize(
    ("sentence", "other", "same"),
    [
        (REPORT[1], REPORT[1], True),
        (REPORT[1], REPORT[1].replace("cost", "have cost"), True),
        (REPORT[1], REPORT[1].replace("12", "13"), False),
        (REPORT[1], REPORT[1].replace("cost", "did not cost"), False),
        ("Alibaba surpassed Tencent in value.", "Tencent surpassed Alibaba in value.", False),
        # The other says less, or much more.
        (REPORT[1], "Repairs of the northern pier cost 12 million euros.", False),
        (
            "Repairs cost 12 million.",
            REPORT[1].replace("euros", "euros, twice what was planned, and will go on"),
            False,
        ),
        ("", REPORT[0], False),
    ],
)
def test_what_says_the_same(sentence, other, same):
    assert says_the_same(sentence, other) is same


def test_a_cited_sentence_names_the_copies_that_hold_it_with_their_places():
    copy = hit("b", LEAD, *REPORT, rank=2)
    (found,) = collapse_copies([hit("a", *REPORT), copy])
    evidence = choose_evidence("What did repairs cost?", [found], tokens=100, count_tokens=lambda text: 5)
    texts = [item.sentence.text for item in evidence.sentences]
    assert texts.count(REPORT[1]) == 1
    item = evidence.sentences[texts.index(REPORT[1])]
    (also,) = item.also_in
    assert (item.article.id, also.article_id, also.source) == ("a", "b", "b News")
    assert copy.article.text[also.start : also.end] == REPORT[1]
    # What the copy alone says is not lost, and is said to stand there alone.
    lead = next(item for item in evidence.sentences if item.sentence.text == LEAD)
    assert (lead.article.id, lead.also_in) == ("b", ())


def test_a_statement_that_two_reports_quote_is_found_in_both():
    quoting = hit("x", OTHER_REPORT[0], REPORT[1], rank=2)
    (found,) = find_copies(hit("a", *REPORT).passage.sentences[1], [hit("a", *REPORT), quoting])
    assert (found.article_id, found.start) == ("x", len(OTHER_REPORT[0]) + 1)


@pytest.fixture
def chatbot(tmp_path):
    texts = {"a": REPORT, "b": (LEAD, *REPORT), "x": OTHER_REPORT, "c": ("The bakery of Linz sells rye bread.",)}
    folder = tmp_path / "articles"
    folder.mkdir()
    for name, sentences in texts.items():
        head = f"---\ntitle: Report {name}\nsource: {name.upper()} News\ndate: 2021-03-0{len(sentences)}\n---\n"
        (folder / f"{name}.md").write_text(head + " ".join(sentences) + "\n")
    update_index(tmp_path / "index", [folder], embedder=HashingEmbedder())
    with SavedIndex.open(tmp_path / "index", embedder=HashingEmbedder()) as index:
        yield Chatbot(index, CopyingGenerator())


QUESTION = "What did repairs of the northern pier cost, the mayor said?"


def names(answer):
    return sorted(passage.path.rsplit("/", 1)[1] for passage in answer.passages)


def test_an_answer_cites_one_and_names_the_other(chatbot):
    answer = chatbot.answer(QUESTION)
    assert names(answer) in (["a.md", "c.md", "x.md"], ["b.md", "c.md", "x.md"])
    (citation,) = answer.citations
    (also,) = citation.also_in
    assert citation.quote == REPORT[1]
    assert {citation.source, also.source} == {"A News", "B News"}
    assert chatbot.article(also.article_id).text[also.start : also.end] == REPORT[1]
    passage = next(one for one in answer.passages if one.article_id == citation.article_id)
    assert [one.article_id for one in passage.also_in] == [also.article_id]
    assert passage.used


def test_copies_leave_their_place_to_what_comes_next(chatbot):
    settings = dataclasses.replace(chatbot.settings, passages_per_question=2)
    answer = Chatbot(chatbot.index, CopyingGenerator(), settings=settings).answer(QUESTION)
    assert len({passage.source for passage in answer.passages} & {"A News", "B News"}) == 1
    assert [passage.rank for passage in answer.passages] == [1, 2]


@pytest.mark.parametrize(("source", "file"), [("A News", "a.md"), ("B News", "b.md")])
def test_the_copy_that_a_filter_asks_for_is_the_one_that_stays(chatbot, source, file):
    answer = chatbot.answer(QUESTION, filters=Filters(sources=(source,)))
    assert names(answer) == [file]
    assert [(citation.source, citation.also_in) for citation in answer.citations] == [(source, ())]
    dated = chatbot.answer(f"According to {source}, what did repairs of the northern pier cost?")
    assert names(dated) == [file]
