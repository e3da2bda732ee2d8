"""MultiHop-RAG (Tang and Yang 2024): questions that need several facts of different news articles, or have no answer.

Reads `*queries*.json` (queries: id, question, question_type) and, from the same folder, `*ground_truth*.json` (id →
answer, evidence_list of facts). Every distinct fact is an article of one sentence, with the metadata of the article
that it is from.
"""

from collections.abc import Iterator
from pathlib import Path

from eval.metrics.answers import normalise
from eval.outcomes import Outcome
from eval.questions import EvidenceQuote, Question
from eval.suites import Suite, SuiteArticle, find_files
from eval.suites.reading import Record, find_records, has_words, make_article, read_records, unique_questions
from index.errors import InputError

_NULL = "insufficient information"


def load(folder: Path) -> Suite:
    """Part "evidence": answer from the question's own facts; null questions have no answer and search all facts. Part
    "retrieval": find the question's facts among all. `kind` is the question's type.

    Raises InputError if a file is missing or not as expected, or a query has no ground truth.
    """
    rows: list[tuple[Record, Record, tuple[SuiteArticle, ...]]] = []
    for path, (record, *_) in find_records(folder, "*queries*.json", "queries"):
        if not any("question_type" in query.values for query in record.records("queries")):
            continue  # another set, published in the same form
        truths = _ground_truth(path.parent)
        for query in record.records("queries"):
            if query.text("id") not in truths:
                raise query.error(f"the ground truth has no {query.text('id')!r}")
            truth = truths[query.text("id")]
            rows.append((query, truth, tuple(dict.fromkeys(map(_fact, truth.records("evidence_list"))))))
    if not rows:
        raise InputError(f"No file *queries*.json in {folder} holds queries with a question_type.")
    return Suite(
        name="multihop",
        title="MultiHop-RAG, given the facts and searching for them",
        articles=tuple(dict.fromkeys(fact for *_, facts in rows for fact in facts)),
        questions=unique_questions(question for row in rows for question in _questions(*row)),
        metrics=tuple(
            (
                "accuracy refused_unanswerable recall@4 recall@10 hit@4 hit@10 f1 em contained false_refusal "
                "wrong_answers refusal_precision refusal_recall refusal_f1 auroc mrr search_p50_s total_p50_s "
                "total_p95_s"
            ).split()
        ),
        accuracy=accuracy,
        settings={"answer_style": "phrase"},
        notes=(
            "accuracy is exact: the whole reply is the answer, or its first word where the answer is yes or no; null "
            "questions count as right if refused. The official script is lenient: it asks for one common word.",
            "accuracy, f1 and refusals are over part evidence, recall and hit over part retrieval.",
        ),
    )


def accuracy(outcome: Outcome) -> float | None:
    """1 if the reply is the answer, else 0: equal once both are normalised as SQuAD does, or with "yes" or "no" as its
    first word where that is the answer. A null question is right if refused. None where nothing was answered.

    Stricter than the set's qa_evaluate.py, which asks for any word in common (`shares_a_word`).
    """
    reply, answers = outcome.reply, outcome.question.answers
    if reply is None or answers is None:
        return None
    if not answers:
        return float(not reply)
    said = normalise(reply)
    golds = [normalise(spelling) for spelling in answers[0]]
    return float(said in golds or (said.split() or [""])[0] in {"yes", "no"}.intersection(golds))


def shares_a_word(reply: str, gold: str) -> bool:
    """The lenient rule of the set's qa_evaluate.py (`has_intersection`): any common word, in lower case, split at white
    space; "Yes, it was" and "the Yes" do not share one. Kept to compare with published figures."""
    return bool(set(reply.lower().split()) & set(gold.lower().split()))


def _ground_truth(folder: Path) -> dict[str, Record]:
    truths: dict[str, Record] = {}
    for path in find_files(folder, "*ground_truth*.json"):
        for record in read_records(path):
            truths.update({name: record.record(name) for name in record.values})
    return truths


def _fact(record: Record) -> SuiteArticle:
    if not has_words(record.text("fact")):
        raise record.error("the field 'fact' is empty")
    known = {name: record.text(name, "") for name in ("title", "source", "author", "url")}
    return make_article(record.text("fact"), date=record.text("published_at", "")[:10], **known)


def _questions(query: Record, truth: Record, facts: tuple[SuiteArticle, ...]) -> Iterator[Question]:
    answer = truth.text("answer").strip()
    null = not facts or normalise(answer) == _NULL
    files = tuple(fact.file for fact in facts)
    yield Question(
        id=f"{query.text('id')}:evidence",
        question=query.text("question").strip(),
        answers=() if null else ((answer,),),
        answerable=not null,
        kind=query.text("question_type"),
        part="evidence",
        articles=files or None,
    )
    if files:
        yield Question(
            id=f"{query.text('id')}:retrieval",
            question=query.text("question").strip(),
            evidence=tuple(EvidenceQuote(file) for file in files),
            kind=query.text("question_type"),
            part="retrieval",
            task="search",
        )
