"""A small article and its hits, shared by the tests of `rag`. Scores are chosen, not computed."""

import dataclasses

from index.types import Article, Hit, Passage, Sentence
from rag.fakes import CopyingGenerator

TEXT = (
    "Alibaba opened three online malls for Xinjiang. "
    "Products from Xinjiang generated $212 million in sales on Tmall, up 68.7% from last year. "
    "Jack Ma also met the CEO of Snapdeal. "
    "He said that he would invest more in India."
)
ARTICLE = Article(
    id="a1",
    path="seeds/x.txt",
    location="/x.txt",
    text=TEXT,
    title="Malls",
    source="Daily Times",
    date="2018-07-19",
)


def sentences(article: Article = ARTICLE) -> tuple[Sentence, ...]:
    found, start = [], 0
    for part in article.text.split(". "):
        end = min(start + len(part) + 1, len(article.text))
        found.append(Sentence(article.id, start, end, article.text[start:end]))
        start = end + 1
    return tuple(found)


def hit(
    scores: tuple[float, ...],
    *,
    article: Article = ARTICLE,
    score: float = 0.5,
    rank: int = 1,
    number: int = 1,
) -> Hit:
    passage = Passage(
        id=number,
        article_id=article.id,
        start=0,
        end=len(article.text),
        text=article.text,
        sentences=sentences(article),
    )
    return Hit(passage=passage, article=article, score=score, rank=rank, sentence_scores=scores)


class Ticking(CopyingGenerator):
    """Copies sentences as its parent does, and moves a clock of its own by what a model of that speed would take.

    Like the real one it keeps what it read last: only what follows the common beginning is read anew.
    """

    def __init__(self, *, prefill: float, decode: float) -> None:
        super().__init__()
        self.prefill, self.decode = prefill, decode
        self.now = 1000.0
        self._last = ""

    def clock(self) -> float:
        return self.now

    def generate(self, messages, *, max_tokens):
        for piece in super().generate(messages, max_tokens=max_tokens):
            self.now += 1 / self.decode
            yield piece

    def _read(self, messages):
        text = "\n".join(message.content for message in messages)
        shared = next((n for n, (a, b) in enumerate(zip(text, self._last, strict=False)) if a != b), len(self._last))
        new = self.count_tokens(text[shared:])
        self._last = text
        self.now += max(new / self.prefill, 1 / self.decode)
        done = self._usage
        self._usage = dataclasses.replace(done, passes=done.passes + 1, tokens_read=done.tokens_read + new)
