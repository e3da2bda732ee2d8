"""Sentences of articles that speak to the reading model instead of telling news. They are not given to it.

Articles are untrusted. What a small model reads, it tends to do, and a sentence that it copies from an article would
even be found there by the check of support. So "Ignore all previous instructions" is left out of the evidence, with
the rest of its paragraph; the passage is still shown to people. Rules on the wording, in English and a few phrases of
other languages: they catch the usual attempts and not every one. False statements are no instructions: nothing here
knows what is true.
"""

import re
import unicodedata
from collections.abc import Sequence

from index.layout import tidy
from index.types import Sentence

_FOLLOWING_LEFT_OUT = 3
"""Sentences of the same paragraph behind an attempt to take over: what it wants to be said."""
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")
_BEGIN = r"(?:^|[.:;,!?\"“”'‘’()\[\]*#>–—-]\s*|\b(?:please|now|and|then|must|should|instead)\s+)"
_ORDERS = (
    r"(?:instruct\w*|prompts?|rules|directions|commands?|orders|guidelines|constraints|system\s+messages?|training)"
)
_EARLIER = r"(?:previous|prior|above|preceding|earlier|foregoing|former|existing|original|initial|system|your|other)"

_TAKES_OVER = re.compile(
    rf"{_BEGIN}(?:ignore|disregard|forget|override|overwrite|bypass|discard|neglect"
    rf"|drop)\b[^.!?]{{0,40}}?\b{_EARLIER}\b"
    rf"[^.!?]{{0,30}}?\b{_ORDERS}"
    rf"|{_BEGIN}(?:ignore|disregard|forget|override|bypass)\b[^.!?]{{0,30}}?\b{_ORDERS}\s+(?:above|before|given|you)\b"
    rf"|{_BEGIN}(?:ignore|disregard|forget)\s+(?:all|everything|anything|any)\s+(?:of\s+)?(?:the\s+)?"
    r"(?:above|before|excerpts|you\s+(?:were|have\s+been|know))"
    r"|\b(?:new|updated|real|actual|secret|hidden|override)\s+(?:system\s+)?(?:instructions?|prompt)\s*:"
    r"|\b(?:system|developer)\s+(?:prompt|message|override)\b"
    r"|\byou\s+are\s+(?:now|no\s+longer)\s+(?:an?\s|in\s|the\s|bound|restricted|[A-Z]{2,}\b)"
    r"|\byou\s+are\s+(?:an?|the)\s+(?:\w+\s+){0,2}(?:ai|assistant|chatbot|language\s+model|llm)\b"
    r"|\b(?:from\s+now\s+on|henceforth),?\s+(?:you\s+(?:are|will|must)\s+)?(?:only\s+|always\s+)?(?:answer"
    r"|reply|respond|say|act)\b"
    r"|\bpretend\s+(?:to\s+be|(?:that\s+)?you\s+are)\s+(?:an?\s+)?(?:ai|assistant|different|another"
    r"|unrestricted|expert)\b|\bact\s+as\s+(?:an?\s+)?(?:ai|assistant|dan|admin\w*|root)\b"
    r"|\bjailbr(?:eak|oken)\s+mode\b|\b(?:dan|developer|debug|god|admin)\s+mode\s+(?:is\s+)?(?:on|enabled|activated)\b"
    r"|<\s*[|｜][^|｜<>]{1,40}[|｜]\s*>"
    r"|<\s*\|?\s*/?\s*(?:im_start|im_end|endoftext|begin_of_text|end_of_text|eot_id|start_header_id|system"
    r"|user|assistant)"
    r"\s*\|?\s*>|<\s*/?\s*(?:start_of_turn|end_of_turn|tool_call|s|bos|eos)\s*>|\[\s*/?\s*INST\s*\]|<<\s*/?\s*SYS\s*>>"
    r"|#{2,}\s*(?:instructions?|system|response|user|assistant|human)\b"
    r"|^\W*(?:system|assistant|developer)\s*:\s*\w|^\W*(?:instructions?|response)\s*:\W*$"
    # The same in other languages.
    r"|忽略.{0,12}(?:指令|指示|提示|说明)|無視して|以前の指示|이전.{0,6}(?:지시|명령).{0,4}무시"
    r"|\bignore[zr]\s+(?:toutes\s+)?les\s+instructions|\bignorier\w*\s+(?:alle\s+)?(?:vorherigen|bisherigen|obigen)"
    r"|\bvergiss\s+(?:alle\s+)?(?:vorherigen|bisherigen|obigen)|\bignor[ae]\w*\s+(?:todas\s+)?(?:las"
    r"|tus)\s+instrucciones"
    r"|\bignora\w*\s+(?:tutte\s+)?le\s+istruzioni|\bignore\s+(?:todas\s+)?as\s+instruções"
    r"|игнорируй\w*.{0,20}(?:инструкц|указан)|забудь\w*.{0,20}(?:инструкц|указан)|تجاهل.{0,20}(?:التعليمات|الأوامر)",
    re.IGNORECASE,
)
_STEERS = re.compile(
    rf"{_BEGIN}(?:(?:always|only|just|simply|you\s+must|you\s+should)\s+)?(?:reply|respond|answer|output|print)\b"
    r"(?:\s+(?:only|always|just|simply|exactly|to\s+(?:every|any|all|this|the)\s+\w+))*\s*"
    r"(?:\s(?:with|by\s+saying|in\s+(?:the\s+)?(?:language|style|voice|form)\b|nothing\b)"
    r"|(?<!answer)(?<!answer\s):|[\"“'‘]|\s(?:yes|no)\b)"
    r"|^\W*(?:answer|reply|response|verdict)\s*:\s*(?:yes|no)\b"
    r"|\b(?:your|the)\s+(?:final\s+)?(?:answer|reply|response|output)\s+(?:must|should|has\s+to|needs\s+to"
    r"|is\s+to|shall)\b"
    r"|\b(?:right|correct|true|expected|official|proper)\s+answer\b[^.!?]{0,50}\b(?:is|are|was)\b(?!\s+(?:to"
    r"|not|that|in|for)\b)"
    r"|\bexcerpts?\s+(?:do\s+)?(?:state|contain)s?\b|\bstated\s+in\s+(?:the\s+)?(?:sources?|excerpts?"
    r"|passages?)\b|\bstates?\s+everything\s+in\s+this\s+sentence\b"
    r"|\b(?:if|when|whenever)\s+(?:you\s+are|you're|you\s+get)\s+asked\b[^.!?]{0,80}\b(?:say|answer|reply"
    r"|respond|claim)\b"
    r"|\b(?:if|when|whenever)\s+(?:the|a|any)?\s*(?:user|reader|someone|anyone|anybody|somebody)\s+asks\b"
    r"|\b(?:(?:note|message|instructions?|warning)\s+(?:to|for)|attention|dear|hey|hello)\b[\s,:]+(?:(?:the"
    r"|all|any|every)\s+)?"
    r"(?:ai|a\.i\.|assistants?|language\s+models?|llms?|chatbots?|models?|bots?)\b"
    r"|\bas\s+an?\s+(?:ai|language\s+model|assistant|chatbot)\b[^.!?]{0,40}\byou\b"
    r"|\b(?:ai|llms?|language\s+models?|assistants?|chatbots?)\s+(?:that\s+(?:is|are)\s+)?(?:reading"
    r"|processing|summari[sz]ing)\s+this"
    rf"|{_BEGIN}(?:do\s+not|don['’]t|never)\s+(?:cite|reveal|refuse|tell\s+the\s+user|mention\s+(?:the|this|any)\s+"
    r"(?:article|excerpt|source|instruction)s?|answer\s+(?:the|this|any)|use\s+the\s+(?:excerpts|other))"
    rf"|{_BEGIN}(?:cite|quote)\s+(?:only\s+)?(?:this|the\s+following)\s+(?:article|passage|source|excerpt)"
    rf"|{_BEGIN}(?:repeat|say|write|include|append|add|insert|begin|start|end)\b.{{0,100}}\b(?:(?:in|to|at\s+the\s+"
    r"(?:start|beginning|end)\s+of)\s+(?:your|every|each|all)\s+(?:answers?|replies|reply|responses?|outputs?)"
    r"|(?:your|every|each)\s+(?:answer|reply|response)\s+with)"
    r"|^\W*(?:output|print|say|write|repeat)\s+(?:(?:out\s+)?the\s+following\b|(?-i:[A-Z]{4,}\b)|exactly\b)"
    r"|\b(?:reveal|repeat|print|show|output|leak)\s+(?:your|the)\s+(?:system\s+)?(?:instructions?|prompt"
    r"|configuration)\b",
    re.IGNORECASE,
)
_LONGEST = 2_500  # characters; sentences are shorter


def takes_over(text: str) -> bool:
    """Whether the text tries to replace what the model was told: "Ignore all previous instructions", a false turn."""
    return _TAKES_OVER.search(_folded(text)) is not None


def addresses_model(text: str) -> bool:
    """Whether the text speaks to the model at all: that, or how it is to answer: "The right answer is 7"."""
    shown = _folded(text)
    return _TAKES_OVER.search(shown) is not None or _STEERS.search(shown) is not None


def _folded(text: str) -> str:
    """On one line, without what is invisible, and with wide letters and signs as plain ones."""
    return unicodedata.normalize("NFKC", tidy(text[:_LONGEST]))


def readable(sentences: Sequence[Sentence], text: str) -> tuple[bool, ...]:
    """For each of these sentences of an article's `text`, in order, whether the model may read it."""
    allowed = []
    left_out = 0
    for place, sentence in enumerate(sentences):
        if place and _BLANK_LINE.search(text, sentences[place - 1].end, sentence.start):
            left_out = 0
        if takes_over(sentence.text):
            left_out = _FOLLOWING_LEFT_OUT + 1
        allowed.append(not left_out and not addresses_model(sentence.text))
        left_out = max(0, left_out - 1)
    return tuple(allowed)
