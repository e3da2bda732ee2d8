"""Untrusted text made harmless for a prompt."""

import re

_UNSEEN = re.compile(
    "[\u0000-\u0008\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e01ef]"
)
# Colours and cursor movements, as terminals take them.
_ESCAPE = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_SURROGATE = re.compile("[\ud800-\udfff]")
# Special tokens of chat templates, <|im_end|>, <｜User｜>, </s>, <start_of_turn>, <<SYS>>, [/INST], and with them HTML.
_TAG = re.compile(r"<(?=[|｜/!?<a-zA-Z])|\[(?=/?[A-Z_]{3,}\])")
_TAG_END = re.compile(r"(?<=[|｜])>")
# What a prompt is laid out with, at the start of a line of an article.
_HEADER = re.compile(
    r"^(\W*(?:Question|Excerpts?|Answer|Sentence|Note|Earlier in this conversation|System|User|Assistant))\s*:",
    re.IGNORECASE,
)
_LABEL = re.compile(r"^From (?=[^\n]{1,80}: )")


def plain(text: str) -> str:
    """Untrusted text made harmless for a chat template: no special tokens, no invisible characters, one line."""
    visible = _SURROGATE.sub("\ufffd", _UNSEEN.sub("", _ESCAPE.sub("", text)))
    return " ".join(_TAG_END.sub(" >", _TAG.sub(lambda found: f"{found[0]} ", visible)).split())


def stated(text: str) -> str:
    """A sentence of an article, `plain` and not to be taken for a part of the prompt: "Question: …", "From CNBC: …"."""
    return _LABEL.sub("… From ", _HEADER.sub(r"\1 –", plain(text)))
