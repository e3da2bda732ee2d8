"""XQuAD (Artetxe et al. 2020) in English: short answers from a paragraph of an encyclopedia.

Reads the English files `*xquad*en*.json`, of the shape of SQuAD 1.1. Every question is answerable and is put given its
paragraph.
"""

from collections.abc import Iterator
from pathlib import Path

from eval.questions import Question
from eval.suites import Suite
from eval.suites.reading import unique_questions
from eval.suites.squad2 import AskedParagraph, evidence_for, gold_answers, squad_paragraphs


def load(folder: Path) -> Suite:
    """Every paragraph is an article, every question limited to its paragraph; evidence is one of the sentences in which
    an accepted answer stands. Raises InputError if there is no such file or one is not as expected."""
    paragraphs = squad_paragraphs(folder, "*xquad*en*.json", impossible=False)
    return Suite(
        name="xquad",
        title="XQuAD English, given the paragraph",
        articles=tuple(dict.fromkeys(paragraph.article for paragraph in paragraphs)),
        questions=unique_questions(question for paragraph in paragraphs for question in _questions(paragraph)),
        metrics=tuple(
            (
                "f1 em contained false_refusal citation_precision citation_recall wrong_answers evidence_kept "
                "total_p50_s total_p95_s"
            ).split()
        ),
        settings={"answer_style": "phrase"},
        notes=("Every question is answerable: a refusal is always wrong here.",),
    )


def _questions(paragraph: AskedParagraph) -> Iterator[Question]:
    for record in paragraph.questions:
        answers = gold_answers(record)
        if not answers:
            raise record.error("it has no answers")
        yield Question(
            id=record.text("id"),
            question=record.text("question").strip(),
            answers=(answers,),
            answerable=True,
            evidence=evidence_for(record, paragraph),
            articles=(paragraph.article.file,),
        )
