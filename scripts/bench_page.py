"""The page of the benchmark: what was found, as tables to read. Pure: measures nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench_figures import Asked, Bar, Limits, Ours, Plain, median_estimate, verdict, waterfall

from eval.intervals import Estimate
from eval.provenance import Provenance

NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that one run of the benchmark found. The bars are those of the first of `ours`.

    `planned` is how many questions it was to ask; of a precision that the time limit cut short, fewer were asked.
    `load` is the machine's load average (processes ready to run, over a minute) before and after.
    """

    command: str
    made_with: Provenance
    planned: int
    limits: Limits
    ours: tuple[Ours, ...]
    naive: tuple[Plain, ...]
    llama: tuple[Plain, ...]
    bars: tuple[Bar, ...]
    load: tuple[float, float]
    notes: tuple[str, ...] = ()


def page(found: Found, *, picture: str) -> str:
    """The whole page, as Markdown; `picture` is the file beside it that shows the seconds."""
    parts = [
        ["# Performance", "", "```sh", found.command, "```"],
        _made_with(found),
        *([note] for note in found.notes),
        ["## Bars", "", *bars_table(found.bars), "", f"**{verdict(found.bars)}**{_unmeasured(found.bars)}"],
        ["## Seconds", "", f"![Seconds to the first token and to the end, and where they go]({picture})"],
        _times(found),
        ["## The generator alone, and the limits of the machine", "", *_alone(found)],
        ["## Where the time of a question goes", "", *_steps(found.ours[0])],
        ["## How it is measured", "", *_method(found)],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def bars_table(bars: Sequence[Bar]) -> list[str]:
    """A row a bar: what it asks for, what was found with its interval, and whether it holds."""
    rows = [_row("bar", "goal", "found (95 %)", "n", "holds"), _row(*["---"] * 5)]
    for bar in bars:
        goal = f"{'≥' if bar.at_least else '≤'} {_number(bar.goal, bar.unit)}"
        if bar.found is None:
            rows.append(_row(bar.name, goal, f"{NOT_MEASURED}: {bar.why}", "–", "–"))
        else:
            rows.append(_row(bar.name, goal, shown(bar.found, bar.unit), bar.found.n, "yes" if bar.holds else "**no**"))
    return rows


def shown(estimate: Estimate | None, unit: str = "") -> str:
    """A figure with its interval: "1.23 s (1.1–1.4)"; a single measurement has none."""
    if estimate is None:
        return "–"
    if estimate.n == 1:
        return _number(estimate.value, unit)
    return f"{_number(estimate.value, unit)} ({_digits(estimate.low)}–{_digits(estimate.high)})"


def _made_with(found: Found) -> list[str]:
    made, limits = found.made_with, found.limits
    machine = made.machine
    flags = f" ({', '.join(limits.flags)})" if limits.flags else ""
    changes = " with changes" if made.commit.endswith("+changes") else ""
    before, after = found.load
    load = f" Load average {before:.1f} before and {after:.1f} after, of which this run is about {limits.threads}."
    if before > 1 or after > limits.threads + 0.5:
        load += " **The machine was busy with other work**: read the ratios, and those with care."
    return [
        f"Model {made.models['generator']['name']} in {' and '.join(item.precision for item in found.ours)};"
        f" **{_counted(limits.threads, 'thread')}** on {_counted(machine['cores'], 'core')} of"
        f" {machine['processor']}{flags}, {machine['memory_gb']} GB."
        f" Commit {made.commit[:10]}{changes}, {made.date[:10]};"
        f" torch {made.versions['torch']}, transformers {made.versions['transformers']}.{load}",
        "",
        f"{found.planned} questions of the seed set on {made.index['articles']} articles"
        f" ({made.index['passages']} passages). {' '.join(_outcomes(item, found.planned) for item in found.ours)}",
    ]


def _outcomes(ours: Ours, planned: int) -> str:
    """Also for judging "same answers": two refusals are the same, too."""
    refused = sum(item.abstained for item in ours.asked)
    counted = sum(item.counted for item in ours.asked)
    asked = len(ours.asked)
    cut = f" (the time limit left out {planned - asked})" if asked < planned else ""
    answered = asked - refused - counted
    return (
        f"{ours.precision}: {answered} answered by the model, {refused} refused, {counted} counted in the index{cut}."
    )


def _unmeasured(bars: Sequence[Bar]) -> str:
    names = [bar.name for bar in bars if bar.holds is None]
    return f" ({NOT_MEASURED}: {'; '.join(names)})" if names else ""


def _times(found: Found) -> list[str]:
    """Absolute times, each over all the questions that came to it: not only those that both answered."""
    names = [f"Byline, {item.precision}" for item in found.ours]
    rows = [_row("median", "naive", *names, "n, in this order"), _row(*["---"] * (3 + len(names)))]
    lines: list[tuple[str, Estimate | None, list[Estimate | None]]] = [
        ("evidence on screen", None, [_median(o, "evidence_s") for o in found.ours]),
        ("first token", median_estimate([i.first_token_s for i in found.naive]), [_first(o.asked) for o in found.ours]),
        ("… the same question again at once", None, [_median(o, "repeated_s") for o in found.ours]),
        ("… its article read ahead", None, [_first(o.ahead) for o in found.ours]),
        (
            "complete answer (naive: unchecked)",
            median_estimate([i.whole_s for i in found.naive]),
            [_done(o.asked) for o in found.ours],
        ),
        ("… its article read ahead", None, [_done(o.ahead) for o in found.ours]),
        (
            "verdict of a refusal",
            None,
            [median_estimate([i.done_s for i in o.asked if i.abstained]) for o in found.ours],
        ),
        ("… refused before a draft", None, [median_estimate(_refused_unwritten(o)) for o in found.ours]),
        ("models loaded, index opened", None, [median_estimate([o.load_s]) for o in found.ours]),
    ]
    for name, naive, ours in lines:
        counts = " / ".join(str(item.n if item else 0) for item in ([naive] if naive else []) + ours)
        rows.append(_row(name, shown(naive, "s"), *(shown(item, "s") for item in ours), counts))
    memory = (f"{item.resident_bytes / 1e9:.2f} GB" for item in found.ours)
    return [*rows, _row("resident memory, the most seen", "–", *memory, "–")]


def _alone(found: Found) -> list[str]:
    limits = found.limits
    rows = [_row("", "median (95 %)", "share of the limit"), _row(*["---"] * 3)]
    for precision, rates in limits.products.items():
        rows.append(_row(f"limit: products in {precision}", shown(_scaled(rates, 1e-9), "GFLOP/s"), "–"))
    rows.append(_row("limit: reading memory", shown(_scaled(limits.reading, 1e-9), "GB/s"), "–"))
    for ours in found.ours:
        alone, limit = ours.alone, limits.products.get(ours.precision)
        prefill, decode = median_estimate(alone.prefill), median_estimate(alone.decode)
        name = f"prefill, {ours.precision}, {alone.prompt_tokens} tokens"
        rows.append(_row(name, shown(prefill, "tokens/s"), _share(prefill, alone.operations, limit)))
        rows.append(
            _row(
                f"decode, {ours.precision}, no drafts",
                shown(decode, "tokens/s"),
                _share(decode, alone.bytes_read, limits.reading),
            )
        )
    if found.llama:
        first = found.ours[0]
        rows.append(
            _row("reply to an answer's prompt, llama.cpp", shown(_scaled([i.whole_s for i in found.llama]), "s"), "–")
        )
        replies = list(first.alone.replies_s.values())
        rows.append(_row(f"… our generator, {first.precision}, with drafts", shown(_scaled(replies), "s"), "–"))
    return rows


def _steps(ours: Ours) -> list[str]:
    """Answered and refused questions apart: they do not go the same way."""
    rows: list[str] = []
    kinds = (("answered", [i for i in ours.asked if i.answered]), ("refused", [i for i in ours.asked if i.abstained]))
    for name, asked in kinds:
        if not asked:
            continue
        rows += [] if not rows else [""]
        rows += [f"{len(asked)} {name}, {ours.precision}; medians step by step, so they need not add up:", ""]
        rows += [_row("step", "share of the question", "seconds"), _row(*["---"] * 3)]
        for step, share, seconds in waterfall(asked):
            bar = "█" * round(20 * share.value)
            rows.append(_row(step, f"{100 * share.value:.0f} % {bar}".rstrip(), shown(seconds, "s")))
    return rows or ["No question came to the model."]


def _method(found: Found) -> list[str]:
    llama = "" if found.llama else " It was not measured here."
    return [
        "Each system runs in a process of its own, after one question to warm up. Intervals: 95 %, percentile bootstrap"
        " of medians over questions (of the generator alone and of limits, over runs); ratios to the naive baseline"
        " resample both systems together, over the questions that both answered.",
        "",
        "- *Naive*: search, five windows of 200 tokens of the articles found, `transformers` `generate` in bfloat16,"
        " greedily; nothing kept between questions, no drafts, the reply unchecked.",
        "- *Byline*: the events of `Chatbot.stream`. Nothing read ahead, or cold: what the generator kept was dropped"
        " before the question. Articles read ahead, as in a chat some seconds after its start or after a first question"
        " on them: what was kept of prompts was dropped, what was read of articles was not; the reading itself, while"
        " nobody asks, is in no figure. Hot: the larger ratio of two, the same question again at once, and its article"
        " read ahead. Wordings may differ, since what is read ahead is understood in its article"
        " (`rag/read_texts.py`); same answers are of nothing read ahead.",
        "- *First token* is of the draft, and of questions whose answer stood. A refusal is timed to its verdict, also"
        " where a draft was written and withdrawn.",
        "- *llama.cpp*: through `xllamacpp`, the prompts that our generator reads for answers, whole replies; both"
        f" from nothing.{llama}",
        "- *Prefill*: the prompt of an answer, read from nothing; two operations a weight of the decoder's layers, so"
        " attention, which the limit does not hold either, counts as loss. The limit is that of the bare operator on"
        " 512 rows and the matrices of a layer.",
        "- *Decode*: one token at a time (drafts switched off); every weight once a token, the output layer included."
        " The limit is the faster of a sum and of a product of a matrix and a vector over 1 GB.",
        "- *Memory*: resident set after loading and after each question, 1 GB = 10⁹ bytes; mapped files count.",
    ]


def _first(asked: Sequence[Asked]) -> Estimate | None:
    return median_estimate([item.first_token_s for item in asked if item.answered])


def _done(asked: Sequence[Asked]) -> Estimate | None:
    return median_estimate([item.done_s for item in asked if item.answered])


def _median(ours: Ours, name: str) -> Estimate | None:
    return median_estimate([getattr(item, name) for item in ours.asked if not item.counted])


def _refused_unwritten(ours: Ours) -> list[float]:
    return [item.done_s for item in ours.asked if item.abstained and item.first_token_s is None]


def _scaled(values: Sequence[float], factor: float = 1.0) -> Estimate | None:
    return median_estimate([factor * value for value in values])


def _share(rate: Estimate | None, each: float, limit: Sequence[float] | None) -> str:
    most = median_estimate(limit or ())
    return "–" if rate is None or most is None else f"{100 * rate.value * each / most.value:.0f} %"


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _number(value: float, unit: str) -> str:
    return f"{_digits(value)} {unit}".rstrip()


def _digits(value: float) -> str:
    """Three digits that count, without an exponent."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
