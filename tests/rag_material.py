"""A small article and its hits, shared by the tests of `rag`. Scores are chosen, not computed."""

from index.types import Article, Hit, Passage, Sentence

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
