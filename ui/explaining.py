"""What `byline ask --explain` shows below an answer: `rag.explanation.Explanation` as tables. Pure."""

from collections.abc import Callable, Iterable, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from index.neutral import neutral
from rag.explanation import ChosenSentence, DraftSentence, Explanation, PassageScores, Step
from rag.saying import counted
from rag.types import Answer
from ui.terminal import shortened, shown, source_line

_BAR = 24
"""Characters of the bar that is the whole time."""

_REASONS = {
    "score": "by its score",
    "article": "best of its article",
    "neighbour": "beside one of the best",
    "leaning": "the next one leans on it",
}


def explanation_view(answer: Answer) -> RenderableType:
    """Search, evidence, checks, draft and time of one answer; what was not reached is not shown."""
    found = answer.explanation
    if found is None:
        return Text("Nothing is known of how this answer came about.", style="dim")
    parts = [_passages(answer, found), _evidence(found), _checks(found), _draft(found.draft), _steps(found.steps)]
    return Group(*(line for part in parts for line in part))


def _passages(answer: Answer, found: Explanation) -> Iterable[RenderableType]:
    if not found.passages:
        return
    yield from _heading("Passages found")
    table = Table(box=None, pad_edge=False, header_style="dim")
    columns = _columns(found)
    for name in ("#", "score", *columns, "time", "read"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    by_rank = {passage.rank: passage for passage in answer.passages}
    for scores in found.passages:
        passage = by_rank.get(scores.rank)
        where = passage and source_line(passage.title, passage.source, passage.date, passage.path, page=passage.page)
        table.add_row(
            str(scores.rank),
            f"{scores.score:.3f}",
            *(_number(value(scores)) for value in columns.values()),
            f"{scores.preference:+.3f}" if scores.preference else "",
            "yes" if passage and passage.used else "",
            shown(where or "", style="dim"),
        )
    yield table


def _columns(found: Explanation) -> dict[str, Callable[[PassageScores], float | None]]:
    """Head and value of each column of scores; that of late interaction only where there was one."""
    columns: dict[str, tuple[float, Callable[[PassageScores], float | None]]] = {}
    weights = found.weights
    columns["passage"] = (weights.passage if weights else 0, lambda scores: scores.passage)
    columns["sentence"] = (weights.sentence if weights else 0, lambda scores: scores.sentence)
    columns["words"] = (weights.passage_words if weights else 0, lambda scores: scores.passage_words)
    columns["article"] = (weights.article_words if weights else 0, lambda scores: scores.article_words)
    if any(scores.words_late is not None for scores in found.passages):
        columns["late"] = (weights.words_late if weights else 0, lambda scores: scores.words_late)
    return {f"{name} ×{weight:g}" if weights else name: value for name, (weight, value) in columns.items()}


def _evidence(found: Explanation) -> Iterable[RenderableType]:
    if not found.evidence:
        return
    spent = sum(item.tokens or 0 for item in found.evidence)
    size = "" if found.evidence_tokens is None else f": {spent:,} of {found.evidence_tokens:,} tokens"
    yield from _heading(f"Sentences read{size}")
    for place, item in enumerate(found.evidence, start=1):
        yield Text.assemble(f"E{place} ", (neutral(_sum(item)), "dim"))
        yield shown(f"    {shortened(item.text)}")


def _sum(item: ChosenSentence) -> str:
    """ "0.912 = 0.700 meaning + 0.150 passage + 0.062 words · 21 tokens · by its score · a.txt"."""
    parts = ((item.similarity, "meaning"), (item.passage, "passage"), (item.words, "words"), (item.kind, "kind"))
    known = " + ".join(
        f"{value:.3f} {name}" for value, name in parts if value is not None and (value or name != "kind")
    )
    facts = [
        f"{item.score:.3f} = {known}" if known else f"{item.score:.3f}",
        *([counted(item.tokens, "token")] if item.tokens is not None else []),
        *([_REASONS[item.reason]] if item.reason else []),
        item.path,
    ]
    return " · ".join(facts)


def _checks(found: Explanation) -> Iterable[RenderableType]:
    if not found.checks:
        return
    yield from _heading("Checks")
    table = Table(box=None, pad_edge=False, show_header=False)
    for check in found.checks:
        verdict = "" if check.threshold is None else "passed" if check.passed else "failed"
        least = "" if check.threshold is None else f"at least {check.threshold:.2f}"
        table.add_row(check.name, Text(f"{check.value:.2f}", justify="right"), least, verdict)
    yield table


def _draft(sentences: Sequence[DraftSentence]) -> Iterable[RenderableType]:
    if not sentences:
        return
    yield from _heading("Draft")
    for sentence in sentences:
        cited = ", ".join(f"E{place}" for place in sentence.cited) or "nothing cited"
        facts = f" · {cited} · support {sentence.support:.2f}"
        if sentence.missing:
            facts += " · not in what it cites: " + ", ".join(f"“{fact}”" for fact in sentence.missing)
        if sentence.contradicted:
            facts += " · it says " + ", ".join(sentence.contradicted)
        yield Text.assemble(("kept" if sentence.kept else "dropped", "bold"), (neutral(facts), "dim"))
        yield shown(f"    {sentence.text}")


def _steps(steps: Sequence[Step]) -> Iterable[RenderableType]:
    if not steps:
        return
    whole = max(step.start_s + step.took_s for step in steps) or 1.0
    yield from _heading(f"Time: {whole:.2f} s")
    table = Table(box=None, pad_edge=False, show_header=False)
    for step in steps:
        before = round(_BAR * step.start_s / whole)
        length = max(1, round(_BAR * (step.start_s + step.took_s) / whole) - before)
        work = [
            *([f"{step.passes} pass{'es' if step.passes > 1 else ''}"] if step.passes else []),
            *([f"{step.tokens_read:,} read"] if step.tokens_read else []),
            *([f"{step.tokens_written:,} written"] if step.tokens_written else []),
        ]
        bar = Text(" " * min(before, _BAR - 1) + "█" * length)
        table.add_row(step.name, Text(f"{step.took_s:.3f} s", justify="right"), bar, Text(", ".join(work), style="dim"))
    yield table


def _heading(text: str) -> tuple[RenderableType, RenderableType]:
    return Text(), Text(text, style="bold")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
