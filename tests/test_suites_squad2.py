"""The SQuAD 2.0 loader, on invented paragraphs."""

import json

import pytest

from eval.metrics.answers import token_f1
from eval.outcomes import Outcome, locate
from eval.questions import EvidenceQuote, Question
from eval.suites import load_suite
from eval.suites.squad2 import sentences_around
from index.errors import InputError
from rag.types import Answer, Timings

LIGHTHOUSE = "The lighthouse was built in 1871. It is 40 metres high. Fog hid it for most of the winter of 1902."
FERRY = "The ferry runs on Sundays."


def answer(text, context=LIGHTHOUSE, start=None):
    return {"text": text, "answer_start": context.index(text) if start is None else start}


def question(name, text, answers, *, impossible=False):
    plausible = {"plausible_answers": [{"text": "Fog", "answer_start": 0}]} if impossible else {}
    return {"id": name, "question": text, "answers": answers, "is_impossible": impossible, **plausible}


def squad(*questions):
    ferry = question("q9", "When does the ferry run?", [answer("on Sundays", FERRY)])
    paragraphs = [{"context": LIGHTHOUSE, "qas": list(questions)}, {"context": FERRY, "qas": [ferry]}]
    return {"version": "v2.0", "data": [{"title": "Cape_Grey_Lighthouse", "paragraphs": paragraphs}]}


HEIGHT = question("q1", "How high is it? ", [answer("40 metres"), answer("40"), answer("40 metres")])
OWNER = question("q2", "Who owned it?", [], impossible=True)


def write(folder, content, name="half.json"):
    (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return folder


def test_a_question_is_put_given_its_paragraph_and_with_search(tmp_path):
    suite = load_suite("squad2", write(tmp_path, squad(HEIGHT)))
    lighthouse, ferry = suite.articles
    assert [(article.title, article.text) for article in suite.articles] == [
        ("Cape Grey Lighthouse", LIGHTHOUSE),
        ("Cape Grey Lighthouse", FERRY),
    ]
    assert lighthouse.name.startswith("cape-grey-lighthouse-")
    assert lighthouse.name != ferry.name
    shared = {
        "question": "How high is it?",
        "answers": (("40 metres", "40"),),
        "answerable": True,
        "evidence": (EvidenceQuote(lighthouse.file, "It is 40 metres high.", "answer"),),
        "kind": "answerable",
    }
    assert suite.questions[:2] == (
        Question("q1:given", **shared, part="given", articles=(lighthouse.file,)),
        Question("q1:retrieval", **shared, part="retrieval"),
    )
    assert [item.id for item in suite.questions[2:]] == ["q9:given", "q9:retrieval"]
    assert suite.metrics[:2] == ("f1", "em")
    assert dict(suite.settings) == {"answer_style": "phrase"}


def test_an_impossible_question_has_no_answer_and_evidence_is_judged_in_its_paragraph_alone(tmp_path):
    suite = load_suite("squad2", write(tmp_path, squad(OWNER)))
    given, retrieval = suite.questions[:2]
    assert (given.answers, given.answerable, given.evidence, given.kind) == ((), False, (), "impossible")
    assert (retrieval.answers, retrieval.answerable, retrieval.evidence) == ((), False, None)


def test_answers_in_different_sentences_are_alternative_evidence_and_each_is_a_verbatim_sentence(tmp_path):
    fog = question("q3", "When was it hard to see?", [answer("winter of 1902"), answer("1871"), answer("1902")])
    suite = load_suite("squad2", write(tmp_path, squad(fog)))
    assert suite.questions[0].evidence == (
        EvidenceQuote(suite.articles[0].file, "Fog hid it for most of the winter of 1902.", "answer"),
        EvidenceQuote(suite.articles[0].file, "The lighthouse was built in 1871.", "answer"),
    )
    assert all(locate(item.quote, LIGHTHOUSE) for item in suite.questions[0].evidence)


def test_an_answer_that_is_not_at_its_place_is_looked_for_and_without_any_evidence_is_not_judged(tmp_path):
    moved = question("q4", "When?", [answer("1902", start=3)])
    absent = question("q5", "Who?", [answer("Ida Rowan", start=0)])
    suite = load_suite("squad2", write(tmp_path, squad(moved, absent)))
    assert suite.questions[0].evidence[0].quote == "Fog hid it for most of the winter of 1902."
    assert suite.questions[2].answers == (("Ida Rowan",),)
    assert suite.questions[2].evidence is None


def test_a_span_over_two_sentences_takes_both():
    sentences = ["One two. ", "Three four. ", "Five."]
    assert sentences_around(sentences, 0, 3) == "One two."
    assert sentences_around(sentences, 9, 10) == "Three four."
    assert sentences_around(sentences, 4, 10) == "One two. Three four."
    assert sentences_around(sentences, 21, 26) == "Five."


def test_refusing_everything_scores_the_share_of_impossible_questions(tmp_path):
    suite = load_suite("squad2", write(tmp_path, squad(HEIGHT, OWNER)))
    refusal = Answer("?", "No.", True, 0.1, "nothing", (), (), Timings(0, None, 0), "model", "index")
    scores = [token_f1(Outcome(item, None, (), answer=refusal)) for item in suite.questions if item.part == "given"]
    assert scores == [0.0, 1.0, 0.0]  # the height, the owner, the ferry


def test_files_of_other_shapes_are_passed_over(tmp_path):
    half = tmp_path / "half"
    half.mkdir()
    write(half, squad(HEIGHT), "dev-part-two.json")
    plain = squad({"id": "x", "question": "?", "answers": [answer("1871")]})
    for paragraph in plain["data"][0]["paragraphs"]:
        for item in paragraph["qas"]:
            item.pop("is_impossible", None)
    write(tmp_path, plain, "squad-1.1.json")
    write(tmp_path, [1, 2], "numbers.json")
    write(tmp_path, {"data": "2021-03-03"}, "dated.json")
    suite = load_suite("squad2", tmp_path)
    assert [item.id for item in suite.questions] == ["q1:given", "q1:retrieval", "q9:given", "q9:retrieval"]


def test_wrong_files_are_errors_that_name_file_and_field(tmp_path):
    with pytest.raises(InputError, match=r"There is no file \*\.json"):
        load_suite("squad2", tmp_path)
    write(tmp_path, {"data": []}, "other.json")
    with pytest.raises(InputError, match=r"is SQuAD 2\.0: other\.json"):
        load_suite("squad2", tmp_path)
    broken = squad(HEIGHT, OWNER)
    del broken["data"][0]["paragraphs"][0]["qas"][1]["question"]
    write(tmp_path, broken, "broken.json")
    with pytest.raises(InputError, match=r"broken\.json, data 1, paragraphs 1, qas 2: the field 'question' is missing"):
        load_suite("squad2", tmp_path)
    (tmp_path / "broken.json").write_text('{"data": [')
    with pytest.raises(InputError, match=r"broken\.json, line 1 is not JSON"):
        load_suite("squad2", tmp_path)


def test_the_same_question_in_two_files_is_an_error(tmp_path):
    write(tmp_path, squad(HEIGHT), "a.json")
    write(tmp_path, squad(HEIGHT), "b.json")
    with pytest.raises(InputError, match="'q1:given' occurs twice"):
        load_suite("squad2", tmp_path)
