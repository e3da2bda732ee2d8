"""Python child processes that end when their parent ends, even if the parent was killed.

A kill leaves no time to clean up: without this, a killed fetch would leave pip downloading for nobody, and a killed
conversion would leave a process holding gigabytes.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

# The child's standard input is a pipe whose other end only the parent holds: end of file means that the parent is
# gone. This works on Linux and macOS alike, unlike a parent-death signal.
_RUN_UNTIL_PARENT_ENDS = """
import os, runpy, sys, threading
def watch():
    while os.read(0, 1024):
        pass
    os._exit(1)
threading.Thread(target=watch, daemon=True).start()
module = sys.argv[1]
del sys.argv[:1]
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


def start_child(
    module: str,
    arguments: Sequence[str],
    *,
    output: Path,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    read_lines: bool = False,
) -> subprocess.Popen[str]:
    """Start `python -m module arguments…` in `folder`; it ends when this process ends.

    Standard error goes to the file `output`, and standard output too unless `read_lines` asks for a pipe.
    `environment` is added to this process's own. The caller waits, and closes the child's standard input.
    """
    with open(output, "w", encoding="utf-8") as log:
        return subprocess.Popen(
            [sys.executable, "-c", _RUN_UNTIL_PARENT_ENDS, module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if read_lines else log,
            stderr=log,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            text=True,
            encoding="utf-8",
            errors="replace",
        )


def stop_child(child: "subprocess.Popen[str]") -> None:
    """End the child if it still runs, wait for it, and close its pipes."""
    if child.poll() is None:
        child.kill()
    child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()
