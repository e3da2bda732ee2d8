"""The RGB loader and its score, on invented passages."""

import json

import pytest

from eval.outcomes import Outcome
from eval.questions import Question
from eval.suites import load_suite
from eval.suites.rgb import accuracy, hints_at
from index.errors import InputError
from rag.types import Answer, Timings

HARBOUR = "The harbour of Porto Claro\rreopened on March 1 2021."
BAKERY = "Olga Brandt won the bread prize."
TALK = [
    {"from": "human", "value": f"Question:When did it reopen?\n{HARBOUR}\n \n{BAKERY}\n"},
    {"from": "gpt", "value": [["March 1 2021", "1 March 2021", "March 1 2021"], "Porto Claro"]},
]
FACT = {
    "id": 3,
    "query": "Who won the bread prize?",
    "answer": "Olga Brandt",
    "fakeanswer": "Bo Ray",
    "positive": [BAKERY, BAKERY, "…"],
    "positive_wrong": ["Bo Ray won the bread prize."],
    "negative": ["There is a bread prize.", "Rye is a grain."],
}


def write(folder, name, rows, *, lines=False):
    folder.mkdir(exist_ok=True)
    text = "\n".join(json.dumps(row) for row in rows) if lines else json.dumps(rows)
    (folder / name).write_text(text)
    return folder


def outcome(reply, answers, part="noise_0.4", *, refused=False):
    answer = Answer("?", reply, refused, 0.5, None, (), (), Timings(0, None, 0), "model", "index")
    return Outcome(Question("1", "?", answers=answers, part=part), None, (), answer=answer)


def test_a_conversation_is_a_question_limited_to_its_passages(tmp_path):
    suite = load_suite("rgb", write(tmp_path, "RGB_concat_qstart_noise_ratio0.4.json", [{"conversations": TALK}]))
    # A carriage return does not end a passage.
    assert [(article.text, article.title) for article in suite.articles] == [(HARBOUR, None), (BAKERY, None)]
    (question,) = suite.questions
    assert question == Question(
        question.id,
        "When did it reopen?",
        answers=(("March 1 2021", "1 March 2021"), ("Porto Claro",)),
        answerable=True,
        part="noise_0.4",
        articles=tuple(article.file for article in suite.articles),
    )
    assert suite.metrics[:2] == ("accuracy", "refused_unanswerable")
    assert dict(suite.settings) == {}
    assert suite.accuracy is accuracy


def test_ids_do_not_depend_on_the_place_in_the_file_and_a_question_in_two_files_is_one(tmp_path):
    other = [{"from": "human", "value": f"Question:Who won?\n{BAKERY}\n"}, {"from": "gpt", "value": ["Olga Brandt"]}]
    last = [{"from": "human", "value": f"{BAKERY}\n{HARBOUR}\nQuestion:When did it reopen?"}, TALK[1]]
    write(tmp_path, "RGB_concat_qstart_noise_ratio0.8.json", [{"conversations": other}, {"conversations": TALK}])
    write(tmp_path, "RGB_concat_qend_noise_ratio0.8.json", [{"conversations": last}])
    questions = load_suite("rgb", tmp_path).questions
    assert [(item.question, item.part) for item in questions] == [
        ("When did it reopen?", "noise_0.8"),
        ("Who won?", "noise_0.8"),
    ]
    assert len({item.id for item in questions}) == 2
    write(tmp_path, "RGB_concat_qend_noise_ratio0.8.json", [])
    assert {item.id for item in load_suite("rgb", tmp_path).questions} == {item.id for item in questions}


@pytest.mark.parametrize("lines", [True, False])
def test_facts_are_asked_from_true_from_falsified_and_from_no_passages(tmp_path, lines):
    suite = load_suite("rgb", write(tmp_path, "en_fact.json", [FACT], lines=lines))
    texts = {article.file: article.text for article in suite.articles}
    shown = [
        (item.part, item.question, item.answers, item.answerable, [texts[file] for file in item.articles])
        for item in suite.questions
    ]
    query, right = FACT["query"], (("Olga Brandt",),)
    assert shown == [
        ("fact", query, right, True, [BAKERY]),
        ("counterfactual", query, right, None, ["Bo Ray won the bread prize."]),
        ("negative", query, (), False, ["There is a bread prize.", "Rye is a grain."]),
    ]
    assert [item.id.split(":")[0] for item in suite.questions] == ["fact", "counterfactual", "negative"]


def test_a_question_whose_negative_passages_have_the_answer_is_left_out_and_counted(tmp_path):
    leaking = {**FACT, "query": "Who baked the loaf?", "negative": ["Rye is a grain.", "Brandt baked the rye loaf."]}
    suite = load_suite("rgb", write(tmp_path, "half_en_fact.json", [FACT, leaking]))
    assert [item.question for item in suite.questions if item.part == "negative"] == ["Who won the bread prize?"]
    assert suite.notes[-1].startswith("1 of 2 questions are left out of part negative")


@pytest.mark.parametrize(
    ("passage", "answer", "hints"),
    [
        ("BRANDT won.", "Olga Brandt", True),
        ("Olga won.", "Olga Brandt", False),
        ("Brandting won.", "Olga Brandt", False),
        ("Tadeo Ruz won.", "Tadeo Rúž", True),
        ("Out on 3/14/2021.", "March 14 2021", True),
        ("Out on 14th March.", "March 14 2021", True),
        ("Out in 2021.", "March 14 2021", False),
        ("It cost $10.389 billion.", "$10.4 billion", False),
        ("It cost 10.4 billion.", "$10.4 billion", True),
        ("63 were eaten.", "63", True),
        ("Anything.", "…", False),
    ],
)
def test_a_passage_hints_at_a_name_by_its_last_word_and_at_a_date_by_two_of_its_words(passage, answer, hints):
    assert hints_at(passage, answer) is hints


@pytest.mark.parametrize(
    ("reply", "answers", "score"),
    [
        ("it was on MARCH 1 2021, in Porto Claro.", (("1 March 2021", "March 1 2021"), ("porto claro",)), 1.0),
        ("It was on March 1 2021.", (("March 1 2021",), ("Porto Claro",)), 0.0),
        ("Eighteen: 18", (("8",),), 1.0),  # plain characters, as officially
        ("", (("8",),), 0.0),
    ],
)
def test_accuracy_wants_a_spelling_of_every_part(reply, answers, score):
    assert accuracy(outcome(reply, answers)) == score


def test_a_refusal_scores_nothing_and_the_parts_without_a_right_answer_are_not_scored():
    assert accuracy(outcome("8 is not said.", (("8",),), refused=True)) == 0.0
    assert accuracy(outcome("8", (("8",),), "fact")) == 1.0
    assert accuracy(outcome("8", (("8",),), "counterfactual")) is None
    assert accuracy(outcome("8", (), "negative")) is None
    assert accuracy(Outcome(Question("1", "?", answers=(("8",),)), None, ())) is None


def test_another_half_loads_from_below_a_folder_of_several_sets(tmp_path):
    write(tmp_path / "rgb_half", "RGB_concat_qstart_noise_ratio0.json", [{"conversations": TALK}])
    write(tmp_path / "other", "token_fact.json", [{"query": "x"}])
    write(tmp_path / "other", "open_fact.json", [{"query": "x"}])
    assert [item.part for item in load_suite("rgb", tmp_path).questions] == ["noise_0"]


def test_wrong_files_are_errors_that_name_file_entry_and_field(tmp_path):
    with pytest.raises(InputError, match=r"There is no file RGB_concat_\*noise_ratio\*\.json and none called"):
        load_suite("rgb", tmp_path)
    name = "RGB_concat_noise_ratio0.4.json"
    write(tmp_path, name, [{"conversations": TALK}, {"conversations": TALK[:1]}])
    with pytest.raises(InputError, match=r"ratio0\.4\.json, entry 2: its conversations have no turn of 'human' and of"):
        load_suite("rgb", tmp_path)
    write(tmp_path, name, [{"conversations": [{"from": "human", "value": "Who?\nx"}, TALK[1]]}])
    with pytest.raises(
        InputError, match=r"ratio0\.4\.json, entry 1: its text has no line that begins with 'Question:'"
    ):
        load_suite("rgb", tmp_path)
    write(tmp_path, name, [{"conversations": [TALK[0], {"from": "gpt", "value": [["8", 8]]}]}])
    with pytest.raises(InputError, match=r"conversations 2: the field 'value' is not an answer"):
        load_suite("rgb", tmp_path)
    write(tmp_path, "RGB_concat_noise_ratio.json", [{"conversations": TALK}])
    with pytest.raises(InputError, match=r"noise_ratio\.json does not say its share of noise"):
        load_suite("rgb", tmp_path)
