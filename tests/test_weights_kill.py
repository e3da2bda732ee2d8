"""`kill -9` at ten random moments of a fetch and of a conversion: the next run recovers, and nothing outlives it.

Only the process itself is killed, not its children: pip and the converter must end by themselves.
"""

import random
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from waiting import eventually
from weights_carriers import environment, generator_spec, spec_to_json, write_gguf, write_parts

from index.paths import Home
from index.weights import list_models, verify_model
from index.weights.catalog import ModelSpec
from index.weights.disk import remove_path

KILLS = 10
SEED = 20180719


class Scene:
    """A home, a spec whose carriers pip can reach, and a way to run Byline's part in a process of its own."""

    def __init__(self, folder: Path, data: bytes, *, parts: int) -> None:
        self.home = Home(folder / "home")
        self.spec: ModelSpec = generator_spec(data, parts=parts)
        self.staging = self.home.staging / self.spec.name
        self._environment = environment(folder / "carriers")
        write_parts(folder / "carriers", self.spec, data)
        (folder / "spec.json").write_text(spec_to_json(self.spec))
        script = Path(__file__).with_name("weights_carriers.py")
        self._command = [sys.executable, str(script), str(self.home.root), str(folder / "spec.json")]
        self._log = folder / "log.txt"

    def start(self, action: str) -> subprocess.Popen[bytes]:
        with open(self._log, "wb") as log:
            return subprocess.Popen(
                [*self._command, action], env=self._environment, stdout=log, stderr=subprocess.STDOUT
            )

    def run(self, action: str) -> float:
        """Run to the end; the seconds it took."""
        begun = time.monotonic()
        code = self.start(action).wait(timeout=300)
        assert code == 0, self._log.read_text()
        return time.monotonic() - begun

    def kill_after(self, action: str, seconds: float) -> None:
        process = self.start(action)
        time.sleep(seconds)
        process.kill()
        process.wait()

    def orphans(self) -> list[list[str]]:
        """The command lines of processes that still work in this home."""
        found = []
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or []
            if any(str(self.home.root) in word for word in words):
                found.append(words)
        return found

    def wait_without_orphans(self) -> None:
        eventually(lambda: not self.orphans())
        assert self.orphans() == []

    def staged(self) -> list[str]:
        return sorted(path.name for path in self.staging.iterdir())


def _moments(longest: float) -> list[float]:
    random_moments = random.Random(SEED)
    return [random_moments.uniform(0.02, 1.0) * longest for _ in range(KILLS)]


def test_killed_fetch_recovers(tmp_path: Path) -> None:
    data = random.Random(SEED).randbytes(3_000_000)
    scene = Scene(tmp_path, data, parts=2)
    whole = scene.run("fetch")
    for moment in _moments(whole):
        remove_path(scene.staging)
        scene.kill_after("fetch", moment)
        published = scene.staging / "weights.gguf"
        assert not published.exists() or published.read_bytes() == data
        scene.run("fetch")
        assert published.read_bytes() == data
        assert scene.staged() == ["weights.gguf"]
        scene.wait_without_orphans()


@pytest.mark.timeout(1200)
def test_killed_conversion_recovers(tmp_path: Path) -> None:
    write_gguf(tmp_path / "tiny.gguf")
    data = (tmp_path / "tiny.gguf").read_bytes()
    scene = Scene(tmp_path, data, parts=1)
    catalog = {scene.spec.name: scene.spec}

    def stage() -> None:
        """As after a finished fetch, so that every kill falls into the conversion."""
        remove_path(scene.home.models)
        scene.staging.mkdir(parents=True, exist_ok=True)
        (scene.staging / "weights.gguf").write_bytes(data)

    stage()
    whole = scene.run("model")
    expected = verify_model("tiny", scene.home, catalog=catalog)
    for moment in _moments(whole):
        stage()
        scene.kill_after("model", moment)
        # Either nothing is there, or all of it.
        if list_models(scene.home, catalog=catalog)[0].state != "missing":
            assert verify_model("tiny", scene.home, catalog=catalog) == expected
        scene.run("model")
        assert verify_model("tiny", scene.home, catalog=catalog) == expected
        assert not scene.staging.exists()
        scene.wait_without_orphans()
