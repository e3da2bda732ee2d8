"""Untrusted text on its way to a person: articles, questions, replies, file names. Nothing of it may steer a screen."""

import json
import re
from typing import Any

_REMOVED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # control characters but tab, newline and carriage return
    "\u00ad\u200b\u2060-\u2064\ufeff"  # soft hyphen, zero-width space, word joiner, invisible operators, mark
    "\U000e0000-\U000e007f]"  # tags: a whole alphabet that nobody sees
)
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# What JSON lets through as it is, though a terminal or an encoder may choke on it.
_UNSAFE_IN_JSON = re.compile("[\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def neutral(text: str) -> str:
    """The text with nothing in it that hides or reorders what stands around it, or that a terminal obeys.

    Invisible characters go (the joiners of Persian and of emoji stay), direction overrides become visible,
    lone surrogates become U+FFFD, since JSON cannot carry them.
    """
    text = _REMOVED.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = _SURROGATE.sub("\ufffd", text)
    return _DIRECTION.sub(lambda found: f"⟦U+{ord(found[0]):04X}⟧", text)


def typed(text: str) -> str:
    """What a person typed, as it is worked with: `neutral`, but direction overrides go, since nobody typed them."""
    return neutral(_DIRECTION.sub("", text))


def to_json(value: Any) -> str:
    """JSON on one line, readable in any script, which can be printed anywhere and says exactly what `value` says."""
    text = json.dumps(value, ensure_ascii=False)
    return _UNSAFE_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
