"""Questions to start with, made from the articles at hand: no model, no fixed list."""

import re
from collections import Counter
from collections.abc import Sequence

from index.types import Article

MOST_EXAMPLES = 4
_LETTERS_READ = 20_000
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][\w’'&-]*[a-z](?:’s)?(?: (?:of |de |and )?[A-Z][\w’'&-]+)*")
_POSSESSIVE = re.compile(r"[’']s?$")
_NOT_A_TOPIC = frozenset(
    (
        "January February March April May June July August September October November December Monday Tuesday "
        "Wednesday Thursday Friday Saturday Sunday English American Chinese Western International"
    ).split()
)


def example_questions(articles: Sequence[Article]) -> tuple[str, ...]:
    """Up to four questions: first about what several articles share, then one for each article's own main name."""
    names = [_names(article) for article in articles[:200]]
    spread = Counter(name for counted in names for name in counted)
    shared = [name for name, count in spread.most_common() if count > 1]
    topics = shared[:1]
    for counted in names:
        # Most telling: often here, seldom elsewhere.
        ranked = sorted(counted, key=lambda name: (-counted[name] / spread[name] ** 2, name))
        topics += [name for name in ranked if name not in topics][:1]
    questions = [f"What do the articles say about {topic}?" for topic in topics[:MOST_EXAMPLES]]
    return tuple(questions)


def _names(article: Article) -> Counter[str]:
    """Capitalised phrases inside sentences, with how often they occur, boilerplate left out."""
    text = article.text
    for span in article.boilerplate:
        text = text[: span.start] + " " * (span.end - span.start) + text[span.end :]
    text = text[:_LETTERS_READ]
    found = Counter(_POSSESSIVE.sub("", match) for match in _NAME.findall(text))
    return Counter({name: count for name, count in found.items() if name not in _NOT_A_TOPIC and len(name) > 2})
