"""One question of the HTML report as the values that its template shows."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from difflib import SequenceMatcher
from typing import Any

from eval.outcomes import file_name
from eval.showing import Row, confidence, explanation, failed, figure, said, seconds


def question_view(row: Row, asked: int, *, passages_read: int) -> dict[str, Any]:
    """Everything that the page shows of the question that was asked as number `asked` (from 1)."""
    answer = row["answer"]
    return {
        **{name: row[name] for name in ("id", "question", "history", "kind", "part", "task", "answers", "answerable")},
        "asked": asked,
        "stage": row["stage"],
        "stage_class": stage_class(row["stage"]),
        "failed": failed(row),
        "explanation": explanation(row, passages_read=passages_read),
        "said": said(row),
        "refused": answer is not None and answer["abstained"],
        "reason": answer["reason"] if answer is not None else None,
        "reply": [] if answer is None else _signed(answer["text"], answer["citations"]),
        "citations": _citations(row),
        "evidence": _evidence(row),
        "unfound": bool(row["evidence"]) and row["gold_ranks"] is None,
        "measured": _measured(row),
        "scores": [(name, figure(name, value)) for name, value in row["scores"].items() if value is not None],
        "passages": _passages(row),
        "keyword_reply": row["keyword_reply"],
        "sure": "" if answer is None else f"{confidence(row):.2f} · {seconds(answer['timings']['total_s'])}",
        "confidence": confidence(row),
        "seconds": answer["timings"]["total_s"] if answer is not None else 0.0,
    }


def stage_class(stage: str) -> str:
    """The name that the style sheet has for a stage."""
    return "stage-" + re.sub("[^a-z]+", "-", stage)


def same_place(quote: str, other: str) -> bool:
    """Whether two texts of one article are about the same place: as `Place.overlaps`, they share at least half of the
    shorter one, in one piece. Offsets are not in a report; white space does not count."""
    one, two = quote.split(), other.split()
    shorter = min(len(one), len(two))
    if not shorter:
        return False
    if f" {' '.join(one)} " in f" {' '.join(two)} " or f" {' '.join(two)} " in f" {' '.join(one)} ":
        return True
    matcher = SequenceMatcher(None, one, two, autojunk=False)
    return 2 * matcher.find_longest_match().size >= shorter


def _signed(text: str, citations: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[int]]]:
    """The text in pieces, each with the numbers of the citations that stand at its end."""
    ends: dict[int, set[int]] = {}
    for citation in citations:
        ends.setdefault(min(max(citation["answer_end"], 0), len(text)), set()).add(citation["number"])
    pieces, start = [], 0
    for end in sorted(ends):
        pieces.append((text[start:end], sorted(ends[end])))
        start = end
    return [*pieces, (text[start:], [])] if start < len(text) else pieces


def _citations(row: Row) -> list[dict[str, Any]]:
    """Each cited sentence once, by number; `judged` says whether it is evidence, None if nothing is judged."""
    if row["answer"] is None:
        return []
    distinct = {item["number"]: item for item in row["answer"]["citations"]}
    return [
        {
            "number": number,
            "quote": item["quote"],
            "title": item["title"],
            "where": _where(item),
            "support": item["support"],
            "judged": any(_shows(item, evidence) for evidence in row["evidence"]) if row["evidence"] else None,
        }
        for number, item in sorted(distinct.items())
    ]


def _evidence(row: Row) -> list[dict[str, Any]]:
    """What had to be found: alternatives that will all do, with what became of them."""
    groups: dict[object, list[Mapping[str, Any]]] = {}
    # As `eval.asking` groups them, which makes the order that of `gold_ranks`.
    for place, item in enumerate(row["evidence"] or ()):
        groups.setdefault(place if item["group"] is None else item["group"], []).append(item)
    ranks = row["gold_ranks"] or [None] * len(groups)
    chosen = row["gold_chosen"] or [False] * len(groups)
    cited = {item["number"]: item for item in (row["answer"] or {}).get("citations", ())}
    return [
        {
            "alternatives": alternatives,
            "rank": rank,
            "read": read,
            "cited": [
                number for number, item in sorted(cited.items()) if any(_shows(item, one) for one in alternatives)
            ],
        }
        for alternatives, rank, read in zip(groups.values(), ranks, chosen, strict=True)
    ]


def _passages(row: Row) -> list[dict[str, Any]]:
    return [
        {
            "rank": item["rank"],
            "score": item["score"],
            "used": item["used"],
            "title": item["title"],
            "where": _where(item),
            "text": item["text"],
            "judged": any(_shows(item, evidence) for evidence in row["evidence"] or ()),
        }
        for item in (row["answer"] or {}).get("passages", ())
    ]


def _shows(item: Mapping[str, Any], evidence: Mapping[str, Any]) -> bool:
    """Whether a citation or a passage shows a quote of the judged evidence."""
    if file_name(item["path"]) != evidence["article"]:
        return False
    return evidence["quote"] is None or same_place(evidence["quote"], item.get("quote") or item["text"])


def _where(item: Mapping[str, Any]) -> str:
    """Publisher, date, file, and the page of a PDF."""
    page = f"page {item['page']}" if item.get("page") else None
    return " · ".join(filter(None, (item["source"], _day(item["date"]), file_name(item["path"]), page)))


def _day(iso: str | None) -> str:
    """ "19 July 2018"; what is no such date stays as it is."""
    if iso is None:
        return "date unknown"
    try:
        day = date.fromisoformat(iso)
    except ValueError:
        return iso
    return f"{day.day} {day:%B} {day.year}"


def _measured(row: Row) -> list[tuple[str, str]]:
    """Confidence, seconds and tokens, with what each is."""
    answer = row["answer"]
    if answer is None:
        score = row["support_score"]
        return [] if score is None else [("log-odds of support", f"{score:+.2f}")]
    times, usage = answer["timings"], answer["usage"]
    found = [("confidence", f"{answer['confidence']:.3f}"), ("search", seconds(times["search_s"]))]
    if times["first_token_s"] is not None:
        found.append(("first token", seconds(times["first_token_s"])))
    return [
        *found,
        ("whole answer", seconds(times["total_s"])),
        ("tokens read", f"{usage['tokens_read']:,}"),
        ("tokens written", f"{usage['tokens_written']:,}"),
    ]
