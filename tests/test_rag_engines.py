"""From the setting `model` to the engine, and what settings, doctor, the list of models and reports say of it."""

import json
import sys
from contextlib import closing
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
from served_material import MODEL, FakeXllamacpp, Manners, served
from typer.testing import CliRunner

from eval.provenance import provenance
from index.errors import ModelError, SettingsError
from index.paths import Home
from index.weights import StoredModel
from rag.confidence import load_calibration
from rag.engines import Address, described, engine_of, read_address
from rag.generators import TransformersGenerator
from rag.llama_cpp import LlamaCppGenerator
from rag.opening import find_generator, make_ready, open_generator, open_server
from rag.remote import NO_LOG_PROBABILITIES, RemoteGenerator
from rag.settings import Settings, load_settings
from rag.types import Message
from ui.cli_models import app as models_app
from ui.doctor import examine

OLLAMA = "http://127.0.0.1:11434/v1#qwen2.5:1.5b"
HELLO = [Message("user", "Hello")]


@pytest.mark.parametrize(
    ("model", "engine"),
    [
        ("default", "transformers"),
        ("~/models/mine", "transformers"),
        ("Qwen/Qwen2.5-1.5B-Instruct", "transformers"),
        (OLLAMA, "server"),
        ("HTTPS://models.example/v1#a", "server"),
        ("~/models/Mine-Q8_0.GGUF", "llama.cpp"),
        ("httpd.gguf", "llama.cpp"),
    ],
)
def test_the_setting_names_the_engine(model, engine):
    assert engine_of(model) == engine


@pytest.mark.parametrize(
    ("model", "address"),
    [
        (OLLAMA, Address("http://127.0.0.1:11434/v1", "qwen2.5:1.5b")),
        (" http://localhost:8000/v1/#org/model ", Address("http://localhost:8000/v1", "org/model")),
        ("https://[::1]/v1#a#b", Address("https://[::1]/v1", "a#b")),
    ],
)
def test_addresses(model, address):
    assert read_address(model) == address
    assert address.on_this_machine


@pytest.mark.parametrize("host", ["models.example", "127.0.0.1.example", "10.0.0.7", "localhost.example"])
def test_other_machines_are_told_from_this_one(host):
    assert not read_address(f"http://{host}/v1#a").on_this_machine


@pytest.mark.parametrize(
    ("model", "message", "help"),
    [
        ("http://127.0.0.1:11434/v1", "does not say which", "#"),
        ("http:///v1#a", "not the address", "http://127.0.0.1"),
        ("http://127.0.0.1/v1?key=1#a", "not the address", "http://127.0.0.1"),
        ("http://127.0.0.1:port/v1#a", "not an address", "http://127.0.0.1"),
        ("http://me:hidden@host/v1#a", "user or password", "BYLINE_API_KEY"),
    ],
)
def test_settings_refuse_what_is_no_address(tmp_path, model, message, help):
    with pytest.raises(SettingsError, match=message) as caught:
        load_settings(Home(tmp_path), environment={"BYLINE_MODEL": model})
    assert help in caught.value.help
    assert "hidden" not in str(caught.value)


def test_precision_is_ours_to_choose_for_our_engine_alone():
    with pytest.raises(SettingsError, match="precision is 'int8'"):
        Settings(model=OLLAMA, precision="int8")


def test_a_server_is_opened_without_any_model_of_ours(tmp_path, monkeypatch):
    """Nothing is fetched, and nobody is spoken to before there is a question."""
    monkeypatch.setenv("BYLINE_API_KEY", " right-secret ")
    home = Home(tmp_path / "home")
    with served(Manners(key="right-secret")) as server:
        settings = Settings(model=f"{server.url}#{MODEL}")
        model = find_generator(settings, home=home)
        assert model == StoredModel(f"{server.url}#{MODEL}", "generator", Path(), "")
        generator = open_generator(settings, model, home=home)
        assert isinstance(generator, RemoteGenerator)
        with closing(generator):
            assert server.manners.requests == []
            assert (generator.name, generator.precision) == (MODEL, "the server's")
            generator.load()
            generator.load()
            assert len(server.manners.requests) == 1
    assert not home.root.exists()


@pytest.mark.parametrize("key", ["right-secrét", "right\nsecret"])
def test_a_key_that_no_request_can_carry_is_not_shown(monkeypatch, key):
    monkeypatch.setenv("BYLINE_API_KEY", key)
    with pytest.raises(SettingsError, match="BYLINE_API_KEY holds") as caught:
        open_server(Settings(model=OLLAMA))
    assert "right" not in str(caught.value)


def test_a_file_is_opened_by_llama_cpp(tmp_path, monkeypatch):
    home, file = Home(tmp_path / "home"), tmp_path / "some.gguf"
    settings = Settings(model=str(file))
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(ModelError, match="There is no file"):
        make_ready(settings, home=home)
    file.write_bytes(b"GGUF")
    with pytest.raises(ModelError, match="needs the package xllamacpp"):
        make_ready(settings, home=home)
    with closing(FakeXllamacpp()) as package:
        package.__spec__ = ModuleSpec("xllamacpp", None)
        monkeypatch.setitem(sys.modules, "xllamacpp", package)
        model = find_generator(settings, home=home)
        assert (model.name, model.path, len(model.fingerprint)) == ("some.gguf", file, 64)
        file.write_bytes(b"GGUF2")
        assert find_generator(settings, home=home).fingerprint != model.fingerprint
        generator = open_generator(settings, model, home=home)
        assert isinstance(generator, LlamaCppGenerator)
        assert (generator.name, generator.precision, package.settings) == ("some.gguf", "that of the file", [])
    assert not home.models.exists()


def test_all_else_is_opened_by_our_own_engine(tmp_path):
    model = StoredModel("mine", "generator", tmp_path, "0" * 64)
    assert isinstance(open_generator(Settings(model="mine"), model, home=Home(tmp_path)), TransformersGenerator)


def checks_of(settings: Settings, home: Home) -> dict[str, tuple[str, str, str | None]]:
    return {check.name: (check.state, check.found, check.help) for check in examine(home, settings)}


def test_doctor_asks_a_server_for_a_word(tmp_path):
    with served() as server:
        settings = Settings(model=f"{server.url}#{MODEL}")
        checks = checks_of(settings, Home(tmp_path))
        said = f"copying on the server at {server.url} (yours; not verified by Byline)"
        assert checks["Generator"] == ("ok", said, None)
        assert "Privacy" not in checks
        assert checks["Embedder"][0] == "problem"  # the embedder stays ours
        server.manners.log_probabilities = False
        state, found, _ = checks_of(settings, Home(tmp_path))["Generator"]
        assert (state, found) == ("warning", f"{said}; {NO_LOG_PROBABILITIES}")
    state, found, help = checks_of(settings, Home(tmp_path))["Generator"]
    assert (state, found.split(":")[0]) == ("problem", "Nobody listens at http")
    assert "BYLINE_MODEL" in (help or "")


def test_doctor_says_what_leaves_this_machine(tmp_path):
    checks = checks_of(Settings(model="http://models.invalid/v1#a"), Home(tmp_path))
    assert checks["Generator"][0] == "problem"
    assert checks["Privacy"][:2] == (
        "warning",
        "questions, and the sentences found for them, are sent to models.invalid",
    )


def test_doctor_looks_for_the_file_and_the_package(tmp_path, monkeypatch):
    file = tmp_path / "some.gguf"
    settings = Settings(model=str(file))
    assert checks_of(settings, Home(tmp_path))["Generator"][:2] == ("problem", f"There is no file {file}.")
    file.write_bytes(b"GGUF")
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    state, _, help = checks_of(settings, Home(tmp_path))["Generator"]
    assert (state, help) == ("problem", "pip install xllamacpp (the extra byline[llamacpp])")
    package = FakeXllamacpp()
    package.__spec__ = ModuleSpec("xllamacpp", None)
    monkeypatch.setitem(sys.modules, "xllamacpp", package)
    state, found, _ = checks_of(settings, Home(tmp_path))["Generator"]
    assert (state, found) == ("ok", f"{file}, read by llama.cpp (yours; not verified by Byline)")


def test_the_list_of_models_says_that_another_one_writes(tmp_path):
    listed = CliRunner().invoke(models_app, ["list"], env={"BYLINE_HOME": str(tmp_path), "BYLINE_MODEL": OLLAMA})
    last = listed.output.splitlines()[-1]
    assert (
        last == "Answers are written by none of these, but by qwen2.5:1.5b on the server at http://127.0.0.1:11434/v1."
    )
    listed = CliRunner().invoke(
        models_app, ["list", "--json"], env={"BYLINE_HOME": str(tmp_path), "BYLINE_MODEL": OLLAMA}
    )
    assert {row["name"] for row in json.loads(listed.output)} >= {"default", "minilm"}


def test_a_report_says_what_wrote(tiny_saved_index, monkeypatch):
    monkeypatch.setenv("BYLINE_API_KEY", "right-secret")
    embedder = StoredModel("minilm", "embedder", Path(), "e" * 64)
    settings = Settings(model=OLLAMA)
    made = provenance(
        settings,
        generator=find_generator(settings, home=Home(Path("unused"))),
        embedder=embedder,
        index=tiny_saved_index,
    )
    assert made.models["generator"] == {"name": OLLAMA, "fingerprint": ""}
    assert made.machine["precision"] == "the server's"
    assert "secret" not in repr(made)
    assert described(OLLAMA) == "qwen2.5:1.5b on the server at http://127.0.0.1:11434/v1"


@pytest.mark.parametrize(
    ("called", "name"), [("default", "http://127.0.0.1:9/v1#default"), ("qwen2.5:1.5b", "qwen2.5:1.5b")]
)
def test_what_was_learnt_of_our_models_is_not_taken_for_a_servers_of_the_same_name(called, name):
    with closing(open_server(Settings(model=f"http://127.0.0.1:9/v1#{called}"))) as generator:
        assert generator.name == name
        assert not load_calibration(generator.name).judges_drafts("sentence")
