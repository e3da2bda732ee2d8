"""Whether evidence supports a claim: what the model is shown, and what is made of its judgements."""

from rag_material import ARTICLE, sentences

from rag.checking import Asked, check_draft, support_of
from rag.deadline import NOT_JUDGED, Deadline
from rag.evidence import Evidence, EvidenceSentence
from rag.fakes import CopyingGenerator
from rag.settings import Settings
from rag.types import Message, Signals

CLAIM = "Products from Xinjiang generated $212 million on Tmall, said Jack Ma."


class Judging(CopyingGenerator):
    """Gives the judgements that it is made with, one after another, and keeps what it was shown."""

    def __init__(self, *judgements: float) -> None:
        super().__init__()
        self.judgements = list(judgements)
        self.asked: list[Message] = []

    @property
    def shown(self) -> list[str]:
        return [message.content for message in self.asked]

    def log_odds(self, messages):
        self.asked.append(messages[-1])
        return self.judgements.pop(0)


def evidence() -> Evidence:
    return Evidence(tuple(EvidenceSentence(sentence, ARTICLE, 0.5) for sentence in sentences()))


def test_support_is_the_mean_of_what_the_model_says_with_its_adapter_and_by_itself():
    judging = Judging(3.0, -1.0)
    assert support_of(CLAIM, evidence(), generator=judging) == 1.0
    with_it, alone = judging.asked
    assert with_it.content == alone.content
    assert " ".join(sentence.text for sentence in sentences()) in alone.content
    assert alone.content.endswith(f"\n\n{with_it.adapted}")
    assert (with_it.skill, alone.skill, alone.adapted) == ("supporting", None, "")
    assert with_it.adapted == (
        f"Sentence: {CLAIM}\n\nDo the excerpts state everything in this sentence? Reply Yes or No."
    )


QUESTION = "Whom did Jack Ma meet?"
DRAFT = "Jack Ma met the CEO of Snapdeal."
ASKS = f"Question: {QUESTION}\n\nAnswer: {DRAFT}\n\nIs this the answer that the excerpts state to the question? "


class Default(Judging):
    """Its confidence rests on what it says of its own draft."""

    name = "default"


def looked_at(judging: Judging, read: Evidence, *, whole: Evidence | None = None) -> Signals:
    asked = Asked(QUESTION, QUESTION)
    return check_draft(
        DRAFT, asked, read, generator=judging, settings=Settings(), signals=Signals(), whole=whole
    ).signals


def test_a_draft_is_judged_beside_all_that_was_read():
    judging = Default(5.0, 4.0)
    signals = looked_at(judging, evidence())
    assert (signals.answers, signals.right, signals.agreement) == (5.0, 4.0, None)
    cited, whole = judging.shown
    texts = [sentence.text for sentence in sentences()]
    assert [text in cited for text in texts] == [False, False, True, False]
    assert [text in whole for text in texts] == [True] * 4
    assert whole.endswith(f"{ASKS}Reply Yes or No.")


def test_one_written_from_a_part_of_it_too():
    judging = Default(5.0, 4.0)
    looked_at(judging, Evidence(evidence().sentences[2:3]), whole=evidence())
    assert [text in judging.shown[1] for text in (sentence.text for sentence in sentences())] == [True] * 4


def test_it_is_not_asked_of_what_cannot_be_shown_anyway():
    judging = Default(-3.0)
    signals = looked_at(judging, evidence())
    assert (signals.answers, signals.right, signals.agreement) == (-3.0, None, None)


def test_it_is_not_asked_where_confidence_does_not_rest_on_it():
    other = Judging(5.0)
    assert looked_at(other, evidence()).right is None
    assert len(other.shown) == 1


class Clock(Deadline):
    """Has time for a look at what is cited, and for nothing after that."""

    def lets_look(self, *prompts):
        return True

    def _lets(self, prompts, otherwise, *, written=0):
        self.skipped += (otherwise,)
        return False


def test_without_time_what_is_cited_is_judged_alone_and_it_is_said():
    judging = Default(5.0)
    clock = Clock(judging)
    found = check_draft(
        DRAFT, Asked(QUESTION, QUESTION), evidence(), generator=judging, settings=Settings(), signals=Signals(),
        deadline=clock,
    )  # fmt: skip
    assert (found.signals.answers, found.signals.right) == (5.0, None)
    assert clock.skipped == (NOT_JUDGED,)
