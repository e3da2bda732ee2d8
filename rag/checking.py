"""What becomes of a draft: each sentence signed or dropped, and a second look with the cited sentences alone."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from rag.citations import SignedSentence, compose, sign, sign_phrase, without_empty_leads
from rag.evidence import Evidence
from rag.generators import Generator
from rag.prompt import answerable_messages, supported_messages
from rag.settings import Settings
from rag.side_by_side import confirmed, rivals, side_by_side
from rag.signals import covered_by
from rag.types import Citation, Message, Signals


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked, what it is searched as (joined to the turn before), and that conversation."""

    text: str
    searched: str
    history: Sequence[Message] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """A draft's sentences with what was found for them, those that stand, the text and citations made of these, and
    what is known for and against it now. Nothing is cited if no sentence stands."""

    signed: tuple[SignedSentence, ...]
    standing: tuple[SignedSentence, ...]
    text: str
    citations: tuple[Citation, ...]
    signals: Signals


def check_draft(
    draft: str,
    question: Asked,
    evidence: Evidence,
    *,
    generator: Generator,
    settings: Settings,
    signals: Signals,
) -> Checked:
    """Sign every sentence of the draft, keep those that stand, and look at them again without their surroundings.

    What surrounds the cited sentences makes a small model generous; without it, near misses (the right people, the
    wrong fact) show.
    """
    phrase = settings.answer_style == "phrase"
    if phrase:
        signed: tuple[SignedSentence, ...] = (sign_phrase(draft, evidence, question=question.text),)
    else:
        signed = sign(draft, evidence, question=question.text)
    if generator.count_tokens(draft) >= settings.answer_tokens:
        signed = signed[:-1] or signed  # cut off in the middle of a sentence
    standing = without_empty_leads([item for item in signed if item.stands(settings.citation_support)])
    text, citations = compose(standing)
    if citations:
        cited = Evidence(tuple(dict.fromkeys(item for sentence in standing for item in sentence.cited)))
        claim = f"{question.text} {text}" if phrase else text
        signals = dataclasses.replace(
            signals,
            stated=generator.log_odds(supported_messages(claim, cited)),
            answers=generator.log_odds(answerable_messages(question.text, cited, history=question.history)),
            covered=covered_by(question.searched, evidence, standing),
            support=min(item.support for item in standing),
        )
    return Checked(signed, standing, text, citations, signals)


def with_other_figures(
    checked: Checked, question: Asked, evidence: Evidence, *, generator: Generator, settings: Settings
) -> Checked:
    """The same, or, if other reports give other figures to the question, all of them quoted side by side."""
    if settings.answer_style == "phrase" or not checked.citations:
        return checked
    candidates = rivals(question.searched, checked.standing, evidence)

    def judge(alone: Evidence) -> float:
        return generator.log_odds(answerable_messages(question.text, alone, history=question.history))

    others = confirmed(candidates, judge, least=settings.other_figure_log_odds)
    if not others:
        return checked
    text, citations = side_by_side(checked.standing, others)
    return dataclasses.replace(checked, text=text, citations=citations)
