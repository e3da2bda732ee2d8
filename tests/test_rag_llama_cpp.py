"""llama.cpp in process, over a package that is put in the place of xllamacpp. See also tests/test_rag_generators.py."""

import stat
import sys
from contextlib import closing
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
from served_material import FakeXllamacpp

from index.errors import ModelError
from rag.llama_cpp import LlamaCppGenerator
from rag.types import Message


@pytest.fixture
def package(monkeypatch):
    with closing(FakeXllamacpp()) as package:
        package.__spec__ = ModuleSpec("xllamacpp", None)
        monkeypatch.setitem(sys.modules, "xllamacpp", package)
        yield package


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "some.gguf").write_bytes(b"GGUF")
    return tmp_path / "some.gguf"


def test_it_listens_where_nobody_else_can_ask(package, file):
    with closing(LlamaCppGenerator(file, name="copying", threads=3)) as generator:
        assert package.settings == []  # nothing is loaded before it is needed
        assert generator.count_tokens("") == 0
        assert package.settings == []
        generator.load()
        assert generator.count_tokens("two words") == 2
        (settings,) = package.settings
        socket = Path(settings.hostnames[0])
        assert stat.S_ISSOCK(socket.stat().st_mode)
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        assert len(settings.api_keys[0]) >= 40
        assert (settings.model.path, settings.ui, settings.cache_prompt) == (str(file), False, True)
        assert (settings.cpuparams.n_threads, settings.cpuparams_batch.n_threads) == (3, 3)
        assert (settings.n_parallel, settings.n_ctx, settings.cache_ram_mib) == (1, 8192, 512)
    del generator
    assert not socket.parent.exists()


def test_two_have_different_keys(package, file):
    for _ in range(2):
        with closing(LlamaCppGenerator(file, name="copying", threads=1)) as generator:
            generator.load()
    one, other = package.settings
    assert one.api_keys != other.api_keys


def test_without_the_package(file, monkeypatch):
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(ModelError, match="needs the package xllamacpp") as caught:
        LlamaCppGenerator(file, name="some", threads=1).load()
    assert caught.value.help == "pip install xllamacpp (the extra byline[llamacpp])"


def test_without_the_file(package, tmp_path):
    with pytest.raises(ModelError, match="There is no file"):
        LlamaCppGenerator(tmp_path / "none.gguf", name="some", threads=1).load()


def test_a_file_that_is_no_model(package, file):
    file.write_bytes(b"PK..")
    generator = LlamaCppGenerator(file, name="some", threads=1)
    with pytest.raises(ModelError, match=r"llama\.cpp does not load") as caught:
        generator.log_odds([Message("user", "Hello")])
    assert "pip install -U xllamacpp" in caught.value.help
