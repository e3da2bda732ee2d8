"""What becomes of a draft: each sentence signed or dropped, and a second look with the cited sentences alone."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from index.types import Hit
from rag.agreement import agreement
from rag.asked_kinds import lacks_figure
from rag.citations import SignedSentence, compose, sign, sign_phrase, without_empty_leads, without_loose_ties
from rag.confidence import load_calibration
from rag.copies import find_copies
from rag.deadline import Deadline
from rag.evidence import Evidence, found_sentences
from rag.generators import Generator
from rag.prompt import answer_messages, answerable_messages, asks_whether, right_messages, supported_messages
from rag.quoting import quote_of, quoted, quoted_instead, told_instead
from rag.settings import Settings
from rag.side_by_side import confirmed, rivals, side_by_side
from rag.signals import covered_by
from rag.types import Citation, Message, Signals

_READING_TOKENS = 24


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked, what it is searched as (joined to the turns before), that conversation, and the language to answer
    in if that is another than the question's."""

    text: str
    searched: str
    history: Sequence[Message] = ()
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """A draft's sentences with what was found for them, those that stand, the text and citations made of these, and
    what is known for and against it now.

    If quotes are asked for (`Settings.answer_style`), text and citations are sentences of the articles themselves.
    `told` is the sentence of the articles in the place of a draft of which nothing stands, if there is one.
    `figureless`: nothing is cited because what stands gives no figure, and the question asks for one.
    """

    signed: tuple[SignedSentence, ...]
    standing: tuple[SignedSentence, ...]
    text: str
    citations: tuple[Citation, ...]
    signals: Signals
    told: tuple[SignedSentence, ...] = ()
    figureless: bool = False


def check_draft(
    draft: str,
    question: Asked,
    evidence: Evidence,
    *,
    generator: Generator,
    settings: Settings,
    signals: Signals,
    deadline: Deadline | None = None,
    whole: Evidence | None = None,
) -> Checked:
    """Sign every sentence of the draft, keep those that stand, and look at them again without their surroundings.

    What surrounds the cited sentences makes a small model generous; without it, near misses (the right people, the
    wrong fact) show, and so do drafts that put its words together wrongly. If there is no time for it,
    `Signals.answers` stays None, and nothing is quoted in the place of a draft that does not stand: only a second look
    tells whether that answers the question. In the place of a draft in whole sentences of which nothing stands, the
    sentence of the articles is quoted that states the answer, if one does (`rag/quoting.py`). If `evidence` is a
    part of what was read, `whole` is all of it.
    """
    phrase = settings.answer_style == "phrase"
    if phrase:
        signed: tuple[SignedSentence, ...] = (sign_phrase(draft, evidence, question=question.text),)
    else:
        signed = sign(draft, evidence, question=question.text)
    if generator.count_tokens(draft) >= settings.answer_tokens:
        signed = signed[:-1] or signed  # cut off in the middle of a sentence
    elif deadline and deadline.cut:
        signed = signed[:-1]
    standing = without_empty_leads([item for item in signed if item.stands(settings.citation_support)])
    if not standing and settings.answer_style == "sentence":
        return _in_their_words(signed, question, evidence, whole or evidence, generator, settings, signals, deadline)
    shown = standing if phrase else without_loose_ties(standing, signed)
    if settings.answer_style == "quote":
        # What an article says stands by itself, even where the model said it badly.
        shown = quoted(standing) or quoted_instead(signed, evidence)
    text, citations = compose(shown)
    figureless = bool(citations) and lacks_figure(question.text, text)
    if figureless:
        text, citations = "", ()
    if citations:
        cited = Evidence(tuple(dict.fromkeys(item for sentence in shown for item in sentence.cited)))
        messages = answerable_messages(question.text, cited, history=question.history)
        looks = deadline is None or deadline.lets_look(messages)
        if not looks and not standing:
            return Checked(signed, (), "", (), signals)
        signals = dataclasses.replace(
            signals,
            answers=generator.log_odds(messages) if looks else None,
            covered=covered_by(question.searched, evidence, shown),
            support=min(item.support for item in shown),
        )
        if looks:
            said = " ".join(item.text for item in standing) or text
            signals = _judged(said, question, whole or evidence, generator, settings, signals, deadline)
        if looks and _depends_on_agreement(signals, generator, settings):
            read = _read_again(text, question, cited, generator, settings, deadline)
            signals = dataclasses.replace(signals, agreement=read)
    return Checked(signed, standing, text, citations, signals, figureless=figureless)


def _in_their_words(
    signed: tuple[SignedSentence, ...],
    question: Asked,
    evidence: Evidence,
    whole: Evidence,
    generator: Generator,
    settings: Settings,
    signals: Signals,
    deadline: Deadline | None,
) -> Checked:
    """What becomes of a draft of which nothing stands: a sentence of the articles in its place, or nothing."""

    def judge(parts: Sequence[Evidence]) -> list[float]:
        prompts = [answerable_messages(question.text, part, history=question.history) for part in parts]
        if deadline is not None and not deadline.lets_look(*prompts):
            return []
        return [generator.log_odds(messages) for messages in prompts]

    def read(alone: Evidence) -> str | None:
        return read_phrase(question, alone, generator, deadline)

    fallen = Checked(signed, (), "", (), signals)
    told = speaks_of_one_fact(question) and told_instead(
        signed, evidence, question.text, judge=judge, read=read, support=settings.citation_support
    )
    if not told:
        return fallen
    shown = quote_of(told.item)
    text, citations = compose(shown)
    if lacks_figure(question.text, text):
        return fallen
    signals = dataclasses.replace(
        signals,
        answers=told.log_odds,
        covered=covered_by(question.searched, evidence, shown),
        support=1.0,
        agreement=agreement(text, told.reading, question=question.text),
    )
    signals = _judged(text, question, whole, generator, settings, signals, deadline)
    return Checked(signed, (), text, citations, signals, told=shown)


def _judged(
    said: str,
    question: Asked,
    whole: Evidence,
    generator: Generator,
    settings: Settings,
    signals: Signals,
    deadline: Deadline | None,
) -> Signals:
    """The same with what the model says of this beside all of the evidence: if confidence rests on that, what is known
    lets it be shown at all, and there is time."""
    judges = load_calibration(generator.name).judges_drafts(settings.answer_style)
    if not judges or not _may_be_shown(signals, generator, settings):
        return signals
    messages = right_messages(question.text, whole, said, history=question.history)
    if deadline is not None and not deadline.lets_check(messages):
        return signals
    return dataclasses.replace(signals, right=generator.log_odds(messages))


def _may_be_shown(signals: Signals, generator: Generator, settings: Settings, *, agreed: float = 1.0) -> bool:
    """Whether the answer is sure enough to be shown if what is read again agrees with it so far."""
    calibration = load_calibration(generator.name)
    sure = calibration.confidence(dataclasses.replace(signals, agreement=agreed), style=settings.answer_style)
    return sure >= calibration.least_confidence(settings.wrong_per_hundred)


def _depends_on_agreement(signals: Signals, generator: Generator, settings: Settings) -> bool:
    """Whether what is read again decides if the answer is shown. Where everything is, its confidence is all there is to
    know it by."""
    if settings.wrong_per_hundred >= 100:
        return True
    return _may_be_shown(signals, generator, settings) and not _may_be_shown(signals, generator, settings, agreed=0)


def _read_again(
    text: str,
    question: Asked,
    cited: Evidence,
    generator: Generator,
    settings: Settings,
    deadline: Deadline | None,
) -> float | None:
    """How far a phrase that the model reads in the cited sentences alone agrees with the answer.

    Words that all stand in the cited sentences may be put together wrongly ("Alipay is behind Alibaba"); read without
    the rest, they often give something else. None of phrases and quotes, where it tells nothing (docs/lab-notes.md), of
    questions in another language or that Yes or No answers, and if there is no time for it.
    """
    if settings.answer_style != "sentence" or not speaks_of_one_fact(question):
        return None
    reading = read_phrase(question, cited, generator, deadline)
    return None if reading is None else agreement(text, reading, question=question.text)


def speaks_of_one_fact(question: Asked) -> bool:
    """Whether a phrase that answers it can be compared with the articles: "Yes" and another language cannot."""
    return not question.language and not asks_whether(question.text)


def read_phrase(question: Asked, cited: Evidence, generator: Generator, deadline: Deadline | None) -> str | None:
    """A phrase that the model reads in this evidence alone as the answer; None if there is no time for it."""
    messages = answer_messages(question.text, cited, history=question.history, style="phrase")
    if deadline is not None:
        if not deadline.lets_read_again(messages, tokens=_READING_TOKENS):
            return None
        generator = deadline.unpaced
    return "".join(generator.generate(messages, max_tokens=_READING_TOKENS))


def support_of(claim: str, evidence: Evidence, *, generator: Generator) -> float:
    """Log-odds that `evidence` states everything in `claim`: the mean of what the model says by itself and of what it
    says with the adapter that learnt to check claims, which together tell more than each (docs/lab-notes.md). A model
    without that adapter says the same twice, the second time for next to nothing.
    """
    asked = [supported_messages(claim, evidence, adapted=adapted) for adapted in (True, False)]
    return sum(generator.log_odds(messages) for messages in asked) / len(asked)


def with_other_figures(
    checked: Checked,
    question: Asked,
    hits: Sequence[Hit],
    *,
    generator: Generator,
    settings: Settings,
    deadline: Deadline | None = None,
) -> Checked:
    """The same, or, if other reports give other figures to the question, all of them quoted side by side.

    They are looked for in all that was found: what an answer is written from is chosen to be short, and each of them is
    judged alone anyway.
    """
    given = checked.standing or checked.told
    if settings.answer_style != "sentence" or not given:
        return checked
    candidates = rivals(question.searched, given, found_sentences(question.searched, hits))

    def asking(alone: Evidence) -> Sequence[Message]:
        return answerable_messages(question.text, alone, history=question.history)

    def judge(alone: Evidence) -> float:
        return generator.log_odds(asking(alone))

    if deadline and candidates and not deadline.lets_judge([asking(Evidence((item,))) for item in candidates]):
        return checked

    others = confirmed(candidates, judge, least=settings.other_figure_log_odds)
    if not others:
        return checked
    others = tuple(dataclasses.replace(item, also_in=find_copies(item.sentence, hits)) for item in others)
    text, citations = side_by_side(given, others)
    return dataclasses.replace(checked, text=text, citations=citations)
