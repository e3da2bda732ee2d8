"""HotpotQA in the shape of CAGB: questions that need two Wikipedia paragraphs, with ten paragraphs that a search found.

One or both of the needed paragraphs are often not among the ten, and the file does not say which they are: the order
and `cred` (low, middle, high) only tell how alike question and paragraph are. So the needed ones are worked out, and
only where names and texts leave little doubt (`needed_paragraphs`).
"""

import html
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.metrics.answers import normalise
from eval.questions import EvidenceQuote, Question
from eval.suites import Suite, SuiteArticle
from eval.suites.reading import Record, find_records, has_words, make_article, unique_questions

_KNOWN, _UNKNOWN = "both paragraphs known", "paragraphs unknown"


@dataclass(frozen=True, slots=True)
class NamedParagraph:
    """A paragraph of a question. `name` is its title without what stands in brackets at its end."""

    article: SuiteArticle
    name: str

    def says(self, phrase: str) -> bool:
        """Whether the phrase occurs in title or text, in whole words."""
        return _folded(phrase) in _folded(f"{self.article.title or ''} {self.article.text}")


def load(folder: Path) -> Suite:
    """The suite of the files `HotpotQA*.json`: every paragraph is an article, every question limited to its own ten.

    Parts: "answer_given" (one of the ten holds the answer), "answer_not_given" (none does; a refusal is then neither
    right nor wrong), "yes_or_no". Raises InputError if there is no such file, or one is not as expected.
    """
    articles: dict[SuiteArticle, None] = {}
    questions = []
    left_out = 0
    for _, rows in find_records(folder, "HotpotQA*.json", "id", "question", "docs", "answer"):
        for row in rows:
            paragraphs = tuple(_paragraphs(row))
            if paragraphs:
                articles.update((paragraph.article, None) for paragraph in paragraphs)
                questions.append(_question(row, paragraphs))
            else:
                left_out += 1
    return Suite(
        name="hotpotqa",
        title="HotpotQA (CAGB), given ten paragraphs",
        articles=tuple(articles),
        questions=unique_questions(questions),
        metrics=tuple(
            (
                "contained em f1 recall@4 recall@1 article_hit@1 citation_precision citation_recall evidence_kept "
                "false_refusal reply_length total_p50_s total_p95_s"
            ).split()
        ),
        settings={"answer_style": "phrase"},
        notes=_notes(questions, left_out=left_out),
    )


def needed_paragraphs(
    question: str, answer: str, paragraphs: Sequence[NamedParagraph]
) -> tuple[NamedParagraph, NamedParagraph] | None:
    """The two paragraphs that the answer needs, if just one pair fits; otherwise None.

    A pair fits a comparison if the question joins the names ("A or B", "both A and B") and the answer is yes, no or in
    one of the two. Without such a pair one fits if the question names just one of the two, that one mentions the
    other's name, and the other holds the answer while no third one does.
    """
    asked = _folded(question)
    joints = ("or", "and") if _is_yes_or_no(answer) or " both " in asked else ("or",)
    holders = [paragraph for paragraph in paragraphs if not _is_yes_or_no(answer) and paragraph.says(answer)]
    pairs = [
        (one, other)
        for one in paragraphs
        for other in paragraphs
        if any(f"{_folded(one.name)}{joint}{_folded(other.name)}" in asked for joint in joints)
        and (_is_yes_or_no(answer) or one in holders or other in holders)
    ] or [
        (bridge, holder)
        for bridge in paragraphs
        for holder in holders
        if _is_named(bridge, question)
        and not _is_named(holder, question)
        and bridge.says(holder.name)
        and all(paragraph in (bridge, holder) for paragraph in holders)
    ]
    return pairs[0] if len(pairs) == 1 else None


def _folded(text: str) -> str:
    """Normalised words with a space at either end, so that `in` compares whole words."""
    return f" {normalise(text)} "


def _is_named(paragraph: NamedParagraph, question: str) -> bool:
    """Whether the question has the name as it is written: that tells the film "Rye" from the plant."""
    return bool(paragraph.name) and bool(re.search(rf"(?<!\w){re.escape(paragraph.name)}(?!\w)", question))


def _is_yes_or_no(answer: str) -> bool:
    return normalise(answer) in ("yes", "no")


def _paragraphs(row: Record) -> Iterator[NamedParagraph]:
    for document in row.records("docs"):
        title, text = html.unescape(document.text("title")).strip(), document.text("text", "")
        if has_words(text):
            yield NamedParagraph(make_article(text, title=title or None), re.sub(r"\s*\([^()]*\)$", "", title))


def _question(row: Record, paragraphs: Sequence[NamedParagraph]) -> Question:
    question, answer = row.text("question").strip(), row.text("answer").strip()
    if not has_words(answer):
        raise row.error("the field 'answer' holds no answer")
    needed = needed_paragraphs(question, answer, paragraphs)
    given = not _is_yes_or_no(answer) and any(paragraph.says(answer) for paragraph in paragraphs)
    return Question(
        id=row.text("id"),
        question=question,
        answers=((answer,),),
        answerable=True if given else None,
        evidence=tuple(EvidenceQuote(paragraph.article.file) for paragraph in needed) if needed else None,
        kind=_KNOWN if needed else _UNKNOWN,
        part="yes_or_no" if _is_yes_or_no(answer) else "answer_given" if given else "answer_not_given",
        articles=tuple(dict.fromkeys(paragraph.article.file for paragraph in paragraphs)),
    )


def _notes(questions: Sequence[Question], *, left_out: int) -> tuple[str, ...]:
    parts = Counter(question.part for question in questions)
    known = sum(question.kind == _KNOWN for question in questions)
    return (
        f"Of {len(questions)} questions {parts['answer_given']} have their answer in one of their paragraphs, "
        f"{parts['answer_not_given']} in none, {parts['yes_or_no']} are answered by yes or no.",
        f"The set does not say which two paragraphs a question needs. For {known} it could be worked out, and only for "
        "these the evidence is judged: both are in the first k where recall@k is 1.",
        f"{left_out} questions without a paragraph are left out.",
    )
