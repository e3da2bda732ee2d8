"""Why a question was refused, said so that a reader can go on: what no article names, and what is closest."""

from collections.abc import Iterable, Sequence

from index.filters import Filters
from index.library import Library
from index.mentions import begins_a_word, find_mentions
from index.search import SavedIndex
from rag.citations import SignedSentence
from rag.evidence import Evidence
from rag.excerpts import article_label
from rag.facts import as_written, names, numbers
from rag.saying import described, listed
from rag.words import content_stems

REFUSAL = "The articles do not tell."
NO_TIME = "There is not enough time to answer."
_MOST_NAMED = 3
_LONGEST_QUOTE = 240  # characters
_NAME = 4
"""Letters of a name from which on longer words are taken for forms of it: "Pakistani" speaks of Pakistan."""


def nothing_found(filters: Filters) -> str:
    """The reason if the index is empty, or no article passes the filters."""
    if not filters.limits:
        return "There is no article in the index that could tell."
    return f"No article in the index is {described(filters)}."


def nothing_readable() -> str:
    """The reason if all that was found are sentences that the model must not read (`rag/instructions.py`)."""
    return "What was found speaks to the program that reads it instead of telling something, so it was not read."


def not_stated(evidence: Evidence, absent: Sequence[str]) -> str:
    """The reason if nothing was written: what of the question no article names, and the closest sentence."""
    return f"{_missing(absent)}{_closest(evidence)}"


def doubtful(evidence: Evidence, absent: Sequence[str]) -> str:
    """The reason if a draft was too likely to be wrong."""
    return f"{_missing(absent)}A draft was written, but was too likely to be wrong. {_closest(evidence)}"


def unsupported(signed: Sequence[SignedSentence]) -> str:
    """The reason if no sentence of the draft stands."""
    contradicted = next((item.contradicted[0] for item in signed if item.contradicted), None)
    if contradicted:
        return f"A draft was written, but it says {contradicted}, so it was not shown."
    missing = list(dict.fromkeys(as_written(fact, item.text) for item in signed for fact in item.missing))
    if missing:
        named = listed([f"“{fact}”" for fact in missing[:_MOST_NAMED]])
        return f"A draft was written, but the passages do not contain {named}, so it was not shown."
    if any(item.repeats for item in signed):
        return "A draft was written, but it only repeats the question, so it was not shown."
    return "A draft was written, but no passage supports it, so it was not shown."


def without_figure(evidence: Evidence) -> str:
    """The reason if what was written gives no figure, and the question asks for one."""
    return f"A draft was written, but it gives no figure, which is what is asked for. {_closest(evidence)}"


def absent_names(index: SavedIndex, question: str) -> tuple[str, ...]:
    """The names and numbers of the question, as it writes them, that stand in no article at all."""
    words = question.split()
    wanted = [
        word
        for name in names(question)
        for word in (next((w.strip("?!.,;:()“”\"'’") for w in words if name in w.lower()), None),)
        if word and content_stems(word)  # not the "Did" of "Did Brandt …?"
    ]
    wanted += [number.shown for number in numbers(question) if number.shown[:1].isdigit()]

    def absent(library: Library) -> tuple[str, ...]:
        return tuple(
            word
            for word in dict.fromkeys(map(_bare, wanted))
            if not find_mentions(library, word) and not (len(word) >= _NAME and begins_a_word(library, word))
        )

    return index.read(absent)


def _bare(word: str) -> str:
    for ending in ("'s", "’s"):
        word = word.removesuffix(ending)
    return word


def _missing(absent: Iterable[str]) -> str:
    named = [f"“{word}”" for word in absent][:_MOST_NAMED]
    return f"No article mentions {listed(named)}. " if named else ""


def _closest(evidence: Evidence) -> str:
    best = max(evidence.sentences, key=lambda item: item.score)
    quote = " ".join(best.sentence.text.split())
    if len(quote) > _LONGEST_QUOTE:
        quote = quote[:_LONGEST_QUOTE].rsplit(" ", 1)[0] + " …"
    return f"The closest sentence says: “{quote}” ({article_label(best.article)})"
