"""The two-command set-up: its environment is complete or it says why not, and a question arrives as it was typed.

Every set-up here is a real one, in a project of two tiny packages, with pip and without a network.
"""

import ast
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType

import pytest
from weights_carriers import environment, write_wheel

ROOT = Path(__file__).resolve().parent.parent


def load_script(name: str) -> ModuleType:
    specification = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


bootstrap = load_script("bootstrap")
renew_lock = load_script("renew_lock")

BACKEND = """
import zipfile
NAME = "tiny_project-1.0-py3-none-any.whl"
def build_editable(folder, config_settings=None, metadata_directory=None):
    with zipfile.ZipFile(f"{folder}/{NAME}", "w") as wheel:
        wheel.writestr("tiny_project.py", "")
        info = "tiny_project-1.0.dist-info"
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: tiny-project\\nVersion: 1.0\\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/RECORD", "")
    return NAME
"""


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All that pip can find in this test."""
    folder = tmp_path / "wheels"
    write_wheel(folder, "tiny-a==1.0", {"tiny_a/data.txt": b"a"})
    write_wheel(folder, "tiny-b==2.0", {"tiny_b/data.txt": b"b"})
    write_wheel(folder, "torch==2.13.0+cpu", {"torch/data.txt": b"cpu"})
    for name, value in environment(folder).items():
        if name.startswith("PIP_"):
            monkeypatch.setenv(name, value)
    return folder


@pytest.fixture
def project(tmp_path: Path, wheels: Path) -> Path:
    root = tmp_path / "a project"
    (root / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "bootstrap.py", root / "scripts")
    (root / "requirements.lock").write_text("# tiny\ntiny-a==1.0\ntiny-b==2.0\ntorch==2.13.0\n")
    (root / "backend.py").write_text(BACKEND)
    (root / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "tiny-project"\nversion = "1.0"\n'
    )
    return root


def packages(root: Path) -> Path:
    return bootstrap.packages_of(root / ".venv")


def installed(root: Path) -> dict[str, str]:
    names = ("tiny_a", "tiny_b", "torch")
    return {name: path.read_text() for name in names if (path := packages(root) / name / "data.txt").exists()}


COMPLETE = {"tiny_a": "a", "tiny_b": "b", "torch": "cpu"}


def test_setting_up_twice_does_it_once_and_mends_what_was_interrupted(project: Path) -> None:
    assert bootstrap.bootstrap(project) is True
    assert installed(project) == COMPLETE
    begun = time.perf_counter()
    assert bootstrap.bootstrap(project) is False
    assert time.perf_counter() - begun < 0.1

    # As a kill leaves it: metadata is there, a file is missing, INSTALLER was not written, an old version lies aside.
    (project / ".venv" / "byline-stamp").unlink()
    (packages(project) / "tiny_a-1.0.dist-info" / "INSTALLER").unlink()
    (packages(project) / "tiny_a" / "data.txt").unlink()
    (packages(project) / "~iny_a").mkdir()
    (packages(project) / "~iny_a" / "old.txt").write_text("old")
    assert bootstrap.bootstrap(project) is True
    assert installed(project) == COMPLETE
    assert list(packages(project).glob("~*")) == []

    # Another lock is another environment.
    write_wheel(project.parent / "wheels", "tiny-a==1.1", {"tiny_a/data.txt": b"newer"})
    lock = project / "requirements.lock"
    lock.write_text(lock.read_text().replace("tiny-a==1.0", "tiny-a==1.1"))
    assert bootstrap.bootstrap(project) is True
    assert installed(project) == {**COMPLETE, "tiny_a": "newer"}


def test_broken_or_moved_environment_is_made_anew(project: Path) -> None:
    bootstrap.bootstrap(project)
    moved = project.rename(project.with_name("moved"))
    assert bootstrap.is_usable(moved / ".venv") is False
    assert bootstrap.bootstrap(moved) is True
    answer = subprocess.run([moved / ".venv" / "bin" / "pip", "--version"], capture_output=True, text=True, check=True)
    assert str(packages(moved)) in answer.stdout
    (packages(moved) / next(packages(moved).glob("pip-*.dist-info")).name / "INSTALLER").unlink()
    assert bootstrap.is_usable(moved / ".venv") is False


def test_killed_set_up_goes_on_and_two_at_once_wait(project: Path) -> None:
    command = [sys.executable, str(project / "scripts" / "bootstrap.py")]
    for seconds in (1.0, 4.0):
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.wait()
    (project / ".venv" / "byline-stamp").unlink(missing_ok=True)  # on a fast machine the second one was not killed
    # A third one, this test, holds the lock until both are seen to wait: how fast the machine is does not matter.
    with bootstrap.exclusive(project / ".venv.lock"):
        both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
        first_lines = [process.stderr.readline() for process in both]
    said = [process.communicate(timeout=300)[1].splitlines() for process in both]
    assert first_lines == ["Another set-up is running in this folder; waiting for it.\n"] * 2
    assert [process.returncode for process in both] == [0, 0]
    assert sum("Set-up is complete." in lines for lines in said) == 1
    assert installed(project) == COMPLETE
    assert subprocess.run(command, capture_output=True, text=True, check=True).stderr == ""


def test_torch_for_cuda_is_left_to_uv(project: Path, wheels: Path) -> None:
    next(wheels.glob("torch-*")).unlink()
    write_wheel(wheels, "torch==2.13.0", {"torch/data.txt": b"cuda"})
    recorder = (
        "#!/usr/bin/env python3\nimport json, pathlib, sys\n"
        "pathlib.Path(__file__).parents[1].joinpath('uv.json').write_text(json.dumps(sys.argv[1:]))\n"
    )
    script = zipfile.ZipInfo(f"uv-{bootstrap.UV.partition('==')[2]}.data/scripts/uv")
    script.external_attr = 0o100755 << 16
    with zipfile.ZipFile(write_wheel(wheels, bootstrap.UV, {}), "a") as archive:
        archive.writestr(script, recorder)
    bootstrap.bootstrap(project)
    assert json.loads((project / ".venv" / "uv.json").read_text()) == [
        *["pip", "install", "--python", str(project / ".venv" / "bin" / "python")],
        *["--torch-backend", "cpu", "--no-deps", "torch==2.13.0"],
    ]


def test_missing_package_is_one_message_with_the_end_of_the_log(project: Path, wheels: Path) -> None:
    next(wheels.glob("tiny_b-*")).unlink()
    with pytest.raises(bootstrap.SetUpError) as raised:
        bootstrap.bootstrap(project)
    assert str(raised.value).startswith("Fetching and installing packages failed. The last lines of ")
    assert "No matching distribution found for tiny-b==2.0" in str(raised.value)
    assert not (project / ".venv" / "byline-stamp").exists()


def test_an_environment_that_is_a_link_is_not_touched(project: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "byline-stamp").write_text("of another project")
    (project / ".venv").symlink_to(elsewhere)
    with pytest.raises(bootstrap.SetUpError, match=f".venv is a link to {re.escape(str(elsewhere))}, and"):
        bootstrap.bootstrap(project)
    assert (elsewhere / "byline-stamp").read_text() == "of another project"


def test_no_space_says_how_much_is_missing(project: Path) -> None:
    with pytest.raises(bootstrap.SetUpError) as raised:
        bootstrap.bootstrap(project, free_bytes=lambda path: 1_000_000_000)
    assert str(raised.value) == (
        f"not enough disk space. Set-up needs about 3.0 GB in {project}; 1.0 GB are free, 2.0 GB are missing."
    )
    assert not (project / ".venv").exists()


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["Temporary failure in name resolution"], "no network (fetching). It is needed once"),
        (["ERROR: [Errno 28] No space left on device"], "the disk filled up (fetching)."),
        (["cause: error resolving DNS"], "no network (fetching)."),
        (["one", "two"], "Fetching failed. The last lines of /log:\n  one\n  two"),
    ],
)
def test_failures_are_explained(lines: list[str], expected: str) -> None:
    assert bootstrap.explain("Fetching", lines, Path("/log")).startswith(expected)


def test_missing_venv_module_is_explained() -> None:
    told = bootstrap.explain_venv("The virtual environment was not created because ensurepip is not available.")
    assert "On Debian or Ubuntu: apt-get install python3." in told


def test_old_python_gets_one_clear_message() -> None:
    source = (ROOT / "scripts" / "bootstrap.py").read_text()
    # An old Python must get as far as the check, so it must be able to read the file.
    ast.parse(source, feature_version=(3, 7))
    code = (
        "import runpy, sys\nsys.version_info = (3, 8, 1, 'final', 0)\nrunpy.run_path(sys.argv[1], run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(ROOT / "scripts" / "bootstrap.py")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == (
        f"Byline needs Python 3.11 or newer; {sys.executable} is Python 3.8.\n"
        "Install a newer one, or name it: make chat PYTHON=/path/to/python3.11\n"
    )


def test_lock_names_everything_that_the_project_asks_for() -> None:
    lines = bootstrap.locked_requirements(ROOT)
    pinned = {}
    for line in lines:
        found = re.fullmatch(r"([a-z0-9-]+)==([0-9a-z.]+)(; .+)?", line)
        assert found is not None, line
        pinned[found[1]] = found[2]
    assert list(pinned) == sorted(pinned)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["dev"],
    ]
    names = {re.split(r"[<>=\[;]", requirement)[0].lower().replace("_", "-") for requirement in wanted}
    assert names - set(pinned) == set()
    assert pinned["torch"] == bootstrap.TORCH.partition("==")[2]


def test_lock_lines_are_sorted_marked_and_without_cuda() -> None:
    assert renew_lock.lock_lines(
        {"torch": "2.13.0+cpu", "hf_xet": "1.8.0", "Jinja2": "3.1.6", "nvidia-nccl-cu13": "2", "triton": "3"}
    ) == [
        'audioop-lts==0.2.2; python_version >= "3.13"',
        'hf-xet==1.8.0; platform_machine == "x86_64" or platform_machine == "arm64" or platform_machine == "aarch64"',
        "jinja2==3.1.6",
        "torch==2.13.0",
    ]


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """The real Makefile, above a set-up that does nothing and a byline that writes down what it was given."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "bootstrap.py").write_text("")
    shutil.copy(ROOT / "Makefile", tmp_path)
    byline = tmp_path / ".venv" / "bin" / "byline"
    byline.parent.mkdir(parents=True)
    byline.write_text(
        f"#!{sys.executable}\nimport json, os, sys\n"
        "print(json.dumps({'arguments': sys.argv[1:], 'model': os.environ.get('BYLINE_MODEL')}))\n"
    )
    byline.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(
    "question",
    [
        "How big was Alibaba at its peak?",
        """What does "big" mean, and what's 'it'?""",
        "Who paid $212 or $HOME or ${HOME} or $$ or $(HOME)?",
        "`touch evil` $(touch evil) $(shell touch evil) ; touch evil & | > evil",
        r"a back\slash, 100 % and a # sign \\",
        "$(unfinished ${reference",
        "--help me",
        "Wie groß? 多大？ 🙂",
    ],
)
def test_question_arrives_as_it_was_typed(made: Path, question: str) -> None:
    from_command_line = ["make", "-s", "ask", f"Q={question}", "BYLINE_MODEL=small"]
    done = subprocess.run(from_command_line, cwd=made, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"arguments": ["ask", "--", question], "model": "small"}
    done = subprocess.run(
        ["make", "-s", "ask"], cwd=made, env={**os.environ, "Q": question}, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["arguments"] == ["ask", "--", question]
    assert not (made / "evil").exists()


def test_make_without_a_question_or_a_python(made: Path) -> None:
    done = subprocess.run(["make", "-s", "ask"], cwd=made, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith('Ask something: make ask Q="')
    done = subprocess.run(
        ["make", "-s", "chat", "PYTHON=/no/python"], cwd=made, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("Byline needs Python 3.11 or newer; PYTHON=/no/python is not, or does not run.")


def test_help_names_every_public_target() -> None:
    done = subprocess.run(["make", "-s"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert [line.split()[1] for line in done.stdout.splitlines()] == [
        *["help", "setup", "chat", "ask", "models", "index", "eval", "bench", "check", "test", "lock", "clean"]
    ]


def test_continuous_integration_runs_what_a_person_runs() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text().splitlines()[-1] == "make test"
