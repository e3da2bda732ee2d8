"""The MultiHop-RAG loader and its two scores, on invented facts."""

import json

import pytest

from eval.outcomes import Outcome
from eval.questions import EvidenceQuote, Question
from eval.suites import load_suite
from eval.suites.multihop import accuracy, shares_a_word
from index.errors import InputError
from rag.types import Answer, Timings

HARBOUR = {
    "fact": "The harbour reopened on Monday.",
    "title": "Harbour reopens",
    "source": "Town Gazette",
    "author": None,
    "published_at": "2021-03-03T17:01:22+00:00",
    "category": "news",
    "url": "https://gazette.example/harbour",
}
REPAIRS = {**HARBOUR, "fact": "Repairs cost 12 million euros.", "author": "Ana Silva"}
QUERIES = [
    {"id": "0", "question": "Did it reopen? ", "question_type": "comparison_query"},
    {"id": "2", "question": "What cost 12 million?", "question_type": "inference_query"},
    {"id": "4", "question": "Who fished?", "question_type": "null_query"},
]
TRUTHS = {
    "0": {"answer": "Yes", "evidence_list": [HARBOUR, REPAIRS, HARBOUR]},
    "2": {"answer": "Repairs", "evidence_list": [REPAIRS]},
    "4": {"answer": "Insufficient information.", "evidence_list": []},
}


def write(folder, queries=QUERIES, truths=TRUTHS, *, prefix=""):
    folder.mkdir(exist_ok=True)
    whole = {"task": "multihop_rag", "total": len(queries), "queries": queries}
    (folder / f"{prefix}queries.json").write_text(json.dumps(whole))
    (folder / f"{prefix}ground_truth.json").write_text(json.dumps(truths))
    return folder


def outcome(answers, reply, *, refused=False):
    answer = Answer("?", reply, refused, 0.5, None, (), (), Timings(0, None, 0), "model", "index")
    return Outcome(Question("1", "?", answers=answers), None, (), answer=answer)


def test_every_distinct_fact_is_an_article_with_the_metadata_of_its_article(tmp_path):
    suite = load_suite("multihop", write(tmp_path))
    shared = ("Harbour reopens", "Town Gazette", "2021-03-03", "https://gazette.example/harbour")
    assert [(item.text, item.author, (item.title, item.source, item.date, item.url)) for item in suite.articles] == [
        (HARBOUR["fact"], None, shared),
        (REPAIRS["fact"], "Ana Silva", shared),
    ]


def test_a_question_is_put_with_its_facts_and_searches_for_them_a_null_question_has_neither(tmp_path):
    suite = load_suite("multihop", write(tmp_path))
    harbour, repairs = (article.file for article in suite.articles)

    def put(name, text, kind, answers, files):
        yield Question(
            f"{name}:evidence", text, answers, bool(answers), kind=kind, part="evidence", articles=files or None
        )
        if files:
            evidence = tuple(EvidenceQuote(file) for file in files)
            yield Question(f"{name}:retrieval", text, evidence=evidence, kind=kind, part="retrieval", task="search")

    assert suite.questions == (
        *put("0", "Did it reopen?", "comparison_query", (("Yes",),), (harbour, repairs)),
        *put("2", "What cost 12 million?", "inference_query", (("Repairs",),), (repairs,)),
        *put("4", "Who fished?", "null_query", (), ()),
    )
    assert suite.metrics[:6] == ("accuracy", "refused_unanswerable", "recall@4", "recall@10", "hit@4", "hit@10")
    assert dict(suite.settings) == {"answer_style": "phrase"}
    assert suite.accuracy is accuracy


@pytest.mark.parametrize(
    ("answers", "reply", "score"),
    [
        ((("Yes",),), "Yes.", 1.0),
        ((("no",),), "No, the two differ.", 1.0),
        ((("no",),), "There is no difference.", 0.0),
        ((("Yes",),), "No. Yes would be wrong.", 0.0),
        ((("Town Gazette",),), "the town gazette.", 1.0),
        ((("Town Gazette",),), "Town Gazette, I think", 0.0),
        ((("Town Gazette",),), "", 0.0),
        ((), "Town Gazette", 0.0),
    ],
)
def test_accuracy_wants_the_whole_answer_or_yes_and_no_first(answers, reply, score):
    assert accuracy(outcome(answers, reply)) == score


def test_a_refusal_is_right_for_null_questions_alone_and_a_search_has_no_accuracy():
    assert accuracy(outcome((), "The articles do not say.", refused=True)) == 1.0
    assert accuracy(outcome((("Yes",),), "Yes cannot be said.", refused=True)) == 0.0
    assert accuracy(Outcome(Question("1", "?", task="search"), None, ())) is None


@pytest.mark.parametrize(
    ("reply", "gold", "shared"),
    [
        ("the TOWN gazette says", "Town Gazette", True),
        ("A town.", "Town", False),
        ("It may be a no", "No", True),
        ("", "No", False),
    ],
)
def test_the_lenient_official_rule_wants_one_common_word_with_its_punctuation(reply, gold, shared):
    assert shares_a_word(reply, gold) is shared


def test_another_half_loads_beside_other_sets_of_the_same_form(tmp_path):
    write(tmp_path / "half", prefix="dev_")
    write(tmp_path / "other", [{"id": "0", "question": "Another set?"}], {"0": {"answer": "x"}})
    suite = load_suite("multihop", tmp_path)
    assert [item.id for item in suite.questions] == [
        "0:evidence", "0:retrieval", "2:evidence", "2:retrieval", "4:evidence",
    ]  # fmt: skip


def test_wrong_files_are_errors_that_name_file_and_field(tmp_path):
    with pytest.raises(InputError, match=r"There is no file \*queries\*\.json"):
        load_suite("multihop", tmp_path)
    write(tmp_path, [{"id": "0", "question": "Another set?"}])
    with pytest.raises(InputError, match=r"No file \*queries\*\.json .* holds queries with a question_type"):
        load_suite("multihop", tmp_path)
    write(tmp_path, truths={"0": TRUTHS["0"]})
    with pytest.raises(InputError, match=r"queries\.json, queries 2: the ground truth has no '2'"):
        load_suite("multihop", tmp_path)
    write(tmp_path, truths={**TRUTHS, "2": {"answer": "Repairs", "evidence_list": [{"title": "x"}]}})
    with pytest.raises(InputError, match=r"ground_truth\.json, 2, evidence_list 1: the field 'fact' is missing"):
        load_suite("multihop", tmp_path)
    write(tmp_path, truths={**TRUTHS, "2": ["Repairs"]})
    with pytest.raises(InputError, match=r"ground_truth\.json: the field '2' is not an object"):
        load_suite("multihop", tmp_path)
    (tmp_path / "ground_truth.json").unlink()
    with pytest.raises(InputError, match=r"There is no file \*ground_truth\*\.json"):
        load_suite("multihop", tmp_path)
