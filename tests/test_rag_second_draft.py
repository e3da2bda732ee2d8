"""A second draft: a phrase that is read first, and then said in a sentence."""

import dataclasses

import pytest
from rag_material import ARTICLE, sentences

from index.embedders import HashingEmbedder
from index.search import SavedIndex
from rag.chatbot import Chatbot
from rag.checking import Asked, Checked
from rag.citations import compose, sign
from rag.evidence import Evidence, EvidenceSentence
from rag.fakes import CopyingGenerator
from rag.second_draft import draft_anew, evidence_anew, is_sure, silent
from rag.settings import Settings
from rag.types import Message, Signals

SALES = "How much did products from Xinjiang bring on Tmall?"
EVIDENCE = Evidence(tuple(EvidenceSentence(sentence, ARTICLE, 0.5) for sentence in sentences()))
SECOND = Evidence(EVIDENCE.sentences[1:2])


class Saying(CopyingGenerator):
    """Writes what it is made with: a draft, a phrase, and a sentence that says a phrase. Keeps its prompts."""

    def __init__(self, phrase: str, sentence: str = "", *, draft: str = "", judgement: float = 5.0) -> None:
        super().__init__()
        self.draft, self.phrase, self.sentence, self.judgement = draft, phrase, sentence, judgement
        self.prompts: list[str] = []

    def log_odds(self, messages):
        return self.judgement

    def generate(self, messages, *, max_tokens):
        prompt = messages[-1].content
        self.prompts.append(prompt)
        if "shortest exact phrase" in prompt:
            yield self.phrase
        elif "Write this answer as one short, complete sentence" in prompt:
            yield self.sentence
        else:
            yield self.draft


def anew(model, question=SALES, *, style="sentence", silent=(), **asked):
    settings = Settings(answer_style=style)
    return draft_anew(Asked(question, question, **asked), EVIDENCE, generator=model, settings=settings, silent=silent)


def test_a_phrase_is_read_in_all_of_the_evidence_and_said_from_the_sentence_that_holds_it():
    model = Saying("$212 million", "Products from Xinjiang brought $212 million on Tmall.")
    assert anew(model) == (model.sentence, SECOND)
    read, said = model.prompts
    first, second, third, last = (sentence.text for sentence in sentences())
    assert f"{first} {second} {third} {last}" in read
    assert second in said
    assert not any(other in said for other in (first, third, last))
    assert f"\n\nQuestion: {SALES}\n\nAnswer: $212 million\n\n" in said


@pytest.mark.parametrize(
    "sentence",
    [
        "Products from Xinjiang brought much on Tmall.",  # the phrase is lost
        "Products from Xinjiang brought $212 million on Tmall, up 68.7%.",  # another fact came in
        "Jack Ma brought $212 million on Tmall.",
        "Sleepy crocodiles swallowed coins worth $212 million.",  # and one that does not stand
    ],
)
def test_what_says_less_or_more_than_the_phrase_is_no_second_draft(sentence):
    assert anew(Saying("$212 million", sentence)) is None


def test_a_phrase_from_sentences_that_were_judged_to_be_silent_is_not_said():
    model = Saying("$212 million", "Products from Xinjiang brought $212 million on Tmall.")
    assert anew(model, silent=EVIDENCE.sentences[1:]) is None
    assert len(model.prompts) == 1
    assert anew(model, silent=EVIDENCE.sentences[2:]) == (model.sentence, SECOND)


@pytest.mark.parametrize("phrase", ["$213 million", "Berlin", "", "Tmall"])
def test_what_stands_nowhere_or_only_in_the_question_is_not_said(phrase):
    model = Saying(phrase, "It is so.")
    assert anew(model) is None
    assert len(model.prompts) == 1


@pytest.mark.parametrize(
    ("question", "more"),
    [
        ("Did products from Xinjiang bring $212 million?", {}),
        (SALES, {"language": "German"}),
        (SALES, {"history": (Message("user", "What of Xinjiang?"), Message("assistant", "It has malls."))}),
        (SALES, {"style": "phrase"}),
        (SALES, {"style": "quote"}),
    ],
)
def test_where_a_phrase_is_no_second_opinion_none_is_read(question, more):
    model = Saying("$212 million", "It is so.")
    assert anew(model, question, **more) is None
    assert model.prompts == []


@pytest.mark.parametrize(
    ("judged", "cited", "sure"),
    [(0.1, (), True), (0.0, (), False), (None, (), False), (-0.1, SECOND.sentences, False)],
)
def test_what_a_draft_cites_is_silent_or_sure_as_it_was_judged(judged, cited, sure):
    (sentence,) = sign("Products from Xinjiang generated $212 million.", SECOND, question=SALES)
    text, citations = compose([sentence])
    checked = Checked((sentence,), (sentence,), text, citations, Signals(answers=judged))
    assert silent(checked) == cited
    assert is_sure(SALES, checked) is sure
    assert not is_sure(SALES, dataclasses.replace(checked, citations=()))
    assert not is_sure("When did products from Xinjiang bring so much?", checked)


COST = "How much did repairs of the harbour of Porto Claro cost?"
RIGHT = "Repairs of the harbour cost 12 million euros."


def asked_of(folder, model: Saying):
    with SavedIndex.open(folder, embedder=HashingEmbedder()) as index:
        return Chatbot(index, model).answer(COST)


def test_a_draft_that_falls_gives_way_to_one_that_stands(tiny_index):
    draft = "The harbour of Porto Claro cost repairs."  # gives the question back
    answer = asked_of(tiny_index, Saying("12 million euros", RIGHT, draft=draft, judgement=2.0))
    assert (answer.abstained, answer.text) == (False, RIGHT)
    assert [citation.quote for citation in answer.citations] == ["Repairs cost 12 million euros, the mayor said."]
    assert [(sentence.text, sentence.kept) for sentence in answer.explanation.draft] == [(RIGHT, True)]
    assert "second draft" in [step.name for step in answer.explanation.steps]


def test_a_draft_that_stands_is_not_written_again(tiny_index):
    model = Saying("12 million euros", RIGHT, draft="Repairs cost 12 million euros.")
    answer = asked_of(tiny_index, model)
    assert answer.text == model.draft
    assert "second draft" not in [step.name for step in answer.explanation.steps]


def test_a_second_draft_is_checked_as_the_first_one_was(tiny_index):
    draft = "The harbour of Porto Claro cost repairs."
    model = Saying(
        "12 million euros", "The sleepy crocodile swallowed shiny coins worth 12 million euros.", draft=draft
    )
    answer = asked_of(tiny_index, model)
    assert answer.abstained
    assert [sentence.text for sentence in answer.explanation.draft] == [draft]


QUEEN = dataclasses.replace(ARTICLE, text="The Queen died on Thursday. On 8 September 2022 the Queen died. Bells rang.")
TOLD = Evidence(tuple(EvidenceSentence(sentence, QUEEN, 0.5) for sentence in sentences(QUEEN)))
DATED = Evidence(TOLD.sentences[1:2])
DIED = "When did the Queen die?"


def first_draft(text):
    signed = sign(text, TOLD, question=DIED)
    return Checked(signed, signed, *compose(signed), Signals())


@pytest.mark.parametrize(
    ("question", "text", "shown", "among"),
    [
        (DIED, "The Queen died on Thursday.", True, DATED),
        (DIED, "The Queen died on Thursday.", False, DATED),
        (DIED, "The Queen died on 8 September 2022.", True, None),
        (DIED, "The Queen died on 8 September 2022.", False, TOLD),
        ("Who died?", "The Queen died on Thursday.", True, None),
    ],
)
def test_where_a_day_of_the_week_answers_when_sentences_with_dates_are_read_again(question, text, shown, among):
    assert evidence_anew(question, first_draft(text), TOLD, shown=shown) == among


def test_where_no_sentence_has_a_date_a_day_of_the_week_has_to_do():
    undated = Evidence(TOLD.sentences[::2])
    first = first_draft("The Queen died on Thursday.")
    assert evidence_anew(DIED, first, undated, shown=True) is None
    assert evidence_anew(DIED, first, undated, shown=False) == undated
