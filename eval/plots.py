"""Plots of a report as SVG to stand inside an HTML page, which gives them colour (`currentColor`, `--soft`, `--rule`,
`--accent`, `--paper`) and type. The same values give the same text, on every machine.

They are drawn at the size at which they are read, so that their type is as large on a phone as on a desk.
"""

import io
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import numpy as np

from eval.metrics.confidence import ReliabilityBin

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INCHES = (4.75, 3.3)  # at 72 points an inch: 342 × 238
_POINTS_OF_TYPE = 11
# Colours that only stand for those of the page.
_INK, _SOFT, _RULE, _ACCENT, _PAPER = "#000001", "#000002", "#000003", "#000004", "#000005"
_OF_THE_PAGE = {
    _INK: "currentColor",
    _SOFT: "var(--soft)",
    _RULE: "var(--rule)",
    _ACCENT: "var(--accent)",
    _PAPER: "var(--paper)",
}
_REFERENCE = re.compile(r"#([\w-]+)")


def reliability_plot(bins: Sequence[ReliabilityBin]) -> str:
    """Mean confidence of each bin against the share of its answers that is right.

    On the diagonal, confidence tells the truth. How many questions a bin holds stands above it and is the area of its
    point.
    """

    def draw(axes: "Axes") -> None:
        axes.plot([0, 1], [0, 1], color=_RULE, linewidth=1)
        most = max((item.count for item in bins), default=1)
        for item in bins:
            size = max(4.0, 13 * (item.count / most) ** 0.5)
            axes.plot(item.confidence, item.right, marker="o", markersize=size, color=_ACCENT, clip_on=False)
            _write(axes, str(item.count), (item.low + item.high) / 2, 1.06, shift=(0, 2), color=_SOFT)
        _from_0_to_1(axes, "x")
        _from_0_to_1(axes, "y")

    return _drawn("reliability", "confidence", "share right", draw)


def risk_coverage_plot(points: Sequence[tuple[float, float]], *, always_answer: float | None = None) -> str:
    """(coverage, risk) for every bar of confidence; the last point is the run itself.

    `always_answer` is the share of wrong answers of the baseline that refuses nothing: a point of its own.
    """

    def draw(axes: "Axes") -> None:
        coverages, risks = [point[0] for point in points], [point[1] for point in points]
        highest = max([*risks, always_answer or 0.0, 0.1])
        axes.plot(coverages, risks, color=_ACCENT, linewidth=1.5)
        if points:
            axes.plot(coverages[-1:], risks[-1:], marker="o", markersize=6, color=_ACCENT, clip_on=False)
            # The two names never meet: this one stands below its point, the other above.
            left = coverages[-1] > 0.25
            _write(axes, "this run", coverages[-1], risks[-1], shift=(-4 if left else 8, -8), color=_ACCENT, left=left)
        if always_answer is not None:
            axes.plot(1, always_answer, marker="o", markersize=6, color=_INK, markerfacecolor=_PAPER, clip_on=False)
            _write(axes, "always answering", 1, always_answer, shift=(-4, 8), color=_INK, left=True)
        axes.set_ylim(-0.12 * highest, 1.15 * highest)
        axes.locator_params(axis="y", nbins=5)
        _from_0_to_1(axes, "x")

    return _drawn("risk-coverage", "share of questions answered", "share of those wrong", draw)


def time_plot(totals: Sequence[float], first_tokens: Sequence[float]) -> str:
    """The share of questions done within so many seconds: the whole answer (refusals too), and its first token."""

    def draw(axes: "Axes") -> None:
        longest = 1.02 * max([*totals, *first_tokens, 0.1])
        curves = ((totals, "whole answer", _ACCENT, ()), (first_tokens, "first token", _SOFT, (3, 2)))
        for values, name, color, dashes in curves:
            if values:
                shares = (np.arange(len(values) + 1) / len(values)).tolist()
                steps = [0.0, *sorted(values), longest], [*shares, 1.0]
                axes.plot(*steps, label=name, color=color, linewidth=1.5, drawstyle="steps-post", dashes=dashes)
        if totals or first_tokens:
            # There the curves never are: they end at the top right.
            axes.legend(loc="lower right", frameon=False, labelcolor="linecolor", fontsize=_POINTS_OF_TYPE)
        axes.set_xlim(0, longest)
        _from_0_to_1(axes, "y")

    return _drawn("time", "seconds", "share of questions", draw)


def _write(
    axes: "Axes", text: str, x: float, y: float, *, shift: tuple[float, float], color: str, left: bool | None = None
) -> None:
    """`text` so many points beside a place: above or below it as `shift` goes, and centred unless `left` is given."""
    side = "center" if left is None else "right" if left else "left"
    axes.annotate(
        text,
        (x, y),
        xytext=shift,
        textcoords="offset points",
        ha=side,
        va="top" if shift[1] < 0 else "bottom",
        color=color,
        fontsize=_POINTS_OF_TYPE,
        annotation_clip=False,
    )


def _from_0_to_1(axes: "Axes", axis: str) -> None:
    """With room for a point at either end."""
    ticks, labels = (0, 0.25, 0.5, 0.75, 1), ("0", "0.25", "0.5", "0.75", "1")
    if axis == "x":
        axes.set_xlim(-0.03, 1.03)
        axes.set_xticks(ticks, labels)
    else:
        axes.set_ylim(-0.04, 1.04)
        axes.set_yticks(ticks, labels)


def _drawn(name: str, x_label: str, y_label: str, draw: "Callable[[Axes], None]") -> str:
    # Late: matplotlib takes half a second to import, and nothing else needs it. Never pyplot: it keeps figures.
    import matplotlib
    from matplotlib.figure import Figure

    written = io.StringIO()
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # not what a matplotlibrc of this machine says
        # The salt makes ids the same every time; with `none`, text stays text.
        matplotlib.rcParams.update({"svg.hashsalt": name, "svg.fonttype": "none"})
        figure = Figure(figsize=_INCHES)
        axes = figure.add_axes((0.13, 0.165, 0.85, 0.765))
        figure.patch.set_visible(False)
        axes.patch.set_visible(False)
        for side, spine in axes.spines.items():
            spine.set_visible(side in ("left", "bottom"))
            spine.set_color(_RULE)
        axes.tick_params(color=_RULE, labelcolor=_SOFT, labelsize=_POINTS_OF_TYPE, length=3)
        axes.set_xlabel(x_label, color=_SOFT, fontsize=_POINTS_OF_TYPE)
        axes.set_ylabel(y_label, color=_SOFT, fontsize=_POINTS_OF_TYPE)
        draw(axes)
        figure.savefig(written, format="svg", metadata={"Date": None})
    return _for_a_page(written.getvalue(), name)


def _for_a_page(svg: str, name: str) -> str:
    """The drawing without what belongs to a file: namespaces, a style sheet for `*`, fonts, ids that nothing refers to.

    Styles become attributes, which a strict content security policy allows; ids begin with `name`.
    """
    root = ElementTree.fromstring(svg)
    referred = {found for node in root.iter() for value in _references(node) for found in _REFERENCE.findall(value)}
    for node in root.iter():
        for child in [child for child in node if child.tag.endswith(("}metadata", "}style"))]:
            node.remove(child)
        node.tag = node.tag.rpartition("}")[2]
        node.text, node.tail = (node.text if node.tag == "text" else None), None
        attributes = {key.rpartition("}")[2]: value for key, value in node.attrib.items()}
        attributes |= _styles(attributes.pop("style", ""))
        if attributes.get("id") not in referred:
            attributes.pop("id", None)
        node.attrib.clear()
        for key, value in attributes.items():
            value = f"{name}-{value}" if key == "id" else value
            value = _REFERENCE.sub(rf"#{name}-\1", value) if key in ("href", "clip-path") else value
            node.set(key, _OF_THE_PAGE.get(value, value))
    for key in ("width", "height", "version"):
        root.attrib.pop(key)
    root.set("class", "plot")
    root.set("aria-hidden", "true")
    return ElementTree.tostring(root, encoding="unicode")


def _references(node: ElementTree.Element) -> Iterable[str]:
    return (value for key, value in node.attrib.items() if key.endswith("}href") or key == "clip-path")


def _styles(style: str) -> dict[str, str]:
    pairs = (part.partition(":") for part in style.split(";") if part.strip())
    return {name.strip(): value.strip() for name, _, value in pairs if name.strip() != "font-family"}
