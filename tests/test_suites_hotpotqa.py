"""The HotpotQA loader, on invented paragraphs."""

import json

import pytest

from eval.questions import EvidenceQuote, Question
from eval.suites import load_suite
from eval.suites.hotpotqa import NamedParagraph, needed_paragraphs
from eval.suites.reading import make_article
from index.errors import InputError

FILM = ("Rye (film)", "Rye is a film by Olga Brandt.")
DIRECTOR = ("Olga Brandt", "Olga Brandt was born in Linz.")
TOWN = ("Passau &amp; Linz", "Two towns on a river.")
BARLEY = ("Barley", "Barley is a band.")


def row(identity, question, answer, *paragraphs):
    documents = [
        {"id": f"p_{number}", "title": title, "text": text, "cred": "low"}
        for number, (title, text) in enumerate(paragraphs)
    ]
    return {"id": identity, "question": question, "docs": documents, "answer": answer}


def write(folder, *rows, name="HotpotQA.json"):
    (folder / name).write_text(json.dumps(rows), encoding="utf-8")
    return folder


def paragraph(title, text, name=None):
    return NamedParagraph(make_article(text, title=title), name or title)


def test_every_paragraph_is_an_article_and_a_question_is_limited_to_its_own(tmp_path):
    rows = [
        row("q_0", "Where was the director of Rye born?", " Linz ", TOWN, DIRECTOR, FILM),
        row("q_1", "Who founded Barley?", "Tom Weaver", BARLEY, TOWN),
    ]
    suite = load_suite("hotpotqa", write(tmp_path, *rows))
    town = make_article(TOWN[1], title="Passau & Linz")
    director, film, barley = (make_article(text, title=title) for title, text in (DIRECTOR, FILM, BARLEY))
    assert suite.articles == (town, director, film, barley)
    assert suite.questions == (
        Question(
            "q_0",
            "Where was the director of Rye born?",
            answers=(("Linz",),),
            answerable=True,
            # "Linz" is also in the title of the town's paragraph, so nothing tells which one is needed.
            evidence=None,
            kind="paragraphs unknown",
            part="answer_given",
            articles=(town.file, director.file, film.file),
        ),
        Question(
            "q_1",
            "Who founded Barley?",
            answers=(("Tom Weaver",),),
            answerable=None,
            evidence=None,
            kind="paragraphs unknown",
            part="answer_not_given",
            articles=(barley.file, town.file),
        ),
    )
    assert suite.metrics[:3] == ("contained", "em", "f1")
    assert dict(suite.settings) == {"answer_style": "phrase"}


def test_the_needed_paragraphs_are_evidence_as_whole_articles(tmp_path):
    rows = [
        row("q_0", "Where was the director of Rye born?", "Linz", BARLEY, DIRECTOR, FILM),
        row("q_1", "Are Rye and Barley both bands?", "no", BARLEY, FILM),
        row("q_2", "Is it old?", "Yes", BARLEY),
    ]
    suite = load_suite("hotpotqa", write(tmp_path, *rows))
    director, film, barley = (make_article(text, title=title).file for title, text in (DIRECTOR, FILM, BARLEY))
    assert [question.evidence for question in suite.questions] == [
        (EvidenceQuote(film), EvidenceQuote(director)),
        (EvidenceQuote(film), EvidenceQuote(barley)),
        None,
    ]
    assert [(question.part, question.kind, question.answerable) for question in suite.questions] == [
        ("answer_given", "both paragraphs known", True),
        ("yes_or_no", "both paragraphs known", None),
        ("yes_or_no", "paragraphs unknown", None),
    ]
    assert suite.notes[0] == (
        "Of 3 questions 1 have their answer in one of their paragraphs, 0 in none, 2 are answered by yes or no."
    )
    assert "For 2 it could be worked out" in suite.notes[1]


@pytest.mark.parametrize(
    ("question", "answer", "expected"),
    [
        ("Which is older, the Rye or Barley?", "Barley", ("Rye", "Barley")),
        ("Which is older, Rye or Barley?", "Wheat", None),  # in neither of the two
        ("Who made a film on rye and barley?", "Olga Brandt", None),  # "and" without "both"
        ("Where was the director of Rye born?", "Linz", ("Rye", "Olga Brandt")),
        ("Where was the director of a film about rye born?", "Linz", None),  # rye is not the film "Rye"
        ("Where was Olga Brandt, who made Rye, born?", "Linz", None),  # names both, but does not compare them
        ("Is Rye older than Barley?", "yes", None),
    ],
)
def test_two_paragraphs_are_needed_if_compared_or_if_one_leads_to_the_answer_in_the_other(question, answer, expected):
    paragraphs = [paragraph("Rye (film)", FILM[1], "Rye"), paragraph(*DIRECTOR), paragraph(*BARLEY)]
    needed = needed_paragraphs(question, answer, paragraphs)
    assert (needed and tuple(one.name for one in needed)) == expected


def test_a_third_paragraph_with_the_answer_leaves_the_needed_ones_unknown():
    paragraphs = [paragraph("Rye", FILM[1]), paragraph(*DIRECTOR), paragraph("Linz", "A town.")]
    assert needed_paragraphs("Where was the director of Rye born?", "Linz", paragraphs) is None


def test_questions_without_a_paragraph_are_left_out_and_another_half_loads(tmp_path):
    (tmp_path / "half").mkdir()
    write(tmp_path / "half", row("q_400", "?", "x"), row("q_401", "Who?", "x", BARLEY), name="HotpotQA_half.json")
    write(tmp_path, {"conversations": []}, name="HotpotQA_concat.json")
    suite = load_suite("hotpotqa", tmp_path)
    assert [question.id for question in suite.questions] == ["q_401"]
    assert suite.notes[-1] == "1 questions without a paragraph are left out."


def test_files_that_are_missing_or_not_as_expected_are_named(tmp_path):
    with pytest.raises(InputError, match=r"no file HotpotQA\*\.json"):
        load_suite("hotpotqa", tmp_path)
    write(tmp_path, row("q_0", "Who?", "…", BARLEY))
    with pytest.raises(InputError, match=r"HotpotQA\.json, entry 1: the field 'answer' holds no answer"):
        load_suite("hotpotqa", tmp_path)
    write(tmp_path, row("q_0", "Who?", "x", BARLEY), row("q_0", "Why?", "x", BARLEY))
    with pytest.raises(InputError, match="'q_0' occurs twice"):
        load_suite("hotpotqa", tmp_path)
