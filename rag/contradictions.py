"""Where a claim says the opposite of the sentence that it cites: rose for fell, more for less, before for after, not.

Rules, not judgement: two sentences that share their telling words and differ in one word of a pair of opposites. What
is not clear is left alone, so a claim without a contradiction is not thereby supported. English only.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.facts import names, numbers
from rag.offices import other_office
from rag.words import search_stems

_UP = (
    r"rises?|rising|rose|risen|grows?|grew|grown|growing|increas(?:e|es|ed|ing)|climb(?:s|ed|ing)?|gain(?:s|ed|ing)?"
    r"|jump(?:s|ed|ing)?|surg(?:e|es|ed|ing)|soar(?:s|ed|ing)?|rall(?:y|ies|ied|ying)|expand(?:s|ed|ing)?"
    r"|doubl(?:es?|ed|ing)|tripl(?:es?|ed|ing)"
    r"|higher|growth|(?:is|are|was|were|be|been|went|go|goes)\s+up|up(?=\s+(?:by\s+|nearly\s+|almost\s+|about\s+)?[$€£]?\d)"
)
_DOWN = (
    r"falls?|falling|fell|fallen|drop(?:s|ped|ping)?|declin(?:e|es|ed|ing)|decreas(?:e|es|ed|ing)|plung(?:e|es|ed|ing)"
    r"|slump(?:s|ed|ing)?|sinks?|sinking|sank|sunk|shrinks?|shrank|shrunk|shrinking|tumbl(?:e|es|ed|ing)|slid(?:es?|ing)?"
    r"|reduc(?:e|es|ed|ing|tions?)|halv(?:e|es|ed|ing)|lower(?:s|ed|ing)?|plummet(?:s|ed|ing)?|(?:is|are|was|were|be|been|went|go|goes)\s+down"
    r"|down(?=\s+(?:by\s+|nearly\s+|almost\s+|about\s+)?[$€£]?\d)"
)
_MORE = (
    r"more\s+than|over|above|exceed(?:s|ed|ing)?|at\s+least|greater\s+than|higher\s+than|in\s+excess\s+of|north\s+of"
)
_LESS = r"less\s+than|fewer\s+than|under|below|at\s+most|nearly|almost|lower\s+than|up\s+to|close\s+to|short\s+of"
_NEGATION = re.compile(
    r"\b(?:not|never|no\s+longer|cannot|neither|nor|without|fail(?:s|ed)?\s+to|refus(?:es|ed)\s+to|unable\s+to"
    r"|den(?:y|ies|ied)|unlikely|hardly|barely|no|none|nobody)\b|n['’]t\b",
    re.IGNORECASE,
)
_NOT = re.compile(
    r"(?:\b(?:not|never|no\s+longer|cannot)\b|n['’]t\b)(?!\s+(?:just|only|merely|simply|necessarily|yet|all|every|always|even))",
    re.IGNORECASE,
)
_OVERTAKES = re.compile(
    r"\b(?P<be>(?:is|are|was|were|been|being|be|gets?|got)\s+(?:\w+ly\s+)?)?"
    r"(?P<verb>surpass|overtak|overtook|exceed|outperform|outsell|outsold|defeat|beat|acquir|bought|buy|replac|su(?=ed|es)"
    r"|accus|criticis|criticiz|arrest|kill|shoot|shot|attack|hire|appoint|succeed)(?:e[nds]?|s|ing|n|ten)?"
    r"(?:\s+(?P<by>by))?\b",
    re.IGNORECASE,
)
_CONTRACTED = re.compile(r"\b\w+n['’]t\b", re.IGNORECASE)
_SAME_VERB = {"overtook": "overtak", "bought": "buy", "outsold": "outsell", "shot": "shoot", "criticiz": "criticis"}
_ASIDE = re.compile(r",\s+(?:which|who|whose)\b[^,;]*,")
_WHEN = re.compile(r"\b(?P<word>before|after)\b", re.IGNORECASE)
_CLAUSE_END = re.compile(r"[;:]|,\s+(?:and|but|while|who|which|as)\b|\b(?:but|while|whereas|although|though)\b")
_MUCH_SHARED = 0.6
_NEARLY_ALL_SHARED = 0.8
_FEWEST_SHARED = 2


@dataclass(frozen=True, slots=True)
class Contradiction:
    """The word of the claim, and the one of the source that says its opposite."""

    claimed: str
    stated: str

    def __str__(self) -> str:
        """For the reason of a refusal: "“rose” where the article has “fell”"."""
        return f"“{self.claimed}” where the article has “{self.stated}”"


def contradictions(claim: str, sources: Sequence[str]) -> tuple[Contradiction, ...]:
    """What `claim` says against the sentences `sources` that it cites; empty if nothing is clearly opposite."""
    rules: tuple[Callable[[str, str], Contradiction | None], ...] = (
        _direction,
        _bound,
        _roles,
        _office,
        _order,
        _negated,
    )
    found = []
    for rule in rules:
        judged = [rule(claim, source) for source in sources]
        # Where one sentence bears the claim out, another that seems to oppose it speaks of something else.
        first = next((item for item in judged if item), None)
        # A claim that the rule finds opposed to itself ("over 5 and under 5") is beyond it.
        if first and rule(claim, claim) is None and not any(_bears_out(rule, claim, source) for source in sources):
            found.append(first)
    return tuple(dict.fromkeys(found))


def _bears_out(rule: Callable[[str, str], Contradiction | None], claim: str, source: str) -> bool:
    """Whether the source says the claim nearly word for word, and not its opposite."""
    return rule(claim, source) is None and _shared(claim, source) >= _NEARLY_ALL_SHARED


def _shared(claim: str, source: str) -> float:
    wanted = _telling(claim)
    return len(wanted & _telling(source)) / len(wanted) if wanted else 0.0


_WHOLE_UP, _WHOLE_DOWN = (re.compile(rf"\b(?:{words})(?!\w)", re.IGNORECASE) for words in (_UP, _DOWN))


def _direction(claim: str, source: str) -> Contradiction | None:
    """Rose in the one, fell in the other, with the other telling words alike."""
    for ours, opposite in ((_WHOLE_UP, _WHOLE_DOWN), (_WHOLE_DOWN, _WHOLE_UP)):
        said, stated = ours.search(claim), opposite.search(source)
        if not said or not stated or opposite.search(claim) or ours.search(source):
            continue
        if _NEGATION.search(claim) or _NEGATION.search(source):
            continue
        left = _without(claim, said)
        if _alike(left, _without(source, stated), least=_MUCH_SHARED):
            return Contradiction(said[0].strip(), stated[0].strip())
    return None


_BOUND = re.compile(rf"\b(?:(?P<more>{_MORE})|(?P<less>{_LESS}))\s+(?:the\s+)?[$€£]?(?=\d)", re.IGNORECASE)


def _bound(claim: str, source: str) -> Contradiction | None:
    """More than a number in the one, less than the very same in the other."""
    for said in _BOUND.finditer(claim):
        number = numbers(claim[said.end() :])[0]
        for stated in _BOUND.finditer(source):
            same = numbers(source[stated.end() :])[0].same_as(number)
            if same and bool(said["more"]) != bool(stated["more"]):
                return Contradiction(said[said.lastgroup or 0], stated[stated.lastgroup or 0])
    return None


def _roles(claim: str, source: str) -> Contradiction | None:
    """A surpassed B in the one, B surpassed A (or A was surpassed by B) in the other."""
    for said in _OVERTAKES.finditer(claim):
        for stated in _OVERTAKES.finditer(source):
            if _root(said) != _root(stated):
                continue
            ours, theirs = _sides(claim, said), _sides(source, stated)
            if not all((*ours, *theirs)) or ours[0] & ours[1] or theirs[0] & theirs[1]:
                continue
            if ours[0] & theirs[1] and ours[1] & theirs[0] and not ours[0] & theirs[0] and not ours[1] & theirs[1]:
                return Contradiction(said[0], stated[0])
    return None


def _office(claim: str, source: str) -> Contradiction | None:
    """Someone is chairman in the one and founder in the other."""
    found = other_office(claim, source)
    return Contradiction(*found) if found else None


def _root(verb: re.Match[str]) -> str:
    root = verb["verb"].lower()
    return _SAME_VERB.get(root, root)


def _sides(text: str, verb: re.Match[str]) -> tuple[frozenset[str], frozenset[str]]:
    """The names of who does it and of whom it is done to, in the clause of the verb."""
    before, after = _ASIDE.sub(" ", text[: verb.start()]), text[verb.end() :]
    before = _CLAUSE_END.split(before)[-1]
    end_of_clause = _CLAUSE_END.search(after)
    after = after[: end_of_clause.start()] if end_of_clause else after
    known = set(names(text))
    left, right = (frozenset(names(part, known=known | set(_capitals(part)))) for part in (before, after))
    return (right, left) if verb["be"] and verb["by"] else (left, right)


def _capitals(text: str) -> list[str]:
    return [word.lower() for word in re.findall(r"\b[A-Z][\w]+", text)]


def _order(claim: str, source: str) -> Contradiction | None:
    """X before Y in the one, X after Y in the other, with the same words on the same side."""
    said, stated = _WHEN.findall(claim), _WHEN.findall(source)
    if len(said) != 1 or len(stated) != 1 or said[0].lower() == stated[0].lower():
        return None
    ours, theirs = _parts_in_time(claim), _parts_in_time(source)
    if all(_alike(mine, other, least=_MUCH_SHARED) for mine, other in zip(ours, theirs, strict=True)):
        return Contradiction(said[0], stated[0])
    return None


def _parts_in_time(text: str) -> tuple[str, str]:
    """What happened, and before or after what."""
    match = _WHEN.search(text)
    if match is None:
        return text, ""
    before, after = text[: match.start()], text[match.end() :]
    if not _telling(before) and "," in after:
        after, _, before = after.partition(",")
    return before, after


def _negated(claim: str, source: str) -> Contradiction | None:
    """Not in the one, and nothing that denies in the other, with nearly all words alike."""
    for denied, other, swapped in ((claim, source, False), (source, claim, True)):
        mark = _NOT.search(denied)
        if not mark or len(_NEGATION.findall(denied)) != 1 or _NEGATION.search(other):
            continue
        following = _telling(" ".join(denied[mark.end() :].split()[:3]))
        if not following & _telling(other):
            continue
        if _alike(claim, source, least=_NEARLY_ALL_SHARED) and _alike(source, claim, least=_MUCH_SHARED):
            phrase, word = _with_neighbours(denied, mark)
            return Contradiction(word, phrase) if swapped else Contradiction(phrase, word)
    return None


def _with_neighbours(text: str, mark: re.Match[str]) -> tuple[str, str]:
    """ "didn't rise" and "rise"."""
    denial = (text[: mark.end()].split() or [""])[-1]
    word = (text[mark.end() :].split() or [""])[0].strip(".,;:!?")
    return f"{denial} {word}", word


def _without(text: str, match: re.Match[str]) -> str:
    return text[: match.start()] + " " + text[match.end() :]


def _telling(text: str) -> frozenset[str]:
    return search_stems(_CONTRACTED.sub(" ", text))


def _alike(claim: str, source: str, *, least: float) -> bool:
    """Whether enough of the claim's telling words stand in the source, its numbers among them."""
    wanted = _telling(claim)
    shared = wanted & _telling(source)
    hard = {word for word in wanted if word[0].isdigit()}
    return hard <= shared and len(shared) >= min(_FEWEST_SHARED, len(wanted)) and len(shared) >= least * len(wanted)
