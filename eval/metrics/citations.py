"""Are the sentences signed with the right evidence? None of these looks at whether the answer is right."""

from itertools import accumulate

from eval.outcomes import Outcome
from index.sentences import segment
from index.types import Span
from rag.citations import without_list_mark
from rag.facts import numbers
from rag.parts import NOT_TOLD
from rag.types import Answer, Citation


def citation_precision(outcome: Outcome) -> float | None:
    """The share (0 to 1) of the distinct cited sentences that show a gold item. None if nothing is cited or judged."""
    cited, gold = outcome.cited, outcome.gold
    if not cited or not gold:
        return None
    return sum(any(item.found_in(place) for item in gold) for place in cited) / len(cited)


def citation_recall(outcome: Outcome) -> float | None:
    """The share (0 to 1) of the gold items that some cited sentence shows. None if refused or nothing is judged."""
    cited, gold = outcome.cited, outcome.gold
    if not outcome.reply or not gold:
        return None
    return sum(any(map(item.found_in, cited)) for item in gold) / len(gold)


def cited_sentences(outcome: Outcome) -> float | None:
    """The share (0 to 1) of the reply's sentences that have a citation. None if refused."""
    if outcome.answer is None or not outcome.reply:
        return None
    spans = _sentences(outcome.reply)
    return sum(bool(_citations_of(outcome.answer, span)) for span in spans) / len(spans) if spans else None


def numbers_covered(outcome: Outcome) -> float | None:
    """The share (0 to 1) of the reply's numbers that a citation of the same sentence contains.

    It may stand in the quote or in the article's title or date: equal in value, and both or neither a percentage. What
    numbers the items of a list says nothing, nor does the part of the question that is quoted as not told. None if
    refused or there is no number.
    """
    if outcome.answer is None or not outcome.reply:
        return None
    covered: list[bool] = []
    for span in _sentences(outcome.reply):
        citations = _citations_of(outcome.answer, span)
        known = [number for citation in citations for number in numbers(_known_to(citation))]
        said = without_list_mark(outcome.reply[span.start : span.end])
        said = said.partition(NOT_TOLD)[0]
        covered += [any(map(number.same_as, known)) for number in numbers(said)]
    return sum(covered) / len(covered) if covered else None


def _sentences(text: str) -> list[Span]:
    """Where the sentences of `text` are that hold a letter or digit, without the white space around them."""
    pieces = segment(text)
    ends = list(accumulate(map(len, pieces)))
    return [
        Span(end - len(piece.lstrip()), end - len(piece) + len(piece.rstrip()))
        for piece, end in zip(pieces, ends, strict=True)
        if any(map(str.isalnum, piece))
    ]


def _citations_of(answer: Answer, span: Span) -> list[Citation]:
    return [item for item in answer.citations if item.answer_start < span.end and span.start < item.answer_end]


def _known_to(citation: Citation) -> str:
    return "\n".join(text for text in (citation.quote, citation.title, citation.date) if text)
