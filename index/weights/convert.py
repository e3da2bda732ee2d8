"""Conversion in a process of its own, which gives its memory back and whose crash is only an error here.

The work itself is in `unpack.py`; this module knows how to start it, watch it and explain its end.
"""

from pathlib import Path

from index.errors import ConversionError, ResourceError
from index.progress import Progress
from index.weights.children import start_child, stop_child

CONVERTER_VERSION = 1
"""Raised when stored models must be made anew."""

NO_SPACE_EXIT = 28
REFUSED_EXIT = 29


def convert_gguf(source: Path, folder: Path, *, what: str, progress: Progress) -> None:
    """Convert the GGUF file `source` into the new folder `folder`; reports percent.

    Raises ConversionError, and ResourceError if the disk is full or memory runs out; `folder` is then half-made.
    """
    log = folder.with_name(folder.name + ".log")
    child = start_child(
        "index.weights.unpack",
        [str(source.absolute()), str(folder.absolute())],
        output=log,
        folder=Path(__file__).resolve().parents[2],
        environment={
            "HF_HUB_OFFLINE": "1",
            "TRANSFORMERS_VERBOSITY": "error",
            "TOKENIZERS_PARALLELISM": "false",
        },
        read_lines=True,
    )
    try:
        assert child.stdout is not None
        for line in child.stdout:
            done, _, total = line.partition(" ")
            if done.isdigit() and total.strip().isdigit():
                progress(what, int(done), int(total))
        code = child.wait()
    finally:
        stop_child(child)
    if code == 0:
        log.unlink(missing_ok=True)
        return
    lines = [line for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    last_line = lines[-1] if lines else f"exit code {code}"
    if code == NO_SPACE_EXIT:
        raise ResourceError(
            f"The disk filled up during {what}.", help="Free some space, or set BYLINE_HOME to a larger disk."
        )
    if code < 0 or last_line.startswith(("MemoryError", "numpy._core._exceptions._ArrayMemoryError")):
        raise ResourceError(
            f"The process that was {what} was ended by the system (exit code {code}); memory may have run out.",
            help="Close other programs and run the same command again, or choose the model with BYLINE_MODEL=small.",
        )
    reason = last_line if code == REFUSED_EXIT else f"the converter failed with: {last_line}"
    raise ConversionError(f"{what[:1].upper()}{what[1:]} did not work: {reason}")
