import dataclasses

import pytest
from rag_material import ARTICLE, hit

from index import HashingEmbedder, SavedIndex
from rag import Chatbot
from rag.evidence import choose_evidence
from rag.fakes import CopyingGenerator
from rag.languages import foreign_language, language_notes, language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Who founded Alibaba?", "English"),
        ("How big was Alibaba at its peak?", "English"),
        ("Qui a fondé Alibaba ?", "French"),
        ("Combien valait Alibaba en 2018 ?", "French"),
        ("Wer hat Alibaba gegründet?", "German"),
        ("¿Quién fundó Alibaba?", "Spanish"),
        ("Chi ha fondato Alibaba?", "Italian"),
        ("Quem fundou a Alibaba?", "Portuguese"),
        ("Wie is de oprichter van Alibaba?", "Dutch"),
        ("谁创立了阿里巴巴？", "Chinese"),
        ("Alibaba 的市值是多少？", "Chinese"),
        ("アリババの創業者は誰ですか", "Japanese"),
        ("Кто основал Alibaba?", "Russian"),
        ("من أسس علي بابا؟", "Arabic"),
        ("Jack Ma?", None),
        ("", None),
        ("42 %", None),
    ],
)
def test_script_and_small_words_tell_the_language(text, language):
    assert language_of(text) == language


def test_a_question_in_another_language_than_the_articles_is_noted():
    evidence = choose_evidence(
        "", [hit((0.1, 0.9, 0.2, 0.15))], tokens=100, count_tokens=lambda text: len(text.split())
    )
    assert foreign_language("Wer hat Alibaba gegründet?", evidence) == "English"
    assert foreign_language("Who founded Alibaba?", evidence) is None
    assert foreign_language("Jack Ma?", evidence) is None
    assert language_notes("Wer hat Alibaba gegründet?", "English") == (
        "The question is in German; answers are given in English, as the articles are",
    )
    assert language_notes("Who?", None) == ()


def test_an_article_in_the_language_of_the_question_is_answered_in_it():
    """A French question over a French and an English article was told that answers are in English, and was not."""
    text = "La boulangerie Durand a ouvert trois magasins à Lyon en 2021. Elle en veut quatre."
    french = hit((0.8, 0.7), article=dataclasses.replace(ARTICLE, id="f1", text=text), number=2)
    both = [french, hit((0.9, 0.6, 0.2, 0.1))]
    evidence = choose_evidence("", both, tokens=200, count_tokens=lambda text: len(text.split()))
    assert {item.article.id for item in evidence.sentences} == {"a1", "f1"}
    assert foreign_language("Combien de magasins la boulangerie a-t-elle ouvert ?", evidence) is None
    assert foreign_language("Wie viele Läden hat die Bäckerei?", evidence) == "English"


class Listening(CopyingGenerator):
    """Remembers what it was asked to write, and always writes."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def log_odds(self, messages):
        return 5.0

    def generate(self, messages, *, max_tokens):
        self.asked.append(messages[-1].content)
        yield from super().generate(messages, max_tokens=max_tokens)


def test_the_model_is_told_the_language_of_the_articles(tiny_index):
    with SavedIndex.open(tiny_index, embedder=HashingEmbedder()) as index:
        model = Listening()
        answer = Chatbot(index, model).answer("Wie viel hat die Bahn zwischen Linz und Passau gekostet?")
        assert model.asked[-1].endswith(" Answer in English.")
        assert answer.searched.notes == (
            "The question is in German; answers are given in English, as the articles are",
        )
        assert len(model.asked) == 1  # not read again: names may be other words in another language
        Chatbot(index, model).answer("How much did the railway line between Linz and Passau cost?")
        assert not any("Answer in" in asked for asked in model.asked[1:])
