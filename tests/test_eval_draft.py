"""Drafted questions: only those whose answer and quote are verbatim come through."""

import pytest

from eval.draft import Draft, _fact, _says, draft_questions
from eval.reading import read_questions
from index import SavedIndex
from rag import Chatbot, Settings
from rag.fakes import CopyingGenerator


class Scripted(CopyingGenerator):
    """Writes the question that stands beside a word of the marked sentence, and answers with a fixed phrase."""

    def __init__(self, questions: dict[str, str], answers: dict[str, str]) -> None:
        super().__init__()
        self.questions, self.answers, self.marked = questions, answers, []

    def log_odds(self, messages):
        return 5.0

    def generate(self, messages, *, max_tokens):
        prompt = messages[-1].content
        if "Marked sentence: " in prompt:
            marked = prompt.split("Marked sentence: ")[1].split("\n\n")[0]
            self.marked.append(marked)
            yield next((text for word, text in self.questions.items() if word in marked), "No question here")
        else:
            yield next((text for word, text in self.answers.items() if word in prompt), "nothing")


COST = "How much did repairs of the harbour of Porto Claro cost?"
SPEED = "When will trains run between Linz and Passau?"


def drafts(index: SavedIndex, questions, answers, *, count=10):
    generator = Scripted(questions, answers)
    chatbot = Chatbot(index, generator, settings=Settings(answer_style="phrase"))
    return list(draft_questions(chatbot, count=count)), generator


def test_a_draft_has_its_answer_in_the_very_sentence_that_it_quotes(tiny_saved_index):
    found, _ = drafts(
        tiny_saved_index,
        {"12 million": f"“{COST}”\nAnd more", "230": SPEED},
        {COST: "12 million euros", SPEED: "2031."},
    )
    assert sorted(found, key=lambda draft: draft.article) == [
        Draft(COST, "12 million euros", "harbour.txt", "Repairs cost 12 million euros, the mayor said."),
        Draft(
            SPEED,
            "2031",
            "railway.txt",
            "Trains will run from 2031 and reach 230 kilometres an hour.",
        ),
    ]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What did repairs of the harbour of Porto Claro cost", "12 million euros"),  # not a question
        ("What does the passage say that Porto Claro paid?", "12 million euros"),  # leans on the excerpt
        ("How much was it that all the repairs did cost?", "12 million euros"),  # names nothing
        ("Did Porto Claro pay 12 million euros for repairs?", "12 million euros"),  # gives the answer away
        (COST, "13 million euros"),  # not in the articles
        (COST, "The harbour of Porto Claro reopened on Monday and then the mayor said something very long"),
        ("Porto Claro?", "12 million euros"),  # too short to be clear
    ],
)
def test_what_a_person_would_have_to_throw_away_is_not_proposed(tiny_saved_index, question, answer):
    found, generator = drafts(tiny_saved_index, {"12 million": question}, {question: answer})
    assert any("12 million" in marked for marked in generator.marked)
    assert found == []


def test_every_passage_is_asked_about_once_before_any_twice_and_no_question_is_asked_again(tiny_saved_index):
    found, generator = drafts(tiny_saved_index, {"": COST}, {COST: "12 million euros"})
    assert found == []  # asked about the bakery first, and answered elsewhere
    # The most telling sentence of each of the three articles comes first.
    assert [marked.split()[0] for marked in generator.marked[:3]] == ["Its", "The", "Trains"]
    assert len(set(generator.marked)) == len(generator.marked) > 3


@pytest.mark.parametrize(
    ("turn", "fact"),
    [(0, "$212 million"), (1, "68.7%"), (2, "Xinjiang"), (3, "68.7%"), (4, "$212 million"), (5, "Tmall")],
)
def test_figures_and_names_are_asked_for_by_turns(turn, fact):
    # "Products" opens the sentence: nothing tells it from a name.
    assert _fact("Products from Xinjiang made $212 million on Tmall, up 68.7% in a year.", turn) == fact


def test_a_sentence_without_a_fact_is_not_asked_about():
    assert _fact("It was all that anybody wanted.", 0) is None


@pytest.mark.parametrize(
    ("text", "fact", "says"),
    [
        ("almost $476 billion", "$476 billion", True),
        ("476 billion dollars", "$476 billion", True),
        ("Ma", "Jack Ma", True),
        ("$300 billion", "$476 billion", False),
        ("Judy Wei", "Jack Ma", False),
    ],
)
def test_the_reply_must_be_the_fact_that_was_asked_for(text, fact, says):
    assert _says(text, fact) is says


def test_no_more_than_asked_for(tiny_saved_index):
    found, generator = drafts(
        tiny_saved_index, {"12 million": COST, "230": SPEED}, {COST: "12 million euros", SPEED: "2031"}, count=1
    )
    assert [draft.answer for draft in found] == ["12 million euros"] or [draft.answer for draft in found] == ["2031"]
    assert len(generator.marked) <= 3


def test_a_draft_is_a_row_of_a_question_set_and_marked_as_draft(tmp_path):
    import json

    file = tmp_path / "drafts.jsonl"
    row = Draft("Who?", "Ana", "a.txt", "Ana did it all.").to_row(7)
    file.write_text(json.dumps(row))
    (question,) = read_questions(file)
    assert (question.id, question.kind, question.answerable) == ("draft-007", "draft", True)
    assert question.answers == (("Ana",),)
    assert question.evidence[0].quote == "Ana did it all."
