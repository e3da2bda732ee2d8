"""Make or mend `.venv` so that it holds exactly what requirements.lock says. Standard library only.

Run again at any time: a finished set-up is recognised by its stamp in milliseconds, an interrupted one is mended and
goes on, and two at once wait for one another. What pip says is kept in `.venv/set-up.log`.
"""

import contextlib
import hashlib
import os
import re
import selectors
import shutil
import subprocess
import sys
import time
from pathlib import Path

OLDEST_PYTHON = (3, 11)

# Everything below runs on new Pythons only, but this file must still be readable for old ones: no new syntax here.
if sys.version_info < OLDEST_PYTHON:
    sys.exit(
        "Byline needs Python {}.{} or newer; {} is Python {}.{}.\n"
        "Install a newer one, or name it: make chat PYTHON=/path/to/python3.11".format(
            *OLDEST_PYTHON, sys.executable, *sys.version_info[:2]
        )
    )

TORCH = "torch==2.13.0"
# Knows where the publisher of torch keeps its CPU builds; used only where pip would take the one for CUDA.
UV = "uv==0.13.9"
# Measured: 2.0 GB installed; the rest is wheels on their way.
NEEDED_BYTES = 3_000_000_000
LOG_LINES_SHOWN = 15
NO_NETWORK_SIGNS = (
    "Failed to establish a new connection",
    "NameResolutionError",
    "Temporary failure in name resolution",
    "Network is unreachable",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "ProxyError",
    "Connection refused",
    "error resolving DNS",
    "dns error",
    "client error (Connect)",
)
NO_SPACE_SIGNS = ("No space left on device", "Disk quota exceeded", "os error 28")


class SetUpError(Exception):
    """Something that a person can mend; its text is all that they are shown."""


def main(arguments=None):
    """Bring the environment of the project in the parent folder of this file up to date; the exit code."""
    root = Path(__file__).resolve().parent.parent
    try:
        bootstrap(root)
    except SetUpError as error:
        print(f"\nSet-up stopped: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nSet-up was interrupted; the same command goes on from here.", file=sys.stderr)
        return 130
    return 0


def bootstrap(root, free_bytes=None):
    """Make `root/.venv` complete. Returns True if there was something to do. Raises SetUpError."""
    venv, stamp = root / ".venv", root / ".venv" / "byline-stamp"
    wanted = stamp_of(root)
    if is_finished(venv, stamp, wanted):
        return False
    if venv.is_symlink():
        raise SetUpError(
            f".venv is a link to {os.readlink(venv)}, and setting up would change that environment.\n"
            "Remove the link (rm .venv) and run this again, or set up where it leads to."
        )
    with exclusive(root / ".venv.lock") as lock:
        if is_finished(venv, stamp, wanted):
            return False
        with contextlib.suppress(FileNotFoundError):
            stamp.unlink()
        require_space(root, free_bytes)
        make_venv(venv, lock)
        mend(venv)
        run = Runner(venv, lock, total=len(locked_requirements(root)))
        install_cpu_torch(run)
        run.pip("Fetching and installing packages", "install", "-r", str(root / "requirements.lock"))
        run.pip("Installing Byline", "install", "--no-deps", "--no-build-isolation", "-e", str(root))
        run.pip("Checking", "check")
        # Written last and in one step: a stamp means that everything before it was done.
        temporary = stamp.with_name(f"byline-stamp.{os.getpid()}")
        temporary.write_text(wanted)
        os.replace(temporary, stamp)
        run.say("Set-up is complete.", final=True)
    return True


def stamp_of(root):
    """A hash of all that a finished environment depends on: lock, project file, Python, and the place itself."""
    digest = hashlib.sha256()
    for name in ("requirements.lock", "pyproject.toml"):
        digest.update((root / name).read_bytes())
    # Scripts in an environment hold absolute paths, so a moved one is not the same one.
    digest.update(f"{sys.version_info[:3]} {sys.platform} {root}".encode())
    return digest.hexdigest()


def is_finished(venv, stamp, wanted):
    """Whether the stamp says that this very environment is complete."""
    try:
        return stamp.read_text() == wanted and (venv / "bin" / "python").exists()
    except OSError:
        return False


def locked_requirements(root):
    """The requirement lines of the lock file."""
    lines = (root / "requirements.lock").read_text().splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


@contextlib.contextmanager
def exclusive(path):
    """Hold the set-up lock; yields its descriptor, to be handed to children.

    A child that outlives a killed parent keeps the lock, so the next set-up waits for it instead of racing with it.
    """
    try:
        import fcntl
    except ImportError:
        raise SetUpError("Windows is not supported; Byline runs on Linux, macOS and WSL.") from None
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another set-up is running in this folder; waiting for it.", file=sys.stderr, flush=True)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def require_space(root, free_bytes=None):
    """Refuse to begin what the disk cannot hold. What an interrupted set-up installed is not needed again."""
    free = (free_bytes or (lambda path: shutil.disk_usage(path).free))(root)
    present = sum(path.stat().st_size for path in (root / ".venv").rglob("*") if path.is_file())
    missing = NEEDED_BYTES - present - free
    if missing > 0:
        raise SetUpError(
            f"not enough disk space. Set-up needs about {NEEDED_BYTES / 1e9:.1f} GB in {root}; "
            f"{free / 1e9:.1f} GB are free, {missing / 1e9:.1f} GB are missing."
        )


def make_venv(venv, lock):
    """A virtual environment with a whole pip in it; one that is broken, moved or of another Python is replaced."""
    if venv.exists() and not is_usable(venv):
        shutil.rmtree(venv)
    if not venv.exists():
        made = subprocess.run(
            [sys.executable, "-m", "venv", str(venv)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            pass_fds=(lock,),
        )
        if made.returncode != 0:
            shutil.rmtree(venv, ignore_errors=True)
            raise SetUpError(explain_venv(made.stdout))


def explain_venv(output):
    """Why no virtual environment could be made, in words for a person."""
    if any(sign in output for sign in NO_SPACE_SIGNS):
        return "the disk is full."
    if "ensurepip" in output or "No module named venv" in output:
        version = "{}.{}".format(*sys.version_info[:2])
        return (
            f"this Python ({sys.executable}) cannot make virtual environments.\n"
            f"On Debian or Ubuntu: apt-get install python{version}-venv"
        )
    return "no virtual environment could be made:\n" + output.strip()


def is_usable(venv):
    """Whether the environment was made here, by this Python, to the end."""
    try:
        made_by = (venv / "pyvenv.cfg").read_text()
    except OSError:
        return False
    pips = list(packages_of(venv).glob("pip-*.dist-info/INSTALLER"))
    if str(venv) not in made_by or not pips or not (venv / "bin" / "pip").exists():
        return False
    probe = [str(venv / "bin" / "python"), "-c", "import pip, sys; print(sys.version_info[:3])"]
    try:
        answer = subprocess.run(probe, capture_output=True, text=True, check=False)
    except OSError:
        return False
    return answer.stdout.strip() == str(sys.version_info[:3])


def packages_of(venv):
    """The folder that packages are installed in."""
    return venv / "lib" / "python{}.{}".format(*sys.version_info[:2]) / "site-packages"


def mend(venv):
    """Remove what an interrupted pip left, so that pip installs those packages again; the names of what was removed.

    pip takes a package for installed as soon as its metadata is there, but writes INSTALLER only after its files.
    Folders that begin with `~` are old versions that pip had moved out of the way.
    """
    removed = []
    for path in sorted(packages_of(venv).glob("*.dist-info")):
        if not (path / "INSTALLER").exists():
            removed.append(path.name)
            shutil.rmtree(path)
    for path in sorted(packages_of(venv).glob("~*")):
        removed.append(path.name)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    return removed


def install_cpu_torch(run):
    """On Linux the ordinary torch may bring gigabytes of CUDA: where pip would take that one, use uv for torch."""
    if sys.platform != "linux" or run.has_torch() or "+cpu" in run.torch_that_pip_takes():
        return
    run.pip("Fetching uv, which finds the CPU build of torch", "install", UV)
    command = [str(run.venv / "bin" / "uv"), "pip", "install", "--python", str(run.venv / "bin" / "python")]
    try:
        run("Fetching the CPU build of torch", [*command, "--torch-backend", "cpu", "--no-deps", TORCH])
    except SetUpError as error:
        raise SetUpError(
            f"{error}\nThe package index of pip has {TORCH} with CUDA only, which is several GB, so the publisher of "
            "torch was asked for the CPU build.\n"
            "If you have its wheel, name the folder: PIP_FIND_LINKS=/folder make chat"
        ) from error


class Runner:
    """Runs installers, shows one line about it, keeps all they say in a log."""

    def __init__(self, venv, lock, total):
        self.venv = venv
        self.total = total
        self.log = venv / "set-up.log"
        self._lock = lock
        self._terminal = sys.stderr.isatty()
        self._said = ""

    def say(self, text, final=False):
        """Show `text`: in place on a terminal, otherwise once."""
        if self._terminal:
            width = shutil.get_terminal_size().columns - 1
            print("\r\033[K" + text[:width], end="\n" if final else "", file=sys.stderr, flush=True)
        elif text != self._said:
            print(text, file=sys.stderr, flush=True)
        self._said = text

    def pip(self, what, *arguments):
        """Run the environment's own pip, as the user configured it."""
        command = [str(self.venv / "bin" / "python"), "-m", "pip", *arguments]
        if arguments[0] == "install":
            command += ["--progress-bar", "off", "--no-input", "--disable-pip-version-check"]
        self(what, command)

    def __call__(self, what, command):
        """Run `command` to its end; raises SetUpError, with the end of the log, if it fails."""
        begun, collected, said = time.monotonic(), 0, []
        self.say(what + " …")
        with open(self.log, "a", encoding="utf-8") as log:
            print("$", *command, file=log, flush=True)
            for line in self._lines(command, said):
                if line:
                    print(line, file=log, flush=True)
                    collected += line.startswith("Collecting ")
                if self._terminal:
                    self.say(self._status(what, collected, time.monotonic() - begun))
        if said[-1] != 0:
            raise SetUpError(explain(what, said[:-1], self.log))

    def has_torch(self):
        """Whether the pinned torch is installed already."""
        return any(packages_of(self.venv).glob(TORCH.replace("==", "-") + "*.dist-info"))

    def torch_that_pip_takes(self):
        """The version of torch that pip would install here, such as "2.13.0+cpu".

        pip has no way to say so without fetching half a gigabyte, so it is stopped as soon as it names the file.
        """
        self.say("Looking for the CPU build of torch …")
        name = re.compile(re.escape(TORCH.replace("==", "-")) + r"(\S*?)-[cp][py]\d")
        options = ["--dry-run", "--no-deps", "--ignore-installed", "--no-input", "--disable-pip-version-check"]
        command = [str(self.venv / "bin" / "python"), "-m", "pip", "install", *options, TORCH]
        said = []
        lines = self._lines(command, said)
        for line in lines:
            found = name.search(line.replace("%2B", "+"))
            if found:
                lines.close()
                return TORCH.partition("==")[2] + found.group(1)
        self.log.write_text("\n".join(said[:-1]))
        raise SetUpError(explain("Looking for torch", said[:-1], self.log))

    def _status(self, what, collected, seconds):
        installed = len(list(packages_of(self.venv).glob("*.dist-info/INSTALLER")))
        detail = f"{max(collected, installed)} of {self.total} found, {installed} installed, " if collected else ""
        return f"{what}: {detail}{seconds:.0f} s"

    def _lines(self, command, said):
        """Yield the lines of a command as they come, and an empty one every half second of silence.

        `said` collects the lines, and the exit code as the last item. Closing the generator ends the command.
        """
        environment = dict(os.environ, PYTHONUNBUFFERED="1", NO_COLOR="1")
        child = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, pass_fds=(self._lock,)
        )
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(child.stdout, selectors.EVENT_READ)
                rest = b""
                while True:
                    if not selector.select(timeout=0.5):
                        yield ""
                        continue
                    block = os.read(child.stdout.fileno(), 65536)
                    if not block:
                        break
                    *whole, rest = (rest + block).split(b"\n")
                    for raw in whole:
                        said.append(raw.decode("utf-8", "replace").rstrip())
                        yield said[-1]
                if rest:
                    said.append(rest.decode("utf-8", "replace"))
                    yield said[-1]
            said.append(child.wait())
        finally:
            if child.poll() is None:
                child.terminate()
                child.wait()
            child.stdout.close()


def explain(what, lines, log):
    """Why an installer failed, in words for a person, with the end of what it said."""
    text = "\n".join(lines)
    if any(sign in text for sign in NO_SPACE_SIGNS):
        return f"the disk filled up ({what.lower()}). Free some space and run the same command again."
    if any(sign in text for sign in NO_NETWORK_SIGNS):
        return f"no network ({what.lower()}). It is needed once; run the same command again when there is one."
    shown = "\n".join("  " + line for line in lines[-LOG_LINES_SHOWN:])
    return f"{what} failed. The last lines of {log}:\n{shown}"


if __name__ == "__main__":
    sys.exit(main())
