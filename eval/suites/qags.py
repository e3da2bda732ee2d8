"""QAGS: does the article support this sentence of a summary? Three people voted on each.

From "Asking and Answering Questions to Evaluate the Factual Consistency of Summaries" (Wang et al., 2020): summaries
that models wrote of CNN/Daily Mail and XSum articles.
"""

import re
from collections import Counter
from pathlib import Path

from eval.questions import Question
from eval.suites import Suite, SuiteArticle
from eval.suites.reading import Record, find_records, has_words, make_article, unique_questions


def load(folder: Path) -> Suite:
    """The suite of the files `mturk_*.jsonl`: every summary sentence is a claim about its article, supported if more
    than half of the votes say so. The part is the next word of the file's name ("cnndm", "xsum").

    Raises InputError if there is no such file, or one is not as expected.
    """
    articles: dict[SuiteArticle, None] = {}
    questions = []
    rows_of_part: Counter[str] = Counter()
    for path, rows in find_records(folder, "mturk_*.jsonl", "article", "summary_sentences"):
        part = re.split(r"[^a-z]", path.stem.removeprefix("mturk_").lower())[0]
        for row in rows:
            if not has_words(row.text("article")):
                raise row.error("the field 'article' is empty")
            article = make_article(row.text("article"))
            articles[article] = None
            rows_of_part[part] += 1
            for number, sentence in enumerate(row.records("summary_sentences"), start=1):
                questions.append(
                    Question(
                        id=f"{part}-{rows_of_part[part]}-{number}",
                        question=sentence.text("sentence").strip(),
                        answerable=_is_supported(sentence),
                        part=part,
                        articles=(article.file,),
                        task="support",
                    )
                )
    counts = Counter((question.part, question.answerable) for question in questions)
    parts = ", ".join(
        f"{part} {counts[part, True]} of {counts[part, True] + counts[part, False]}" for part in rows_of_part
    )
    return Suite(
        name="qags",
        title="QAGS, is the sentence supported?",
        articles=tuple(articles),
        questions=unique_questions(questions),
        metrics=("auroc", "balanced_accuracy", "ece"),
        notes=(
            f"Supported by the majority of votes: {parts}. Figures without a part mix the files; their shares of "
            "supported sentences differ, so look at the parts.",
        ),
    )


def _is_supported(sentence: Record) -> bool:
    """Whether more than half of the votes say yes."""
    votes = [vote.text("response").strip().lower() for vote in sentence.records("responses")]
    if not votes or not set(votes) <= {"yes", "no"}:
        raise sentence.error("the field 'responses' does not hold votes that are yes or no")
    return 2 * votes.count("yes") > len(votes)
