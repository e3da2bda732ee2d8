"""The TimeQA loader, on an invented page."""

import json

import pytest

from eval.outcomes import locate
from eval.questions import EvidenceQuote, Question
from eval.suites import load_suite
from eval.suites.reading import make_article
from eval.suites.timeqa import detokenised
from index.errors import InputError

PARAGRAPHS = [
    "Rye House ( Linz )",
    "",
    "Rye House was built by Olga B . Brandt in 1954 .",
    "From 1960 Ana Silva lived there .",
]
UNANSWERED = {"para": 0, "from": 0, "end": 0, "answer": ""}


def marked(paragraph, answer):
    start = PARAGRAPHS[paragraph].index(answer)
    return {"para": paragraph, "from": start, "end": start + len(answer), "answer": answer}


def page(*questions, index="/wiki/Rye_House#P466", paragraphs=PARAGRAPHS):
    return {"index": index, "type": "P466", "link": "/wiki/Rye_House", "questions": questions, "paras": paragraphs}


def write(folder, *rows, name="human_annotated_train.json"):
    (folder / name).write_text(json.dumps(rows), encoding="utf-8")
    return folder


def test_a_page_is_one_article_and_the_marked_paragraph_is_evidence(tmp_path):
    suite = load_suite(
        "timeqa",
        write(
            tmp_path,
            page(
                ["Who built Rye House in 1954? ", [marked(2, "Olga B . Brandt")]],
                ["Who lived there?", [marked(3, "Ana Silva"), marked(2, "Olga B . Brandt"), marked(3, "Ana Silva")]],
                ["Who lived there in 1800?", [UNANSWERED]],
            ),
        ),
    )
    (article,) = suite.articles
    text = f"{PARAGRAPHS[0]}\n\n{PARAGRAPHS[2]}\n\n{PARAGRAPHS[3]}"
    assert article == make_article(text, title="Rye House (Linz)")
    assert suite.questions == (
        Question(
            "/wiki/Rye_House#P466#1",
            "Who built Rye House in 1954?",
            answers=(("Olga B . Brandt", "Olga B. Brandt"),),
            answerable=True,
            evidence=(EvidenceQuote(article.file, PARAGRAPHS[2], group="answer"),),
            articles=(article.file,),
        ),
        Question(
            "/wiki/Rye_House#P466#2",
            "Who lived there?",
            answers=(("Ana Silva", "Olga B . Brandt", "Olga B. Brandt"),),
            answerable=True,
            evidence=(
                EvidenceQuote(article.file, PARAGRAPHS[3], group="answer"),
                EvidenceQuote(article.file, PARAGRAPHS[2], group="answer"),
            ),
            articles=(article.file,),
        ),
        Question(
            "/wiki/Rye_House#P466#3",
            "Who lived there in 1800?",
            answers=(),
            answerable=False,
            evidence=(),
            articles=(article.file,),
        ),
    )
    for question in suite.questions:
        assert all(len(locate(item.quote, article.text)) == 1 for item in question.evidence)
    assert suite.metrics[:3] == ("em", "f1", "citation_precision")
    assert dict(suite.settings) == {"answer_style": "phrase"}
    assert suite.notes[0] == "1 of 3 questions have no answer on their page."


@pytest.mark.parametrize("place", [0, 3, 4, -2, None, "2"])
def test_a_mark_that_leads_to_another_paragraph_leaves_the_evidence_unjudged(tmp_path, place):
    wrong = {**marked(2, "Olga B . Brandt"), "para": place}
    (question,) = load_suite("timeqa", write(tmp_path, page(["Who?", [wrong]]))).questions
    assert (question.answerable, question.evidence) == (True, None)


def test_a_page_that_begins_with_a_long_paragraph_has_no_title(tmp_path):
    suite = load_suite("timeqa", write(tmp_path, page(paragraphs=["word " * 30])))
    assert [(article.title, article.text) for article in suite.articles] == [(None, ("word " * 30).strip())]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Olga B . Brandt , Sr .", "Olga B. Brandt, Sr."),
        ("Rye House [ No . 5 ]", "Rye House [No. 5]"),
        ("40 % of it", "40% of it"),
        ("as it is", "as it is"),
    ],
)
def test_detokenised_text_reads_as_printed(text, expected):
    assert detokenised(text) == expected


def test_another_half_loads_from_lines_and_the_same_page_twice_is_one_article(tmp_path):
    (tmp_path / "half").mkdir()
    rows = [page(["Who?", [UNANSWERED]], index="/wiki/a#P1"), page(["Who?", [UNANSWERED]], index="/wiki/a#P2")]
    lines = "\n".join(map(json.dumps, rows))
    (tmp_path / "half" / "human_annotated_test.json").write_text(lines, encoding="utf-8")
    suite = load_suite("timeqa", tmp_path)
    assert [question.id for question in suite.questions] == ["/wiki/a#P1#1", "/wiki/a#P2#1"]
    assert len({question.articles for question in suite.questions}) == len(suite.articles) == 1


def test_files_that_are_missing_or_not_as_expected_are_named(tmp_path):
    with pytest.raises(InputError, match=r"no file human_annotated_\*\.json"):
        load_suite("timeqa", tmp_path)
    write(tmp_path, page(["Who?", [UNANSWERED]], ["Who?"]))
    with pytest.raises(InputError, match=r"human_annotated_train\.json.*: question 2 is not a text with a list"):
        load_suite("timeqa", tmp_path)
    write(tmp_path, page(["Who?", [{"para": 0}]]))
    with pytest.raises(InputError, match=r"question 1, answers 1: the field 'answer' is missing"):
        load_suite("timeqa", tmp_path)
    write(tmp_path, page(paragraphs=["", "–"]))
    with pytest.raises(InputError, match="the field 'paras' holds no text"):
        load_suite("timeqa", tmp_path)
