"""The question set on the four articles of the project: its form, its counts, and that its judgements hold."""

import json
import re
from collections import Counter
from pathlib import Path

from index.paths import project_seeds

KINDS = set(
    "fact number date who why how list two-article disagree metadata follow-up phrasing typo unanswerable "
    "false-premise".split()
)
SEVERAL_ARTICLES = {"two-article", "disagree"}
"""Kinds whose answer is put together from articles that each state only a part of it."""

SHORT_QUOTES = {
    "By Judy Wei": "a byline is no longer than that",
    "Managing Director Asia": "so is the line under it",
}
NOT_IN_THE_QUOTES: dict[str, str] = {}
"""Questions whose accepted answers are not in the words of their quotes, with the reason. None for now: where the
answer is a yes or a paraphrase, the words of the article are accepted beside it."""


def rows():
    file = Path(__file__).parent.parent / "eval" / "seed_questions.jsonl"
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def articles():
    return {path.name: path.read_text(encoding="utf-8") for path in project_seeds().iterdir()}


def folded(text):
    return " ".join(text.lower().replace("’", "'").replace("per cent", "percent").split())


def parts(row):
    """The required parts of an answer, each a list of alternatives; a plain list of alternatives is one part."""
    answers = row["answers"]
    return [answers] if answers and isinstance(answers[0], str) else answers


def quotes_by_article(row):
    quotes = {}
    for item in row["evidence"]:
        quotes.setdefault(item["article"], []).append(item["quote"])
    return {article: folded(" ".join(texts)) for article, texts in quotes.items()}


def stated(part, text):
    return any(folded(alternative) in text for alternative in part)


def test_there_are_enough_questions_of_every_kind():
    kinds = Counter(row["kind"] for row in rows())
    assert set(kinds) == KINDS
    assert min(kinds.values()) >= 5, kinds
    assert kinds.total() >= 150
    assert sum(not row["answerable"] for row in rows()) >= 50


def test_ids_count_up_in_the_order_of_the_file():
    ids = [row["id"] for row in rows()]
    assert ids == [f"seed-{number:03d}" for number in range(1, len(ids) + 1)]


def test_every_row_has_the_keys_in_order_and_values_of_the_right_type():
    for row in rows():
        keys = ["id", "question", "answers", "answerable", "evidence", "history", "kind"]
        assert list(row) == [key for key in keys if key != "history" or "history" in row], row["id"]
        assert isinstance(row["answerable"], bool), row["id"]
        assert row["question"] == row["question"].strip() != "", row["id"]
        assert {type(answer) for answer in row["answers"]} in (set(), {str}, {list}), row["id"]
        for part in parts(row):
            assert part, row["id"]
            assert all(isinstance(one, str) and len(one.strip()) >= 3 for one in part), row["id"]
            assert len(set(part)) == len(part), row["id"]
        for item in row["evidence"]:
            assert list(item)[:2] == ["article", "quote"], row["id"]
            assert list(item)[2:] in ([], ["group"]), row["id"]


def test_a_history_is_whole_turns_and_belongs_to_follow_ups_alone():
    for row in rows():
        assert ("history" in row) == (row["kind"] == "follow-up"), row["id"]
        for number, turn in enumerate(row.get("history", [])):
            assert list(turn) == ["role", "content"], row["id"]
            assert turn["role"] == ("user", "assistant")[number % 2], row["id"]
            assert turn["content"].strip(), row["id"]
        assert len(row.get("history", [])) % 2 == 0, row["id"]
        assert row.get("history", True), row["id"]


def test_every_quote_is_verbatim_in_its_article_and_given_once():
    texts = articles()
    for row in rows():
        given = [(item["article"], item["quote"]) for item in row["evidence"]]
        assert len(set(given)) == len(given), row["id"]
        for article, quote in given:
            assert quote in texts[article], f"{row['id']}: {quote}"
            assert len(quote) >= 25 or quote in SHORT_QUOTES, f"{row['id']}: {quote}"


def test_what_is_answerable_has_answers_and_evidence_and_what_is_not_has_no_answers():
    for row in rows():
        assert bool(row["answers"]) == row["answerable"], row["id"]
        assert row["evidence"] or not row["answerable"], row["id"]
        if row["kind"] in ("unanswerable", "false-premise"):
            assert not row["answerable"], row["id"]
        elif row["kind"] != "follow-up":
            assert row["answerable"], row["id"]


def test_no_question_is_asked_twice():
    asked = Counter(
        (" ".join(re.sub(r"[^\w\s]", "", row["question"].lower()).split()), json.dumps(row.get("history", [])))
        for row in rows()
    )
    assert [question for question, times in asked.items() if times > 1] == []


def test_the_quotes_of_an_answerable_question_state_its_answers():
    for row in rows():
        if not row["answerable"] or row["id"] in NOT_IN_THE_QUOTES:
            continue
        quotes = quotes_by_article(row)
        for part in parts(row):
            assert any(stated(part, text) for text in quotes.values()), f"{row['id']}: {part}"
        for article, text in quotes.items():
            enough = any if row["kind"] in SEVERAL_ARTICLES else all
            assert enough(stated(part, text) for part in parts(row)), f"{row['id']}: {article}"


def test_two_article_questions_need_two_articles():
    for row in rows():
        if row["kind"] == "two-article":
            quotes = quotes_by_article(row)
            assert len(quotes) >= 2, row["id"]
            assert not any(all(stated(part, text) for part in parts(row)) for text in quotes.values()), row["id"]


def test_the_exceptions_are_all_needed():
    quotes = {item["quote"] for row in rows() for item in row["evidence"]}
    assert set(SHORT_QUOTES) <= quotes
    assert set(NOT_IN_THE_QUOTES) <= {row["id"] for row in rows()}


def test_a_group_joins_at_least_two_quotes_that_say_the_same():
    for row in rows():
        groups = [item["group"] for item in row["evidence"] if "group" in item]
        assert all(groups.count(group) > 1 for group in groups), row["id"]
