"""Untrusted text on its way into HTML: articles, questions, replies, file names. Nothing of it may be
interpreted.
"""

import html
import re

_REMOVED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # control characters but tab, newline and carriage return
    "\u00ad\u200b\u2060-\u2064\ufeff"  # soft hyphen, zero-width space, word joiner, invisible operators, mark
    "\U000e0000-\U000e007f]"  # tags: a whole alphabet that nobody sees
)
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def neutral(text: str) -> str:
    """The text with nothing in it that hides or reorders what stands around it.

    Invisible characters go (the joiners of Persian and of emoji stay), direction overrides become visible,
    lone surrogates become U+FFFD, since JSON cannot carry them.
    """
    text = _REMOVED.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = _SURROGATE.sub("\ufffd", text)
    return _DIRECTION.sub(lambda found: f"⟦U+{ord(found[0]):04X}⟧", text)


def escape(text: str) -> str:
    """The text as HTML, for element content and quoted attributes alike."""
    return html.escape(neutral(text), quote=True)
