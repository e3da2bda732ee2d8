"""Gather the reports of several evaluation runs into `docs/results/`: one table to read, one file of figures a run.

Questions, answers and articles stay out: of public sets nothing but figures goes into the repository.

    python scripts/collect_results.py byline-eval docs/results --name baseline
"""

import argparse
import json
from pathlib import Path
from typing import Any

# Figures of a busy or another machine are not compared, and most of these only fill the page.
LEFT_OUT = ("_s", "_mb", "_p50")
# Parts are shown for so many metrics of a suite; the files have all of them.
OFFICIAL = 5
KEPT = ("suite", "title", "commit", "date", "settings", "models", "index", "machine", "versions", "complete", "metrics")


def main() -> None:
    """Read every `report.json` below the first folder, write into the second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reports", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--name", required=True)
    arguments = parser.parse_args()
    reports = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(arguments.reports.glob("*/report.json"))]
    folder = arguments.target / arguments.name
    folder.mkdir(parents=True, exist_ok=True)
    for report in reports:
        figures = {name: report[name] for name in KEPT} | {"baselines": report["baselines"], "stages": report["stages"]}
        text = json.dumps(_rounded(figures), ensure_ascii=False, indent=1)
        (folder / f"{report['suite']}.json").write_text(text + "\n", encoding="utf-8")
    (arguments.target / f"{arguments.name}.md").write_text(page(reports), encoding="utf-8")


def page(reports: list[dict[str, Any]]) -> str:
    """The whole page: what the runs were made with, then a table each."""
    lines = ["# Results", "", *overview(reports), ""]
    for report in reports:
        machine, model = report["machine"], report["models"]["generator"]["name"]
        lines += [
            f"## {report['title']} (`{report['suite']}`)",
            "",
            f"{len(report['questions'])} questions · model {model} · commit {report['commit'][:10]} · "
            f"{report['date'][:10]} · {machine['processor']}, {machine['threads']} threads, {machine['precision']}"
            + ("" if report["complete"] else " · **interrupted**"),
            "",
            *table(report),
            "",
            "What became of them: " + ", ".join(f"{stage} {count}" for stage, count in report["stages"].items()) + ".",
            "",
            *(f"- {note}" for note in report["notes"]),
            "",
        ]
    return "\n".join(lines).rstrip() + "\n"


def overview(reports: list[dict[str, Any]]) -> list[str]:
    """The first two metrics of each run, which are the official ones."""
    lines = ["| run | first figure | keyword-only | second figure | keyword-only |", "|---|---|---|---|---|"]
    for report in reports:
        names = [name for name in report["metrics"] if "/" not in name][:2]
        cells = []
        for name in names:
            found = report["metrics"][name]
            shown = f"{name} {found['value']:.3f} ({found['low']:.3f}–{found['high']:.3f}, n {found['n']})"
            cells += [shown, _shown(report["baselines"]["keyword-only"].get(name))]
        lines.append(f"| {report['suite']} | " + " | ".join(cells) + " |")
    return lines


def table(report: dict[str, Any]) -> list[str]:
    """Each figure with interval and n, beside the baselines."""
    baselines = report["baselines"]
    lines = [
        "| metric | value | 95 % | n | " + " | ".join(baselines) + " |",
        "|---|---|---|---|" + "---|" * len(baselines),
    ]
    official = list(dict.fromkeys(name.partition("/")[0] for name in report["metrics"]))[:OFFICIAL]
    for name, found in report["metrics"].items():
        metric, _, part = name.partition("/")
        if metric.endswith(LEFT_OUT) or (part and metric not in official):
            continue
        others = " | ".join(_shown(others.get(name)) for others in baselines.values())
        interval = f"{found['low']:.3f}–{found['high']:.3f}"
        lines.append(f"| {name} | {found['value']:.3f} | {interval} | {found['n']} | {others} |")
    return lines


def _shown(found: dict[str, float] | None) -> str:
    return "–" if found is None else f"{found['value']:.3f}"


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {name: _rounded(item) for name, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list) else value


if __name__ == "__main__":
    main()
