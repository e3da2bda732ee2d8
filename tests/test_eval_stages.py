"""What became of a question, from outcomes made by hand."""

import pytest

from eval.outcomes import GoldEvidence, Outcome, Place
from eval.questions import Question
from eval.stages import stage_of
from rag.types import Answer, Citation, PassageUse, Timings

GOLD = (GoldEvidence((Place("a.txt", 100, 150),)),)
PASSAGE, ELSEWHERE = Place("a.txt", 80, 400), Place("b.txt", 0, 300)
SENTENCE, OTHER_SENTENCE = Place("a.txt", 100, 150), Place("a.txt", 200, 250)
USED = PassageUse("x", None, None, None, "a.txt", 0, 1, "t", 0.5, 1, True)


def citation(place: Place, number: int) -> Citation:
    return Citation(number, 0, 9, "x", None, None, None, None, f"s/{place.article}", place.start, place.end, "q", 1.0)


def outcome(
    text: str | None,
    *,
    answerable: bool | None = True,
    answers=(("12 million",),),
    ranking=(PASSAGE,),
    chosen=(SENTENCE,),
    cited=(SENTENCE,),
    gold=GOLD,
    task="answer",
) -> Outcome:
    question = Question("q", "How much?", answers=answers, answerable=answerable, task=task)
    if task != "answer":
        return Outcome(question, gold, ranking)
    citations = () if text is None else tuple(citation(place, number) for number, place in enumerate(cited, 1))
    timings = Timings(0, 0, 0)
    answer = Answer("?", text or "No.", text is None, 0.5, None, citations, (USED,) * 2, timings, "m", "i")
    return Outcome(question, gold, ranking, chosen, 10, answer)


RIGHT, WRONG = "It cost 12 million.", "It cost 13 million."


@pytest.mark.parametrize(
    ("seen", "stage"),
    [
        (outcome(RIGHT), "right"),
        (outcome(RIGHT, gold=None), "right"),
        (outcome(RIGHT, cited=(OTHER_SENTENCE,)), "right, badly cited"),
        (outcome(RIGHT, cited=(OTHER_SENTENCE, SENTENCE)), "right"),
        (outcome(RIGHT, cited=(OTHER_SENTENCE, SENTENCE, Place("b.txt", 0, 9))), "right, badly cited"),
        (outcome(WRONG), "answered wrong"),
        (outcome(WRONG, ranking=(ELSEWHERE,), chosen=()), "not retrieved"),
        # Two passages were read; evidence in the third was found too late.
        (outcome(None, ranking=(ELSEWHERE, ELSEWHERE, PASSAGE), chosen=()), "not retrieved"),
        (outcome(None, ranking=(ELSEWHERE, PASSAGE), chosen=(OTHER_SENTENCE,)), "retrieved, not chosen"),
        (outcome(None), "chosen, but refused"),
        (outcome(None, gold=None), "chosen, but refused"),
        (outcome(None, answerable=False, answers=(), gold=()), "rightly refused"),
        (outcome(RIGHT, answerable=False, answers=(), gold=()), "should be refused"),
        (outcome(RIGHT, answerable=None, answers=None, gold=None), "not judged"),
        (outcome("", task="search"), "right"),
        (outcome("", task="search", ranking=(ELSEWHERE,)), "not retrieved"),
        (outcome("", task="search", gold=None), "not judged"),
        (outcome("", task="support"), "not judged"),
    ],
)
def test_each_question_has_the_stage_at_which_it_went_wrong(seen, stage):
    assert stage_of(seen) == stage
