"""EvoTemp: questions about the present over dated news that conflict; what the newest documents say holds.

From CAGB, the benchmark of "Not All Contexts Are Equal: Teaching LLMs Credibility-aware Generation" (Pan et al., 2024).
Every question is asked twice: over its documents with their dates, and over the same texts without.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from eval.questions import EvidenceQuote, Parts, Question
from eval.suites import Suite, SuiteArticle
from eval.suites.reading import Record, find_records, has_words, make_article, unique_questions
from index.dates import DATE, to_iso

_PARTS = {"shown": True, "hidden": False}
"""Name of a part, after "dates_" → whether its articles have dates."""


def load(folder: Path) -> Suite:
    """The suite of the files `EvoTemp*.json`: every document is an article, twice, every question limited to its own.

    Part "dates_shown" has the articles with their dates, "dates_hidden" those without; evidence is any of the documents
    that are marked as up to date. Raises InputError if there is no such file, or one is not as expected.
    """
    found = find_records(folder, "EvoTemp*.json", "id", "question", "q_date", "docs", "answers")
    rows = tuple(_distinct(row for _, rows in found for row in rows))
    usable = tuple((identity, row) for identity, row in rows if _texts(row) and accepted_answers(row))
    articles: dict[SuiteArticle, None] = {}
    questions = []
    for identity, row in usable:
        for word, with_dates in _PARTS.items():
            documents = [(_article(document, with_dates=with_dates), document) for document in _texts(row)]
            articles.update((article, None) for article, _ in documents)
            questions.append(
                Question(
                    id=f"{identity}:{word}",
                    question=row.text("question").strip(),
                    answers=accepted_answers(row),
                    answerable=True,
                    evidence=_current(documents),
                    part=f"dates_{word}",
                    articles=tuple(dict.fromkeys(article.file for article, _ in documents)),
                )
            )
    return Suite(
        name="evotemp",
        title="EvoTemp, with the dates of the documents and without",
        articles=tuple(articles),
        questions=unique_questions(questions),
        metrics=tuple(
            (
                "contained article_hit@1 mrr citation_precision false_refusal reply_length evidence_kept total_p50_s "
                "total_p95_s"
            ).split()
        ),
        notes=_notes([row for _, row in usable], left_out=len(rows) - len(usable)),
    )


def accepted_answers(row: Record) -> Parts:
    """The accepted answers of a row, () if it has none. Texts are alternatives; the texts of a list belong together, so
    each is a part.

    Equally long lists are merged place by place: (rye, bread) and (rye, rolls) are rye and either of the others. Of
    other lists the first one counts, beside texts none. The official script goes through the alternatives too, but once
    the first of them is missing it never accepts another; here any of them will do.
    """
    entries = row.items("answers")
    texts = tuple(dict.fromkeys(text for entry in entries if not isinstance(entry, list) and (text := _plain(entry))))
    if texts:
        return (texts,)
    lists = [[text for item in entry if (text := _plain(item))] for entry in entries if isinstance(entry, list)]
    if len({len(together) for together in lists}) > 1:
        lists = lists[:1]
    return tuple(tuple(dict.fromkeys(alternatives)) for alternatives in zip(*lists, strict=True))


def _plain(entry: object) -> str:
    return "" if entry is None else str(entry).strip()


def _distinct(rows: Iterable[Record]) -> Iterator[tuple[str, Record]]:
    """The rows with their identities. A row that is there twice counts once; another one under the same number gets
    a further number ("7-2")."""
    seen: dict[str, list[dict[str, object]]] = {}
    for row in rows:
        identity = _plain(row.values["id"])
        known = seen.setdefault(identity, [])
        if row.values not in known:
            known.append(row.values)
            yield identity if len(known) == 1 else f"{identity}-{len(known)}", row


def _texts(row: Record) -> list[Record]:
    """The documents of a question that have a text; some could not be fetched when the set was made."""
    return [document for document in row.records("docs") if has_words(_stated(document, "text"))]


def _article(document: Record, *, with_dates: bool) -> SuiteArticle:
    title = _stated(document, "title").strip() or None
    return make_article(document.text("text"), title=title, date=_date(document, "date") if with_dates else None)


def _date(record: Record, name: str) -> str | None:
    """In ISO 8601; None for what only a reader of that day could tell ("3 days ago") and for what is no date."""
    date = _stated(record, name)
    return to_iso(date) if re.fullmatch(DATE, date) else None


def _stated(record: Record, name: str) -> str:
    """The text of a field, "" if it is missing: null or, as pandas writes it, NaN."""
    value = record.values.get(name)
    return "" if value is None or value != value else record.text(name)


def _current(documents: Iterable[tuple[SuiteArticle, Record]]) -> tuple[EvidenceQuote, ...] | None:
    """The documents that are marked as up to date: any of them will do. One whose text is also marked as outdated does
    not count."""
    current: dict[str, None] = {}
    outdated = set()
    for article, document in documents:
        if _stated(document, "cred") == "high":
            current[article.file] = None
        else:
            outdated.add(article.file)
    return tuple(EvidenceQuote(file, group="current") for file in current if file not in outdated) or None


def _notes(rows: list[Record], *, left_out: int) -> tuple[str, ...]:
    dates = [(row, _date(document, "date")) for row in rows for document in _texts(row)]
    late = [row.place for row, date in dates if date and (asked := _date(row, "q_date")) and date > asked]
    return (
        "Official is contained/dates_shown minus contained/dates_hidden; figures without a part mix the two.",
        f"{sum(date is None for _, date in dates)} of {len(dates)} documents have no date that can be read and are the "
        "same in both parts. Hidden are the dates that the set gives; dates within the texts stay.",
        f"{len(late)} documents of {len(set(late))} questions are dated after the day of the question. As in the set, "
        "they stay, and the model is not told the day of the question.",
        "Evidence (article_hit, mrr, citations) is any of the documents that the set marks as up to date.",
        f"{left_out} questions without an answer or without any text are left out.",
    )
