"""Title, publisher, author, date and address of an article, where its text states them; None otherwise.

Only lines whose form says what they are count: a heading, "By Judy Wei", "Published in Daily Times, July 19th
2018". Nothing is guessed from prose, and boilerplate is not looked at. One
exception, asked for twice: an outlet that people "told" and that "spoke to" people is the article's own
newsroom.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, fields

from index.dates import DATE, WEEKDAY, to_iso
from index.layout import Line, count_words, find_lines, looks_like_heading, tidy
from index.types import Span


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is known about an article; `date` is ISO 8601, possibly without day or month."""

    title: str | None = None
    source: str | None = None
    author: str | None = None
    date: str | None = None
    url: str | None = None

    def or_else(self, other: "Metadata") -> "Metadata":
        """This metadata with its gaps filled from another."""
        return Metadata(**{name: getattr(self, name) or getattr(other, name) for name in _FIELDS})


_FIELDS = tuple(field.name for field in fields(Metadata))

# Lines that may hold a byline or a date: the first ones and the last ones.
_HEAD_LINES = 10
_FOOT_LINES = 6

_OUTLET = r"[A-Z0-9][\w&.'’-]*(?:\s+(?:of|the|and|&|[A-Z0-9][\w&.'’-]*)){0,5}"
PUBLISHED_IN = re.compile(
    rf"(?:(?:This|The) (?:article|story|post|piece|report|column) (?:was |has been |is )?(?:first "
    rf"|originally )?(?:published|appeared)"
    rf"|Published|(?:First|Originally) published) (?:in|by|on|at) (?:the )?(?P<source>{_OUTLET}?)"
    rf"(?:(?:,|\s+on|\s*\||,\s*on|\s+in)?\s+{WEEKDAY}?(?P<date>{DATE}))?[.)\]\s]*$",
    re.MULTILINE,
)
"""The publisher, and often the date, named at the end of a line."""

_LABELLED = re.compile(r"(?i:(title|headline|source|publisher|publication|author|url|link))\s*:\s*(\S.*)")
_DATE_LABEL = re.compile(
    rf"(?i:(?P<label>(?:(?:first|last)\s+)?(?:published|posted|updated|modified|created"
    rf"|date)))(?i:\s+(?:on|at))?\s*[:|–-]?\s*"
    rf"(?:\d{{1,2}}:\d\d\S*\s+\S*\s*)?{WEEKDAY}?(?P<date>{DATE}).{{0,60}}"
)
_BARE_DATE = re.compile(rf"{WEEKDAY}?(?P<date>{DATE})(?P<rest>.{{0,40}})")
_AFTER_DATE = re.compile(
    r"(?i)\W*(?:(?:at|t)?\s*\d{1,2}[:.]\d\d\S*\W*(?:[ap]\.?m\.?|[a-z]{2,4})?\W*(?:[a-z]{2,4})?\W*"
    r"|\d+ min.*)?"
)
_BYLINE = re.compile(
    r"(?:By|BY|by|Written by|Words by|Reported by|Reporting by|Author\s*:|\(Reporting by)\s+(?P<rest>\S.*)"
)
_AFTER_NAMES = re.compile(r"\s*(?:[,|•·–—;(/)-]|\s(?:in|for|at|on|Published|Updated)\s).*|\s*")
_NAME_PARTICLES = frozenset(
    [
        "de",
        "van",
        "von",
        "der",
        "den",
        "bin",
        "al",
        "el",
        "da",
        "di",
        "la",
        "le",
        "du",
        "dos",
        "das",
        "ten",
        "ter",
        "ibn",
    ]
)
_NOT_A_NAME = frozenset(
    [
        "the",
        "this",
        "a",
        "an",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "staff",
        "reporter",
        "contrast",
        "default",
        "region",
    ]
)
_DATELINE = re.compile(
    rf"(?:[A-Z][^()\n]{{1,50}}?\s)?\((?P<source>Reuters|AP|AFP|Xinhua|Bloomberg|PTI|ANI|dpa|Kyodo"
    rf"|Yonhap|IANS|UPI|TASS|CNN|BBC)\)\s*[-–—]"
    rf"(?:\s*(?P<date>{DATE}))?"
)
_TOLD = re.compile(r"\btold (?P<the>the )?(?P<name>[A-Z][\w&]*(?: [A-Z][\w&]*){0,3})")
_OUTLET_WORD = re.compile(
    r"\b(?:News|Times|Post|Journal|Daily|Weekly|Reuters|Bloomberg|Guardian|Herald|Tribune|Gazette"
    r"|Economist|Insider|Forbes|Fortune"
    r"|Magazine|Press|Telegraph|Observer|Chronicle|Mail|Express|Mirror|Axios|Politico|TechCrunch|Wired"
    r"|Verge|Quartz|Xinhua|Caixin"
    r"|Nikkei|Globe|Review|Register|Dispatch|Radio|Television|TV|Broadcasting)\b|^(?:BBC|FT|AP|AFP|WSJ"
    r"|NYT)$"
)
_ACRONYM = re.compile(r"[A-Z]{3,5}")
_URL = re.compile(r"https?://[^\s<>\"')\]]+")


def find_metadata(text: str, boilerplate: Sequence[Span] = ()) -> Metadata:
    """What `text` states about itself outside its boilerplate, whose spans are in order. Never raises."""
    lines = [line for line in find_lines(text) if not _is_inside(line, boilerplate)]
    edges = lines[:_HEAD_LINES] + lines[max(_HEAD_LINES, len(lines) - _FOOT_LINES) :]
    labelled = _find_labelled(lines[:_HEAD_LINES])
    published = _find_published(lines, edges)
    return labelled.or_else(
        Metadata(
            title=_find_title(text, lines),
            source=published.source or _find_newsroom(text),
            author=_find_author(edges),
            date=_find_date(lines, edges, published.date),
        )
    )


def _is_inside(line: Line, spans: Sequence[Span]) -> bool:
    nearest = bisect_right(spans, line.start, key=lambda span: span.start) - 1
    return nearest >= 0 and line.end <= spans[nearest].end


def _find_labelled(head: Sequence[Line]) -> Metadata:
    """Lines such as "Source: Daily Times" above the text."""
    found: dict[str, str] = {}
    for line in head:
        match = _LABELLED.fullmatch(line.shown)
        if not match or count_words(match[2]) > 30:
            continue
        label = match[1].lower()
        name = {"headline": "title", "publisher": "source", "publication": "source", "link": "url"}.get(label, label)
        value = match[2].strip()
        address = _URL.match(value)
        if address and name in ("source", "url"):
            name, value = "url", address.group()
        if name != "url" or address:
            found.setdefault(name, value)
    return Metadata(**found)


def _find_title(text: str, lines: Sequence[Line]) -> str | None:
    """The first heading-like line, which may follow one standfirst but not the body."""
    blocks_passed: set[int] = set()
    prose_words = 0
    for line in lines[:8]:
        if _states_metadata(line.shown):
            continue
        if looks_like_heading(line.shown):
            return re.sub(r"^#{1,6}\s+|\s+#+$", "", tidy(text[line.start : line.end]))
        blocks_passed.add(line.block)
        prose_words += count_words(line.shown)
        if len(blocks_passed) > 1 or prose_words > 60:
            return None
    return None


def _states_metadata(line: str) -> bool:
    return bool(
        _LABELLED.fullmatch(line)
        or names_after_by(line)
        or _DATE_LABEL.fullmatch(line)
        or _bare_date(line)
        or line.startswith(("Published in", "Published by", "http://", "https://"))
    )


def _find_published(lines: Sequence[Line], edges: Sequence[Line]) -> Metadata:
    """The publisher and date of "Published in Daily Times, July 19th 2018" or of "BEIJING (Reuters) -"."""
    for line in edges:
        match = PUBLISHED_IN.search(line.shown)
        # Without a date, only a line that is nothing else: "published in China" may be about anything.
        if match and (match["date"] or match.start() == 0):
            source = match["source"].strip(" .,")
            if not re.fullmatch(DATE, source):
                return Metadata(source=source or None, date=to_iso(match["date"]) if match["date"] else None)
    for line in lines[:_HEAD_LINES]:
        match = _DATELINE.match(line.shown)
        if match:
            return Metadata(source=match["source"], date=to_iso(match["date"]) if match["date"] else None)
    return Metadata()


def _find_newsroom(text: str) -> str | None:
    """The outlet that people told something and that itself asked, spoke or was refused an answer."""
    told = dict.fromkeys((match["name"], match["the"] is not None) for match in _TOLD.finditer(text))
    for name, has_article in told:
        if not _OUTLET_WORD.search(name) and (has_article or not _ACRONYM.fullmatch(name)):
            continue
        own = re.escape(name)
        if re.search(
            rf"\b{own} (?:spoke|talked) (?:to|with)\b|\b{own} (?:has |have )?(?:reached out|contacted"
            rf"|interviewed|approached|asked)\b"
            rf"|\b(?:to|for) (?:a |an )?(?:the )?{own}['’]s? (?:requests?|questions|inquiries|enquiries)\b"
            rf"|\b(?:respond|reply|replied|responded) to (?:a |an )?(?:the )?{own}\b",
            text,
        ):
            return name
    return None


def _find_author(edges: Sequence[Line]) -> str | None:
    for line in edges:
        author = names_after_by(line.shown)
        if author:
            return author
    return None


def names_after_by(line: str) -> str | None:
    """ "Judy Wei" of "By Judy Wei" or "By Judy Wei | July 19, 2018"; None if it is not names that follow
    "By"."""
    match = _BYLINE.match(line)
    if not match or count_words(line) > 25:
        return None
    words = match["rest"].split()
    names: list[list[str]] = [[]]
    used = 0
    for word in words:
        bare = word.rstrip(",;)")
        if word.lower() in ("and", "&") and names[-1]:
            names.append([])
        elif _is_part_of_name(bare, first=not names[-1]):
            names[-1].append(bare)
            if bare != word:
                used += 1
                break
        else:
            break
        used += 1
    rest = " " + " ".join(words[used:]) if used < len(words) else ""
    complete = [name for name in names if name]
    ended_by_comma = used > 0 and words[used - 1] != words[used - 1].rstrip(",;)")
    if not complete or not all(2 <= len(name) <= 5 for name in complete):
        return None
    if rest and not ended_by_comma and not _AFTER_NAMES.fullmatch(rest):
        return None
    return " and ".join(" ".join(_unshouted(part) for part in name) for name in complete)


def _is_part_of_name(word: str, *, first: bool) -> bool:
    if word.lower() in _NAME_PARTICLES and not first:
        return True
    letters = word.replace(".", "").replace("-", "").replace("'", "")
    return bool(letters) and letters.isalpha() and word[0].isupper() and word.lower() not in _NOT_A_NAME


def _unshouted(word: str) -> str:
    return word.title() if len(word) > 2 and word.isupper() else word


def _find_date(lines: Sequence[Line], edges: Sequence[Line], published: str | None) -> str | None:
    """A published date before a bare dateline before an updated one."""
    updated = bare = None
    for line in edges:
        match = _DATE_LABEL.fullmatch(line.shown)
        if match and re.match(r"(?i)(?:last )?(?:updated|modified)", match["label"]):
            updated = updated or to_iso(match["date"])
        elif match:
            published = published or to_iso(match["date"])
    for line in lines[:_HEAD_LINES]:
        bare = bare or _bare_date(line.shown) or _date_in_byline(line.shown)
    return published or bare or updated


def _bare_date(line: str) -> str | None:
    """The date of a line that is nothing but a date, perhaps with a time."""
    match = _BARE_DATE.fullmatch(line)
    return to_iso(match["date"]) if match and _AFTER_DATE.fullmatch(match["rest"]) else None


def _date_in_byline(line: str) -> str | None:
    if not names_after_by(line):
        return None
    match = re.search(DATE, line)
    return to_iso(match.group()) if match else None
