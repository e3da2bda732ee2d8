"""The forms of questions about the collection, as patterns over a question whose quotations, publishers and periods are
hidden behind marks (`rag/exact.py`). Nothing here is searched for: each pattern is matched where the reading stands."""

import re

from rag.publishers import MARK

QUOTED, PERIOD = "\uf8fe", "\uf8fd"
"""Stand for each letter of a quotation and of a period; for private use, as `MARK` for publishers."""

_NOUN = r"(?:(?:news|newspaper|press)\s+)?articles?|news\s+stories"
_OF_THE = r"(?:of\s+)?(?:(?:the|your|these|those|our|my)\s+)?(?:\d+\s+)?(?:different\s+)?"
_SOURCE = rf"(?:the\s+)?{MARK}+(?:['’]s?)?"
_SOURCES = rf"{_SOURCE}(?:(?:\s*,\s*(?:or\s+)?|\s+or\s+){_SOURCE})*"
_ARTICLES = rf"{_OF_THE}(?P<source>{_SOURCES}\s+)?(?:{_NOUN})\b"
_HERE = r"(?:the|your|this|our)\s+(?:index|collection|library|corpus|database|archive|data\s?set)"
_VERB = r"(?:published|written|posted|reported|printed|issued)"
_NAME = rf"(?-i:[A-Z][\w.'’-]*(?:\s+(?:(?:de|van|von|der|bin|al|la|le|du|di|da)\s+)?[A-Z][\w.'’-]*){{0,4}})|{QUOTED}+"


def _form(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


POLITE = _form(
    r"\s*(?:please|kindly|hi|hello|so|(?:can|could|would|will)\s+you(?:\s+please)?(?:\s+tell\s+me)?|tell\s+me"
    r"|let\s+me\s+know|do\s+you\s+know|i(?:['’]d|\s+would)?\s+(?:like|want)\s+to\s+(?:know|see))\b[\s,:]*"
)

COUNT = _form(
    rf"(?:how\s+many|(?:what(?:\s+is|['’]s)\s+)?(?:the\s+)?(?:total\s+)?number\s+of|count(?:\s+all)?)\s+{_ARTICLES}"
)
LIST = _form(
    r"(?:(?:list|show|name|give|display|enumerate|find)(?:\s+me|\s+us)?(?:\s+(?:a|the)\s+list\s+of)?"
    rf"(?:\s+(?:all|every|each|any))?|what\s+are\s+all)\s+{_ARTICLES}"
)
WHICH = _form(rf"(?:which|what)\s+{_ARTICLES}")
ANY = _form(
    r"(?:(?:do|does|did)\s+any(?:\s+one)?|(?:is|are)\s+there\s+(?:any|an)|(?:do\s+you\s+have|have\s+you)\s+(?:any|an))"
    rf"\s+{_ARTICLES}"
)
TURNED = (
    _form(
        rf"in\s+(?P<which>which|what|how\s+many)\s+{_ARTICLES}\s+(?:is|are|was|were|does|do|did)\s+(?P<phrase>.+?)\s+"
        r"(?:mentioned|named|appear|occur|come\s+up)"
    ),
    _form(
        rf"(?P<which>which|what|how\s+many)\s+{_ARTICLES}\s+(?:is|are|was|were)\s+(?P<phrase>.+?)\s+"
        r"(?:mentioned|named)\s+in"
    ),
    _form(
        rf"(?P<which>is|are|was|were)\s+(?P<phrase>.+?)\s+(?:ever\s+)?(?:mentioned|named)\s+(?:anywhere\s+)?in\s+"
        rf"(?:any|some)\s+{_ARTICLES}"
    ),
)
"""Whole questions in which the phrase stands in the middle."""

LINK = _form(r"(?:and\s+)?(?:(?:that|which)\s+)?(?:(?:is|are|was|were|has\s+been|have\s+been)\s+)?")
EXISTS = _form(
    rf"(?:(?:are|is)\s+there|exist|(?:do|does)\s+(?:you|{_HERE})\s+(?:have|know|hold|contain|include)"
    rf"|have\s+you\s+(?:read|got|indexed)|(?:(?:in|part\s+of)\s+)?{_HERE}|available|indexed|stored|loaded|in\s+total"
    r"|altogether|overall|at\s+hand)\b"
)
BY_SOURCE = _form(rf"(?:{_VERB}\s+)?(?:by|from|in)\s+(?P<source>{_SOURCES})(?!['’\w])")
SOURCE_DID = _form(
    rf"(?:did|has|have|does)\s+(?P<source>{_SOURCE})\s+(?:publish|write|written|post|report|print)(?:ed)?\b"
)
BY_AUTHOR = _form(rf"(?:(?:written|published|authored)\s+)?by\s+(?P<author>{_NAME})(?![\w'’])")
AUTHOR_DID = _form(rf"(?:did|has)\s+(?P<author>{_NAME})\s+(?:write|written|publish(?:ed)?)\b")
WHEN = _form(rf"(?:(?:{_VERB}|dated)\s+)?(?:(?:from|on)\s+)?(?P<period>{PERIOD}+)")
TAGGED = _form(
    r"(?:tagged(?:\s+(?:as|with))?|with\s+the\s+tag|labell?ed(?:\s+as)?)\s+"
    rf"(?P<tag>{QUOTED}+|[\w-]+(?:\s+[\w-]+){{0,2}}$)"
)
WHERE_MENTIONED = _form(r"(?:in\s+which|where)\s+(?P<phrase>.+?)\s+(?:is|are|was|were)\s+(?:mentioned|named)$")
MENTIONS = _form(
    r"(?:mention(?:s|ed|ing)?|refer(?:s|red|ring)?\s+to"
    r"|(?:contain(?:s|ed|ing)?|include[sd]?|use[sd]?)\s+the\s+(?:words?|phrase|name|term|expression)"
    rf"|contain(?:s|ed|ing)?(?=\s+{QUOTED}))\s+(?P<phrase>.+)"
)
IS_ABOUT = _form(
    r"(?:about|discuss(?:es|ed|ing)?|cover(?:s|ed|ing)?|deal(?:s|t|ing)?\s+with|talk(?:s|ed|ing)?\s+about"
    r"|speak(?:s|ing)?\s+(?:of|about)|writ(?:e|es|ing)\s+about|concern(?:s|ing)?|regarding)\s+(?P<phrase>.+)"
)
AFTER_PHRASE = _form(
    rf"\s+(?=(?:and\s+(?:is|are|was|were)\s+)?(?:(?:that|which)\s+(?:is|are|was|were)\s+)?"
    rf"(?:{_VERB}\s+(?:by|in|on|{PERIOD})|by\s|from\s+{MARK}|{PERIOD}))"
)
"""Where what follows a phrase may say more about the articles."""
