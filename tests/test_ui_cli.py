"""The command line, as a program is run: exit codes, JSON, what is imported."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from index.paths import Home, project_seeds

RUN = "from ui.cli import main; main()"


def byline(*arguments: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BYLINE_")}
    return subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        env=kept | {"BYLINE_HOME": str(home)} | environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """A home with the models that the set-up fetched and no index."""
    root = tmp_path_factory.mktemp("home")
    (root / "models").symlink_to(Home.from_environment().models)
    return root


def test_help_answers_at_once_without_heavy_imports(tmp_path):
    program = (
        "import sys, time; from ui import cli\n"
        "try: cli.app(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'transformers', 'gradio', 'faiss', 'sentence_transformers', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    took = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        # Processor time: the clock would also count what else the machine is doing.
        took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(took) < 0.5


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "said"),
    [
        (["ask"], {}, 2, "Missing argument"),
        (["nonsense"], {}, 2, "No such command"),
        (["index", "status"], {}, 4, "There is no index"),
        (["index", "add"], {}, 2, "No article is named"),
        (["models", "verify", "huge"], {}, 3, "huge"),
        (["ask", "Who?"], {"BYLINE_EVIDENCE_TOKENS": "many"}, 2, "evidence_tokens must be"),
        (["ask", "Who?", "--since", "2018-7"], {}, 2, "Dates are written 2018, 2018-07 or 2018-07-19."),
        (["ask", "Who?", "--since", "2019", "--until", "2018"], {}, 2, "end before they begin"),
        (["ask", "Who?", "--budget", "soon"], {}, 2, "--budget is 'soon'; it must be a number of seconds."),
        (["ask", "Who?", "--budget=-3"], {}, 2, "--budget is '-3'; it must be a number of seconds."),
        (["ask", "Who?", "--budget", "3s", "--since", "2018-7"], {}, 2, "Dates are written"),
        (["ask", "Who?"], {"BYLINE_SECONDS": "-1"}, 2, "seconds is -1.0; it must be 0 (no limit) or more."),
        (["eval", "missing.jsonl"], {}, 2, "cannot be read"),
    ],
)
def test_a_mistake_is_one_message_and_an_exit_code(tmp_path, arguments, environment, code, said):
    done = byline(*arguments, home=tmp_path, **environment)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_models_are_listed_as_json_without_any_being_here(tmp_path):
    done = byline("models", "list", "--json", home=tmp_path)
    assert done.returncode == 0
    assert [(row["name"], row["state"]) for row in json.loads(done.stdout)] == [
        ("default", "missing"),
        ("small", "missing"),
        ("minilm", "missing"),
    ]


def test_doctor_names_the_command_for_each_problem(tmp_path):
    done = byline("doctor", "--json", home=tmp_path)
    assert done.returncode == 1
    problems = {check["name"]: check["help"] for check in json.loads(done.stdout) if check["state"] == "problem"}
    assert problems["Embedder"] == "byline models fetch minilm"
    assert problems["Generator"] == "byline models fetch default"
    assert set(problems) == {"Embedder", "Generator", "Index"}


@pytest.mark.model
def test_articles_are_added_shown_and_removed(home, tmp_path):
    added = byline("index", "add", str(project_seeds()), "--json", home=home)
    assert added.returncode == 0, added.stderr
    assert added.stderr == ""  # progress is for terminals only
    paths = json.loads(added.stdout)["added"]
    assert paths == sorted(f"seeds/{path.name}" for path in project_seeds().iterdir())
    again = byline("index", "add", str(project_seeds()), home=home)
    assert again.stdout == "0 added, 0 replaced, 4 unchanged, 0 removed\n"

    status = json.loads(byline("index", "status", "--json", home=home).stdout)
    first = status["articles"][0]
    assert (first["path"], first["source"], first["date"]) == (paths[0], "Daily Times", "2018-07-19")
    shown = json.loads(byline("index", "show", first["id"], "--json", home=home).stdout)
    assert shown["text"] == (project_seeds() / Path(paths[0]).name).read_text(encoding="utf-8")

    removed = byline("index", "remove", first["id"], home=home)
    assert removed.stdout == "0 added, 0 replaced, 0 unchanged, 1 removed\n"
    gone = byline("index", "remove", first["id"], home=home)
    assert (gone.returncode, gone.stdout) == (2, "")
    bad = tmp_path / "picture.txt"
    bad.write_bytes(b"\x00\x01\x02" * 100)
    assert byline("index", "add", str(bad), home=home).returncode == 2
    assert json.loads(byline("index", "status", "--json", home=home).stdout)["generation"] == 2


@pytest.mark.model
def test_ask_prints_the_same_json_as_python_and_a_readable_answer(home):
    question = "How much did products from Xinjiang generate in sales on Tmall?"
    printed = byline("ask", question, "--json", "--model", "small", home=home)
    assert printed.returncode == 0, printed.stderr
    assert printed.stderr == ""
    value = json.loads(printed.stdout)
    program = (
        f"import json; from rag import answer\nprint(json.dumps(answer({question!r}).to_dict(), ensure_ascii=False))"
    )
    environment = {"BYLINE_HOME": str(home), "BYLINE_MODEL": "small"}
    direct = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | environment, capture_output=True, text=True, check=True
    )
    expected = json.loads(direct.stdout)
    for one in (value, expected):
        del one["timings"]
    assert value == expected
