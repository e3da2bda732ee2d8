import json
import subprocess
import sys
from pathlib import Path

import pytest

import index
from index import Home
from index.progress import silent
from index.weights import ensure_model

# Each module of transformers that begins to be imported, and whether the thread that does it holds the lock.
WATCHED = """
import json, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from index.importing import TRANSFORMERS

seen = {}

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "transformers":
            seen[name] = TRANSFORMERS._is_owned()

sys.meta_path.insert(0, Watch())

from index import SentenceTransformerEmbedder
from rag.chat_tokenizer import ChatTokenizer

embedder = SentenceTransformerEmbedder(Path(sys.argv[1]), name="embedder", fingerprint="x")
tokenizer = ChatTokenizer(Path(sys.argv[2]), name="generator")
with ThreadPoolExecutor(2) as threads:
    vector, tokens = threads.submit(embedder.embed_question, "Ready?"), threads.submit(tokenizer.tokens, "Ready?")
    shape, text = vector.result().shape, tokenizer.text(tokens.result())
print(json.dumps([shape, text, seen]))
"""


@pytest.mark.model
def test_one_thread_at_a_time_imports_transformers(embedder_folder):
    generator = ensure_model("default", role="generator", home=Home.from_environment(), progress=silent).path
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, str(embedder_folder), str(generator)],
        cwd=Path(index.__file__).resolve().parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    shape, text, seen = json.loads(done.stdout)
    assert (shape, text) == ([384], "Ready?")
    assert {"transformers", "transformers.models.auto.tokenization_auto"} <= set(seen)
    assert [name for name, held in seen.items() if not held] == []
