"""FinanceBench: questions about company filings, searched over the pages that hold the evidence of all questions.

From "FinanceBench: A New Benchmark for Financial Question Answering" (Islam et al., 2023), the open-source part.
"""

import re
from pathlib import Path

from eval.questions import EvidenceQuote, Question
from eval.suites import Suite, SuiteArticle
from eval.suites.reading import Record, find_records, has_words, make_article, unique_questions

_TEXT = "evidence_text_full_page"
_AMOUNT = re.compile(r"\$?\s?(?P<whole>\d[\d,]*)(?P<decimals>\.\d+)?\s?(?P<percent>%?)")


def load(folder: Path) -> Suite:
    """The suite of the files `financebench*.jsonl`: every evidence page is an article, and all of them are searched. A
    question's evidence are its pages as a whole. Raises InputError if there is no file, or one is not as expected."""
    articles: dict[SuiteArticle, None] = {}
    questions = []
    found = find_records(folder, "financebench*.jsonl", "financebench_id", "question", "answer", "evidence", "company")
    for _, rows in found:
        for row in rows:
            pages = [_page(row, page) for page in row.records("evidence") if has_words(page.text(_TEXT))]
            articles.update(dict.fromkeys(pages))
            questions.append(
                Question(
                    id=row.text("financebench_id"),
                    question=row.text("question").strip(),
                    answers=(spellings(row.text("answer")),),
                    answerable=True,
                    evidence=tuple(EvidenceQuote(page.file) for page in dict.fromkeys(pages)) or None,
                    kind=row.text("question_type", ""),
                )
            )
    return Suite(
        name="financebench",
        title="FinanceBench, searching the evidence pages",
        articles=tuple(articles),
        questions=unique_questions(questions),
        metrics=tuple(
            (
                "hit@5 number_match false_refusal wrong_answers contained hit@1 recall@5 mrr ndcg@10 evidence_kept "
                "citation_precision citation_recall numbers_covered reply_length search_p50_s total_p50_s total_p95_s"
            ).split()
        ),
        notes=(
            f"Searched are the {len(articles)} pages that are evidence of some question, not the whole filings.",
            "number_match (within 1 %) judges answers with numbers alone; contained asks for the publishers' wording, "
            "which whole sentences seldom repeat.",
        ),
    )


def spellings(answer: str) -> tuple[str, ...]:
    """An answer as it is; if it is nothing but an amount, also without currency, with and without commas, and without
    idle zeros: "$1250.00" gives "1250.00", "1250", "1,250.00" and "1,250" too."""
    answer = answer.strip()
    amount = _AMOUNT.fullmatch(answer)
    if amount is None:
        return (answer,)
    whole = int(amount["whole"].replace(",", ""))
    decimals = amount["decimals"] or ""
    plain = [
        f"{digits}{ending}{amount['percent']}"
        for digits in (str(whole), f"{whole:,}")
        for ending in (decimals, decimals.rstrip("0").rstrip("."))
    ]
    return tuple(dict.fromkeys([answer, *plain]))


def _page(row: Record, page: Record) -> SuiteArticle:
    """A page of a filing, with a title as a person would name it: "Rye Mills 2018 10K, page 59"."""
    number = page.values.get("evidence_page_num")
    if not isinstance(number, int):
        raise page.error("the field 'evidence_page_num' is not a whole number")
    company = row.text("company").strip()
    # "RYEMILLS_2018_10K": the company is better named by its own field.
    filing = page.text("doc_name").partition("_")[2] or page.text("doc_name")
    filing = filing.replace("_", " ").replace("dated-", "dated ")
    return make_article(page.text(_TEXT), title=f"{company} {filing}, page {number}", source=company)
