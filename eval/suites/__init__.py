"""Public question sets, each read from the files its publishers give out. One file a set; to add one, write
`load(folder) -> Suite` and a line in `SUITES`.

A suite brings its articles along. They are written to disk as Markdown with what is known about them and indexed by the
ordinary indexer (`eval/corpus.py`). The files of a set are found by pattern, so another half of it loads unchanged.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from eval.outcomes import Outcome
from eval.questions import Question
from index.errors import InputError
from index.on_demand import load_entry

SUITES: dict[str, str] = {
    "scifact": "eval.suites.scifact:load",
    "squad2": "eval.suites.squad2:load",
    "xquad": "eval.suites.xquad:load",
    "clapnq": "eval.suites.clapnq:load",
    "realtimeqa": "eval.suites.realtimeqa:load",
    "multihop": "eval.suites.multihop:load",
    "rgb": "eval.suites.rgb:load",
    "evotemp": "eval.suites.evotemp:load",
    "hotpotqa": "eval.suites.hotpotqa:load",
    "mtrag": "eval.suites.mtrag:load",
    "mtrag-retrieval": "eval.suites.mtrag:load_retrieval",
    "financebench": "eval.suites.financebench:load",
    "timeqa": "eval.suites.timeqa:load",
    "qags": "eval.suites.qags:load",
}
"""Name of a suite → "module:function" of a function that takes the folder of its files."""


@dataclass(frozen=True, slots=True)
class SuiteArticle:
    """An article of a set. `name` is a file name without extension, unique in the suite; questions name the article
    `name + ".md"`. `date` is ISO 8601."""

    name: str
    text: str
    title: str | None = None
    source: str | None = None
    author: str | None = None
    date: str | None = None
    url: str | None = None

    @property
    def file(self) -> str:
        """The name by which questions refer to it."""
        return f"{self.name}.md"


@dataclass(frozen=True, slots=True)
class Suite:
    """A question set with its articles and the way it is scored officially.

    `metrics` are the names to report, the official ones first. `accuracy` is the set's own score of one outcome (0 to
    1, None if it is not scored), reported as the metric "accuracy". `settings` override the chatbot's (for example
    answer_style="phrase" where the official score compares phrases). `notes` say what a reader of figures must know.
    """

    name: str
    title: str
    articles: tuple[SuiteArticle, ...]
    questions: tuple[Question, ...]
    metrics: tuple[str, ...]
    accuracy: Callable[[Outcome], float | None] | None = None
    settings: Mapping[str, str | int | float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def load_suite(name: str, folder: Path) -> Suite:
    """The suite called `name` from the files in `folder`. Raises InputError if files are missing or not as expected."""
    if name not in SUITES:
        raise InputError(f"There is no suite called {name!r}.", help=f"Suites: {', '.join(SUITES)}.")
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder.", help=f"--data names the folder that holds the files of {name}.")
    load: Callable[[Path], Suite] = load_entry(SUITES, name, kind="suite")
    return load(folder)


def find_files(folder: Path, pattern: str, *, required: bool = True) -> tuple[Path, ...]:
    """The files below `folder` whose name fits `pattern`, in order of name. InputError if there is none and one is
    required."""
    found = tuple(sorted(folder.rglob(pattern)))
    if required and not found:
        raise InputError(f"There is no file {pattern} in {folder}.")
    return found
