"""RealTimeQA (Kasai et al. 2023): weekly news quizzes, answered in free text from the articles that a web search found.

Reads `*_qa.jsonl` (questions; not `*_qa_nota.jsonl`, the same with other choices), `*_gcs.jsonl` (the articles that a
search found, a question's pool) and `*_gold.jsonl` (the articles that the quiz links to); either of the last two may be
absent. As in the official script, questions that end in "except" are left out: their answer is the wrong choice.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from eval.metrics.answers import contains
from eval.questions import EvidenceQuote, Parts, Question
from eval.suites import Suite, SuiteArticle
from eval.suites.reading import Record, find_records, has_words, make_article, unique_questions
from index.errors import InputError

_PUBLISHERS = {"cnn.com": "CNN", "usatoday.com": "USA TODAY", "theweek.co.uk": "The Week", "theweek.com": "The Week"}
_FURNITURE_ADDRESSES = 3
_DATE = re.compile(r"(\d{4})/(\d{2})/(\d{2})")


def load(folder: Path) -> Suite:
    """Part "pool": answer from the question's own pool; it counts as answerable if the pool has all parts of the answer
    word for word. Part "gold": find the linked articles among all linked ones. A question without an article that has
    text is in neither. `kind` is the quiz's publisher.

    Raises InputError if there are no questions or no articles, or a file is not as expected.
    """
    questions = [
        record for _, records in find_records(folder, "*_qa.jsonl", "question_id", "choices") for record in records
    ]
    found, gold = _results(folder, "*_gcs.jsonl"), _results(folder, "*_gold.jsonl")
    furniture = _furniture([result for results in (*found.values(), *gold.values()) for result in results])
    pools, linked = _articles(found, furniture), _articles(gold, furniture)
    asked = tuple(record for record in questions if not _asks_for_exception(record))
    rows = (*_from_pools(asked, pools), *_among_linked(asked, linked))
    if not rows:
        raise InputError(f"No question in {folder} has an article: there is no *_gcs.jsonl and no *_gold.jsonl of it.")
    articles = [article for own in (*pools.values(), *linked.values()) for article in own]
    return Suite(
        name="realtimeqa",
        title="RealTimeQA, free text from the pool of found articles",
        articles=tuple(dict.fromkeys(articles)),
        questions=unique_questions(rows),
        metrics=tuple(
            (
                "f1 em hit@1 hit@5 contained refused_unanswerable false_refusal wrong_answers refusal_precision "
                "refusal_recall refusal_f1 auroc mrr reply_length search_p50_s total_p50_s total_p95_s"
            ).split()
        ),
        settings={"answer_style": "phrase"},
        notes=(
            "f1 and em are over part pool, hit@k over part gold; a refusal scores 0 in f1 even where the pool has no "
            "answer.",
            "A pool counts as answerable if it holds the answer's words: a short answer (a number, True) may be there "
            "by chance, a longer one in other words.",
            f"{len(furniture)} texts are no articles: they stand at {_FURNITURE_ADDRESSES} addresses or more.",
            f'{len(questions) - len(asked)} questions that end in "except" are left out, as officially.',
        ),
    )


def _results(folder: Path, pattern: str) -> dict[str, tuple[Record, ...]]:
    """The results that have a text, by the id of their question."""
    found: dict[str, tuple[Record, ...]] = {}
    for _, records in find_records(folder, pattern, "question_id", "search_result", required=False):
        for record in records:
            results = record.records("search_result")
            found[record.text("question_id")] = tuple(each for each in results if has_words(each.text("text", "")))
    return found


def _furniture(results: Sequence[Record]) -> frozenset[str]:
    """Texts that were read at several pages instead of their articles: a form about cookies, or about the video."""
    addresses: dict[str, set[str]] = {}
    for result in results:
        addresses.setdefault(result.text("text").strip(), set()).add("".join(_host_and_path(result.text("url"))))
    return frozenset(text for text, places in addresses.items() if len(places) >= _FURNITURE_ADDRESSES)


def _articles(
    results: Mapping[str, Sequence[Record]], furniture: frozenset[str]
) -> dict[str, tuple[SuiteArticle, ...]]:
    return {
        question: tuple(dict.fromkeys(_article(each) for each in own if each.text("text").strip() not in furniture))
        for question, own in results.items()
    }


def _article(result: Record) -> SuiteArticle:
    url = result.text("url")
    date = _DATE.fullmatch(result.text("publish_date", ""))
    names = [name.strip() for name in (result.texts("authors") if result.has("authors") else ())]
    # The list may begin with all names run together: "Ann Lee Bo Ray", "Ann Lee", "Bo Ray".
    names = [name for name in names if name and not any(other and other != name and other in name for other in names)]
    return make_article(
        result.text("text"),
        title=result.text("title", ""),
        source=publisher(url),
        author=" and ".join(dict.fromkeys(names)),
        date="-".join(date.groups()) if date else None,
        url=url,
    )


def publisher(url: str) -> str | None:
    """The name of the publisher at an address: from the table, else its host without "www."; None without a host."""
    host, _ = _host_and_path(url)
    for domain, name in _PUBLISHERS.items():
        if host == domain or host.endswith("." + domain):
            return name
    return host or None


def _host_and_path(url: str) -> tuple[str, str]:
    try:
        split = urlsplit(url)
    except ValueError:  # brackets that are no IPv6 address
        return "", url
    return (split.hostname or "").removeprefix("www."), split.path


def states(texts: Sequence[str], parts: Parts) -> bool:
    """Whether `texts` together hold a spelling of every part, as words of their own (`contains`)."""
    return all(any(contains(text, spelling) for text in texts for spelling in part) for part in parts)


def _asks_for_exception(record: Record) -> bool:
    return "except" in record.text("question_sentence").lower().strip()[-10:]


def _from_pools(records: Sequence[Record], pools: Mapping[str, Sequence[SuiteArticle]]) -> Iterator[Question]:
    for record in records:
        if pool := pools.get(record.text("question_id")):
            answers = tuple((answer,) for answer in _right_choices(record))
            yield Question(
                id=f"{record.text('question_id')}:pool",
                question=record.text("question_sentence").strip(),
                answers=answers,
                answerable=states([article.text for article in pool], answers),
                kind=record.text("question_source", ""),
                part="pool",
                articles=tuple(article.file for article in pool),
            )


def _among_linked(records: Sequence[Record], linked: Mapping[str, Sequence[SuiteArticle]]) -> Iterator[Question]:
    every = tuple(dict.fromkeys(article.file for found in linked.values() for article in found))
    for record in records:
        if own := linked.get(record.text("question_id")):
            yield Question(
                id=f"{record.text('question_id')}:gold",
                question=record.text("question_sentence").strip(),
                answers=tuple((answer,) for answer in _right_choices(record)),
                evidence=tuple(EvidenceQuote(article.file) for article in own),
                kind=record.text("question_source", ""),
                part="gold",
                articles=every,
                task="search",
            )


def _right_choices(record: Record) -> tuple[str, ...]:
    choices, places = record.texts("choices"), record.texts("answer")
    if not places or not all(place.isdecimal() and int(place) < len(choices) for place in places):
        raise record.error("the field 'answer' does not name choices by their place, counted from 0")
    return tuple(choices[int(place)].strip() for place in places)
