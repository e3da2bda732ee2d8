"""The CLAPNQ loader, on invented passages; the reading of JSON lines and the naming of articles with it."""

import json

import pytest

from eval.outcomes import locate
from eval.questions import EvidenceQuote, Question
from eval.suites import load_suite
from eval.suites.reading import make_article, read_records
from index.errors import InputError

SENTENCES = ["Rye bread is dense .", "It keeps for weeks , said the baker .", "Crust"]


def row(name, answers, *, sentences=SENTENCES, title="Rye bread"):
    text = "  ".join(sentences) + " "
    output = [{"answer": answer, "selected_sentences": marked, "meta": {}} for answer, marked in answers]
    passage = {"title": title, "text": text, "sentences": sentences}
    return {"id": name, "input": f"question {name}", "passages": [passage], "output": output}


def write(folder, name, *rows):
    (folder / name).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return folder


ANSWERED = row(
    "a1",
    [
        ("Weeks.", [SENTENCES[1] + " &"]),
        ("For weeks, as it is dense.", [SENTENCES[0], SENTENCES[1]]),
        ("", []),
    ],
)
UNANSWERED = row("u1", [("", [])], sentences=["Barley is a grain ."], title="Barley")


def test_every_annotators_answer_is_accepted_and_all_marked_sentences_are_evidence(tmp_path):
    suite = load_suite("clapnq", write(tmp_path, "clapnq_dev_answerable.jsonl", ANSWERED))
    (article,) = suite.articles
    assert (article.title, article.text) == (
        "Rye bread",
        "Rye bread is dense . It keeps for weeks , said the baker . Crust",
    )
    assert suite.questions == (
        Question(
            "a1",
            "question a1",
            answers=(("Weeks.", "For weeks, as it is dense."),),
            answerable=True,
            evidence=(EvidenceQuote(article.file, SENTENCES[1]), EvidenceQuote(article.file, SENTENCES[0])),
            kind="answerable",
            articles=(article.file,),
        ),
    )
    assert all(locate(item.quote, article.text) for item in suite.questions[0].evidence)
    assert suite.metrics[:2] == ("rouge_l", "refused_unanswerable")


def test_what_is_answerable_follows_from_the_answers_not_from_the_file(tmp_path):
    nothing = {**UNANSWERED, "id": "u2", "output": []}
    null = {**UNANSWERED, "id": "u3", "output": [{"answer": None, "selected_sentences": []}]}
    unmarked = row("a2", [("Dense.", [])])
    suite = load_suite("clapnq", write(tmp_path, "part_unanswerable.jsonl", UNANSWERED, nothing, null, unmarked))
    assert [(item.id, item.answers, item.answerable, item.evidence) for item in suite.questions] == [
        ("u1", (), False, ()),
        ("u2", (), False, ()),
        ("u3", (), False, ()),
        ("a2", (("Dense.",),), True, None),
    ]
    # One passage, one article, however many ask about it.
    assert [article.title for article in suite.articles] == ["Barley", "Rye bread"]


def test_both_files_of_another_half_load_from_below_a_folder_of_several_sets(tmp_path):
    half = tmp_path / "clapnq_half"
    half.mkdir()
    write(half, "clapnq_test_answerable.jsonl", ANSWERED)
    write(half, "clapnq_test_unanswerable.jsonl", UNANSWERED)
    write(tmp_path, "another_answerable.jsonl", {"question": "x", "answerable": True})
    assert [item.id for item in load_suite("clapnq", tmp_path).questions] == ["a1", "u1"]


def test_wrong_files_are_errors_that_name_file_line_and_field(tmp_path):
    with pytest.raises(InputError, match=r"There is no file \*answerable\*\.jsonl"):
        load_suite("clapnq", tmp_path)
    write(tmp_path, "x_answerable.jsonl", ANSWERED, {"id": "a2", "input": "?", "passages": []})
    with pytest.raises(InputError, match=r"x_answerable\.jsonl, line 2: it has 0 passages instead of one"):
        load_suite("clapnq", tmp_path)
    write(tmp_path, "x_answerable.jsonl", ANSWERED, {**UNANSWERED, "output": "none"})
    with pytest.raises(InputError, match=r"x_answerable\.jsonl, line 2: the field 'output' is not a list"):
        load_suite("clapnq", tmp_path)
    write(tmp_path, "x_answerable.jsonl", ANSWERED, {**UNANSWERED, "output": ["none"]})
    with pytest.raises(InputError, match=r"x_answerable\.jsonl, line 2, output 1 is not an object"):
        load_suite("clapnq", tmp_path)
    write(tmp_path, "x_answerable.jsonl", ANSWERED, {**UNANSWERED, "passages": [{"sentences": ["…"]}]})
    with pytest.raises(InputError, match=r"x_answerable\.jsonl, line 2: its passage is empty"):
        load_suite("clapnq", tmp_path)
    (tmp_path / "x_answerable.jsonl").write_text(json.dumps(ANSWERED) + "\n\n{not json\n")
    with pytest.raises(InputError, match=r"x_answerable\.jsonl, line 3 is not JSON"):
        load_suite("clapnq", tmp_path)
    (tmp_path / "x_answerable.jsonl").write_bytes(b'{"id": "\xff"}\n')
    with pytest.raises(InputError, match=r"x_answerable\.jsonl cannot be read"):
        load_suite("clapnq", tmp_path)


def test_the_line_separators_that_json_may_hold_do_not_end_a_line(tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_text('{"text": "one\u2028still one"}\r\n\r\n{"text": "two"}', encoding="utf-8")
    assert [(record.text("text"), record.place) for record in read_records(file)] == [
        ("one\u2028still one", f"{file}, line 1"),
        ("two", f"{file}, line 3"),
    ]


def test_an_articles_name_is_safe_short_and_follows_from_all_that_is_known_of_it():
    article = make_article(" Bread.\0\ud800 ", title="Élan/../: the “rye” bread of Åland, baked since 1954 & later")
    assert article.text == "Bread."
    assert article.name == "elan-the-rye-bread-of-aland-baked-since-57b53b4946"
    assert make_article("Bread.", title=article.title) == article
    assert make_article("Bread.", title=article.title, date="1954-01-01").name != article.name
    assert make_article("Хлеб из ржи.").name.startswith("article-")
    assert make_article("x" * 60).name.startswith("x" * 40 + "-")
