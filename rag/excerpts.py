"""How articles stand in a prompt: the chosen sentences, and the whole text that these are taken from.

A model may have read an article whole before a question came (`rag/read_ahead.py`). `Extract` tells it which characters
of that text an excerpt is made of, so that it need not be read again.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from index.sentences import split_sentences
from index.types import Article, Sentence, Span
from rag.evidence import Evidence, EvidenceSentence
from rag.instructions import addresses_model, readable
from rag.plain_text import plain, stated
from rag.types import Extract

OPENING = "Excerpts:\n\n"

_BETWEEN = "\n\n"
_LONGEST_LABEL = 300  # characters; front matter may call itself anything


@dataclass(frozen=True, slots=True)
class WholeArticle:
    """An article with all of its sentences that the model may read, laid out as excerpts of it are.

    `text` begins with `OPENING`; `sentences` tells for each, by its start in the article, where it stands in `text`.
    """

    article_id: str
    text: str
    heading: Span
    sentences: Mapping[int, Span]


def lay_out(evidence: Evidence, wholes: Iterable[WholeArticle] = ()) -> tuple[str, tuple[Extract, ...]]:
    """The evidence as the model reads it, and which parts of that stand in `wholes`."""
    known = {whole.article_id: whole for whole in wholes}
    text = OPENING
    extracts: list[Extract] = []
    for article_id, group in groupby(evidence.sentences, key=lambda item: item.article.id):
        items = list(group)
        block = _block(items[0].article, [item.sentence for item in items])
        text += "" if text == OPENING else _BETWEEN
        spans = _spans(known[article_id], block, items) if article_id in known else ()
        if spans:
            extracts.append(Extract(Span(len(text), len(text) + len(block)), known[article_id].text, spans))
        text += block
    return text, tuple(extracts)


def whole_article(article: Article) -> WholeArticle:
    """The article as it is read whole."""
    every = split_sentences(article)
    allowed = readable(every, article.text)
    sentences = [sentence for sentence, may_be_read in zip(every, allowed, strict=True) if may_be_read]
    heading = Span(len(OPENING), len(OPENING) + len(_heading(article)))
    places: dict[int, Span] = {}
    end = heading.end
    for before, sentence in zip([None, *sentences], sentences, strict=False):
        start = end + len(_gap(article, before, sentence) if before else "")
        end = start + len(stated(sentence.text))
        places[sentence.start] = Span(start, end)
    return WholeArticle(article.id, OPENING + _block(article, sentences), heading, places)


def article_label(article: Article) -> str:
    """How an article is named to the model and to people: publisher, date and title, as far as known."""
    known = [part for part in (article.source, article.date) if part]
    label = ", ".join(known) if known else "Publisher and date unknown"
    return f"{label}: {article.title}" if article.title else label


def _block(article: Article, sentences: Sequence[Sentence]) -> str:
    text = "".join(stated(sentence.text) for sentence in sentences[:1])
    for before, sentence in pairwise(sentences):
        text += _gap(article, before, sentence) + stated(sentence.text)
    return _heading(article) + text


def _gap(article: Article, before: Sentence, sentence: Sentence) -> str:
    """A new line where the article has one or something was left out: headings and bylines stay apart."""
    follows = before.end <= sentence.start and not article.text[before.end : sentence.start].strip(" ")
    return " " if follows else "\n"


def _heading(article: Article) -> str:
    """The label without what speaks to the model: titles and publishers are as untrusted as texts."""
    title, source = (None if value and addresses_model(value) else value for value in (article.title, article.source))
    label = plain(article_label(dataclasses.replace(article, title=title, source=source)))
    return f"From {label[:_LONGEST_LABEL]}\n"


def _spans(whole: WholeArticle, block: str, items: Sequence[EvidenceSentence]) -> tuple[Span, ...]:
    """The characters of `whole.text` that `block` is made of, in its order; empty if it is not.

    Neighbours are one span. Where something is left out between two, the new line of the heading stands for theirs.
    """
    line_end = Span(whole.heading.end - 1, whole.heading.end)
    spans = [whole.heading]
    for first, item in zip([True, *[False] * len(items)], items, strict=False):
        place = whole.sentences.get(item.sentence.start)
        if place is None:
            return ()
        if place.start == spans[-1].end + (0 if first else 1):
            spans[-1] = Span(spans[-1].start, place.end)
        else:
            spans += [place] if first else [line_end, place]
    made = "".join(whole.text[span.start : span.end] for span in spans)
    return tuple(spans) if made == block else ()
