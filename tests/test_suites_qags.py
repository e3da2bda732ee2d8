"""The QAGS loader, on invented summaries."""

import json

import pytest

from eval.questions import Question
from eval.suites import load_suite
from eval.suites.reading import make_article
from index.errors import InputError

ARTICLE, OTHER = "The harbour reopened on Monday.", "The bakery won a prize."


def sentence(text, *votes):
    return {"sentence": text, "responses": [{"worker_id": 0, "response": vote} for vote in votes]}


def write(folder, name, *rows):
    lines = [json.dumps({"article": article, "summary_sentences": sentences}) for article, sentences in rows]
    (folder / name).write_text("\n".join(lines), encoding="utf-8")
    return folder


def test_every_summary_sentence_is_a_claim_about_its_article_and_the_majority_decides(tmp_path):
    write(
        tmp_path,
        "mturk_cnndm.jsonl",
        (ARTICLE, [sentence("It reopened. ", "yes", "no", "Yes"), sentence("It burned.", "no", "no", "yes")]),
        (OTHER, [sentence("A prize was won.", "yes", "no")]),
    )
    write(tmp_path, "mturk_xsum.jsonl", (ARTICLE, [sentence("A port reopened.", "yes")]))
    suite = load_suite("qags", tmp_path)
    harbour, bakery = make_article(ARTICLE), make_article(OTHER)
    assert suite.articles == (harbour, bakery)
    assert suite.questions == (
        Question("cnndm-1-1", "It reopened.", answerable=True, part="cnndm", articles=(harbour.file,), task="support"),
        Question("cnndm-1-2", "It burned.", answerable=False, part="cnndm", articles=(harbour.file,), task="support"),
        # One vote of two is no majority.
        Question(
            "cnndm-2-1", "A prize was won.", answerable=False, part="cnndm", articles=(bakery.file,), task="support"
        ),
        Question(
            "xsum-1-1", "A port reopened.", answerable=True, part="xsum", articles=(harbour.file,), task="support"
        ),
    )
    assert suite.metrics[:2] == ("auroc", "balanced_accuracy")
    assert suite.notes[0].startswith("Supported by the majority of votes: cnndm 1 of 3, xsum 1 of 1. ")


def test_one_file_of_a_part_is_enough_and_several_are_counted_on(tmp_path):
    (tmp_path / "half").mkdir()
    write(tmp_path / "half", "mturk_xsum_half.jsonl", (OTHER, [sentence("A prize.", "no")]))
    write(tmp_path / "half", "mturk_xsum_rest.jsonl", (OTHER, [sentence("No prize.", "no")]))
    (tmp_path / "mturk_other.jsonl").write_text('{"claim": "x"}\n', encoding="utf-8")
    assert [(question.id, question.part) for question in load_suite("qags", tmp_path).questions] == [
        ("xsum-1-1", "xsum"),
        ("xsum-2-1", "xsum"),
    ]


def test_files_that_are_missing_or_not_as_expected_are_named(tmp_path):
    with pytest.raises(InputError, match=r"no file mturk_\*\.jsonl"):
        load_suite("qags", tmp_path)
    write(tmp_path, "mturk_xsum.jsonl", (ARTICLE, [sentence("It reopened.", "yes"), sentence("It burned.", "maybe")]))
    with pytest.raises(InputError, match=r"mturk_xsum\.jsonl.*, summary_sentences 2: the field 'responses'"):
        load_suite("qags", tmp_path)
    write(tmp_path, "mturk_xsum.jsonl", (" ", [sentence("It reopened.", "yes")]))
    with pytest.raises(InputError, match="the field 'article' is empty"):
        load_suite("qags", tmp_path)
    write(tmp_path, "mturk_xsum.jsonl", (ARTICLE, [sentence("It reopened.")]))
    with pytest.raises(InputError, match="does not hold votes"):
        load_suite("qags", tmp_path)
