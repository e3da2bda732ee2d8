"""See that there is a Chromium or Chrome for the browser tests; installs one where that needs no questions."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
PLACES = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


def find_browser() -> str | None:
    """The path of an installed browser, or None."""
    found = [path for name in NAMES if (path := shutil.which(name))]
    found += [place for place in PLACES if Path(place).exists()]
    return found[0] if found else None


def main() -> int:
    """Find or install a browser; the exit code."""
    if find_browser():
        return 0
    if sys.platform == "linux" and os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing chromium for the browser tests …", file=sys.stderr, flush=True)
        quiet = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        for command in (["apt-get", "-q", "update"], ["apt-get", "-q", "install", "-y", "chromium"]):
            done = subprocess.run(command, env=quiet, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                print(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-1500:]}", file=sys.stderr)
                return 1
        if find_browser():
            return 0
    hint = {
        "darwin": "brew install --cask chromium",
        "linux": "sudo apt-get install chromium, or the like of your distribution",
    }
    print(
        "The browser tests need Chromium or Google Chrome, and none was found. "
        f"Install one: {hint.get(sys.platform, 'see the page of the Chromium project')}",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
