"""The tables of `byline ask --explain`, as text."""

import dataclasses

from rich.console import Console

from rag.explanation import Check, ChosenSentence, DraftSentence, Explanation, PassageScores, Step, Weights
from rag.types import Answer, PassageUse, Timings
from ui.explaining import explanation_view

FOUND = Explanation(
    weights=Weights(0.5, 0.5, 0.2, 0.3),
    passages=(
        PassageScores(1, 0.61, 0.7, 0.4, 0.5, 0.03, 0.915),
        PassageScores(2, None, 0.5, None, None, 0.0, 0.6),
    ),
    evidence=(
        ChosenSentence("a", "s/a.txt", 0, 9, "It [bold]rose[/bold].", 1.05, 0.7, 0.2, 0.05, 0.1, 21, "score"),
        ChosenSentence("a", "s/a.txt", 10, 19, "He said so.", 0.5, 0.3, 0.2, 0.0, 0.0, 1, "leaning"),
    ),
    evidence_tokens=420,
    checks=(Check("answerable", 1.234), Check("chance before writing", 0.5, 0.2), Check("confidence", 0.6, 0.75)),
    draft=(
        DraftSentence("It rose.", (1, 2), 1.0, (), True),
        DraftSentence("It cost $1.5 billion.", (), 0.25, ("1.5 billion",), False),
    ),
    steps=(
        Step("search", 0.0, 0.5),
        Step("answerable", 0.5, 0.5, 1, 1200),
        Step("write", 1.0, 1.0, 2, 30, 12),
    ),
)
ANSWER = Answer(
    question="q",
    text="It rose.",
    abstained=False,
    confidence=0.9,
    reason=None,
    citations=(),
    passages=(
        PassageUse("a", "Title", "CNBC", "2024-08-28", "s/a.txt", 0, 19, "t", 0.915, 1, True),
        PassageUse("b", None, None, None, "s/b.txt", 0, 19, "t", 0.6, 2, False),
    ),
    timings=Timings(0.5, 1.0, 2.0),
    model="m",
    index="i",
    explanation=FOUND,
)


def shown(answer, width=200):
    console = Console(width=width, highlight=False, color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(explanation_view(answer))
    return [line.rstrip() for line in capture.get().splitlines()]


def test_every_stage_is_shown_with_its_numbers():
    bars = ["█" * 6, " " * 6 + "█" * 6, " " * 12 + "█" * 12]
    assert shown(ANSWER) == [
        "",
        "Passages found",
        "#  score  passage ×0.5  sentence ×0.5  words ×0.2  article ×0.3    time  read",
        "1  0.915         0.610          0.700       0.400         0.500  +0.030   yes  CNBC · 2024-08-28 · Title · "
        "s/a.txt",
        "2  0.600             –          0.500           –             –                date unknown · s/b.txt",
        "",
        "Sentences read: 22 of 420 tokens",
        "E1 1.050 = 0.700 meaning + 0.200 passage + 0.050 words + 0.100 kind · 21 tokens · by its score · s/a.txt",
        "    It [bold]rose[/bold].",
        "E2 0.500 = 0.300 meaning + 0.200 passage + 0.000 words · 1 token · the next one leans on it · s/a.txt",
        "    He said so.",
        "",
        "Checks",
        "answerable             1.23",
        "chance before writing  0.50  at least 0.20  passed",
        "confidence             0.60  at least 0.75  failed",
        "",
        "Draft",
        "kept · E1, E2 · support 1.00",
        "    It rose.",
        "dropped · nothing cited · support 0.25 · not in what it cites: “1.5 billion”",
        "    It cost $1.5 billion.",
        "",
        "Time: 2.00 s",
        f"search      0.500 s  {bars[0]}",
        f"answerable  0.500 s  {bars[1]}              1 pass, 1,200 read",
        f"write       1.000 s  {bars[2]}  2 passes, 30 read, 12 written",
    ]


def test_what_was_not_reached_is_not_shown():
    refused = dataclasses.replace(ANSWER, explanation=Explanation(steps=(Step("search", 0.0, 0.01),)))
    assert shown(refused) == ["", "Time: 0.01 s", f"search  0.010 s  {'█' * 24}"]


def test_counted_sentences_have_no_parts():
    counted = dataclasses.replace(
        ANSWER, explanation=Explanation(evidence=(ChosenSentence("a", "s/a.txt", 0, 9, "It rose.", 1.0),))
    )
    assert shown(counted) == ["", "Sentences read", "E1 1.000 · s/a.txt", "    It rose."]


def test_an_answer_without_an_explanation_says_so():
    assert shown(dataclasses.replace(ANSWER, explanation=None)) == ["Nothing is known of how this answer came about."]


def test_a_narrow_terminal_still_shows_every_number():
    text = " ".join(shown(ANSWER, width=80))
    assert all(number in text for number in ("0.915", "0.610", "+0.030", "1.23", "1.000 s"))


def test_late_interaction_has_a_column_where_there_was_one():
    explanation = dataclasses.replace(
        ANSWER.explanation,
        weights=Weights(0.5, 0.5, 0.2, 0.3, 3.0),
        passages=(PassageScores(1, 0.61, 0.7, 0.4, 0.5, 0.03, 0.915, words_late=0.432),),
    )
    text = " ".join(" ".join(shown(dataclasses.replace(ANSWER, explanation=explanation), width=120)).split())
    assert "article ×0.3 late ×3 time" in text
    assert "0.500 0.432 +0.030" in text
