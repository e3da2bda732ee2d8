"""Whether evidence supports a claim: what the model is shown, and what is made of its judgements."""

from rag_material import ARTICLE, sentences

from rag.checking import support_of
from rag.evidence import Evidence, EvidenceSentence
from rag.fakes import CopyingGenerator

CLAIM = "Products from Xinjiang generated $212 million on Tmall, said Jack Ma."


class Judging(CopyingGenerator):
    """Gives the judgements that it is made with, one after another, and keeps what it was shown."""

    def __init__(self, *judgements: float) -> None:
        super().__init__()
        self.judgements = list(judgements)
        self.shown: list[str] = []

    def log_odds(self, messages):
        self.shown.append(messages[-1].content)
        return self.judgements.pop(0)


def evidence() -> Evidence:
    return Evidence(tuple(EvidenceSentence(sentence, ARTICLE, 0.5) for sentence in sentences()))


def test_support_is_the_mean_over_all_of_the_evidence_and_its_nearest_sentences():
    judging = Judging(3.0, -1.0)
    assert support_of(CLAIM, evidence(), generator=judging) == 1.0
    whole, near = judging.shown
    # The last sentence shares no word with the claim; the others stand as the evidence has them.
    first, second, third, last = (sentence.text for sentence in sentences())
    assert f"{first} {second} {third} {last}" in whole
    assert f"{first} {second} {third}" in near
    assert last not in near
    assert all(
        text.endswith("Do the excerpts state everything in this sentence? Reply Yes or No.") for text in judging.shown
    )


def test_what_is_nearest_already_is_judged_alike():
    judging = Judging(0.5, 0.5)
    few = Evidence(evidence().sentences[1:3])
    assert support_of(CLAIM, few, generator=judging) == 0.5
    assert judging.shown[0] == judging.shown[1]
