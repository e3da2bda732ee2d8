"""SQuAD 2.0 (Rajpurkar et al. 2018): short answers from a paragraph of an encyclopedia, or none.

Reads any JSON file of the official shape (data → paragraphs → qas) with questions marked `is_impossible`. Every
question is put twice: given its paragraph, as in the official task, and with search over all paragraphs of the files.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.questions import EvidenceQuote, Question
from eval.suites import Suite, SuiteArticle
from eval.suites.reading import Record, find_records, has_words, make_article, unique_questions
from index.errors import InputError
from index.sentences import segment


@dataclass(frozen=True, slots=True)
class AskedParagraph:
    """A paragraph as an article, with the questions about it."""

    article: SuiteArticle
    text: str
    questions: tuple[Record, ...]


def load(folder: Path) -> Suite:
    """Every paragraph is an article. Part "given" limits a question to its paragraph, part "retrieval" does not.

    Evidence of an answerable question is one of the sentences in which an accepted answer stands. An impossible one has
    no answer and in its paragraph no evidence; what other paragraphs say to it nobody judged. Raises InputError if
    there is no such file or one is not as expected.
    """
    paragraphs = squad_paragraphs(folder, "*.json", impossible=True)
    return Suite(
        name="squad2",
        title="SQuAD 2.0, given the paragraph and with search",
        articles=tuple(dict.fromkeys(paragraph.article for paragraph in paragraphs)),
        questions=unique_questions(question for paragraph in paragraphs for question in _questions(paragraph)),
        metrics=tuple(
            (
                "f1 em has_answer_f1 no_answer_f1 contained refused_unanswerable false_refusal refusal_f1 auroc "
                "wrong_answers citation_precision citation_recall hit@1 hit@5 recall@5 mrr evidence_kept "
                "search_p50_s total_p50_s total_p95_s"
            ).split()
        ),
        settings={"answer_style": "phrase"},
        notes=(
            "Official are f1/given and em/given; the figures without a part mix both ways of asking.",
            "In part retrieval another paragraph may answer a question that was called impossible for its own.",
        ),
    )


def squad_paragraphs(folder: Path, pattern: str, *, impossible: bool) -> tuple[AskedParagraph, ...]:
    """The paragraphs of the files below `folder` that fit `pattern` and have SQuAD's shape, with questions marked
    `is_impossible` (2.0) or without (1.1); files of other shapes are passed over. InputError if none is left."""
    found = find_records(folder, pattern, "data")
    paragraphs = [
        paragraph
        for _, (record, *_) in found
        if _marks_impossible(record) is impossible
        for paragraph in _paragraphs(record)
    ]
    if not paragraphs:
        names = ", ".join(str(path.relative_to(folder)) for path, _ in found)
        raise InputError(
            f"No file {pattern} in {folder} is SQuAD {'2.0' if impossible else '1.1'}: {names}.",
            help=f"Its shape: data, paragraphs, qas {'with' if impossible else 'without'} is_impossible.",
        )
    return tuple(paragraphs)


def gold_answers(question: Record) -> tuple[str, ...]:
    """The distinct accepted spellings of the answer, in order."""
    return tuple(dict.fromkeys(answer.text("text") for answer in question.records("answers")))


def evidence_for(
    question: Record, paragraph: AskedParagraph, answers: str = "answers"
) -> tuple[EvidenceQuote, ...] | None:
    """The sentences in which the accepted answers stand, as alternatives; None if none of them is in the paragraph.
    `answers` is the field that has them: "plausible_answers" are the near misses of an impossible question."""
    quotes = []
    sentences = segment(paragraph.text)
    for answer in question.records(answers):
        text, start = answer.text("text"), answer.values.get("answer_start")
        if not isinstance(start, int) or not paragraph.text.startswith(text, start):
            start = paragraph.text.find(text)
        if start >= 0:
            quotes.append(sentences_around(sentences, start, start + len(text)))
    evidence = (EvidenceQuote(paragraph.article.file, quote, "answer") for quote in dict.fromkeys(quotes))
    return tuple(evidence) or None


def sentences_around(sentences: Sequence[str], start: int, end: int) -> str:
    """The whole sentences that the span of their joined text touches, verbatim."""
    joined = []
    position = 0
    for sentence in sentences:
        if position < end and position + len(sentence) > start:
            joined.append(sentence)
        position += len(sentence)
    return "".join(joined).strip()


def _paragraphs(record: Record) -> Iterator[AskedParagraph]:
    for page in record.records("data"):
        title = page.text("title", "").replace("_", " ")
        for paragraph in page.records("paragraphs"):
            text, questions = paragraph.text("context"), paragraph.records("qas")
            if questions and has_words(text):
                yield AskedParagraph(make_article(text, title=title), text, questions)


def _questions(paragraph: AskedParagraph) -> Iterator[Question]:
    for record in paragraph.questions:
        impossible = record.flag("is_impossible")
        answers = () if impossible else gold_answers(record)
        if not impossible and not answers:
            raise record.error("it is not impossible, but has no answers")
        evidence = None if impossible else evidence_for(record, paragraph)
        for part in ("given", "retrieval"):
            given = part == "given"
            yield Question(
                id=f"{record.text('id')}:{part}",
                question=record.text("question").strip(),
                answers=(answers,) if answers else (),
                answerable=not impossible,
                evidence=() if impossible and given else evidence,
                kind="impossible" if impossible else "answerable",
                part=part,
                articles=(paragraph.article.file,) if given else None,
            )


def _marks_impossible(record: Record) -> bool | None:
    """Whether the questions of the file are marked `is_impossible`; None if it holds no questions in SQuAD's shape."""
    questions = _nested(_nested(_nested([record.values], "data"), "paragraphs"), "qas")
    if not questions:
        return None
    return any(isinstance(question, dict) and "is_impossible" in question for question in questions)


def _nested(values: list[Any], name: str) -> list[Any]:
    lists = [value[name] for value in values if isinstance(value, dict) and isinstance(value.get(name), list)]
    return [item for items in lists for item in items]
