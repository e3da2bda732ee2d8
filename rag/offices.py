"""Who holds which office: a claim that makes someone chairman whom the article calls founder. English only."""

import re
from collections.abc import Iterator

_OFFICES = {
    "chair": r"chair(?:man|woman|person)?",
    "chief executive": r"CEO|chief executive(?: officer)?",
    "finance chief": r"CFO|chief financial officer|finance chief",
    "operations": r"COO|chief operating officer",
    "technology": r"CTO|chief technology officer",
    "founder": r"(?:co-?)?founder",
    "president": r"(?<!vice )(?<!vice-)president",
    "vice president": r"vice[ -]president",
    "prime minister": r"prime minister|premier",
    "minister": r"(?<!prime )minister|secretary of state",
    "governor": r"governor",
    "mayor": r"mayor",
    "director": r"(?:managing )?director",
    "speaker": r"speaker",
    "coach": r"(?:head )?coach",
    "captain": r"captain",
    "editor": r"editor(?:-in-chief)?",
    "ambassador": r"ambassador",
    "senator": r"senator",
}
_ANY = "|".join(_OFFICES.values())
_NAME = r"(?-i:[A-Z][\w’'.-]+(?: (?:[A-Z]\. )?[A-Z][\w’'-]+)+)"
_OFFICE_IS = re.compile(rf"\b(?P<office>{_ANY})\b[^.;]{{0,60}}? (?:is|was) (?P<name>{_NAME})", re.IGNORECASE)
_NAME_IS = re.compile(
    rf"(?P<name>{_NAME}) (?:is|was|became|serves as|served as|has been) (?:the |an? )?"
    rf"(?:[\w’'-]+ ){{0,3}}?(?P<office>{_ANY})\b",
    re.IGNORECASE,
)


def other_office(claim: str, source: str) -> tuple[str, str] | None:
    """The office that `claim` gives to a person, and the one that `source` gives to them, which does not know of the
    first; None if the two agree, or if either says nothing of the kind.
    """
    for name, office in _held(claim):
        if re.search(rf"\b(?:{_OFFICES[_kind(office)]})\b", source, re.IGNORECASE):
            continue
        # Right before the name ("Alibaba founder Jack Ma"), or right after it ("Jack Ma, the founder").
        person = re.escape(name)
        beside = re.search(
            rf"\b({_ANY}),? {person}\b|\b{person}, (?:[\w’'-]+ ){{0,3}}?({_ANY})\b", source, re.IGNORECASE
        )
        if beside:
            return office, beside[1] or beside[2]
    return None


def _held(claim: str) -> Iterator[tuple[str, str]]:
    for pattern in (_OFFICE_IS, _NAME_IS):
        for found in pattern.finditer(claim):
            yield found["name"], found["office"]


def _kind(office: str) -> str:
    return next(kind for kind, words in _OFFICES.items() if re.fullmatch(words, office, re.IGNORECASE))
