"""A comparison of two runs for a person at a terminal."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from eval.compare import Comparison
from eval.metrics import METRICS

_FLIPS_SHOWN = 40


def comparison_view(comparison: Comparison) -> RenderableType:
    """What differs between the runs, every score's paired difference, and the questions that flipped, worse first."""
    head = [Text(f"{comparison.compared} questions in both", style="bold")]
    if comparison.only_first or comparison.only_second:
        only = f"left out: {comparison.only_first} only in the first, {comparison.only_second} only in the second"
        head.append(Text(only, style="dim"))
    worse = sum(not flip.better for flip in comparison.flips)
    counted = f"{len(comparison.flips)} questions flipped: {len(comparison.flips) - worse} better, {worse} worse"
    return Group(
        *head,
        Text(f"A  {comparison.first}"),
        Text(f"B  {comparison.second}"),
        *(Text(f"   {name}: {one} → {two}", style="dim") for name, one, two in comparison.changes),
        Text(),
        _scores(comparison),
        Text(),
        Text(counted, style="bold"),
        *(
            Text(f"{'better' if flip.better else 'worse '}  {flip.id}: {flip.before} → {flip.after}  {flip.question}")
            for flip in comparison.flips[:_FLIPS_SHOWN]
        ),
        *([Text(f"… and {len(comparison.flips) - _FLIPS_SHOWN} more")] if len(comparison.flips) > _FLIPS_SHOWN else []),
    )


def _scores(comparison: Comparison) -> Table:
    table = Table(box=None, pad_edge=False)
    for name, side in (("score", "left"), ("A", "right"), ("B", "right"), ("B − A", "right"), ("95 %", "right")):
        table.add_column(name, justify="left" if side == "left" else "right")
    table.add_column("n", justify="right")
    table.add_column("p", justify="right")
    for name, change in comparison.scores.items():
        found = change.difference
        table.add_row(
            name,
            f"{change.first:.3f}",
            f"{change.second:.3f}",
            f"{found.value:+.3f}",
            f"{found.low:+.3f} … {found.high:+.3f}",
            str(found.n),
            f"{found.p:.3f}",
            style=_style(name, found.value, found.p),
        )
    return table


def _style(name: str, value: float, p: float) -> str:
    """Colour only where the difference is unlikely to be chance."""
    metric = METRICS.get(name)
    if p > 0.05 or value == 0 or metric is None or metric.better == "neither":
        return ""
    return "green" if (value > 0) == (metric.better == "higher") else "red"
