"""Reading the files of public sets: JSON, JSON lines and tables, as records that know where they stand.

A record is asked for a field by name and type; a field that is missing or of another type raises InputError naming
file, place and field, so a loader needs no checks of its own. Also here: making articles of texts.
"""

import csv
import gzip
import hashlib
import io
import json
import re
import unicodedata
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.questions import Question
from eval.suites import SuiteArticle, find_files
from index.errors import InputError

_HELP = "Are these the files as their publishers give them out?"
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_LONGEST_SLUG = 40
_LONGEST_LIST = 5
_KINDS = {str: "text", bool: "true or false", list: "a list", dict: "an object"}


@dataclass(frozen=True, slots=True)
class Record:
    """An object of a file. `place` says where it stands, for a person: "claims.jsonl, line 3"."""

    values: dict[str, Any]
    place: str

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self.values.get(name) is not None

    def text(self, name: str, default: str | None = None) -> str:
        """A field that holds text, as it is; `default`, if there is one, where the field is missing or null."""
        if default is not None and not self.has(name):
            return default
        value: str = self._value(name, str)
        return value

    def flag(self, name: str) -> bool:
        """A field that is true or false."""
        value: bool = self._value(name, bool)
        return value

    def items(self, name: str) -> list[Any]:
        """A field that holds a list of anything."""
        value: list[Any] = self._value(name, list)
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A field that holds a list of texts."""
        values = self.items(name)
        if not all(isinstance(value, str) for value in values):
            raise self.error(f"the field {name!r} is not a list of texts")
        return tuple(values)

    def record(self, name: str) -> "Record":
        """A field that holds an object."""
        return Record(self._value(name, dict), f"{self.place}, {name}")

    def records(self, name: str) -> tuple["Record", ...]:
        """A field that holds a list of objects, counted from 1."""
        return as_records(self.items(name), f"{self.place}, {name}")

    def error(self, problem: str) -> InputError:
        """An InputError about this record, to be raised: `PLACE: PROBLEM.`"""
        return InputError(f"{self.place}: {problem}.", help=_HELP)

    def _value(self, name: str, kind: type) -> Any:
        if name not in self.values:
            raise self.error(f"the field {name!r} is missing")
        value = self.values[name]
        if not isinstance(value, kind):
            raise self.error(f"the field {name!r} is not {_KINDS[kind]}")
        return value


def find_records(
    folder: Path, pattern: str, *fields: str, required: bool = True
) -> tuple[tuple[Path, tuple[Record, ...]], ...]:
    """The files below `folder` that fit `pattern` and whose first record has all `fields`, in order of name, each with
    its records.

    Files of other sets that fit the pattern by chance are passed over, empty ones too. InputError if a file cannot be
    read, or if none is left and one is required.
    """
    found, others = [], []
    for path in find_files(folder, pattern, required=required):
        values = [(row.place, row.values) for row in read_table(path)] if ".csv" in path.suffixes else _values(path)
        first = values[0][1] if values else None
        if isinstance(first, dict) and all(name in first for name in fields):
            found.append((path, tuple(_as_record(value, place) for place, value in values)))
        else:
            others.append(str(path.relative_to(folder)))
    if required and not found:
        named = ", ".join(others[:_LONGEST_LIST]) + (", …" if len(others) > _LONGEST_LIST else "")
        raise InputError(
            f"No file {pattern} in {folder} begins with a record that has the fields {', '.join(fields)}: {named}.",
            help=_HELP,
        )
    return tuple(found)


def as_records(values: Iterable[Any], place: str) -> tuple[Record, ...]:
    """Records of `values`, at `place` 1, 2, …; InputError if one is not an object."""
    return tuple(_as_record(value, f"{place} {number}") for number, value in enumerate(values, start=1))


def read_records(path: Path) -> tuple[Record, ...]:
    """The objects of a file: JSON lines (blank lines are passed over), a JSON list of objects, or one object.

    Their places are lines, entries of the list, or the file itself. InputError if it holds anything else.
    """
    return tuple(_as_record(value, place) for place, value in _values(path))


def read_table(path: Path, *, delimiter: str = ",") -> tuple[Record, ...]:
    """The rows of a table with a heading, also a compressed one (.gz); every field is text. Rows are counted from 1,
    without the heading. InputError if it cannot be read or a row does not fit the heading."""
    reader = csv.DictReader(io.StringIO(_read(path), newline=""), delimiter=delimiter, strict=True)
    found = []
    try:
        for number, row in enumerate(reader, start=1):
            record = Record(row, f"{path}, row {number}")
            if None in row or None in row.values():
                raise record.error("it has more or fewer fields than the heading")
            found.append(record)
    except csv.Error as error:
        raise InputError(f"{path} is not a table: {error}.", help=_HELP) from error
    return tuple(found)


def unique_questions(questions: Iterable[Question]) -> tuple[Question, ...]:
    """The questions; InputError if two have the same id (as when the same file lies in the folder twice)."""
    found: dict[str, Question] = {}
    for question in questions:
        if question.id in found:
            raise InputError(f"The question {question.id!r} occurs twice.", help="Does a file lie in the folder twice?")
        found[question.id] = question
    return tuple(found.values())


def make_article(
    text: str,
    *,
    title: str | None = None,
    source: str | None = None,
    author: str | None = None,
    date: str | None = None,
    url: str | None = None,
) -> SuiteArticle:
    """An article whose name follows from all that is known about it: its title (or first words) and a hash.

    The same text with the same metadata is the same article, on every machine. White space around them and what no file
    can hold (NUL, halves of surrogate pairs) are left out; metadata that is empty then is None.
    """
    text = _cleaned(text)
    known = {"title": title, "source": source, "author": author, "date": date, "url": url}
    known = {name: _cleaned(value or "") or None for name, value in known.items()}
    return SuiteArticle(f"{_slug(known['title'] or text)}-{short_hash(text, *known.values())}", text, **known)


def has_words(text: str) -> bool:
    """Whether a text has a letter or digit: without one it cannot be an article."""
    return any(character.isalnum() for character in text)


def short_hash(*values: str | None) -> str:
    """Ten hexadecimal digits that follow from the values and their order."""
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:10]


def _cleaned(text: str) -> str:
    return _UNSTORABLE.sub("", text).strip()


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text[: 4 * _LONGEST_SLUG]).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if len(words) > _LONGEST_SLUG:
        words = words[: _LONGEST_SLUG + 1].rpartition("-")[0] or words[:_LONGEST_SLUG]
    return words or "article"


def _as_record(value: Any, place: str) -> Record:
    if not isinstance(value, dict):
        raise InputError(f"{place} is not an object.", help=_HELP)
    return Record(value, place)


def _values(path: Path) -> list[tuple[str, Any]]:
    """What stands in a file of JSON or JSON lines, each with its place."""
    text = _read(path)
    try:
        whole = json.loads(text)
    except ValueError:
        return _line_values(path, text)
    if isinstance(whole, list):
        return [(f"{path}, entry {number}", value) for number, value in enumerate(whole, start=1)]
    return [(str(path), whole)]


def _line_values(path: Path, text: str) -> list[tuple[str, Any]]:
    found = []
    # Not splitlines(): JSON may hold U+2028 and its like as they are.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            place = f"{path}, line {number}"
            try:
                found.append((place, json.loads(line)))
            except ValueError as error:
                raise InputError(f"{place} is not JSON: {error}.", help=_HELP) from error
    return found


def _read(path: Path) -> str:
    try:
        data = path.read_bytes()
        return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}.", help=_HELP) from error
