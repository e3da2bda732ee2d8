"""What `byline doctor` says of machines that the tests do not run on."""

import pytest

from ui import doctor

FAST = frozenset(("avx2", "avx512f", "avx512_vnni", "avx512_bf16"))


@pytest.mark.parametrize(
    ("flags", "numba", "state", "help"),
    [
        (FAST, object(), "ok", None),
        (FAST, None, "warning", "Prompts take up to three quarters longer without numba: run `make setup`."),
        (frozenset(("avx2",)), None, "warning",
         "It runs, only slower: try BYLINE_MODEL=small if answers take too long."),
        (None, None, "ok", None),
    ],
)  # fmt: skip
def test_a_slow_processor_and_missing_kernels_are_told(monkeypatch, flags, numba, state, help):
    monkeypatch.setattr(doctor, "_cpu_flags", lambda: flags)
    monkeypatch.setattr(doctor, "find_spec", lambda name: numba)
    check = doctor._processor()
    assert (check.name, check.state, check.help) == ("Processor", state, help)
