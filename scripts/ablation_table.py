"""What each part of search is worth: runs with one part off, beside the whole, as a table.

    byline eval --suite NAME --data FOLDER --search-only --out RUNS/whole/NAME
    byline eval --suite NAME --data FOLDER --search-only --set words_late_weight=0 --out RUNS/no-late/NAME
    python scripts/ablation_table.py RUNS METRIC… > docs/results/ablation.md

RUNS holds a folder for each variant, and in it one for each suite. A cell is the figure with its 95 % interval.
"""

import argparse
import json
import sys
from pathlib import Path


def main() -> int:
    """Print the tables; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path)
    parser.add_argument("metrics", nargs="+")
    options = parser.parse_args()
    variants = sorted(folder.name for folder in options.runs.iterdir() if folder.is_dir())
    suites = sorted({folder.name for variant in variants for folder in (options.runs / variant).iterdir()})
    for suite in suites:
        print(f"\n## {suite}\n")
        print(f"| variant | {' | '.join(options.metrics)} | questions |")
        print("|---" * (len(options.metrics) + 2) + "|")
        for variant in variants:
            report = options.runs / variant / suite / "report.json"
            if report.exists():
                print(row(variant, json.loads(report.read_text(encoding="utf-8")), options.metrics))
    return 0


def row(variant: str, report: dict, metrics: list[str]) -> str:
    """One line of the table; – where a suite does not have the metric."""
    cells = []
    counts = []
    for name in metrics:
        found = report["metrics"].get(name)
        cells.append("–" if found is None else f"{found['value']:.3f} ({found['low']:.3f}–{found['high']:.3f})")
        counts += [found["n"]] if found else []
    return f"| {variant} | {' | '.join(cells)} | {max(counts, default=0)} |"


if __name__ == "__main__":
    sys.exit(main())
