"""The MTRAG loaders, on invented conversations."""

import json

import pytest

from eval.questions import EvidenceQuote, Question
from eval.suites import load_suite
from eval.suites.mtrag import FEWEST_SEARCHES, load_retrieval
from eval.suites.reading import make_article
from index.errors import InputError
from rag.types import Message

DOCUMENTS = [
    {"document_id": "d1", "text": "The harbour reopened.", "title": "\r\n\tHarbour\r\n"},
    {"document_id": "d2", "text": "Repairs cost 12 million."},
    {"document_id": "d3", "text": "Repairs cost 12 million."},
]
HARBOUR = make_article("The harbour reopened.", title="Harbour")
REPAIRS = make_article("Repairs cost 12 million.")
FIRST = {"speaker": "user", "text": "Is the harbour open? "}
REPLY = {"speaker": "agent", "text": "Yes."}
NEXT = {"speaker": "user", "text": "And the cost?"}


def task(name, answerability, turns, contexts, *targets, **fields):
    return {
        "task_id": name,
        "input": turns,
        "contexts": contexts,
        "targets": [{"speaker": "agent", "text": text} for text in targets],
        "Answerability": [answerability],
    } | fields


def named(*documents):
    return [{"document_id": document} for document in documents]


def relevance(*places):
    return {"annotations": {"context_relevance": {"system": list(places)}}}


TASKS = [
    task("c<::>1", "ANSWERABLE", [FIRST], named("d1"), "Yes, it is open.", **relevance(0)),
    task("c<::>2", "PARTIAL", [FIRST, REPLY, NEXT], named("d1", "d2", "d3"), "12 million.", **relevance(1, 2)),
    task("c<::>3", "UNANSWERABLE", [FIRST, NEXT], [], "I do not know.", **relevance()),
    task("c<::>4", "CONVERSATIONAL", [{"speaker": "user", "text": "Thank you!"}], [], "Welcome."),
]


def write_evaluation(folder, tasks=TASKS, documents=DOCUMENTS, name="reference_subset.json"):
    (folder / name).write_text(json.dumps({"documents": documents, "tasks": tasks}), encoding="utf-8")
    return folder


def write_lines(path, *rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


EXPECTED = (
    Question(
        "c<::>1",
        "Is the harbour open?",
        answers=(("Yes, it is open.",),),
        answerable=True,
        evidence=(EvidenceQuote(HARBOUR.file),),
        kind="answerable",
        part="first",
    ),
    # Only the second and third context are marked as relevant, and these have the same text.
    Question(
        "c<::>2",
        "And the cost?",
        answers=(("12 million.",),),
        answerable=True,
        evidence=(EvidenceQuote(REPAIRS.file),),
        history=(Message("user", "Is the harbour open?"), Message("assistant", "Yes.")),
        kind="partial",
        part="follow-up",
    ),
    Question(
        "c<::>3",
        "And the cost?",
        answers=(),
        answerable=False,
        evidence=None,
        history=(Message("user", "Is the harbour open?"),),
        kind="unanswerable",
        part="follow-up",
    ),
)


def test_the_last_turn_of_the_user_is_asked_after_the_earlier_ones_over_all_documents(tmp_path):
    suite = load_suite("mtrag", write_evaluation(tmp_path))
    assert suite.articles == (HARBOUR, REPAIRS)
    assert suite.questions == EXPECTED
    assert suite.metrics[:4] == ("rouge_l", "refused_unanswerable", "recall@5", "ndcg@10")
    assert dict(suite.settings) == {}
    assert suite.notes[0] == "Answerable 1, partly 1, not 1. Left out as no questions: 1 conversational."


def test_generation_tasks_bring_their_contexts_along(tmp_path):
    texts = {document["document_id"]: document for document in DOCUMENTS}
    rows = []
    for given in TASKS:
        contexts = [{**texts[context["document_id"]], "score": 1.0} for context in given["contexts"]]
        row = {key: value for key, value in given.items() if key not in ("Answerability", "annotations")}
        rows.append({**row, "contexts": contexts, "answerability": given["Answerability"][0].lower()})
    rows[1]["contexts"] = rows[1]["contexts"][1:]
    write_lines(tmp_path / "generation" / "reference.jsonl", *rows)
    suite = load_suite("mtrag", tmp_path)
    assert suite.articles == (HARBOUR, REPAIRS)
    assert suite.questions == EXPECTED


def test_a_task_in_both_shapes_counts_once_and_tasks_with_searched_contexts_are_passed_over(tmp_path):
    write_evaluation(tmp_path, TASKS[:1])
    extra = {"document_id": "d9", "text": "Found by a search."}
    write_lines(tmp_path / "reference.jsonl", task("c<::>1", "ANSWERABLE", [NEXT], DOCUMENTS[:1], "Yes."))
    write_lines(tmp_path / "reference+RAG.jsonl", task("c<::>7", "ANSWERABLE", [NEXT], [extra], "Yes."))
    write_lines(tmp_path / "mturk_other.jsonl", {"article": "x"})
    (tmp_path / "squad.json").write_text('{"data": []}', encoding="utf-8")
    (tmp_path / "lines.json").write_text('{"id": 1}\n{"id": 2}\n', encoding="utf-8")
    suite = load_suite("mtrag", tmp_path)
    assert suite.questions == EXPECTED[:1]
    assert suite.articles == (HARBOUR, REPAIRS)


def test_all_contexts_are_relevant_if_nothing_says_otherwise(tmp_path):
    suite = load_suite("mtrag", write_evaluation(tmp_path, [task("c", "ANSWERABLE", [FIRST], named("d2", "d1"), "x")]))
    assert suite.questions[0].evidence == (EvidenceQuote(REPAIRS.file), EvidenceQuote(HARBOUR.file))


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        (task("c", "ANSWERABLE", [FIRST], named("d8"), "x"), "the text of its document d8 is missing"),
        (task("c", "ANSWERABLE", [REPLY], named("d1"), "x"), "the field 'input' has no turn of the user"),
        ({**TASKS[0], "Answerability": []}, "the field 'Answerability' is missing"),
        ({"task_id": "c", "Answerability": "PARTIAL"}, "the field 'input' is missing"),
    ],
)
def test_a_task_that_is_not_as_expected_is_named(tmp_path, broken, problem):
    with pytest.raises(InputError, match=rf"reference_subset\.json, tasks 2: {problem}"):
        load_suite("mtrag", write_evaluation(tmp_path, [TASKS[0], broken]))


def test_a_folder_without_tasks_is_an_error(tmp_path):
    (tmp_path / "squad.json").write_text('{"data": []}', encoding="utf-8")
    with pytest.raises(InputError, match="no file with MTRAG tasks"):
        load_suite("mtrag", tmp_path)
    with pytest.raises(InputError, match="no file with MTRAG tasks"):
        load_retrieval(tmp_path)


def write_searches(folder, *, queries=FEWEST_SEARCHES, parts=("lastturn", "rewrite", "questions")):
    """Queries c<::>1 … that want d1 (the first one d2 and d3 too), one that wants a document that is not there too, one
    that wants nothing, one whose only document is judged to be of no use."""
    texts = {
        "lastturn": "|user|:  And the cost?",
        "rewrite": "|user|: What did the repairs cost?",
        "questions": "|user|: Is the harbour open?\n|user|: And the cost?",
    }
    names = [f"c<::>{number}" for number in range(1, queries + 1)]
    for part in parts:
        rows = [{"_id": name, "text": texts[part]} for name in (*names, "far<::>1", "none<::>1", "bad<::>1")]
        write_lines(folder / "retrieval_tasks" / "port" / f"port_{part}.jsonl", *rows)
    table = folder / "retrieval_tasks" / "port" / "qrels" / "dev.tsv"
    table.parent.mkdir()
    wanted = [(names[0], "d2", 1), (names[0], "d3", 1), *((name, "d1", 1) for name in names)]
    wanted += [("far<::>1", "d1", 1), ("far<::>1", "d8", 1), ("bad<::>1", "d1", 0)]
    lines = ["query-id\tcorpus-id\tscore", *("\t".join(map(str, row)) for row in wanted)]
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_queries_whose_documents_are_all_there_are_searched_for_in_four_ways(tmp_path):
    write_searches(write_evaluation(tmp_path))
    suite = load_retrieval(tmp_path)
    both = (EvidenceQuote(REPAIRS.file), EvidenceQuote(HARBOUR.file))
    ways = [question for question in suite.questions if question.id.startswith("c<::>1:")]
    assert ways == [
        Question("c<::>1:lastturn", "And the cost?", evidence=both, part="lastturn", task="search"),
        Question("c<::>1:rewrite", "What did the repairs cost?", evidence=both, part="rewrite", task="search"),
        Question(
            "c<::>1:questions", "Is the harbour open?\nAnd the cost?", evidence=both, part="questions", task="search"
        ),
        Question(
            "c<::>1:history",
            "And the cost?",
            evidence=both,
            history=(Message("user", "Is the harbour open?"),),
            part="history",
            task="search",
        ),
    ]
    assert {question.id.partition(":history")[0] for question in suite.questions if question.part == "history"} == {
        f"c<::>{number}" for number in range(1, FEWEST_SEARCHES + 1)
    }
    assert suite.articles == (HARBOUR, REPAIRS)
    assert suite.notes[0].startswith("Searched for are 10 of 11 queries")


def test_only_the_last_turns_must_be_there(tmp_path):
    write_searches(write_evaluation(tmp_path), parts=("lastturn",))
    assert {question.part for question in load_retrieval(tmp_path).questions} == {"lastturn"}


def test_too_few_queries_say_nothing(tmp_path):
    write_searches(write_evaluation(tmp_path), queries=FEWEST_SEARCHES - 1)
    with pytest.raises(InputError, match=r"Of 10 queries in .* only 9 have all their relevant documents at hand"):
        load_retrieval(tmp_path)


def test_missing_retrieval_tasks_and_judgements_are_named(tmp_path):
    write_evaluation(tmp_path)
    with pytest.raises(InputError, match=r"no file \*_lastturn\.jsonl"):
        load_retrieval(tmp_path)
    write_lines(tmp_path / "port" / "port_lastturn.jsonl", {"_id": "c<::>1", "text": "|user|: Who?"})
    with pytest.raises(InputError, match=r"no file \*\.tsv in .*qrels"):
        load_retrieval(tmp_path)
