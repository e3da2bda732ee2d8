"""Which spans of an article are not article: cookie notices, photo credits, calls to share, section kickers.

Nothing is rewritten or removed: the result is spans to leave out. Rules are general and careful, because a
wrongly hidden sentence is evidence lost, while a wrongly kept "Subscribe" costs little. Not covered: menus
and comment sections pasted whole into the text, and languages other than English.
"""

import re
from collections.abc import Iterable
from itertools import pairwise

from index.layout import Line, count_words, find_lines, looks_like_heading
from index.types import Span

_AGENCY = (
    r"(?:Getty Images|AFP|AP(?: Photo)?|Reuters|Bloomberg(?: via Getty Images)?|Shutterstock"
    r"|i?Stock(?:photo)?"
    r"|Unsplash|Pexels|Pixabay|Alamy(?: Stock Photo)?|VCG|EPA(?:-EFE)?|Xinhua|ZUMA(?: Press)?|NurPhoto"
    r"|Anadolu(?: Agency)?"
    r"|SOPA Images|Future Publishing|LightRocket|Barcroft Media|Corbis|Imaginechina|Zuma Wire"
    r"|USA Today Sports|PA Images"
    r"|dpa|SIPA(?: USA)?|Visual China Group|CNS|Kyodo News|Depositphotos|Adobe Stock|Flickr"
    r"|Wikimedia Commons)"
)
_NAME = r"[^\W\d_][\w.'-]*(?: [^\W\d_][\w.'-]*){0,4}"

# Each of these is tried on a whole line, as a reader sees it.
_CREDIT = re.compile(
    rf"(?:{_NAME}\s*[|/]\s*)+{_AGENCY}(?:\s*[|/]\s*{_NAME})*"
    rf"|{_AGENCY}\s*[|/]\s*{_NAME}(?:\s*[|/]\s*{_NAME})*"
    rf"|(?:{_NAME}\s+)?via\s+{_AGENCY}"
    r"|Getty Images|Shutterstock|iStock(?:photo)?(?:\s*/\s*Getty Images)?"
    r"|(?:Photo|Image|Picture|Illustration|Photograph|Pic|File photo|Screenshot|Featured image"
    r"|Photo illustration)s?"
    r"(?:\s(?:credits?|courtesy|source|via))*(?:\s*[:|]\s*|\sby\s|(?<=courtesy)\sof\s)\S[^.!?]{1,70}"
    r"|Credits?\s*:\s*\S[^.!?]{1,70}",
    re.IGNORECASE,
)
_CREDIT_AT_END = re.compile(
    rf"\(?(?:Photo|Image|Picture)s? (?:credit: |courtesy of |by |: )[^()\n]{{3,90}}{_AGENCY}\)?\.?$"
    rf"|\((?:Photo|Image|Picture)s? (?:credit: |courtesy of |by |: )[^()\n]{{3,90}}\)$"
    rf"|REUTERS/[^\W\d_][\w.'-]*(?: [^\W\d_][\w.'-]*){{0,3}}(?:/File Photo)?$"
)

_WHOLE_LINES = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?:leave|post|add|write) (?:a|your) (?:comment|reply|response)s?",
        r"(?:view|show|see|hide|load|read) (?:all |more |the )*(?:\d+ )?comments?(?: \(\d+\))?"
        r"|no comments(?: yet)?|(?:\d+ )?comments?(?: \(\d+\)| off)?",
        r"(?:also read|read (?:more|also|next|on|full (?:story|article)|the full (?:story|article)"
        r"|(?:more )?here)|see also"
        r"|continue reading|related(?: (?:articles?|stories|story|coverage|posts?|news|topics|content"
        r"|links))?"
        r"|you (?:may|might) also (?:like|be interested in)|recommended(?: (?:for you|stories"
        r"|reading))?|more from .{1,40}"
        r"|watch(?: (?:now|more|live|the video|this))?|don't miss|must read|editor's picks?"
        r"|trending(?: now)?|most (?:read|popular))"
        r"(?:\s*[:|»→>…].*| [-–—] .*|\.{1,3})?",
        r"read: .{0,160}",
        r"(?:accept|reject|decline|got it!?|i agree|i accept|read more|ok,? got it|cookie settings"
        r"|privacy policy|manage preferences|all cookies)"
        r"(?: (?:accept|reject|decline|all|cookies|got it|read more|settings|cookie settings"
        r"|privacy policy))*",
        r"\W*advertise?ments?\W*|\W*sponsored(?: content| post)?\W*|promoted(?: content)?"
        r"|(?:story|article) continues (?:below|after).*"
        r"|(?:scroll|continue) (?:down )?(?:below )?to (?:continue|read).{0,40}"
        r"|skip (?:to (?:main )?content|advertisement|ad)",
        r"share(?: (?:this|on|via|with)\b[^.]{0,50}|:.{0,60})?|(?:tweet|print|email|e-mail|pin it"
        r"|copy link)(?: this(?: article| story| page| post)?)?",
        r"(?:(?:share|tweet|print|email|e-mail|save|pin|pinterest|copy link|link|whatsapp|facebook"
        r"|twitter|x|linkedin|reddit|telegram|messenger|flipboard|tumblr)"
        r"(?:[\s,|/•·]+|$)){2,}",
        r"follow (?:us|me|[@#]\w+)(?: on [^.]{1,80})?[.!]?|(?:find|like|join) us on (?:facebook|twitter"
        r"|x|instagram|telegram|whatsapp|linkedin|youtube|social media)\b[^.]{0,60}[.!]?",
        r"(?:please )?(?:subscribe|sign up|sign in|log ?in|register|create an? (?:free )?account)"
        r"(?:[.!]|(?: now| today| here| free)+[.!]?|,? (?:to|for|or|with)\b[^.]{0,60}\b(?:newsletters?"
        r"|inbox|updates|alerts|account|access|subscri\w+|reading|continue|free|e-?mails?|digest"
        r"|briefing)\b[^.]{0,60}[.!]?)?",
        r"(?:get|receive) (?:the |our )?[^.]{0,80}\b(?:in|to|into) your inbox\b[^.]{0,40}[.!]?",
        r"(?:click|tap) here (?:to|for)\b.{0,100}",
        r"(?:©|\(c\)|copyright)\s*(?:©\s*)?(?:19|20)\d\d\b.{0,120}|.{0,80}\ball rights reserved\.?",
        r"(?:last |first )?(?:updated|published|posted|modified|edited|updated at|posted at)(?: on| at"
        r"| by)?\s*:?",
        r"(?:estimated )?(?:reading time|read time)\s*:?\s*\d+ ?min(?:ute)?s?\.?"
        r"|\d+[ -]min(?:ute)?s? read|listen to (?:this )?(?:article|story)(?: \d.*)?",
        r"(?:tags?|filed under|categor(?:y|ies)|topics|keywords)\s*:.{0,160}",
        r"home\s*[>/»›|]\s*.{1,100}",
        r"loading\W*|back to top|go to top|next article|previous article|print this page|text size.{0,20}",
        r"!\[[^\]]*\]\([^)]*\)",
    )
]
_COOKIE_NOTICE = re.compile(
    r"\b(?:this|our) (?:web)?site (?:uses|stores|makes use of) cookies\b"
    r"|\bwe(?: and our (?:\w+ )?partners)? use cookies\b"
    r"|\bby (?:continuing|using|clicking)\b.{0,80}\bcookies\b|\b(?:accept|reject|manage"
    r"|allow) (?:all )?cookies\b",
    re.IGNORECASE,
)
# The usual notice, run into the last line of an article that has no line breaks.
_COOKIE_RUN = re.compile(
    r"\b(?:This|Our) (?:web)?site uses cookies to (?:improve|enhance|ensure|give|provide|offer"
    r"|personali[sz]e)[^.!?\n]{0,160}[.!]"
    r"(?:\s+We(?:'|’)ll assume[^.!?\n]{0,160}[.!])?(?:\s+Accept(?: Read More)?\b(?:\s*$)?)?"
)
_QUOTED = re.compile(r"[\"“”]|\b(?:said|says|told|wrote|according)\b")
_SECTIONS = frozenset(
    [
        "news",
        "finance",
        "financial",
        "business",
        "markets",
        "market",
        "economy",
        "economic",
        "tech",
        "technology",
        "world",
        "politics",
        "opinion",
        "opinions",
        "sport",
        "sports",
        "analysis",
        "feature",
        "features",
        "exclusive",
        "breaking",
        "latest",
        "top",
        "stories",
        "story",
        "headlines",
        "science",
        "health",
        "culture",
        "asia",
        "china",
        "europe",
        "africa",
        "us",
        "uk",
        "india",
        "global",
        "international",
        "local",
        "national",
        "editorial",
        "commentary",
        "companies",
        "company",
        "industry",
        "money",
        "investing",
        "stocks",
        "startups",
        "media",
        "energy",
        "environment",
        "climate",
        "education",
        "entertainment",
        "lifestyle",
        "travel",
        "retail",
        "e-commerce",
        "banking",
        "insight",
        "insights",
        "blog",
        "and",
        "&",
        "|",
        "/",
        "update",
        "updates",
        "report",
        "reports",
        "press",
        "release",
        "live",
    ]
)


def find_boilerplate(text: str) -> tuple[Span, ...]:
    """The spans of `text` that are not article; in order, not empty, not overlapping. Never raises."""
    lines = find_lines(text)
    spans = [Span(line.start, line.end) for line in lines if _is_boilerplate_line(line.shown)]
    spans += [Span(*match.span()) for match in _COOKIE_RUN.finditer(text)]
    spans += _photo_spans(text, lines)
    spans += _kicker_spans(lines)
    return merge_spans(spans)


def merge_spans(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same characters as non-empty, ordered spans that neither overlap nor touch."""
    merged: list[Span] = []
    for span in sorted(spans):
        if span.start >= span.end:
            continue
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return tuple(merged)


def _is_boilerplate_line(line: str) -> bool:
    if len(line) > 600:  # prose, or a whole article without line breaks
        return False
    if count_words(line) <= 30 and any(pattern.fullmatch(line) for pattern in _WHOLE_LINES):
        return True
    return count_words(line) <= 70 and bool(_COOKIE_NOTICE.search(line)) and not _QUOTED.search(line)


def _photo_spans(text: str, lines: list[Line]) -> list[Span]:
    """Credits, alone on a line or at its end. The caption beside one is article: it often tells what no other
    sentence does."""
    spans: list[Span] = []
    for line in lines:
        if len(line.shown) > 600:
            continue
        if _is_credit(line.shown):
            spans.append(Span(line.start, line.end))
        elif credit := _CREDIT_AT_END.search(text[line.start : line.end]):
            spans.append(Span(line.start + credit.start(), line.end))
    return spans


def _is_credit(line: str) -> bool:
    return count_words(line) <= 14 and len(line) <= 140 and bool(_CREDIT.fullmatch(line.strip("()[]. ")))


def _kicker_spans(lines: list[Line]) -> list[Span]:
    """Section names that stand alone above the title: "Finance News"."""
    spans: list[Span] = []
    for line, following in pairwise(lines[:3]):
        if not (_is_section(line.shown) and looks_like_heading(following.shown)):
            break
        spans.append(Span(line.start, line.end))
    return spans


def _is_section(line: str) -> bool:
    words = line.lower().replace("|", " ").replace("/", " ").strip(": ").split()
    return 1 <= len(words) <= 4 and all(word.strip(":,") in _SECTIONS for word in words)
