"""The EvoTemp loader, on invented documents."""

import json

import pytest

from eval.questions import EvidenceQuote, Question
from eval.suites import load_suite
from eval.suites.evotemp import accepted_answers
from eval.suites.reading import Record, make_article
from index.errors import InputError

OLD, NEW, LOOSE = "Ana Silva is mayor of Porto Claro.", "Rui Costa was elected mayor on Sunday.", "The mayor sat down."


def document(text, date, cred):
    return {"id": 0, "title": "", "text": text, "date": date, "cred": cred}


def row(number=7, *, documents=None, answers=("Rui Costa\n",), asked="2023/11/17"):
    documents = documents or [
        document(NEW, "2023/11/12", "high"),
        document(OLD, "2019/05/02", "low"),
        document(LOOSE, "3 days ago", "low"),
    ]
    return {
        "id": number,
        "question": "Who is the mayor of Porto Claro?",
        "q_date": asked,
        "docs": documents,
        "answers": list(answers),
    }


def write(folder, *rows, name="EvoTemp.json"):
    (folder / name).write_text(json.dumps(rows), encoding="utf-8")
    return folder


def test_a_question_is_asked_over_dated_documents_and_over_the_same_ones_without_dates(tmp_path):
    suite = load_suite("evotemp", write(tmp_path, row()))
    new, old = make_article(NEW, date="2023-11-12"), make_article(OLD, date="2019-05-02")
    bare_new, bare_old, loose = make_article(NEW), make_article(OLD), make_article(LOOSE)
    assert suite.articles == (new, old, loose, bare_new, bare_old)
    asked = "Who is the mayor of Porto Claro?"
    assert suite.questions == (
        Question(
            "7:shown",
            asked,
            answers=(("Rui Costa",),),
            answerable=True,
            evidence=(EvidenceQuote(new.file, group="current"),),
            part="dates_shown",
            articles=(new.file, old.file, loose.file),
        ),
        Question(
            "7:hidden",
            asked,
            answers=(("Rui Costa",),),
            answerable=True,
            evidence=(EvidenceQuote(bare_new.file, group="current"),),
            part="dates_hidden",
            articles=(bare_new.file, bare_old.file, loose.file),
        ),
    )
    assert suite.metrics[0] == "contained"
    assert dict(suite.settings) == {}
    assert "contained/dates_shown minus contained/dates_hidden" in suite.notes[0]


def test_documents_without_a_text_are_left_out_and_so_are_questions_without_documents_or_answers(tmp_path):
    empty = [document(None, None, "high"), document(" – ", None, "low"), document(float("nan"), None, "low")]
    rows = [row(1, documents=[*empty, document(OLD, None, "low")]), row(2, documents=empty), row(3, answers=())]
    suite = load_suite("evotemp", write(tmp_path, *rows))
    assert [(question.id, question.articles, question.evidence) for question in suite.questions] == [
        ("1:shown", (make_article(OLD).file,), None),
        ("1:hidden", (make_article(OLD).file,), None),
    ]
    assert suite.notes[-1] == "2 questions without an answer or without any text are left out."


def test_the_notes_count_undated_documents_and_those_dated_after_the_question(tmp_path):
    documents = [
        document(NEW, "18 Nov 2023", "high"),
        document(OLD, "2023/11/20", "low"),
        document(LOOSE, float("nan"), "low"),
        document("A street.", "2018", "low"),
    ]
    notes = load_suite("evotemp", write(tmp_path, row(documents=documents), row(8))).notes
    assert notes[1].startswith("3 of 7 documents have no date that can be read")
    assert notes[2].startswith("2 documents of 1 questions are dated after the day of the question.")


def test_a_text_that_is_marked_both_current_and_outdated_is_no_evidence(tmp_path):
    documents = [document(NEW, "2023/11/12", "high"), document(NEW, "2020/01/01", "low")]
    shown, hidden = load_suite("evotemp", write(tmp_path, row(documents=documents))).questions
    # With dates they are two articles, without they are one.
    assert shown.evidence == (EvidenceQuote(make_article(NEW, date="2023-11-12").file, group="current"),)
    assert (hidden.articles, hidden.evidence) == ((make_article(NEW).file,), None)


def test_a_row_that_is_there_twice_counts_once_and_another_row_of_that_number_is_numbered(tmp_path):
    suite = load_suite("evotemp", write(tmp_path, row(7), row(7), row(7, answers=("Costa",))))
    assert [question.id for question in suite.questions] == ["7:shown", "7:hidden", "7-2:shown", "7-2:hidden"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["rye", "rye bread", "rye"], (("rye", "rye bread"),)),
        ([["Linz", "Passau"]], (("Linz",), ("Passau",))),
        ([["rye", "bread"], ["rye", "rolls"]], (("rye",), ("bread", "rolls"))),
        ([["rye", "bread"], ["rolls"]], (("rye",), ("bread",))),
        (["twelve", 12, None, ["dozen"]], (("twelve", "12"),)),
        ([], ()),
    ],
)
def test_answers_are_alternatives_and_what_is_listed_together_are_parts(given, expected):
    assert accepted_answers(Record({"answers": given}, "EvoTemp.json, entry 1")) == expected


def test_another_half_loads_beside_other_shapes_of_the_set_and_other_sets(tmp_path):
    write(tmp_path, {"conversations": []}, name="EvoTemp_concat_noise_ratio0.4.json")
    write(tmp_path, {"id": "q_1"}, name="HotpotQA.json")
    (tmp_path / "half").mkdir()
    write(tmp_path / "half", row(251), name="EvoTemp_second.json")
    assert [question.id for question in load_suite("evotemp", tmp_path).questions] == ["251:shown", "251:hidden"]


def test_files_that_are_missing_or_not_as_expected_are_named(tmp_path):
    with pytest.raises(InputError, match=r"no file EvoTemp\*\.json"):
        load_suite("evotemp", tmp_path)
    write(tmp_path, {"id": 1})
    with pytest.raises(InputError, match=r"begins with a record that has the fields .*: EvoTemp\.json"):
        load_suite("evotemp", tmp_path)
    write(tmp_path, row(), {**row(8), "docs": [{"text": 5}]})
    with pytest.raises(InputError, match=r"EvoTemp\.json, entry 2, docs 1: the field 'text' is not text"):
        load_suite("evotemp", tmp_path)
