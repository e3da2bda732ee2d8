"""Question sets from files: what is read, and how every bad row is named at once."""

import json

import pytest

from eval.questions import EvidenceQuote, Question
from eval.reading import read_questions
from index.errors import InputError
from rag.types import Message

FULL = {
    "id": "q1",
    "question": "What is Alibaba worth?",
    "answers": ["$476 billion", "476 billion dollars"],
    "answerable": True,
    "evidence": [{"article": "a.txt", "quote": "a value of $476 billion"}],
    "history": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Ask."}],
    "kind": "number",
}
AS_QUESTION = Question(
    id="q1",
    question="What is Alibaba worth?",
    answers=(("$476 billion", "476 billion dollars"),),
    answerable=True,
    evidence=(EvidenceQuote("a.txt", "a value of $476 billion"),),
    history=(Message("user", "Hello"), Message("assistant", "Ask.")),
    kind="number",
)


def test_json_lines_and_json_give_the_same_questions(tmp_path):
    lines, listed, wrapped = tmp_path / "q.jsonl", tmp_path / "q.json", tmp_path / "w.json"
    lines.write_text(json.dumps(FULL) + "\n\n" + '{"question": "Who?"}\n', encoding="utf-8")
    listed.write_text(json.dumps([FULL, {"question": "Who?"}]), encoding="utf-8")
    wrapped.write_text(json.dumps({"questions": [FULL, {"question": "Who?"}]}), encoding="utf-8")
    assert read_questions(lines) == (AS_QUESTION, Question("3", "Who?"))
    assert read_questions(listed) == read_questions(wrapped) == (AS_QUESTION, Question("2", "Who?"))


def test_a_table_gives_the_same_questions(tmp_path):
    table = tmp_path / "q.csv"
    table.write_text(
        "id,question,answers,answerable,article,quote,history,kind\n"
        "q1,What is Alibaba worth?,$476 billion | 476 billion dollars,yes,a.txt,a value of $476 billion,"
        '"[{""role"": ""user"", ""content"": ""Hello""}, {""role"": ""assistant"", ""content"": ""Ask.""}]",number\n'
        "q2,Who?,,,,,,\n"
        'q3,"Two\nlines?","[[""a""], [""b"", ""c""]]",,,,,\n'
        "q4,Why?,,no,,,,\n",
        encoding="utf-8",
    )
    assert read_questions(table) == (
        AS_QUESTION,
        Question("q2", "Who?"),
        Question("q3", "Two\nlines?", answers=(("a",), ("b", "c")), answerable=True),
        Question("q4", "Why?", answerable=False),
    )


@pytest.mark.parametrize(
    ("answers", "parts", "answerable"),
    [
        (["a", "b"], (("a", "b"),), True),
        ([["a"], ["b", "c"]], (("a",), ("b", "c")), True),
        ([["a", "b"], "c"], (("a", "b"), ("c",)), True),
        ("a", (("a",),), True),
        ([], (), False),
    ],
)
def test_flat_answers_are_spellings_and_lists_are_parts(tmp_path, answers, parts, answerable):
    file = tmp_path / "q.jsonl"
    file.write_text(json.dumps({"question": "?", "answers": answers}))
    (question,) = read_questions(file)
    assert (question.answers, question.answerable) == (parts, answerable)


def test_evidence_may_name_an_article_alone_and_alternatives(tmp_path):
    file = tmp_path / "q.jsonl"
    evidence = [{"article": "a.txt"}, {"article": "b.txt", "quote": "x y", "group": 1}]
    file.write_text(json.dumps({"question": "?", "evidence": evidence}))
    assert read_questions(file)[0].evidence == (EvidenceQuote("a.txt"), EvidenceQuote("b.txt", "x y", "1"))


def test_every_bad_row_is_named_with_its_line_and_reason(tmp_path):
    rows = [
        '{"question": "Who?"}',
        '{"question": " "}',
        "",
        "not json",
        '{"question": "x", "anwsers": []}',
        "[]",
        '{"question": "x", "answers": [1]}',
        '{"question": "x", "answerable": "perhaps"}',
        '{"question": "x", "answers": ["a"], "answerable": false}',
        '{"question": "x", "answers": [], "answerable": true}',
        '{"question": "x", "evidence": [{"quote": "a"}]}',
        '{"question": "x", "history": [{"role": "system", "content": "a"}]}',
        '{"id": 1, "question": "Again?"}',
    ]
    file = tmp_path / "q.jsonl"
    file.write_text("\n".join(rows))
    with pytest.raises(InputError) as caught:
        read_questions(file)
    first, *faults = caught.value.message.splitlines()
    assert first.endswith("q.jsonl has 11 bad rows:")
    assert [fault.split(":")[0] for fault in faults] == [f"line {number}" for number in (2, *range(4, 14))]
    assert faults[0] == "line 2: no question"
    assert "unknown fields anwsers" in faults[2]
    assert faults[4] == "line 7: answers are texts that are not empty, or lists of such texts"
    assert faults[5] == "line 8: answerable is 'perhaps', not true or false"
    assert faults[6] == "line 9: not answerable, but it has answers"
    assert faults[7] == "line 10: answerable, but its list of answers is empty"
    assert faults[10] == "line 13: the id '1' stands at line 1 already"


def test_bad_tables_name_the_line(tmp_path):
    table = tmp_path / "q.csv"
    table.write_text("question,answerable\nWho?,perhaps\nWhy?,yes,too many\nHow?,no\n")
    with pytest.raises(InputError) as caught:
        read_questions(table)
    assert caught.value.message.splitlines()[1:] == [
        "line 2: answerable is 'perhaps', not true or false",
        "line 3: more cells than columns",
    ]
    table.write_text("frage\nWer?\n")
    with pytest.raises(InputError, match="has no column called question"):
        read_questions(table)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("q.txt", "Who?", "is not a question set"),
        ("q.jsonl", "\n", "has no question"),
        ("q.json", "{", "is not JSON"),
        ("q.json", '{"a": 1}', "holds neither a list"),
        ("q.jsonl", None, "cannot be read"),
    ],
)
def test_unusable_files_are_clear_errors(tmp_path, name, content, said):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=said):
        read_questions(tmp_path / name)
