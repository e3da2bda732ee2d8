"""Write requirements.lock anew: the newest versions that pyproject.toml allows, runtime and development together."""

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

HEADER = """\
# Every package that Byline is run, tested and checked with. Renew with: make lock
# torch stands without its local version: on Linux the set-up takes the CPU build, see scripts/bootstrap.py.
"""
# Packages that some machines or Pythons need and others do not have; all others are the same on Linux and macOS.
ONLY_WHERE = {
    "audioop-lts": 'python_version >= "3.13"',
    "llvmlite": 'platform_machine == "x86_64"',
    "numba": 'platform_machine == "x86_64"',
    "hf-xet": 'platform_machine == "x86_64" or platform_machine == "arm64" or platform_machine == "aarch64"',
}
# Resolved by hand, since the Python that renews the lock may not be the one that needs it.
BY_HAND = {"audioop-lts": "0.2.2"}
# Where pip finds only the ordinary torch, the resolution contains what the CPU build does without.
OF_CUDA = ("nvidia-", "cuda-", "triton")


def lock_lines(versions: Mapping[str, str]) -> list[str]:
    """The lines of the lock file for these packages: sorted, marked, without local versions."""
    pins = dict(BY_HAND)
    for name, version in versions.items():
        pins[re.sub(r"[-_.]+", "-", name).lower()] = version.partition("+")[0]
    return [
        f"{name}=={pins[name]}" + (f"; {ONLY_WHERE[name]}" if name in ONLY_WHERE else "")
        for name in sorted(pins)
        if not name.startswith(OF_CUDA)
    ]


def main() -> int:
    """Let pip resolve from nothing, without installing, and write the lock file; the exit code."""
    root = Path(__file__).resolve().parent.parent
    project = tomllib.loads((root / "pyproject.toml").read_text())
    wanted = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["dev"],
    ]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"]
        code = subprocess.run([*command, "--report", str(report), *wanted], check=False).returncode
        if code != 0:
            return code
        items = [item["metadata"] for item in json.loads(report.read_text())["install"]]
    lines = lock_lines({item["name"]: item["version"] for item in items})
    (root / "requirements.lock").write_text(HEADER + "\n".join(lines) + "\n")
    print(f"requirements.lock names {len(lines)} packages; run the tests before you keep it.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
