"""MTRAG: conversations about documents, where a turn may lean on earlier ones and may have no answer.

From "MTRAG: A Multi-Turn Conversational Benchmark for Evaluating Retrieval-Augmented Generation Systems" (Katsis et al.
2025). Two shapes are read: the evaluation file (one JSON object with `documents` and `tasks`) and the generation tasks
(JSON lines, each task with the texts of its contexts). `load_retrieval` reads the retrieval tasks.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from eval.questions import EvidenceQuote, Question
from eval.suites import Suite, SuiteArticle, find_files
from eval.suites.reading import (
    Record,
    find_records,
    has_words,
    make_article,
    read_records,
    read_table,
    unique_questions,
)
from index.errors import InputError
from index.layout import tidy
from rag.types import Message

FEWEST_SEARCHES = 10
"""With fewer queries the retrieval figures would say nothing."""

_ANSWERABLE = {"ANSWERABLE": True, "PARTIAL": True, "UNANSWERABLE": False}
"""Answerability → whether it counts as answerable. "CONVERSATIONAL" turns ("Thank you!") are no questions."""

_TURN = re.compile(r"^\|user\|:", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Pool:
    """The tasks, and the documents that they are answered from: document id → article."""

    tasks: tuple[Record, ...]
    articles: dict[str, SuiteArticle]

    @property
    def distinct(self) -> tuple[SuiteArticle, ...]:
        """Documents with the same text and title are one article."""
        return tuple(dict.fromkeys(self.articles.values()))


def load(folder: Path) -> Suite:
    """The suite of the evaluation file or the generation tasks below `folder`; every question searches all documents.

    Evidence are the relevant contexts as a whole. Parts: "first" turns and "follow-up"s; `kind` is the answerability,
    and a partly answerable question counts as answerable. Raises InputError if there is no such file, or one is not as
    expected.
    """
    pool = _read_pool(folder)
    tasks = [(task, _answerability(task)) for task in pool.tasks]
    counts = Counter(kind for _, kind in tasks)
    left_out = [f"{count} {kind.lower()}" for kind, count in counts.items() if kind not in _ANSWERABLE]
    return Suite(
        name="mtrag",
        title="MTRAG, searching the documents of all conversations",
        articles=pool.distinct,
        questions=unique_questions(_question(task, kind, pool) for task, kind in tasks if kind in _ANSWERABLE),
        metrics=tuple(
            (
                "rouge_l refused_unanswerable recall@5 ndcg@10 false_refusal refusal_precision refusal_recall "
                "refusal_f1 auroc hit@5 mrr evidence_kept citation_precision citation_recall reply_length search_p50_s "
                "total_p50_s total_p95_s"
            ).split()
        ),
        notes=(
            f"Answerable {counts['ANSWERABLE']}, partly {counts['PARTIAL']}, not {counts['UNANSWERABLE']}. Left out as "
            f"no questions: {', '.join(left_out) or 'none'}.",
            f"Searched are the {len(pool.distinct)} documents of the files, not the full collections that published "
            "figures are measured on.",
        ),
    )


def load_retrieval(folder: Path) -> Suite:
    """Search alone: the retrieval tasks below `folder` (`NAME_lastturn.jsonl`, `NAME_rewrite.jsonl`,
    `NAME_questions.jsonl` and beside them `qrels/*.tsv`) whose relevant documents are all in the files of `load`.

    Parts: "lastturn" (the last turn alone), "rewrite" (rewritten to stand alone), "questions" (all turns of the user as
    one text), "history" (the last turn, after the earlier ones of the user); only the files of the first must be there.
    Raises InputError if they are missing or not as expected, or if fewer than `FEWEST_SEARCHES` queries are left.
    """
    pool = _read_pool(folder)
    questions: list[Question] = []
    known: set[str] = set()
    for part in ("lastturn", "rewrite", "questions"):
        for path, queries in find_records(folder, f"*_{part}.jsonl", "_id", "text", required=part == "lastturn"):
            relevant = _relevant(path.parent / "qrels")
            known.update(relevant)
            for query in queries:
                documents = relevant.get(query.text("_id"), ())
                if documents and all(document in pool.articles for document in documents):
                    questions += _searches(query, part, _whole(pool.articles[document] for document in documents))
    searched = len({question.id.rpartition(":")[0] for question in questions})
    if searched < FEWEST_SEARCHES:
        raise InputError(
            f"Of {len(known)} queries in {folder} only {searched} have all their relevant documents at hand.",
            help="The documents are those of the evaluation file or the generation tasks: do they lie there too?",
        )
    return Suite(
        name="mtrag-retrieval",
        title="MTRAG retrieval tasks, searching the documents of all conversations",
        articles=pool.distinct,
        questions=unique_questions(questions),
        metrics=tuple("recall@5 ndcg@10 recall@1 recall@10 hit@5 mrr search_p50_s search_p95_s".split()),
        notes=(
            f"Searched for are {searched} of {len(known)} queries, those whose relevant documents are all among the "
            f"{len(pool.distinct)} at hand. The full collections are far larger, so published figures are lower.",
            "Every query is searched for once in each part; figures without a part mix them.",
        ),
    )


def _read_pool(folder: Path) -> _Pool:
    """The tasks of all files, each once, and all documents."""
    tasks: dict[str, Record] = {}
    documents: list[Record] = []
    for path in find_files(folder, "*.json", required=False):
        if _mentions(path, "documents", "tasks", "task_id"):
            for whole in read_records(path):
                documents += whole.records("documents")
                tasks |= {task.text("task_id"): task for task in whole.records("tasks")}
    for path in find_files(folder, "*.jsonl", required=False):
        # The tasks called RAG have contexts that a search found: nobody says that they are relevant.
        if "RAG" not in re.split(r"[^A-Za-z]", path.stem) and _mentions(path, "task_id", "contexts", "input"):
            for task in read_records(path):
                documents += task.records("contexts")
                tasks.setdefault(task.text("task_id"), task)
    if not tasks:
        raise InputError(
            f"There is no file with MTRAG tasks in {folder}.",
            help="Wanted are the evaluation file (JSON: documents and tasks) or the generation tasks (JSON lines).",
        )
    articles = {
        document.text("document_id"): make_article(
            document.text("text"), title=tidy(document.text("title", "")) or None
        )
        for document in documents
        if has_words(document.text("text", ""))
    }
    return _Pool(tuple(tasks.values()), articles)


def _mentions(path: Path, *fields: str) -> bool:
    """Whether a file has all these names in it: tells other sets' files apart without reading them as JSON."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    return all(f'"{field}"'.encode() in data for field in fields)


def _answerability(task: Record) -> str:
    """The answerability of a task in capitals, see `_ANSWERABLE`; files write it as a text or as a list of one."""
    for name in ("Answerability", "answerability"):
        value = task.values.get(name)
        value = value[0] if isinstance(value, list) and value else value
        if isinstance(value, str) and value:
            return value.upper()
    raise task.error("the field 'Answerability' is missing")


def _question(task: Record, kind: str, pool: _Pool) -> Question:
    turns = [
        Message("user" if turn.text("speaker") == "user" else "assistant", turn.text("text").strip())
        for turn in task.records("input")
    ]
    asked = max((place for place, turn in enumerate(turns) if turn.role == "user"), default=None)
    if asked is None:
        raise task.error("the field 'input' has no turn of the user")
    targets = tuple(text for target in task.records("targets") if (text := target.text("text").strip()))
    answerable = _ANSWERABLE[kind]
    return Question(
        id=task.text("task_id"),
        question=turns[asked].content,
        answers=((targets,) if targets else None) if answerable else (),
        answerable=answerable,
        evidence=_evidence(task, pool) or None,
        history=tuple(turns[:asked]),
        kind=kind.lower(),
        part="follow-up" if asked else "first",
    )


def _evidence(task: Record, pool: _Pool) -> tuple[EvidenceQuote, ...]:
    """The contexts, or those of them that the field `context_relevance` lists by their places (from 0)."""
    contexts = [context.text("document_id") for context in task.records("contexts")]
    relevance = task.record("annotations") if task.has("annotations") else task
    if relevance.has("context_relevance"):
        relevant = relevance.record("context_relevance").items("system")
        contexts = [document for place, document in enumerate(contexts) if place in relevant]
    unknown = [document for document in contexts if document not in pool.articles]
    if unknown:
        raise task.error(f"the text of its document {unknown[0]} is missing")
    return _whole(pool.articles[document] for document in contexts)


def _whole(articles: Iterable[SuiteArticle]) -> tuple[EvidenceQuote, ...]:
    return tuple(EvidenceQuote(article.file) for article in dict.fromkeys(articles))


def _relevant(folder: Path) -> dict[str, tuple[str, ...]]:
    """Query id → ids of its relevant documents, of the tables in `folder`."""
    found: dict[str, list[str]] = {}
    for path in find_files(folder, "*.tsv"):
        for row in read_table(path, delimiter="\t"):
            if row.text("score").strip() != "0":
                found.setdefault(row.text("query-id"), []).append(row.text("corpus-id"))
    return {query: tuple(documents) for query, documents in found.items()}


def _searches(query: Record, part: str, evidence: tuple[EvidenceQuote, ...]) -> Iterator[Question]:
    identity = query.text("_id")
    turns = [turn.strip() for turn in _TURN.split(query.text("text")) if turn.strip()]
    if not turns:
        raise query.error("the field 'text' is empty")
    yield Question(id=f"{identity}:{part}", question="\n".join(turns), evidence=evidence, part=part, task="search")
    if part == "questions":
        yield Question(
            id=f"{identity}:history",
            question=turns[-1],
            evidence=evidence,
            history=tuple(Message("user", turn) for turn in turns[:-1]),
            part="history",
            task="search",
        )
