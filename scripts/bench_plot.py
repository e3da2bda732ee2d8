"""The picture of a benchmark: seconds to the first token and to the end, and where they go."""

from collections.abc import Sequence
from pathlib import Path

from bench_figures import median_estimate, waterfall
from bench_page import Found

_DARK, _LIGHT = "#1f4e79", "#9db8d2"
_STEPS = ("#1f4e79", "#4f81bd", "#9db8d2", "#c9c9c9", "#8c8c8c", "#5f5f5f", "#333333")


def draw(found: Found, file: Path) -> None:
    """Write the picture as PNG: medians over questions that were answered."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (above, below) = pyplot.subplots(2, 1, figsize=(7.5, 4.2), height_ratios=(3, 2), layout="constrained")
    for name, first, whole in reversed(times(found)):
        above.barh(name, whole, color=_LIGHT)
        above.barh(name, first, color=_DARK)
        above.annotate(f" {first:.1f} s to the first token, {whole:.1f} s in all", (whole, name), va="center")
    above.set_xlim(0, 1.8 * max(whole for _, _, whole in times(found)))
    left = 0.0
    for colour, (name, seconds) in zip(_STEPS, steps(found), strict=False):
        below.barh(found.ours[0].precision, seconds, left=left, color=colour, label=f"{name} {seconds:.2f} s")
        left += seconds
    below.legend(ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.35), frameon=False, fontsize="small")
    below.set_xlabel("seconds of an answer, medians step by step")
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)
    pyplot.close(figure)


def times(found: Found) -> list[tuple[str, float, float]]:
    """(system, median seconds to the first token, to the end) of every system that was measured whole."""
    rows = [("plain use", [item.first_token_s for item in found.naive], [item.whole_s for item in found.naive])]
    for ours in found.ours:
        answered = [item for item in ours.asked if item.answered]
        firsts, wholes = [item.first_token_s for item in answered], [item.done_s for item in answered]
        rows.append((f"Byline, {ours.precision}", firsts, wholes))
    medians = ((name, median_estimate(firsts), median_estimate(wholes)) for name, firsts, wholes in rows)
    return [(name, first.value, whole.value) for name, first, whole in medians if first and whole]


def steps(found: Found) -> Sequence[tuple[str, float]]:
    """(step, median seconds) of the answers in the first precision, longest first; what takes no time is left out."""
    asked = [item for item in found.ours[0].asked if item.answered]
    named = [(name, seconds.value) for name, _, seconds in waterfall(asked)]
    return sorted(((name, value) for name, value in named if value >= 0.005), key=lambda pair: -pair[1])
