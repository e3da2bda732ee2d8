"""`python -m eval` as a person runs it: a question set and a suite with the small model; resumed, compared, barred."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from index.paths import Home, project_seeds

pytestmark = pytest.mark.timeout(1200)

ROWS = [
    {
        "id": "sales",
        "question": "How much did products from Xinjiang generate in sales on Tmall?",
        "answers": ["$212 million"],
        "evidence": [
            {
                "article": "001_7532c4fe6b1c635d.txt",
                "quote": "Products from Xinjiang generated $212 million in sales on Tmall",
            }
        ],
        "kind": "number",
    },
    {"id": "france", "question": "What is the capital of France?", "answerable": False, "kind": "unanswerable"},
]


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """A home with the models that the set-up fetched and no index."""
    root = tmp_path_factory.mktemp("home")
    (root / "models").symlink_to(Home.from_environment().models)
    return root


def evaluate(*arguments: object, home: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BYLINE_")}
    paths = os.pathsep.join([str(project_seeds().parent), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-m", "eval", *map(str, arguments)],
        env=kept | {"BYLINE_HOME": str(home), "BYLINE_MODEL": "small", "PYTHONPATH": paths},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.fixture(scope="module")
def questions(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("questions") / "mine.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return file


@pytest.fixture(scope="module")
def finished(home, questions) -> tuple[subprocess.CompletedProcess[str], Path]:
    """The first run, and the folder that it was started in."""
    cwd = questions.parent
    return evaluate(questions, "--fail-under", "recall@10=1,false_refusal=1", home=home, cwd=cwd), cwd


@pytest.mark.model
def test_a_run_prints_a_table_and_writes_rows_json_and_a_page(finished):
    done, cwd = finished
    assert done.returncode == 0, done.stderr
    assert "recall@10" in done.stdout
    assert "keyword-only" in done.stdout
    folder = cwd / "byline-eval" / "mine"
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "report.json", "rows.jsonl"]
    report = json.loads((folder / "report.json").read_text())
    assert {"suite", "settings", "machine", "commit", "metrics", "questions"} <= set(report)
    assert (report["suite"], report["complete"]) == ("mine", True)
    assert report["settings"]["model"] == "small"
    assert report["models"]["generator"]["fingerprint"]
    assert report["metrics"]["recall@10"] == {"value": 1.0, "low": 1.0, "high": 1.0, "n": 1}
    assert report["metrics"]["recall@10/number"] == report["metrics"]["recall@10"]
    assert [row["id"] for row in report["questions"]] == ["sales", "france"]
    assert report["questions"][0]["gold_ranks"] == [1]
    assert report["metrics"]["peak_memory_mb"]["value"] > 300
    assert str(cwd.anchor + "tmp") not in json.dumps(report["settings"])
    page = (folder / "report.html").read_text()
    assert "How much did products from Xinjiang" in page


@pytest.mark.model
def test_a_finished_run_is_resumed_without_asking_again_and_bars_set_the_exit_code(finished, home, questions):
    _, cwd = finished
    before = json.loads((cwd / "byline-eval" / "mine" / "report.json").read_text())
    done = evaluate(questions, "--resume", "--json", "--fail-under", "recall@10=2", home=home, cwd=cwd)
    assert done.returncode == 6, done.stderr
    assert "Missed: recall@10 is 1; the bar is at least 2." in done.stderr
    report = json.loads(done.stdout)
    assert report["questions"] == before["questions"]
    # Another setting is another run.
    other = evaluate(questions, "--resume", "--set", "evidence_tokens=100", home=home, cwd=cwd)
    assert other.returncode == 2
    assert "was made with other questions, code, settings" in other.stderr


@pytest.mark.model
def test_an_earlier_run_is_scored_again_and_compared_with_itself(finished, home):
    _, cwd = finished
    folder = cwd / "byline-eval" / "mine"
    before = json.loads((folder / "report.json").read_text())
    again = evaluate("--rescore", folder, "--json", home=home, cwd=cwd)
    assert again.returncode == 0, again.stderr
    scored = json.loads(again.stdout)
    assert scored["metrics"] == before["metrics"]
    assert scored["date"] == before["date"]
    compared = evaluate("--compare", folder, folder / "report.json", home=home, cwd=cwd)
    assert compared.returncode == 0, compared.stderr
    assert "2 questions in both" in compared.stdout
    assert "0 questions flipped" in compared.stdout


@pytest.mark.model
def test_a_suite_is_indexed_and_asked_within_its_own_articles(home, tmp_path):
    context = "The Panthers defense gave up just 308 points, ranking sixth in the league."
    paragraphs = [
        {
            "context": text,
            "qas": [
                {"id": key, "question": question, "answers": [{"text": answer, "answer_start": text.index(answer)}]}
            ],
        }
        for key, text, question, answer in (
            ("one", context, "How many points did the Panthers defense surrender?", "308"),
            ("two", "The Summer Theatre stood in the Saxon Garden.", "Where was the Summer Theatre?", "Saxon Garden"),
        )
    ]
    data = {"version": "1.1", "data": [{"title": "Two_things", "paragraphs": paragraphs}]}
    (tmp_path / "xquad.en.json").write_text(json.dumps(data))
    done = evaluate("--suite", "xquad", "--data", tmp_path, "--json", "--limit", 2, home=home, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["suite"] == "xquad"
    assert report["settings"]["answer_style"] == "phrase"
    assert report["metrics"]["f1"]["n"] == 2
    assert report["metrics"]["evidence_kept"]["value"] == 1.0
    assert [len(row["answer"]["passages"]) for row in report["questions"]] == [1, 1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Usage"),
        (["none.jsonl"], "none.jsonl cannot be read"),
        (["q.jsonl", "--suite", "xquad"], "Name either a file of questions or a suite"),
        (["--suite", "xquad"], "Where are the files of xquad?"),
        (["--suite", "quiz", "--data", "."], "There is no suite called 'quiz'"),
        (["--suite", "xquad", "--data", "nowhere"], "nowhere is not a folder"),
        (["q.jsonl", "--set", "evidence_tokens"], "--set evidence_tokens is not name=value"),
        (["q.jsonl", "--fail-under", "f2=1"], "'f2=1' is not a bar"),
        (["--compare", "a.json", "b.json"], "a.json cannot be read as a report"),
        (["--rescore", "nowhere"], "cannot be read as a report"),
        (["bad.jsonl"], "bad.jsonl has 2 bad rows"),
    ],
)
def test_mistakes_are_one_clear_message_before_any_model_is_loaded(tmp_path, arguments, said):
    (tmp_path / "q.jsonl").write_text('{"question": "Who?"}\n')
    (tmp_path / "bad.jsonl").write_text('{"question": ""}\n[]\n')
    done = evaluate(*arguments, home=tmp_path / "home", cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "home").exists()
