"""The evaluation, on tiny sets with known answers."""

import json

import pytest

from eval.metrics import citation_precision, contained, refusal_f1
from eval.questions import EvidenceQuote, Question, read_questions
from eval.report import terminal_report
from eval.run import Result, score, summary
from index.errors import InputError
from index.paths import project_seeds
from rag.types import Answer, Citation, Timings


def cited(number: int, quote: str, path: str = "seeds/a.txt") -> Citation:
    return Citation(number, 0, 10, "id", None, None, None, None, path, 0, len(quote), quote, 0.9)


def answered(text: str, *citations: Citation, abstained: bool = False) -> Answer:
    return Answer("?", text, abstained, 0.5, None, citations, (), Timings(0.1, 0.2, 3.0), "model", "index")


@pytest.mark.parametrize(
    ("text", "accepted", "expected"),
    [
        ("It was $212 Million.", ["$212 million"], 1.0),
        ("Taobao and Tmall", ["Taobao", "Tmall", "Alibaba.com"], 2 / 3),
        ("a 40 per cent stake", ["40 percent"], 1.0),
        ("nothing", ["$212 million"], 0.0),
        ("anything", [], 0.0),
    ],
)
def test_contained_is_the_share_of_accepted_answers(text, accepted, expected):
    assert contained(text, accepted) == pytest.approx(expected)


def test_citation_precision_counts_distinct_sentences():
    question = Question("1", "?", evidence=(EvidenceQuote("a.txt", "The cat sat on the mat."),))
    right, wrong = cited(1, "The cat sat on the mat."), cited(2, "Dogs bark at night.")
    assert citation_precision(answered("x", right), question) == 1.0
    assert citation_precision(answered("x", right, right, wrong), question) == 0.5
    assert citation_precision(answered("x", cited(1, "The cat sat on the mat.", "seeds/b.txt")), question) == 0.0
    assert citation_precision(answered("x"), question) is None


def test_refusal_precision_recall_and_f1():
    assert refusal_f1([True, True, False, False], [True, False, True, False]) == (0.5, 0.5, 0.5)
    assert refusal_f1([True, True, True], [True, False, False]) == (pytest.approx(1 / 3), 1.0, 0.5)
    assert refusal_f1([False, False], [True, False]) == (0.0, 0.0, 0.0)


def test_a_summary_scores_only_what_is_judged():
    rows = [
        score(Question("1", "?", answers=("cat",), answerable=True), answered("A cat.")),
        score(Question("2", "?", answers=(), answerable=False), answered("No.", abstained=True)),
        score(Question("3", "?"), answered("Whatever.")),
    ]
    metrics = summary(rows)
    assert metrics == {
        "contained": 1.0, "refusal_precision": 1.0, "refusal_recall": 1.0, "refusal_f1": 1.0, "total_p50_s": 3.0,
    }  # fmt: skip
    report = terminal_report(Result("model", "index", tuple(rows), metrics))
    assert report.splitlines()[0] == "3 questions, model model"


def test_every_bad_row_is_listed_before_anything_is_asked(tmp_path):
    file = tmp_path / "q.jsonl"
    file.write_text('{"question": "Who?"}\n{"question": ""}\n\nnot json\n{"question": "x", "anwsers": []}\n[]\n')
    with pytest.raises(InputError) as caught:
        read_questions(file)
    lines = caught.value.message.splitlines()
    assert lines[0].endswith("has 4 bad rows:")
    assert [line.split(":")[0] for line in lines[1:]] == ["line 2", "line 4", "line 5", "line 6"]
    assert "unknown fields anwsers" in lines[3]


def test_missing_and_empty_files_are_errors(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_questions(tmp_path / "none.jsonl")
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(InputError, match="has no question"):
        read_questions(tmp_path / "empty.jsonl")


def test_every_quote_of_the_seed_questions_is_in_its_article():
    from pathlib import Path

    import eval.questions

    file = Path(eval.questions.__file__).parent / "seed_questions.jsonl"
    questions = read_questions(file)
    texts = {path.name: path.read_text(encoding="utf-8") for path in project_seeds().iterdir()}
    for question in questions:
        for item in question.evidence or ():
            assert item.quote in texts[item.article], question.id
    assert len({question.id for question in questions}) == len(questions) == len(file.read_text().splitlines())
    assert {json.loads(line)["answerable"] for line in file.read_text().splitlines()} == {True, False}
