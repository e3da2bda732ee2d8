"""Invented reports for tests: articles that never appeared, questions, answers, figures chosen by hand.

`REPORT` is small, its figures are easy to check. `varied_report` is as long as wanted, for looking at and for speed.
"""

import random
from dataclasses import asdict, replace
from typing import Any

from eval.intervals import Estimate
from eval.provenance import Provenance
from eval.questions import EvidenceQuote, Question
from eval.results import QUESTION_SET_METRICS, Report
from rag.types import Answer, Citation, Message, PassageUse, Timings, Usage

HARBOUR = "harbour.txt"
BAKERY = "bakery.md"
RAILWAY = "railway.txt"

TEXTS = {
    HARBOUR: "The harbour of Porto Claro reopened on Monday. Repairs cost 12 million euros, the mayor said. "
    "Fishing boats had waited for six weeks.",
    BAKERY: "The bakery of Olga Brandt won the national bread prize. Its rye loaf has been baked since 1954.",
    RAILWAY: "Parliament approved a railway line between Linz and Passau. Trains will run from 2031 and reach 230 "
    "kilometres an hour. The line will cost 4.6 billion euros.",
}
_KNOWN = {
    HARBOUR: ("Harbour reopens after storm", "Coast Courier", "2021-03-03"),
    BAKERY: ("Bakery wins prize", "Town Gazette", "2020-05-17"),
    RAILWAY: (None, None, None),
}

PROVENANCE = Provenance(
    commit="0123456789abcdef0123456789abcdef01234567+changes",
    date="2026-11-25T10:00:00+00:00",
    settings={"model": "default", "passages_per_question": 8, "wrong_per_hundred": 15, "index": ""},
    models={
        "generator": {"name": "small-talker", "fingerprint": "sha256:aaaa1111"},
        "embedder": {"name": "minilm", "fingerprint": "sha256:bbbb2222"},
    },
    index={"folder": "byline/index", "articles": 3, "passages": 5, "sentences": 8, "store": "faiss"},
    machine={"processor": "Abacus 9000", "cores": 2, "memory_gb": 8.0, "system": "Linux x86_64"},
    versions={"byline": "0.1.0", "numpy": "2.4.6"},
)


def cite(number: int, quote: str, article: str = HARBOUR, *, ends: int = 0, support: float = 0.97) -> Citation:
    """A citation of a sentence of `TEXTS`, after the character `ends` of the answer."""
    title, source, date = _KNOWN[article]
    start = max(TEXTS[article].find(quote), 0)
    path = f"articles/{article}"
    return Citation(
        number, 0, ends, article, title, source, date, None, path, start, start + len(quote), quote, support
    )


def passages(*articles: str) -> tuple[PassageUse, ...]:
    """Whole articles as the passages found, in this order; the first is used."""
    found = []
    for rank, article in enumerate(articles, start=1):
        title, source, date = _KNOWN[article]
        text = TEXTS[article]
        path = f"articles/{article}"
        found.append(
            PassageUse(
                article, title, source, date, path, 0, len(text), text, round(0.9 - 0.1 * rank, 2), rank, rank == 1
            )
        )
    return tuple(found)


def answered(
    text: str, *citations: Citation, confidence: float = 0.9, first: float | None = 1.5, total: float = 4.0
) -> Answer:
    """An answer with these citations; those with `ends=0` are put behind the whole text."""
    placed = tuple(replace(item, answer_end=item.answer_end or len(text)) for item in citations)
    found = passages(HARBOUR, BAKERY, RAILWAY)
    times = Timings(0.12, first, total)
    return Answer(
        "", text, False, confidence, None, placed, found, times, "small-talker", "byline/index", Usage(3, 412, 31)
    )


def refused(
    reason: str = "The nearest passages, from 3 articles, do not state the answer to this question.",
    *,
    confidence: float = 0.2,
    first: float | None = None,
    total: float = 2.0,
) -> Answer:
    """A refusal."""
    answer = answered("The articles do not tell.", confidence=confidence, first=first, total=total)
    return replace(answer, abstained=True, reason=reason, usage=Usage(1, 380, 0))


def row(
    question: Question,
    stage: str,
    answer: Answer | None,
    *,
    scores: dict[str, float | None] | None = None,
    gold_ranks: list[int | None] | None = None,
    gold_chosen: list[bool] | None = None,
    keyword_reply: str | None = "Repairs cost 12 million euros, the mayor said.",
    support_score: float | None = None,
) -> dict[str, Any]:
    """What `eval.results.question_row` makes of a question, from values chosen by hand."""
    return {
        "id": question.id,
        "question": question.question,
        "history": [asdict(turn) for turn in question.history],
        "kind": question.kind,
        "part": question.part,
        "task": question.task,
        "answerable": question.answerable,
        "answers": None if question.answers is None else [list(part) for part in question.answers],
        "evidence": None if question.evidence is None else [asdict(item) for item in question.evidence],
        "stage": stage,
        "scores": scores or {},
        "answer": None if answer is None else replace(answer, question=question.question).to_dict(),
        "support_score": support_score,
        "gold_ranks": gold_ranks,
        "gold_chosen": gold_chosen,
        "keyword_reply": keyword_reply,
    }


def small_rows() -> tuple[dict[str, Any], ...]:
    """One question of every stage, and one each of the tasks "search" and "support"."""
    cost = (EvidenceQuote(HARBOUR, "Repairs cost 12 million euros, the mayor said."),)
    prize = (EvidenceQuote(BAKERY, "The bakery of Olga Brandt won the national bread prize."),)
    trains = (EvidenceQuote(RAILWAY, "Trains will run from 2031 and reach 230 kilometres an hour."),)
    return (
        row(
            Question(
                "q-right",
                "What did the repairs cost?",
                (("12 million euros", "€12 million"),),
                True,
                cost,
                kind="number",
                part="plain",
            ),
            "right",
            answered("Repairs cost 12 million euros.", cite(1, cost[0].quote or ""), confidence=0.95, total=5.25),
            scores={"contained": 1.0, "f1": 0.8, "citation_precision": 1.0, "wrong_answers": 0.0},
            gold_ranks=[1],
            gold_chosen=[True],
        ),
        row(
            Question("q-refused", "Who is the mayor's wife?", (), False, (), kind="who", part="plain"),
            "rightly refused",
            refused(confidence=0.11),
            scores={"wrong_answers": 0.0},
            gold_ranks=[],
            gold_chosen=[],
        ),
        row(
            Question(
                "q-badly-cited", "Who won the bread prize?", (("Olga Brandt",),), True, prize, kind="who", part="plain"
            ),
            "right, badly cited",
            answered("Olga Brandt won it.", cite(1, "Its rye loaf has been baked since 1954.", BAKERY), confidence=0.7),
            scores={"contained": 1.0, "f1": 0.667, "citation_precision": 0.0, "wrong_answers": 0.0},
            gold_ranks=[2],
            gold_chosen=[True],
        ),
        row(
            Question("q-not-retrieved", "When do trains run?", (("2031",),), True, trains, kind="date", part="plain"),
            "not retrieved",
            refused(confidence=0.05),
            scores={"contained": 0.0, "f1": 0.0, "wrong_answers": 0.0},
            gold_ranks=[23],
            gold_chosen=[False],
        ),
        row(
            Question(
                "q-not-chosen",
                "How fast are the trains?",
                (("230 kilometres an hour", "230 km/h"),),
                True,
                trains,
                kind="number",
                part="plain",
            ),
            "retrieved, not chosen",
            refused(confidence=0.3),
            scores={"contained": 0.0, "f1": 0.0, "wrong_answers": 0.0},
            gold_ranks=[3],
            gold_chosen=[False],
        ),
        row(
            Question(
                "q-chosen-refused",
                "And what did they cost?",
                (("12 million euros",),),
                True,
                cost,
                (Message("user", "Was the harbour repaired?"), Message("assistant", "Yes, it reopened on Monday.")),
                "follow-up",
                "conversation",
            ),
            "chosen, but refused",
            refused(
                "A draft was written, but the passages do not contain “13 million”, so it was not shown.",
                confidence=0.45,
                first=1.2,
            ),
            scores={"contained": 0.0, "f1": 0.0, "wrong_answers": 0.0},
            gold_ranks=[1],
            gold_chosen=[True],
        ),
        row(
            Question(
                "q-wrong",
                "How long had the boats waited?",
                (("six weeks", "6 weeks"),),
                True,
                (EvidenceQuote(HARBOUR, "Fishing boats had waited for six weeks."),),
                kind="number",
                part="plain",
            ),
            "answered wrong",
            answered(
                "The boats had waited since Monday.",
                cite(1, "The harbour of Porto Claro reopened on Monday."),
                confidence=0.6,
            ),
            scores={"contained": 0.0, "f1": 0.182, "citation_precision": 0.0, "wrong_answers": 1.0},
            gold_ranks=[1],
            gold_chosen=[True],
        ),
        row(
            Question(
                "q-should-refuse", "What did the new boats cost?", (), False, (), kind="false-premise", part="plain"
            ),
            "should be refused",
            answered("They cost 12 million euros.", cite(1, cost[0].quote or ""), confidence=0.8),
            scores={"wrong_answers": 1.0},
            gold_ranks=[],
            gold_chosen=[],
        ),
        row(
            Question("q-not-judged", "Tell me about the bakery."),
            "not judged",
            answered("It won the national bread prize.", cite(1, prize[0].quote or "", BAKERY), confidence=0.99),
        ),
        row(
            Question(
                "q-search",
                "railway line between Linz and Passau",
                None,
                None,
                (EvidenceQuote(RAILWAY),),
                task="search",
                kind="claim",
                part="ranking",
            ),
            "right",
            None,
            scores={"ndcg@10": 1.0},
            gold_ranks=[1],
            gold_chosen=[False],
            keyword_reply=None,
        ),
        row(
            Question(
                "q-support",
                "The line will cost 46 billion euros.",
                None,
                False,
                None,
                task="support",
                kind="claim",
                part="ranking",
            ),
            "not judged",
            None,
            support_score=-1.25,
            keyword_reply=None,
        ),
    )


METRICS = {
    "contained": Estimate(0.8125, 0.75, 0.866, 6),
    "contained/plain": Estimate(0.9, 0.8, 1.0, 5),
    "f1": Estimate(0.5432, 0.4, 0.7, 6),
    "citation_precision": Estimate(0.3333, 0.0, 0.75, 3),
    "refusal_f1": Estimate(0.4, 0.1, 0.7, 8),
    "false_refusal": Estimate(0.5, 0.2, 0.8, 6),
    "refused_unanswerable": Estimate(0.5, 0.0, 1.0, 2),
    "wrong_answers": Estimate(0.25, 0.05, 0.5, 8),
    "recall@4": Estimate(0.75, 0.6, 0.9, 7),
    "total_p50_s": Estimate(4.0, 2.0, 5.25, 9),
    "tokens_in_p50": Estimate(412.0, 380.0, 412.0, 9),
    "peak_memory_mb": Estimate(3210.6, 3210.6, 3210.6, 1),
}
BASELINES = {
    "always-refuse": {
        "contained": Estimate(0.0, 0.0, 0.0, 6),
        "refusal_f1": Estimate(0.3636, 0.2, 0.5, 8),
        "wrong_answers": Estimate(0.0, 0.0, 0.0, 8),
    },
    "always-answer": {
        "contained": Estimate(0.6, 0.4, 0.8, 6),
        "refusal_f1": Estimate(0.0, 0.0, 0.0, 8),
        "wrong_answers": Estimate(0.625, 0.3, 0.9, 8),
    },
    "keyword-only": {
        "contained": Estimate(0.4567, 0.3, 0.6, 6),
        "recall@4": Estimate(0.55, 0.4, 0.7, 7),
        "total_p50_s": Estimate(0.004, 0.003, 0.005, 9),
    },
}
KINDS = {
    "number": {
        "contained": Estimate(0.3333, 0.1, 0.7, 3),
        "false_refusal": Estimate(0.3333, 0.1, 0.7, 3),
        "wrong_answers": Estimate(0.3333, 0.1, 0.7, 3),
    },
    "who": {
        "contained": Estimate(1.0, 1.0, 1.0, 1),
        "refused_unanswerable": Estimate(1.0, 1.0, 1.0, 1),
        "wrong_answers": Estimate(0.0, 0.0, 0.0, 2),
    },
    "false-premise": {"refused_unanswerable": Estimate(0.0, 0.0, 0.0, 1), "wrong_answers": Estimate(1.0, 1.0, 1.0, 1)},
}


def report(rows: tuple[dict[str, Any], ...] | None = None, **changes: Any) -> Report:
    """The small report, with other rows or fields if wanted."""
    rows = small_rows() if rows is None else rows
    stages: dict[str, int] = {}
    for one in rows:
        stages[one["stage"]] = stages.get(one["stage"], 0) + 1
    made = Report(
        suite="invented",
        title="Invented questions",
        provenance=PROVENANCE,
        complete=True,
        metrics=METRICS,
        baselines=BASELINES,
        kinds=KINDS,
        stages=stages,
        notes=("1 of 11 questions have no accepted answers; those scores leave them out.",),
        questions=rows,
    )
    return replace(made, **changes)


_PLACES = "Porto Claro,Linz,Passau,the old mill of Sankt Ulrich an der Traun,Brückl,the Upper Valley".split(",")
_ASKED = {
    "number": "How many euros did the council of {place} set aside for it?",
    "who": "Who opened the new market hall of {place}, and who refused to come?",
    "why": "Why was the bridge at {place} closed for longer than had been announced at the town meeting in spring?",
    "date": "When will trains stop in {place}?",
    "false-premise": "What did the airport of {place} cost?",
    "follow-up": "And in {place}?",
}
_STAGES = {
    "right": 14, "rightly refused": 7, "right, badly cited": 3, "not retrieved": 3, "retrieved, not chosen": 2,
    "chosen, but refused": 5, "answered wrong": 4, "should be refused": 2, "not judged": 1,
}  # fmt: skip
_LONG = (
    "Speaking after a meeting that lasted until well past midnight, the mayor said that the repairs, which had been "
    "put off for eleven years, would cost 12 million euros, of which the state pays about two thirds; the rest is to "
    "be raised by a levy on berths that the fishermen of the town have already announced they will fight in court."
)


def varied_report(count: int) -> Report:
    """A report of `count` questions with all metrics: every stage, short and long texts. Always the same one."""
    draw = random.Random(7)
    rows = tuple(_varied_row(number, draw) for number in range(1, count + 1))
    metrics: dict[str, Estimate] = {}
    for name in QUESTION_SET_METRICS:
        for part in ("", "/plain", "/conversation") if name in ("contained", "f1", "false_refusal") else ("",):
            metrics[name + part] = _varied_estimate(name, draw, count)
    kinds = {
        kind: {name: _varied_estimate(name, draw, 7) for name in ("f1", "contained", "false_refusal", "wrong_answers")}
        for kind in _ASKED
    }
    kinds["false-premise"] = {"refused_unanswerable": Estimate(0.857, 0.571, 1.0, 7)}
    baselines = {
        name: {metric: replace(estimate, value=estimate.value * share) for metric, estimate in metrics.items()}
        for name, share in (("always-refuse", 0.0), ("always-answer", 0.8), ("keyword-only", 0.6))
    }
    for metric in ("total_p50_s", "citation_precision"):
        del baselines["always-refuse"][metric]
    baselines["always-answer"]["wrong_answers"] = Estimate(0.41, 0.3, 0.5, count)
    notes = ("3 of the questions have no judged evidence; those scores leave them out.",)
    title = "Town news, invented"
    return report(rows, title=title, suite="varied", metrics=metrics, kinds=kinds, baselines=baselines, notes=notes)


def _varied_row(number: int, draw: random.Random) -> dict[str, Any]:
    (stage,) = draw.choices(list(_STAGES), weights=list(_STAGES.values()))
    unanswerable = stage in ("rightly refused", "should be refused")
    kind = "false-premise" if unanswerable else draw.choice([kind for kind in _ASKED if kind != "false-premise"])
    quote = "Repairs cost 12 million euros, the mayor said."
    other = "The bakery of Olga Brandt won the national bread prize."
    refusal = stage in ("rightly refused", "not retrieved", "retrieved, not chosen", "chosen, but refused")
    total = round(1.5 + draw.expovariate(0.25), 2)
    if refusal:
        answer = refused(confidence=round(0.6 * draw.random(), 4), total=round(0.4 * total, 2))
    else:
        text = f"Repairs cost 12 million euros. {_LONG}" if number % 5 == 0 else "Repairs cost 12 million euros."
        first = cite(1, other, BAKERY, ends=30) if "badly" in stage or "should" in stage else cite(1, quote, ends=30)
        more = (cite(2, _LONG, support=0.71),) if number % 5 == 0 else ()
        sure = round(1 - 0.4 * draw.random() ** 2, 4)
        answer = answered(text, first, *more, confidence=sure, first=round(0.5 * total, 2), total=total)
    follow_up = (
        Message("user", "What did the repairs of the harbour cost?"),
        Message("assistant", "12 million euros."),
    )
    question = Question(
        f"town-{number:03}",
        _ASKED[kind].format(place=draw.choice(_PLACES)),
        () if unanswerable else (("12 million euros", "€12 million", "twelve million"),),
        None if stage == "not judged" else not unanswerable,
        () if unanswerable else (EvidenceQuote(HARBOUR, quote), EvidenceQuote(RAILWAY, "Trains will run from 2031")),
        follow_up if kind == "follow-up" else (),
        kind,
        "conversation" if kind == "follow-up" else "plain",
    )
    wrong = float(stage in ("answered wrong", "should be refused"))
    ranks: list[int | None] = [] if unanswerable else [23, None] if stage == "not retrieved" else [1, 3]
    return row(
        question,
        stage,
        answer,
        scores={"contained": float(not refusal and not wrong), "f1": draw.random(), "wrong_answers": wrong},
        gold_ranks=ranks,
        gold_chosen=[stage not in ("not retrieved", "retrieved, not chosen")] * len(ranks),
        keyword_reply=draw.choice([quote, _LONG, ""]),
    )


def _varied_estimate(name: str, draw: random.Random, count: int) -> Estimate:
    scales = {"_mb": 3000, "_tokens": 400, "_p50": 400, "_length": 20, "_p50_s": 4, "_p95_s": 9}
    scale = next((scale for ending, scale in scales.items() if name.endswith(ending)), 1)
    value = scale * draw.uniform(0.4, 0.9)
    return Estimate(value, 0.9 * value, 1.08 * value, 1 if name.endswith("_mb") else count)
