"""A second draft where the first cannot be shown, or says "today" of a time: a phrase is read, then said in a sentence.

Asked for whole sentences, a small model goes on with the words of the question and whatever fits them; asked for a
phrase, it looks for one, above all with its adapter (`rag/adapter.py`). To say a given phrase in a sentence is easy.
"""

from collections.abc import Collection

from rag.agreement import agreement
from rag.asked_kinds import holds_date, lacks_date
from rag.checking import Asked, Checked, read_phrase, speaks_of_one_fact
from rag.citations import sign, sign_phrase
from rag.deadline import Deadline
from rag.evidence import Evidence, EvidenceSentence
from rag.facts import missing_facts
from rag.generators import Generator
from rag.prompt import told_messages
from rag.settings import Settings

_LONGEST = 60
"""Tokens of the sentence."""
_SAID = 0.5
"""So much of the phrase at least is in the sentence (`rag/agreement.py`)."""
_SURE = 0.0
"""The log-odds (`Signals.answers`) from which cited sentences are taken to state an answer."""


def evidence_anew(question: str, first: Checked, evidence: Evidence, *, shown: bool) -> Evidence | None:
    """The part of the evidence to draft from once more; None if the first draft can be `shown` and is good enough.

    Where a time is asked for and the draft gives none that means anything without its article, these are the sentences
    with dates: among reports of the day a small model takes the first, and in that it is "today".
    """
    if first.citations and lacks_date(question, first.text):
        dated = tuple(item for item in evidence.sentences if holds_date(item.sentence.text))
        if dated:
            return Evidence(dated)
    return None if shown else evidence


def draft_anew(
    question: Asked,
    evidence: Evidence,
    *,
    generator: Generator,
    settings: Settings,
    deadline: Deadline | None = None,
    silent: Collection[EvidenceSentence] = (),
) -> tuple[str, Evidence] | None:
    """A sentence with a phrase that stands in the evidence, and the part of that which it was written from: it is to be
    checked against this alone.

    None where a phrase cannot answer (Yes or No, another language), where answers are no sentences, and for what
    follows other questions (told of those, a small model says again what was said); if the phrase says nothing that the
    question does not, rests on sentences alone that were judged to be `silent` about the answer, or is lost on the way;
    if other facts come in, or the sentence does not stand; and if there is no time.
    """
    if settings.answer_style != "sentence" or question.history or not speaks_of_one_fact(question):
        return None
    phrase = read_phrase(question, evidence, generator, deadline)
    if phrase is None:
        return None
    signed = sign_phrase(phrase, evidence, question=question.text)
    if not signed.stands(settings.citation_support) or set(signed.cited) <= set(silent):
        return None
    narrow = Evidence(signed.cited)
    messages = told_messages(question.text, narrow, phrase)
    if deadline is not None:
        if not deadline.lets_read_again(messages, tokens=_LONGEST):
            return None
        generator = deadline.unpaced
    written = "".join(generator.generate(messages, max_tokens=_LONGEST))
    if agreement(written, phrase, question=question.text) <= _SAID or missing_facts(written, [phrase, question.text]):
        return None
    # Checked in full, a draft of which nothing stands would be looked for a quote in its place.
    stands = any(item.stands(settings.citation_support) for item in sign(written, narrow, question=question.text))
    return (written, narrow) if stands else None


def silent(first: Checked) -> tuple[EvidenceSentence, ...]:
    """What the first draft cites and was judged not to state an answer: so it does not state another."""
    judged = first.signals.answers
    if judged is None or judged >= _SURE:
        return ()
    return tuple(item for sentence in first.standing for item in sentence.cited)


def is_sure(question: str, second: Checked) -> bool:
    """Whether a second draft is cited, what it cites is likelier than not to state the answer, and it gives a date if
    one is asked for. More is asked of it than of a first one: a phrase that is read there again is the one that it was
    written from, and tells nothing."""
    judged = second.signals.answers
    return bool(second.citations) and judged is not None and judged > _SURE and not lacks_date(question, second.text)
