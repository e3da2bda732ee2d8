"""The XQuAD loader, on an invented paragraph."""

import json

import pytest

from eval.questions import EvidenceQuote, Question
from eval.suites import load_suite
from index.errors import InputError

TEXT = "The windmill of Oster Vale ground barley. Its last miller, Ida Rowan, left in 1934."


def xquad(text=TEXT, *, answer="Ida Rowan", **extra):
    found = [{"text": answer, "answer_start": text.find(answer)}] if answer else []
    asked = {"id": "w1", "question": "Who was the last miller?", "answers": found, **extra}
    page = {"title": "Windmills_(Oster_Vale)", "paragraphs": [{"context": text, "qas": [asked]}]}
    return {"version": "1.1", "data": [page]}


def write(folder, content, name="xquad.en.json"):
    (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return folder


def test_a_question_is_limited_to_its_paragraph(tmp_path):
    suite = load_suite("xquad", write(tmp_path, xquad()))
    (article,) = suite.articles
    assert (article.title, article.text) == ("Windmills (Oster Vale)", TEXT)
    assert suite.questions == (
        Question(
            "w1",
            "Who was the last miller?",
            answers=(("Ida Rowan",),),
            answerable=True,
            evidence=(EvidenceQuote(article.file, "Its last miller, Ida Rowan, left in 1934.", "answer"),),
            articles=(article.file,),
        ),
    )
    assert suite.metrics[:3] == ("f1", "em", "contained")
    assert dict(suite.settings) == {"answer_style": "phrase"}


def test_another_half_loads_and_other_languages_and_sets_are_left_alone(tmp_path):
    half = tmp_path / "xquad_half"
    half.mkdir()
    write(half, xquad(), "xquad.en.half.json")
    write(tmp_path, xquad(TEXT.replace("barley", "cebada")), "xquad.es.json")
    write(tmp_path, xquad(TEXT.replace("barley", "rye"), is_impossible=False), "xquad.en.other.json")
    write(tmp_path, xquad(TEXT.replace("barley", "oats")), "plain.json")
    assert [article.text for article in load_suite("xquad", tmp_path).articles] == [TEXT]


def test_wrong_files_are_errors_that_name_the_file(tmp_path):
    with pytest.raises(InputError, match=r"There is no file \*xquad\*en\*\.json"):
        load_suite("xquad", tmp_path)
    write(tmp_path, {"data": [{"title": "x"}]})
    with pytest.raises(InputError, match=r"is SQuAD 1\.1: xquad\.en\.json"):
        load_suite("xquad", tmp_path)
    write(tmp_path, xquad(answer=""))
    with pytest.raises(InputError, match=r"xquad\.en\.json, data 1, paragraphs 1, qas 1: it has no answers"):
        load_suite("xquad", tmp_path)
