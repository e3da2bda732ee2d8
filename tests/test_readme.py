"""Every command and every line of Python that the README tells a reader to type is run here."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from index.paths import Home

pytestmark = [pytest.mark.model, pytest.mark.timeout(1200)]

PROJECT = Path(__file__).parent.parent
README = (PROJECT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


COMMANDS = [line for block in blocks("sh") for line in block.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> dict[str, str]:
    """A home of its own, with the models that the set-up fetched."""
    root = tmp_path_factory.mktemp("home")
    (root / "models").symlink_to(Home.from_environment().models)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BYLINE_", "MAKE", "MFLAGS"))}
    return kept | {"BYLINE_HOME": str(root), "PYTHON": sys.executable}


def run(command: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", command], cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=900, check=False
    )


def test_the_readme_has_the_commands_that_are_tested_here():
    assert COMMANDS[:3] == ["make chat", "make test", 'make ask Q="How big was Alibaba at its peak?"']
    assert all(command.startswith(("make ", ".venv/bin/byline ", ".venv/bin/python -m eval ")) for command in COMMANDS)


def test_make_test_is_what_runs_these_tests():
    targets = (PROJECT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^test:.*\n\t\$\(BIN\)/python -m pytest$", targets, flags=re.MULTILINE)
    assert "make test" in (PROJECT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", [command for command in COMMANDS if command not in ("make chat", "make test")])
def test_a_command_of_the_readme_works(command, environment, tmp_path):
    (tmp_path / "note.md").write_text("# Harbour\n\nThe harbour of Porto Claro reopened on Monday.\n")
    done = run(command.replace("ARTICLES", shlex.quote(str(tmp_path))), environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()
    if "at its peak" in command:
        assert "$858 billion" in done.stdout
    if "CEO of Snapdeal" in command:
        assert '"abstained": true' in done.stdout


def test_the_python_of_the_readme_works(environment):
    (program,) = blocks("python")
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "$212 million" in done.stdout


def test_make_chat_serves_the_page_and_gets_ready(environment):
    with subprocess.Popen(
        ["make", "chat"],
        cwd=PROJECT,
        env=environment | {"BROWSER": "true"},  # the command that does nothing, in place of a window
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as chat:
        try:
            address = _address(chat)
            deadline = time.monotonic() + 300
            while '"ready"' not in (state := _read(f"{address}/api/health")):
                assert time.monotonic() < deadline, state
                time.sleep(0.5)
            assert "Byline" in _read(address)
        finally:
            os.killpg(chat.pid, signal.SIGTERM)


def _address(chat: "subprocess.Popen[str]") -> str:
    assert chat.stdout is not None
    said = []
    for line in chat.stdout:
        said.append(line)
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            return found[0]
    raise AssertionError("".join(said))


def _read(address: str) -> str:
    for _ in range(20):
        try:
            with urlopen(address, timeout=10) as response:
                return str(response.read().decode())
        except URLError:
            time.sleep(0.5)
    raise AssertionError(f"{address} does not answer")
