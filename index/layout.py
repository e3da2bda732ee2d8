"""Lines, blocks and headings of a plain text: what cleaning, metadata and sentence splitting share.

Knows nothing about articles. Offsets always point into the text that was given.
"""

import re
from typing import NamedTuple

# Soft hyphens, zero-width characters, direction marks and controls: harmless, but they break matching.
_INVISIBLE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours and cursor movements, as terminals take them
    "|[\x00-\x08\x0e-\x1b\x1f\x7f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)
_SPACE = re.compile(r"\s+")
_BREAKS = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
_LINE = re.compile(f"[^{_BREAKS}]+")
# Writing without spaces between words: every character is about one piece to an embedder.
UNSPACED = re.compile("[\u0e00-\u0eff\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]")
_INNER_SENTENCE_END = re.compile(r"[\w%)\]][.!?…][\"'”’)]*\s+[\"'“‘(]?[^\W\d_]")
_MARKDOWN_HEADING = re.compile(r"#{1,6}\s+")


class Line(NamedTuple):
    """A line that shows something: `text[start:end]` without white space around it.

    `shown` is the same line for matching: tidy, and with straight apostrophes.
    `block` counts the blocks of lines that blank lines separate, from 0.
    """

    start: int
    end: int
    shown: str
    block: int


def tidy(text: str) -> str:
    """The text as a reader sees it, on one line: invisible characters dropped, white space single."""
    return _SPACE.sub(" ", _INVISIBLE.sub("", text)).strip()


def visible(text: str) -> str:
    """The text without invisible characters, so that a word with a soft hyphen in it is the word that a reader sees."""
    return text if text.isascii() and text.isprintable() else _INVISIBLE.sub("", text)


def find_lines(text: str) -> list[Line]:
    """The lines that show something, in order. Lines of white space or invisible characters separate
    blocks."""
    lines: list[Line] = []
    block, blank, previous_end = -1, True, 0
    for match in _LINE.finditer(text):
        gap = text[previous_end : match.start()]
        previous_end = match.end()
        blank = blank or len(gap) > 1 or "\u2029" in gap
        visible = tidy(match.group()).replace("’", "'")
        if not visible:
            blank = True
            continue
        if blank:
            block, blank = block + 1, False
        raw = match.group()
        start = match.start() + len(raw) - len(raw.lstrip())
        lines.append(Line(start, start + len(raw.strip()), visible, block))
    return lines


def count_words(text: str) -> int:
    """How many words, or what an embedder will find as long: a very long word or unspaced writing counts
    more."""
    return sum(1 + (len(token) - 1) // 16 for token in UNSPACED.sub(r" \g<0> ", text).split())


def looks_like_heading(line: str) -> bool:
    """Whether a line (as `shown`) reads like a title: short, one phrase, no full stop, comma or colon at
    its end."""
    if _MARKDOWN_HEADING.match(line):
        return True
    words = count_words(line)
    bare = line.rstrip("\"'”)")
    if not 2 <= words <= 25 or len(line) > 200 or not bare or bare[-1] in ".,;:…。" or "|" in line:
        return False
    if not any(character.isalpha() for character in line):
        return False
    several = _INNER_SENTENCE_END.search(line) is not None
    return not (several and words > 14)
