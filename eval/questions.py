"""The questions of an evaluation, read from JSON lines; judgements point at quoted spans, not at passages."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.errors import InputError

_KNOWN = {"id", "question", "answers", "answerable", "evidence", "kind"}


@dataclass(frozen=True, slots=True)
class EvidenceQuote:
    """A verbatim quote of an article (named by file name) that answers a question."""

    article: str
    quote: str


@dataclass(frozen=True, slots=True)
class Question:
    """One row. What is None is not scored."""

    id: str
    question: str
    answers: tuple[str, ...] | None = None
    answerable: bool | None = None
    evidence: tuple[EvidenceQuote, ...] | None = None
    kind: str = ""


def read_questions(path: Path) -> tuple[Question, ...]:
    """Every row of a JSON-lines file. Raises InputError that lists every bad row with its line number."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}.") from error
    questions, faults = [], []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                questions.append(_question(json.loads(line), number))
            except (ValueError, TypeError, KeyError) as error:
                faults.append(f"line {number}: {error}")
    if faults:
        raise InputError(f"{path} has {len(faults)} bad rows:\n" + "\n".join(faults))
    if not questions:
        raise InputError(f"{path} has no question.", help='A row: {"question": "…", "answers": ["…"]}')
    return tuple(questions)


def _question(row: Any, number: int) -> Question:
    if not isinstance(row, dict):
        raise TypeError("not a JSON object")
    if unknown := set(row) - _KNOWN:
        raise ValueError(f"unknown fields {', '.join(sorted(unknown))}")
    text = row.get("question")
    if not isinstance(text, str) or not text.strip():
        raise ValueError("no question")
    answers, evidence = row.get("answers"), row.get("evidence")
    return Question(
        id=str(row.get("id", number)),
        question=text,
        answers=None if answers is None else tuple(str(answer) for answer in answers),
        answerable=row.get("answerable"),
        evidence=None
        if evidence is None
        else tuple(EvidenceQuote(item["article"], item["quote"]) for item in evidence),
        kind=str(row.get("kind", "")),
    )
