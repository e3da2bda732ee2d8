"""Is the reply the right answer? Scores of its wording against the accepted answers.

A question's `answers` are parts, each with its accepted spellings; `()` means that no right answer exists, None that
the answer is not judged. The reply of a refused question is "". All are None where nothing was to be answered.
"""

import re
import string
from collections import Counter
from functools import cache, lru_cache
from itertools import permutations
from typing import Any

from eval.outcomes import Outcome
from eval.questions import Parts

_MOST_PERMUTED_PARTS = 3
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_TYPOGRAPHIC = str.maketrans("’‘‛ʼ“”„‐‑–—−", "''''\"\"\"-----")
_PERCENT = re.compile(r"\s*(?:(?<![^\W\d_])per ?cent\b|%)")


def exact_match(outcome: Outcome) -> float | None:
    """1 if the reply is an accepted answer once both are normalised as SQuAD does, else 0.

    If no right answer exists, 1 only for a reply that normalises to nothing: a refusal.
    """
    if outcome.reply is None or outcome.question.answers is None:
        return None
    said = normalise(outcome.reply)
    return float(any(said == normalise(gold) for gold in _golds(outcome.question.answers)))


def token_f1(outcome: Outcome) -> float | None:
    """Token F1 (0 to 1) of the reply with the accepted answer that fits best, as evaluate-v2.0.py of SQuAD 2.0 has it.

    If no right answer exists, 1 for a refusal and 0 otherwise. Answers that are given are what counts, even if
    `answerable` is False (a pool of articles may lack the answer).
    """
    if outcome.reply is None or outcome.question.answers is None:
        return None
    return max(_pair_f1(outcome.reply, gold) for gold in _golds(outcome.question.answers))


def has_answer_f1(outcome: Outcome) -> float | None:
    """`token_f1` of the questions that have a right answer."""
    return token_f1(outcome) if outcome.question.answers else None


def no_answer_f1(outcome: Outcome) -> float | None:
    """`token_f1` of the questions that have no right answer: 1 if refused, else 0."""
    return token_f1(outcome) if outcome.question.answers == () else None


def contained(outcome: Outcome) -> float | None:
    """The share (0 to 1) of the parts of the answer of which an accepted spelling occurs in the reply (`contains`).

    None if there is no right answer, or the question is judged unanswerable.
    """
    reply, answers = outcome.reply, outcome.question.answers
    if reply is None or not answers or outcome.question.answerable is False:
        return None
    return sum(any(contains(reply, spelling) for spelling in part) for part in answers) / len(answers)


def rouge_l(outcome: Outcome) -> float | None:
    """ROUGE-L F-measure (0 to 1) with the accepted answer that fits best; 0 if refused. None without accepted answers.

    Computed by the package rouge-score without stemming, the default of Hugging Face's `evaluate`.
    """
    if outcome.reply is None or not outcome.question.answers:
        return None
    return max(_pair_rouge_l(outcome.reply, gold) for gold in accepted_wholes(outcome.question.answers))


def reply_length(outcome: Outcome) -> float | None:
    """Words of the reply, split at white space. None if refused."""
    return float(len(outcome.reply.split())) if outcome.reply else None


def accepted_wholes(parts: Parts) -> tuple[str, ...]:
    """The accepted whole answers: the spellings of a single part, or the first spellings of all parts, joined by
    spaces.

    Parts are joined in every order, as scripts/evaluate_main.py of RealTimeQA does; more than three parts in the order
    given alone, since the orders of a long list are too many. Empty if there are no parts.
    """
    if len(parts) == 1:
        return parts[0]
    first = [part[0] for part in parts]
    orders = permutations(first) if len(first) <= _MOST_PERMUTED_PARTS else [tuple(first)]
    return tuple(dict.fromkeys(" ".join(order) for order in orders if order))


def normalise(text: str) -> str:
    """Lower case without ASCII punctuation and the articles a, an, the; white space squashed.

    The normalisation of evaluate-v2.0.py of SQuAD 2.0 (Rajpurkar, Jia and Liang 2018), step by step.
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def fold(text: str) -> str:
    """Case, white space, typographic quotation marks and dashes folded; " percent" and " per cent" become "%"."""
    return _PERCENT.sub("%", " ".join(text.translate(_TYPOGRAPHIC).casefold().split()))


def contains(text: str, spelling: str) -> bool:
    """Whether `spelling` occurs in `text` as words of its own, both folded (`fold`).

    No letter or digit may touch it where it begins or ends with one, and its numbers are whole: "40%" is not in "140%",
    "six" not in "sixty", "476" not in "1,476" nor "476.5". Quotation marks around a spelling and the full stop after it
    do not count.
    """
    wanted = fold(spelling).lstrip("\"' ").rstrip("\"' .,;:!?")
    if not wanted:
        return False
    left = r"(?<![^\W_])" if wanted[0].isalnum() else ""
    right = r"(?![^\W_])" if wanted[-1].isalnum() else ""
    if wanted[0].isdigit():
        left += r"(?<!\d[.,])"
    if wanted[-1].isdigit():
        right += r"(?![.,]\d)"
    return re.search(left + re.escape(wanted) + right, fold(text)) is not None


def _golds(parts: Parts) -> tuple[str, ...]:
    """What the official script compares with: answers that normalise to nothing are dropped, without any it is ""."""
    return tuple(whole for whole in accepted_wholes(parts) if normalise(whole)) or ("",)


def _pair_f1(reply: str, gold: str) -> float:
    said, right = normalise(reply).split(), normalise(gold).split()
    if not said or not right:
        return float(said == right)
    shared = sum((Counter(said) & Counter(right)).values())
    if not shared:
        return 0.0
    precision, recall = shared / len(said), shared / len(right)
    return 2 * precision * recall / (precision + recall)


@lru_cache(maxsize=10_000)
def _pair_rouge_l(reply: str, gold: str) -> float:
    return float(_rouge().score(gold, reply)["rougeL"].fmeasure)


@cache
def _rouge() -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(["rougeL"], use_stemmer=False)
