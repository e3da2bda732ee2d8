"""What speaks for and against an answer, as numbers (`rag.types.Signals`): log-odds, similarities, words.

They stand in the answer, so that anyone can see why it was given or refused.
"""

from collections.abc import Sequence

from index.types import Hit
from rag.citations import SignedSentence
from rag.evidence import Evidence, overlaps
from rag.types import Signals


def search_signals(question: str, hits: Sequence[Hit], evidence: Evidence) -> Signals:
    """What is known before the model has read anything."""
    texts = [item.sentence.text for item in evidence.sentences]
    return Signals(
        similarity=max((score for hit in hits for score in hit.sentence_scores), default=None),
        search=max((hit.score for hit in hits), default=None),
        covered=max(overlaps(question, texts).values(), default=None),
    )


def covered_by(question: str, evidence: Evidence, cited: Sequence[SignedSentence]) -> float:
    """The share of the question's telling words, as rare as they are in the evidence, that the cited sentences hold."""
    joined = " ".join(dict.fromkeys(item.sentence.text for sentence in cited for item in sentence.cited))
    return overlaps(question, [joined, *(item.sentence.text for item in evidence.sentences)])[joined]
