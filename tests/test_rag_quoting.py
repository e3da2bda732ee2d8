"""Which sentence of the articles takes the place of a draft that cannot be signed, and when none does."""

from dataclasses import replace

import pytest
from rag_material import ARTICLE, sentences

from rag.checking import Asked, check_draft
from rag.citations import SignedSentence, sign
from rag.evidence import Evidence, EvidenceSentence
from rag.fakes import CopyingGenerator
from rag.quoting import told_instead
from rag.settings import Settings
from rag.types import Signals

MALLS, SALES, SNAPDEAL, INDIA = (
    EvidenceSentence(sentence, ARTICLE, score)
    for sentence, score in zip(sentences(), (0.3, 0.5, 0.2, 0.4), strict=True)
)
EVIDENCE = Evidence((MALLS, SALES, SNAPDEAL, INDIA))
QUESTION = "How much did products of the 95th Xinjiang Fair generate on Tmall?"
DRAFT = "Products of the 95th Xinjiang Fair generated $212 million in sales on Tmall."


def told(log_odds, reading, *, signed=(), question=QUESTION):
    judged = []

    def judge(parts):
        judged.extend(part.sentences for part in parts)
        return log_odds[: len(parts)]

    found = told_instead(
        signed, EVIDENCE, question, judge=judge, read=lambda alone: reading, support=Settings().citation_support
    )
    return found, judged


def test_what_the_draft_rests_on_and_what_fits_best_are_judged_each_alone():
    resting = SignedSentence(DRAFT, (MALLS,), 0.8, ("95th",))
    found, judged = told([-1.0, 2.0, 1.0], "$212 million", signed=[resting])
    assert judged == [(MALLS,), (SALES,), (INDIA,)]
    assert found is not None
    assert (found.item, found.log_odds, found.reading) == (SALES, 2.0, "$212 million")


def test_what_a_better_supported_sentence_of_the_draft_rests_on_comes_first():
    weak, strong = SignedSentence("Malls.", (MALLS,), 0.2, ("x",)), SignedSentence(DRAFT, (SNAPDEAL,), 0.6, ("95th",))
    assert told([-1.0] * 3, "", signed=[weak, strong])[1] == [(SNAPDEAL,), (SALES,), (INDIA,)]


def test_nothing_is_looked_for_where_a_draft_gives_the_question_back():
    circle = SignedSentence("The Fair is the Fair.", (MALLS,), 1.0, (), repeats=True)
    assert told([3.0] * 3, "$212 million", signed=[circle]) == (None, [])


@pytest.mark.parametrize(
    ("log_odds", "reading"),
    [
        ([-0.1, -2.0], "$212 million"),  # likelier not to state it
        ([], "$212 million"),  # no time to judge
        ([2.0, 1.0], None),  # no time to read
        ([2.0, 1.0], "$400 million"),  # not in the sentence: it comes from elsewhere
        ([2.0, 1.0], "Tmall"),  # the question says as much
    ],
)
def test_nothing_is_told_without_a_reading_that_stands(log_odds, reading):
    assert told(log_odds, reading)[0] is None


class Saying(CopyingGenerator):
    """Judges sentences by whether a word stands in them, reads what it is made to, and counts what it was asked."""

    def __init__(self, word: str, reading: str) -> None:
        super().__init__()
        self.word, self.reading, self.judged, self.read = word, reading, 0, 0

    def log_odds(self, messages):
        self.judged += 1
        return 3.0 if self.word in messages[-1].content.split("Question:")[0] else -3.0

    def generate(self, messages, *, max_tokens):
        self.read += 1
        yield self.reading


def checked(question=QUESTION, *, draft=DRAFT, saying=None, settings=None, language=None):
    saying = saying or Saying("$212", "$212 million")
    return check_draft(
        draft,
        Asked(question, question, language=language),
        EVIDENCE,
        generator=saying,
        settings=settings or Settings(),
        signals=Signals(similarity=0.5),
    )


def test_the_draft_of_these_tests_cannot_be_signed():
    (signed,) = sign(DRAFT, EVIDENCE, question=QUESTION)
    assert signed.missing == ("95th", "fair")


def test_a_draft_that_cannot_be_signed_gives_way_to_the_sentence_that_answers():
    found = checked()
    assert found.text == f"“{SALES.sentence.text}”"
    (citation,) = found.citations
    assert (citation.quote, citation.start, citation.answer_start, citation.answer_end) == (
        SALES.sentence.text, SALES.sentence.start, 0, len(found.text)
    )  # fmt: skip
    assert found.standing == ()
    assert [item.text for item in found.signed] == [DRAFT]
    assert (found.signals.answers, found.signals.agreement, found.signals.support) == (3.0, 1.0, 1.0)


def test_a_quote_must_give_the_figure_that_is_asked_for():
    """ "How much" is not answered by who was met, whatever the model judges."""
    saying = Saying("Snapdeal", "Jack Ma")
    found = checked(saying=saying, draft="Jack Ma met 95 CEOs of Snapdeal.")
    assert saying.read == 1
    assert (found.text, found.citations) == ("", ())


@pytest.mark.parametrize("asked", [{"question": "Did the 95th Fair sell on Tmall?"}, {"language": "German"}])
def test_where_no_phrase_can_be_compared_nothing_is_asked_or_quoted(asked):
    saying = Saying("$212", "Yes")
    found = checked(saying=saying, **asked)
    assert (found.text, found.citations) == ("", ())
    assert (saying.judged, saying.read) == (0, 0)


def test_phrases_that_cannot_be_signed_fall_as_ever():
    saying = Saying("$212", "$212 million")
    found = checked(saying=saying, draft="$999 million", settings=replace(Settings(), answer_style="phrase"))
    assert (saying.read, [item.missing for item in found.signed]) == (0, [("999 million",)])
    assert found.citations == ()
