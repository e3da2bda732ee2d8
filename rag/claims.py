"""What of a claim stands in the sentences that it cites, and which sentences nearby say what these are about. Pure."""

import re
from collections.abc import Sequence

from index.layout import visible
from index.sentences import split_sentences
from index.types import Article
from rag.evidence import EvidenceSentence
from rag.facts import missing_facts
from rag.instructions import readable
from rag.spellings import without_accents

_MOST_CONTEXT = 2
_CONTEXT_REACH = 700
"""Characters between a cited sentence and one that says what it is about: a paragraph or two."""
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")


def lacking_facts(claim: str, items: Sequence[EvidenceSentence], question: str) -> tuple[str, ...]:
    """The numbers, names and quoted phrases of the claim that stand neither in these sentences nor in what is known
    about their articles. See `rag.facts.missing_facts`."""
    articles = {item.article.id: item.article for item in items}.values()
    about = [known(article) for article in articles]
    texts = [item.sentence.text for item in items]
    return missing_facts(claim, texts + about, asked=question, articles=[article.text for article in articles])


def known(article: Article) -> str:
    """What an answer may say about an article without the sentence saying it: its publisher, date, title, author."""
    parts = [article.source, article.author, article.title, article.date]
    if article.date:
        parts.append(article.date.replace("-", " ").replace(" 0", " "))
        month = re.match(r"\d{4}-(\d\d)", article.date)
        if month:
            parts.append(
                ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][int(month[1]) - 1]
            )
    return ". ".join(part for part in parts if part)


def is_named(fact: str, question: str) -> bool:
    """Whether the question itself holds this number, name or phrase, as `missing_facts` gives them."""
    words = rf"(?<!\w){re.escape(fact)}(?!\w)"
    return re.search(words, without_accents(visible(question)).replace("’", "'"), re.IGNORECASE) is not None


def context(claim: str, question: str, cited: Sequence[EvidenceSentence]) -> tuple[EvidenceSentence, ...]:
    """Sentences near the cited ones that hold what the claim repeats of the question and they do not: "Season 11".

    An answer that repeats the subject of the question says more than the sentence that answers it; what that sentence
    is about stands before it, or in a heading. None if the claim lacks anything that the question does not name, or
    something stands nowhere nearby; nor where the cited sentences name other years than the claim.
    """
    texts = [item.sentence.text for item in cited]
    lacking = lacking_facts(claim, cited, question)
    if not lacking or not all(is_named(fact, question) for fact in lacking):
        return ()  # something is the answer's own
    if any(map(_YEAR.fullmatch, lacking)) and any(map(_YEAR.search, texts)):
        return ()
    found: list[EvidenceSentence] = []
    for item in _nearby(cited):
        left = lacking_facts(claim, [*cited, *found, item], question)
        if len(left) < len(lacking):
            found.append(item)
            lacking = left
        if not lacking or len(found) == _MOST_CONTEXT:
            break
    return () if lacking else tuple(found)


def _nearby(cited: Sequence[EvidenceSentence]) -> list[EvidenceSentence]:
    """The sentences not far from the cited ones in their articles, the nearest first; none that speaks to the model."""
    found = []
    for article in {item.article.id: item.article for item in cited}.values():
        places = [item.sentence.start for item in cited if item.article.id == article.id]
        sentences = split_sentences(article)
        for sentence, may_be_read in zip(sentences, readable(sentences, article.text), strict=True):
            away = min(abs(sentence.start - place) for place in places)
            if 0 < away <= _CONTEXT_REACH and may_be_read:
                found.append((away, EvidenceSentence(sentence, article, 0.0)))
    return [item for _, item in sorted(found, key=lambda pair: pair[0])]
