"""SciFact (Wadden et al. 2020), ranked as in BEIR (Thakur et al. 2021): which abstracts does a claim cite?

Reads `corpus_*.csv` (doc_id, title, abstract) and `claims_*.csv` (id, claim, evidence_label, cited_doc_ids), compressed
or not. An abstract is a printed NumPy array of sentences, a list of ids a printed array of numbers. The sentences that
support a claim are not asked for: finding them in a given abstract is a task of its own, and its figures would mix with
the official ones.
"""

import ast
import re
from pathlib import Path

from eval.questions import EvidenceQuote, Question
from eval.suites import Suite, SuiteArticle
from eval.suites.reading import Record, find_records, has_words, make_article, unique_questions

# NumPy prints every element as one literal, never broken over lines; short ones share a line.
_LITERAL = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")


def load(folder: Path) -> Suite:
    """Every abstract is an article, every claim a search; relevant are all the abstracts that it cites. `kind` is what
    the cited abstracts say to the claim: "support", "contradict" or "neutral".

    Raises InputError if a file is missing or not as expected, or a claim cites an abstract that is in no file.
    """
    articles: dict[str, SuiteArticle] = {}
    for _, records in find_records(folder, "corpus_*.csv*", "doc_id", "title", "abstract"):
        for record in records:
            articles[record.text("doc_id")] = _article(record)
    claims: dict[str, list[Record]] = {}
    for _, records in find_records(folder, "claims_*.csv*", "id", "claim", "cited_doc_ids"):
        for record in records:
            claims.setdefault(record.text("id"), []).append(record)
    return Suite(
        name="scifact",
        title="SciFact claims, ranked as in BEIR",
        articles=tuple(dict.fromkeys(articles.values())),
        questions=unique_questions(_claim(name, rows, articles) for name, rows in claims.items()),
        metrics=tuple("ndcg@10 recall@10 recall@1 recall@5 hit@1 hit@5 mrr search_p50_s search_p95_s".split()),
        notes=("Relevant are all cited abstracts, also those that neither support nor contradict the claim.",),
    )


def printed_texts(printed: str) -> tuple[str, ...]:
    """The texts of an array of texts as NumPy prints it: `['a' "b's"\\n 'c']` holds three. Nothing else is read."""
    texts: list[str] = [ast.literal_eval(literal) for literal in _LITERAL.findall(printed)]
    return tuple(texts)


def _article(record: Record) -> SuiteArticle:
    sentences = printed_texts(record.text("abstract"))
    # A sentence with a line break ends a section of a structured abstract ("METHODS …").
    text = "".join(sentence.strip() + ("\n\n" if sentence.endswith("\n") else " ") for sentence in sentences)
    if not has_words(text):
        raise record.error("the field 'abstract' is not a printed array of sentences")
    return make_article(text, title=record.text("title"))


def _claim(name: str, rows: list[Record], articles: dict[str, SuiteArticle]) -> Question:
    """One claim of its rows: there is one for every sentence that was marked, with the same citations."""
    cited = dict.fromkeys(number for row in rows for number in re.findall(r"\d+", row.text("cited_doc_ids")))
    for number in cited:
        if number not in articles:
            raise rows[0].error(f"it cites the abstract {number}, which no file corpus_*.csv holds")
    labels = sorted({row.text("evidence_label", "").lower() for row in rows} - {""})
    return Question(
        id=name,
        question=rows[0].text("claim"),
        evidence=tuple(EvidenceQuote(articles[number].file) for number in cited),
        kind=" and ".join(labels) or "neutral",
        task="search",
    )
