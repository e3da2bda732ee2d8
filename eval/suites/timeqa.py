"""TimeQA, the questions that people wrote: what held at a given time, over one long Wikipedia page each.

From "A Dataset for Answering Time-Sensitive Questions" (Chen et al., 2021). The texts are tokenised ("built in 1954 .")
and stay so: evidence and answers are given in this spelling.
"""

import re
from pathlib import Path

from eval.questions import EvidenceQuote, Parts, Question
from eval.suites import Suite, SuiteArticle
from eval.suites.reading import Record, find_records, has_words, make_article, unique_questions

_LONGEST_TITLE = 120


def load(folder: Path) -> Suite:
    """The suite of the files `human_annotated_*.json`: every page is an article, every question limited to its page.

    Evidence is the paragraph in which an answer is marked. Raises InputError if there is no such file, or one is not as
    expected.
    """
    articles: dict[SuiteArticle, None] = {}
    questions: list[Question] = []
    for _, rows in find_records(folder, "human_annotated_*.json", "index", "questions", "paras"):
        for row in rows:
            paragraphs = [text for text in row.texts("paras") if has_words(text)]
            if not paragraphs:
                raise row.error("the field 'paras' holds no text")
            title = detokenised(paragraphs[0]) if len(paragraphs[0]) <= _LONGEST_TITLE else None
            article = make_article("\n\n".join(paragraphs), title=title)
            articles[article] = None
            for number, entry in enumerate(row.items("questions"), start=1):
                questions.append(_question(row, number, entry, article))
    return Suite(
        name="timeqa",
        title="TimeQA by people, given the page",
        articles=tuple(articles),
        questions=unique_questions(questions),
        metrics=tuple(
            (
                "em f1 citation_precision refusal_precision refusal_recall refusal_f1 has_answer_f1 no_answer_f1 "
                "contained citation_recall refused_unanswerable false_refusal wrong_answers auroc hit@1 hit@5 recall@5 "
                "evidence_kept search_p50_s total_p50_s total_p95_s"
            ).split()
        ),
        settings={"answer_style": "phrase"},
        notes=(
            f"{sum(not question.answerable for question in questions)} of {len(questions)} questions have no answer on "
            "their page.",
            "Evidence is the whole paragraph that holds an answer. Where several answers are marked, any of them will "
            "do, and so will any of their paragraphs.",
        ),
    )


def detokenised(text: str) -> str:
    """The text without the spaces that tokenising put before closing and behind opening punctuation: "House No . 5"
    gives "House No. 5". Quotation marks stay as they are."""
    text = re.sub(r"\s+([.,;:!?%)\]])", r"\1", text)
    return re.sub(r"([(\[])\s+", r"\1", text).strip()


def _question(row: Record, number: int, entry: object, article: SuiteArticle) -> Question:
    """A question as `[text, [{para, from, end, answer}]]`."""
    if not (isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str) and isinstance(entry[1], list)):
        raise row.error(f"question {number} is not a text with a list of answers")
    # An unanswerable question has one answer, which is empty.
    answers = Record({"answers": entry[1]}, f"{row.place}, question {number}").records("answers")
    marked = [answer for answer in answers if _said(answer)]
    return Question(
        id=f"{row.text('index')}#{number}",
        question=entry[0].strip(),
        answers=_spellings(marked),
        answerable=bool(marked),
        evidence=_evidence(row, marked, article),
        articles=(article.file,),
    )


def _said(answer: Record) -> str:
    return answer.text("answer").strip()


def _spellings(marked: list[Record]) -> Parts:
    """All marked answers as alternatives, each also as it would be printed."""
    said = [_said(answer) for answer in marked]
    return (tuple(dict.fromkeys([*said, *map(detokenised, said)])),) if said else ()


def _evidence(row: Record, marked: list[Record], article: SuiteArticle) -> tuple[EvidenceQuote, ...] | None:
    """The marked paragraphs, () if nothing is marked. `para` counts the paragraphs of the file from 0. A mark that
    leads elsewhere is passed over; None if all do."""
    paragraphs = row.texts("paras")
    quotes = []
    for answer in marked:
        place = answer.values.get("para")
        paragraph = paragraphs[place] if isinstance(place, int) and 0 <= place < len(paragraphs) else ""
        if _said(answer) in paragraph:
            quotes.append(EvidenceQuote(article.file, paragraph.strip(), group="answer"))
    return tuple(dict.fromkeys(quotes)) or (None if marked else ())
