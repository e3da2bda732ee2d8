"""Ask a whole set of questions, keep each row as soon as it is there, and go on where an interrupted run stopped."""

import contextlib
import hashlib
import json
import resource
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from eval.asking import Asker, Row
from eval.provenance import Provenance
from eval.questions import Question
from index.errors import InputError, ResourceError
from index.progress import Progress, silent

ROWS_FILE = "rows.jsonl"


@dataclass(frozen=True, slots=True)
class Run:
    """The rows of one run, in the order in which they were asked; `complete` is False if it was interrupted.

    `peak_memory_mb` is that of this process, models included; None if rows of an earlier process are among them.
    """

    rows: tuple[Row, ...]
    complete: bool
    peak_memory_mb: float | None


def run_questions(
    questions: Sequence[Question],
    asker: Asker,
    *,
    folder: Path,
    provenance: Provenance,
    resume: bool = False,
    progress: Progress = silent,
) -> Run:
    """Ask all of `questions`, writing a line of `folder/rows.jsonl` for each.

    With `resume`, the rows that an earlier run of the same questions left there are taken over; code, settings, models
    or articles other than that run's are an InputError. Ctrl-C ends the run with what is done. ResourceError if the
    file cannot be written.
    """
    head = {"byline_rows": 1, "key": _key(questions, provenance)}
    done = _rows_before(folder / ROWS_FILE, head) if resume else {}
    rows = [done[question.id] for question in questions if question.id in done]
    left = [question for question in questions if question.id not in done]
    complete = False
    with _rows_file(folder / ROWS_FILE, head, rows) as file, contextlib.suppress(KeyboardInterrupt):
        for question in left:
            progress("asking", len(rows), len(questions))
            row = asker.ask(question)
            rows.append(row)
            file.write(_adapter().dump_json(row).decode() + "\n")
            file.flush()
        complete = True
    progress("asking", len(rows), len(questions))
    order = {question.id: place for place, question in enumerate(questions)}
    rows.sort(key=lambda row: order[row.outcome.question.id])
    return Run(tuple(rows), complete, None if done else _peak_memory_mb())


@contextlib.contextmanager
def _rows_file(path: Path, head: dict[str, Any], rows: Sequence[Row]) -> Iterator[Any]:
    """The file, begun anew with its head and the rows that are there already. The old one is replaced in one step."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.tmp")
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(json.dumps(head) + "\n")
            for row in rows:
                file.write(_adapter().dump_json(row).decode() + "\n")
            file.flush()
            temporary.replace(path)
            yield file
    except OSError as error:
        raise ResourceError(f"The rows cannot be written to {path}: {error.strerror or error}.") from error


def read_rows(path: Path) -> tuple[Row, ...]:
    """The rows that a run left, to be scored again. InputError if there are none."""
    lines = _lines(path)
    head = _json(lines[0]) if lines else None
    if not isinstance(head, dict) or head.get("byline_rows") != 1:
        raise InputError(f"{path} does not hold the rows of a run.", help="byline eval QUESTIONS writes them.")
    return tuple(_parsed(lines[1:]).values())


def _rows_before(path: Path, head: dict[str, Any]) -> dict[str, Row]:
    """Question id → the row that is there already; a last line that was cut off is left out."""
    lines = _lines(path)
    if not lines:
        return {}
    if _json(lines[0]) != head:
        raise InputError(
            f"{path} was made with other questions, code, settings, models or articles.",
            help="Leave out --resume to begin anew, or name another folder with --out.",
        )
    return _parsed(lines[1:])


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}.") from error


def _parsed(lines: Sequence[str]) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for line in lines:
        if _json(line) is not None:
            row = _adapter().validate_json(line)
            rows[row.outcome.question.id] = row
    return rows


def _key(questions: Sequence[Question], provenance: Provenance) -> str:
    """Changes with everything that a row depends on, but not with the machine."""
    parts = [*map(asdict, questions), provenance.commit, provenance.settings, provenance.models, provenance.index]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _json(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


@cache
def _adapter() -> Any:
    """Rows to JSON and back. Late: pydantic takes a while to build it."""
    from pydantic import TypeAdapter

    return TypeAdapter(Row)


def _peak_memory_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024**2 if sys.platform == "darwin" else peak / 1024  # bytes there, kibibytes elsewhere
