"""Corrections and swaps become the question that is meant; new topics leave the old one behind."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import HashingEmbedder, SavedIndex
from rag import Chatbot, Message
from rag.fakes import CopyingGenerator
from rag.follow_ups import in_conversation, is_new_topic, rewrite

TODAY = date(2026, 11, 25)


def talk(*said):
    return [Message("user" if place % 2 == 0 else "assistant", text) for place, text in enumerate(said)]


@pytest.mark.parametrize(
    ("said", "before", "meant"),
    [
        ("no, I meant Ant Group", "Who founded Alibaba Group?", "Who founded Ant Group?"),
        ("No, I meant Ant Group.", "Who founded Alibaba?", "Who founded Ant Group?"),
        ("I'm asking about Ant Group", "Who founded Alibaba?", "Who founded Ant Group?"),
        ("Sorry, Ant Group", "Who founded Alibaba?", "Who founded Ant Group?"),
        ("I mean in 2018", "What was Alibaba worth?", "What was Alibaba worth in 2018?"),
        ("I mean in 2018", "What was Alibaba worth in 2024?", "What was Alibaba worth in 2018?"),
        ("Actually, 2019", "What was revenue in 2018?", "What was revenue in 2019?"),
        ("and 2019?", "In 2018, what was revenue?", "In 2019, what was revenue?"),
        ("And last year?", "What was Alibaba's revenue in 2018?", "What was Alibaba's revenue last year?"),
        ("and Pinduoduo?", "Who founded Alibaba?", "Who founded Pinduoduo?"),
        ("what about Pinduoduo?", "What is Alibaba's market value?", "What is Pinduoduo's market value?"),
        ("How about Ant Group's?", "What is Alibaba's market value?", "What is Ant Group's market value?"),
        ("What about in October 2020?", "What was Alibaba worth in 2018?", "What was Alibaba worth in October 2020?"),
        ("and in India?", "How much did Jack Ma invest in China?", "How much did Jack Ma invest in India?"),
        ("and SoftBank?", "How much did Yahoo invest in Alibaba?", "How much did SoftBank invest in Alibaba?"),
        ("no, I meant Taobao", "When did Jack Ma found Alibaba?", "When did Jack Ma found Taobao?"),
        ("and Pony Ma?", "When did Jack Ma found Alibaba?", "When did Pony Ma found Alibaba?"),
        ("And Jack Ma?", "What did the CEO of Snapdeal say?", "What did Jack Ma say?"),
        (
            "how about the United States?",
            "How big is the market in China?",
            "How big is the market in the United States?",
        ),
        ("same question for Taobao", "When was Tmall founded?", "When was Taobao founded?"),
        ("not Alibaba, Ant Group", "When was Alibaba founded?", "When was Ant Group founded?"),
        ("Ant Group, not Alibaba", "When was Alibaba founded?", "When was Ant Group founded?"),
        ("sorry, I meant Taobao instead of Tmall", "When was Tmall founded?", "When was Taobao founded?"),
        ("not in China but in India", "How much did Ma invest in China?", "How much did Ma invest in India?"),
        ("I meant the founder, not the CEO", "Who is the CEO of Alibaba?", "Who is the founder of Alibaba?"),
        ("No, I meant: when was Ant Group founded?", "Who founded Alibaba?", "When was Ant Group founded?"),
        ("Wait, what is Yu'e Bao?", "Who is the CEO of Alibaba?", "What is Yu'e Bao?"),
    ],
)
def test_a_correction_or_swap_is_the_question_before_with_one_part_replaced(said, before, meant):
    assert rewrite(said, before, today=TODAY) == meant


@pytest.mark.parametrize(
    ("said", "before"),
    [
        ("When was it cancelled?", "What happened to Ant Group's IPO?"),
        ("And its revenue?", "When was Tmall founded?"),
        ("and profit?", "What was Alibaba's revenue?"),
        ("and who is the CEO?", "When was Tmall founded?"),
        ("Who is Dan Ives?", "Who founded Alibaba?"),
        ("What was Alibaba not able to do?", "Who founded Alibaba?"),
        ("no", "Who founded Alibaba?"),
        ("and?", "Who founded Alibaba?"),
        ("and ant group?", "who founded alibaba?"),
        ("and 2019?", "What changed between 2016 and 2018, and in 2020?"),
        ("and Alibaba?", "why?"),
        ("and " + "Alibaba " * 40, "Who founded Alibaba?"),
    ],
)
def test_what_is_not_plainly_one_is_left_as_it_is(said, before):
    assert rewrite(said, before, today=TODAY) is None


def test_corrections_follow_one_another():
    history = talk(
        "Who founded Alibaba?", "Jack Ma.", "no, I meant Ant Group", "Jack Ma.", "thanks!", "You are welcome."
    )
    asked = in_conversation("and Pinduoduo?", history, today=TODAY)
    assert (asked.question, asked.history, asked.rewritten) == ("Who founded Pinduoduo?", (), True)
    assert asked.notes == ("Read as “Who founded Pinduoduo?”",)


def test_a_follow_up_keeps_the_conversation_as_it_was_understood():
    history = talk("Who founded Alibaba?", "Jack Ma.", "no, I meant Ant Group", "Jack Ma as well.", "hi", "Hello!")
    asked = in_conversation("When did he do that?", history, today=TODAY)
    assert (asked.question, asked.rewritten, asked.notes) == ("When did he do that?", False, ())
    assert [turn.content for turn in asked.history] == [
        "Who founded Alibaba?",
        "Jack Ma.",
        "Who founded Ant Group?",
        "Jack Ma as well.",
    ]


@pytest.mark.parametrize(
    ("question", "new"),
    [
        ("Who is the head of Wedbush Securities?", True),
        ("How much did Yahoo pay for its stake?", False),
        ("When was it cancelled?", False),
        ("Why did the company leave Hong Kong?", False),
        ("And who is Dan Ives?", False),
        ("Who owns Alibaba today?", False),
        ("Where is Kuala Lumpur?", True),
        ("who is dan ives?", False),
        ("Yahoo?", False),
    ],
)
def test_a_new_topic_has_names_of_its_own_and_refers_to_nothing(question, new):
    assert is_new_topic(question, "Who founded Alibaba?") is new


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_two_turns_can_be_read(said, before):
    asked = in_conversation(said, talk(before, "Yes."), today=TODAY)
    assert asked.rewritten or asked.question == said


@pytest.fixture
def chatbot(tiny_index):
    with SavedIndex.open(tiny_index, embedder=HashingEmbedder()) as index:
        yield Chatbot(index, CopyingGenerator(), today=lambda: TODAY)


def test_the_rewritten_question_is_searched_asked_and_shown(chatbot):
    history = talk("How much did repairs of the harbour of Linz cost?", "The articles do not tell.")
    answer = chatbot.answer("I meant Porto Claro", history=history)
    assert answer.question == "I meant Porto Claro"
    assert answer.searched.questions == ("How much did repairs of the harbour of Porto Claro cost?",)
    assert answer.searched.notes == ("Read as “How much did repairs of the harbour of Porto Claro cost?”",)
    direct = chatbot.answer("How much did repairs of the harbour of Porto Claro cost?")
    assert (answer.text, answer.citations, answer.passages) == (direct.text, direct.citations, direct.passages)
    assert chatbot.search("I meant Porto Claro", history=history) == chatbot.search(direct.question)


def test_a_swap_in_a_question_about_the_collection_is_counted_too(chatbot):
    answer = chatbot.answer("and Linz?", history=talk("Which articles mention Passau?", "One."))
    assert answer.text.startswith("1 of the 3 articles mentions Linz.")
    assert answer.searched.questions == ("Which articles mention Linz?",)


def test_a_new_topic_is_not_dragged_back(chatbot):
    history = talk("When was the rye loaf of Olga Brandt first baked?", "In 1954.")
    answer = chatbot.answer("How fast are trains between Linz and Passau?", history=history)
    assert answer.searched.questions == ("How fast are trains between Linz and Passau?",)
    assert answer.passages[0].path == "articles/railway.txt"


@pytest.mark.parametrize(
    ("said", "asked", "leans"),
    [
        ("OK, different subject: how important is China for Siemens?", "How important is China for Siemens?", False),
        ("Thanks. Now about jobs: how many of them came?", "Now about jobs: how many of them came?", False),
        ("Another question: who founded it?", "Who founded it?", False),
        ("Changing the subject, who is Judy Wei?", "Who is Judy Wei?", False),
        ("Thanks! And who chairs it?", "And who chairs it?", True),
        ("Great Wall Motor: who chairs it?", "Great Wall Motor: who chairs it?", True),
        ("New topics: which are there in it?", "New topics: which are there in it?", True),
        ("Now who chairs it?", "Now who chairs it?", True),
    ],
)
def test_politeness_goes_and_a_change_of_subject_ends_the_conversation_before(said, asked, leans):
    history = (Message("user", "What is Ant Group?"), Message("assistant", "A company."))
    meant = in_conversation(said, history, today=TODAY)
    assert (meant.question, bool(meant.history)) == (asked, leans)
    assert in_conversation(said, (), today=TODAY).question == asked
