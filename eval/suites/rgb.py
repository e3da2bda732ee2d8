"""RGB (Chen et al. 2024), English: answers among noisy passages, refusing without any, and falsified passages.

Reads `RGB_concat_*noise_ratioX.json` (conversations: question and passages in one text, and the answer) and
`*en_fact*.json` (query, answer, positive, positive_wrong, negative passages); either may be absent.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.outcomes import Outcome
from eval.questions import Parts, Question
from eval.suites import Suite, SuiteArticle
from eval.suites.reading import Record, find_records, has_words, make_article, short_hash
from index.errors import InputError

_NOISE = re.compile(r"noise_ratio(\d+(?:\.\d+)?)")
_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+")
_OPENING = "Question:"


@dataclass(frozen=True, slots=True)
class _Case:
    part: str
    query: str
    passages: tuple[SuiteArticle, ...]
    answers: Parts
    answerable: bool | None

    @property
    def id(self) -> str:
        # The files number their rows anew or not at all.
        return f"{self.part}:{short_hash(self.query, *sorted(passage.name for passage in self.passages))}"


def load(folder: Path) -> Suite:
    """Every passage is an article, every question limited to its passages, in parts:

    - "noise_0.4", "noise_0.8", …: that share of the passages is beside the point;
    - "negative": no passage has the answer, so refuse (questions of which one hints at it, `hints_at`, are left out);
    - "fact" and "counterfactual": passages with the answer, and the same with a false one in its place. `answers` is
      the true one in both; what is right to do about falsified passages is not judged.

    Raises InputError if there is no such file or one is not as expected.
    """
    noisy = find_records(folder, "RGB_concat_*noise_ratio*.json", "conversations", required=False)
    factual = find_records(folder, "*en_fact*.json", "query", "answer", "positive_wrong", required=False)
    if not noisy and not factual:
        raise InputError(f"There is no file RGB_concat_*noise_ratio*.json and none called *en_fact*.json in {folder}.")
    cases = [_conversation(record, _noise_part(path)) for path, records in noisy for record in records]
    facts = [record for _, records in factual for record in records]
    cases += [case for record in facts for case in _fact_cases(record)]
    leaking = sum(_leaks(record) for record in facts)
    usable = {case.id: case for case in cases if case.passages}
    return Suite(
        name="rgb",
        title="RGB, English",
        articles=tuple(dict.fromkeys(passage for case in usable.values() for passage in case.passages)),
        questions=tuple(map(_question, usable.values())),
        metrics=tuple(
            (
                "accuracy refused_unanswerable contained false_refusal reply_length wrong_answers refusal_precision "
                "refusal_recall refusal_f1 auroc cited_sentences numbers_covered total_p50_s total_p95_s"
            ).split()
        ),
        accuracy=accuracy,
        notes=(
            "Official are accuracy by part (accuracy/noise_0.4, …) and refused_unanswerable/negative; a figure without "
            "a part mixes parts.",
            "contained/counterfactual is the share that names the true answer although the passages give a false one: "
            "whoever says only what the passages say has 0.",
            f"{leaking} of {len(facts)} questions are left out of part negative: a negative passage seems to have the "
            "answer after all (a surname alone, 3/14/2021 for March 14 2021).",
        ),
    )


def accuracy(outcome: Outcome) -> float | None:
    """1 if every part of the answer is in the reply, as plain characters in lower case (`checkanswer` of the set's
    evalue.py), else 0; a refusal is 0. None for the parts "negative" and "counterfactual"."""
    reply, answers = outcome.reply, outcome.question.answers
    if reply is None or not answers or outcome.question.part == "counterfactual":
        return None
    return float(holds(reply, answers))


def holds(text: str, answers: Parts) -> bool:
    """Whether a spelling of every part is in the text, as plain characters in lower case ("8" is in "18")."""
    lowered = text.lower()
    return all(any(spelling.lower() in lowered for spelling in part) for part in answers)


def hints_at(passage: str, answer: str) -> bool:
    """Whether a passage has the last word of an answer (mostly a surname), or of an answer with numbers (a date, an
    amount) two of its words and numbers. Errs on the side of yes; case and accents do not matter."""
    words, given = _words(answer), set(_words(passage))
    if any(word[0].isdigit() for word in words):
        return len(given.intersection(words)) >= min(2, len(set(words)))
    return bool(words) and words[-1] in given


def _words(text: str) -> list[str]:
    plain = (letter for letter in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(letter))
    return _WORD.findall("".join(plain))


def _noise_part(path: Path) -> str:
    ratio = _NOISE.search(path.name)
    if ratio is None:
        raise InputError(f"The name of {path} does not say its share of noise, as in noise_ratio0.4.")
    return f"noise_{ratio[1]}"


def _conversation(record: Record, part: str) -> _Case:
    turns = record.records("conversations")
    said = {turn.text("from"): turn for turn in turns}
    if "human" not in said or "gpt" not in said:
        raise record.error("its conversations have no turn of 'human' and of 'gpt'")
    # Not splitlines(): passages hold carriage returns.
    lines = [line.strip() for line in said["human"].text("value").split("\n") if line.strip()]
    # The set is given out with the question first or last.
    if lines and not lines[0].startswith(_OPENING):
        lines = [lines[-1], *lines[:-1]]
    if not lines or not lines[0].startswith(_OPENING):
        raise record.error(f"its text has no line that begins with {_OPENING!r}")
    return _Case(
        part, lines[0].removeprefix(_OPENING).strip(), _articles(lines[1:]), _answers(said["gpt"], "value"), True
    )


def _fact_cases(record: Record) -> Iterator[_Case]:
    query, answers = record.text("query").strip(), _answers(record, "answer")
    yield _Case("fact", query, _articles(record.texts("positive")), answers, True)
    yield _Case("counterfactual", query, _articles(record.texts("positive_wrong")), answers, None)
    if not _leaks(record):
        yield _Case("negative", query, _articles(record.texts("negative")), (), False)


def _leaks(record: Record) -> bool:
    negatives = record.texts("negative")
    return all(
        any(hints_at(passage, spelling) for passage in negatives for spelling in part)
        for part in _answers(record, "answer")
    )


def _articles(passages: Iterable[str]) -> tuple[SuiteArticle, ...]:
    return tuple(dict.fromkeys(make_article(passage) for passage in passages if has_words(passage)))


def _answers(record: Record, name: str) -> Parts:
    """A text, or a list of the parts that an answer must have, each a text or a list of spellings."""
    value: Any = record.values.get(name)
    parts = [part if isinstance(part, list) else [part] for part in (value if isinstance(value, list) else [value])]
    for part in parts:
        if not part or not all(isinstance(spelling, str) and spelling.strip() for spelling in part):
            raise record.error(f"the field {name!r} is not an answer")
    if not parts:
        raise record.error(f"the field {name!r} is empty")
    return tuple(tuple(dict.fromkeys(part)) for part in parts)


def _question(case: _Case) -> Question:
    return Question(
        id=case.id,
        question=case.query,
        answers=case.answers,
        answerable=case.answerable,
        part=case.part,
        articles=tuple(passage.file for passage in case.passages),
    )
