"""CLAPNQ (Rosenthal et al. 2024): long answers from one passage of an encyclopedia, or none.

Reads `*answerable*.jsonl` (the answerable and the unanswerable questions lie in two files; either may be absent). The
texts are tokenised ("word , word .") and stay so, answers are ordinary prose.
"""

from pathlib import Path

from eval.questions import EvidenceQuote, Question
from eval.suites import Suite, SuiteArticle
from eval.suites.reading import Record, find_records, has_words, make_article, unique_questions


def load(folder: Path) -> Suite:
    """Every passage is an article, every question limited to its passage. Accepted is the answer of any annotator;
    evidence are the sentences that any of them marked. A question is answerable if it has an answer, whatever its file
    is called. Raises InputError if there is no such file or one is not as expected."""
    articles: dict[SuiteArticle, None] = {}
    questions = []
    for _, records in find_records(folder, "*answerable*.jsonl", "input", "passages", "output"):
        for record in records:
            article = _article(record)
            articles[article] = None
            questions.append(_question(record, article))
    return Suite(
        name="clapnq",
        title="CLAPNQ, given the passage",
        articles=tuple(articles),
        questions=unique_questions(questions),
        metrics=tuple(
            (
                "rouge_l refused_unanswerable false_refusal citation_precision citation_recall refusal_precision "
                "refusal_recall refusal_f1 auroc cited_sentences reply_length evidence_kept total_p50_s total_p95_s"
            ).split()
        ),
        # Its answers are sentences of the passages, joined by people.
        settings={"answer_style": "quote"},
        notes=(
            "With several annotators, the evidence is all that any of them marked: an answer like that of one of them "
            "does not reach a citation recall of 1.",
        ),
    )


def _article(record: Record) -> SuiteArticle:
    """The passage, made of its sentences, so that those marked are in it word for word."""
    passages = record.records("passages")
    if len(passages) != 1:
        raise record.error(f"it has {len(passages)} passages instead of one")
    text = " ".join(sentence.strip() for sentence in passages[0].texts("sentences"))
    if not has_words(text):
        raise record.error("its passage is empty")
    return make_article(text, title=passages[0].text("title", ""))


def _question(record: Record, article: SuiteArticle) -> Question:
    outputs = [output for output in record.records("output") if output.text("answer", "").strip()]
    answers = tuple(dict.fromkeys(output.text("answer").strip() for output in outputs))
    # Some marked sentences carry a "&" that the passage has not.
    marked = [sentence.strip(" &\n") for output in outputs for sentence in output.texts("selected_sentences")]
    evidence = tuple(EvidenceQuote(article.file, sentence) for sentence in dict.fromkeys(marked) if sentence)
    return Question(
        id=record.text("id"),
        question=record.text("input").strip(),
        answers=(answers,) if answers else (),
        answerable=bool(answers),
        evidence=(evidence or None) if answers else (),
        kind="answerable" if answers else "unanswerable",
        articles=(article.file,),
    )
