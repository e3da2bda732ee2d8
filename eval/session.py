"""From what was named on the command line to a report: questions or a suite, chatbot, run, figures, files."""

import dataclasses
import json
import random
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.asking import Asker, Row
from eval.corpus import index_articles
from eval.draft import draft_questions
from eval.html import html_report
from eval.provenance import Provenance, provenance
from eval.questions import Question
from eval.reading import read_questions
from eval.results import QUESTION_SET_METRICS, Report, build_report, read_report, write_report
from eval.run import ROWS_FILE, read_rows, run_questions
from eval.suites import SUITES, Suite, SuiteArticle, load_suite
from index.build import update_index
from index.errors import InputError
from index.paths import Home
from index.progress import Progress, silent
from index.weights import ensure_model
from rag.opening import find_generator, open_chatbot, open_embedder
from rag.settings import load_settings


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be asked, and where the results go. `suite` is None for a user's own questions."""

    name: str
    title: str
    questions: tuple[Question, ...]
    folder: Path
    suite: Suite | None = None

    def run(self, overrides: Mapping[str, Any], *, resume: bool = False, progress: Progress = silent) -> Report:
        """Ask, score, and write `rows.jsonl`, `report.json` and `report.html` into the folder.

        `overrides` are settings that stand above the suite's and the environment's. Raises BylineError for everything
        that a user can mend: settings, models, index, articles that questions name but the index lacks.
        """
        home = Home.from_environment()
        suite_settings = dict(self.suite.settings) if self.suite else {}
        settings = load_settings(home, overrides=suite_settings | dict(overrides))
        if self.suite is not None:
            embedder = open_embedder(settings, home=home, progress=progress)
            articles = _needed(self.suite, self.questions)
            folder = index_articles(self.name, articles, home=home, embedder=embedder, progress=progress)
            settings = dataclasses.replace(settings, index=str(folder))
        with closing(open_chatbot(settings, home=home, progress=progress)) as chatbot:
            asker = Asker(chatbot)
            problems = asker.check(self.questions)
            made_with = provenance(
                settings,
                generator=find_generator(settings, home=home),
                embedder=ensure_model(settings.embedder, role="embedder", home=home),
                index=chatbot.index,
            )
            if any(question.task == "answer" for question in self.questions):
                progress("reading ahead", 0, 0)
                chatbot.read_ahead(wait=True)  # as a chat does before the first question comes
            done = run_questions(
                self.questions, asker, folder=self.folder, provenance=made_with, resume=resume, progress=progress
            )
        return self.score(
            done.rows, made_with, complete=done.complete, peak_memory_mb=done.peak_memory_mb, notes=problems
        )

    def score(
        self,
        rows: Sequence[Row],
        made_with: Provenance,
        *,
        complete: bool,
        peak_memory_mb: float | None = None,
        notes: Sequence[str] = (),
    ) -> Report:
        """The report of these rows, written into the folder."""
        report = build_report(
            rows,
            suite=self.name,
            title=self.title,
            provenance=made_with,
            metrics=self.suite.metrics if self.suite else QUESTION_SET_METRICS,
            accuracy=self.suite.accuracy if self.suite else None,
            complete=complete,
            peak_memory_mb=peak_memory_mb,
            notes=(*(self.suite.notes if self.suite else ()), *notes),
        )
        write_report(report, self.folder)
        (self.folder / "report.html").write_text(
            html_report(report.to_dict(kinds_among_metrics=False)), encoding="utf-8"
        )
        return report


def plan_run(
    questions: Path | None,
    *,
    suite: str | None = None,
    data: Path | None = None,
    limit: int | None = None,
    seed: int = 0,
    out: Path | None = None,
    search_only: bool = False,
) -> Plan:
    """What the command line asks for, read and checked before any model is loaded. Raises InputError.

    With `search_only`, every question that is not about a claim has the task "search", and its part keeps its name.
    """
    if (questions is None) == (suite is None):
        raise InputError(
            "Name either a file of questions or a suite.",
            help="byline eval QUESTIONS, or byline eval --suite NAME --data FOLDER",
        )
    if suite is not None:
        if data is None:
            raise InputError(f"Where are the files of {suite}?", help="Name their folder: --data FOLDER")
        loaded = load_suite(suite, data)
        asked = sample(_only_search(loaded.questions) if search_only else loaded.questions, limit, seed=seed)
        return Plan(suite, loaded.title, asked, out or Path("byline-eval", suite), loaded)
    assert questions is not None  # one of the two is there
    read = read_questions(questions)
    asked = sample(_only_search(read) if search_only else read, limit, seed=seed)
    return Plan(questions.stem, questions.name, asked, out or Path("byline-eval", questions.stem))


def rescore_run(folder: Path) -> Report:
    """Score an earlier run's rows again with the metrics of today, and write its reports anew. Raises InputError."""
    before = read_report(folder)
    rows = read_rows(folder / ROWS_FILE)
    made_with = Provenance(**{field.name: before[field.name] for field in dataclasses.fields(Provenance)})
    known = tuple(dict.fromkeys(name.partition("/")[0] for name in before["metrics"]))
    accuracies = {row["id"]: row["scores"].get("accuracy") for row in before["questions"]}
    peak = before["metrics"].get("peak_memory_mb", {}).get("value")
    report = build_report(
        rows,
        suite=before["suite"],
        title=before["title"],
        provenance=made_with,
        metrics=known if before["suite"] in SUITES else QUESTION_SET_METRICS,
        # The suite's own score needs its files; it does not change with our metrics.
        accuracy=lambda outcome: accuracies.get(outcome.question.id),
        complete=before["complete"],
        peak_memory_mb=peak,
        notes=before["notes"],
    )
    write_report(report, folder)
    (folder / "report.html").write_text(html_report(report.to_dict(kinds_among_metrics=False)), encoding="utf-8")
    return report


def draft_set(
    articles: Sequence[Path], *, out: Path, count: int, model: str | None = None, progress: Progress = silent
) -> int:
    """Write at most `count` draft questions about these articles to `out`, a line as soon as it is found; how many.

    The articles are indexed in a folder that is thrown away afterwards. Raises ArticleError, ModelError, InputError.
    """
    home = Home.from_environment()
    settings = load_settings(home, overrides={"model": model, "answer_style": "phrase"})
    written = 0
    with tempfile.TemporaryDirectory(prefix="byline-draft-") as folder:
        embedder = open_embedder(settings, home=home, progress=progress)
        update_index(Path(folder), articles, embedder=embedder, progress=progress)
        settings = dataclasses.replace(settings, index=folder)
        chatbot = open_chatbot(settings, home=home, progress=progress)
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            with open(out, "w", encoding="utf-8") as file, closing(chatbot.index):
                for draft in draft_questions(chatbot, count=count, progress=progress):
                    written += 1
                    file.write(json.dumps(draft.to_row(written), ensure_ascii=False) + "\n")
                    file.flush()
        except OSError as error:
            raise InputError(f"{out} cannot be written: {error.strerror or error}.") from error
    return written


def sample(questions: Sequence[Question], limit: int | None, *, seed: int) -> tuple[Question, ...]:
    """At most `limit` of the questions, drawn evenly over their parts, in their order; the same for the same seed."""
    if limit is None or limit >= len(questions):
        return tuple(questions)
    parts: dict[str, list[int]] = {}
    for place, question in enumerate(questions):
        parts.setdefault(question.part, []).append(place)
    draw = random.Random(seed)
    for places in parts.values():
        draw.shuffle(places)
    # One from each part in turn until there are enough: small parts are taken whole.
    rounds = (places[turn] for turn in range(len(questions)) for places in parts.values() if turn < len(places))
    chosen = {place for place, _ in zip(rounds, range(limit), strict=False)}
    return tuple(question for place, question in enumerate(questions) if place in chosen)


def _only_search(questions: Sequence[Question]) -> tuple[Question, ...]:
    return tuple(dataclasses.replace(question, task="search") for question in questions if question.task != "support")


def _needed(suite: Suite, questions: Sequence[Question]) -> list[SuiteArticle]:
    """The articles that these questions may see: all of them, unless every question is limited to some."""
    if any(question.articles is None for question in questions):
        return list(suite.articles)
    named = {name for question in questions for name in question.articles or ()}
    return [article for article in suite.articles if article.file in named]
