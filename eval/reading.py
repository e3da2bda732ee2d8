"""A question set from a file: JSON lines, JSON or CSV. Every bad row is named, with its line, at once."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from eval.questions import EvidenceQuote, Parts, Question
from index.errors import InputError
from rag.types import Message

FORMATS = (".jsonl", ".json", ".csv")

_FIELDS = ("id", "question", "answers", "answerable", "evidence", "history", "kind")
_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")
_EXAMPLE = 'A row: {"question": "Who founded Alibaba?", "answers": ["Jack Ma"]}. See docs/evaluation.md.'


def read_questions(path: Path) -> tuple[Question, ...]:
    """Every question of the file, in order.

    Raises InputError if the file cannot be read or has another format, or listing every bad row with its line number
    (its place in the list, for JSON) and what is wrong with it.
    """
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"{path} is not a question set: {', '.join(FORMATS)} files are read.", help=_EXAMPLE)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}.") from error
    questions: list[Question] = []
    faults: list[str] = []
    lines_of_ids: dict[str, str] = {}
    for where, row in _rows(path, text):
        try:
            question = _question(row() if callable(row) else row, where)
            if question.id in lines_of_ids:
                raise ValueError(f"the id {question.id!r} stands at {lines_of_ids[question.id]} already")
        except (ValueError, TypeError) as error:
            faults.append(f"{where}: {error}")
            continue
        lines_of_ids[question.id] = where
        questions.append(question)
    if faults:
        count = "1 bad row" if len(faults) == 1 else f"{len(faults)} bad rows"
        raise InputError(f"{path} has {count}:\n" + "\n".join(faults), help=_EXAMPLE)
    if not questions:
        raise InputError(f"{path} has no question.", help=_EXAMPLE)
    return tuple(questions)


def _rows(path: Path, text: str) -> Iterator[tuple[str, Any | Callable[[], Any]]]:
    """Where each row stands, and the row; or, where reading it may fail, how to get it."""
    ending = path.suffix.lower()
    if ending == ".jsonl":
        for number, line in enumerate(text.splitlines(), start=1):
            if line.strip():
                yield f"line {number}", partial(json.loads, line)
    elif ending == ".json":
        try:
            whole = json.loads(text)
        except ValueError as error:
            raise InputError(f"{path} is not JSON: {error}.", help=_EXAMPLE) from error
        rows = whole.get("questions") if isinstance(whole, dict) else whole
        if not isinstance(rows, list):
            raise InputError(f"{path} holds neither a list of questions nor an object with one.", help=_EXAMPLE)
        yield from ((f"row {number}", row) for number, row in enumerate(rows, start=1))
    else:
        yield from _table_rows(path, text)


def _table_rows(path: Path, text: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    if "question" not in (reader.fieldnames or ()):
        raise InputError(f"{path} has no column called question.", help="The first line names the columns.")
    for cells in reader:
        if any(cells.values()):
            yield f"line {reader.line_num}", partial(_from_table, cells)


def _from_table(cells: Mapping[str | None, Any]) -> dict[str, Any]:
    """A row of a table as JSON has it. An empty cell says nothing; alternatives are separated by `|`."""
    if None in cells:
        raise ValueError("more cells than columns")
    row: dict[str, Any] = {str(name): value.strip() for name, value in cells.items() if value and value.strip()}
    answers = row.get("answers", "")
    if answers.startswith("["):
        row["answers"] = json.loads(answers)
    elif answers:
        row["answers"] = [part.strip() for part in answers.split("|")]
    for name in ("evidence", "history"):
        if name in row:
            row[name] = json.loads(row[name])
    article, quote = row.pop("article", None), row.pop("quote", None)
    if article:
        row.setdefault("evidence", []).append({"article": article} | ({"quote": quote} if quote else {}))
    if "answerable" in row:
        value = row["answerable"].lower()
        if value not in (*_TRUE, *_FALSE):
            raise ValueError(f"answerable is {row['answerable']!r}, not true or false")
        row["answerable"] = value in _TRUE
    return row


def _question(row: Any, where: str) -> Question:
    if not isinstance(row, dict):
        raise TypeError("not an object with fields")
    if unknown := sorted(set(row) - set(_FIELDS)):
        raise ValueError(f"unknown fields {', '.join(unknown)} (known: {', '.join(_FIELDS)})")
    text = row.get("question")
    if not isinstance(text, str) or not text.strip():
        raise ValueError("no question")
    answers = None if row.get("answers") is None else _parts(row["answers"])
    answerable = row.get("answerable")
    if answerable is None and answers is not None:
        answerable = bool(answers)
    if answerable is not None and not isinstance(answerable, bool):
        raise TypeError(f"answerable is {answerable!r}, not true or false")
    if answerable is False and answers:
        raise ValueError("not answerable, but it has answers")
    if answerable and answers == ():
        raise ValueError("answerable, but its list of answers is empty")
    return Question(
        id=str(row["id"]) if row.get("id") not in (None, "") else where.rsplit(" ", 1)[-1],
        question=text,
        answers=answers,
        answerable=answerable,
        evidence=None if row.get("evidence") is None else tuple(map(_evidence, _list(row["evidence"], "evidence"))),
        history=tuple(map(_message, _list(row.get("history") or [], "history"))),
        kind=str(row.get("kind") or ""),
    )


def _parts(answers: Any) -> Parts:
    """`["a", "b"]`: one part with two spellings. `[["a"], ["b", "c"]]`: two parts, the second with two spellings."""
    if isinstance(answers, str):
        answers = [answers]
    items = _list(answers, "answers")
    if not any(isinstance(item, list) for item in items):
        items = [items] if items else []
    parts = [item if isinstance(item, list) else [item] for item in items]
    for part in parts:
        if not part or not all(isinstance(text, str) and text.strip() for text in part):
            raise TypeError("answers are texts that are not empty, or lists of such texts")
    return tuple(tuple(part) for part in parts)


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{name} is not a list")
    return value


def _evidence(item: Any) -> EvidenceQuote:
    if not isinstance(item, dict) or not isinstance(item.get("article"), str) or not item["article"].strip():
        raise TypeError('a piece of evidence is {"article": file name, "quote": its words}')
    if unknown := sorted(set(item) - {"article", "quote", "group"}):
        raise ValueError(f"evidence has unknown fields {', '.join(unknown)}")
    quote, group = item.get("quote"), item.get("group")
    if quote is not None and (not isinstance(quote, str) or not quote.strip()):
        raise TypeError("a quote is a text that is not empty")
    return EvidenceQuote(item["article"], quote, None if group is None else str(group))


def _message(item: Any) -> Message:
    known = isinstance(item, dict) and set(item) == {"role", "content"}
    if not known or item["role"] not in ("user", "assistant") or not isinstance(item["content"], str):
        raise TypeError('a turn of the history is {"role": "user" or "assistant", "content": its words}')
    return Message(item["role"], item["content"])
