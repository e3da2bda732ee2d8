"""The FinanceBench loader, on invented filings."""

import json

import pytest

from eval.questions import EvidenceQuote, Question
from eval.suites import load_suite
from eval.suites.financebench import spellings
from eval.suites.reading import make_article
from index.errors import InputError

INCOME, BALANCE = "Net sales 1,250\nCosts 900", "Inventories 300"


def page(number, text, document="PORTOCLARO_2018_10K"):
    return {
        "evidence_text": text[:5],
        "doc_name": document,
        "evidence_page_num": number,
        "evidence_text_full_page": text,
    }


def row(number, answer, *pages, **fields):
    return {
        "financebench_id": f"financebench_id_{number}",
        "company": "Porto Claro",
        "doc_name": "PORTOCLARO_2018_10K",
        "question_type": "metrics-generated",
        "question": "What are the net sales? ",
        "answer": answer,
        "evidence": list(pages),
    } | fields


def write(folder, *rows, name="financebench_open_source.jsonl"):
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


def test_every_evidence_page_is_an_article_and_all_are_searched(tmp_path):
    rows = [
        row("1", "$1250.00", page(59, INCOME), page(61, BALANCE), page(59, INCOME)),
        row("2", "Yes, it did.", page(59, INCOME), question_type="novel-generated"),
    ]
    suite = load_suite("financebench", write(tmp_path, *rows))
    income = make_article(INCOME, title="Porto Claro 2018 10K, page 59", source="Porto Claro")
    balance = make_article(BALANCE, title="Porto Claro 2018 10K, page 61", source="Porto Claro")
    assert suite.articles == (income, balance)
    assert suite.questions == (
        Question(
            "financebench_id_1",
            "What are the net sales?",
            answers=(("$1250.00", "1250.00", "1250", "1,250.00", "1,250"),),
            answerable=True,
            evidence=(EvidenceQuote(income.file), EvidenceQuote(balance.file)),
            kind="metrics-generated",
        ),
        Question(
            "financebench_id_2",
            "What are the net sales?",
            answers=(("Yes, it did.",),),
            answerable=True,
            evidence=(EvidenceQuote(income.file),),
            kind="novel-generated",
        ),
    )
    assert suite.metrics[:2] == ("hit@5", "number_match")
    assert dict(suite.settings) == {}
    assert suite.notes[0].startswith("Searched are the 2 pages")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("$3.20 ", ("$3.20", "3.20", "3.2")),
        ("12.5%", ("12.5%",)),
        ("$12,345", ("$12,345", "12345", "12,345")),
        ("100", ("100",)),
        ("0.25", ("0.25",)),
        ("Rye fell by 2.5%.", ("Rye fell by 2.5%.",)),
    ],
)
def test_an_answer_that_is_an_amount_is_accepted_in_its_usual_spellings(answer, expected):
    assert spellings(answer) == expected


@pytest.mark.parametrize(
    ("document", "title"),
    [
        ("PORTOCLARO_2021_8K_dated-2021-03-04", "Porto Claro 2021 8K dated 2021-03-04, page 3"),
        ("Prospectus", "Porto Claro Prospectus, page 3"),
    ],
)
def test_a_page_is_titled_as_a_person_would_name_it(tmp_path, document, title):
    suite = load_suite("financebench", write(tmp_path, row("1", "5", page(3, BALANCE, document))))
    assert [article.title for article in suite.articles] == [title]


def test_another_half_loads_and_a_question_without_a_readable_page_has_no_judged_evidence(tmp_path):
    (tmp_path / "half").mkdir()
    write(tmp_path / "half", row("90", "5", page(1, " \n – ")), name="financebench_half.jsonl")
    write(tmp_path, {"financebench_id": "x"}, name="financebench_document_information.jsonl")
    suite = load_suite("financebench", tmp_path)
    assert [(question.id, question.evidence) for question in suite.questions] == [("financebench_id_90", None)]
    assert suite.articles == ()


def test_files_that_are_missing_or_not_as_expected_are_named(tmp_path):
    with pytest.raises(InputError, match=r"no file financebench\*\.jsonl"):
        load_suite("financebench", tmp_path)
    write(tmp_path, row("1", "5", page("59", BALANCE)))
    with pytest.raises(
        InputError, match=r"financebench_open_source\.jsonl.*, evidence 1: the field 'evidence_page_num'"
    ):
        load_suite("financebench", tmp_path)
